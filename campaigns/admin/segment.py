"""The segments: their list, their form, and what becomes of their Brevo lists."""

from copy import copy
from types import SimpleNamespace
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import actions as django_actions
from django.db.models import QuerySet
from django.forms import Field
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString

from accounts.admin_base import SearchesFolded, UncountedList
from accounts.columns import ChangedMeanwhile
from accounts.ordering import Ordered
from campaigns.admin import segment_columns as cells
from campaigns.admin.base import OutsideTransaction, guarded, url_if_any
from campaigns.admin.segment_builder import ACTION, apply_action
from campaigns.admin.segment_builder_page import builder_of
from campaigns.admin.segment_filters import (
    CreatorFilter,
    CriterionFilter,
    PropertyFilter,
    StateFilter,
)
from campaigns.admin.segment_form import DefinitionField, SegmentForm
from campaigns.admin.segment_live import answer, match_count, sample
from campaigns.admin.segment_options import offered
from campaigns.admin.segment_preview import SegmentPreview
from campaigns.admin.segment_rows import rows_of
from campaigns.admin.sync_pages import plan_each, sync_action
from campaigns.audience import sizes
from campaigns.audience.criteria import CRITERIA
from campaigns.audience.definition import problems
from campaigns.audience.explain import sentence
from campaigns.audience.named_rows import looked_up_once
from campaigns.audience.revision_words import summarize
from campaigns.audience.revisions import recorded
from campaigns.brevo import BrevoError
from campaigns.errors import CampaignsError, ListNotOurs
from campaigns.models import Segment
from campaigns.sync.gateway import connect
from campaigns.sync.given_up import lists_elsewhere, release

REVISIONS_SHOWN = 20
_VIEW = "campaigns.view_segment"


# As the theme shows a button beside “Save”.
SAVE_AND_SYNC = SimpleNamespace(
    action_name="_save_and_sync", description="Save and sync…", icon="", attrs=None
)


