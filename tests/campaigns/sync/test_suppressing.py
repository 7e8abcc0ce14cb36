from datetime import UTC, datetime
from itertools import permutations

import pytest

from campaigns.enums import SuppressionReason as Why
from campaigns.enums import SuppressionSource as Source
from campaigns.models import Suppression
from campaigns.sync.suppressing import Wish, suppress, suppress_many
from tests.factories import is_mailable, make_manager, make_user

pytestmark = pytest.mark.django_db


def wish(number: int, reason: Why = Why.UNSUBSCRIBED, **fields) -> Wish:
    return Wish(f"person{number}@example.com", reason, Source.CSV, **fields)


def test_suppressing_keeps_the_address_folded_and_finds_its_person() -> None:
    ada, manager = make_user(email="Ada@Example.com"), make_manager()
    said_at = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)

    changed = suppress(
        " ADA@example.COM ", Why.BY_HAND, Source.ADMIN, by=manager, note="Asked us", at=said_at
    )

    row = Suppression.objects.get()
    assert changed
    assert (row.email, row.user, row.reason) == ("ada@example.com", ada, Why.BY_HAND)
    assert (row.source, row.created_by, row.note) == (Source.ADMIN, manager, "Asked us")
    assert row.created_at == said_at


def test_suppressing_twice_changes_nothing_the_second_time() -> None:
    assert suppress("ada@example.com", Why.UNSUBSCRIBED, Source.WEBHOOK)
    before = Suppression.objects.values().get()

    assert not suppress("Ada@example.com", Why.UNSUBSCRIBED, Source.CSV, by=make_manager())

    assert Suppression.objects.values().get() == before


@pytest.mark.parametrize("reason", [Why.UNSUBSCRIBED, Why.COMPLAINED, Why.BY_HAND])
def test_reason_of_the_person_replaces_a_bounce_so_that_it_follows_them(reason) -> None:
    ada = make_user(email="ada@example.com")
    suppress("ada@example.com", Why.BOUNCED, Source.WEBHOOK, note="Mailbox full")

    assert suppress("ada@example.com", reason, Source.API, note="Said so")

    ada.email = "new.address@example.com"
    ada.save()
    row = Suppression.objects.get()
    assert (row.reason, row.source, row.note) == (reason, Source.API, "Said so")
    assert not is_mailable(ada)


@pytest.mark.parametrize(
    ("reasons", "counts", "follows"),
    [
        ([Why.BOUNCED, Why.BLOCKLISTED], Why.BOUNCED, False),
        ([Why.BOUNCED, Why.DELETED], Why.BOUNCED, False),
        ([Why.BOUNCED, Why.BLOCKLISTED, Why.DELETED], Why.BOUNCED, False),
        ([Why.BLOCKLISTED, Why.DELETED], Why.DELETED, True),
        ([Why.BLOCKLISTED, Why.UNSUBSCRIBED], Why.UNSUBSCRIBED, True),
        ([Why.BOUNCED, Why.BLOCKLISTED, Why.UNSUBSCRIBED], Why.UNSUBSCRIBED, True),
        ([Why.BOUNCED, Why.COMPLAINED, Why.DELETED], Why.COMPLAINED, True),
        ([Why.BY_HAND, Why.BOUNCED], Why.BY_HAND, True),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_the_same_reasons_count_alike_in_whatever_order_they_come(
    reasons, counts, follows, at_once
) -> None:
    for number, order in enumerate(permutations(reasons)):
        user = make_user(email=f"person{number}@example.com")
        wishes = [wish(number, reason, note=f"Said {reason}") for reason in order]
        for some in [wishes] if at_once else [[each] for each in wishes]:
            suppress_many(some)

        row = Suppression.objects.get(user=user)
        assert (row.reason, row.note) == (counts, f"Said {counts}")
        notes = {cause["reason"]: cause["note"] for cause in row.other_causes}
        assert notes == {reason: f"Said {reason}" for reason in reasons if reason != counts}
        user.email = f"next{number}@example.com"
        user.save()
        assert is_mailable(user) is not follows


def test_note_that_comes_later_is_taken_where_there_was_none() -> None:
    suppress("ada@example.com", Why.BOUNCED, Source.RECONCILIATION)

    assert not suppress("ada@example.com", Why.BOUNCED, Source.WEBHOOK, note="No such user")

    assert Suppression.objects.get().note == "No such user"


def test_bounce_does_not_weaken_an_unsubscribe() -> None:
    suppress("ada@example.com", Why.UNSUBSCRIBED, Source.WEBHOOK)

    assert not suppress("ada@example.com", Why.BOUNCED, Source.WEBHOOK)

    assert Suppression.objects.get().reason == Why.UNSUBSCRIBED


def test_suppression_of_a_stranger_finds_its_person_when_it_is_said_again() -> None:
    suppress("ada@example.com", Why.UNSUBSCRIBED, Source.WEBHOOK)
    ada = make_user(email="ada@example.com")

    assert not suppress("ada@example.com", Why.UNSUBSCRIBED, Source.WEBHOOK)

    assert Suppression.objects.get().user == ada


@pytest.mark.parametrize(
    "email", ["", "  ", "ada", "@example.com", "ada@", "a b@example.com", "a\0@b.org", "\ud800@b.c"]
)
def test_what_is_no_address_is_refused(email) -> None:
    with pytest.raises(ValueError, match=r"not an e-mail address"):
        suppress(email, Why.BY_HAND, Source.ADMIN)


def test_address_too_long_to_keep_is_refused() -> None:
    with pytest.raises(ValueError, match=r"not an e-mail address"):
        suppress("a" * 250 + "@example.com", Why.BY_HAND, Source.ADMIN)


def test_note_is_cut_to_what_can_be_kept() -> None:
    suppress("ada@example.com", Why.BY_HAND, Source.ADMIN, note="Too\0 long " * 100)

    assert Suppression.objects.get().note == ("Too long " * 100)[:300]


@pytest.mark.parametrize("number", [5, 400])
def test_many_are_suppressed_in_few_queries(django_assert_max_num_queries, number) -> None:
    ada = make_user(email="person1@example.com")
    suppress("person0@example.com", Why.BOUNCED, Source.WEBHOOK)
    suppress("person2@example.com", Why.COMPLAINED, Source.WEBHOOK)

    with django_assert_max_num_queries(14):
        changed = suppress_many(wish(n) for n in range(number))

    assert changed == number - 1
    assert Suppression.objects.count() == number
    assert Suppression.objects.get(email="person0@example.com").reason == Why.UNSUBSCRIBED
    assert Suppression.objects.get(email="person1@example.com").user == ada
    assert Suppression.objects.get(email="person2@example.com").reason == Why.COMPLAINED


def test_one_address_told_twice_at_once_keeps_the_reason_of_the_person() -> None:
    changed = suppress_many([wish(1, Why.BOUNCED), wish(1, Why.COMPLAINED), wish(1)])

    assert changed == 1
    assert Suppression.objects.get().reason == Why.COMPLAINED


def test_more_than_one_batch_is_suppressed_whole() -> None:
    assert suppress_many(wish(n) for n in range(1201)) == 1201
    assert Suppression.objects.count() == 1201
