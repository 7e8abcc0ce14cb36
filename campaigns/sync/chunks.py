"""What came of a chunk: told by Brevo's process, or found out by reading the list back."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.text import fold_email
from campaigns.brevo import BrevoNotFound, BrevoPermanent, Process
from campaigns.enums import ChangeKind, ChunkState, Outcome
from campaigns.models import ExportChange, ExportChunk
from campaigns.sync import ledger
from campaigns.sync.work import Run

IMPORT_PROCESS = "IMPORTUSER"  # what Brevo calls an import among its processes
FIRST_LOOK = 0.05  # seconds after an import was accepted, when nothing tells better
_LONGEST_LOOK = 60.0
_ALIKE = 3  # times more people, or fewer: such an import takes Brevo about as long
_CLOCKS_DIFFER = timedelta(minutes=10)
_PHONE_REFUSED = "the phone number belongs to another contact"
_BATCH = 10_000  # addresses in one statement; SQLite takes 32,766


def lines_of(chunk: ExportChunk) -> QuerySet[ExportChange]:
    """Return the chunk's lines whose outcome is open.

    Whoever was set aside on the way out, and was told why, is not among them.
    """
    given_up = Q(outcome=Outcome.NOT_ATTEMPTED, message="")
    return _stretch(chunk).filter(Q(outcome=Outcome.PENDING) | given_up)


def wait_for(
    run: Run, process_id: int, *, wait: float, waited: float = 0.0, growth: float = 0.5
) -> Process:
    """Return the process once it has finished; the first look is after ``wait`` seconds.

    Each further one comes after so much again of all that was waited. It asks sparingly: 100 an
    hour is all there is.
    """
    while True:
        run.pause(wait)
        process = run.client.process(process_id)
        if process.is_finished:
            return process
        waited += wait
        wait = min(max(waited * growth, FIRST_LOOK), _LONGEST_LOOK)


def likely_duration(people: int) -> float:
    """Return how many seconds an import of about so many people took last; 0 when none is known.

    The imports of all runs tell, for they share the hour's looks.
    """
    about_as_many = (people // _ALIKE, people * _ALIKE)
    alike = ExportChunk.objects.filter(took__isnull=False, people__range=about_as_many)
    took = alike.order_by("-pk").values_list("took", flat=True).first()
    return min(took or 0.0, _LONGEST_LOOK)


def settle_import(run: Run, chunk: ExportChunk, process: Process) -> None:
    """Write the outcome of each line, as Brevo's process and its reports tell it."""
    if process.succeeded:
        write_outcomes(run, chunk, run.client.refusals(process))
        return
    settle_by_list(run, chunk, refusal=f"Brevo's import {process.id} ended: {process.status}.")


def write_outcomes(run: Run, chunk: ExportChunk, refusals: Mapping[str, str]) -> None:
    """Write that all of an import are done but those refused: address and Brevo's reason."""
    refused: dict[str, list[str]] = {}
    for email, why in refusals.items():
        refused.setdefault(why, []).append(fold_email(email))
    with transaction.atomic():
        settled = lines_of(chunk).update(outcome=Outcome.DONE)
        for why, emails in refused.items():
            settled -= _refuse(chunk, emails, why)
        _close(run, chunk, settled=settled)


def _refuse(chunk: ExportChunk, emails: list[str], why: str) -> int:
    """Refuse these lines; return how many go round once more without their phone instead."""
    once_more = 0
    for batch in _batches(emails):
        sent = _stretch(chunk).filter(email__in=batch, outcome=Outcome.DONE)
        if why == _PHONE_REFUSED:
            with_phone = sent.filter(without_phone=False)
            once_more += with_phone.update(outcome=Outcome.PENDING, without_phone=True)
        sent.update(outcome=Outcome.REFUSED, message=why)
    return once_more


