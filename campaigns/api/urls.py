from django.urls import path
from rest_framework.renderers import JSONRenderer
from rest_framework.routers import SimpleRouter

from campaigns.api import refusals as refusals  # noqa: PLC0414 -- registers what errors become
from campaigns.api.spreadsheets import CSVRenderer
from campaigns.api.views.exports import (
    ChangeViewSet,
    ExportViewSet,
    MoveViewSet,
    StayViewSet,
)
from campaigns.api.views.others import CriterionViewSet, StatsViewSet, SuppressionViewSet
from campaigns.api.views.segments import SegmentViewSet

_CSV = {"renderer_classes": [CSVRenderer, JSONRenderer], "detail": True}

router = SimpleRouter(use_regex_path=False)
router.register("segments", SegmentViewSet, basename="segment")
router.register("exports", ExportViewSet, basename="export")
router.register("suppressions", SuppressionViewSet, basename="suppression")
router.register("criteria", CriterionViewSet, basename="criterion")

urlpatterns = [
    *router.urls,
    path("stats/", StatsViewSet.as_view({"get": "retrieve"}, detail=True), name="stats"),
    path(
        "segments/<int:segment_id>/exports/",
        ExportViewSet.as_view({"get": "list"}),
        name="segment-exports",
    ),
    path(
        "segments/<int:segment_id>/members/",
        StayViewSet.as_view({"get": "list"}, detail=False),
        name="segment-members",
    ),
    path(
        "segments/<int:pk>/preview.csv",
        SegmentViewSet.as_view({"get": "preview_csv"}, **_CSV),
        name="segment-preview-csv",
    ),
    path(
        "exports/<int:export_id>/changes/",
        ChangeViewSet.as_view({"get": "list"}, detail=False),
        name="export-changes",
    ),
    path(
        "exports/<int:export_id>/compare/",
        MoveViewSet.as_view({"get": "list"}, detail=False),
        name="export-compare",
    ),
    path(
        "exports/<int:export_id>/changes.csv",
        ChangeViewSet.as_view({"get": "csv"}, **_CSV),
        name="export-changes-csv",
    ),
]
