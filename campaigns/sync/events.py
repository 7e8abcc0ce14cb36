"""What Brevo's webhooks tell: stored as it came, then understood, as often as it takes.

Nothing here can loosen consent: an event holds somebody back, or is noted and asks nothing.
"""

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Length
from django.utils import timezone

from campaigns.batches import in_batches
from campaigns.enums import SuppressionReason, SuppressionSource
from campaigns.models import WebhookEvent
from campaigns.sync.suppressing import Wish, ever_ours, suppress_many

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 500  # events of one body that are stored one by one; Brevo sends no more in a batch
_MOST_ADDRESSES = 2_000  # in one body; with more it is understood later
_BATCH = 500
_MOST_LETTERS = 5_000_000  # of bodies in memory at once
_NOT_JSON = "The body is not JSON."
_NO_ADDRESS = "The event names no usable address."
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
    "contactdeleted": SuppressionReason.DELETED,
}
# Brevo's documentation spells the flag both ways; the others are what proxies and tools make of it.
_FLAGS = {
    f"{prefix}{word}list{ending}"
    for prefix in ("email", "isemail", "")
    for word in ("black", "block")
    for ending in ("", "ed")
}
_YES = (True, 1, "1", "true", "yes")
# Whatever relays a webhook may wrap it; nobody documents the shape of Brevo's own batches.
_WRAPPERS = ("data", "events", "items", "payload", "body", "batch")


class NotUnderstood(ValueError):
    """This event will never be understood; the message says why."""


@dataclass(slots=True)
class Kept:
    """How many events a body held, and the digests of those that can be understood at once."""

    events: int
    digests: list[str] = field(default_factory=list)


def keep(body: bytes) -> Kept:
    """Store each event of a body, once however often it is sent.

    A body may hold one event, a list of them, or either below ``data``, ``events`` and the like,
    however deep. One with very many is stored in one piece, to be taken apart later; what is not
    JSON is stored as the text it is.
    """
    try:
        data = json.loads(body)
        events = _events(data)
        if len(events) > MOST_AT_ONCE:
            WebhookEvent.objects.bulk_create([_row(_written(data))], ignore_conflicts=True)
            return Kept(len(events))
        rows = [_row(_written(event)) for event in events]
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
        rows = [_row(text, processed_at=timezone.now(), error_message=_NOT_JSON)]
    distinct = {row.digest: row for row in rows}
    WebhookEvent.objects.bulk_create(distinct.values(), ignore_conflicts=True)
    is_large = body.count(b"@") > _MOST_ADDRESSES
    return Kept(len(distinct), [] if is_large else list(distinct))


def process(digests: Iterable[str]) -> int:
    """Understand these events, unless that was done; return how many are done now."""
    done = 0
    for batch in in_batches(digests, _BATCH):
        done += _process(list(_pending().filter(digest__in=batch)))
    return done


def process_pending(between: Callable[[], None] | None = None) -> int:
    """Understand every event that still waits for it; return how many are done now.

    ``between`` is called after each few hundred of them.
    """
    done, after = 0, 0
    while batch := _next_batch(after):
        after = batch[-1]
        done += _process(list(_pending().filter(pk__in=batch)))
        if between is not None:
            between()
    return done


def _next_batch(after: int) -> list[int]:
    """Return the ids of the next events that wait, and no more than fit into memory."""
    waiting = _pending().filter(pk__gt=after).annotate(letters=Length("body"))
    batch: list[int] = []
    letters = 0
    for pk, length in waiting.values_list("pk", "letters")[:_BATCH]:
        letters += length
        if batch and letters > _MOST_LETTERS:
            break
        batch.append(pk)
    return batch


def _events(data: Any) -> list[Any]:
    """Take the events out of whatever they are wrapped in."""
    if isinstance(data, list):
        return [event for item in data for event in _events(item)]
    if not isinstance(data, Mapping):
        return [data]
    wrapped = [data[key] for key in _WRAPPERS if isinstance(data.get(key), Mapping | list)]
    if isinstance(data.get("event"), Mapping):
        wrapped.append(data["event"])
    inner = _events(wrapped)
    if isinstance(data.get("event"), str):  # an event itself, unless it is a wrapper with a name
        inner = [each for each in inner if isinstance(each, Mapping) and "event" in each]
    return inner or [data]


def _written(event: Any) -> str:
    # Escaped to ASCII: PostgreSQL keeps no NUL, and no database keeps half a surrogate pair.
    return json.dumps(event, sort_keys=True, separators=(",", ":"))


def _row(body: str, **fields: Any) -> WebhookEvent:
    digest = sha256(body.encode("utf-8", "replace")).hexdigest()
    return WebhookEvent(digest=digest, body=body, **fields)


def _pending() -> QuerySet[WebhookEvent, WebhookEvent]:
    return WebhookEvent.objects.filter(processed_at__isnull=True).order_by("pk")


