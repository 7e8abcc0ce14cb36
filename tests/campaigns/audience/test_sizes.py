from collections import Counter

import pytest
from django.db import connection
from django.utils import timezone

from accounts.enums import Consent
from campaigns.audience import sizes
from campaigns.audience.mailable import with_held_reason
from campaigns.audience.query_builder import audience
from campaigns.audience.sizes import sizes_if_known, sizes_of
from campaigns.enums import Reason, SuppressionReason
from campaigns.errors import SegmentBroken
from campaigns.models import Suppression
from tests.factories import (
    definition,
    make_enrollment,
    make_lead,
    make_property,
    make_segment,
    make_user,
)

pytestmark = pytest.mark.django_db
NIGERIA = definition(countries=["NG"])


@pytest.fixture
def everybody() -> None:
    """One for each way to be mailable or not, and some that are two ways at once."""
    make_user(country="NG")
    make_user(country="NG", marketing_consent=Consent.OPTED_IN)
    out = make_user(country="NG", marketing_consent=Consent.OPTED_OUT)
    make_user(country="NG", email="nowhere")
    both = make_user(country="NG", email="nowhere either")
    moved = make_user(country="NG")
    bounced = make_user(country="NG")
    again = make_user(country="NG")
    elsewhere = make_user(country="GH")
    for user in (out, both, moved, again, elsewhere):
        Suppression.objects.create(email=user.email)
    Suppression.objects.create(email=bounced.email, reason=SuppressionReason.BOUNCED)
    Suppression.objects.create(email="later@example.com")
    make_user(country="NG", email="Later@example.com")
    for user, email in ((moved, "moved@example.com"), (bounced, "new@example.com")):
        user.email = email
        user.save()
    Suppression.objects.create(email="again@example.com", user=again)


def test_reasons_are_those_that_each_person_is_given(everybody):
    counted = sizes_of(NIGERIA)
    reasons = with_held_reason(audience(NIGERIA)).values_list("held_reason", flat=True)
    expected = Counter(reasons)
    assert counted.total == sum(expected.values())
    assert counted.mailable == expected.pop("")
    assert {reason.value: n for reason, n in counted.held.items()} == dict(expected)
    assert counted.held == {
        Reason.OPTED_OUT: 1,
        Reason.SUPPRESSED: 4,
        Reason.UNUSABLE_ADDRESS: 1,
    }


def test_somebody_with_two_rows_elsewhere_is_counted_once():
    home, ada = make_property(), make_user()
    make_enrollment(user=ada, property=home)
    make_enrollment(user=ada, property=home)
    make_lead(client=ada, property=home)
    assert sizes_of(definition({"properties": [home.pk]})).total == 1


def test_the_whole_costs_one_query(everybody, django_assert_num_queries):
    with django_assert_num_queries(1):
        sizes_of(NIGERIA)


def test_a_broken_definition_is_not_counted():
    with pytest.raises(SegmentBroken):
        sizes_of(definition({"properties": [12]}))
    assert sizes_if_known(definition({"properties": [12]})) is None


@pytest.fixture
def failing(monkeypatch) -> None:
    monkeypatch.setattr(sizes, "held_reasons_sql", lambda _: ("SELECT held FROM nowhere", []))


def test_a_count_that_fails_is_unknown_and_harms_no_transaction(failing):
    assert sizes_if_known(NIGERIA) is None
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def test_refresh_keeps_the_sizes_with_their_age(everybody):
    segment = make_segment(countries=["NG"], brevo_list_id=7)
    before = timezone.now()
    sizes.refresh(segment)
    segment.refresh_from_db()
    assert (segment.audience_size, segment.mailable_size) == (9, 3)
    assert segment.counted_at >= before


def test_refresh_that_fails_keeps_the_last_known_sizes(failing):
    segment = make_segment(countries=["NG"], brevo_list_id=7, audience_size=12)
    assert sizes.refresh(segment) is None
    segment.refresh_from_db()
    assert segment.audience_size == 12
