"""Lists that segments use no longer: released on request, or replaced because Brevo lost them."""

from collections.abc import Iterator, Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.text import fold_email
from campaigns.audience.mailable import mailable
from campaigns.audience.query_builder import audience
from campaigns.batches import in_batches
from campaigns.brevo import (
    BrevoClient,
    BrevoNotFound,
    BrevoPermanent,
    BrevoTemporary,
    Contact,
)
from campaigns.enums import ChunkState
from campaigns.errors import ListNotOurs, SegmentBusy
from campaigns.models import BrevoList, ExportChunk, ListMember, Segment, SegmentExport
from campaigns.sync.gateway import KnownAccount, account_of, connect
from campaigns.sync.list_identity import find_list, is_same, known_list
from campaigns.sync.reconciling import learn
from campaigns.sync.work import Run


def release(client: BrevoClient, segment: Segment) -> str:
    """Make the segment forget a list that is not in this account; the next sync makes a new one.

    Nothing at Brevo is changed, and nothing here when the list is the segment's. Returns what was
    done as a sentence. Raises SegmentBusy while a run is at work, and BrevoError.
    """
    try:
        shown = find_list(client, segment)
    except ListNotOurs:
        return _release(segment, account_of(client))
    if shown is None:
        return f"Segment “{segment.name}” has no list at Brevo: the next sync makes a new one."
    return (
        f"List {shown.id} is here and is the list of segment “{segment.name}”: nothing was changed."
    )


def _release(segment: Segment, account: KnownAccount) -> str:
    list_id, known = segment.brevo_list_id, known_list(segment)
    at_work = SegmentExport.objects.active().filter(segment=segment).first()
    if at_work is not None:
        raise SegmentBusy(segment.name, at_work.pk)
    message = f"Segment “{segment.name}” no longer has list {list_id}, which stays as it is"
    with transaction.atomic():
        Segment.objects.filter(pk=segment.pk, brevo_list_id=list_id).update(brevo_list_id=None)
        # The requests that are still open belong to a list and a process of the other account.
        lost = ExportChunk.objects.possibly_arriving().filter(export__segment=segment)
        lost.update(state=ChunkState.FAILED, error_message=message, finished_at=timezone.now())
        if known is None or known.account != account.id:
            contacts = ListMember.objects.filter(segment=segment, contact_id__isnull=False)
            contacts.update(contact_id=None, email_at_brevo="")
        BrevoList.objects.filter(segment=segment, given_up_at=None).update(
            given_up_at=timezone.now()
        )
    segment.brevo_list_id = None
    where = f" in {known.account_name}" if known is not None else ""
    return f"{message}{where}. The next sync makes a new list."


def has_given_up_lists(segment: Segment) -> bool:
    """True when the segment ever gave up a list."""
    return BrevoList.objects.filter(segment=segment.pk).exclude(given_up_at=None).exists()


def lists_there_again(client: BrevoClient, segment: Segment | None = None) -> Iterator[BrevoList]:
    """Yield the lists that were given up, of this segment or of all, and are there all the same.

    Raises BrevoError. Costs a request for each list that was given up in this account.
    """
    rows = BrevoList.objects.exclude(given_up_at=None).select_related("segment").order_by("pk")
    if segment is not None:
        rows = rows.filter(segment=segment.pk)
    if not rows.exists():
        return
    for row in rows.filter(account=account_of(client).id):
        try:
            shown = client.get_list(row.list_id)
        except BrevoNotFound:
            continue
        if is_same(row, shown):
            row.name = shown.name
            yield row


def lists_elsewhere(segment: Segment) -> list[BrevoList]:
    """Return the lists that the segment had in other accounts; nothing here changes them."""
    if not has_given_up_lists(segment):
        return []
    account = account_of(connect())
    rows = BrevoList.objects.filter(segment=segment.pk).exclude(given_up_at=None)
    return list(rows.exclude(account=account.id).order_by("pk"))


def clean(run: Run) -> list[str]:
    """Take whoever may not be mailed off lists that were given up and are there all the same.

    Only people whom we put there are taken off. Returns a sentence for each such list.
    """
    sentences = []
    what = "Lists that were given up"
    try:
        for row in lists_there_again(run.client, run.segment):
            what = f"List {row.list_id} “{row.name}”, which Brevo no longer had, is there again"
            removed = _take_off(run, row)
            off = f"; {removed} who may not be mailed were taken off" if removed else ""
            sentences.append(
                f"{what}{off}. Mail the segment's new list, and delete that one in Brevo."
            )
    except (BrevoPermanent, BrevoTemporary) as error:
        sentences.append(f"{what}: people who may not be mailed may still be on it. {error}")
    return sentences


def _take_off(run: Run, row: BrevoList) -> int:
    held: list[Contact] = []
    for page in run.client.list_members(row.list_id):
        learn(page, {row.list_id})
        held += _not_mailable(run.segment, page)
    for batch in in_batches(held, settings.BREVO_CHUNK_SIZE):
        ids = [contact.id for contact in batch if contact.id]
        run.client.remove_ids_from_list(row.list_id, ids)
        emails = [contact.email for contact in batch if not contact.id]
        run.client.remove_from_list(row.list_id, emails)
    return len(held)


def _not_mailable(segment: Segment, page: Sequence[Contact]) -> list[Contact]:
    """Return those whom we put on a list of the segment, and who do not belong there now."""
    ids = {contact.id for contact in page} - {0}
    emails = {fold_email(contact.email) for contact in page}
    ours = ListMember.objects.filter(segment=segment).order_by()
    ours = ours.filter(Q(email__in=emails) | Q(contact_id__in=ids))
    known: dict[str | int | None, set[str]] = {}
    for email, contact_id in ours.values_list("email", "contact_id"):
        known.setdefault(email, set()).add(email)
        known.setdefault(contact_id, set()).add(email)
    people = mailable(audience(segment)).order_by()
    wanted = people.filter(email_key__in=set().union(*known.values()))
    stay = set(wanted.values_list("email_key", flat=True))
    addresses = (
        (contact, known.get(fold_email(contact.email), set()) | known.get(contact.id or "", set()))
        for contact in page
    )
    return [contact for contact, ours in addresses if ours and not ours & stay]
