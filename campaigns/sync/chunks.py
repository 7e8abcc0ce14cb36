"""What came of a chunk: as Brevo's process says, or found out by reading the list back."""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.text import fold_email
from campaigns.batches import in_batches
from campaigns.brevo import (
    PHONE_TAKEN,
    BrevoError,
    BrevoNotFound,
    BrevoPermanent,
    ImportReport,
    Process,
    in_words,
)
from campaigns.enums import ChangeKind, ChunkState, Outcome
from campaigns.models import ExportChange, ExportChunk, SegmentExport
from campaigns.sync import contact_ids
from campaigns.sync.closing import STAYS_POSSIBLE, recount
from campaigns.sync.list_identity import unless_gone
from campaigns.sync.recording import record
from campaigns.sync.refused import count_refusals, is_of_address
from campaigns.sync.work import Run

logger = logging.getLogger(__name__)

IMPORT_PROCESS = "IMPORTUSER"  # what Brevo calls an import among its processes
FIRST_LOOK = 0.05  # seconds after an import was accepted, when nothing tells better
ALONE_AT_MOST = 1_000  # people of one import who are sent again one by one
_BRIEFLY = 2.0  # seconds that a plan waits for an earlier import
_LONGEST_LOOK = 60.0
_SAID_AFTER = 20.0  # seconds of waiting that need an explanation
_STUCK_SHARE = 12  # how much less an import is waited for while another is stuck
_ALIKE = 3  # times more people, or fewer: such an import takes Brevo about as long
_CLOCKS_DIFFER = timedelta(minutes=10)
_NO_REPORT = "Brevo's report of whom it refused could not be read."


def lines_of(chunk: ExportChunk) -> QuerySet[ExportChange]:
    """Return the chunk's lines whose outcome is open.

    Whoever was set aside on the way out, and was told why, is not among them.
    """
    given_up = Q(outcome=Outcome.NOT_ATTEMPTED, message="")
    return _stretch(chunk).filter(Q(outcome__in=(Outcome.PENDING, Outcome.SENT)) | given_up)


def patience(run: Run) -> float:
    """Return for how many seconds the run waits for one import.

    While an import that was waited for in vain is still open, the account seems to be stuck, and
    the next ones are waited for more briefly.
    """
    longest = settings.CAMPAIGNS_IMPORT_WAIT * 60.0
    now = timezone.now()
    stuck = ExportChunk.objects.filter(
        state=ChunkState.ACCEPTED,
        sent_at__lt=now - timedelta(seconds=longest),
        sent_at__gt=now - STAYS_POSSIBLE,
    )
    return longest / _STUCK_SHARE if stuck.exclude(export=run.export).exists() else longest


def wait_for(
    run: Run,
    process_id: int,
    *,
    wait: float,
    longest: float,
    waited: float = 0.0,
    growth: float = 0.5,
) -> Process:
    """Return the process once it has finished, or as it is after ``longest`` seconds in all.

    The first look is after ``wait`` seconds. Each further one comes after so much again of all
    that was waited. It asks sparingly: 100 an hour is all there is.
    """
    while True:
        run.pause(wait)
        waited += wait
        process = run.client.process(process_id)
        if process.is_finished or waited >= longest:
            run.wait_for("")
            return process
        if waited > _SAID_AFTER:
            run.wait_for(
                f"Brevo to finish import {process_id}: “{process.status}” for {in_words(waited)}"
            )
        wait = min(max(waited * growth, FIRST_LOOK), _LONGEST_LOOK)


