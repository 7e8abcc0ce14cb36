from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.history import CHANGE, log_action
from campaigns.api.filters import SuppressionFilter
from campaigns.api.pagination import Pages
from campaigns.api.schema import others as schema
from campaigns.api.serializers.others import (
    ChoiceSerializer,
    CriterionSerializer,
    NoteSerializer,
    StatsSerializer,
    SuppressionSerializer,
)
from campaigns.api.stats import stats
from campaigns.api.views.base import View, WritingView
from campaigns.audience.criteria import CRITERIA, Choice
from campaigns.models import Segment, Suppression


@extend_schema_view(**schema.SUPPRESSIONS)
class SuppressionViewSet(mixins.ListModelMixin, WritingView):
    queryset = Suppression.objects.select_related("created_by").order_by("-pk")
    filterset_class = SuppressionFilter
    pagination_class = Pages
    model_name = "suppression"
    tag = "Campaigns: suppressions"
    tagged = ("email", "reason", "source", "note", "other_causes")

    def create(self, request: Request, *_: Any, **__: Any) -> Response:
        """Answer 201, or 200 when an address that was suppressed has got another reason."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        last = Suppression.objects.values_list("pk", flat=True).first() or 0
        row = serializer.save(created_by=self.caller)
        if row.pk > last:
            return self.made(row, serializer.data)
        log_action(self.caller, row, CHANGE, "Added a reason through the API.")
        return self.changed(row, serializer.data)

    def get_serializer_class(self) -> Any:
        return NoteSerializer if self.action == "partial_update" else SuppressionSerializer

    def partial_update(self, request: Request, **_: Any) -> Response:
        noted = self.get_serializer(self.get_object(), data=request.data, partial=True)
        noted.is_valid(raise_exception=True)
        row = noted.save()
        return self.changed(row, SuppressionSerializer(row).data, ("note",))


@extend_schema_view(**schema.CRITERION_CALLS)
class CriterionViewSet(View):
    queryset = Segment.objects.none()
    serializer_class = CriterionSerializer
    pagination_class = None
    lookup_url_kwarg = "key"
    lookup_value_converter = "slug"
    model_name = "segment"
    tag = "Campaigns: criteria"
    permissions = {"choices": "view_segment"}
    parameters = {"choices": ("search",)}

    def list(self, *_: Any) -> Response:
        told = [self._told(key) for key in CRITERIA]
        return Response(CriterionSerializer(told, many=True).data)

    @action(detail=True, serializer_class=ChoiceSerializer)
    def choices(self, request: Request, key: str) -> Response:
        if key not in CRITERIA or CRITERIA[key].values is None:
            raise Http404(f"There is no criterion “{key}” with values to choose from.")
        found = CRITERIA[key].search(request.query_params.get("search", ""))
        return Response(_as_choices(found))

    def _told(self, key: str) -> dict[str, Any]:
        criterion = CRITERIA[key]
        every = criterion.choices()
        return {
            "key": key,
            "label": criterion.label,
            "help": criterion.help,
            "group": criterion.group,
            "kind": criterion.kind,
            "operators": [
                {
                    "key": operator.key,
                    "label": operator.label,
                    "operand": operator.schema(criterion.subject),
                }
                for operator in criterion.operators
            ],
            "choices": None if every is None else _as_choices(every),
            "choices_url": self.reverse_action("choices", args=[key]) if criterion.values else None,
        }


@extend_schema_view(**schema.STATS)
class StatsViewSet(View):
    queryset = Segment.objects.none()
    serializer_class = StatsSerializer
    pagination_class = None
    model_name = "segment"
    tag = "Campaigns: figures"

    def retrieve(self, *_: Any) -> Response:
        return Response(StatsSerializer(stats()).data)


def _as_choices(choices: list[Choice]) -> list[dict[str, Any]]:
    return [{"value": value, "label": label} for value, label in choices]