def _process(events: list[WebhookEvent]) -> int:
    """Do what the events ask; when that fails they keep the reason, and wait for another try."""
    try:
        with transaction.atomic():
            return _do(events)
    except Exception as error:  # whatever it was, the events must stay to be tried again
        if len(events) > 1 and not isinstance(error, OperationalError):
            half = len(events) // 2  # one that cannot be done must not hold up the others
            return _process(events[:half]) + _process(events[half:])
        logger.exception("%s webhook events could not be processed.", len(events))
        waiting = _pending().filter(pk__in=[event.pk for event in events])
        waiting.update(error_message=f"Not processed yet: {type(error).__name__}.")
        return 0


def _do(events: list[WebhookEvent]) -> int:
    wishes: list[Wish] = []
    ids_by_message: dict[str, list[int]] = {}
    taken_apart = 0
    for event in events:
        message = ""
        try:
            data = json.loads(event.body)
            parts = _events(data)
            if len(parts) == 1 and parts[0] is data:
                wishes += understood(data)
            else:
                _keep_parts(parts)
                taken_apart += 1
        except (NotUnderstood, RecursionError) as error:
            message = str(error)
        ids_by_message.setdefault(message, []).append(event.pk)
    suppress_many(_of_people_we_know(wishes))
    now = timezone.now()
    for message, ids in ids_by_message.items():
        done = WebhookEvent.objects.filter(pk__in=ids)
        done.update(processed_at=now, error_message=message)
    return len(events) - taken_apart


def _keep_parts(parts: list[Any]) -> None:
    rows = (_row(_written(part)) for part in parts)
    for batch in in_batches(rows, _BATCH):
        WebhookEvent.objects.bulk_create(batch, ignore_conflicts=True)


def _of_people_we_know(wishes: list[Wish]) -> list[Wish]:
    """Leave out strangers whose contact was deleted: others use the account as well."""
    deleted = {wish.email for wish in wishes if wish.reason == SuppressionReason.DELETED}
    strangers = deleted - ever_ours(deleted) if deleted else set()
    return [
        wish
        for wish in wishes
        if wish.reason != SuppressionReason.DELETED or wish.email not in strangers
    ]


def understood(event: object) -> list[Wish]:
    """Return whom the event says not to mail; nobody for one that asks nothing of us.

    Raises NotUnderstood. Whichever list somebody unsubscribed from, no list of ours mails them:
    Brevo itself blocks them for the whole account. A contact that was blocklisted without a word
    why may have unsubscribed; one that was deleted, too.
    """
    if not isinstance(event, Mapping):
        raise NotUnderstood("The event is not an object.")
    name = event.get("event")
    if not isinstance(name, str):
        raise NotUnderstood("The event has no name.")
    reason = _REASONS.get(_plain(name))
    if reason is not None:
        return _wishes(event, reason, _emails(event) or _emails_below(event))
    flagged = [email for emails in _flagged(event, ()) for email in emails]
    is_flagged = any(True for _ in _flagged(event, ()))
    return _wishes(event, SuppressionReason.BLOCKLISTED, flagged) if is_flagged else []


def _wishes(
    event: Mapping[str, Any], reason: SuppressionReason, emails: Iterable[str]
) -> list[Wish]:
    note, at = _note(event), _moment(event)
    wishes = []
    for email in dict.fromkeys(emails):
        try:
            wishes.append(Wish(email, reason, SuppressionSource.WEBHOOK, note=note, at=at))
        except ValueError:
            continue
    if not wishes and reason != SuppressionReason.DELETED:  # contacts may be known by phone only
        raise NotUnderstood(_NO_ADDRESS)
    return wishes


def _plain(name: object) -> str:
    return re.sub(r"[^a-z]", "", str(name).lower())


def _emails(node: Mapping[str, Any]) -> list[str]:
    """Return the addresses that an object names itself: one, or a list of them."""
    found: list[str] = []
    for key, value in node.items():
        if _plain(key) == "email":
            found += [
                each
                for each in (value if isinstance(value, list) else [value])
                if isinstance(each, str)
            ]
    return found


def _emails_below(node: Any) -> list[str]:
    """Return the addresses in an object or list, the outermost first."""
    if isinstance(node, list):
        return [email for item in node for email in _emails_below(item)]
    if not isinstance(node, Mapping):
        return []
    return [*_emails(node), *_emails_below(list(node.values()))]


def _flagged(node: Any, emails: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield, for each flag that says blocklisted, the addresses it is about.

    Those are the addresses of the objects around the flag, or else of those within.
    """
    if isinstance(node, list):
        for item in node:
            yield from _flagged(item, emails)
    elif isinstance(node, Mapping):
        emails = (*emails, *_emails(node))
        pairs = [*node.items(), (node.get("name") or node.get("key"), node.get("value"))]
        if any(_plain(key) in _FLAGS and _is_yes(value) for key, value in pairs):
            yield emails or tuple(_emails_below(node))
        yield from _flagged(list(node.values()), emails)


def _is_yes(value: object) -> bool:
    return (value.strip().lower() if isinstance(value, str) else value) in _YES


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
