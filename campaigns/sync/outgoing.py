"""Read the people of a plan as they are now, on their way to Brevo."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Case, F, FilteredRelation, Q, QuerySet, UUIDField, When

from accounts.fingerprint import CONTACT_COLUMNS
from campaigns.audience.mailable import held_reason
from campaigns.enums import Outcome, Reason
from campaigns.models import ExportChange, SegmentExport

# Our names for what is sent, and the columns; the gateway knows what an account calls them.
_OTHER_NAMES = {"phone_e164": "phone"}
SENT_COLUMNS = {_OTHER_NAMES.get(column, column): column for column in CONTACT_COLUMNS}
_PAGE = 10_000
_PHONE = list(SENT_COLUMNS).index("phone")
_GONE = "Was deleted, or has another address, since the plan was made."
_HELD_SINCE = "Since the plan was made: {}."


class Person(NamedTuple):
    """One line of the plan, with what is to be sent today."""

    line: int
    email: str
    values: Sequence[str | None]  # in the order of SENT_COLUMNS; None is left out


def pending(export: SegmentExport, kind: str) -> QuerySet[ExportChange]:
    """Return the lines of this kind that have no outcome yet."""
    return ExportChange.objects.filter(export=export, kind=kind, outcome=Outcome.PENDING)


def stretches(
    export: SegmentExport, kind: str, *, after: int = 0
) -> Iterator[QuerySet[ExportChange]]:
    """Yield the pending lines, some thousands at a time, in their order; ``person`` is their user.

    Stretches of an index instead of a limit on what is pending: once PostgreSQL believes that
    little is, it sorts all lines, with all their data, to find the first ones. And a stretch of
    users, who are in nearly the same order, instead of a search through all users for each page.
    """
    numbers = ExportChange.objects.filter(export=export, kind=kind).order_by("pk")
    waiting = pending(export, kind).order_by("pk")
    while stretch := list(numbers.filter(pk__gt=after).values_list("pk", "user_id")[:_PAGE]):
        first, after = stretch[0][0], stretch[-1][0]
        users = sorted(filter(None, (user for _, user in stretch))) or [0]
        near = FilteredRelation("user", condition=Q(user__id__range=(users[0], users[-1])))
        yield waiting.filter(pk__range=(first, after)).annotate(person=near)


def people(
    export: SegmentExport, kind: str, *, after: int, alone: bool | None = None
) -> Iterator[Person]:
    """Yield who is still to be sent, in the order of lines, with today's data.

    ``alone`` keeps those who are to be sent one by one because an import left them out, or the
    others; None keeps all.

    Whoever must not be sent any more gets that outcome here and is not yielded: nobody is put on
    a list who opted out while the run was under way. The line keeps the fingerprint of what is
    really sent.
    """
    for lines in stretches(export, kind, after=after):
        chosen = lines if alone is None else lines.filter(alone=alone)
        yield from _sendable(list(_as_they_are(chosen)))


def held_since(export: SegmentExport, kind: str, stretch: tuple[int, int]) -> bool:
    """True when somebody among these pending lines must not be sent any more."""
    waiting = pending(export, kind).filter(pk__range=stretch)
    return waiting.annotate(held=held_reason("user__")).exclude(held="").exists()


def _as_they_are(lines: QuerySet[ExportChange]) -> QuerySet[ExportChange, tuple[Any, ...]]:
    """Return each line with its user's data; the fingerprint only where it is another by now."""
    now = F("person__contact_fingerprint")
    moved_to = Case(When(fingerprint=now, then=None), default=now, output_field=UUIDField())
    return lines.annotate(held=held_reason("person__"), moved_to=moved_to).values_list(
        "pk",
        "email",
        "person__email_key",
        "held",
        "moved_to",
        "without_phone",
        *(f"person__{column}" for column in SENT_COLUMNS.values()),
    )


def _sendable(page: list[tuple[Any, ...]]) -> Iterator[Person]:
    for line, email, address, held, moved_to, without_phone, *values in page:
        if address != email:
            _set_aside(line, Outcome.NOT_ATTEMPTED, message=_GONE)
        elif held:
            told = _HELD_SINCE.format(Reason(held).label)
            _set_aside(line, Outcome.HELD_BACK, reason=held, message=told)
        else:
            if moved_to is not None:
                _refresh(line, moved_to)
            if without_phone:
                values[_PHONE] = ""  # a change erases a number that is another's by now
            yield Person(line, email, values)


def _set_aside(line: int, outcome: str, **fields: str) -> None:
    ExportChange.objects.filter(pk=line).update(outcome=outcome, **fields)


def _refresh(line: int, fingerprint: UUID) -> None:
    ExportChange.objects.filter(pk=line).update(fingerprint=fingerprint)
