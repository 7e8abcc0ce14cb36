"""Sync with Brevo, step by step: plan, confirm or approve, watch, and what came of it.

Each step that changes something is a POST and names its permission. A run's page is the page of
its export, so it survives a closed browser; several runs share a page that names them all.
"""

from collections.abc import Callable, Iterable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.models import User
from accounts.reading import whole_number
from campaigns.admin.base import AdminView, CampaignsAdmin, guarded, url_if_any
from campaigns.admin.sync_words import Sight, is_left
from campaigns.audience.definition import problems_of
from campaigns.audience.explain import sentences_of
from campaigns.brevo import BrevoError, BrevoMisconfigured
from campaigns.enums import OPEN, ExportStatus
from campaigns.errors import CampaignsError, PlanRefused, SegmentBusy
from campaigns.models import Segment, SegmentExport
from campaigns.sync.outdated import is_redefined
from campaigns.sync.runs import apply_plan, cancel, request_sync
from campaigns.tasks import ring

Step = Callable[[SegmentExport, User], SegmentExport]

MOST_AT_ONCE = 100  # segments; their plans share one page
_SYNC = "campaigns.sync_segment"
_APPROVE = "campaigns.approve_plan"
_VIEW = "campaigns.view_segmentexport"
_UNCONFIRMED = (ExportStatus.WAITING, ExportStatus.CANCELLED)


@admin.action(description="Sync with Brevo…", permissions=["sync"])
def sync_action(
    model_admin: CampaignsAdmin,  # noqa: ARG001 -- Django's signature
    request: HttpRequest,
    queryset: QuerySet[Segment],
) -> HttpResponse | None:
    """Plan the chosen segments and show their plans: list it in the actions of their admin."""
    segments = list(queryset.order_by("name", "pk")[: MOST_AT_ONCE + 1])
    if len(segments) > MOST_AT_ONCE:
        messages.error(request, f"Choose at most {MOST_AT_ONCE} segments at a time.")
        return None
    return plan_each(request, segments)


