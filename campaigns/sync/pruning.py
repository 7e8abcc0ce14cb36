"""Prune: forget the lines of runs that ended long ago. The runs and their proofs stay."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from campaigns.batches import IN_ONE_STATEMENT
from campaigns.enums import OPEN
from campaigns.models import (
    ExportChange,
    ExportChunk,
    IdempotentAnswer,
    ListMember,
    SegmentExport,
    WebhookEvent,
)
from campaigns.sync.history import forget_before
from campaigns.sync.shared_budgets import old_budgets

Tell = Callable[[int], Any]

_BATCH = IN_ONE_STATEMENT
_ANSWERS_KEPT = timedelta(days=2)  # nobody repeats a request later than that


@dataclass(slots=True)
class Pruned:
    """How many rows of each kind went, or would go."""

    changes: int = 0
    chunks: int = 0
    members: int = 0
    events: int = 0
    answers: int = 0
    budgets: int = 0

    @property
    def total(self) -> int:
        return sum(asdict(self).values())


def count_old(before: datetime) -> Pruned:
    """Return how many rows ``prune`` would delete now."""
    ended = {"export__in": _ended(before)}
    return Pruned(
        changes=ExportChange.objects.filter(**ended).count(),
        chunks=ExportChunk.objects.filter(**ended).count(),
        members=_stays(before).count(),
        events=_events(before).count(),
        answers=_answers().count(),
        budgets=old_budgets().count(),
    )


def prune(before: datetime, tell: Tell) -> Pruned:
    """Delete, in batches, what is of no use any more; ``tell`` hears how many more are gone.

    Goes: the lines and chunks of runs that ended before that moment, the stays on lists that
    ended and the webhook events that were processed before it, answers kept for repeated requests,
    and budgets of API keys that are out of use. A plan that may still be applied, a run at work,
    and a run of which we do not know yet what reached Brevo keep everything. Who was on a list at
    an earlier moment is from then on refused instead of told wrongly.
    """
    gone = Pruned()
    for export in list(_ended(before)):
        gone.changes += _delete(ExportChange.objects.filter(export=export), tell)
        gone.chunks += _delete(ExportChunk.objects.filter(export=export), tell)
    if _stays(before).exists():
        forget_before(before)  # first, so that nobody is told of a list that is half deleted
        gone.members = _delete(_stays(before), tell)
    gone.events = _delete(_events(before), tell)
    gone.answers = _delete(_answers(), tell)
    gone.budgets = _delete(old_budgets(), tell)
    return gone


def _ended(before: datetime) -> QuerySet[Any, int]:
    """Return the ids of the runs that ended before, and that still have something to prune."""
    of_run = {"export": OuterRef("pk")}
    lines, chunks = ExportChange.objects.filter(**of_run), ExportChunk.objects.filter(**of_run)
    ended = SegmentExport.objects.filter(finished_at__lt=before).exclude(status__in=OPEN)
    ended = ended.filter(Exists(lines) | Exists(chunks), ~Exists(chunks.possibly_arriving()))
    return ended.order_by().values_list("pk", flat=True)


def _stays(before: datetime) -> QuerySet[Any, Any]:
    return ListMember.objects.filter(removed_at__lt=before)


def _events(before: datetime) -> QuerySet[Any, Any]:
    return WebhookEvent.objects.filter(processed_at__lt=before)


def _answers() -> QuerySet[Any, Any]:
    return IdempotentAnswer.objects.filter(created_at__lt=timezone.now() - _ANSWERS_KEPT)


def _delete(rows: QuerySet[Any, Any], tell: Tell) -> int:
    gone = 0
    for batch in _batches(rows):
        deleted, _ = rows.filter(pk__in=batch).delete()
        gone += deleted
        tell(deleted)
    return gone


def _batches(rows: QuerySet[Any, Any]) -> Iterator[list[int]]:
    """Yield the ids of the rows in ascending order, each statement from where the last ended."""
    after = 0
    ids = rows.order_by("pk").values_list("pk", flat=True)
    while batch := list(ids.filter(pk__gt=after)[:_BATCH]):
        yield batch
        after = batch[-1]
