"""End a run honestly: every person of its plan has exactly one outcome, and the status says so."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Count, QuerySet
from django.db.models.functions import Now

from campaigns.enums import ChangeKind, ChunkState, ExportStatus, Outcome, Phase
from campaigns.models import ExportChange, ExportChunk, SegmentExport
from campaigns.sync import phones
from campaigns.sync.work import Run

_IDLE = (ExportStatus.QUEUED, ExportStatus.PLANNED, ExportStatus.WAITING)
_COUNTED = {
    "added": (ChangeKind.JOIN, Outcome.DONE),
    "updated": (ChangeKind.CHANGE, Outcome.DONE),
    "removed": (ChangeKind.LEAVE, Outcome.DONE),
}
STAYS_POSSIBLE = timedelta(days=1)  # so long a request without an answer may be carried out
_NAMED = 5  # people named in a sentence


def wait_for_approval(run: Run, why: str) -> None:
    """Park the run until a person approves or cancels its plan."""
    with transaction.atomic():
        run.save(status=ExportStatus.WAITING, error_message=why, attempts=0, **_heads(run.export))
    run.release()


def forget_what_is_not_done(run: Run) -> None:
    """Keep of a plan that another one stands for only the people who were taken off by it."""
    with transaction.atomic():
        lines = ExportChange.objects.filter(export=run.export)
        lines.exclude(outcome=Outcome.DONE).delete()
        done = lines.count()
        run.save(
            joins=0,
            changes_planned=0,
            held_back=0,
            leaves=done,
            leaves_at_once=done,
            progress_total=done,
        )


def call_off(idle: QuerySet[SegmentExport, SegmentExport], why: str) -> int:
    """Cancel those of these runs that nobody is at work on; return how many there were."""
    with transaction.atomic():
        runs = SegmentExport.objects.filter(pk__in=list(idle.values_list("pk", flat=True)))
        stopped = runs.filter(status__in=_IDLE).update(
            status=ExportStatus.CANCELLED, error_message=why, finished_at=Now()
        )
        for export in runs.filter(status=ExportStatus.CANCELLED):
            _give_up(export)
    return stopped


def finish(run: Run, status: ExportStatus | None = None, message: str = "") -> None:
    """Write how the run ended; without a status, what the outcomes and the proof say.

    A run that failed on its way after it had done something is PARTIAL, not FAILED.
    """
    export = run.export
    with transaction.atomic():
        if status != ExportStatus.PLANNED:
            _give_up(export)
        if status is None and export.proof.get("holds", True):
            _close_old_requests(export)
        counts = _counts(export)
        remark = "" if status is not None else _what_is_amiss(export, counts)
        run.save(
            **_heads(export, counts),
            status=_status(status, counts, remark),
            error_message=" ".join(
                filter(None, (message, remark, _unknown(status, counts), *run.notices))
            ),
            finished_at=Now(),
            waits_for="",
            notes={**export.notes, "phones": phones.note(export.segment_id)},
            **({} if status == ExportStatus.PLANNED else {"phase": Phase.DONE}),
        )
    run.show()
    run.release()


def recount(export: SegmentExport, *, settled_by: SegmentExport) -> None:
    """Let the head of a run that has ended follow its lines, of which more is known now."""
    with transaction.atomic():
        ended = SegmentExport.objects.select_for_update().get(pk=export.pk)
        if ended.finished_at is None:
            return
        _give_up(ended)
        counts = _counts(ended)
        for name, value in _heads(ended, counts).items():
            setattr(ended, name, value)
        if ended.status == ExportStatus.FAILED:
            ended.status = _status(ExportStatus.FAILED, counts, "")
        remark = f"Sync {settled_by.pk} found out what became of the people who were sent."
        if remark not in ended.error_message:
            ended.error_message = f"{ended.error_message} {remark}".strip()
        ended.save(update_fields=[*_COUNTED, "failed", "status", "error_message"])


def _close_old_requests(export: SegmentExport) -> None:
    """Stop expecting what was sent long ago: this run has found the list without it."""
    since = export.started_at
    if since is not None:
        unknown = ExportChunk.objects.filter(
            export__segment=export.segment_id,
            state=ChunkState.UNKNOWN,
            sent_at__lt=since - STAYS_POSSIBLE,
        )
        unknown.update(state=ChunkState.FAILED)


def _give_up(export: SegmentExport) -> None:
    """Settle what is open: sent, when it was in a request without an answer, or not attempted."""
    lines = ExportChange.objects.filter(export=export)
    pending = lines.filter(outcome=Outcome.PENDING)
    for chunk in ExportChunk.objects.filter(export=export).possibly_arriving():
        sent = pending.filter(kind=chunk.kind, pk__range=(chunk.first_change, chunk.last_change))
        sent.update(outcome=Outcome.SENT)
    pending.update(outcome=Outcome.NOT_ATTEMPTED)


Counts = dict[tuple[str, str], int]


def _counts(export: SegmentExport) -> Counts:
    lines = ExportChange.objects.filter(export=export).order_by()
    grouped = lines.values_list("kind", "outcome").annotate(n=Count("id"))
    return {(kind, outcome): n for kind, outcome, n in grouped}


def _heads(export: SegmentExport, counts: Counts | None = None) -> dict[str, int]:
    counts = _counts(export) if counts is None else counts
    done = {name: counts.get(pair, 0) for name, pair in _COUNTED.items()}
    return {**done, "failed": _total(counts, Outcome.REFUSED)}


def _total(counts: Counts, *outcomes: Outcome) -> int:
    return sum(n for (_, outcome), n in counts.items() if outcome in outcomes)


def _status(status: ExportStatus | None, counts: Counts, remark: str) -> ExportStatus:
    if status == ExportStatus.FAILED and _total(counts, Outcome.DONE, Outcome.SENT):
        return ExportStatus.PARTIAL
    if status is not None:
        return status
    unknown = _total(counts, Outcome.SENT)
    return ExportStatus.PARTIAL if remark or unknown else ExportStatus.SUCCESS


def _unknown(status: ExportStatus | None, counts: Counts) -> str:
    sent = _total(counts, Outcome.SENT)
    if not sent or status == ExportStatus.PLANNED:
        return ""
    return f"{sent} were sent to Brevo, and the outcome is unknown: the next sync finds out."


def _what_is_amiss(export: SegmentExport, counts: Counts) -> str:
    """Say what keeps a run that came to its end from being a success."""
    proof = export.proof
    refused = _total(counts, Outcome.REFUSED)
    left = _total(counts, Outcome.NOT_ATTEMPTED)
    explained = _left_with_reason(export) if left else 0
    told = [
        refused and f"Brevo refused {refused} of the people: each line says why.",
        explained and f"{explained} were left for a later sync: each line says why.",
        left > explained and f"{left - explained} could not be attempted: sync again.",
        not proof.get("holds", True) and _against(proof),
    ]
    return " ".join(sentence for sentence in told if sentence)


def _left_with_reason(export: SegmentExport) -> int:
    left = ExportChange.objects.filter(export=export, outcome=Outcome.NOT_ATTEMPTED)
    return left.exclude(message="").count()


def _against(proof: dict[str, object]) -> str:
    if not proof.get("list_found", True):
        return "The list is gone from Brevo: sync again, and it is made anew."
    if proof.get("missing") is None:
        return (
            f"The list holds {proof['on_list']}, fewer than the {proof['expected']} expected: "
            "sync and verify name by name, and the missing are sent again."
        )
    sentences = []
    if proof["missing"] or proof["unexpected"]:
        sentences.append(
            f"Reading the list back found {proof['missing']} missing and "
            f"{proof['unexpected']} still on it that were removed: sync again."
        )
    if twice := proof.get("twice"):
        sentences.append(f"{twice} are on the list twice, under two addresses: sync again.")
    if others := proof.get("said_no"):
        sentences.append(
            f"{others} who must not be mailed are on the list, and we did not put them there: "
            f"{_first_names(proof)}. Take them off it in Brevo."
        )
    return " ".join(sentences)


def _first_names(proof: dict[str, object]) -> str:
    names = proof.get("names")
    emails = list(names.get("said_no", [])) if isinstance(names, dict) else []
    more = " and others" if len(emails) > _NAMED else ""
    return ", ".join(emails[:_NAMED]) + more
