"""What the pages of a run say about it: state, speed, time left, proof."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from zlib import crc32

from django.db.models import Count, Sum
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from campaigns.admin.base import STATUS_COLOURS
from campaigns.enums import (
    ACTIVE,
    OPEN,
    ChunkState,
    ExportStatus,
    Outcome,
    Phase,
    VerifyLevel,
)
from campaigns.models import ExportChange, ExportChunk, SegmentExport
from campaigns.sync.brake import approval_reason

_HEARD_WITHIN = timedelta(seconds=60)  # a worker takes up what is queued much sooner
_MINUTE, _HOUR = 60, 3600
_ENDED_BADLY = (ExportStatus.FAILED, ExportStatus.PARTIAL)


def duration(seconds: float) -> str:
    """Say how long something took, with two units at most."""
    if seconds < 10:  # noqa: PLR2004 -- tenths matter below ten seconds only
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def took(export: SegmentExport) -> str:
    """Say how long the run was at work; the time that a plan waited for a person is left out."""
    began, planned, rung, ended = (
        export.started_at,
        export.planned_at,
        export.rung_at,
        export.finished_at,
    )
    if began is None or ended is None:
        return ""
    waited = rung - planned if planned and rung and planned < rung < ended else timedelta()
    return duration(max((ended - began - waited).total_seconds(), 0))


@dataclass(frozen=True, slots=True)
class Sighting:
    """How far a run was when somebody opened its page: speed is measured from there."""

    at: float
    done: int

    @classmethod
    def read(cls, asked: QueryDict, *, done: int) -> "Sighting":
        """Take the first sighting from the page's address, or make now the first one."""
        now = time.time()
        try:
            first = cls(float(asked.get("since", "")), int(asked.get("done", "")))
        except ValueError:
            return cls(round(now, 1), done)
        is_possible = 0 < first.at <= now and 0 <= first.done <= done
        return first if is_possible else cls(round(now, 1), done)


@dataclass(frozen=True, slots=True)
class Row:
    """One run among several."""

    export: SegmentExport
    state: str
    colour: str
    brake: str

    @property
    def done(self) -> int:
        """How many people have their outcome."""
        return self.export.progress_done


