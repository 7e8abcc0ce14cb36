"""Six segments that show, on the demo's data, what a segment can ask."""

from typing import Any

from accounts.enums import Gender, Role
from accounts.models import User
from campaigns.enums import Match
from campaigns.models import Segment
from properties.models import Property


def demo_segments(seed: int) -> list[Segment]:
    """Return the segments, not saved yet; the people of this seed are there already."""
    of_seed = User.objects.filter(email_key__contains=f".{seed}-").order_by("pk")
    agents = of_seed.filter(role=Role.AGENT, is_active=True).values_list("pk", flat=True)
    partners = of_seed.filter(role=Role.PARTNER, is_active=True).approved_partners()
    homes = Property.objects.filter(name__in=["Palm Court", "Lekki Pearl Gardens"])
    return [
        _segment(
            name="Women at Palm Court and Lekki Pearl",
            description="Invitations to the residents' evening: women enrolled in either estate.",
            gender=[Gender.FEMALE.value],
            properties=list(homes.order_by("pk").values_list("pk", flat=True)),
        ),
        _segment(
            name="Lagos and Abuja",
            description="Customers in Nigeria's two big markets, however they spell their state.",
            countries=["NG"],
            states=["Lagos", "Abuja FCT"],
        ),
        _segment(
            name="Found us on Instagram or Facebook",
            description="For the yearly look at what social media bring.",
            traffic_sources=["Instagram", "Facebook"],
        ),
        _segment(
            name="Introduced by our partners",
            description="Customers whom an approved partner referred.",
            partners=list(partners.values_list("pk", flat=True)[:5]),
        ),
        _segment(
            name="Customers of our first agents",
            description="Enrolled with them, or a lead they closed: news of the team.",
            agents=list(agents[:3]),
        ),
        _segment(
            name="Gulf launch",
            description="Anyone in the Emirates, enrolled in Dubai, or met at the property expo.",
            match=Match.ANY,
            countries=["AE"],
            properties=list(
                Property.objects.filter(city="Dubai").order_by("pk").values_list("pk", flat=True)
            ),
            traffic_sources=["Property expo"],
        ),
    ]


def _segment(name: str, description: str, **flat: Any) -> Segment:
    return Segment(name=name, description=description, **flat)
