"""Apply: perform exactly the plan that was written down. Removals go first."""

from collections.abc import Sequence
from contextlib import suppress

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from campaigns.batches import in_batches
from campaigns.brevo import BrevoError, BrevoNotFound, BrevoPermanent, Moved
from campaigns.enums import SAID_NO, ChangeKind, ChunkState, Outcome
from campaigns.models import ExportChange, ExportChunk, ListMember, Segment, SegmentExport
from campaigns.models.ledger import ListMemberQuerySet
from campaigns.sync import chunks, contact_ids, ledger, phones
from campaigns.sync.attributes import attributes_of
from campaigns.sync.consent import plan_who_said_no_since
from campaigns.sync.gateway import account_of
from campaigns.sync.list_identity import is_gone, remember_list
from campaigns.sync.lists import make_list
from campaigns.sync.outgoing import pending, stretches
from campaigns.sync.returning import look_up_returning
from campaigns.sync.sending import Sender
from campaigns.sync.work import Run, segment_deleted

_NOT_THERE = "Was not on the list."
_ARRIVED = "Was put on the list by an earlier sync, whose answer came late."


def prepare_list(run: Run) -> None:
    """Make the list when there is none any more; then nobody is on it, whatever we remember."""
    segment, export = run.segment, run.export
    if export.list_was_gone and export.brevo_list_id is None:
        account = account_of(run.client)
        look_first = export.known_list_id is not None
        if not look_first:
            run.save(known_list_id=run.client.newest_list_id())
        newest = export.known_list_id
        made = make_list(run.client, segment.name, newest=newest, look_first=look_first)
        list_id = made.id
        with transaction.atomic():
            is_there = Segment.objects.filter(pk=segment.pk).update(brevo_list_id=list_id)
            if is_there:
                remember_list(segment, account, made)
                ledger.strike_off(export)
                run.save(brevo_list_id=list_id)
        if not is_there:
            run.client.delete_list(list_id)
            raise segment_deleted()
        segment.brevo_list_id = list_id
    elif export.brevo_list_id is None:
        run.save(brevo_list_id=segment.brevo_list_id)


def remove_at_once(run: Run, *, is_fresh: bool) -> None:
    """Take off whoever said no, before anything that the rest of the plan may have to wait for.

    Unless the plan is fresh, whoever has said no since it was made leaves too. With them go those
    who must not be on the list, and may be, or may come to be, by an earlier request of which
    nobody knows whether Brevo carries it out.
    """
    export = run.export
    if export.brevo_list_id is None:
        if export.list_was_gone:
            return
        run.save(brevo_list_id=run.segment.brevo_list_id)
    if not is_fresh:
        plan_who_said_no_since(run)
    _remove_lines(run, Q(reason__in=SAID_NO) | Q(unconfirmed=True))
    _withdraw_from_reviewed(run)


def _withdraw_from_reviewed(run: Run) -> None:
    """Leave out of a plan that waits for approval whom this run has taken off the list."""
    done = ExportChange.objects.filter(
        export=run.export, kind=ChangeKind.LEAVE, outcome=Outcome.DONE
    )
    for reviewed in SegmentExport.objects.under_review(run.segment.pk):
        same = ExportChange.objects.filter(
            export=reviewed, outcome=Outcome.PENDING, email__in=done.values("email")
        )
        message = f"Taken off by sync {run.export.pk}."
        if same.update(outcome=Outcome.UNNEEDED, message=message):
            left = pending(reviewed, ChangeKind.LEAVE)
            reviewed.leaves = left.count()
            reviewed.leaves_at_once = left.filter(reason__in=SAID_NO).count()
            reviewed.save(update_fields=["leaves", "leaves_at_once"])


def remove(run: Run) -> None:
    """Take the leavers off the list, chunk by chunk; only contacts that our ledger names."""
    contact_ids.take_off_handed_over(run)
    _remove_lines(run, Q())


def _remove_lines(run: Run, which: Q) -> None:
    for lines in stretches(run.export, ChangeKind.LEAVE):
        leavers = list(lines.filter(which).values_list("pk", "email"))
        for batch in in_batches(leavers, settings.BREVO_CHUNK_SIZE):
            _remove(run, batch)
            run.show()


