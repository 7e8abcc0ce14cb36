"""What the schema says of every call alike: how to log in, and how errors look."""

from collections.abc import Iterator
from typing import Any

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from config.problems import MEDIA_TYPE, title_of

_INT32 = 2**31 - 1


class TaggedSchema(AutoSchema):
    """Takes the tag of a call from its view."""

    def get_tags(self) -> list[str]:
        tag = getattr(self.view, "tag", None)
        return [tag] if tag else super().get_tags()


def as_clients_need_it(result: Any, **_: Any) -> Any:
    """Finish the schema; a hook of drf-spectacular.

    Generated clients send the defaults of a schema for whatever was left out, so the body of a PUT
    or PATCH must have none: a changed name would reset the rest. Unknown fields are refused, so
    bodies say so. Ids and counts outgrow 32 bits.
    """
    schemas = result["components"]["schemas"]
    for method, name in _bodies(result["paths"]):
        schemas[name].setdefault("additionalProperties", False)
        if method in {"put", "patch"}:
            for field in schemas[name].get("properties", {}).values():
                field.pop("default", None)
    for schema in _integers(result):
        schema["format"] = "int64"
    return result


def _bodies(paths: Any) -> Iterator[tuple[str, str]]:
    for calls in paths.values():
        for method, call in calls.items():
            for content in call.get("requestBody", {}).get("content", {}).values():
                yield method, content["schema"]["$ref"].rpartition("/")[2]


def _integers(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, list):
        for each in node:
            yield from _integers(each)
    elif isinstance(node, dict):
        is_small = node.get("maximum", _INT32 + 1) <= _INT32
        if node.get("type") == "integer" and not (is_small or "enum" in node):
            yield node
        for key, each in node.items():
            if key not in {"example", "examples"}:
                yield from _integers(each)


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
    status = serializers.IntegerField(min_value=400, max_value=599)
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
    412: "It was changed after you read it: GET it again, and send the new ETag as If-Match.",
    413: "The body is too large: send less in one request.",
    428: "Send the ETag of what you read as If-Match: nothing newer is lost then.",
    429: "Request was throttled. Expected available in 42 seconds.",
    503: "The database cannot be reached: try again soon.",
    502: 'Brevo does not know the API key: "Key not found". Make a new key in Brevo under '
    "SMTP & API, and set BREVO_API_KEY to it.",
}
_MORE: dict[int, dict[str, Any]] = {
    400: {
        "errors": [{"field": "name", "code": "blank", "message": "Give the segment a name."}],
    },
    409: {"type": "urn:problem:segment-busy", "export": 17},
    412: {"type": "urn:problem:changed-meanwhile"},
    428: {"type": "urn:problem:if-match-required"},
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
    412: "It was changed meanwhile: it no longer has the ETag that `If-Match` names.",
    413: "The body is too large.",
    428: "This installation demands `If-Match` (API_REQUIRE_IF_MATCH).",
    429: "Too many failed attempts; `Retry-After` says how many seconds to wait.",
    503: "The database cannot be reached; `Retry-After` says how many seconds to wait.",
    502: "Brevo refused, or cannot be reached. Nothing was saved.",
}


def problems(*statuses: int) -> dict[Any, OpenApiResponse]:
    """Return what the schema says of these error statuses, with an example of each."""
    return {(status, MEDIA_TYPE): _response(status) for status in statuses}


def _response(status: int) -> OpenApiResponse:
    title = title_of(status)
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