def settle_by_list(run: Run, chunk: ExportChunk, *, refusal: str = "") -> None:
    """Read back who of the chunk is on the list: they are done.

    The others were refused, when there is a refusal; else they stay open, to be sent again. That
    somebody is on the list says nothing of a change: changes are always sent again.
    """
    arrived = _arrived(run, chunk)
    with transaction.atomic():
        lines, settled = lines_of(chunk), 0
        for batch in _batches(arrived):
            settled += lines.filter(email__in=batch).update(outcome=Outcome.DONE)
        if refusal:
            settled += lines.update(outcome=Outcome.REFUSED, message=refusal)
        _close(run, chunk, settled=settled, state=ChunkState.FAILED, told=refusal)


def settle_refused(run: Run, chunk: ExportChunk, told: str) -> None:
    """Brevo refused the request as a whole, and with it everybody in it."""
    with transaction.atomic():
        settled = lines_of(chunk).update(outcome=Outcome.REFUSED, message=told)
        _close(run, chunk, settled=settled, state=ChunkState.FAILED, told=told)


def settle_unsent(run: Run, chunk: ExportChunk, told: str) -> None:
    """Nothing has reached Brevo: the lines stay open."""
    _close(run, chunk, settled=0, state=ChunkState.FAILED, told=told)


def settle_one(run: Run, chunk: ExportChunk, line: int, outcome: Outcome, message: str) -> None:
    """Write the outcome of one person who was sent alone."""
    with transaction.atomic():
        ExportChange.objects.filter(pk=line).update(outcome=outcome, message=message)
        ledger.record(chunk.export, chunk.kind, line, line)
        run.settle(1)


def settle_told(run: Run, chunk: ExportChunk) -> None:
    """All lines of the chunk have their outcome already."""
    _close(run, chunk, settled=0)


def settle_unheard(run: Run, chunk: ExportChunk) -> None:
    """Find out what became of a chunk to which no answer was heard.

    An import is looked for among Brevo's newest processes and waited for; one that was never
    started leaves its lines open. What it did is then read from the list, as it is when Brevo has
    forgotten the process or its reports.
    """
    if chunk.process_id is not None:
        try:
            process = wait_for(run, chunk.process_id, wait=FIRST_LOOK)
            settle_import(run, chunk, process)
        except BrevoPermanent:
            settle_by_list(run, chunk)
        return
    if not chunk.one_by_one:
        for process in run.client.latest_processes():
            if process.name == IMPORT_PROCESS and process.id > (chunk.known_process_id or 0):
                wait_for(run, process.id, wait=FIRST_LOOK)
    settle_by_list(run, chunk)


def settle_lost(run: Run, segment_id: int) -> None:
    """Find out about all that was on its way when a run of this segment broke off."""
    lost = ExportChunk.objects.unsettled().filter(export__segment_id=segment_id)
    for chunk in lost.select_related("export"):
        settle_unheard(run, chunk)


def _stretch(chunk: ExportChunk) -> QuerySet[ExportChange]:
    stretch = (chunk.first_change, chunk.last_change)
    lines = ExportChange.objects.filter(export_id=chunk.export_id, kind=chunk.kind)
    return lines.filter(pk__range=stretch)


def _arrived(run: Run, chunk: ExportChunk) -> list[str]:
    list_id = chunk.export.brevo_list_id
    if list_id is None or chunk.kind != ChangeKind.JOIN:
        return []
    hoped_for = set(lines_of(chunk).values_list("email", flat=True))
    found: set[str] = set()
    since = chunk.sent_at - _CLOCKS_DIFFER
    try:
        for page in run.client.list_members(list_id, modified_since=since):
            found |= hoped_for & {fold_email(contact.email) for contact in page}
    except BrevoNotFound:
        return []
    return sorted(found)


def _batches(emails: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(emails), _BATCH):
        yield emails[start : start + _BATCH]


def _close(
    run: Run,
    chunk: ExportChunk,
    *,
    settled: int,
    state: ChunkState = ChunkState.DONE,
    told: str = "",
) -> None:
    with transaction.atomic():
        ledger.record(chunk.export, chunk.kind, chunk.first_change, chunk.last_change)
        chunk.state, chunk.error_message = state, told
        chunk.finished_at = timezone.now()
        chunk.save(update_fields=["state", "error_message", "finished_at", "took"])
        run.settle(settled if chunk.export_id == run.export.pk else 0)
    run.show()
