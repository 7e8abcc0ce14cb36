from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from accounts.enums import Consent, Gender
from accounts.models import User
from tests.factories import (
    make_agent,
    make_enrollment,
    make_lead,
    make_partner,
    make_property,
    make_user,
)


@pytest.fixture
def scene(db) -> SimpleNamespace:
    """Ada meets every one of the conditions, one for each criterion; Bob meets none of them."""
    palm, sea = make_property("Palm Court"), make_property("Sea View")
    agent = make_agent(first_name="Ngozi", last_name="Eze")
    partner = make_partner(first_name="Homes", last_name="Ltd", gender=Gender.MALE)
    ada = make_user(
        first_name="Ada",
        marketing_consent=Consent.OPTED_IN,
        gender=Gender.FEMALE,
        country="NG",
        state="Lagos",
        referral_source="Instagram",
        referred_by_partner=partner,
    )
    bob = make_user(first_name="Bob", gender=Gender.MALE, country="GH", state="Accra")
    User.objects.filter(pk__in=[bob.pk, partner.pk]).update(
        date_joined=timezone.now() - timedelta(days=40)
    )
    bob.refresh_from_db()
    make_enrollment(user=ada, property=palm, agent=agent)
    make_enrollment(user=bob, property=sea)
    make_lead(client=ada, property=sea, closed_by=agent)
    everything = {
        "gender": ["FEMALE"],
        "properties": [palm.pk],
        "countries": ["NG"],
        "states": ["Lagos"],
        "traffic_sources": ["Instagram"],
        "agents": [agent.pk],
        "partners": [partner.pk],
    }
    conditions: list[dict[str, Any]] = [
        {"criterion": key, "any_of": values} for key, values in everything.items()
    ]
    conditions.append({"criterion": "joined", "within_days": 30})
    conditions.append({"criterion": "consent", "any_of": ["OPTED_IN"]})
    return SimpleNamespace(
        conditions=conditions,
        ada=ada,
        bob=bob,
        palm=palm,
        sea=sea,
        agent=agent,
        partner=partner,
        everything=everything,
    )