class SyncPages(CampaignsAdmin):
    """The views of a sync; mixed into the admin of the exports."""

    def sync_urls(self) -> list[URLPattern]:
        """Return the paths, named ``admin:campaigns_sync_<step>``."""
        steps: dict[str, AdminView] = {
            "plan": self.plan_view,
            "apply": self.apply_view,
            "approve": self.approve_view,
            "cancel": self.cancel_view,
            "carry_on": self.carry_on_view,
            "again": self.again_view,
        }
        views = {step: self.acting(view, _came_from) for step, view in steps.items()}
        views["together"] = self.admin_site.admin_view(self.together_view)
        views["state"] = self._polled(self.admin_site.admin_view(self.state_view))
        return [
            path(f"sync/{step.replace('_', '-')}/", view, name=f"campaigns_sync_{step}")
            for step, view in views.items()
        ]

    def _polled(self, view: AdminView) -> AdminView:
        """Have the page ask for a login itself, instead of showing one where the bar was."""

        def polled(request: HttpRequest) -> HttpResponse:
            if "HX-Request" in request.headers and not self.admin_site.has_permission(request):
                return HttpResponse(headers={"HX-Refresh": "true"})
            return view(request)

        return polled

    @guarded(_SYNC, methods=("GET", "POST"))
    def plan_view(self, request: HttpRequest) -> HttpResponse:
        """Show the chosen segments; on POST make their plans."""
        asked = request.POST if request.method == "POST" else request.GET
        ids = numbers(asked, "ids")
        segments = list(Segment.objects.filter(pk__in=ids[:MOST_AT_ONCE]))
        if request.method == "POST" and segments:
            if (gone := len(ids[:MOST_AT_ONCE]) - len(segments)) > 0:
                told = f"Not planned: {gone} of the segments that you chose, which were deleted."
                messages.warning(request, told)
            return plan_each(request, segments)
        sentences, problems = sentences_of(segments), problems_of(segments)
        return self.own_page(
            request,
            "admin/campaigns/sync/plan.html",
            title="Sync with Brevo",
            chosen=[(s, sentences[s.pk], problems[s.pk]) for s in segments],
            may_be_planned=sum(not problems[s.pk] for s in segments),
            too_many=max(len(ids) - MOST_AT_ONCE, 0),
            segments_url=url_if_any("admin:campaigns_segment_changelist"),
        )

    @guarded(_VIEW)
    def together_view(self, request: HttpRequest) -> HttpResponse:
        """Show several runs on one page, from plan to result."""
        exports = _chosen(request.GET)
        if len(exports) == 1:
            return redirect(_page_of(exports))
        return self.own_page(
            request,
            "admin/campaigns/sync/together.html",
            title=f"Sync of {len(exports)} segments" if exports else "Sync of several segments",
            **_together(exports, request.GET),
            may_sync=self.has_sync_permission(request),
        )

    @guarded(_VIEW)
    def state_view(self, request: HttpRequest) -> HttpResponse:
        """Answer a poll: the fragment that changes, or the order to show the page anew."""
        exports = _chosen(request.GET)
        sight = Sight(exports, request.GET)
        shape = "run" if len(exports) == 1 else "runs"
        template = f"admin/campaigns/sync/_{shape}.html"
        response = TemplateResponse(request, template, {"sight": sight})
        if sight.key != request.GET.get("key"):
            response["HX-Refresh"] = "true"
        return response

    @guarded(_SYNC, methods=("POST",))
    def apply_view(self, request: HttpRequest) -> HttpResponse:
        """Confirm plans: each run performs exactly what was looked at."""
        return _each(request, _confirmer(request))

    @guarded(_APPROVE, methods=("POST",))
    def approve_view(self, request: HttpRequest) -> HttpResponse:
        """Release the brake for plans, once."""
        return _each(request, _confirmer(request, approve=True))

    @guarded(_SYNC, methods=("POST",))
    def cancel_view(self, request: HttpRequest) -> HttpResponse:
        return _each(request, lambda export, by: cancel(export, by=by))

    @guarded(_SYNC, methods=("POST",))
    def carry_on_view(self, request: HttpRequest) -> HttpResponse:
        """Ring again for runs that nobody is at work on."""
        return _each(request, lambda export, _: ring(export))

    @guarded(_SYNC, methods=("POST",))
    def again_view(self, request: HttpRequest) -> HttpResponse:
        """Plan the segments of these runs anew: whoever was refused stands in the new plan."""
        exports = _chosen(request.POST)
        segments = [export.segment for export in exports if export.segment is not None]
        if not segments:
            messages.error(request, "The segment was deleted: there is nothing to sync.")
            return redirect(_page_of(exports))
        return plan_each(request, segments)


def _came_from(request: HttpRequest) -> str:
    """Return the address of the page on which a step was asked for."""
    if ids := numbers(request.POST, "ids"):
        return f"{reverse('admin:campaigns_sync_plan')}?ids={','.join(map(str, ids))}"
    return _page_of_ids(_shown(request))


def _shown(request: HttpRequest) -> list[int]:
    """Return the ids of the runs that are shown together, the first that fit on a page."""
    shown = numbers(request.POST, "shown") or numbers(request.POST, "exports")
    return shown[:MOST_AT_ONCE]


def numbers(asked: QueryDict, name: str) -> list[int]:
    """Return the ids in ``?name=1,2&name=3``, each once."""
    texts = [text for value in asked.getlist(name) for text in str(value).split(",")]
    ids = [pk for pk in map(whole_number, texts) if pk is not None]
    return list(dict.fromkeys(ids))


def _chosen(asked: QueryDict) -> list[SegmentExport]:
    exports = SegmentExport.objects.filter(pk__in=numbers(asked, "exports")[:MOST_AT_ONCE])
    return list(exports.select_related("segment", "exported_by").order_by("segment_name", "pk"))


