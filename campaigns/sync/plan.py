"""Plan: write down the named difference between the mailable audience and the ledger.

The database computes it, in one statement and hence from one moment, however many people.
Nothing is sent. Who is held back, and why, is as ``campaigns.audience.mailable`` says.
"""

from typing import Any

from django.db import connection, transaction
from django.db.models import Count, QuerySet, TextField, Value
from django.db.models.functions import MD5, Cast, Concat
from django.utils import timezone

from accounts.models import User
from campaigns.audience.mailable import EXCLUSIONS, held_reasons_sql
from campaigns.audience.query_builder import audience
from campaigns.brevo import BrevoTemporary
from campaigns.enums import SAID_NO, ChangeKind, ExportStatus, Outcome, Phase
from campaigns.errors import PlanRefused
from campaigns.models import ExportChange, ExportChunk, ListMember, Segment, SegmentExport
from campaigns.sync import sql
from campaigns.sync.consent import mark_who_said_no
from campaigns.sync.digest import digest_of
from campaigns.sync.ledger import SEND_ALONE, UNKNOWN
from campaigns.sync.list_changes import settle
from campaigns.sync.list_identity import list_is_gone
from campaigns.sync.work import Run

_NO_SEGMENT = 0  # a ledger that nobody is in
_ANALYZE_ABOVE = 5_000
_DECISIVE = ("definition", "list_was_gone")

# Who is mailable and new joins; who is held back and on the list leaves; whoever is in the ledger
# but not in the audience under the same address leaves too. A contact that has another address at
# Brevo is not changed: sending ours would make a second one. A person has one line at most. A table
# is made of it, and nothing is asked for each row alone, because PostgreSQL then uses several
# processors: a million people take one second instead of five.
_DIFFERENCE = """
CREATE TEMPORARY TABLE campaigns_difference AS
WITH person (id, email, fingerprint, held) AS ({people}),
member AS ({members})
SELECT COALESCE(person.id, member.user_id) AS user_id,
    COALESCE(person.email, member.email) AS email,
    CASE WHEN person.id IS NULL THEN 'LEAVE'
         WHEN person.held <> '' AND member.id IS NULL THEN 'HELD_BACK'
         WHEN person.held <> '' THEN 'LEAVE'
         WHEN member.id IS NULL OR member.unconfirmed THEN 'JOIN'
         ELSE 'CHANGE' END AS kind,
    person.held AS reason,
    COALESCE(person.fingerprint, member.fingerprint) AS fingerprint,
    COALESCE(member.unconfirmed, FALSE) AS unconfirmed,
    COALESCE(member.fingerprint = %s, FALSE) AS alone
FROM {pairs}
WHERE person.id IS NULL OR member.id IS NULL OR person.held <> '' OR member.unconfirmed
    OR (member.fingerprint <> person.fingerprint AND NOT member.is_elsewhere)
    OR member.user_id <> person.id
"""
_MEMBERS = """
    SELECT id, user_id, email, fingerprint, FALSE AS unconfirmed,
        email_at_brevo > '' AND fingerprint NOT IN (%s, %s) AS is_elsewhere
    FROM {member}
    WHERE segment_id = %s AND removed_at IS NULL
"""
# Whoever is in a request of which nobody knows whether Brevo carries it out may be on the list, or
# may come to be: when they are not to be on it, they are taken off, until it is known.
_UNCONFIRMED = """
    UNION ALL
    SELECT MIN(line.id), MIN(line.user_id), line.email, NULL, TRUE, FALSE
    FROM {chunk} chunk
    JOIN {export} export ON export.id = chunk.export_id
    JOIN {change} line ON line.export_id = chunk.export_id AND line.kind = chunk.kind
        AND line.id BETWEEN chunk.first_change AND chunk.last_change
    WHERE export.segment_id = %s AND chunk.state IN ('SENDING', 'ACCEPTED', 'UNKNOWN')
        AND NOT EXISTS (
            SELECT 1 FROM {member} ours
            WHERE ours.segment_id = %s AND ours.removed_at IS NULL AND ours.email = line.email
        )
    GROUP BY line.email
"""
_PAIRS = {
    "postgresql": "person FULL JOIN member ON member.email = person.email",
    # SQLite has full joins from 3.39 only.
    "sqlite": """(SELECT email FROM person UNION SELECT email FROM member) everybody
        LEFT JOIN person ON person.email = everybody.email
        LEFT JOIN member ON member.email = everybody.email""",
}
# The lines are in the order of users: whoever reads a stretch of them reads a stretch of users.
_LINES = """
INSERT INTO {change}
    (export_id, user_id, email, kind, reason, outcome, message, fingerprint, without_phone,
     unconfirmed, alone)
SELECT %s, user_id, email, kind,
    COALESCE(reason, (SELECT CASE WHEN owner.email_key <> line.email THEN 'NEW_ADDRESS'
                                  ELSE 'NO_MATCH' END
                      FROM {user} owner WHERE owner.id = line.user_id), 'DELETED'),
    CASE kind WHEN 'HELD_BACK' THEN 'HELD_BACK' ELSE 'PENDING' END, '', fingerprint, FALSE,
    unconfirmed AND kind = 'LEAVE', alone
FROM campaigns_difference line ORDER BY user_id
"""


