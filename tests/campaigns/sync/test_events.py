import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import DatabaseError
from django.utils import timezone

from campaigns.enums import SuppressionReason as Why
from campaigns.models import ListMember, Suppression, WebhookEvent
from campaigns.sync import events
from tests.factories import is_mailable, make_segment, make_user

pytestmark = pytest.mark.django_db


def event(name="unsubscribe", **fields) -> dict[str, object]:
    return {"event": name, "email": "ada@example.com", "id": 7, "ts_event": 1_760_000_000} | fields


def take(*told, **wrapped) -> list[str]:
    body = wrapped or (told[0] if len(told) == 1 else list(told))
    return events.keep(json.dumps(body).encode()).digests


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["unsubscribe", "unsubscribed", "Unsubscribed"], Why.UNSUBSCRIBED),
        (["hardBounce", "hard_bounce", "hard_bounced"], Why.BOUNCED),
        (["spam", "complaint"], Why.COMPLAINED),
    ],
)
def test_both_spellings_of_an_event_suppress_the_address(names, reason) -> None:
    take(*(event(name, email=f"{name}@example.com") for name in names))

    assert events.process_pending() == len(names)

    assert set(Suppression.objects.values_list("email", "reason")) == {
        (f"{name.lower()}@example.com", reason) for name in names
    }


@pytest.mark.parametrize(
    "name",
    ["soft_bounce", "softBounce", "contact_updated", "list_addition", "resubscribed", "novelty"],
)
def test_other_events_are_noted_and_suppress_nobody(name) -> None:
    take(event(name))

    assert events.process_pending() == 1

    assert not Suppression.objects.exists()
    assert WebhookEvent.objects.get(error_message="").processed_at is not None


@pytest.mark.parametrize("wrapper", ["events", "items", "data", "payload"])
def test_events_are_found_below_a_key(wrapper) -> None:
    take(**{wrapper: [event(), event("spam", email="b@example.com")]})

    assert WebhookEvent.objects.count() == 2


@pytest.mark.parametrize(
    "body",
    [
        {"data": event()},
        {"data": [event()]},
        [[event()]],
        [{"data": {"items": [[event()]]}}],
        {"data": [], "events": [event()]},
        {"event": event()},
        {"event": "batch", "data": [event()]},
        {"event": "unsubscribe", "data": {"email": "ada@example.com"}},
        {"event": "unsubscribe", "email": ["ada@example.com"]},
    ],
)
def test_an_event_is_understood_however_it_is_wrapped(body) -> None:
    take(body)

    events.process_pending()

    row = Suppression.objects.get()
    assert (row.email, row.reason) == ("ada@example.com", Why.UNSUBSCRIBED)
    assert not WebhookEvent.objects.exclude(error_message="").exists()


@pytest.mark.parametrize("flag", ["emailBlacklist", "emailBlacklisted", "EMAIL_BLOCKLISTED"])
@pytest.mark.parametrize(
    "told",
    [
        lambda flag: {flag: True, "email": "ada@example.com"},
        lambda flag: {"email": "ada@example.com", "content": [{flag: "true"}]},
        lambda flag: {"email": "ada@example.com", "attributes": {flag: 1}},
        lambda flag: {"content": [{"email": "ada@example.com", "attributes": {flag: True}}]},
        lambda flag: {"content": {"EMAIL": "ada@example.com", flag: True}},
        lambda flag: {flag: True, "content": [{"email": "ada@example.com"}]},
        lambda flag: {"email": "ada@example.com", "content": [{"key": flag, "value": True}]},
    ],
)
def test_contact_that_was_blocklisted_is_held_back_whatever_the_shape_of_the_event(
    flag, told
) -> None:
    take({"event": "contact_updated", **told(flag)})

    events.process_pending()

    row = Suppression.objects.get()
    assert (row.email, row.reason, row.source) == ("ada@example.com", Why.BLOCKLISTED, "WEBHOOK")


@pytest.mark.parametrize("flags", [{"emailBlacklisted": False}, {"smsBlacklisted": True}, {}])
@pytest.mark.parametrize("name", ["contact_updated", "list_addition", "resubscribed"])
def test_no_event_loosens_or_invents_a_suppression(name, flags) -> None:
    take(event("unsubscribe"))
    events.process_pending()
    before = Suppression.objects.values().get()

    take(event(name, **flags), event(name, email="b@example.com", **flags))
    events.process_pending()

    assert Suppression.objects.values().get() == before


def test_flag_that_names_nobody_is_kept_as_not_understood() -> None:
    take({"event": "contact_updated", "emailBlacklisted": True})

    events.process_pending()

    assert WebhookEvent.objects.get().error_message == "The event names no usable address."


def test_deleted_contact_without_an_address_asks_nothing() -> None:
    take({"event": "contact_deleted", "list_id": [3]})

    events.process_pending()

    assert WebhookEvent.objects.get().error_message == ""


def test_event_with_very_many_addresses_is_understood_later() -> None:
    many = [f"p{n}@example.com" for n in range(2_001)]

    assert take(event(email=many)) == []

    assert events.process_pending() == 1
    assert Suppression.objects.count() == len(many)


def test_who_waits_for_pending_events_is_heard_between_them() -> None:
    take(*(event(email=f"p{n}@example.com") for n in range(3)))
    heard = []

    events.process_pending(lambda: heard.append(Suppression.objects.count()))

    assert heard == [3]


