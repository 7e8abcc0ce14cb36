"""Phone numbers: Brevo gives each to one contact only, so a number may have to be freed first.

A contact whose number Brevo does not take is sent without it, and one that is to have none may keep
it all the same. Either stays open until Brevo does it, is tried again, and is shown with each run.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import md5
from uuid import UUID

from django.db import transaction
from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.text import fold_email
from campaigns.audience.mailable import mailable
from campaigns.batches import in_batches
from campaigns.brevo import PHONE_TAKEN, BrevoError, BrevoNotAllowed, BrevoPermanent
from campaigns.enums import ChangeKind, Outcome
from campaigns.models import (
    ExportChange,
    ExportChunk,
    ListMember,
    OpenPhone,
    Segment,
    SegmentExport,
    owners,
)
from campaigns.sync.ledger import UNKNOWN
from campaigns.sync.work import Run

SENT_WITHOUT = "Sent without the phone number: {}"
_STILL_THERE = "Brevo keeps a phone number that is to be erased"
_AT_MOST = 500  # contacts that one run looks after besides its plan
_AT_ONCE = timedelta(minutes=15)  # for so long every run tries again
_AT_LATEST = timedelta(days=1)
_CLOCKS_DIFFER = timedelta(minutes=10)
_BATCH = 500
_REFUSALS = (BrevoPermanent, BrevoNotAllowed)

Open = tuple[str, int | None, str]  # address, user, why


def free_number(run: Run, attribute: str, line: int, number: str) -> bool:
    """Take a number off the contacts of ours that hold it wrongly; True when there were any.

    A contact holds it wrongly when we sent it there and its person has another number by now, or
    another address. Whoever still has the number here keeps it there, and a contact that our ledger
    does not name is never touched.
    """
    user_id, email = ExportChange.objects.values_list("user_id", "email").get(pk=line)
    freed = False
    for holder in _holders(user_id, email, number):
        try:
            run.client.set_phone(holder, attribute, "")
        except BrevoError:  # the person is sent without the number, and that stays open
            continue
        _forget_number(holder)
        freed = True
    return freed


def record(export: SegmentExport, kind: str, first: int, last: int) -> None:
    """Note who of the lines from first to last is done, but without their phone number."""
    done = ExportChange.objects.filter(
        export=export, kind=kind, pk__range=(first, last), outcome=Outcome.DONE
    )
    without = done.filter(without_phone=True)
    without.filter(message="").update(message=SENT_WITHOUT.format(PHONE_TAKEN))
    if OpenPhone.objects.exists():
        complete = done.filter(without_phone=False).values("email")
        OpenPhone.objects.filter(email__in=complete).delete()
    prefix = SENT_WITHOUT.format("")
    _leave_open(
        (email, user_id, message.removeprefix(prefix))
        for email, user_id, message in without.values_list("email", "user_id", "message")
    )


def has_work(run: Run) -> bool:
    """True when ``look_after`` has anything to do."""
    return bool(_due(run)) or _erased_lines(run).exists()


def look_after(run: Run, attribute: str, list_id: int) -> None:
    """Try again what is open and due, and make sure that erased numbers are gone.

    Call it when the plan has been sent. Costs a request for each that is due, and reads of the list
    whom this run changed when some of them are to have no number. No number stops a run.
    """
    if not attribute:
        return
    erased = []
    try:
        for user in _due(run):
            if user.phone_e164:
                _try_again(run, attribute, user)
            else:
                _erase(run, attribute, user.email_key)
                erased.append(user.email_key)
        _settle_erasures(run, attribute, list_id, erased)
    except BrevoError:
        _doubt_erased(run)


def note(segment_id: int | None) -> str:
    """Say how many on the list have not the number that they should have, and why; or nothing."""
    members = ListMember.objects.current().filter(segment=segment_id)
    unlike = OpenPhone.objects.filter(email__in=members.values("email"))
    number = unlike.count()
    if not number:
        return ""
    why = unlike.order_by("-due_at").values_list("message", flat=True)[0]
    who = "1 person is" if number == 1 else f"{number:,} people are"
    return f"{who} on the list without the right phone number: “{why}”. It is tried again."


# Who holds a number


def _fingerprint(number: str) -> UUID:
    """Return what the ledger keeps of a number, as the database computes it."""
    return UUID(md5(number.encode(), usedforsecurity=False).hexdigest())


def _holders(user_id: int | None, email: str, number: str) -> list[str]:
    mark = _fingerprint(number)
    stays = ListMember.objects.exclude(email=email).order_by()
    named = set(stays.filter(phone_fingerprint=mark).values_list("email", flat=True))
    # What was sent before the ledger kept numbers: only a person's own addresses may hold it.
    former = stays.filter(user_id=user_id, phone_fingerprint=None) if user_id else stays.none()
    named |= set(former.values_list("email", flat=True))
    owner = owners(named)
    keeps = set(
        User.objects.filter(pk__in=owner.values(), phone_e164=number)
        .exclude(pk=user_id)
        .values_list("pk", flat=True)
    )
    return sorted(
        holder
        for holder in named
        if owner.get(holder) not in keeps and _sent_last(holder) in {mark, None}
    )


def _stays_of(email: str) -> tuple[QuerySet[ListMember], QuerySet[ListMember]]:
    """Return the contact's stays on lists now, and those that ended; each by an index."""
    stays = ListMember.objects.filter(email=email).order_by("-pk")
    segments = list(Segment.objects.values_list("pk", flat=True))
    return stays.current().filter(segment__in=segments), stays.ended()


