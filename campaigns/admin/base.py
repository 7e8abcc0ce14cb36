"""What the admin pages of campaigns share: guarded views, counts that stay cheap, colours."""

from collections.abc import Callable
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse

from campaigns.enums import ExportStatus

if TYPE_CHECKING:
    from django.contrib import admin

    ModelAdmin = admin.ModelAdmin[Any]
else:
    from unfold.admin import ModelAdmin

AdminView = Callable[..., HttpResponse]

# Unfold's colours of a label, for unfold.decorators.display(label=STATUS_COLOURS).
STATUS_COLOURS = {
    ExportStatus.QUEUED.value: "info",
    ExportStatus.RUNNING.value: "info",
    ExportStatus.PLANNED.value: "primary",
    ExportStatus.WAITING.value: "warning",
    ExportStatus.SUCCESS.value: "success",
    ExportStatus.PARTIAL.value: "warning",
    ExportStatus.FAILED.value: "danger",
    ExportStatus.CANCELLED.value: "default",
}


class CappedPaginator(Paginator[Any]):
    """Counts rows up to a limit only, so that a page of a table of millions stays cheap.

    The rest is reached by searching and filtering; the page says that there is more.
    """

    COUNTED_UP_TO = 10_000
    template_name = "admin/campaigns/pagination_capped.html"

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


def guarded(permission: str, *, methods: tuple[str, ...] = ("GET",)) -> Callable[..., AdminView]:
    """Let a method of an admin be a view: 405 for other methods, 403 without the permission.

    ``admin_site.admin_view`` proves no more than that somebody is staff. Name the permission in
    full: ``@guarded("campaigns.sync_segment", methods=("POST",))``.
    """

    def decorate(view: AdminView) -> AdminView:
        @wraps(view)
        def checked(self: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return view(self, request, *args, **kwargs)

        return checked

    return decorate


def url_if_any(name: str, *args: Any) -> str:
    """Return the address of a page, or "" where this installation has no such page."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


class CampaignsAdmin(ModelAdmin):
    """The base of every model's admin."""

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50

    def own_path(self, route: str, view: AdminView, verb: str) -> URLPattern:
        """Return the path of a view of ours, named ``admin:<app>_<model>_<verb>``."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_{verb}"
        return path(route, self.admin_site.admin_view(view), name=name)

    def own_page(
        self, request: HttpRequest, template: str, *, title: str, **context: Any
    ) -> TemplateResponse:
        """Render a page of ours inside the admin; extend ``admin/base_site.html``."""
        everywhere = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        return TemplateResponse(request, template, {**everywhere, **context})

    def found_or_404(self, request: HttpRequest, object_id: Any) -> Any:
        found = self.get_object(request, str(object_id))
        if found is None:
            raise Http404(f"There is no {self.opts.verbose_name} {object_id}.")
        return found

    def has_sync_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 -- Django's signature
        return request.user.has_perm("campaigns.sync_segment")

    def has_approve_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 -- Django's signature
        return request.user.has_perm("campaigns.approve_plan")