def likely_duration(people: int) -> float:
    """Return how many seconds an import of about so many people took last; 0 when none is known.

    The imports of all runs tell, for they share the hour's looks.
    """
    about_as_many = (people // _ALIKE, people * _ALIKE)
    alike = ExportChunk.objects.filter(took__isnull=False, people__range=about_as_many)
    took = alike.order_by("-pk").values_list("took", flat=True).first()
    return min(took or 0.0, _LONGEST_LOOK)


def settle_import(
    run: Run, chunk: ExportChunk, process: Process, do: Callable[..., None] | None = None
) -> None:
    """Write the outcome of each line of a finished import, from its reports or from the list.

    What needs only the database is handed to ``do``, when there is one: it may be done later.
    """
    report = run.client.refusals(process)
    if process.succeeded and report.is_complete:
        if do is None:
            write_outcomes(run, chunk, report.refused)
        else:
            do(write_outcomes, run, chunk, report.refused)
        return
    ended = "" if process.succeeded else f"Brevo's import {process.id} ended: {process.status}."
    settle_without_report(run, chunk, report, ended)


def settle_without_report(
    run: Run, chunk: ExportChunk, report: ImportReport, refusal: str = ""
) -> None:
    """Settle a finished import of which not all who were refused are known, by the list.

    Whoever arrived is done. The others are sent again alone, where Brevo says why it refuses
    somebody; so are changes, of which a list says nothing. When they are too many for it, the rest
    is refused, if there is a refusal: the import has failed.
    """
    logger.warning("Import %s: the list is read instead. %s", chunk.process_id, report.problem)
    arrived = _arrived(run, chunk)
    with transaction.atomic():
        settled = _write_arrived(chunk, arrived)
        settled += _write_refused(chunk, report.refused)
        settled += _send_alone(chunk, refusal)
        _close(run, chunk, settled=settled, message=refusal or report.problem)
    contact_ids.learn_added(chunk.export, arrived)


def _send_alone(chunk: ExportChunk, refusal: str) -> int:
    """Have the open lines sent one by one; return how many others were settled instead."""
    lines = lines_of(chunk)
    ids = list(lines.order_by("pk").values_list("pk", flat=True)[:ALONE_AT_MOST])
    if not ids:
        return 0
    ExportChange.objects.filter(pk__in=ids).update(alone=True)
    rest = lines.filter(pk__gt=ids[-1])
    if refusal:
        return rest.update(outcome=Outcome.REFUSED, message=refusal)
    if chunk.kind == ChangeKind.JOIN:
        return 0  # verifying finds who is missing
    return rest.update(outcome=Outcome.DONE, message=_NO_REPORT)


def write_outcomes(run: Run, chunk: ExportChunk, refusals: Mapping[str, str]) -> None:
    """Write that all of an import are done but those refused: address and Brevo's reason."""
    with transaction.atomic():
        settled = lines_of(chunk).update(outcome=Outcome.DONE)
        for why, emails in _by_reason(refusals).items():
            settled -= _refuse(chunk, emails, why)
        _close(run, chunk, settled=settled)


def _refuse(chunk: ExportChunk, emails: list[str], why: str) -> int:
    """Refuse these lines; return how many are sent again instead, because of their phone."""
    once_more = 0
    for batch in in_batches(emails):
        sent = _stretch(chunk).filter(email__in=batch, outcome=Outcome.DONE)
        if why == PHONE_TAKEN:
            once_more += _send_once_more(sent)
        _write_refusal(chunk, sent, why)
    return once_more


def _send_once_more(lines: QuerySet[ExportChange]) -> int:
    """Send those whose number was refused alone, where it can be freed; the rest without it."""
    ids = list(lines.filter(alone=False).values_list("pk", flat=True)[:ALONE_AT_MOST])
    alone = ExportChange.objects.filter(pk__in=ids, without_phone=False)
    number = alone.update(outcome=Outcome.PENDING, alone=True)
    rest = lines.filter(outcome=Outcome.DONE, without_phone=False)
    return number + rest.update(outcome=Outcome.PENDING, without_phone=True)


def _write_refusal(chunk: ExportChunk, lines: QuerySet[ExportChange], why: str) -> int:
    if is_of_address(why):
        count_refusals(chunk.export, dict.fromkeys(lines.values_list("email", flat=True), why))
    return lines.update(outcome=Outcome.REFUSED, message=why)


def settle_by_list(run: Run, chunk: ExportChunk, *, is_certain: bool = True) -> None:
    """Read back who of the chunk is on the list: they are done.

    The others stay open, to be sent again. That somebody is on the list says nothing of a change:
    changes are always sent again. Unless it ``is_certain`` that Brevo is done with the request, or
    everybody arrived, the chunk's outcome stays unknown: whoever is in it may still come to be on
    the list.
    """
    arrived = _arrived(run, chunk)
    with transaction.atomic():
        settled = _write_arrived(chunk, arrived)
        lines = lines_of(chunk)
        is_certain = is_certain or (chunk.kind == ChangeKind.JOIN and not lines.exists())
        state = ChunkState.FAILED if is_certain else ChunkState.UNKNOWN
        _close(run, chunk, settled=settled, state=state)
    contact_ids.learn_added(chunk.export, arrived)


def settle_refused(run: Run, chunk: ExportChunk, message: str) -> None:
    """Brevo refused the request as a whole: send its people alone, to learn whom it means.

    When there are too many of them for that, the rest is refused.
    """
    with transaction.atomic():
        settled = _send_alone(chunk, message)
        _close(run, chunk, settled=settled, state=ChunkState.FAILED, message=message)


def settle_unsent(run: Run, chunk: ExportChunk, message: str) -> None:
    """Nothing has reached Brevo: the lines stay open."""
    _close(run, chunk, settled=0, state=ChunkState.FAILED, message=message)


def settle_one(run: Run, chunk: ExportChunk, line: int, outcome: Outcome, message: str) -> None:
    """Write the outcome of one person who was sent alone."""
    with transaction.atomic():
        ExportChange.objects.filter(pk=line).update(outcome=outcome, message=message)
        record(chunk.export, chunk.kind, line, line)
        run.settle(1)


def close_one_by_one(run: Run, chunk: ExportChunk, *, is_certain: bool) -> None:
    """Close a chunk all of whose lines have their outcome already.

    When an attempt got no answer, it may still be carried out, after the one that did.
    """
    state = ChunkState.DONE if is_certain else ChunkState.UNKNOWN
    _close(run, chunk, settled=0, state=state)


def resolve_unanswered(run: Run, chunk: ExportChunk, *, longest: float) -> bool:
    """Find out what became of a chunk to which no answer was heard; False when it stays open.

    An import is looked for among Brevo's newest processes and waited for; one that was never
    started leaves its lines open. What it did is then read from the list, as it is when Brevo has
    forgotten the process or its reports. An import into a list that was replaced since is over.
    """
    if chunk.export.brevo_list_id != run.segment.brevo_list_id:
        _settle_for_lost_list(run, chunk)
        return True
    if chunk.process_id is not None:
        return _resolve_accepted(run, chunk, longest)
    if not chunk.one_by_one:
        for newer in run.client.latest_processes():
            if newer.name == IMPORT_PROCESS and newer.id > (chunk.known_process_id or 0):
                process = wait_for(run, newer.id, wait=FIRST_LOOK, longest=longest)
                if not process.is_finished and longest <= _BRIEFLY:
                    return False
    settle_by_list(run, chunk, is_certain=False)
    return True


def _settle_for_lost_list(run: Run, chunk: ExportChunk) -> None:
    message = f"Sent to list {chunk.export.brevo_list_id}, which is gone from Brevo."
    with transaction.atomic():
        lines = lines_of(chunk)
        settled = lines.update(outcome=Outcome.NOT_ATTEMPTED, message=message)
        _close(run, chunk, settled=settled, state=ChunkState.FAILED, message=message)


def _resolve_accepted(run: Run, chunk: ExportChunk, longest: float) -> bool:
    assert chunk.process_id is not None, "Brevo accepted it"
    try:
        process = wait_for(run, chunk.process_id, wait=FIRST_LOOK, longest=longest)
    except BrevoPermanent:  # forgotten
        settle_by_list(run, chunk)
        return True
    if process.is_finished:
        settle_import(run, chunk, process)
        return True
    if chunk.sent_at < timezone.now() - STAYS_POSSIBLE:
        settle_by_list(run, chunk, is_certain=False)
        return True
    return False


def resolve_open(run: Run, *, longest: float = _BRIEFLY) -> None:
    """Find out about all that was on its way when earlier runs of this segment ended.

    It never stands in the way of what comes next: what Brevo has not finished, or does not say,
    stays open, and is settled by the list after a day.
    """
    waiting = ExportChunk.objects.unsettled().filter(export__segment_id=run.segment.pk)
    for chunk in waiting.select_related("export"):
        try:
            resolve_unanswered(run, chunk, longest=longest)
        except BrevoError as error:
            logger.warning("Chunk %s stays open: status %s", chunk.pk, error.status)
            if chunk.sent_at < timezone.now() - STAYS_POSSIBLE:
                with suppress(BrevoError):
                    settle_by_list(run, chunk, is_certain=False)


def leave_to(export: SegmentExport, chunk: ExportChunk) -> int:
    """Do not send again in this run whom Brevo has accepted and not finished; return how many."""
    if chunk.export_id == export.pk:
        return 0
    message = f"Sent by sync {chunk.export_id}: Brevo has not finished import {chunk.process_id}."
    again = ExportChange.objects.filter(
        export=export,
        kind__in=(ChangeKind.JOIN, ChangeKind.CHANGE),
        outcome=Outcome.PENDING,
        email__in=lines_of(chunk).values("email"),
    )
    return again.update(outcome=Outcome.NOT_ATTEMPTED, message=message)


def _stretch(chunk: ExportChunk) -> QuerySet[ExportChange]:
    stretch = (chunk.first_change, chunk.last_change)
    lines = ExportChange.objects.filter(export_id=chunk.export_id, kind=chunk.kind)
    return lines.filter(pk__range=stretch)


def _arrived(run: Run, chunk: ExportChunk) -> dict[str, int]:
    """Return {address: contact id} of those of the chunk who are on the list."""
    list_id = chunk.export.brevo_list_id
    if list_id is None or chunk.kind != ChangeKind.JOIN or list_id != run.segment.brevo_list_id:
        return {}
    expected = set(lines_of(chunk).values_list("email", flat=True))
    since = chunk.sent_at - _CLOCKS_DIFFER

    def read() -> dict[str, int]:
        arrived: dict[str, int] = {}
        for page in run.client.list_members(list_id, modified_since=since):
            ids = {fold_email(contact.email): contact.id for contact in page}
            arrived |= {email: ids[email] for email in expected & ids.keys()}
        return arrived

    try:
        return unless_gone(run.client, list_id, read)
    except BrevoNotFound:
        return {}


def _write_arrived(chunk: ExportChunk, arrived: Mapping[str, int]) -> int:
    lines, settled = lines_of(chunk), 0
    for batch in in_batches(sorted(arrived)):
        settled += lines.filter(email__in=batch).update(outcome=Outcome.DONE)
    return settled


def _write_refused(chunk: ExportChunk, refused: Mapping[str, str]) -> int:
    """Refuse those of the open lines whom an incomplete report names, but for their phone."""
    settled = 0
    for why, emails in _by_reason(refused).items():
        for batch in in_batches(emails if why != PHONE_TAKEN else []):
            settled += _write_refusal(chunk, lines_of(chunk).filter(email__in=batch), why)
    return settled


def _by_reason(refused: Mapping[str, str]) -> dict[str, list[str]]:
    emails: dict[str, list[str]] = {}
    for email, why in refused.items():
        emails.setdefault(why, []).append(fold_email(email))
    return emails


def _close(
    run: Run,
    chunk: ExportChunk,
    *,
    settled: int,
    state: ChunkState = ChunkState.DONE,
    message: str = "",
) -> None:
    """Enter what is done into the ledger, and close the chunk.

    Of a run that has ended, the counts and the status follow what is known now.
    """
    is_own = chunk.export_id == run.export.pk
    with transaction.atomic():
        record(chunk.export, chunk.kind, chunk.first_change, chunk.last_change)
        chunk.state, chunk.error_message = state, message
        chunk.finished_at = timezone.now()
        chunk.save(update_fields=["state", "error_message", "finished_at", "took"])
        run.settle(settled if is_own else 0)
        if not is_own:
            recount(chunk.export, settled_by=run.export)
    run.show()
