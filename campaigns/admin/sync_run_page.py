"""What the page of one run shows: its state in words, its people, its facts, the buttons."""

from datetime import datetime
from typing import Any

from django.conf import settings

from campaigns.admin import sync_words
from campaigns.admin.base import url_if_any
from campaigns.admin.sync_lines import KINDS, Lines
from campaigns.audience.explain import sentence
from campaigns.enums import ACTIVE, OPEN, ExportStatus, Outcome
from campaigns.models import ExportChange, SegmentExport
from campaigns.sync import outdated

_REFUSALS_READ = 200
_REFUSALS_SHOWN = 5

_HEADLINES = {
    ExportStatus.QUEUED: "Queued",
    ExportStatus.RUNNING: "At work",
    ExportStatus.PLANNED: "This is the plan: nothing has been sent yet",
    ExportStatus.WAITING: "The plan waits for approval: nothing has been sent yet",
    ExportStatus.SUCCESS: "Done: the list holds whom it should",
    ExportStatus.PARTIAL: "Partly done",
    ExportStatus.FAILED: "Failed",
    ExportStatus.CANCELLED: "Cancelled",
}
_REFUSED = "Not begun: things have moved since this plan was made"
_OUTDATED = "Out of date: things have moved since this plan was made"


def context(export: SegmentExport, lines: Lines) -> dict[str, Any]:
    """Return what the template needs, for a number of queries that does not grow."""
    is_over = export.status not in OPEN
    return {
        "export": export,
        "original": export,
        "runs": [export],
        "is_active": export.status in ACTIVE,
        "is_over": is_over,
        "is_plan": export.status in (ExportStatus.PLANNED, ExportStatus.WAITING),
        **_state(export, lines),
        "lines": lines,
        "page": lines.page(),
        "kinds": _kinds(export, lines),
        "outcomes": Outcome.choices,
        "no_lines": _no_lines(export, lines),
        "refused_address": lines.address(kind="", outcome=Outcome.REFUSED) + "#people",
        "open_outcomes": _open_outcomes(export, lines) if is_over else [],
        "proof": sync_words.proof_of(export),
        "definition": sentence(export.definition) if export.definition else "",
        "brevo_list": export.brevo_list_id or getattr(export.segment, "brevo_list_id", None),
        "moments": _moments(export),
        "took": sync_words.took(export) if is_over else "",
    }


def _open_outcomes(export: SegmentExport, lines: Lines) -> list[dict[str, Any]]:
    """Return how many people have an outcome that is none, each a link to them."""
    return [
        {
            "number": number,
            "label": Outcome(outcome).label.lower(),
            "address": lines.address(kind="", outcome=outcome) + "#people",
        }
        for outcome, number in sync_words.open_outcomes(export).items()
    ]


def _state(export: SegmentExport, lines: Lines) -> dict[str, Any]:
    segment_url = ""
    if export.segment_id is not None:
        segment_url = url_if_any("admin:campaigns_segment_change", export.segment_id)
    newer_plan = sync_words.newer_plan(export)
    at_once = outdated.may_be_compared_at_once(export)
    why_outdated = outdated.why_outdated(export, compare=at_once or lines.is_compared)
    return {
        "state": sync_words.state(export),
        "colour": sync_words.colour(export),
        "headline": _REFUSED if newer_plan else _headline(export, why_outdated),
        "why_outdated": why_outdated,
        "may_compare": outdated.is_unconfirmed(export) and not (at_once or lines.is_compared),
        "segment_url": segment_url,
        "is_left": sync_words.is_left(export),
        "left_in_words": _left_in_words(export),
        "brake": sync_words.brake_of(export),
        "newer_plan": newer_plan,
        "refusals": _refusals(export) if export.failed else [],
        "may_be_cancelled": export.status in OPEN and not export.cancel_requested,
        "confirm_label": "Sync and verify" if sync_words.is_empty_plan(export) else "Confirm",
        "again_label": "Retry what was refused" if export.failed else "Sync again",
        "again_variant": "default" if export.status == ExportStatus.SUCCESS else "primary",
    }


def _headline(export: SegmentExport, why_outdated: str) -> str:
    if why_outdated:
        return _OUTDATED
    if export.is_stalled:
        return "Stalled: nobody is at work on it"
    if export.status == ExportStatus.WAITING and export.removed:
        return f"The plan waits for approval: only {export.removed:,} who said no were taken off"
    if export.status == ExportStatus.PLANNED and sync_words.is_empty_plan(export):
        return "Nothing would change: the list is what it should be, as far as we know"
    return _HEADLINES[ExportStatus(export.status)]


def _left_in_words(export: SegmentExport) -> str:
    if export.status == ExportStatus.QUEUED:
        return (
            "No worker has taken this run up for more than a minute. It begins by itself as soon "
            "as one is running: tell whoever looks after this system. “Carry on” asks once more."
        )
    return (
        "This run has stalled: the process that was at work on it has fallen silent. Carry on "
        "takes it up where it was left, and nothing is done twice."
    )


def _refusals(export: SegmentExport) -> list[str]:
    """Return Brevo's words, each once, from the first lines that it refused."""
    refused = ExportChange.objects.filter(export=export, outcome=Outcome.REFUSED)
    found = refused.order_by("kind", "pk").values_list("message", flat=True)[:_REFUSALS_READ]
    return list(dict.fromkeys(message for message in found if message))[:_REFUSALS_SHOWN]


def _kinds(export: SegmentExport, lines: Lines) -> list[dict[str, Any]]:
    """Return the numbers of the plan, each a link to its people."""
    told = (
        ("join", export.joins, export.added),
        ("leave", export.leaves, export.removed),
        ("changed", export.changes_planned, export.updated),
        ("held back", export.held_back, None),
    )
    return [
        {
            "label": label,
            "planned": planned,
            "done": done,
            "is_chosen": lines.kind == kind,
            "address": lines.address(kind="" if lines.kind == kind else kind),
        }
        for kind, (label, planned, done) in zip(KINDS, told, strict=True)
    ]


def _no_lines(export: SegmentExport, lines: Lines) -> str:
    """Say why there is nobody to show, and what to do."""
    if lines.is_narrowed:
        return "Nobody fits: search for less, or show all."
    if export.planned_at is None:
        waits = export.status in ACTIVE
        return "The plan is being made." if waits else "The run ended before it made a plan."
    if sync_words.is_empty_plan(export) and not export.held_back:
        return "Nobody joined, left or changed: the list was up to date."
    days = settings.CAMPAIGNS_KEEP_CHANGES_DAYS
    return f"The names were cleared away: they are kept for {days} days. The counts stay."


def _moments(export: SegmentExport) -> list[tuple[str, datetime]]:
    moments = (
        ("Asked for", export.exported_at),
        ("Begun", export.started_at),
        ("Planned", export.planned_at),
        ("Approved", export.approved_at),
        ("Finished", export.finished_at if export.status not in OPEN else None),
    )
    return [(label, moment) for label, moment in moments if moment is not None]
