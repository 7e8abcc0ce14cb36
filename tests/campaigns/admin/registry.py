"""Everything the admin can be asked for, found by looking: new pages and actions are met too."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import Model
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django_tasks_db.models import DBTaskResult

from campaigns.enums import ChangeKind, ExportStatus
from campaigns.models import ExportChange, ListMember, SegmentExport, Suppression
from tests.factories import (
    make_agent,
    make_enrollment,
    make_lead,
    make_partner,
    make_segment,
)


@dataclass(frozen=True)
class Page:
    """One address under admin/, with what its parameters are called."""

    route: str
    name: str
    parameters: tuple[str, ...]

    @property
    def model(self) -> type[Model] | None:
        """The registered model that the page is about, by its place in the tree."""
        parts = self.route.split("/")
        for model in admin.site._registry:
            if parts[1:3] == [model._meta.app_label, model._meta.model_name]:
                return model
        return None

    @property
    def has_own_guard(self) -> bool:
        """True unless the page is there for everybody who may log in."""
        return self.name not in FOR_ALL_STAFF

    def url(self) -> str:
        values = {name: FILLED_BY[name](self.model) for name in self.parameters}
        return reverse(f"admin:{self.name}", kwargs=values)


# Pages that show nobody's data, or only what their visitor may see.
FOR_ALL_STAFF = {
    "index",
    "search",
    "login",
    "logout",
    "password_change",
    "password_change_done",
    "jsi18n",
    "view_on_site",
    "app_list",
}


def _row(model: type[Model] | None) -> Any:
    assert model is not None
    row = model._default_manager.order_by("pk").first()
    assert row is not None, f"populate() makes no {model._meta.label}: let it make one"
    return row.pk


def _user(_: Any) -> Any:
    return _row(apps.get_model("accounts", "User"))


FILLED_BY: dict[str, Callable[[type[Model] | None], Any]] = {
    "object_id": lambda model: _user(None) if model is None else _row(model),
    "id": _row,
    "user_id": _user,
    "key": lambda _: "agents",
    "app_label": lambda _: "accounts",
    "content_type_id": lambda _: ContentType.objects.get_by_natural_key("accounts", "user").pk,
}


def pages() -> list[Page]:
    """Return every named address under admin/."""
    found = [page for page in _walk(get_resolver()) if page.route.startswith("admin/")]
    return sorted({page.name: page for page in found if page.name}.values(), key=lambda p: p.route)


def _walk(resolver: URLResolver, prefix: str = "") -> Iterator[Page]:
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield Page(route, pattern.name or "", tuple(pattern.pattern.regex.groupindex))
        else:
            yield from _walk(pattern, route)


def model_pages(verb: str) -> list[Page]:
    """Return the pages of this verb of all registered models: changelist, add, change, delete."""
    names = {
        f"{model._meta.app_label}_{model._meta.model_name}_{verb}" for model in admin.site._registry
    }
    return [page for page in pages() if page.name in names]


def actions(model_admin: Any, request: HttpRequest) -> dict[str, Any]:
    """Return {name: function} of every action, Django's and unfold's, as this visitor has them."""
    found = {}
    for name, each in model_admin.get_actions(request).items():
        found[name] = each[0] if isinstance(each, tuple) else each.func
    if hasattr(model_admin, "actions_row"):
        for place in ("list", "row", "detail", "submit_line"):
            for each in getattr(model_admin, f"_get_base_actions_{place}")():
                found[each.action_name] = each.method
    return found


def populate() -> None:
    """Make a row of every model that has pages; needs a Brevo to make the segment's list in."""
    lead = make_lead(closed_by=make_agent())
    make_enrollment(user=make_partner(), property=lead.property)
    segment = make_segment(properties=[lead.property_id])
    export = SegmentExport.objects.create(
        segment=segment, segment_name=segment.name, status=ExportStatus.WAITING
    )
    email, user = lead.client.email, lead.client
    ExportChange.objects.create(export=export, user=user, email=email, kind=ChangeKind.JOIN)
    stay = {"fingerprint": "0" * 32, "added_at": export.exported_at, "added_by": export.pk}
    ListMember.objects.create(segment=segment, user=user, email=email, **stay)
    Suppression.objects.create(email=email)
    DBTaskResult.objects.create(
        task_path="campaigns.tasks.carry_on",
        args_kwargs={"args": [], "kwargs": {}},
        backend_name="default",
        queue_name="default",
        run_after=export.exported_at,
    )


def everything() -> dict[str, list[dict[str, Any]]]:
    """Return all rows of all tables; only sessions, which change by being used, are left out."""
    models = [model for model in apps.get_models() if model is not Session]
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values()) for model in models
    }


def without_sizes(rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Leave out what counting an audience remembers: whoever may look may count."""
    sizes = {"audience_size": None, "mailable_size": None, "counted_at": None}
    segments = [row | sizes for row in rows["campaigns.Segment"]]
    return rows | {"campaigns.Segment": segments}
