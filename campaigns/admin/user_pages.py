"""What campaigns knows of one person, on the person's own page: panels of the user admin.

Accounts may not import campaigns, so they are handed to it here.
"""

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from accounts.admin import UserAdmin
from accounts.admin_base import Panel
from accounts.models import User
from accounts.reading import whole_number
from campaigns.audience.explain import memberships, why
from campaigns.audience.mailable import why_held
from campaigns.enums import Match
from campaigns.errors import SegmentBroken
from campaigns.models import ExportChange, ListMember, Segment, SegmentExport, Suppression

MOST_SHOWN = 50


def mailing(request: HttpRequest, user: User) -> HttpResponse:
    """Whether we may mail this person, and why not."""
    at_brevo = ListMember.objects.filter(user=user, email_at_brevo__gt="").values("email_at_brevo")
    theirs = Q(email=user.email_key) | Q(user=user) | Q(email__in=at_brevo)
    suppressions = Suppression.objects.filter(theirs).select_related("created_by")
    held = why_held(user)
    context = {"user": user, "held": held.label if held else "", "suppressions": suppressions}
    return render(request, "admin/campaigns/user/mailing.html", context)


def lists(request: HttpRequest, user: User) -> HttpResponse:
    """The Brevo lists this person is on by our doing, and was on before."""
    stays = ListMember.objects.filter(user=user).order_by("-id")[:MOST_SHOWN]
    names = Segment.objects.in_bulk({stay.segment_id for stay in stays})
    context = {
        "stays": [(stay, names.get(stay.segment_id)) for stay in stays],
        "most": MOST_SHOWN,
        "user": user,
    }
    return render(request, "admin/campaigns/user/lists.html", context)


def history(request: HttpRequest, user: User) -> HttpResponse:
    """What runs did for this person, newest first; plans that were never sent did nothing."""
    sent = SegmentExport.objects.sent().filter(pk=OuterRef("export"))
    lines = ExportChange.objects.filter(Exists(sent), user=user)
    lines = lines.select_related("export").order_by("-id")
    context = {"lines": lines[:MOST_SHOWN], "most": MOST_SHOWN}
    return render(request, "admin/campaigns/user/history.html", context)


def segments(request: HttpRequest, user: User) -> HttpResponse:
    """Every segment with whether this person is in it now; with ``?why=ID``, why that is so.

    Asks every segment, one small query each: hence only when somebody opens it.
    """
    if (segment_id := whole_number(request.GET.get("why", ""))) is not None:
        return _why(request, user, segment_id)
    found = memberships(user)
    groups = {
        "Is in": [each.segment for each in found if each.is_in],
        "Is not in": [each.segment for each in found if each.is_in is False],
    }
    broken = [each for each in found if each.is_in is None]
    context = {"user": user, "groups": groups, "broken": broken, "total": len(found)}
    return render(request, "admin/campaigns/user/segments.html", context)


def _why(request: HttpRequest, user: User, segment_id: int) -> HttpResponse:
    segment = get_object_or_404(Segment, pk=segment_id)
    try:
        answers, problem = why(user, segment), ""
    except SegmentBroken as broken:
        answers, problem = [], str(broken)
    asked_all = segment.match == Match.ALL
    context = {"answers": answers, "problem": problem, "asked_all": asked_all, "user": user}
    return render(request, "admin/campaigns/user/why.html", context)


PANELS = (
    Panel(
        slug="mailing",
        title="May we mail this person?",
        permission="campaigns.view_suppression",
        view=mailing,
        open=True,
    ),
    Panel(
        slug="segments",
        title="In which segments, and why",
        permission="campaigns.view_segment",
        view=segments,
    ),
    Panel(
        slug="lists",
        title="On which Brevo lists",
        permission="campaigns.view_segmentexport",
        view=lists,
    ),
    Panel(
        slug="runs",
        title="What runs did",
        permission="campaigns.view_segmentexport",
        view=history,
    ),
)
UserAdmin.panels.extend(PANELS)
