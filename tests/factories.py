"""Rows for tests: each function makes one, valid without arguments; give what the test is about."""

from itertools import count
from typing import Any

from django.db.models import JSONField, Value
from django.utils import timezone

from accounts.enums import Gender, PartnershipStatus, Role
from accounts.models import Partnership, User
from campaigns.audience.mailable import why_held
from campaigns.models import Segment
from campaigns.models.flat import FLAT_NAMES
from properties.enums import LeadStatus
from properties.models import Enrollment, Lead, Property

PASSWORD = "correct horse battery"

_numbers = count(1)


def make_user(**fields: Any) -> User:
    """Make a client, or whoever ``fields`` describe; ``password=PASSWORD`` lets them log in."""
    password = fields.pop("password", None)
    user = User(**{"email": f"user{next(_numbers)}@example.com"} | fields)
    if password is None:
        user.set_unusable_password()
    else:
        user.set_password(password)
    user.save()
    return user


def make_admin(**fields: Any) -> User:
    return make_user(**{"role": Role.ADMIN} | fields)


def make_manager(**fields: Any) -> User:
    return make_user(**{"role": Role.MANAGER} | fields)


def make_agent(**fields: Any) -> User:
    return make_user(**{"role": Role.AGENT} | fields)


def make_partner(
    status: PartnershipStatus = PartnershipStatus.APPROVED,
    *,
    suspended: bool = False,
    **fields: Any,
) -> User:
    """Make a partner with a partnership, approved unless told otherwise."""
    partner = make_user(**{"role": Role.PARTNER} | fields)
    suspended_at = timezone.now() if suspended else None
    Partnership.objects.create(partner=partner, status=status, suspended_at=suspended_at)
    return partner


def make_property(name: str = "", **fields: Any) -> Property:
    return Property.objects.create(name=name or f"Property No. {next(_numbers)}", **fields)


def make_enrollment(**fields: Any) -> Enrollment:
    fields["user"] = fields.get("user") or make_user()
    fields["property"] = fields.get("property") or make_property()
    return Enrollment.objects.create(**fields)


def make_lead(**fields: Any) -> Lead:
    """Make a lead: a closed one when ``closed_by`` is given."""
    if "closed_by" in fields:
        fields = {"status": LeadStatus.CLOSED, "closed_at": timezone.now()} | fields
    fields["client"] = fields.get("client") or make_user()
    fields["property"] = fields.get("property") or make_property()
    return Lead.objects.create(**fields)


def make_segment_unsaved(**fields: Any) -> Segment:
    """Return a segment of all women, unless ``fields`` name other criteria."""
    criteria = (
        {} if fields.keys() & {*FLAT_NAMES, "definition"} else {"gender": [Gender.FEMALE.value]}
    )
    return Segment(**{"name": f"Segment {next(_numbers)}"} | criteria | fields)


def make_segment(**fields: Any) -> Segment:
    """Make a segment that has its list: Brevo is asked only when ``brevo_list_id=None``."""
    segment = make_segment_unsaved(**{"brevo_list_id": 1_000_000 + next(_numbers)} | fields)
    segment.save()
    return segment


def definition(fields: Any = None, **flat: Any) -> Any:
    """Return the definition of a segment with these flat names."""
    return Segment(**(fields or {}), **flat).definition


def make_segment_unchecked(**fields: Any) -> Segment:
    """Make a segment as the database may come to hold one, whatever is wrong with it."""
    segment = make_segment()
    for field, value in fields.items():
        setattr(segment, field, value)
    definition = Value(segment.definition, JSONField())
    Segment.objects.filter(pk=segment.pk).update(definition=definition)
    return Segment.objects.get(pk=segment.pk)


def is_mailable(user: User) -> bool:
    return why_held(user) is None
