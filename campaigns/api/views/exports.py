from operator import attrgetter
from typing import Any

from django.db.models import F, QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.utils import extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import spreadsheets
from campaigns.api.filters import ChangeFilter, ExportFilter, StayFilter
from campaigns.api.pagination import KeysetPages, Pages
from campaigns.api.running import carried_on
from campaigns.api.schema.exports import CHANGES, CHANGES_CSV, EXPORTS, MOVES, STAYS
from campaigns.api.serializers.exports import (
    ChangeSerializer,
    ComparisonSerializer,
    ExportSerializer,
    MoveSerializer,
    NothingSerializer,
    StaySerializer,
    full_name,
)
from campaigns.api.views.base import View
from campaigns.models import ExportChange, ListMember, Segment, SegmentExport
from campaigns.sync import runs
from campaigns.sync.history import between

_TOLD = ["email", "kind", "reason", "outcome", "message"]


@extend_schema_view(**EXPORTS)
class ExportViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, View):
    queryset = SegmentExport.objects.select_related("exported_by", "approved_by").order_by("-pk")
    serializer_class = ExportSerializer
    filterset_class = ExportFilter
    pagination_class = Pages
    model_name = "segmentexport"
    tag = "Campaigns: syncs"
    permissions = {"apply": "sync_segment", "approve": "approve_plan", "cancel": "sync_segment"}
    parameters = {"apply": ("wait",), "approve": ("wait",)}

    def get_queryset(self) -> QuerySet[SegmentExport]:
        """Return all runs, or those of the segment that the path names."""
        segment_id = self.kwargs.get("segment_id")
        if segment_id is None:
            return super().get_queryset()
        get_object_or_404(Segment.objects.all(), pk=segment_id)
        return super().get_queryset().filter(segment_id=segment_id)

    @action(detail=True, methods=["post"], serializer_class=NothingSerializer)
    def apply(self, request: Request, **_: Any) -> Response:
        export = self._asked(request)
        return carried_on(request, lambda: runs.apply_plan(export, by=self.caller))

    @action(detail=True, methods=["post"], serializer_class=NothingSerializer)
    def approve(self, request: Request, **_: Any) -> Response:
        export = self._asked(request)
        return carried_on(request, lambda: runs.apply_plan(export, by=self.caller, approve=True))

    @action(detail=True, methods=["post"], serializer_class=NothingSerializer)
    def cancel(self, request: Request, **_: Any) -> Response:
        export = runs.cancel(self._asked(request), by=self.caller)
        return Response(ExportSerializer(export).data)

    def _asked(self, request: Request) -> SegmentExport:
        export: SegmentExport = self.get_object()
        self.get_serializer(data=request.data).is_valid(raise_exception=True)
        return export


@extend_schema_view(**CHANGES)
class ChangeViewSet(mixins.ListModelMixin, View):
    queryset = ExportChange.objects.annotate(
        first_name=F("user__first_name"), last_name=F("user__last_name")
    )
    serializer_class = ChangeSerializer
    filterset_class = ChangeFilter
    pagination_class = KeysetPages
    model_name = "exportchange"
    tag = "Campaigns: syncs"
    permissions = {"csv": "view_exportchange"}
    filtered = ("list", "csv")

    def get_queryset(self) -> QuerySet[Any]:
        export = get_object_or_404(SegmentExport.objects.all(), pk=self.kwargs["export_id"])
        return super().get_queryset().filter(export=export)

    @CHANGES_CSV
    def csv(self, *_: Any, export_id: int) -> StreamingHttpResponse:
        changes = self.filter_queryset(self.get_queryset()).order_by("pk")
        stored = changes.values_list("pk", "user_id", "first_name", "last_name", *_TOLD)
        rows = (
            [pk, user, full_name(first, last), *told]
            for pk, user, first, last, *told in stored.iterator(chunk_size=2000)
        )
        return spreadsheets.streamed(f"export-{export_id}", ["id", "user", "name", *_TOLD], rows)


@extend_schema_view(**STAYS)
class StayViewSet(mixins.ListModelMixin, View):
    queryset = ListMember.objects.annotate(
        first_name=F("user__first_name"), last_name=F("user__last_name")
    )
    serializer_class = StaySerializer
    filterset_class = StayFilter
    pagination_class = KeysetPages
    model_name = "listmember"
    tag = "Campaigns: segments"

    def get_queryset(self) -> QuerySet[Any]:
        segment = get_object_or_404(Segment.objects.all(), pk=self.kwargs["segment_id"])
        return super().get_queryset().filter(segment=segment)


@extend_schema_view(**MOVES)
class MoveViewSet(View):
    queryset = ListMember.objects.all()
    serializer_class = MoveSerializer
    pagination_class = KeysetPages
    model_name = "segmentexport"
    tag = "Campaigns: syncs"
    parameters = {"list": ("against", "side")}

    def list(self, request: Request, *, export_id: int) -> Response:
        export = get_object_or_404(SegmentExport.objects.all(), pk=export_id)
        asked = ComparisonSerializer(data=request.query_params, context={"export": export})
        asked.is_valid(raise_exception=True)
        both = (export, asked.validated_data["against"])
        difference = between(*sorted(both, key=attrgetter("pk")))
        of_side = {
            "joined": (difference.joined, difference.told_joined),
            "left": (difference.left, difference.told_left),
        }
        stays, told = of_side[asked.validated_data["side"]]
        page = self.paginate_queryset(stays().select_related("user")) or []
        return self.get_paginated_response(MoveSerializer(told(page), many=True).data)
