# mypy: disallow-subclassing-any=False
# (the library of filters has no types)
"""What lists can be narrowed by. A value that cannot be meant is refused, not ignored."""

from collections.abc import Callable
from typing import Any

import django_filters as filters  # type: ignore[import-untyped] # none are published
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import BigIntegerField, Exists, OuterRef, Q, QuerySet, Subquery
from django_filters.rest_framework import (  # type: ignore[import-untyped] # none are published
    DjangoFilterBackend,
)
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ErrorDetail
from rest_framework.exceptions import ValidationError as Refused
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.request import Request

from accounts.models import User
from accounts.searching import PEOPLE, matching, words_of, words_q
from campaigns.api.fields import schema_of_value
from campaigns.api.filter_fields import MomentFilter, Ordering, PastMomentFilter, Search
from campaigns.audience.conditions import Condition
from campaigns.audience.criteria import CRITERIA
from campaigns.audience.criteria.criterion import Criterion
from campaigns.audience.criteria.operators import AnyOf
from campaigns.audience.definition import problems_of
from campaigns.audience.parsing import conditions_by_segment
from campaigns.enums import ACTIVE, ChangeKind, ExportStatus, Match, Outcome, SuppressionReason
from campaigns.models import (
    ExportChange,
    ListMember,
    Segment,
    SegmentExport,
    Suppression,
    never_synced,
)
from campaigns.models.flat import FLAT_NAMES
from campaigns.sync.history import members_at
from config.problems import as_http

Segments = QuerySet[Segment, Segment]


class Filters(DjangoFilterBackend):
    """Refuses what cannot be meant, in words that may hold whatever was sent, a percent sign too.

    The library's own translation takes such a message for a template and fails.
    """

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        filterset = self.get_filterset(request, queryset, view)
        if filterset is None:
            return queryset
        if blank := _left_blank(request, filterset):
            told = ErrorDetail("Give it a value, or leave it out.", code="blank")
            raise Refused({name: [told] for name in blank})
        if not filterset.is_valid():
            raise as_http(ValidationError(filterset.errors.as_data()))
        return filterset.qs


def _left_blank(request: Request, filterset: Any) -> list[str]:
    """Return the filters that a program gave no value: it would take the whole list for its part.

    A form in a browser sends all of its fields, and whoever looks sees what they left open. A
    search for nothing is one that finds everything.
    """
    if isinstance(request.accepted_renderer, BrowsableAPIRenderer):
        return []
    return [
        name
        for name, values in request.query_params.lists()
        if not isinstance(filterset.filters.get(name), filters.CharFilter | None)
        and not all(part.strip() for part in _parts(filterset.filters[name], values))
    ]


def _parts(filter_: filters.Filter, values: list[str]) -> list[str]:
    return ",".join(values).split(",") if isinstance(filter_, Ordering) else values


def may_be_repeated(filter_: filters.Filter) -> bool:
    """True of a filter that takes every value it is given, false where one would replace others."""
    return isinstance(filter_, filters.MultipleChoiceFilter | CriterionFilter)


class IdField(forms.IntegerField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=BigIntegerField.MAX_BIGINT, **kwargs)


@extend_schema_field({"type": "integer", "format": "int64", "minimum": 1})
class IdFilter(filters.Filter):
    field_class = IdField


