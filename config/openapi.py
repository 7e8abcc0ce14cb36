"""What the schema says of every call alike: how to log in, and how errors look."""

from http import HTTPStatus
from typing import Any

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from config.problems import MEDIA_TYPE


class BearerScheme(SimpleJWTScheme):  # type: ignore[no-untyped-call] # the library has no types
    target_class = "rest_framework_simplejwt.authentication.JWTAuthentication"
    name = "JWT-auth"
    priority = 1


class FieldErrorSerializer(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="The field; `non_field_errors` for the whole.")
    code = serializers.CharField()
    message = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """A problem document as RFC 9457 describes it."""

    type = serializers.CharField(help_text="`about:blank`, or a URN that names the problem.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="A sentence for people.")
    errors = FieldErrorSerializer(many=True, required=False)  # type: ignore[assignment] # a field
    export = serializers.IntegerField(required=False, help_text="409: the run that is at work.")
    brevo_code = serializers.CharField(required=False, help_text="502: the code Brevo gave.")
    brevo_message = serializers.CharField(required=False, help_text="502: Brevo's own words.")


_DETAILS = {
    400: "name: Give the segment a name.",
    401: "Authentication credentials were not provided.",
    403: "You do not have permission to perform this action.",
    404: "No Segment matches the given query.",
    409: "Segment “Women in Lagos” is being synced already (export 17): wait until it has "
    "finished, or cancel it.",
    413: "The body is too large: send less in one request.",
    429: "Request was throttled. Expected available in 42 seconds.",
    502: 'Brevo does not know the API key: "Key not found". Make a new key in Brevo under '
    "SMTP & API, and set BREVO_API_KEY to it.",
}
_MORE: dict[int, dict[str, Any]] = {
    400: {
        "errors": [{"field": "name", "code": "blank", "message": "Give the segment a name."}],
    },
    409: {"type": "urn:problem:segment-busy", "export": 17},
    502: {
        "type": "urn:problem:brevo",
        "brevo_code": "unauthorized",
        "brevo_message": "Key not found",
    },
}
_MEANINGS = {
    400: "What was sent is wrong; `errors` names each field or parameter.",
    401: "The access token is missing, wrong or expired.",
    403: "The caller's role does not allow this.",
    404: "There is no such thing, or no such page.",
    409: "It cannot be done now: a run is at work, the segment is broken, the plan no longer "
    "holds, or the Idempotency-Key is in use.",
    413: "The body is too large.",
    429: "Too many failed attempts; `Retry-After` says how many seconds to wait.",
    502: "Brevo refused, or cannot be reached. Nothing was saved.",
}


def problems(*statuses: int) -> dict[Any, OpenApiResponse]:
    """Return what the schema says of these error statuses, with an example of each."""
    return {(status, MEDIA_TYPE): _response(status) for status in statuses}


def _response(status: int) -> OpenApiResponse:
    title = HTTPStatus(status).phrase
    example = {"type": "about:blank", "title": title, "status": status, "detail": _DETAILS[status]}
    return OpenApiResponse(
        ProblemSerializer,
        description=_MEANINGS[status],
        examples=[
            OpenApiExample(
                title,
                value=example | _MORE.get(status, {}),
                media_type=MEDIA_TYPE,
                response_only=True,
                status_codes=[str(status)],
            )
        ],
    )
