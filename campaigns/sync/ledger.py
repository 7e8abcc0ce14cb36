"""Keep the ledger true: it changes in the same transaction as the outcome it records.

Whoever is in the audience is ours from the run that sent them, even when somebody else had put
them on the list before: only reading the whole list before each send could tell, and whoever opts
out here has to go from our list whoever put them there.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection
from django.db.models import Max, QuerySet
from django.utils import timezone

from accounts.models import User
from campaigns.batches import in_batches
from campaigns.enums import ChangeKind, Outcome
from campaigns.models import ExportChange, ListMember, Segment, SegmentExport
from campaigns.sync import sql

UNKNOWN = UUID(int=0)  # in place of a fingerprint: this member is to be sent again
SEND_ALONE = UUID(int=1)  # in place of a fingerprint: an import left this member out
# The number that was sent is the person's of now: when their data is another than what was sent,
# that is not known, and they are sent again anyway.
_SENT_PHONE = {
    "postgresql": "MD5(person.phone_e164)::uuid",
    "sqlite": "MD5(person.phone_e164)",
}
_PHONE = """CASE WHEN person.phone_e164 > '' AND NOT line.without_phone THEN {sent} END"""
_JOIN = """
INSERT INTO {member}
    (segment_id, user_id, email, fingerprint, phone_fingerprint, added_at, added_by)
SELECT %s, line.user_id, line.email, line.fingerprint, {phone}, %s, line.export_id
FROM {change} line
LEFT JOIN {user} person
    ON person.id = line.user_id AND person.contact_fingerprint = line.fingerprint
WHERE line.export_id = %s AND line.kind = 'JOIN' AND line.outcome = 'DONE'
    AND line.id BETWEEN %s AND %s
    AND EXISTS (SELECT 1 FROM {segment} segment WHERE segment.id = %s)
ON CONFLICT (segment_id, email) WHERE removed_at IS NULL
    DO UPDATE SET fingerprint = excluded.fingerprint, user_id = excluded.user_id,
        phone_fingerprint = excluded.phone_fingerprint
"""
_ARRIVED_ALREADY = """
UPDATE {change} SET outcome = 'UNNEEDED', message = %s
FROM {member} member WHERE member.segment_id = %s AND member.removed_at IS NULL
    AND member.email = {change}.email AND {change}.export_id = %s AND {change}.kind = 'JOIN'
    AND {change}.outcome = 'PENDING' AND member.fingerprint = {change}.fingerprint
"""
_CHANGED_SINCE = """
UPDATE {change} SET kind = 'CHANGE'
FROM {member} member WHERE member.segment_id = %s AND member.removed_at IS NULL
    AND member.email = {change}.email AND {change}.export_id = %s AND {change}.kind = 'JOIN'
    AND {change}.outcome = 'PENDING'
"""


_CHANGE = """
UPDATE {member} SET fingerprint = line.fingerprint, user_id = line.user_id,
    phone_fingerprint = {phone}
FROM {change} line
LEFT JOIN {user} person
    ON person.id = line.user_id AND person.contact_fingerprint = line.fingerprint
WHERE {member}.segment_id = %s AND {member}.removed_at IS NULL AND {member}.email = line.email
    AND line.export_id = %s AND line.kind = 'CHANGE' AND line.outcome = 'DONE'
    AND line.id BETWEEN %s AND %s
"""


def record(export: SegmentExport, kind: str, first: int, last: int) -> None:
    """Enter the joins, or the changes, that are done among the lines from first to last."""
    names = {
        "member": sql.table(ListMember),
        "change": sql.table(ExportChange),
        "user": sql.table(User),
        "segment": sql.table(Segment),
        "phone": _PHONE.format(sent=_SENT_PHONE[connection.vendor]),
    }
    if kind == ChangeKind.JOIN:
        of_segment, now = export.segment_id, timezone.now()
        params = [of_segment, now, export.pk, first, last, of_segment]
        sql.execute(_JOIN.format(**names), params)
        return
    sql.execute(_CHANGE.format(**names), [export.segment_id, export.pk, first, last])


def match_joins(export: SegmentExport, message: str) -> tuple[int, int]:
    """Settle the open joins of those who have become members since the plan was made.

    Whoever was sent the same data needs nothing; the others become changes. Returns how many of
    each there are.
    """
    names = {"member": sql.table(ListMember), "change": sql.table(ExportChange)}
    of_run = [export.segment_id, export.pk]
    arrived = sql.execute(_ARRIVED_ALREADY.format(**names), [message, *of_run])
    return arrived, sql.execute(_CHANGED_SINCE.format(**names), of_run)


def send_alone(export: SegmentExport, emails: Sequence[str]) -> None:
    """Have these members, whom an import of this run left out, sent one by one by the next run."""
    for batch in in_batches(emails):
        sent = ExportChange.objects.filter(
            export=export,
            kind__in=(ChangeKind.JOIN, ChangeKind.CHANGE),
            outcome=Outcome.DONE,
            email__in=batch,
        )
        _current(export).filter(email__in=sent.values("email")).update(fingerprint=SEND_ALONE)


def doubt(export: SegmentExport, emails: Sequence[str]) -> None:
    """Forget what these members were sent, because they are not, or may not be, on the list.

    Whoever of them is in the audience is sent again. They stay ours, so that whoever leaves it
    meanwhile is still taken off.
    """
    for batch in in_batches(emails):
        _current(export).filter(email__in=batch).update(fingerprint=UNKNOWN)


def contact_ids(export: SegmentExport, emails: Sequence[str]) -> dict[str, int | None]:
    """Return {address: Brevo's id of the contact, if it is known} of these members."""
    known: dict[str, int | None] = {}
    for batch in in_batches(emails):
        members = _current(export).filter(email__in=batch)
        known |= dict(members.values_list("email", "contact_id"))
    return known


def strike_off(export: SegmentExport, emails: Sequence[str] | None = None) -> int:
    """End the stay of these members, or of all of them; the rows stay as history."""
    members = _current(export)
    if emails is not None:
        members = members.filter(email__in=emails)
    return members.update(removed_at=timezone.now(), removed_by=export.pk)


def unproved_runs(segment_id: int, after: int) -> list[int]:
    """Return this run and those before it since the segment's list was last read back.

    A run that broke off before its proof does not know whether its removals have taken.
    """
    earlier = SegmentExport.objects.filter(segment=segment_id, pk__lt=after)
    proved = earlier.exclude(proof={}).order_by("-pk").values_list("pk", flat=True).first() or 0
    return [after, *earlier.filter(pk__gt=proved).values_list("pk", flat=True)]


def reopen(export: SegmentExport, emails: Sequence[str]) -> None:
    """Make those who were taken off members again, because they are on the list all the same.

    The next run then takes them off again.
    """
    if export.segment_id is None or not emails:
        return
    runs = unproved_runs(export.segment_id, export.pk)
    for batch in in_batches(emails):
        members = _current(export).filter(email__in=batch)
        ended = ListMember.objects.filter(segment=export.segment, removed_by__in=runs)
        ended = ended.filter(email__in=batch).exclude(email__in=members.values("email"))
        newest = ended.order_by().values("email").annotate(newest=Max("pk"))
        again = ListMember.objects.filter(pk__in=list(newest.values_list("newest", flat=True)))
        again.update(removed_at=None, removed_by=None, fingerprint=UNKNOWN)


def _current(export: SegmentExport) -> QuerySet[ListMember]:
    return ListMember.objects.current().filter(segment=export.segment)
