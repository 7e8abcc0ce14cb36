"""What the admin pages of campaigns share: guarded views, counts that stay cheap, colours."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, TypeVar, cast

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse

from accounts.admin_base import FastAdmin
from campaigns.enums import ExportStatus

AdminView = Callable[..., HttpResponse]
View = TypeVar("View", bound=Callable[..., HttpResponseBase])

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


def guarded(permission: str, *, methods: tuple[str, ...] = ("GET",)) -> Callable[[View], View]:
    """Let a method of an admin be a view: 405 for other methods, 403 without the permission.

    ``admin_site.admin_view`` proves no more than that somebody is staff. Name the permission in
    full: ``@guarded("campaigns.sync_segment", methods=("POST",))``.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(self: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return view(self, request, *args, **kwargs)

        return cast("View", checked)

    return decorate


def url_if_any(name: str, *args: Any) -> str:
    """Return the address of a page, or "" where this installation has no such page."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


class OutsideTransaction(admin.ModelAdmin[Any]):
    """Mix in as the last base: pages that save or delete wait for Brevo, and hold no locks then.

    Django would put a transaction around the whole page.
    """

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        return self._changeform_view(request, object_id, form_url, extra_context)  # type: ignore[attr-defined] # Django's own

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        return self._delete_view(request, object_id, extra_context)  # type: ignore[attr-defined] # Django's own


class CampaignsAdmin(FastAdmin):
    """The base of every model's admin."""

    sortable_by: ClassVar[Any] = None

    def own_path(self, route: str, view: Callable[..., HttpResponseBase], verb: str) -> URLPattern:
        """Return the path of a view of ours, named ``admin:<app>_<model>_<verb>``."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_{verb}"
        return path(route, self.admin_site.admin_view(view), name=name)

    def acting(
        self, view: Callable[..., HttpResponseBase], came_from: Callable[[HttpRequest], str]
    ) -> Callable[..., HttpResponseBase]:
        """Wrap a view that takes a POST: whose session has ended comes back to the page before.

        The login would lead to the address of the view itself, which shows nothing on a GET.
        """
        inside = self.admin_site.admin_view(view)

        def acting(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method == "POST" and not self.admin_site.has_permission(request):
                return redirect_to_login(came_from(request), reverse("admin:login"))
            return inside(request, *args, **kwargs)

        return acting

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

    def has_sync_permission(self, request: HttpRequest, _obj: Any = None) -> bool:
        return request.user.has_perm("campaigns.sync_segment")

    def has_approve_permission(self, request: HttpRequest, _obj: Any = None) -> bool:
        return request.user.has_perm("campaigns.approve_plan")
