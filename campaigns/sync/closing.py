"""End a run honestly: every person of its plan has exactly one outcome, and the status says so."""

from django.db import transaction
from django.db.models import Count, QuerySet
from django.db.models.functions import Now

from campaigns.enums import ChangeKind, ExportStatus, Outcome, Phase
from campaigns.models import ExportChange, SegmentExport
from campaigns.sync.work import Run

_IDLE = (ExportStatus.QUEUED, ExportStatus.PLANNED, ExportStatus.WAITING)
_COUNTED = {
    "added": (ChangeKind.JOIN, Outcome.DONE),
    "updated": (ChangeKind.CHANGE, Outcome.DONE),
    "removed": (ChangeKind.LEAVE, Outcome.DONE),
}


def wait_for_approval(run: Run, why: str) -> None:
    """Park the run until a person approves or cancels its plan."""
    run.save(status=ExportStatus.WAITING, error_message=why)
    run.release()


def call_off(idle: QuerySet[SegmentExport, SegmentExport], why: str) -> int:
    """Cancel those of these runs that nobody is at work on; return how many there were."""
    with transaction.atomic():
        runs = SegmentExport.objects.filter(pk__in=list(idle.values_list("pk", flat=True)))
        stopped = runs.filter(status__in=_IDLE).update(
            status=ExportStatus.CANCELLED, error_message=why, finished_at=Now()
        )
        called_off = runs.filter(status=ExportStatus.CANCELLED)
        _give_up(ExportChange.objects.filter(export__in=called_off))
    return stopped


def finish(run: Run, status: ExportStatus | None = None, message: str = "") -> None:
    """Write how the run ended; without a status, what the outcomes and the proof say.

    A run that failed on its way after it had done something is PARTIAL, not FAILED.
    """
    export = run.export
    with transaction.atomic():
        if status != ExportStatus.PLANNED:
            _give_up(ExportChange.objects.filter(export=export))
        counts = _counts(run)
        run.save(
            **{name: counts.get(pair, 0) for name, pair in _COUNTED.items()},
            failed=sum(n for (_, outcome), n in counts.items() if outcome == Outcome.REFUSED),
            status=_status(run, status, counts),
            error_message=message or _what_is_amiss(run, status, counts),
            finished_at=Now(),
            waits_for="",
            **({} if status == ExportStatus.PLANNED else {"phase": Phase.DONE}),
        )
    run.show()
    run.release()


def _give_up(lines: QuerySet[ExportChange, ExportChange]) -> None:
    lines.filter(outcome=Outcome.PENDING).update(outcome=Outcome.NOT_ATTEMPTED)


Counts = dict[tuple[str, str], int]


def _counts(run: Run) -> Counts:
    lines = ExportChange.objects.filter(export=run.export).order_by()
    grouped = lines.values_list("kind", "outcome").annotate(n=Count("id"))
    return {(kind, outcome): n for kind, outcome, n in grouped}


def _total(counts: Counts, *outcomes: Outcome) -> int:
    return sum(n for (_, outcome), n in counts.items() if outcome in outcomes)


def _status(run: Run, status: ExportStatus | None, counts: Counts) -> ExportStatus:
    if status == ExportStatus.FAILED and _total(counts, Outcome.DONE):
        return ExportStatus.PARTIAL
    if status is not None:
        return status
    return ExportStatus.PARTIAL if _what_is_amiss(run, status, counts) else ExportStatus.SUCCESS


def _what_is_amiss(run: Run, status: ExportStatus | None, counts: Counts) -> str:
    """Say what keeps a run that came to its end from being a success."""
    if status is not None:
        return ""
    proof = run.export.proof
    refused = _total(counts, Outcome.REFUSED)
    left = _total(counts, Outcome.NOT_ATTEMPTED)
    told = [
        refused and f"Brevo refused {refused} of the people: each line says why.",
        left and f"{left} could not be attempted: sync again.",
        not proof.get("holds", True) and _against(proof),
    ]
    return " ".join(sentence for sentence in told if sentence)


def _against(proof: dict[str, object]) -> str:
    if not proof.get("list_found", True):
        return "The list is gone from Brevo: sync again, and it is made anew."
    if proof.get("missing") is None:
        return (
            f"The list holds {proof['on_list']}, fewer than the {proof['expected']} expected: "
            "sync and verify name by name, and the missing are sent again."
        )
    return (
        f"Reading the list back found {proof['missing']} missing and "
        f"{proof['unexpected']} still on it that were removed: sync again."
    )
