"""Filters of the history of runs that stay cheap however many people the shop knows."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter

from accounts.enums import STAFF_ROLES
from accounts.models import User
from accounts.reading import day_begins, whole_number
from campaigns.models import SegmentExport


class AskedByFilter(DropdownFilter):
    """Who asked for a run: one of the staff, for nobody else can."""

    title = "who"
    parameter_name = "by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 -- Django's signature
        staff = User.objects.filter(role__in=STAFF_ROLES).order_by("first_name", "last_name", "pk")
        return [(str(user.pk), str(user)) for user in staff]

    def queryset(
        self,
        request: HttpRequest,  # noqa: ARG002 -- Django's signature
        queryset: QuerySet[SegmentExport],
    ) -> QuerySet[SegmentExport]:
        chosen = whole_number(self.value() or "")
        return queryset if chosen is None else queryset.filter(exported_by=chosen)


class AskedAtFilter(RangeDateFilter):
    """When a run was asked for: both days included."""

    def queryset(
        self,
        request: HttpRequest,  # noqa: ARG002 -- Django's signature
        queryset: QuerySet[SegmentExport],
    ) -> QuerySet[SegmentExport]:
        if first := day_begins(self._given("from")):
            queryset = queryset.filter(exported_at__gte=first)
        if end := day_begins(self._given("to"), days_later=1):
            queryset = queryset.filter(exported_at__lt=end)
        return queryset

    @property
    def not_understood(self) -> str:
        """The text that is no day, for the list to refuse."""
        given = (self._given("from"), self._given("to"))
        return next((text for text in given if text and day_begins(text) is None), "")

    def _given(self, end: str) -> str:
        return str(self.used_parameters.get(f"{self.field_path}_{end}", ""))
