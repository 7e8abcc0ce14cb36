"""The brake: a plan that would empty much of a list waits for a person."""

from django.conf import settings

from campaigns.models import SegmentExport

_SMALL_LIST = 50  # members; below that a few people are a large share


def approval_reason(export: SegmentExport) -> str:
    """Return why the plan has to be approved first, or ``""`` when it need not.

    Whoever said no is not counted: they leave without approval.
    """
    before, leaves = export.list_count_before or 0, export.leaves - export.leaves_at_once
    if export.approved_at is not None or before < _SMALL_LIST:
        return ""
    if leaves * 100 <= before * settings.CAMPAIGNS_REMOVAL_BRAKE:
        return ""
    return (
        f"The plan removes {leaves} of {before} people from the list, more than "
        f"{settings.CAMPAIGNS_REMOVAL_BRAKE} %. Look at it, then approve or cancel it."
    )
