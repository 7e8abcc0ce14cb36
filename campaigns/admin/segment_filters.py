"""By what the list of segments is narrowed down."""

from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from accounts.models import User
from accounts.reading import whole_number
from campaigns.admin.segment_options import chosen
from campaigns.audience.criteria import CRITERIA
from campaigns.audience.definition import problems_of
from campaigns.enums import ExportStatus
from campaigns.models import Segment, SegmentExport
from properties.models import Property

if TYPE_CHECKING:
    from django.contrib.admin import SimpleListFilter as Filter
else:
    from unfold.contrib.filters.admin import DropdownFilter as Filter

Lookups = list[tuple[str, str]]
Segments = QuerySet[Segment, Segment]

_BROKEN, _NEVER = "BROKEN", "NEVER"


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
            runs = SegmentExport.objects.filter(segment=OuterRef("pk"), plan_only=False)
            return queryset.filter(~Exists(runs))
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
        return queryset.exclude(**{key: []}) if key in CRITERIA else queryset


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


def _named_properties() -> list[tuple[int, list[int]]]:
    """Return (segment, its properties): read in Python, for SQLite cannot look into JSON lists."""
    rows = Segment.objects.exclude(properties=[]).values_list("pk", "properties")
    return [(pk, [one for one in ids if isinstance(one, int)]) for pk, ids in rows]


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