def remove_again(run: Run, emails: Sequence[str]) -> None:
    """Take people off once more who were taken off already and are on the list all the same."""
    runs = ledger.unproved_runs(run.segment.pk, run.export.pk)
    for batch in in_batches(emails, settings.BREVO_CHUNK_SIZE):
        again = ListMember.objects.current().filter(segment=run.segment, contact_id__isnull=False)
        ended = ListMember.objects.filter(removed_by__in=runs)
        ended = ended.exclude(contact_id__in=again.values("contact_id"))
        with suppress(BrevoError):  # whoever is still on it is named by the proof
            _take_off(run, batch, ended)


def _take_off(run: Run, emails: Sequence[str], stays: ListMemberQuerySet) -> Moved:
    """Take people off the list by their ids, as far as these stays have them, and by address.

    By both: the contact that we know may have another address now, and a new contact this one.
    Brevo does not say whether a contact that it did not take off was on the list.
    """
    known = contact_ids.ids_of(stays.filter(segment=run.segment, email__in=emails))
    refusal: BrevoPermanent | None = None
    try:
        run.client.remove_ids_from_list(_list_id(run), known)
    except BrevoPermanent as error:  # that says nothing of the addresses
        refusal = error
    moved = run.client.remove_from_list(_list_id(run), emails)
    if refusal is not None:
        raise refusal
    return moved


def _remove(run: Run, page: Sequence[tuple[int, str]], *, list_is_there: bool = False) -> None:
    """Remove one chunk; when Brevo refuses it as a whole, find out whom it means.

    After a 404 that seems to be about the list, only a look at the list tells.
    """
    lines, emails = [line for line, _ in page], [email for _, email in page]
    ledger.doubt(run.export, emails)  # should the answer be lost, and they come back
    refusal = ""
    try:
        moved = _take_off(run, emails, ListMember.objects.current())
    except BrevoPermanent as error:
        is_404 = isinstance(error, BrevoNotFound)
        if is_404 and not list_is_there and is_gone(run.client, _list_id(run)):
            raise
        if not is_404 and not error.concerns_contact:
            raise
        if len(page) > 1 or (is_404 and not list_is_there):
            for one in page:
                _remove(run, [one], list_is_there=is_404 or list_is_there)
            return
        refusal = error.brevo_message or str(error)
    outcome = Outcome.REFUSED if refusal else Outcome.DONE
    with transaction.atomic():
        removed = ExportChange.objects.filter(pk__in=lines)
        removed.update(outcome=outcome, message=refusal)
        if not refusal:
            not_there = removed.filter(unconfirmed=True, email__in=moved.failure)
            not_there.update(outcome=Outcome.UNNEEDED, message=_NOT_THERE)
            ledger.strike_off(run.export, emails)
        run.settle(len(page))


def send(run: Run) -> None:
    """Send whoever joins, then whoever's data changed, then what is open of phone numbers.

    What earlier requests did is found out first, so that nobody is sent twice: Brevo has some time
    to finish them.
    """
    _find_out_what_arrived(run)
    look_up_returning(run)
    kinds = [
        kind for kind in (ChangeKind.JOIN, ChangeKind.CHANGE) if pending(run.export, kind).exists()
    ]
    if not kinds and not phones.has_work(run):
        return
    attributes = attributes_of(run)
    for kind in kinds:
        Sender(run, _list_id(run), kind, attributes).send()
    phones.look_after(run, attributes.names.get("phone", ""), _list_id(run))


def _find_out_what_arrived(run: Run) -> None:
    open_chunks = ExportChunk.objects.unsettled().filter(export__segment=run.segment)
    if not open_chunks.exists():
        return
    chunks.resolve_open(run, longest=chunks.patience(run))
    with transaction.atomic():
        arrived, changed = ledger.match_joins(run.export, _ARRIVED)
        if arrived or changed:
            run.save(
                joins=F("joins") - changed,
                changes_planned=F("changes_planned") + changed,
            )
            run.settle(arrived)
        for chunk in open_chunks.filter(state=ChunkState.ACCEPTED).select_related("export"):
            run.settle(chunks.leave_to(run.export, chunk))


def _list_id(run: Run) -> int:
    list_id = run.export.brevo_list_id
    assert list_id is not None, "the list is prepared before anything is sent"
    return list_id
