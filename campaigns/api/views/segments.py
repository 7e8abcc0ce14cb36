from http import HTTPStatus
from operator import attrgetter
from typing import Any, cast

from django.db.models import QuerySet
from django.http import Http404, StreamingHttpResponse
from drf_spectacular.utils import extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User, UserQuerySet
from campaigns import spreadsheets
from campaigns.api.filters import PeopleFilter, SegmentFilter
from campaigns.api.pagination import KeysetPages, Pages
from campaigns.api.running import carried_on
from campaigns.api.schema.segments import PREVIEW_CSV, SEGMENTS
from campaigns.api.serializers.exports import RunOptionsSerializer
from campaigns.api.serializers.people import (
    AddressSerializer,
    AudienceMemberSerializer,
    WhySerializer,
)
from campaigns.api.serializers.segments import COLUMNS, DraftSerializer, SegmentSerializer
from campaigns.api.serializers.verification import VerificationSerializer
from campaigns.api.verification import verified
from campaigns.api.views.base import WritingView
from campaigns.audience.explain import sentence, why
from campaigns.audience.mailable import why_held, with_held_reason
from campaigns.audience.named_rows import looked_up_once
from campaigns.audience.parsing import DefinitionSource, definition_of
from campaigns.audience.query_builder import audience
from campaigns.models import ListMember, Segment, owners
from campaigns.sync.runs import request_sync

_FACTS = [field for field in AudienceMemberSerializer.Meta.fields if field != "mailable"]
_STORED = [fact for fact in _FACTS if fact != "name"] + ["first_name", "last_name"]
_facts, _held = attrgetter(*_FACTS), attrgetter("held_reason")


@extend_schema_view(**SEGMENTS)
class SegmentViewSet(mixins.ListModelMixin, WritingView):
    queryset = Segment.objects.select_related("created_by").order_by("name_key", "pk")
    serializer_class = SegmentSerializer
    filterset_class = SegmentFilter
    pagination_class: Any = Pages
    model_name = "segment"
    tag = "Campaigns: segments"
    tagged = COLUMNS
    locks_to_delete = False  # see destroy
    permissions = {
        "preview": "view_segment",
        "preview_draft": "view_segment",
        "preview_csv": "view_segment",
        "why": "view_segment",
        "why_by_email": "view_segment",
        "sync": "sync_segment",
        "plan": "sync_segment",
        "verify": "sync_segment",
    }
    parameters = {"sync": ("wait",), "plan": ("wait",), "why_by_email": ("email",)}
    paged = filtered = ("list", "preview", "preview_draft")
    unremembered = ("preview_draft",)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow a list of segments, or the people of one, but not the way to a segment."""
        is_meant = self.action == "list" or queryset.model is User
        return super().filter_queryset(queryset) if is_meant else queryset

    def create(self, request: Request, *_: Any, **__: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        with looked_up_once():
            return self.made(serializer.save(created_by=self.caller), serializer.data)

    def destroy(self, *_: Any, **__: Any) -> Response:
        """Delete the segment that the caller has seen; Brevo is waited for without any lock."""
        self.delete_row(self.get_object(), expecting=self.expected)
        return Response(status=HTTPStatus.NO_CONTENT)

    def update(self, request: Request, *_: Any, **__: Any) -> Response:
        return self._write(request, partial=False)

    def partial_update(self, request: Request, *_: Any, **__: Any) -> Response:
        return self._write(request, partial=True)

    def _write(self, request: Request, *, partial: bool) -> Response:
        serializer = self.get_serializer(self.get_object(), data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        with looked_up_once():
            return self.changed(serializer.save(), serializer.data, COLUMNS)

    @action(detail=True, pagination_class=KeysetPages, filterset_class=PeopleFilter)
    def preview(self, *_: Any, **__: Any) -> Response:
        return self._page_of(self.get_object())

    @action(
        detail=False,
        methods=["post"],
        url_path="preview",
        pagination_class=KeysetPages,
        filterset_class=PeopleFilter,
        serializer_class=DraftSerializer,
    )
    def preview_draft(self, request: Request) -> Response:
        return self._page_of(self._checked(request))

    @PREVIEW_CSV
    def preview_csv(self, *_: Any, **__: Any) -> StreamingHttpResponse:
        segment = self.get_object()
        people = _people(segment).order_by("pk").iterator(chunk_size=2000)
        rows = ([*_facts(person), not _held(person)] for person in people)
        return spreadsheets.streamed(f"segment-{segment.pk}", [*_FACTS, "mailable"], rows)

    @action(detail=True, url_path="why/<int:user_id>", serializer_class=WhySerializer)
    def why(self, *_: Any, user_id: int, **__: Any) -> Response:
        return self._why(self.get_object(), user_id)

    @action(detail=True, url_path="why", serializer_class=WhySerializer)
    def why_by_email(self, request: Request, **_: Any) -> Response:
        segment = self.get_object()
        asked = AddressSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        email = asked.validated_data["email"]
        user_id = owners([email]).get(email)
        if user_id is None:
            raise Http404("Nobody has this e-mail address, or was mailed under it.")
        return self._why(segment, user_id)

    def _why(self, segment: Segment, user_id: int) -> Response:
        user = get_object_or_404(User.objects.all(), pk=user_id)
        stay = ListMember.objects.current().filter(segment=segment, user=user).first()
        told = {
            "segment": segment.pk,
            "user": user.pk,
            "sentence": sentence(segment),
            "is_in": audience(segment).filter(pk=user.pk).exists(),
            "held_back": why_held(user) or "",
            "on_list": stay is not None,
            "answers": why(user, segment),
            "contact_id": stay.contact_id if stay else None,
            "email_at_brevo": stay.email_at_brevo if stay else "",
        }
        return Response(WhySerializer(told).data)

    @action(detail=True, methods=["post"], serializer_class=RunOptionsSerializer)
    def sync(self, request: Request, **_: Any) -> Response:
        return self._run(request, plan_only=False)

    @action(detail=True, methods=["post"], serializer_class=RunOptionsSerializer)
    def plan(self, request: Request, **_: Any) -> Response:
        return self._run(request, plan_only=True)

    @action(detail=True, methods=["post"], serializer_class=RunOptionsSerializer)
    def verify(self, request: Request, **_: Any) -> Response:
        segment, options = self.get_object(), self._checked(request)
        found = verified(segment, options["verify_level"])
        return Response(VerificationSerializer(found).data)

    def _run(self, request: Request, *, plan_only: bool) -> Response:
        segment, options = self.get_object(), self._checked(request)
        return carried_on(
            request, lambda: request_sync(segment, by=self.caller, plan_only=plan_only, **options)
        )

    def _page_of(self, described: DefinitionSource) -> Response:
        cast("KeysetPages", self.paginator).of = definition_of(described).group.as_json()
        page = self.paginate_queryset(self.filter_queryset(_people(described)))
        return self.get_paginated_response(AudienceMemberSerializer(page, many=True).data)

    def _checked(self, request: Request) -> Any:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data


def _people(described: DefinitionSource) -> UserQuerySet:
    """Return who matches now, with what the preview shows; raises SegmentBroken."""
    return with_held_reason(audience(described)).only(*_STORED)
