import json
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError

from campaigns.enums import SuppressionReason as Why
from campaigns.models import Suppression, WebhookEvent
from campaigns.sync import events

pytestmark = pytest.mark.django_db


def event(name="unsubscribe", **fields) -> dict[str, object]:
    return {"event": name, "email": "ada@example.com", "id": 7, "ts_event": 1_760_000_000} | fields


def take(*told, **wrapped) -> list[str]:
    return events.keep(json.dumps(wrapped or (told[0] if len(told) == 1 else list(told))).encode())


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
    ["soft_bounce", "softBounce", "contact_deleted", "contact_updated", "list_addition", "novelty"],
)
def test_other_events_are_noted_and_suppress_nobody(name) -> None:
    take(event(name))

    assert events.process_pending() == 1

    assert not Suppression.objects.exists()
    assert WebhookEvent.objects.get(error_message="").processed_at is not None


@pytest.mark.parametrize("wrapper", ["events", "items"])
def test_events_are_found_below_a_key(wrapper) -> None:
    take(**{wrapper: [event(), event("spam", email="b@example.com")]})

    assert WebhookEvent.objects.count() == 2


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
