from itertools import product

import pytest
from django.db import connection
from django.db.models import F, Q

from accounts.enums import Consent
from accounts.models import User
from accounts.text import is_usable_email
from campaigns.audience.mailable import (
    EXCLUSIONS,
    Exclusion,
    held_reasons_sql,
    mailable,
    why_held,
    with_held_reason,
)
from campaigns.enums import ADDRESS_ALONE, Reason, SuppressionReason
from campaigns.models import Suppression
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def reason_of(user) -> str:
    return with_held_reason(User.objects.all()).get(pk=user.pk).held_reason


@pytest.mark.parametrize("consent", [Consent.UNKNOWN, Consent.OPTED_IN])
def test_a_customer_with_a_usable_address_is_mailable_without_having_opted_in(consent) -> None:
    user = make_user(marketing_consent=consent)

    assert reason_of(user) == ""
    assert list(mailable(User.objects.all())) == [user]


def test_an_opted_out_customer_is_held_for_that_first_of_all() -> None:
    user = make_user(marketing_consent=Consent.OPTED_OUT, email="broken")
    Suppression.objects.create(email=user.email)

    assert reason_of(user) == Reason.OPTED_OUT


@pytest.mark.parametrize("reason", SuppressionReason)
def test_a_suppressed_address_is_held_whatever_its_case_and_the_reason(reason) -> None:
    user = make_user(email="Ada@Example.com")
    Suppression.objects.create(email="ADA@example.COM", reason=reason)

    assert reason_of(user) == Reason.SUPPRESSED


@pytest.mark.parametrize(
    ("reason", "held"),
    [
        (SuppressionReason.UNSUBSCRIBED, Reason.SUPPRESSED),
        (SuppressionReason.COMPLAINED, Reason.SUPPRESSED),
        (SuppressionReason.BY_HAND, Reason.SUPPRESSED),
        (SuppressionReason.BOUNCED, ""),
    ],
)
def test_under_a_new_address_all_stay_suppressed_but_the_bounced(reason, held) -> None:
    user = make_user(email="old@example.com")
    Suppression.objects.create(email="old@example.com", reason=reason)
    user.email = "new@example.com"
    user.save()

    assert reason_of(user) == held
    assert mailable(User.objects.all()).count() == (not held)


def test_an_unusable_address_is_held() -> None:
    user = make_user(email="no at sign")

    assert reason_of(user) == Reason.UNUSABLE_ADDRESS


def test_a_suppression_of_nobody_holds_nobody_else() -> None:
    user = make_user()
    Suppression.objects.create(email="stranger@example.com")

    assert reason_of(user) == ""
    assert list(mailable(User.objects.all())) == [user]


def plain_reason(user: User) -> str:
    """Say in plain Python what holds a user without any history at Brevo back, or ""."""
    of_address = [row for row in Suppression.objects.all() if row.email == user.email_key]
    of_person = Suppression.objects.filter(user=user)
    if user.marketing_consent == Consent.OPTED_OUT:
        return Reason.OPTED_OUT
    if of_address or any(row.reason not in ADDRESS_ALONE for row in of_person):
        return Reason.SUPPRESSED
    return "" if is_usable_email(user.email) else Reason.UNUSABLE_ADDRESS


def reasons_in_bulk() -> dict[int, str]:
    sql, params = held_reasons_sql(User.objects.all())
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return dict(cursor.fetchall())


def test_every_way_of_asking_gives_the_same_answer_for_every_kind_of_user() -> None:
    kinds = product(Consent, ("a{}@example.com", "a{}"), (None, *SuppressionReason), (True, False))
    for number, (consent, address, reason, is_moved) in enumerate(kinds):
        user = make_user(email=address.format(number), marketing_consent=consent)
        if reason:
            Suppression.objects.create(email=user.email, reason=reason)
        if is_moved:
            user.email = f"new{number}@example.com"
            user.save()
    users = list(with_held_reason(User.objects.all()))

    expected = {user.pk: plain_reason(user) for user in users}

    assert set(expected.values()) == {"", *(exclusion.reason for exclusion in EXCLUSIONS)}
    assert {user.pk: user.held_reason for user in users} == expected
    assert {user.pk: why_held(user) or "" for user in users} == expected
    assert reasons_in_bulk() == expected
    assert set(mailable(User.objects.all())) == {user for user in users if not expected[user.pk]}


@pytest.mark.parametrize("has_ids", [True, False])
def test_one_more_exclusion_counts_in_every_way_of_asking(monkeypatch, has_ids) -> None:
    dr = User.objects.filter(first_name="Dr")
    paused = Exclusion(
        Reason.NO_MATCH,
        lambda path: (Q((f"{path}first_name", "Dr")),),
        (lambda: dr.values(user_id=F("id"))) if has_ids else None,
    )
    monkeypatch.setattr("campaigns.audience.mailable.EXCLUSIONS", (*EXCLUSIONS, paused))
    held, free = make_user(first_name="Dr"), make_user()

    assert reason_of(held) == why_held(held) == reasons_in_bulk()[held.pk] == Reason.NO_MATCH
    assert list(mailable(User.objects.all())) == [free]


def test_no_user_is_repeated_by_several_suppressions() -> None:
    user = make_user()
    for number in range(3):
        Suppression.objects.create(email=f"old{number}@example.com", user=user)

    assert list(with_held_reason(User.objects.all()).values_list("held_reason", flat=True)) == [
        Reason.SUPPRESSED
    ]
