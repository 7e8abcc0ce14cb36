"""Whether a plan that waits to be confirmed is still what would be planned now."""

from django.db import OperationalError, transaction
from django.db.models import Q

from campaigns.audience.definition import problems
from campaigns.enums import ExportStatus
from campaigns.models import SegmentExport
from campaigns.sync.plan import digest, moved, write_plan

COMPARED_AT_ONCE = 20_000  # people; more take a second or longer
_UNCONFIRMED = (ExportStatus.PLANNED, ExportStatus.WAITING)
_DID_SOMETHING = Q(added__gt=0) | Q(updated__gt=0) | Q(removed__gt=0)


def is_unconfirmed(export: SegmentExport) -> bool:
    return export.status in _UNCONFIRMED and export.segment is not None


def is_redefined(export: SegmentExport) -> bool:
    """True when the segment asks something else than when this plan was made; costs no query."""
    segment = export.segment
    return (
        is_unconfirmed(export) and segment is not None and (segment.definition != export.definition)
    )


def may_be_compared_at_once(export: SegmentExport) -> bool:
    people = max(export.audience_count or 0, export.list_count_before or 0)
    return people <= COMPARED_AT_ONCE


def why_outdated(export: SegmentExport, *, compare: bool) -> str:
    """Return why an unconfirmed plan no longer holds, "" when it does as far as we looked.

    A few small queries; with ``compare`` the plan is made again besides, and thrown away. Brevo
    is not asked.
    """
    segment = export.segment
    if segment is None or not is_unconfirmed(export):
        return ""
    if is_redefined(export):
        return "The criteria of the segment were changed after this plan was made."
    if reasons := problems(segment):
        return f"The segment is broken: {' '.join(reasons)}"
    later = SegmentExport.objects.filter(_DID_SOMETHING, segment=segment, pk__gt=export.pk)
    if (newest := later.order_by("-pk").first()) is not None:
        return f"Sync {newest.pk} changed the list after this plan was made."
    return _how_far_moved(export) if compare else ""


def _how_far_moved(export: SegmentExport) -> str:
    assert export.segment is not None, "the caller has looked"
    now = SegmentExport(pk=-export.pk)  # its lines are gone again before anybody could see them
    try:
        with transaction.atomic():
            facts = write_plan(now, export.segment, list_was_gone=export.list_was_gone)
            is_same = facts["plan_digest"] == digest(export)
            come, gone = (0, 0) if is_same else moved(export, now)
            transaction.set_rollback(True)
    except OperationalError:
        return ""  # unknown: the run itself compares before it sends anything
    if is_same:
        return ""
    return (
        "People or the list changed after this plan was made. "
        f"Lines that no longer hold: {gone:,}; new lines: {come:,}."
    )