def look_at_list(run: Run) -> bool:
    """True when the segment's list is no longer there, so that everybody joins a new one.

    A plan that is only looked at does not need Brevo: when it is out of reach, the list is
    taken to be there. Raises ListNotOurs when the id leads to another list.
    """
    try:
        settle(run.client)
        return list_is_gone(run.client, run.segment)
    except BrevoTemporary:
        if not run.export.plan_only:
            raise
    return run.segment.brevo_list_id is None


def write_plan(
    export: SegmentExport, segment: Segment, *, list_was_gone: bool
) -> dict[str, object]:
    """Replace the export's lines by the difference as it is now; return what is to be saved of it.

    Call it inside a transaction that also saves what it returns. Raises SegmentBroken.
    """
    ledger = _NO_SEGMENT if list_was_gone else segment.pk
    ExportChange.objects.filter(export=export).delete()
    lines = _write_lines(export, segment, ledger)
    mark_who_said_no(export)
    before = ListMember.objects.current().filter(segment=ledger).count()
    if lines > _ANALYZE_ABOVE:
        sql.analyze(ExportChange)
    return _facts(export, before) | {
        "definition": segment.definition,
        "list_was_gone": list_was_gone,
        "plan_digest": digest(export),
        "planned_at": timezone.now(),
    }


def _write_lines(export: SegmentExport, segment: Segment, ledger: int) -> int:
    people_sql, people_params = held_reasons_sql(
        audience(segment), "email_key", "contact_fingerprint"
    )
    members_sql, members_params = _members(ledger)
    difference = _DIFFERENCE.format(
        people=people_sql,
        members=members_sql,
        pairs=_PAIRS[connection.vendor],
    )
    fingerprint = ListMember._meta.get_field("fingerprint")
    sent_alone = fingerprint.get_db_prep_value(SEND_ALONE, connection)
    params = [*people_params, *members_params, sent_alone]
    sql.expect_few_rows()
    sql.execute(difference, params)
    lines = _LINES.format(change=sql.table(ExportChange), user=sql.table(User))
    written = sql.execute(lines, [export.pk])
    sql.execute("DROP TABLE campaigns_difference", ())
    return written


def _members(ledger: int) -> tuple[str, list[Any]]:
    """Return the SQL for who is on the list as far as we know, or may be, and its parameters."""
    names = {
        "member": sql.table(ListMember),
        "change": sql.table(ExportChange),
        "chunk": sql.table(ExportChunk),
        "export": sql.table(SegmentExport),
    }
    fingerprint = ListMember._meta.get_field("fingerprint")
    unsent = [fingerprint.get_db_prep_value(mark, connection) for mark in (UNKNOWN, SEND_ALONE)]
    members, params = _MEMBERS.format(**names), [*unsent, ledger]
    if ExportChunk.objects.possibly_arriving().filter(export__segment=ledger).exists():
        return members + _UNCONFIRMED.format(**names), [*params, ledger, ledger]
    return members, params


def _facts(export: SegmentExport, before: int) -> dict[str, object]:
    lines = ExportChange.objects.filter(export=export).order_by()
    grouped = lines.values_list("kind", "reason", "unconfirmed").annotate(n=Count("id"))
    counted = list(grouped)

    def total(*kinds: ChangeKind) -> int:
        return sum(n for kind, _, _, n in counted if kind in kinds)

    joins, leaves = total(ChangeKind.JOIN), total(ChangeKind.LEAVE)
    unconfirmed = sum(n for _, _, is_unconfirmed, n in counted if is_unconfirmed)
    mailable = before - (leaves - unconfirmed) + joins
    excluding = {exclusion.reason for exclusion in EXCLUSIONS}
    held = sum(n for _, reason, _, n in counted if reason in excluding)
    return {
        "joins": joins,
        "leaves": leaves,
        "leaves_at_once": sum(
            n
            for kind, reason, is_unconfirmed, n in counted
            if kind == ChangeKind.LEAVE and (reason in SAID_NO or is_unconfirmed)
        ),
        "changes_planned": total(ChangeKind.CHANGE),
        "held_back": total(ChangeKind.HELD_BACK),
        "list_count_before": before,
        "users_count": mailable,
        "audience_count": mailable + held,
        "progress_done": 0,
        "progress_total": joins + leaves + total(ChangeKind.CHANGE),
    }


def _lines_to_do(export: SegmentExport) -> QuerySet[ExportChange]:
    return ExportChange.objects.filter(export=export, outcome=Outcome.PENDING).order_by()


def digest(export: SegmentExport) -> str:
    """Return the digest of what is left of the plan: who joins, who leaves, what is sent of whom.

    Whoever said no may have been taken off already, before the rest is approved.
    """
    space = Value(" ")
    mark = Cast("fingerprint", TextField())
    told = Concat("kind", space, "email", space, mark, output_field=TextField())
    return digest_of(_lines_to_do(export).values_list(MD5(told), flat=True))


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
    is_same = facts["plan_digest"] == digest(old)
    if is_same and all(facts[name] == getattr(old, name) for name in _DECISIVE):
        new.delete()
        run.save(check_plan=False)
        return
    come, gone = moved(old, new)
    taken_off = ExportChange.objects.filter(export=old, outcome=Outcome.DONE).exists()
    sent = "Only people who said no were taken off" if taken_off else "Nothing was sent"
    what = "The definition" if facts["definition"] != old.definition else "The audience or its list"
    raise PlanRefused(
        f"{what} changed since this plan was made: {gone} of its lines no longer hold, and {come} "
        f"are new. {sent}. Look at export {new.pk}, which holds the plan as of now."
    )
