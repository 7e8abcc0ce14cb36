"""Plan: write down the named difference between the mailable audience and the ledger.

The database computes it, in one statement and hence from one moment, however many people.
Nothing is sent.
"""

from django.db import transaction
from django.db.models import Count, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from accounts.models import User
from campaigns.audience.query_builder import SegmentQueryBuilder
from campaigns.brevo import BrevoNotFound, BrevoTemporary
from campaigns.enums import ChangeKind, ExportStatus, Phase, Reason
from campaigns.errors import PlanRefused
from campaigns.models import ExportChange, ListMember, Segment, SegmentExport
from campaigns.sync import sql
from campaigns.sync.digest import SetDigest
from campaigns.sync.people import described
from campaigns.sync.work import Run

_HELD = (Reason.OPTED_OUT, Reason.SUPPRESSED, Reason.UNUSABLE_ADDRESS)
_NO_SEGMENT = 0  # a ledger that nobody is in
_ANALYZE_ABOVE = 5_000
_DECISIVE = ("plan_digest", "definition", "list_was_gone")

# Who is mailable and new joins; who is held back and on the list leaves; whoever is in the ledger
# but not in the audience under the same address leaves too. A person has one line at most.
_DIFFERENCE = """
INSERT INTO {change}
    (export_id, user_id, email, kind, reason, outcome, message, fingerprint, without_phone)
WITH person (id, email, held, fingerprint) AS ({audience})
SELECT %s, person.id, person.email,
    CASE WHEN person.held = '' THEN CASE WHEN member.id IS NULL THEN 'JOIN' ELSE 'CHANGE' END
         ELSE CASE WHEN member.id IS NULL THEN 'HELD_BACK' ELSE 'LEAVE' END END,
    person.held,
    CASE WHEN person.held <> '' AND member.id IS NULL THEN 'HELD_BACK' ELSE 'PENDING' END,
    '', person.fingerprint, {false}
FROM person
LEFT JOIN {member} member
    ON member.segment_id = %s AND member.email = person.email AND member.removed_at IS NULL
WHERE person.held <> '' OR member.id IS NULL
    OR member.fingerprint <> person.fingerprint OR member.user_id <> person.id
UNION ALL
SELECT %s, member.user_id, member.email, 'LEAVE',
    CASE WHEN owner.id IS NULL THEN 'DELETED'
         WHEN owner.email_key <> member.email THEN 'NEW_ADDRESS'
         ELSE 'NO_MATCH' END,
    'PENDING', '', member.fingerprint, {false}
FROM {member} member
LEFT JOIN person ON person.email = member.email
LEFT JOIN {user} owner ON owner.id = member.user_id
WHERE member.segment_id = %s AND member.removed_at IS NULL AND person.email IS NULL
"""


def look_at_list(run: Run) -> bool:
    """True when the segment's list is no longer there, so that everybody joins a new one.

    A plan that is only looked at does not need Brevo: when it is out of reach, the list is
    taken to be there.
    """
    list_id = run.segment.brevo_list_id
    if list_id is None:
        return True
    try:
        run.client.get_list(list_id)
    except BrevoNotFound:
        return True
    except BrevoTemporary:
        if not run.export.plan_only:
            raise
    return False


def write_plan(
    export: SegmentExport, segment: Segment, *, list_was_gone: bool
) -> dict[str, object]:
    """Replace the export's lines by the difference as it is now; return what is to be saved of it.

    Call it inside a transaction that also saves what it returns. Raises SegmentBroken.
    """
    audience = SegmentQueryBuilder(segment).audience()
    people = described(audience).values_list("pk", "email_key", "held_reason", "fingerprint")
    audience_sql, params = people.query.sql_with_params()
    statement = _DIFFERENCE.format(
        audience=audience_sql,
        change=sql.table(ExportChange),
        member=sql.table(ListMember),
        user=sql.table(User),
        false="FALSE",
    )
    ledger = _NO_SEGMENT if list_was_gone else segment.pk
    ExportChange.objects.filter(export=export).delete()
    lines = sql.execute(statement, [*params, export.pk, ledger, export.pk, ledger])
    before = ListMember.objects.current().filter(segment=ledger).count()
    if lines > _ANALYZE_ABOVE:
        sql.analyze(ExportChange)
    return _facts(export, before) | {
        "definition": segment.definition,
        "list_was_gone": list_was_gone,
        "plan_digest": digest(export),
        "planned_at": timezone.now(),
    }


def _facts(export: SegmentExport, before: int) -> dict[str, object]:
    lines = ExportChange.objects.filter(export=export).values_list("kind", "reason")
    counted = {(kind, reason): n for kind, reason, n in lines.annotate(n=Count("id"))}

    def total(*kinds: ChangeKind) -> int:
        return sum(n for (kind, _), n in counted.items() if kind in kinds)

    joins, leaves = total(ChangeKind.JOIN), total(ChangeKind.LEAVE)
    mailable = before - leaves + joins
    held = sum(n for (_, reason), n in counted.items() if reason in _HELD)
    return {
        "joins": joins,
        "leaves": leaves,
        "changes_planned": total(ChangeKind.CHANGE),
        "held_back": total(ChangeKind.HELD_BACK),
        "list_count_before": before,
        "users_count": mailable,
        "audience_count": mailable + held,
        "progress_done": 0,
        "progress_total": joins + leaves + total(ChangeKind.CHANGE),
    }


def _lines_to_do(export: SegmentExport) -> QuerySet[ExportChange]:
    return ExportChange.objects.filter(export=export).exclude(kind=ChangeKind.HELD_BACK).order_by()


def digest(export: SegmentExport) -> str:
    """Return the digest of the plan: of who joins, who leaves and what is sent of whom."""
    total = SetDigest()
    space = Value(" ")
    mark = Cast("fingerprint", TextField())
    told = Concat("kind", space, "email", space, mark, output_field=TextField())
    for line in _lines_to_do(export).values_list(told, flat=True).iterator(chunk_size=10_000):
        total.add(line)
    return total.hexdigest()


def moved(old: SegmentExport, new: SegmentExport) -> tuple[int, int]:
    """Return how many lines of the new plan the old one lacks, and how many it has too many."""
    columns = ("kind", "email", "fingerprint")
    was, is_now = (_lines_to_do(plan).values_list(*columns) for plan in (old, new))
    return is_now.difference(was).count(), was.difference(is_now).count()


def check_plan(run: Run) -> None:
    """Raise PlanRefused when definition, audience or list moved since the plan was made.

    The refusal says how far. What would be planned now is kept as an export of its own, ready to
    be looked at.
    """
    old = run.export
    list_was_gone = look_at_list(run)
    with transaction.atomic():
        new = SegmentExport.objects.create(
            segment=run.segment,
            segment_name=run.segment.name,
            exported_by=old.exported_by,
            plan_only=True,
            status=ExportStatus.PLANNED,
            phase=Phase.LIST,
        )
        facts = write_plan(new, run.segment, list_was_gone=list_was_gone)
        SegmentExport.objects.filter(pk=new.pk).update(finished_at=timezone.now(), **facts)
    if all(facts[name] == getattr(old, name) for name in _DECISIVE):
        new.delete()
        run.save(check_plan=False)
        return
    come, gone = moved(old, new)
    definition = "The definition changed" if facts["definition"] != old.definition else "It moved"
    raise PlanRefused(
        f"{definition} since this plan was made: {come} lines are new and {gone} no longer hold. "
        f"Nothing was sent. Look at export {new.pk}, which holds the plan as of now."
    )
