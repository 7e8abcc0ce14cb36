"""The cells of the segments' list."""

from collections.abc import Sequence

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from campaigns.admin.base import STATUS_COLOURS, url_if_any
from campaigns.admin.segment_rows import Row, Step
from campaigns.models import Segment, SegmentExport

WIDTH, HEIGHT = 72, 20
_UNCOUNTED = "Not counted: broken, or out of the database's reach."
UNKNOWN = mark_safe('<span class="seg-unknown">unknown</span>')


def name(row: Row) -> SafeString:
    """Return the name, with a mark on a broken segment; the list makes it a link."""
    if not row.problems:
        return format_html('<strong class="seg-name">{}</strong>', row.segment.name)
    return format_html(
        '<strong class="seg-name">{}</strong><span class="seg-broken">broken</span>',
        row.segment.name,
    )


def audience(row: Row, *, failed: bool = False) -> SafeString:
    """Return the last known sizes with their age, a way to count anew, and the trend.

    ``failed`` says that somebody has just asked for a count and there is none.
    """
    segment = row.segment
    return _cell(
        format_html(
            '<span class="seg-size">{}{}<a href="{}" aria-label="Preview {}">Preview</a>{}</span>',
            _size(segment),
            sparkline(row.trend),
            reverse("admin:campaigns_segment_preview", args=[segment.pk]),
            segment.name,
            _count_now(segment),
        ),
        _UNCOUNTED if failed else _age(segment),
    )


def _count_now(segment: Segment) -> SafeString:
    return format_html(
        '<button type="button" class="seg-count needs-scripts" hx-post="{}"'
        ' hx-target="closest .seg-cell" hx-swap="outerHTML" aria-label="Count now: {}">'
        '<span class="seg-idle">Count now</span>'
        '<span class="seg-busy" role="status">counting…</span></button>',
        reverse("admin:campaigns_segment_count", args=[segment.pk]),
        segment.name,
    )


def _cell(first: SafeString, note: str) -> SafeString:
    return format_html(
        '<span class="seg-cell">{}<span class="seg-note">{}</span></span>', first, note
    )


def _size(segment: Segment) -> SafeString:
    if segment.audience_size is None:
        return UNKNOWN
    return format_html('<strong class="seg-number">{}</strong>', f"{segment.audience_size:,}")


def _age(segment: Segment) -> str:
    if segment.counted_at is None or segment.mailable_size is None:
        return "never counted"
    return f"{segment.mailable_size:,} mailable, counted {naturaltime(segment.counted_at)}"


def sparkline(values: Sequence[int]) -> SafeString:
    """Return the values as a small line; "" for fewer than two."""
    if len(values) < 2:  # noqa: PLR2004 -- a line has two ends
        return SafeString("")
    low, high = min(values), max(values)
    step, span = WIDTH / (len(values) - 1), (high - low) or 1
    ys = [2 + (HEIGHT - 4) * (1 - (value - low) / span) for value in values]
    points = " ".join(f"{index * step:.1f},{y:.1f}" for index, y in enumerate(ys))
    told = f"Mailable at the last {len(values)} runs: {', '.join(f'{v:,}' for v in values)}"
    return format_html(
        '<svg class="seg-spark" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img">'
        '<title>{told}</title><polyline points="{points}"/></svg>',
        w=WIDTH,
        h=HEIGHT,
        told=told,
        points=points,
    )


def listed(row: Row) -> SafeString:
    """Return how many we have on the list, as the ledger stood after the last run."""
    if row.listed is None:
        words = "not synced yet" if not row.runs else "unknown"
        return format_html('<span class="seg-unknown">{}</span>', words)
    count, run = row.listed
    number = format_html('<span class="seg-number">{}</span>', f"{count:,}")
    return _cell(number, naturaltime(run.finished_at or run.exported_at))


def last_run(row: Row) -> SafeString:
    """Return the state of the last run, in colour and in words, with what came of it."""
    if row.last is None:
        return mark_safe('<span class="seg-note">never</span>')
    run = row.last
    words = "Stalled" if run.is_stalled else run.get_status_display()
    colour = "danger" if run.is_stalled else STATUS_COLOURS.get(run.status, "default")
    label = render_to_string("unfold/helpers/label.html", {"text": words, "type": colour})
    page = url_if_any("admin:campaigns_segmentexport_change", run.pk)
    linked = format_html('<a href="{}">{}</a>', page, label) if page else label
    return _cell(linked, f"{_outcome(run)}{naturaltime(run.exported_at)}")


def _outcome(run: SegmentExport) -> str:
    counts = [(run.added, "+"), (run.removed, "−")]  # noqa: RUF001 -- a minus sign
    moved = " ".join(f"{sign}{count:,}" for count, sign in counts if count)
    changed = f"{run.updated:,} updated" if run.updated else ""
    refused = f"{run.failed:,} refused" if run.failed else ""
    return "".join(f"{told}, " for told in (moved, changed, refused) if told)


def next_step(row: Row) -> SafeString:
    step = row.next_step
    css = "seg-step seg-broken" if row.problems else "seg-step"
    if href := _target(row.segment, step):
        return format_html('<a class="{}" href="{}">{}</a>', css, href, step.words)
    return format_html('<span class="{}">{}</span>', css, step.words)


def _target(segment: Segment, step: Step) -> str:
    if step.export is not None:
        return url_if_any("admin:campaigns_segmentexport_change", step.export.pk)
    if step.to == "plan":
        page = url_if_any("admin:campaigns_sync_plan")
        return f"{page}?ids={segment.pk}" if page else ""
    return reverse("admin:campaigns_segment_change", args=[segment.pk])
