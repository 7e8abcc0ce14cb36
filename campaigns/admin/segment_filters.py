"""By what the list of segments is narrowed down."""

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter as Filter

from accounts.models import User
from accounts.reading import whole_number
from campaigns.admin.segment_options import chosen
from campaigns.audience.criteria import CRITERIA, Value
from campaigns.audience.definition import problems_of
from campaigns.audience.parsing import conditions_by_segment
from campaigns.enums import ExportStatus
from campaigns.models import Segment, SegmentExport, never_synced
from properties.models import Property

Lookups = list[tuple[str, str]]
Segments = QuerySet[Segment, Segment]

_BROKEN, _NEVER = "BROKEN", "NEVER"
_PROPERTIES = CRITERIA["properties"]


class StateFilter(Filter):
    title = "state of the last run"
    parameter_name = "state"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Lookups:
        states = [(status.value, str(status.label)) for status in ExportStatus]
        return [(_BROKEN, "Broken"), (_NEVER, "Never synced"), *states]

    def queryset(self, _request: HttpRequest, queryset: Segments) -> Segments:
        state = self.value()
        if state == _BROKEN:
            found = problems_of(Segment.objects.all())
            return queryset.filter(pk__in=[pk for pk, problems in found.items() if problems])
        if state == _NEVER:
            return queryset.filter(never_synced())
        if state not in ExportStatus.values:
            return queryset
        runs = SegmentExport.objects.filter(segment=OuterRef("pk")).order_by("-pk")
        last = queryset.alias(last_status=Subquery(runs.values("status")[:1]))
        return last.filter(last_status=state)


class CriterionFilter(Filter):
    title = "criterion used"
    parameter_name = "criterion"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Lookups:
        return [(key, criterion.label) for key, criterion in CRITERIA.items()]

    def queryset(self, _request: HttpRequest, queryset: Segments) -> Segments:
        key = self.value()
        if key not in CRITERIA:
            return queryset
        held = conditions_by_segment().items()
        using = [pk for pk, found in held if any(each.criterion.key == key for each in found)]
        return queryset.filter(pk__in=using)


class PropertyFilter(Filter):
    """Segments that name a property; also one that is gone."""

    title = "property"
    parameter_name = "property"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Lookups:
        used = {pk for _, ids in _named_properties() for pk in ids}
        names = dict(Property.objects.filter(pk__in=used).values_list("pk", "name"))
        gone = sorted(used - names.keys())
        named = sorted(names.items(), key=lambda pair: pair[1])
        return [(str(pk), name) for pk, name in [*named, *chosen("properties", gone)]]

    def queryset(self, _request: HttpRequest, queryset: Segments) -> Segments:
        wanted = self.value()
        if not wanted:
            return queryset
        found = [pk for pk, ids in _named_properties() if wanted in map(str, ids)]
        return queryset.filter(pk__in=found)


def _named_properties() -> list[tuple[int, list[Value]]]:
    """Return (segment, the properties it names)."""
    return [
        (pk, [value for each in found if each.criterion is _PROPERTIES for value in each.values])
        for pk, found in conditions_by_segment().items()
    ]


class CreatorFilter(Filter):
    title = "creator"
    parameter_name = "creator"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Lookups:
        creators = Segment.objects.exclude(created_by=None).values("created_by")
        people = User.objects.filter(pk__in=creators).order_by("first_name", "last_name", "pk")
        return [(str(person.pk), str(person)) for person in people]

    def queryset(self, _request: HttpRequest, queryset: Segments) -> Segments:
        creator = whole_number(self.value() or "")
        return queryset if creator is None else queryset.filter(created_by=creator)
