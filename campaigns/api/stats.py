"""Figures for a front page: a few small queries, none of which counts an audience."""

from typing import Any

from django.db.models import Count, Max, Min, Sum
from django.utils import timezone

from campaigns.audience.definition import problems_of
from campaigns.enums import ACTIVE, ExportStatus
from campaigns.models import Segment, SegmentExport, Suppression


def stats() -> dict[str, Any]:
    month = timezone.localtime().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    segments = Segment.objects.order_by()
    syncs = SegmentExport.objects.filter(plan_only=False).order_by()
    counted = syncs.values_list("status").annotate(number=Count("pk"))
    by_status: dict[str, int] = {str(status): number for status, number in counted}
    return {
        "total_segments": segments.count(),
        "total_syncs": sum(by_status.values()),
        "segments_this_month": segments.filter(created_at__gte=month).count(),
        "syncs_this_month": syncs.filter(exported_at__gte=month).count(),
        "broken_segments": sum(1 for problems in problems_of(segments).values() if problems),
        "syncs_by_status": by_status,
        "running": sum(by_status.get(status, 0) for status in ACTIVE),
        "waiting": by_status.get(ExportStatus.WAITING, 0),
        "last_sync_at": syncs.sent().aggregate(last=Max("finished_at"))["last"],
        "suppressions": Suppression.objects.count(),
        **_last_known_sizes(),
    }


def _last_known_sizes() -> dict[str, Any]:
    sizes = Segment.objects.order_by().aggregate(
        people_on_lists=Sum("mailable_size", default=0),
        largest_list=Max("mailable_size", default=0),
        sizes_known=Count("mailable_size"),
        oldest_size_at=Min("counted_at"),
    )
    return dict(sizes)
