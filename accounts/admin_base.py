"""What every admin page of ours builds on: unfold's looks, and lists that never count a table."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import quote, unquote
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.messages import WARNING
from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.db.models import CASCADE, QuerySet
from django.forms import Field, Media, ModelForm, SplitDateTimeField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, path, reverse

from accounts.admin_lists import ForgivingList, say_what_was_not_understood
from accounts.admin_unique import SavesOnce
from accounts.admin_versions import versioned
from accounts.reading import whole_number
from accounts.searching import TOO_LONG, is_too_long, search
from accounts.unfolded import ModelAdmin, Paginator, StackedInline


class CappedPaginator(Paginator):
    """Counts rows up to a limit only, so that a page of a table of millions stays cheap.

    The rest is reached by searching and filtering; the page says that there is more.
    """

    COUNTED_UP_TO = 10_000
    template_name = "admin/capped_pagination.html"

    @cached_property
    def _counted(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[: self.COUNTED_UP_TO + 1].count())

    @cached_property
    def count(self) -> int:
        return min(self._counted, self.COUNTED_UP_TO)

    @property
    def has_uncounted(self) -> bool:
        return self._counted > self.COUNTED_UP_TO


class UncountedList(ForgivingList):
    """Leaves the number of rows to the foot of the list, which knows how far they were counted.

    A value in the address that no column can hold, such as an id of 30 digits, is refused as
    Django refuses other filters that make no sense.
    """

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        for name, values in request.GET.lists():
            if "id" in name.split("__"):  # the theme looks up the ids of its filters once more
                self._refuse_impossible_ids(values)
        with _refusing_what_no_column_holds():
            return super().get_queryset(request, *args, **kwargs)

    @staticmethod
    def _refuse_impossible_ids(values: Iterable[str]) -> None:
        for text in ",".join(values).split(","):
            if text and whole_number(text) is None:
                raise IncorrectLookupParameters(f"{text[:40]} is no id.")

    def get_results(self, request: HttpRequest) -> None:
        with _refusing_what_no_column_holds():
            super().get_results(request)
        self.full_result_count = self.result_count


@contextmanager
def _refusing_what_no_column_holds() -> Iterator[None]:
    try:
        yield
    except (OverflowError, DataError) as error:
        raise IncorrectLookupParameters(error) from error


class SearchableSelect(AutocompleteSelect):
    """Looks up what was chosen, also where what was posted is no id: the form then says so."""

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        ids = [one for one in value if not one or whole_number(str(one)) is not None]
        return super().optgroups(name, ids, attrs)


class FastAdmin(SavesOnce):
    """A list and forms that stay fast at millions of rows.

    Give ``list_select_related`` and ``autocomplete_fields`` for the relations, and let people
    sort by indexed columns only (``sortable_by``). ``told_when_empty`` is for whoever meets a list
    without a row.
    """

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 30  # the theme takes 2 ms or more to draw a row
    list_max_show_all = 200
    list_filter_submit = True
    list_disable_select_all = True
    ordering: ClassVar[Any] = ("-id",)
    sortable_by: ClassVar[Any] = ()
    warn_unsaved_form = True
    empty_value_display = "—"
    told_when_empty = ""
    change_form_before_template = "admin/version.html"

    @property
    def media(self) -> Media:
        """Bring Select2 along, mended before any script makes a searchable list of it."""
        jquery = f"admin/js/vendor/jquery/jquery{'' if settings.DEBUG else '.min'}.js"
        select2 = "admin/js/vendor/select2/select2.full.js"
        own = ("accounts/sure-selects.js", "admin/js/jquery.init.js", "accounts/named-selects.js")
        return Media(js=[jquery, select2, *own]) + super().media

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[UncountedList]:  # noqa: ARG002 -- Django's hook
        return UncountedList

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        with say_what_was_not_understood(request):
            return super().get_changelist_instance(request)

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Field | None:
        """Name the two boxes of a moment, to which the theme gives a placeholder alone."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field, SplitDateTimeField):
            boxes: Any = field.widget
            for box, part in zip(boxes.widgets, ("date", "time"), strict=True):
                box.attrs["aria-label"] = f"{field.label}, {part}"
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", SearchableSelect(db_field, self.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_form(
        self,
        request: HttpRequest,
        obj: Any = None,
        change: bool = False,  # noqa: FBT001, FBT002 -- Django's signature
        **kwargs: Any,
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        return versioned(form) if change else form

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Do what Django does, unless a chosen row is none of the list, or is so no longer."""
        chosen = {whole_number(pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)}
        if None in chosen:
            self.message_user(request, "Nothing was done: choose rows of the list.", WARNING)
            return None
        gone = len(chosen) - queryset.filter(pk__in=chosen).count()
        if gone and "action" in request.POST:
            words = f"{gone} of the {len(chosen)} rows that you chose"
            told = f"Nothing was done: {words} left this list meanwhile. Look, then choose again."
            self.message_user(request, told, WARNING)
            return None
        return super().response_action(request, queryset, *args, **kwargs)

    def get_action_choices(
        self, request: HttpRequest, default_choices: Any = None, action_location: Any = None
    ) -> Any:
        """Do what unfold does, with the parameter that Django asks for since 6.1."""
        where = {} if action_location is None else {"action_location": action_location}
        first = default_choices or [("", "Select action")]
        return super(ModelAdmin, self).get_action_choices(request, first, **where)


class RelatedRows(StackedInline):
    """Rows of another model on the page of the one they belong to."""

    form = versioned(ModelForm)


class SearchesFolded(ModelAdmin):
    """Finds every word in any of ``search_fields``, by the rules of ``accounts.searching``."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if is_too_long(search_term):
            self.message_user(request, f"Nothing was searched. {TOO_LONG}", WARNING)
            return queryset.none(), False
        return search(queryset, search_term, self.get_search_fields(request)), False


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A part of an object's page that is fetched by itself, brought in by whichever app knows it.

    ``view`` is called with the request and the object, for a GET by somebody who has
    ``permission`` and may see the object; it must change nothing.
    """

    slug: str
    title: str
    permission: str
    view: Callable[[HttpRequest, Any], HttpResponse]
    open: bool = False


class PanelledAdmin(FastAdmin):
    """Shows panels below the form. Apps that this one may not import append to ``panels``."""

    panels: ClassVar[list[Panel]]
    change_form_outer_after_template = "admin/panels.html"

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<path:object_id>/{panel.slug}/",
                self.admin_site.admin_view(partial(self.panel_view, panel=panel)),
                name=self._name_of(panel),
            )
            for panel in self.panels
        ]
        return [*own, *super().get_urls()]

    def panel_view(self, request: HttpRequest, object_id: str, *, panel: Panel) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        found = self.get_object(request, unquote(object_id))
        if not (request.user.has_perm(panel.permission) and self.has_view_permission(request)):
            raise PermissionDenied
        if found is None:
            raise Http404(f"There is no {self.opts.verbose_name} {object_id}.")
        return panel.view(request, found)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        shown = kwargs.get("obj")
        if shown is not None:
            context["panels"] = [
                (panel, reverse(f"admin:{self._name_of(panel)}", args=[quote(shown.pk)]))
                for panel in self.panels
                if request.user.has_perm(panel.permission)
            ]
        return super().render_change_form(request, context, *args, **kwargs)

    def _name_of(self, panel: Panel) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{panel.slug}"


class BriefDeletion(ModelAdmin):
    """Counts what goes with an object that is deleted instead of listing it, row by row.

    Only for models whose relatives have no relatives of their own that would go too.
    """

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        counts: dict[str, str] = {str(self.opts.verbose_name_plural): str(len(objs))}
        missing: set[str] = set()
        for relation in self.opts.related_objects:
            model: Any = relation.related_model
            rows = model.objects.filter(**{f"{relation.field.name}__in": objs}).order_by("pk")
            lost = CappedPaginator(rows, 1)
            if relation.on_delete is not CASCADE or not lost.count:
                continue
            more = "+" if lost.has_uncounted else ""
            counts[str(model._meta.verbose_name_plural)] = f"{lost.count}{more}"
            if not self.admin_site.get_model_admin(model).has_delete_permission(request):
                missing.add(str(model._meta.verbose_name))
        if not all(self.has_delete_permission(request, each) for each in objs):
            missing.add(str(self.opts.verbose_name))
        return [str(each) for each in objs], counts, missing, []