@pytest.mark.parametrize("order", [1, -1])
def test_bounce_explains_the_flag_whichever_is_told_first(order) -> None:
    ada = make_user(email="ada@example.com")
    told = [event("hard_bounce", reason="No such user"), event("contact_updated", emailBlacklist=1)]
    for each in told[::order]:
        take(each)
        events.process_pending()

    row = Suppression.objects.get()
    assert (row.reason, row.note) == (Why.BOUNCED, "No such user")
    assert not is_mailable(ada)
    ada.email = "corrected@example.com"
    ada.save()
    assert is_mailable(ada)


def test_contact_deleted_in_brevo_holds_its_person_back_and_strangers_not() -> None:
    ada = make_user(email="ada@example.com")
    make_segment(pk=7)
    for number, ended in enumerate([None, timezone.now()]):
        ListMember.objects.create(
            segment_id=7,
            email=f"former{number}@example.com",
            fingerprint=UUID(int=5),
            added_at=timezone.now(),
            added_by=1,
            removed_at=ended,
        )
    names = ("ada", "former0", "former1", "stranger")
    take(*(event("contact_deleted", email=f"{name}@example.com") for name in names))

    assert events.process_pending() == 4

    assert dict(Suppression.objects.values_list("email", "reason")) == {
        f"{name}@example.com": Why.DELETED for name in names[:3]
    }
    ada.email = "next@example.com"
    ada.save()
    assert not is_mailable(ada)
    assert ListMember.objects.current().get().fingerprint == UUID(int=0)


def test_one_event_that_cannot_be_done_does_not_hold_up_the_others(monkeypatch) -> None:
    take(*(event(email=f"p{n}@example.com") for n in range(5)))
    suppress_many = events.suppress_many

    def fail(wishes) -> int:
        if "p3@example.com" in {wish.email for wish in wishes}:
            raise DatabaseError("value out of range")
        return suppress_many(wishes)

    monkeypatch.setattr(events, "suppress_many", fail)

    assert events.process_pending() == 4
    assert WebhookEvent.objects.get(processed_at=None).error_message.startswith("Not processed")


def test_body_with_very_many_events_is_kept_in_one_piece_and_lost_nothing_of(
    django_assert_max_num_queries,
) -> None:
    told = [event(email=f"p{n}@example.com") for n in range(events.MOST_AT_ONCE + 1)]
    body = json.dumps({"data": [*told, 7]}).encode()

    with django_assert_max_num_queries(1):
        kept = events.keep(body)
    events.keep(body)

    assert (kept.events, kept.digests) == (len(told) + 1, [])
    assert events.process_pending() == len(told) + 1
    assert events.process_pending() == 0
    assert Suppression.objects.count() == len(told)
    not_understood = WebhookEvent.objects.exclude(error_message="").get()
    assert not_understood.error_message == "The event is not an object."


def test_an_event_is_kept_once_whatever_the_order_of_its_keys() -> None:
    backwards = dict(reversed(event().items()))

    first = take(event(), backwards)
    again = take(backwards)

    assert first == again
    assert WebhookEvent.objects.count() == 1


def test_suppression_says_when_and_why_brevo_heard_it() -> None:
    take(event(**{"campaign name": "Spring launch"}))
    take(event("hard_bounce", email="b@example.com", reason="No such user"))

    events.process_pending()

    unsubscribed, bounced = Suppression.objects.order_by("email")
    assert unsubscribed.created_at == datetime.fromtimestamp(1_760_000_000, UTC)
    assert unsubscribed.note == "Campaign “Spring launch”"
    assert bounced.note == "No such user"


@pytest.mark.parametrize("moment", [0, -5, "soon", None, 10**30, 99_999_999_999, True])
def test_an_impossible_moment_is_left_out(moment) -> None:
    take(event(ts_event=moment))

    events.process_pending()

    age = datetime.now(UTC) - Suppression.objects.get().created_at
    assert abs(age.total_seconds()) < 3600


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (b"7", "The event is not an object."),
        (b'{"email": "ada@example.com"}', "The event has no name."),
        (b'{"event": "spam"}', "The event names no usable address."),
        (b'{"event": "spam", "email": "a\\u0000@b.org"}', "The event names no usable address."),
        (b'{"event": "spam", "email": "\\ud800@b.org"}', "The event names no usable address."),
        (b"unsubscribe=ada", "The body is not JSON."),
        (b"", "The body is not JSON."),
        (b"nul \0 \xff", "The body is not JSON."),
        (b"[" * 200_000, "The body is not JSON."),
    ],
)
def test_what_cannot_be_understood_is_kept_with_the_reason_and_not_tried_again(told, why) -> None:
    events.keep(told)

    events.process_pending()

    kept = WebhookEvent.objects.get()
    assert kept.error_message == why
    assert kept.processed_at is not None
    assert events.process_pending() == 0


def test_a_failure_keeps_the_events_and_the_next_try_does_them(monkeypatch) -> None:
    take(event())

    def fail(_wishes) -> int:
        raise DatabaseError("deadlock detected")

    with monkeypatch.context() as broken:
        broken.setattr(events, "suppress_many", fail)
        assert events.process_pending() == 0

    assert WebhookEvent.objects.get().error_message == "Not processed yet: DatabaseError."
    assert events.process_pending() == 1
    assert WebhookEvent.objects.get().error_message == ""
    assert Suppression.objects.count() == 1


def test_more_than_one_batch_of_waiting_events_is_done_whole() -> None:
    take(*(event(email=f"p{n}@example.com") for n in range(1100)))

    assert events.process_pending() == 1100
    assert Suppression.objects.count() == 1100
