"""The lines of a run, one for each person: filtered, searched, and paged without counting."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict

from accounts.admin_lists import Asked
from accounts.reading import whole_number
from accounts.searching import search
from campaigns.enums import ChangeKind, Outcome, Reason
from campaigns.models import ExportChange, SegmentExport

PAGE = 50
KINDS = (ChangeKind.JOIN, ChangeKind.LEAVE, ChangeKind.CHANGE, ChangeKind.HELD_BACK)
_BATCH = 5_000  # lines of a file read at a time
CSV_COLUMNS = ("e-mail", "first name", "last name", "what", "reason", "outcome", "message")
_CSV_FIELDS = ("email", "user__first_name", "user__last_name", "reason", "outcome", "message")
_REASONS = dict(Reason.choices)
_OUTCOMES = dict(Outcome.choices)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two lines: lines are ordered by kind, then as they were planned."""

    kind: ChangeKind
    line: int

    def __str__(self) -> str:
        return f"{self.kind}-{self.line}"

    @classmethod
    def read(cls, text: str) -> "Cursor | None":
        kind, _, line = text.partition("-")
        number = whole_number(line)
        if kind not in ChangeKind.values or number is None:
            return None
        return cls(ChangeKind(kind), number)


@dataclass(frozen=True, slots=True)
class Page:
    lines: list[ExportChange]
    next: str
    previous: str


class Lines:
    """Reads what was asked for from a page's address; nothing fits what makes no sense there."""

    def __init__(self, export: SegmentExport, asked: QueryDict) -> None:
        self.export = export
        self.asked = Asked(asked)
        self.kind = self.asked.choice("kind", ChangeKind.values)
        self.outcome = self.asked.choice("outcome", Outcome.values)
        self.words = self.asked.words
        self.is_compared = asked.get("compare") == "1"
        self._after = Cursor.read(asked.get("after", ""))
        self._before = Cursor.read(asked.get("before", ""))

    @property
    def is_narrowed(self) -> bool:
        return bool(self.kind or self.outcome or self.words or self.asked.unknown)

    def address(self, **changed: str) -> str:
        """Return the query of a page's address: what is asked now, with changes."""
        asked = {"kind": self.kind, "outcome": self.outcome, "q": self.words} | changed
        return f"?{urlencode({name: value for name, value in asked.items() if value})}"

    def page(self) -> Page:
        """Return one page; costs at most one query for each kind, and never counts."""
        if self._before is not None:
            found = self._read(self._before, PAGE + 1, backwards=True)
            lines = found[:PAGE][::-1]
            has_previous, has_next = len(found) > PAGE, True
        else:
            found = self._read(self._after, PAGE + 1)
            lines = found[:PAGE]
            has_previous, has_next = self._after is not None, len(found) > PAGE
        if not lines:
            return Page([], "", self.address() if has_previous else "")
        first, last = (Cursor(ChangeKind(line.kind), line.pk) for line in (lines[0], lines[-1]))
        return Page(
            lines,
            self.address(after=str(last)) if has_next else "",
            self.address(before=str(first)) if has_previous else "",
        )

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Give the CSV_COLUMNS of every line that fits, a batch at a time.

        Plain values: building models and asking them for labels took five times as long.
        """
        for kind in KINDS:
            if self.kind in ("", kind):
                yield from self._rows(kind)

    def _rows(self, kind: ChangeKind) -> Iterator[tuple[str, ...]]:
        lines = self._fitting(kind).order_by("pk").values_list("pk", *_CSV_FIELDS)
        after = 0
        while batch := list(lines.filter(pk__gt=after)[:_BATCH]):
            after = batch[-1][0]
            for _, email, first, last, reason, outcome, message in batch:
                told = (kind.label, _REASONS.get(reason, reason), _OUTCOMES[outcome], message)
                yield (email, first or "", last or "", *told)

    def _read(
        self, cursor: Cursor | None, number: int, *, backwards: bool = False
    ) -> list[ExportChange]:
        """Walk from the cursor through the kinds, each by its index."""
        kinds = [kind for kind in KINDS if not self.kind or kind == self.kind]
        if backwards:
            kinds.reverse()
        if cursor is not None and cursor.kind in kinds:
            kinds = kinds[kinds.index(cursor.kind) :]
        found: list[ExportChange] = []
        for kind in kinds:
            lines = self._fitting(kind)
            if cursor is not None and cursor.kind == kind:
                further = Q(pk__lt=cursor.line) if backwards else Q(pk__gt=cursor.line)
                lines = lines.filter(further)
            lines = lines.order_by("-pk" if backwards else "pk")
            found += lines[: number - len(found)]
            if len(found) == number:
                break
        return found

    def _fitting(self, kind: str) -> QuerySet[ExportChange]:
        if not self.asked.is_understood:
            return ExportChange.objects.none()
        lines = ExportChange.objects.filter(export=self.export, kind=kind).select_related("user")
        if self.outcome:
            lines = lines.filter(outcome=self.outcome)
        return search(lines, self.words, ("email", "user__first_name", "user__last_name"))
