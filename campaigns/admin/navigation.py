"""What the sidebar offers: the pages that exist, to those who may see them."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static

from campaigns.admin.base import url_if_any

# Title, icon, page, and the permission it takes.
_CAMPAIGNS = (
    ("Segments", "group_work", "campaigns_segment_changelist", "campaigns.view_segment"),
    ("Exports", "sync", "campaigns_segmentexport_changelist", "campaigns.view_segmentexport"),
    ("Suppressions", "block", "campaigns_suppression_changelist", "campaigns.view_suppression"),
)
_BUSINESS = (
    ("People", "person", "accounts_user_changelist", "accounts.view_user"),
    ("Partnerships", "handshake", "accounts_partnership_changelist", "accounts.view_partnership"),
    ("Properties", "apartment", "properties_property_changelist", "properties.view_property"),
    ("Enrolments", "assignment", "properties_enrollment_changelist", "properties.view_enrollment"),
    ("Leads", "contact_phone", "properties_lead_changelist", "properties.view_lead"),
)
_GROUPS = (("Campaigns", _CAMPAIGNS), ("Business", _BUSINESS))


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return unfold's navigation."""
    home = {"title": "Dashboard", "icon": "dashboard", "link": url_if_any("admin:index")}
    groups = [{"title": title, "items": _items(request, pages)} for title, pages in _GROUPS]
    return [{"items": [home]}, *(group for group in groups if group["items"])]


def _items(request: HttpRequest, pages: tuple[tuple[str, ...], ...]) -> list[dict[str, Any]]:
    items = []
    for title, icon, page, permission in pages:
        link = url_if_any(f"admin:{page}")
        if link and request.user.has_perm(permission):
            items.append({"title": title, "icon": icon, "link": link})
    return items


def stylesheet(_request: HttpRequest) -> str:
    return static("campaigns/admin.css")


def script(_request: HttpRequest) -> str:
    return static("campaigns/admin.js")