def _sent_last(email: str) -> UUID | None:
    """Return the fingerprint of the number that the contact was sent last, so far as is known."""
    for stays in _stays_of(email):
        known = stays.filter(phone_fingerprint__isnull=False)
        if found := known.values_list("phone_fingerprint", flat=True).first():
            return found
    return None


def _forget_number(email: str) -> None:
    """Have the contact's person sent again wherever they are on a list."""
    now, ended = _stays_of(email)
    now.update(phone_fingerprint=None, fingerprint=UNKNOWN)
    ended.update(phone_fingerprint=None)


# What stays open


def _leave_open(contacts: Iterable[Open]) -> None:
    for batch in in_batches(contacts, _BATCH):
        now = timezone.now()
        known = OpenPhone.objects.filter(email__in=[email for email, _, _ in batch])
        since = dict(known.values_list("email", "since"))
        rows = [
            OpenPhone(
                email=email,
                user_id=user_id,
                message=message,
                since=since.get(email, now),
                due_at=_due_at(since.get(email, now), now),
            )
            for email, user_id, message in batch
        ]
        OpenPhone.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["email"],
            update_fields=["user", "message", "due_at"],
        )


def _due_at(since: datetime, now: datetime) -> datetime:
    """Say when to try again: at once in the beginning, then after so long again, then daily."""
    tried_for = now - since
    return now if tried_for < _AT_ONCE else now + min(tried_for, _AT_LATEST)


def _due(run: Run) -> list[User]:
    """Return the people of this list whose number was open and due when the run began."""
    members = ListMember.objects.current().filter(segment=run.segment)
    waiting = OpenPhone.objects.filter(
        due_at__lte=run.export.started_at, email__in=members.values("email")
    )
    emails = list(waiting.order_by("due_at").values_list("email", flat=True)[:_AT_MOST])
    return list(mailable(User.objects.filter(email_key__in=emails)))


def _try_again(run: Run, attribute: str, user: User) -> None:
    """Send one number; nothing else of the person, and no list."""
    try:
        run.client.set_phone(user.email_key, attribute, user.phone_e164)
    except _REFUSALS as error:
        _leave_open([(user.email_key, user.pk, error.brevo_message or str(error))])
        return
    with transaction.atomic():
        OpenPhone.objects.filter(email=user.email_key).delete()
        now, _ = _stays_of(user.email_key)
        now.update(phone_fingerprint=_fingerprint(user.phone_e164))


def _erase(run: Run, attribute: str, email: str) -> None:
    with suppress(*_REFUSALS):  # the list tells what it came to
        run.client.set_phone(email, attribute, "")


# Whether numbers that are to be erased are gone


def _erased_lines(run: Run) -> QuerySet[ExportChange]:
    """Return the changes of this run that leave a contact without a number."""
    changes = ExportChange.objects.filter(
        export=run.export, kind=ChangeKind.CHANGE, outcome=Outcome.DONE
    )
    return changes.filter(Q(without_phone=True) | Q(user__phone_e164=""))


def _settle_erasures(run: Run, attribute: str, list_id: int, tried: list[str]) -> None:
    """Read the list back, erase once more what is still there, and leave open what stays."""
    if not tried and not _erased_lines(run).exists():
        return
    chunks = ExportChunk.objects.filter(export=run.export, kind=ChangeKind.CHANGE)
    since = chunks.aggregate(first=Min("sent_at"))["first"] or run.export.started_at
    still = _with_number(run, attribute, list_id, since, tried)
    for email in still[:_AT_MOST]:
        _erase(run, attribute, email)
    if still:
        still = [*_with_number(run, attribute, list_id, since, tried), *still[_AT_MOST:]]
    lines = _erased_lines(run).filter(email__in=still, without_phone=False)
    lines.filter(message="").update(message=f"{_STILL_THERE}.")
    OpenPhone.objects.filter(email__in=set(tried) - set(still)).delete()
    owner = owners(still)
    open_already = set(
        _erased_lines(run).filter(without_phone=True).values_list("email", flat=True)
    )
    _leave_open((email, owner.get(email), _STILL_THERE) for email in set(still) - open_already)


def _with_number(
    run: Run, attribute: str, list_id: int, since: datetime | None, tried: list[str]
) -> list[str]:
    """Return who of those that are to have no number has one on the list."""
    since = since and since - _CLOCKS_DIFFER
    still: set[str] = set()
    for page in run.client.list_members(list_id, modified_since=since):
        having = {
            fold_email(contact.email) for contact in page if contact.attributes.get(attribute)
        }
        still |= having & set(tried)
        still |= set(_erased_lines(run).filter(email__in=having).values_list("email", flat=True))
    return sorted(still)


def _doubt_erased(run: Run) -> None:
    """Nobody knows whether the numbers are gone: have the next run send these people again."""
    members = ListMember.objects.current().filter(segment=run.segment)
    members.filter(email__in=_erased_lines(run).values("email")).update(fingerprint=UNKNOWN)
