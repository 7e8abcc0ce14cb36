from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework_simplejwt.views import TokenViewBase

from accounts.api import serializers
from accounts.models import User
from accounts.tokens import end_family
from config.openapi import problems

_PAIR = OpenApiExample(
    "A pair of tokens",
    value={"access": "eyJhbGciOi…", "refresh": "eyJhbGciOi…"},
    response_only=True,
    status_codes=["200"],
)


_ME = OpenApiExample(
    "An admin",
    value={
        "id": 1,
        "name": "Ada Obi",
        "email": "ada@example.com",
        "first_name": "Ada",
        "last_name": "Obi",
        "role": "ADMIN",
        "permissions": ["campaigns.add_segment", "campaigns.sync_segment"],
    },
    response_only=True,
    status_codes=["200"],
)


class LogInView(TokenViewBase):
    """Open to everybody; ``accounts.log_in_limits`` counts the attempts that fail."""

    serializer_class = serializers.LogInSerializer

    @extend_schema(
        summary="Log in",
        description="Exchanges an e-mail address and a password for a pair of tokens. Failed "
        "attempts are counted for each address of a machine and for each e-mail address; too "
        "many are answered 429.",
        tags=["Accounts"],
        auth=[],
        request=serializers.LogInSerializer,
        responses={200: serializers.TokensSerializer, **problems(400, 401, 413, 429, 503)},
        examples=[
            OpenApiExample(
                "Log in",
                value={"email": "admin@example.com", "password": "correct horse battery"},
                request_only=True,
            ),
            _PAIR,
        ],
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().post(request, *args, **kwargs)


class RefreshView(TokenViewBase):
    serializer_class = serializers.RefreshSerializer

    @extend_schema(
        summary="Refresh a pair of tokens",
        description="Exchanges a refresh token for the next pair. A refresh token is good for "
        "one exchange. One that comes back a minute or more after its use ends its log-in.",
        tags=["Accounts"],
        auth=[],
        request=serializers.RefreshSerializer,
        responses={200: serializers.TokensSerializer, **problems(400, 401, 413, 503)},
        examples=[_PAIR],
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().post(request, *args, **kwargs)


class RevokeView(TokenViewBase):
    serializer_class = serializers.RevokeSerializer

    @extend_schema(
        summary="Log out",
        description="Ends a log-in: the refresh token, and every other that comes from the same "
        "log-in, is good for nothing any more. An access token ends by itself, within 15 minutes.",
        tags=["Accounts"],
        auth=[],
        request=serializers.RevokeSerializer,
        responses={204: None, **problems(400, 401, 413, 503)},
    )
    def post(self, request: Request, *_: Any, **__: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        end_family(serializer.validated_data["refresh"])
        return Response(status=HTTPStatus.NO_CONTENT)


class MeView(GenericAPIView[User]):
    permission_classes = [IsAdminUser]
    serializer_class = serializers.MeSerializer

    @extend_schema(
        summary="Show my profile",
        description="Who the caller is, and what their role allows.",
        tags=["Accounts"],
        responses={200: serializers.MeSerializer, **problems(401, 403, 503)},
        examples=[_ME],
    )
    def get(self, request: Request) -> Response:
        return Response(self.get_serializer(request.user).data)