def _together(exports: list[SegmentExport], asked: QueryDict) -> dict[str, object]:
    """Return what the page of several runs shows."""
    sight = Sight(exports, asked)
    outdated = [export for export in exports if is_redefined(export)]
    planned = [e for e in exports if e.status == ExportStatus.PLANNED and e not in outdated]
    if sight.is_moving:
        headline = "At work"
    elif sight.is_at_work:
        headline = "Stalled: nobody is at work on these runs"
    elif len(planned) == len(exports):
        headline = "These are the plans: nothing has been sent yet"
    elif planned or outdated:
        headline = f"{len(planned) + len(outdated)} of {len(exports)} plans are not confirmed yet"
    else:
        headline = "What came of it"
    return {
        "sight": sight,
        "headline": headline,
        "planned": planned,
        "outdated": outdated,
        "confirm_label": f"Confirm {len(planned)} plan{'' if len(planned) == 1 else 's'}",
        "waiting": [export for export in exports if export.status == ExportStatus.WAITING],
        "still_open": [e for e in exports if e.status in OPEN and not e.cancel_requested],
        "left": [export for export in exports if is_left(export)],
    }


def _page_of(exports: Iterable[SegmentExport]) -> str:
    """Return the address of the page on which these runs are watched."""
    return _page_of_ids([export.pk for export in exports])


def _page_of_ids(ids: list[int]) -> str:
    if not ids:
        return reverse("admin:campaigns_segmentexport_changelist")
    if len(ids) == 1:
        return reverse("admin:campaigns_segmentexport_change", args=ids)
    return f"{reverse('admin:campaigns_sync_together')}?exports={','.join(map(str, ids))}"


def plan_each(request: HttpRequest, segments: Iterable[Segment]) -> HttpResponse:
    """Ask for a plan of each segment and show them; say which could not be asked for, and why."""
    ids: list[int] = []
    for segment in segments:
        try:
            export = request_sync(segment, by=_user(request), plan_only=True)
        except SegmentBusy as busy:
            if not _is_being_planned(busy.export_id):
                messages.warning(request, str(busy))
            ids.append(busy.export_id)
        except BrevoMisconfigured as error:
            messages.error(request, str(error))
            break  # it would be the same for every segment
        except (CampaignsError, BrevoError) as error:
            messages.error(request, str(error))
        else:
            ids.append(ring(export).pk)
    found = [pk for pk in ids if pk]
    if not found:
        return redirect(url_if_any("admin:campaigns_segment_changelist") or _page_of_ids([]))
    return redirect(_page_of_ids(found))


def _is_being_planned(export_id: int) -> bool:
    """Tell whether what was asked for is under way already, as after a double click."""
    return SegmentExport.objects.active().filter(pk=export_id, plan_only=True).exists()


def _confirmer(request: HttpRequest, *, approve: bool = False) -> Step:
    """Return the step that confirms a plan; whoever comes second learns that it is confirmed."""

    def confirm(export: SegmentExport, by: User) -> SegmentExport:
        try:
            return ring(apply_plan(export, by=by, approve=approve))
        except PlanRefused:
            if export.plan_only or export.status in _UNCONFIRMED:
                raise
            messages.info(request, f"{export} was confirmed already: this is what became of it.")
            return export

    return confirm


def _each(request: HttpRequest, step: Step) -> HttpResponse:
    """Take a step with each of the runs, and go back to their page."""
    exports = _chosen(request.POST)
    gone = len(numbers(request.POST, "exports")) - len(exports)
    if not exports:
        messages.error(request, "These runs are gone: there is nothing to do.")
    elif gone:
        messages.warning(request, f"Not done for {gone} of the runs: they are gone, or too many.")
    for export in exports:
        try:
            step(export, _user(request))
        except CampaignsError as error:
            messages.error(request, str(error))
        except BrevoError as error:
            messages.error(request, f"{export}: {error}")
    return redirect(_page_of_ids(_shown(request) if exports else []))


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User), "the admin lets nobody else in"
    return request.user
