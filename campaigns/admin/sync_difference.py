"""The page that compares two runs of one segment."""

from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict

from accounts.admin_lists import Asked
from accounts.reading import whole_number
from campaigns.audience.explain import sentence
from campaigns.errors import HistoryForgotten
from campaigns.models import ListMember, SegmentExport
from campaigns.sync.history import between

PAGE = 50
SIDES = ("joined", "left")
_CHOICES = 100  # earlier and later runs to choose from


def compared(export: SegmentExport, asked: QueryDict) -> dict[str, Any]:
    """Return what the page shows; without a choice, against the run before.

    Nothing is compared with a run that it cannot be compared with; ``asked`` can say so.
    """
    others = _others(export)
    read = Asked(asked)
    wanted = read.choice("with", {str(run.pk) for run in others})
    side = read.choice("side", SIDES)
    chosen = _chosen(others, export, wanted)
    if chosen is None or read.unknown:
        return {"asked": read, "others": others, "chosen": None}
    older, newer = sorted((export, chosen), key=lambda run: run.pk)
    runs = {"asked": read, "others": others, "chosen": chosen, "older": older, "newer": newer}
    try:
        difference = between(older, newer)
    except HistoryForgotten as error:
        return {**runs, "forgotten": str(error)}
    came, went = difference.joined(), difference.left()
    joined_count, left_count = came.count(), went.count()
    is_left = (side or ("left" if left_count and not joined_count else "")) == "left"
    members = _page(went if is_left else came, asked.get("after", ""))
    shown = members[:PAGE]
    return {
        **runs,
        "joined_count": joined_count,
        "left_count": left_count,
        "side": "left" if is_left else "joined",
        "moves": difference.told_left(shown) if is_left else difference.told_joined(shown),
        "next": shown[-1].pk if len(members) > PAGE else None,
        "is_first_page": "after" not in asked,
        "definitions": _definitions(older, newer),
    }


def _others(export: SegmentExport) -> list[SegmentExport]:
    """Return the runs it can be compared with: those that got as far as a plan."""
    if export.segment_id is None:
        return []
    runs = SegmentExport.objects.filter(segment=export.segment_id, planned_at__isnull=False)
    return list(runs.exclude(pk=export.pk).order_by("-pk")[:_CHOICES])


def _chosen(
    others: list[SegmentExport], export: SegmentExport, wanted: str
) -> SegmentExport | None:
    """Return the run that was asked for, else the one before, else the one after."""
    found = next((run for run in others if run.pk == whole_number(wanted)), None)
    if found is not None:
        return found
    before = (run for run in others if run.pk < export.pk)
    return next(before, others[-1] if others else None)


def _page(stays: QuerySet[ListMember], after: str) -> list[ListMember]:
    if (last := whole_number(after)) is not None:
        stays = stays.filter(pk__gt=last)
    return list(stays.select_related("user").order_by("pk")[: PAGE + 1])


def _definitions(older: SegmentExport, newer: SegmentExport) -> tuple[str, str] | None:
    """Return both definitions in words when they differ."""
    if older.definition == newer.definition:
        return None
    return sentence(older.definition), sentence(newer.definition)