class SegmentList(UncountedList):
    """Looks up what the rows tell once for the whole page."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        segments: list[Any] = list(self.result_list)
        rows = rows_of(segments)
        for segment in segments:
            segment.row = rows[segment.pk]
        self.result_list = segments


@admin.register(Segment)
class SegmentAdmin(SearchesFolded, SegmentPreview, OutsideTransaction):
    form = SegmentForm
    list_display = ("name_cell", "audience_cell", "listed_cell", "last_run_cell", "next_cell")
    list_display_links = ("name_cell",)
    list_filter = (StateFilter, CriterionFilter, PropertyFilter, CreatorFilter)
    search_fields = ("name_key", "description")
    search_help_text = "Search names and descriptions"
    told_when_empty = "Say once whom you mean: a list in Brevo is then kept equal to it."
    ordering = (Ordered("name_key", text=True), "pk")
    sortable_by = ("name_cell", "audience_cell")
    actions = (
        "preview_selected",
        "count_now",
        sync_action,
        "release_lists",
        "delete_selected",
    )
    delete_confirmation_template = "admin/campaigns/segment/delete_confirmation.html"
    fieldsets = (
        (None, {"fields": ("name", "description")}),
        ("Definition", {"fields": ("definition",)}),
    )

    class Media:
        css = {
            "screen": (
                "admin/css/vendor/select2/select2.css",
                "admin/css/autocomplete.css",
                "campaigns/segment.css",
            )
        }
        js = ("admin/js/jquery.init.js", "campaigns/segment_form.js")

    ## The list

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[UncountedList]:  # noqa: ARG002 -- Django's hook
        return SegmentList

    @admin.display(description="Name", ordering=Ordered("name_key", text=True))
    def name_cell(self, segment: Any) -> SafeString:
        return cells.name(segment.row)

    @admin.display(description="Audience", ordering=Ordered("audience_size"))
    def audience_cell(self, segment: Any) -> SafeString:
        return cells.audience(segment.row)

    @admin.display(description="On the list")
    def listed_cell(self, segment: Any) -> SafeString:
        return cells.listed(segment.row)

    @admin.display(description="Last run")
    def last_run_cell(self, segment: Any) -> SafeString:
        return cells.last_run(segment.row)

    @admin.display(description="Next step")
    def next_cell(self, segment: Any) -> SafeString:
        return cells.next_step(segment.row)

    @admin.action(description="Count now", permissions=["view"])
    def count_now(self, request: HttpRequest, queryset: QuerySet[Segment]) -> None:
        unknown = [segment.name for segment in queryset if sizes.refresh(segment) is None]
        if unknown:
            words = f"Not counted, broken or out of the database's reach: {', '.join(unknown)}."
            self.message_user(request, words, messages.WARNING)
        elif counted := len(queryset):
            words = f"Counted {counted} segment{'' if counted == 1 else 's'}."
            self.message_user(request, words, messages.SUCCESS)

    @guarded(_VIEW, methods=("POST",))
    def count_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Count one segment and answer its cell of the list: a piece of a page for htmx."""
        segment = self.found_or_404(request, object_id)
        failed = sizes.refresh(segment) is None
        return HttpResponse(cells.audience(rows_of([segment])[segment.pk], failed=failed))

    ## The form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave the builder to those who may use it; others read the sentence beside."""
        may = self.has_change_permission(request, obj) if obj else True
        return self.fieldsets if may else self.fieldsets[:1]

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Field | None:
        if db_field.name == "definition":
            return DefinitionField()
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "description":
            field.widget.attrs["rows"] = 3
        return field

    def get_form(
        self,
        request: HttpRequest,
        obj: Any = None,
        change: bool = False,  # noqa: FBT001, FBT002 -- Django's signature
        **kwargs: Any,
    ) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        given = {name: getattr(request, name, None) for name in ("refusal", "shows", "typed")}
        return type(form.__name__, (form,), given)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show the form, or save it; what Brevo refuses is shown on the form as it was typed.

        A button of the builder, pressed where no script runs, changes the rows and saves nothing.
        """
        if request.method == "POST" and ACTION in request.POST:
            definition, steps, new = apply_action(request.POST)
            request.shows = {"steps": steps, "new": new}  # type: ignore[attr-defined] # see get_form
            request.typed = {**request.POST.dict(), "definition": definition}  # type: ignore[attr-defined]
            request.method = "GET"
        try:
            with looked_up_once():
                response = super().changeform_view(request, object_id, form_url, extra_context)
        except ChangedMeanwhile:  # after the form had been checked: checked again, it says by whom
            return self.changeform_view(request, object_id, form_url, extra_context)
        except (BrevoError, ListNotOurs) as error:
            request.refusal = error  # type: ignore[attr-defined] # for the form, see get_form
            return super().changeform_view(request, object_id, form_url, extra_context)
        saved = getattr(request, "saved_to_sync", None)  # planned once the save is committed
        return plan_each(request, [saved]) if saved else response

    def response_add(self, request: HttpRequest, obj: Any, *args: Any, **kwargs: Any) -> Any:
        self._note_sync(request, obj)
        return super().response_add(request, obj, *args, **kwargs)

    def response_change(self, request: HttpRequest, obj: Any) -> Any:
        self._note_sync(request, obj)
        return super().response_change(request, obj)

    def _note_sync(self, request: HttpRequest, segment: Segment) -> None:
        if SAVE_AND_SYNC.action_name in request.POST and self.has_sync_permission(request):
            request.saved_to_sync = segment  # type: ignore[attr-defined] # see changeform_view

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        if not change:
            obj.created_by = request.user
        with recorded(obj, by=request.user):  # type: ignore[arg-type] # only staff come here
            obj.save(expecting=form.expecting() if change else None)
        if obj.counted_at is None:
            sizes.refresh(obj)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        if self.has_sync_permission(request):
            context["actions_submit_line"] = [SAVE_AND_SYNC]
        segment: Segment | None = kwargs.get("obj")
        if segment is not None:
            revisions = segment.revisions.select_related("changed_by")[:REVISIONS_SHOWN]
            context["history"] = summarize(revisions)
            context["problems"] = problems(segment)
            if not self.has_change_permission(request, segment):
                context["sentence"] = sentence(segment)  # there is no form to count
            context["preview_url"] = reverse("admin:campaigns_segment_preview", args=[segment.pk])
            page = url_if_any("admin:campaigns_sync_plan")
            context["sync_url"] = f"{page}?ids={segment.pk}" if page else ""
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        return [
            self.own_path("builder/", self.builder_view, "builder"),
            self.own_path("row/", self.row_view, "row"),
            self.own_path("live/", self.live_view, "live"),
            self.own_path("sample/", self.sample_view, "sample"),
            self.own_path("<int:object_id>/count/", self.count_view, "count"),
            self.own_path("options/<slug:key>/", self.options_view, "options"),
            *super().get_urls(),
        ]

    @guarded(_VIEW, methods=("POST",))
    def live_view(self, request: HttpRequest) -> HttpResponse:
        """Count what the posted form describes; a POST for its length, it changes nothing."""
        return render(request, "admin/campaigns/segment/live.html", {"answer": answer(request)})

    @guarded(_VIEW, methods=("POST",))
    def builder_view(self, request: HttpRequest) -> HttpResponse:
        """Do what a button of the builder says, and answer the rows: a piece of a page for htmx."""
        definition, steps, new = apply_action(request.POST)
        builder = builder_of(definition, steps=steps, new=new)
        return render(request, "admin/campaigns/segment/builder.html", {"builder": builder})

    @guarded(_VIEW, methods=("POST",))
    def row_view(self, request: HttpRequest) -> HttpResponse:
        """Say how many customers match one row alone."""
        return HttpResponse(match_count(request))

    @guarded(_VIEW, methods=("POST",))
    def sample_view(self, request: HttpRequest) -> HttpResponse:
        return render(request, "admin/campaigns/segment/sample.html", {"people": sample(request)})

    @guarded(_VIEW)
    def options_view(self, request: HttpRequest, key: str) -> HttpResponse:
        """Answer a searchable list that asks for what fits the typed ``term``."""
        found = offered(key, request.GET.get("term", "")) if key in CRITERIA else []
        return JsonResponse({"results": [{"id": str(v), "text": label} for v, label in found]})

    @admin.action(description="Release lists that are not here", permissions=["sync"])
    def release_lists(self, request: HttpRequest, queryset: QuerySet[Segment]) -> None:
        """Let segments go of lists that are in another account, or are no longer theirs."""
        for segment in queryset:
            try:
                self.message_user(request, release(connect(), segment), messages.SUCCESS)
            except (BrevoError, CampaignsError) as error:
                self.message_user(request, str(error), messages.ERROR)

    ## Deletion

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the segments; their ledgers may have millions of rows, which nobody would read."""
        missing = set() if self.has_delete_permission(request) else {"segment"}
        named = [f"{segment} (Brevo list {segment.brevo_list_id})" for segment in objs]
        return named, {"segments": len(named)}, missing, []

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        try:
            return super().delete_view(request, object_id, extra_context)
        except (BrevoError, ListNotOurs) as error:
            self.message_user(request, f"The segment stays. {error}", messages.ERROR)
            return redirect("admin:campaigns_segment_change", object_id)

    def delete_model(self, request: HttpRequest, obj: Segment) -> None:
        """Delete a segment, and name the lists in other accounts that stay."""
        stay = lists_elsewhere(obj)
        super().delete_model(request, obj)
        for one in stay:
            self.message_user(request, f"{one} stays as it is.", messages.WARNING)

    @admin.action(description="Delete…", permissions=["delete"])
    def delete_selected(
        self, request: HttpRequest, queryset: QuerySet[Segment]
    ) -> HttpResponse | None:
        """Delete the chosen segments one by one; one that Brevo refuses to let go stays."""
        if not request.POST.get("post"):
            return django_actions.delete_selected(self, request, queryset)
        deleted = 0
        for segment in queryset:
            try:
                trace = copy(segment)
                self.delete_model(request, segment)
                self.log_deletions(request, [trace])  # type: ignore[arg-type] # it has no row any more
            except (BrevoError, ListNotOurs) as error:
                words = f"Segment “{segment}” stays. {error}"
                self.message_user(request, words, messages.ERROR)
            else:
                deleted += 1
        if deleted:
            words = f"Deleted {deleted} segment{'' if deleted == 1 else 's'}, with the Brevo lists."
            self.message_user(request, words, messages.SUCCESS)
        return None
