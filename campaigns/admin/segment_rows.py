"""What a row of the segments' list tells beyond the segment itself, for constant queries a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from campaigns.audience.definition import problems_of
from campaigns.enums import ACTIVE, ExportStatus
from campaigns.models import Segment, SegmentExport

RUNS_SHOWN = 12
_APPLIED = (ExportStatus.SUCCESS, ExportStatus.PARTIAL)
_TOLD_OF_A_RUN = (
    "segment_id",
    "status",
    "exported_at",
    "finished_at",
    "lease_until",
    "users_count",
    "list_count_before",
    "list_was_gone",
    "added",
    "updated",
    "removed",
    "failed",
    "plan_only",
    "definition",
)


@dataclass(frozen=True)
class Row:
    """A segment with its problems and its last runs, the newest first."""

    segment: Segment
    problems: list[str]
    runs: list[SegmentExport]

    @property
    def last(self) -> SegmentExport | None:
        """The newest run, or a plan that waits for somebody; not one that came to nothing."""
        over = (ExportStatus.CANCELLED, ExportStatus.FAILED)
        return next((run for run in self.runs if not (run.plan_only and run.status in over)), None)

    @property
    def trend(self) -> list[int]:
        """The mailable audience at the last runs that were sent, the oldest first."""
        sent = [run for run in reversed(self.runs) if run.has_sent]
        return [run.users_count for run in sent if run.users_count is not None]

    @property
    def listed(self) -> tuple[int, SegmentExport] | None:
        """How many the ledger held after the last run that changed it, and that run."""
        for run in self.runs:
            if run.status in _APPLIED and run.list_count_before is not None:
                before = 0 if run.list_was_gone else run.list_count_before
                return before + run.added - run.removed, run
        return None

    @property
    def next_step(self) -> "Step":
        return _next_step(self)


@dataclass(frozen=True)
class Step:
    """What to do next; ``to`` is where: the segment, a new plan, or the run ``export``."""

    words: str
    to: str
    export: SegmentExport | None = None


_AFTER = {
    ExportStatus.PLANNED: "Look at the plan",
    ExportStatus.WAITING: "Approve the plan",
    ExportStatus.PARTIAL: "See who was refused",
    ExportStatus.FAILED: "See what failed",
}


def _next_step(row: Row) -> Step:
    last = row.last
    if row.problems:
        return Step(f"Mend: {row.problems[0]}", "segment")
    if last is None:
        return Step("Sync for the first time", "plan")
    if last.status in ACTIVE:
        return Step("Watch the run", "export", last)
    if words := _AFTER.get(ExportStatus(last.status)):
        return Step(words, "export", last)
    if last.definition != row.segment.definition:
        return Step("Sync: the criteria have changed", "plan")
    return Step("Sync", "plan")


def rows_of(segments: Sequence[Segment]) -> dict[int, Row]:
    """Return {id: row} of a page of segments: a handful of queries, however many rows."""
    problems = problems_of(segments)
    runs: dict[int | None, list[SegmentExport]] = {}
    for run in _last_runs([segment.pk for segment in segments]):
        runs.setdefault(run.segment_id, []).append(run)
    return {s.pk: Row(s, problems[s.pk], runs.get(s.pk, [])) for s in segments}


def _last_runs(ids: list[int]) -> list[SegmentExport]:
    """Return the last runs of each, the newest first.

    First where each segment's last runs begin, one look into the index for each, then only those:
    numbering them by a window would read every run there ever was.
    """
    if not ids:
        return []
    of_segment = SegmentExport.objects.filter(segment=OuterRef("pk")).order_by("-pk").values("pk")
    begin = Coalesce(Subquery(of_segment[RUNS_SHOWN - 1 : RUNS_SHOWN]), 0)
    begins = Segment.objects.filter(pk__in=ids).values_list("pk", begin)
    wanted = [Q(segment=pk, pk__gte=first) for pk, first in begins]
    found = SegmentExport.objects.filter(reduce(or_, wanted))
    return list(found.only(*_TOLD_OF_A_RUN).order_by("-pk"))
