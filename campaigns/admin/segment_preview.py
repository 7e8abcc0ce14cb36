"""Who is in a segment: everybody, searched, sorted, as a file, and why."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, reverse
from django.utils.text import slugify

from accounts.models import User
from accounts.reading import whole_number
from campaigns.admin.base import CampaignsAdmin, guarded
from campaigns.admin.segment_people import CSV_HEADER, PAGE, People
from campaigns.audience.explain import sentence, why
from campaigns.errors import SegmentBroken
from campaigns.models import Segment
from campaigns.spreadsheets import BYTE_ORDER_MARK, streamed

MOST_AT_ONCE = 50
_VIEW = "campaigns.view_segment"
_TEMPLATES = "admin/campaigns/segment"


class SegmentPreview(CampaignsAdmin):
    """The preview's pages; mixed into the admin of the segments."""

    def get_urls(self) -> list[URLPattern]:
        return [
            self.own_path("preview/", self.several_view, "previews"),
            self.own_path("<int:object_id>/preview/", self.preview_view, "preview"),
            self.own_path("<int:object_id>/people.csv", self.csv_view, "csv"),
            self.own_path("<int:object_id>/why/<int:user_id>/", self.why_view, "why"),
            *super().get_urls(),
        ]

    @admin.action(description="Preview…", permissions=["view"])
    def preview_selected(
        self,
        _request: HttpRequest,
        queryset: QuerySet[Segment],
    ) -> HttpResponse:
        ids = ",".join(str(pk) for pk in queryset.values_list("pk", flat=True)[:MOST_AT_ONCE])
        return redirect(f"{reverse('admin:campaigns_segment_previews')}?ids={ids}")

    @guarded(_VIEW)
    def preview_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        segment = self.found_or_404(request, object_id)
        return self._preview(request, segment, [segment], "")

    @guarded(_VIEW)
    def several_view(self, request: HttpRequest) -> HttpResponse:
        """Show one of the chosen segments, with the way to each of the others."""
        ids = request.GET.get("ids", "")
        wanted = [pk for pk in map(whole_number, ids.split(",")) if pk is not None]
        segments = list(Segment.objects.filter(pk__in=wanted[:MOST_AT_ONCE]))
        if not segments:
            return redirect("admin:campaigns_segment_changelist")
        show = request.GET.get("show", "")
        shown = next((each for each in segments if str(each.pk) == show), segments[0])
        found = ",".join(str(each.pk) for each in segments)
        return self._preview(request, shown, segments, f"ids={found}&")

    def _preview(
        self, request: HttpRequest, segment: Segment, segments: list[Segment], prefix: str
    ) -> HttpResponse:
        people = People(segment, request.GET)
        people.asked.say(request)
        context: dict[str, Any] = {"people": people, "prefix": prefix, "problems": []}
        try:
            context["page"] = people.page()
        except SegmentBroken as broken:
            context["problems"] = broken.problems
        return self.own_page(
            request,
            f"{_TEMPLATES}/preview.html",
            title=f"Who is in “{segment.name}”",
            segment=segment,
            segments=segments if len(segments) > 1 else [],
            sentence=sentence(segment),
            page_size=PAGE,
            **context,
        )

    @guarded(_VIEW)
    def csv_view(self, request: HttpRequest, object_id: int) -> HttpResponseBase:
        segment = self.found_or_404(request, object_id)
        people = People(segment, request.GET)
        try:
            people.found()
        except SegmentBroken:
            return redirect("admin:campaigns_segment_preview", object_id)
        name = slugify(segment.name) or "segment"
        return streamed(name, CSV_HEADER, people.rows(), begin=BYTE_ORDER_MARK)

    @guarded(_VIEW)
    def why_view(self, request: HttpRequest, object_id: int, user_id: int) -> HttpResponse:
        """Say why somebody is in or out: a piece of a page for htmx, else a page."""
        segment = self.found_or_404(request, object_id)
        user = get_object_or_404(User, pk=user_id)
        answers, problems = [], []
        try:
            answers = why(user, segment)
        except SegmentBroken as broken:
            problems = broken.problems
        piece = "why.html" if request.headers.get("HX-Request") else "why_page.html"
        return self.own_page(
            request,
            f"{_TEMPLATES}/{piece}",
            title=f"{user} and “{segment.name}”",
            segment=segment,
            person=user,
            answers=answers,
            problems=problems,
        )
