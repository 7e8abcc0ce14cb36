"""Filters of the history of runs that stay cheap however many people the shop knows."""

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date

from accounts.enums import STAFF_ROLES
from accounts.models import User
from campaigns.models import SegmentExport

if TYPE_CHECKING:
    from django.contrib.admin import FieldListFilter as RangeDateFilter
    from django.contrib.admin import SimpleListFilter as DropdownFilter
else:
    from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter


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
        chosen = self.value() or ""
        return queryset.filter(exported_by=int(chosen)) if chosen.isdecimal() else queryset


class AskedAtFilter(RangeDateFilter):
    """When a run was asked for: both days included."""

    def queryset(
        self,
        request: HttpRequest,  # noqa: ARG002 -- Django's signature
        queryset: QuerySet[SegmentExport],
    ) -> QuerySet[SegmentExport]:
        if first := self._day("from"):
            queryset = queryset.filter(exported_at__gte=first)
        if last := self._day("to"):
            queryset = queryset.filter(exported_at__lt=last + timedelta(days=1))
        return queryset

    def _day(self, end: str) -> datetime | None:
        """Return when the day begins; None for what is no day."""
        try:
            day = parse_date(str(self.used_parameters.get(f"{self.field_path}_{end}", "")))
        except ValueError:
            return None
        return timezone.make_aware(datetime.combine(day, time.min)) if day else None