class SeveralInput(forms.TextInput):
    """Takes a parameter that is given several times."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:  # noqa: ARG002 -- Django's hook
        given = data.getlist(name) if hasattr(data, "getlist") else [data.get(name) or ""]
        return [value for value in given if value.strip()]

    def format_value(self, value: Any) -> str:
        return ", ".join(value or ())


class CriterionValuesField(forms.Field):
    widget = SeveralInput

    def __init__(self, criterion: Criterion, **kwargs: Any) -> None:
        self.criterion = criterion
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> list[Any]:
        return list(self.criterion.parse(AnyOf(), value)) if value else []


class CriterionFilter(filters.Filter):
    """Keeps the segments with a condition, in a group too, that asks for any of the values.

    Texts are compared as the criterion compares them, whatever their case, which no database does
    alike: so one query brings the definitions of all segments, and Python looks into them.
    """

    field_class = CriterionValuesField

    def __init__(self, key: str) -> None:
        self.criterion = CRITERIA[key]
        super().__init__(field_name=key, label=self.criterion.label, criterion=self.criterion)

    def filter(self, qs: Segments, value: list[Any]) -> Segments:
        if not value:
            return qs
        same = self.criterion.answers.values.same
        wanted = {same(one) for one in value}
        held = conditions_by_segment().items()
        return qs.filter(pk__in=[pk for pk, found in held if self._asks(found, wanted)])

    def _asks(self, conditions: list[Condition], wanted: set[Any]) -> bool:
        same = self.criterion.answers.values.same
        return any(
            same(value) in wanted
            for condition in conditions
            if condition.criterion.key == self.criterion.key and condition.operator.key == "any_of"
            for value in condition.values
        )


def _criterion_filter(key: str) -> CriterionFilter:
    described = {"type": "array", "items": schema_of_value(CRITERIA[key])}
    kind: type[CriterionFilter] = type(f"{key}_filter", (CriterionFilter,), {})
    extend_schema_field(described)(kind)
    return kind(key)


def _ended(*statuses: ExportStatus) -> Q:
    """Match segments whose last run ended like this; plans that were only looked at are none."""
    over = (
        ExportStatus.SUCCESS,
        ExportStatus.PARTIAL,
        ExportStatus.FAILED,
        ExportStatus.CANCELLED,
    )
    runs = SegmentExport.objects.filter(segment=OuterRef("pk"), plan_only=False, status__in=over)
    last = Segment.objects.annotate(last=Subquery(runs.order_by("-pk").values("status")[:1]))
    return Q(pk__in=last.filter(last__in=statuses).values("pk"))


def _has_run(*statuses: ExportStatus) -> Q:
    return Q(Exists(SegmentExport.objects.filter(segment=OuterRef("pk"), status__in=statuses)))


def _broken() -> Q:
    """Match broken segments: a few queries, however many segments there are."""
    found = problems_of(Segment.objects.order_by())
    return Q(pk__in=[pk for pk, problems in found.items() if problems])


STATES: dict[str, tuple[str, Callable[[], Q]]] = {
    "synced": ("The last run succeeded", lambda: _ended(ExportStatus.SUCCESS)),
    "failed": (
        "The last run failed, or only partly worked",
        lambda: _ended(ExportStatus.FAILED, ExportStatus.PARTIAL),
    ),
    "never_synced": ("No run has worked yet", never_synced),
    "running": ("A run is queued or at work", lambda: _has_run(*ACTIVE)),
    "waiting": ("A plan waits for approval", lambda: _has_run(ExportStatus.WAITING)),
    "broken": ("The definition can no longer be trusted", _broken),
}


def _ordering(**fields: str) -> Ordering:
    return Ordering(fields=[(column, name) for name, column in fields.items()])


def _moment(column: str, lookup: str, label: str) -> Any:
    return MomentFilter(field_name=column, lookup_expr=lookup, label=label)


class SegmentFilter(filters.FilterSet):
    search = Search("name_key", "description", label="Each word in name or description")
    created_by = IdFilter(field_name="created_by_id", label="Id of who made it")
    match = filters.ChoiceFilter(choices=Match.choices, field_name="definition__match")
    state = filters.ChoiceFilter(
        choices=[(state, label) for state, (label, _) in STATES.items()],
        method="by_state",
        label="State",
    )
    ordering = _ordering(
        name="name_key",
        created_at="created_at",
        updated_at="updated_at",
        mailable_size="mailable_size",
        audience_size="audience_size",
        id="id",
    )

    class Meta:
        model = Segment
        fields: list[str] = []

    @classmethod
    def get_filters(cls) -> dict[str, Any]:
        """Add one for each criterion there is."""
        declared: dict[str, Any] = super().get_filters()
        ordering = declared.pop("ordering")
        criteria = {key: _criterion_filter(key) for key in FLAT_NAMES}
        return {**declared, **criteria, "ordering": ordering}

    def by_state(self, segments: Segments, _: str, state: str) -> Segments:
        return segments.filter(STATES[state][1]())


@extend_schema_field({"type": "boolean"})
class YesOrNo(filters.TypedChoiceFilter):
    """Takes true and false alone, where the library's own takes anything for unknown."""

    def __init__(self, **kwargs: Any) -> None:
        words = [("true", "Yes"), ("false", "No")]
        super().__init__(choices=words, coerce=lambda word: word == "true", **kwargs)


class PeopleFilter(filters.FilterSet):
    search = Search(*PEOPLE, label="Each word in name, e-mail or phone")


class ExportFilter(filters.FilterSet):
    status = filters.MultipleChoiceFilter(choices=ExportStatus.choices)
    plan_only = YesOrNo(label="Plans that were only looked at")
    segment = IdFilter(field_name="segment_id", label="Id of the segment")
    exported_by = IdFilter(field_name="exported_by_id", label="Id of who asked for it")
    exported_after = _moment("exported_at", "gte", "Asked for at this moment or later")
    exported_before = _moment("exported_at", "lt", "Asked for before this moment")
    finished_after = _moment("finished_at", "gte", "Over at this moment or later")
    finished_before = _moment("finished_at", "lt", "Over before this moment")
    ordering = _ordering(
        id="id", exported_at="exported_at", finished_at="finished_at", status="status"
    )

    class Meta:
        model = SegmentExport
        fields: list[str] = []


class ChangeFilter(filters.FilterSet):
    kind = filters.MultipleChoiceFilter(choices=ChangeKind.choices)
    outcome = filters.MultipleChoiceFilter(choices=Outcome.choices)
    search = Search(
        "email", "user__first_name", "user__last_name", label="Each word in e-mail address or name"
    )

    class Meta:
        model = ExportChange
        fields: list[str] = []


class StayFilter(filters.FilterSet):
    at = PastMomentFilter(label="The moment; without it, now")
    search = Search(label="Each word in name, e-mail or phone")

    class Meta:
        model = ListMember
        fields: list[str] = []

    def filter_queryset(self, stays: Any) -> Any:
        at, text = (self.form.cleaned_data[name] for name in ("at", "search"))
        for word in words_of(text):
            person = Q(user__in=User.objects.filter(words_q(word, PEOPLE)).values("pk"))
            stays = stays.filter(person | matching(word, ("email", "email_at_brevo")))
        return stays.current() if at is None else members_at(stays, at)


class SuppressionFilter(filters.FilterSet):
    search = Search("email", label="A part of the e-mail address")
    reason = filters.MultipleChoiceFilter(choices=SuppressionReason.choices)

    class Meta:
        model = Suppression
        fields: list[str] = []
