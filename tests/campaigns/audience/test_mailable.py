from itertools import product

import pytest

from accounts.enums import Consent
from accounts.models import User
from campaigns.audience.mailable import is_mailable, mailable, why_held, with_held_reason
from campaigns.enums import Reason, SuppressionReason
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


def test_every_way_of_asking_gives_the_same_answer_for_every_kind_of_user() -> None:
    kinds = product(Consent, ("a{}@example.com", "a{}"), (None, *SuppressionReason), (True, False))
    for number, (consent, address, reason, is_moved) in enumerate(kinds):
        user = make_user(email=address.format(number), marketing_consent=consent)
        if reason:
            Suppression.objects.create(email=user.email, reason=reason)
        if is_moved:
            User.objects.filter(pk=user.pk).update(email=f"new{number}@example.com")
    users = list(with_held_reason(User.objects.all()))

    by_twin = {user.pk: why_held(user) or "" for user in users}

    assert {user.pk: user.held_reason for user in users} == by_twin
    assert set(by_twin.values()) == {
        "",
        Reason.OPTED_OUT,
        Reason.SUPPRESSED,
        Reason.UNUSABLE_ADDRESS,
    }
    free = {pk for pk, reason in by_twin.items() if reason == ""}
    assert set(mailable(User.objects.all()).values_list("pk", flat=True)) == free
    assert (
        set(
            with_held_reason(User.objects.all()).filter(held_reason="").values_list("pk", flat=True)
        )
        == free
    )
    assert {user.pk for user in users if is_mailable(user)} == free


def test_no_user_is_repeated_by_several_suppressions() -> None:
    user = make_user()
    for number in range(3):
        Suppression.objects.create(email=f"old{number}@example.com", user=user)

    assert list(with_held_reason(User.objects.all()).values_list("held_reason", flat=True)) == [
        Reason.SUPPRESSED
    ]
