"""The history of runs: every sync with its plan, its outcome for each person, and its proof."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import URLPattern
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from accounts.reading import whole_number
from accounts.searching import TOO_LONG, is_too_long, words_of
from accounts.text import fold
from campaigns.admin import sync_run_page, sync_words
from campaigns.admin.base import guarded
from campaigns.admin.sync_difference import compared
from campaigns.admin.sync_filters import AskedAtFilter, AskedByFilter
from campaigns.admin.sync_lines import CSV_COLUMNS, Lines
from campaigns.admin.sync_pages import SyncPages
from campaigns.models import SegmentExport
from campaigns.spreadsheets import BYTE_ORDER_MARK, streamed

_VIEW = "campaigns.view_segmentexport"


@admin.register(SegmentExport)
class SegmentExportAdmin(SyncPages):
    list_display = ("segment_name", "state", "who", "when", "how_long", "size", "came_of_it")
    list_display_links = ("segment_name",)
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("segment", RelatedDropdownFilter),
        AskedByFilter,
        ("exported_at", AskedAtFilter),
    )
    list_filter_submit = True
    list_select_related = ("exported_by",)
    search_fields = ("segment_name",)
    search_help_text = "Search by the segment's name"
    told_when_empty = "Choose segments in the list of segments, then “Sync with Brevo…”."
    ordering = ("-id",)
    actions = None
    show_facets = admin.ShowFacets.NEVER  # they count everything

    def get_queryset(self, request: HttpRequest) -> QuerySet[SegmentExport]:
        return super().get_queryset(request).defer("proof", "definition")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Look into the names of segments in Python: they are few, and runs keep old ones."""
        if is_too_long(search_term):
            self.message_user(request, f"Nothing was searched. {TOO_LONG}", messages.WARNING)
            return queryset.none(), False
        if not (words := [fold(word) for word in words_of(search_term)]):
            return queryset, False
        names = SegmentExport.objects.order_by().values_list("segment_name", flat=True).distinct()
        found = [name for name in names if all(word in fold(name) for word in words)]
        return queryset.filter(segment_name__in=found), False

    @admin.display(description="State", ordering="status")
    def state(self, export: SegmentExport) -> SafeString:
        label = {"text": sync_words.state(export), "type": sync_words.colour(export)}
        return render_to_string("unfold/helpers/label.html", label)

    @admin.display(description="Who", empty_value="—")
    def who(self, export: SegmentExport) -> str | None:
        return str(export.exported_by) if export.exported_by else None

    @admin.display(description="When", ordering="exported_at")
    def when(self, export: SegmentExport) -> Any:
        return export.exported_at

    @admin.display(description="Took", empty_value="—")
    def how_long(self, export: SegmentExport) -> str | None:
        return sync_words.took(export) or None

    @admin.display(description="Mailable", empty_value="unknown")
    def size(self, export: SegmentExport) -> str | None:
        return None if export.users_count is None else f"{export.users_count:,}"

    @admin.display(description="What came of it")
    def came_of_it(self, export: SegmentExport) -> str:
        return sync_words.outcome_in_words(export)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 -- Django's signature
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 -- Django's signature
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 -- Django's signature
        return False

    def get_urls(self) -> list[URLPattern]:
        own = [
            *self.sync_urls(),
            self.own_path("<int:object_id>/people.csv", self.csv_view, "csv"),
            self.own_path("<int:object_id>/compare/", self.compare_view, "compare"),
        ]
        theirs: list[URLPattern] = super().get_urls()
        return own + theirs

    @guarded(_VIEW)
    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002 -- Django's signature
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a run as it is now: its plan, its progress, or its result."""
        export = _export(object_id)
        lines = Lines(export, request.GET)
        lines.asked.say(request)
        return self.own_page(
            request,
            "admin/campaigns/segmentexport/page.html",
            title=f"Export {export.pk} of {export.segment_name}",
            sight=sync_words.Sight([export], request.GET),
            may_sync=self.has_sync_permission(request),
            may_approve=self.has_approve_permission(request),
            **sync_run_page.context(export, lines),
            **(extra_context or {}),
        )

    @guarded(_VIEW)
    def csv_view(self, request: HttpRequest, object_id: int) -> StreamingHttpResponse:
        """Send the lines that the page shows, all of them."""
        export = _export(object_id)
        rows = Lines(export, request.GET).rows()
        return streamed(f"export-{export.pk}", CSV_COLUMNS, rows, begin=BYTE_ORDER_MARK)

    @guarded(_VIEW)
    def compare_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Show who came and who went between this run and another of the same segment."""
        export = _export(object_id)
        context = compared(export, request.GET)
        context["asked"].say(request)
        return self.own_page(
            request,
            "admin/campaigns/segmentexport/compare.html",
            title=f"What changed around export {export.pk}",
            export=export,
            original=export,
            **context,
        )


def _export(object_id: int | str) -> SegmentExport:
    if whole_number(str(object_id)) is None:
        raise Http404(f"There is no export {object_id}.")
    exports = SegmentExport.objects.select_related("segment", "exported_by", "approved_by")
    return get_object_or_404(exports, pk=object_id)
