"""Whether a list and its segment still are what the last run made them, with names."""

from dataclasses import asdict
from typing import Any

from campaigns.enums import ChangeKind, VerifyLevel
from campaigns.errors import PlanRefused
from campaigns.models import ExportChange, Segment
from campaigns.sync.drift import Drift, drift
from campaigns.sync.gateway import connect

_NAMES = 100
_ON_THE_LIST = ("missing", "unexpected", "held_by_others", "other_address")
_WOULD = {
    "would_join": ChangeKind.JOIN,
    "would_leave": ChangeKind.LEAVE,
    "would_change": ChangeKind.CHANGE,
}


def verified(segment: Segment, level: VerifyLevel) -> dict[str, Any]:
    """Read the list back, plan anew, and return what moved since the last run.

    Sends nothing. Raises SegmentBroken, SegmentBusy, PlanRefused or BrevoError.
    """
    found = drift(connect(), segment, level)
    if not found.is_known:
        raise PlanRefused(found.plan.error_message or f"{found.plan} did not come to an end.")
    return _told(segment, found)


def _told(segment: Segment, found: Drift) -> dict[str, Any]:
    plan, proof = found.plan, found.proof
    no_names: dict[str, list[str]] = {key: [] for key in _ON_THE_LIST}
    return {
        **asdict(proof),
        "segment": segment.pk,
        "list_moved": found.of_list,
        "segment_moved": found.of_segment,
        "would_join": plan.joins,
        "would_leave": plan.leaves,
        "would_change": plan.changes_planned,
        "names": no_names | proof.names | {key: _emails(plan.pk, key) for key in _WOULD},
        "plan": plan,
    }


def _emails(plan_id: int, key: str) -> list[str]:
    lines = ExportChange.objects.filter(export_id=plan_id, kind=_WOULD[key]).order_by("pk")
    return list(lines.values_list("email", flat=True)[:_NAMES])
