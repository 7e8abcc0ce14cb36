"""The first page: how things stand, what waits for a person, and what to do next."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from campaigns.admin import dashboard_figures as figures
from campaigns.admin import sync_words
from campaigns.audience.definition import problems_of
from campaigns.brevo import BrevoError
from campaigns.enums import ExportStatus
from campaigns.models import Segment, SegmentExport
from campaigns.sync.gateway import connect


@dataclass(frozen=True)
class Step:
    """One thing to do, with where to do it."""

    title: str
    text: str
    url: str = ""
    link: str = ""
    is_done: bool = False


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what the first page shows: unfold's DASHBOARD_CALLBACK."""
    if not request.user.has_perm("campaigns.view_segment"):
        return context
    segments = list(Segment.objects.order_by("name", "pk"))
    runs, verified = figures.runs_this_month(), figures.last_verified()
    attention = figures.runs_that_need_somebody()
    days = figures.joined_and_left()
    has_synced = verified is not None or ExportStatus.SUCCESS in runs
    return context | {
        "title": "Dashboard",
        "people": figures.people_reached(),
        "segments_total": len(segments),
        "runs_this_month": sum(runs.values()),
        "runs_succeeded": runs.get(ExportStatus.SUCCESS, 0),
        "days": days,
        "joined_total": sum(day.joined for day in days),
        "left_total": sum(day.left for day in days),
        "chart": json.dumps(_chart(days)),
        "attention": [_noted(export) for export in attention],
        "key_is_set": bool(settings.BREVO_API_KEY),
        "may_ask": request.user.has_perm("campaigns.sync_segment"),
        "verified": verified,
        "first_steps": _first_steps(segments, has_synced=has_synced),
        "next_steps": _next_steps(segments, attention),
    }


@require_POST
@permission_required("campaigns.sync_segment", raise_exception=True)
def ask_brevo(request: HttpRequest) -> HttpResponse:
    """Ask Brevo whose account the key opens, and what is left of the budgets.

    A POST, so that nothing but a person's press spends one of the hour's requests.
    """
    context: dict[str, Any] = {}
    try:
        client = connect()
        try:
            context |= {"account": client.account(), "budget": client.budget()}
        finally:
            client.close()
    except BrevoError as error:
        context["error"] = error
    return render(request, "admin/campaigns/dashboard/brevo.html", context)


def own_urls() -> list[URLPattern]:
    """Return the pages that belong to no model."""
    view = admin.site.admin_view(ask_brevo)
    return [path("campaigns/brevo/account/", view, name="campaigns_brevo_account")]


# Unfold's hook for such pages.
setattr(admin.site, "extra_urls", own_urls)  # noqa: B010 -- Django's types do not know the hook


def _noted(export: SegmentExport) -> dict[str, Any]:
    return {
        "export": export,
        "state": sync_words.state(export),
        "colour": sync_words.colour(export),
        "told": export.error_message or _silence(export),
        "url": reverse("admin:campaigns_segmentexport_change", args=[export.pk]),
    }


def _silence(export: SegmentExport) -> str:
    if export.status == ExportStatus.WAITING:
        return f"{export.leaves:,} would leave the list: approve it, or cancel it."
    if export.status == ExportStatus.PLANNED:
        return "Nothing of it was sent yet: confirm it, or cancel it."
    if export.status == ExportStatus.QUEUED:
        return "Nobody has taken it up: is a worker running?"
    if export.status == ExportStatus.RUNNING:
        return "It fell silent: the next worker takes it up where it was left."
    return ""


def _chart(days: list[figures.Day]) -> dict[str, Any]:
    return {
        "labels": [f"{day.date:%d %b}" for day in days],
        "datasets": [
            {
                "label": "Joined",
                "data": [day.joined for day in days],
                "backgroundColor": "var(--color-primary-600)",
                "displayYAxis": True,
                "maxTicksXLimit": 10,
            },
            {
                "label": "Left",
                "data": [-day.left for day in days],
                "backgroundColor": "var(--color-base-500)",
            },
        ],
    }


def _first_steps(segments: list[Segment], *, has_synced: bool) -> list[Step]:
    """Return the way from an empty system to a first list; nothing once that is done."""
    steps = [
        Step(
            "Connect Brevo",
            "Have BREVO_API_KEY set to a key made in Brevo under SMTP & API: whoever runs this "
            "installation does that, and starts it anew.",
            is_done=bool(settings.BREVO_API_KEY),
        ),
        Step(
            "Describe an audience",
            "Say once whom you mean. The segment gets a list of its own in Brevo.",
            url=reverse("admin:campaigns_segment_add"),
            link="Make a segment",
            is_done=bool(segments),
        ),
        Step(
            "Sync it",
            "Look at the plan, with names, and confirm it. The list then holds whom you mean.",
            url=reverse("admin:campaigns_segment_changelist") if segments else "",
            link="Choose a segment",
            is_done=has_synced,
        ),
    ]
    return [] if all(step.is_done for step in steps) else steps


def _next_steps(segments: list[Segment], attention: list[SegmentExport]) -> list[Step]:
    """Return what to do next, the most pressing first."""
    list_url = reverse("admin:campaigns_segment_changelist")
    broken = sum(1 for problems in problems_of(segments).values() if problems)
    never = figures.number_never_synced()
    states = Counter(export.status for export in attention)
    steps = []
    if not settings.BREVO_API_KEY and segments:
        steps.append(Step("Set the key for Brevo", "Without BREVO_API_KEY nothing is synced."))
    if waiting := states[ExportStatus.WAITING]:
        steps.append(Step(_many(waiting, "plan waits", "plans wait"), "Approve or cancel, below."))
    if planned := states[ExportStatus.PLANNED]:
        title = _many(planned, "plan is not confirmed", "plans are not confirmed")
        steps.append(Step(title, "Nothing of it was sent yet: see below."))
    if left := states[ExportStatus.QUEUED] + states[ExportStatus.RUNNING]:
        told = "Start a worker, then see below."
        steps.append(Step(_many(left, "run is left lying", "runs are left lying"), told))
    if failed := states[ExportStatus.FAILED] + states[ExportStatus.PARTIAL]:
        told = "Below is what went wrong. Syncing again does only what is missing."
        steps.append(Step(_many(failed, "run went wrong", "runs went wrong"), told))
    if broken:
        title = _many(broken, "segment is broken", "segments are broken")
        told = "Nobody is counted or synced until it is repaired."
        steps.append(Step(title, told, url=f"{list_url}?state=BROKEN", link="Repair"))
    if never:
        title = _many(never, "segment was never synced", "segments were never synced")
        told = (
            "Its list is empty until then." if never == 1 else "Their lists are empty until then."
        )
        steps.append(Step(title, told, url=f"{list_url}?state=NEVER", link="Choose and sync"))
    return steps


def _many(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