class Sight:
    """One run, or several together, as a page shows them."""

    def __init__(self, exports: Sequence[SegmentExport], asked: QueryDict) -> None:
        self.exports = exports
        self.done = sum(export.progress_done for export in exports)
        self.total = sum(export.progress_total for export in exports)
        self.first = Sighting.read(asked, done=self.done)

    @property
    def is_at_work(self) -> bool:
        return any(export.status in ACTIVE for export in self.exports)

    @property
    def is_moving(self) -> bool:
        """True while something can be expected to happen by itself."""
        return any(e.status in ACTIVE and not is_left(e) for e in self.exports)

    @property
    def percent(self) -> int:
        """How much is done; a run that never got to a plan has nothing done."""
        if self.total:
            return min(100, self.done * 100 // self.total)
        return 100 if all(export.phase == Phase.DONE for export in self.exports) else 0

    @property
    def is_measured(self) -> bool:
        """True when there is a number of people to be done with, and it is that of all runs."""
        awaited = any(e.status in ACTIVE and e.planned_at is None for e in self.exports)
        return self.total > 0 and not awaited

    @cached_property
    def accepted(self) -> int:
        """How many people Brevo has taken in and not answered for yet."""
        if not self.is_at_work:
            return 0
        chunks = ExportChunk.objects.filter(export__in=self.exports, state=ChunkState.ACCEPTED)
        return chunks.aggregate(people=Sum("people"))["people"] or 0

    @property
    def accepted_percent(self) -> int:
        """How much of the bar is accepted: on its way, and not done."""
        return min(100 - self.percent, self.accepted * 100 // self.total) if self.total else 0

    @cached_property
    def per_second(self) -> float:
        return (self.done - self.first.done) / max(time.time() - self.first.at, 0.1)

    @property
    def speed(self) -> str:
        return f"{self.per_second:,.1f} people a second" if self.per_second else ""

    @property
    def time_left(self) -> str:
        if not self.per_second or not self.is_at_work:
            return ""
        return duration((self.total - self.done) / self.per_second)

    @property
    def key(self) -> str:
        """Changes when the page has to be shown anew, with other buttons on it."""
        states = [(e.status, e.cancel_requested, is_left(e)) for e in self.exports]
        return f"{crc32(repr(states).encode()):x}"

    @property
    def query(self) -> str:
        """The address of what is polled."""
        ids = ",".join(str(export.pk) for export in self.exports)
        return f"?exports={ids}&key={self.key}&since={self.first.at}&done={self.first.done}"

    @property
    def rows(self) -> list["Row"]:
        return [Row(e, state(e), colour(e), brake_of(e)) for e in self.exports]

    @property
    def totals(self) -> dict[str, int | None]:
        """Sums over all runs: of the plans only once each that will have one has it."""
        awaited = any(e.planned_at is None and e.status in ACTIVE for e in self.exports)
        planned = ("joins", "leaves", "changes_planned", "held_back")
        sums = {f: sum(getattr(e, f) for e in self.exports) for f in (*planned, "failed")}
        return sums | dict.fromkeys(planned if awaited else ())


def is_left(export: SegmentExport) -> bool:
    """True when nobody is at work on a run although somebody should be."""
    if export.status == ExportStatus.QUEUED:
        asked_at = export.rung_at or export.exported_at
        return asked_at < timezone.now() - _HEARD_WITHIN
    return export.is_stalled


def state(export: SegmentExport) -> str:
    if is_left(export) and export.status == ExportStatus.RUNNING:
        return "Stalled"
    return export.get_status_display()


def colour(export: SegmentExport) -> str:
    return "danger" if is_left(export) else STATUS_COLOURS[export.status]


def brake_of(export: SegmentExport) -> str:
    """Return why a plan would wait for approval if it were confirmed, or ""."""
    return approval_reason(export) if export.status == ExportStatus.PLANNED else ""


def is_empty_plan(export: SegmentExport) -> bool:
    return not (export.joins or export.leaves or export.changes_planned)


def open_outcomes(export: SegmentExport) -> dict[str, int]:
    """Return how many people were not attempted, or sent without our knowing the outcome."""
    open_lines = ExportChange.objects.filter(
        export=export, outcome__in=(Outcome.NOT_ATTEMPTED, Outcome.SENT)
    )
    counted = open_lines.order_by().values_list("outcome").annotate(n=Count("pk"))
    return dict(counted)


def outcome_in_words(export: SegmentExport) -> str:
    """Say in a few words what a run did, or what its plan would do."""
    if export.status in ACTIVE and export.planned_at is None:
        return "not known yet"
    if export.status in OPEN:
        told = {
            "join": export.joins,
            "leave": export.leaves,
            "changed": export.changes_planned,
        }
    else:
        told = {
            "added": export.added,
            "removed": export.removed,
            "updated": export.updated,
            "refused": export.failed,
        }
    return ", ".join(f"{number:,} {word}" for word, number in told.items() if number) or "nothing"


def newer_plan(export: SegmentExport) -> SegmentExport | None:
    """Return the plan that was made when this one was refused as out of date."""
    if export.status not in _ENDED_BADLY or not export.check_plan:
        return None
    plans = SegmentExport.objects.filter(segment=export.segment_id, pk__gt=export.pk)
    return plans.filter(status=ExportStatus.PLANNED).order_by("-pk").first()


@dataclass(frozen=True, slots=True)
class Proof:
    """What reading the list back has shown, in words."""

    verdict: str
    holds: bool
    level: str
    at: datetime | None
    counts: list[tuple[str, int | None]]
    digest: str
    named: list[tuple[str, list[str], int]]


_NAMED = {
    "missing": "Ours, and not on the list",
    "unexpected": "Taken off, and still on the list",
    "said_no": "Must not be mailed, and not put there by us: take them off in Brevo",
    "held_by_others": "Put there by others: left alone",
    "other_address": "Ours, with another address at Brevo: correct it here or there",
}


def proof_of(export: SegmentExport) -> Proof | None:
    """Return what the run has to show for itself, or None before it was verified."""
    told: dict[str, Any] = export.proof
    if not told:
        return None
    level, names = VerifyLevel(told["level"]), told.get("names", {})
    return Proof(
        verdict=_verdict(level, holds=bool(told["holds"]), refused=export.failed),
        holds=bool(told["holds"]),
        level=level.label,
        at=parse_datetime(told["at"]),
        counts=[
            ("Expected", told["expected"]),
            ("On the list", told["on_list"]),
            ("Missing", told["missing"]),
            ("Unexpected", told["unexpected"]),
            ("Held by others", told["held_by_others"]),
            ("Other address at Brevo", told.get("other_address")),
            *([("Rows that cannot be read", odd)] if (odd := told.get("unreadable")) else []),
        ],
        digest=told["digest"],
        named=[
            (label, names[key], (told.get(key) or 0) - len(names[key]))
            for key, label in _NAMED.items()
            if names.get(key)
        ],
    )


def _verdict(level: VerifyLevel, *, holds: bool, refused: int) -> str:
    if level == VerifyLevel.OFF:
        return "The list was not read back."
    if not holds:
        return "The list is not what it should be."
    if level == VerifyLevel.COUNT:
        return "The list was counted and is long enough; nobody was compared by name."
    told = "The list was read back name by name and is what it should be"
    return f"{told}, but for the {refused:,} whom Brevo refused." if refused else f"{told}."
