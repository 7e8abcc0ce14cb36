"""What Brevo's webhooks tell: stored as it came, then understood, as often as it takes."""

import json
import logging
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from campaigns.enums import SuppressionReason, SuppressionSource
from campaigns.models import WebhookEvent
from campaigns.sync.suppressing import Wish, suppress_many

logger = logging.getLogger(__name__)

_BATCH = 500
_NOT_JSON = "The body is not JSON."
_CLOCKS_DIFFER = timedelta(days=1)
# Subscribed names and sent names differ, and both changed over the years
# (developers.brevo.com/docs/marketing-webhooks): compared without case and punctuation.
_REASONS = {
    "unsubscribe": SuppressionReason.UNSUBSCRIBED,
    "unsubscribed": SuppressionReason.UNSUBSCRIBED,
    "hardbounce": SuppressionReason.BOUNCED,
    "hardbounced": SuppressionReason.BOUNCED,
    "spam": SuppressionReason.COMPLAINED,
    "complaint": SuppressionReason.COMPLAINED,
}


class NotUnderstood(ValueError):
    """This event will never be understood; the message says why."""


def keep(body: bytes) -> list[str]:
    """Store each event of a body, once however often it is sent; return their digests.

    A body may hold one event, a list of them, or a list below ``events`` or ``items``; what is
    not JSON is stored as the text it is.
    """
    rows = {row.digest: row for row in _rows(body)}
    WebhookEvent.objects.bulk_create(rows.values(), ignore_conflicts=True)
    return list(rows)


def process(digests: Iterable[str]) -> int:
    """Understand these events, unless that was done; return how many are done now."""
    waiting, done = iter(digests), 0
    while batch := list(islice(waiting, _BATCH)):
        done += _process(_pending().filter(digest__in=batch))
    return done


def process_pending() -> int:
    """Understand every event that still waits for it; return how many are done now."""
    done, after = 0, 0
    while batch := list(_pending().filter(pk__gt=after).values_list("pk", flat=True)[:_BATCH]):
        after = batch[-1]
        done += _process(_pending().filter(pk__in=batch))
    return done


def _rows(body: bytes) -> list[WebhookEvent]:
    # Escaped to ASCII: PostgreSQL keeps no NUL, and no database keeps half a surrogate pair.
    written = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
    try:
        return [_row(written(event)) for event in _events(json.loads(body))]
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
        return [_row(text, processed_at=timezone.now(), error_message=_NOT_JSON)]


def _events(data: Any) -> list[Any]:
    if isinstance(data, Mapping):
        lists = [data[key] for key in ("events", "items") if isinstance(data.get(key), list)]
        data = lists[0] if lists else [data]
    return data if isinstance(data, list) else [data]


def _row(body: str, **fields: Any) -> WebhookEvent:
    digest = sha256(body.encode("utf-8", "replace")).hexdigest()
    return WebhookEvent(digest=digest, body=body, **fields)


def _pending() -> QuerySet[WebhookEvent, WebhookEvent]:
    return WebhookEvent.objects.filter(processed_at__isnull=True).order_by("pk")


def _process(pending: QuerySet[WebhookEvent, WebhookEvent]) -> int:
    """Do what the events ask; when that fails they keep the reason, and wait for another try."""
    events = list(pending)
    wishes = []
    for event in events:
        event.processed_at, event.error_message = timezone.now(), ""
        try:
            wish = understood(json.loads(event.body))
        except (NotUnderstood, RecursionError) as error:
            event.error_message = str(error)
        else:
            wishes += [wish] if wish else []
    try:
        with transaction.atomic():
            suppress_many(wishes)
            WebhookEvent.objects.bulk_update(events, ["processed_at", "error_message"])
    except Exception as error:  # whatever it was, the events must stay to be tried again
        logger.exception("%s webhook events could not be processed.", len(events))
        pending.update(error_message=f"Not processed yet: {type(error).__name__}.")
        return 0
    return len(events)


def understood(event: object) -> Wish | None:
    """Return whom the event says not to mail; None for one that asks nothing of us.

    Raises NotUnderstood. Whichever list somebody unsubscribed from, no list of ours mails them:
    Brevo itself blocks them for the whole account.
    """
    if not isinstance(event, Mapping):
        raise NotUnderstood("The event is not an object.")
    name = event.get("event")
    if not isinstance(name, str):
        raise NotUnderstood("The event has no name.")
    reason = _REASONS.get(re.sub(r"[^a-z]", "", name.lower()))
    if reason is None:
        return None
    email = event.get("email")
    try:
        return Wish(
            email if isinstance(email, str) else "",
            reason,
            SuppressionSource.WEBHOOK,
            note=_note(event),
            at=_moment(event),
        )
    except ValueError as error:
        raise NotUnderstood("The event names no usable address.") from error


def _note(event: Mapping[str, Any]) -> str:
    if event.get("reason"):
        return str(event["reason"])
    campaign = event.get("campaign name")  # with a space
    return f"Campaign “{campaign}”" if campaign else ""


def _moment(event: Mapping[str, Any]) -> datetime | None:
    """Return when it happened; of Brevo's many times only these are plainly UTC."""
    for key in ("ts_event", "ts"):
        seconds = event.get(key)
        if type(seconds) is int and seconds > 0:
            try:
                moment = datetime.fromtimestamp(seconds, UTC)
            except (ValueError, OverflowError, OSError):
                continue
            return moment if moment < timezone.now() + _CLOCKS_DIFFER else None
    return None
