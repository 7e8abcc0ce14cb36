"""Read the people of a plan as they are now, on their way to Brevo."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from campaigns.enums import Outcome, Reason
from campaigns.models import ExportChange, SegmentExport
from campaigns.sync.people import SENT_COLUMNS, described

_PAGE = 10_000
_GONE = "Was deleted, or has another address, since the plan was made."
_HELD_SINCE = "Since the plan was made: {}."


class Person(NamedTuple):
    """One line of the plan, with what is to be sent today."""

    line: int
    email: str
    values: dict[str, str]


def pending(export: SegmentExport, kind: str) -> QuerySet[ExportChange]:
    """Return the lines of this kind that have no outcome yet."""
    return ExportChange.objects.filter(export=export, kind=kind, outcome=Outcome.PENDING)


def people(export: SegmentExport, kind: str, *, after: int) -> Iterator[Person]:
    """Yield who is still to be sent, in the order of lines, with today's data.

    Whoever must not be sent any more gets that outcome here and is not yielded: nobody is put on
    a list who opted out while the run was under way. The line keeps the fingerprint of what is
    really sent.
    """
    columns = ("pk", "user_id", "email", "fingerprint", "without_phone")
    lines = pending(export, kind).order_by("pk")
    while page := list(lines.filter(pk__gt=after).values_list(*columns)[:_PAGE]):
        first, after = page[0][0], page[-1][0]
        yield from _sendable(page, _as_they_are(lines.filter(pk__range=(first, after))))


def _as_they_are(lines: QuerySet[ExportChange]) -> dict[int, tuple[Any, ...]]:
    users = described(User.objects.filter(pk__in=lines.order_by().values("user_id")))
    rows = users.values_list(
        "pk", "email_key", "held_reason", "fingerprint", *SENT_COLUMNS.values()
    )
    return {row[0]: row[1:] for row in rows}


def _sendable(page: list[Any], users: dict[int, tuple[Any, ...]]) -> Iterator[Person]:
    for line, user_id, email, planned, without_phone in page:
        address, held, now, *values = users.get(user_id, ("", "", None))
        if address != email:
            _set_aside(line, Outcome.NOT_ATTEMPTED, message=_GONE)
        elif held:
            told = _HELD_SINCE.format(Reason(held).label)
            _set_aside(line, Outcome.HELD_BACK, reason=held, message=told)
        else:
            if now != planned:
                _refresh(line, now)
            sent = dict(zip(SENT_COLUMNS, values, strict=True))
            if without_phone:
                del sent["phone"]
            yield Person(line, email, sent)


def _set_aside(line: int, outcome: str, **fields: str) -> None:
    ExportChange.objects.filter(pk=line).update(outcome=outcome, **fields)


def _refresh(line: int, fingerprint: UUID) -> None:
    ExportChange.objects.filter(pk=line).update(fingerprint=fingerprint)
