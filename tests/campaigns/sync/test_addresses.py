"""No way of changing an address leads back to somebody who said no."""

import pytest

from accounts.models import User
from campaigns.enums import SuppressionReason as Why
from campaigns.enums import SuppressionSource as Source
from campaigns.models import ListMember, Suppression
from campaigns.sync.suppressing import suppress
from tests.campaigns.sync.scenes import (
    address,
    addresses,
    ledger,
    make_segment_of_women,
    sync,
    women,
)
from tests.factories import is_mailable, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def segment(brevo):
    return make_segment_of_women()


def move(number: int, to: int) -> User:
    """Give somebody another address, as their own page does."""
    person = User.objects.get(email_key=address(number))
    person.email = address(to)
    person.save()
    return person


def say_no(number: int, reason: Why = Why.UNSUBSCRIBED) -> None:
    suppress(address(number), reason, Source.WEBHOOK)


@pytest.mark.parametrize("has_left", [False, True])
def test_whoever_unsubscribes_from_what_reached_an_old_address_is_held_back_under_the_new(
    segment, has_left
):
    women(1)
    sync(segment)
    ada = move(1, to=2)
    if has_left:
        sync(segment)

    say_no(1)
    export = sync(segment)

    assert Suppression.objects.get().user == ada
    assert not is_mailable(ada)
    assert (export.users_count, ledger(segment)) == (0, set())


def test_suppression_by_hand_of_an_old_address_holds_its_person_back_too(segment):
    women(1)
    sync(segment)
    ada = move(1, to=2)

    Suppression.objects.create(email=address(1), reason=Why.BY_HAND)

    assert not is_mailable(ada)


def test_unsubscribing_is_put_down_to_whoever_has_the_address_now(segment):
    women(1)
    sync(segment)
    move(1, to=2)
    (beth,) = women(1)

    say_no(1)

    assert Suppression.objects.get().user == beth


def test_old_address_of_somebody_deleted_belongs_to_nobody(segment):
    (ada,) = women(1)
    sync(segment)
    ada.delete()

    say_no(1)

    assert Suppression.objects.get().user is None


def test_newest_stay_tells_whose_an_old_address_was(segment):
    women(1)
    sync(segment)
    move(1, to=2)
    sync(segment)
    women(1)
    sync(segment)
    beth = move(1, to=3)

    say_no(1)

    assert Suppression.objects.get().user == beth


def test_whoever_signs_up_under_a_suppressed_address_stays_held_back_under_another():
    say_no(1)
    ada = make_user(email=address(1), gender="FEMALE")

    ada.email = address(2)
    ada.save()

    assert not is_mailable(ada)


def test_bounce_does_not_follow_whoever_signs_up_under_the_address():
    say_no(1, Why.BOUNCED)
    ada = make_user(email=address(1), gender="FEMALE")

    ada.email = address(2)
    ada.save()

    assert is_mailable(ada)


def test_saving_something_else_of_a_person_asks_nothing(django_assert_num_queries):
    ada = make_user(email=address(1))

    with django_assert_num_queries(1):
        ada.save(update_fields=["last_login"])


def test_people_loaded_in_bulk_own_what_was_said_of_their_addresses_from_the_next_run_on(segment):
    say_no(1)
    (ada,) = women(1)
    sync(segment)

    User.objects.filter(pk=ada.pk).update(email=address(2))
    export = sync(segment)

    assert Suppression.objects.get().user == ada
    assert (export.users_count, ledger(segment)) == (0, set())


def test_two_who_swap_addresses_stay_on_the_list_and_are_sent_each_other_s_data(brevo, segment):
    women(1, 2)
    sync(segment)
    move(1, to=3)
    move(2, to=1)
    move(3, to=2)

    export = sync(segment)

    assert (export.added, export.updated, export.removed) == (0, 2, 0)
    assert brevo.members(segment.brevo_list_id) == addresses(1, 2)
    for number, name in ((1, "Ada 2"), (2, "Ada 1")):
        assert brevo.contact(address(number))["attributes"]["FIRSTNAME"] == name
        owner = ListMember.objects.get(email=address(number)).user_id
        assert owner == User.objects.get(email_key=address(number)).pk


def test_new_address_that_is_blocked_at_brevo_stays_blocked_and_leaves_the_list(brevo, segment):
    women(1)
    sync(segment)
    brevo.block(address(2))
    ada = move(1, to=2)

    sync(segment)
    assert brevo.contact(address(2))["emailBlacklisted"] is True
    assert not is_mailable(ada)

    sync(segment)
    assert brevo.members(segment.brevo_list_id) == set()
