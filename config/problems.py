"""Errors of the API as RFC 9457 problem documents, whatever raised them and wherever.

``as_http`` is where an application teaches it its own exceptions, with ``as_http.register``.
"""

import logging
import math
import sys
from collections.abc import Iterator
from functools import singledispatch
from http import HTTPStatus
from typing import Any, ClassVar

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.signals import got_request_exception
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
API_ROOT = "/api/"
WHOLE = api_settings.NON_FIELD_ERRORS_KEY
RETRY_SECONDS = 5
_PHRASES = {413: "Content Too Large", 422: "Unprocessable Content"}  # of Python 3.13 on
_TOLD = 3  # so many errors are told in the detail


class Problem(exceptions.APIException):
    """An HTTP error with a type of its own; ``more`` are further members of the document."""

    type: ClassVar[str] = "about:blank"

    def __init__(
        self, detail: str, *, wait: float | None = None, errors: Any = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.wait, self.errors, self.more = wait, errors, more


class Conflict(Problem):
    status_code = HTTPStatus.CONFLICT


class Unavailable(Problem):
    status_code = HTTPStatus.SERVICE_UNAVAILABLE


class ProblemRenderer(JSONRenderer):
    media_type = MEDIA_TYPE
    format = "problem"


@singledispatch
def as_http(_: Exception) -> exceptions.APIException:
    """Return the HTTP error that tells of an exception; an unknown one is a fault of ours."""
    return exceptions.APIException("Something went wrong on our side. It was written to the log.")


@as_http.register
def _(error: exceptions.APIException) -> exceptions.APIException:
    return error


@as_http.register
def _(error: Http404) -> exceptions.APIException:
    return exceptions.NotFound(*error.args[:1])


@as_http.register
def _(error: PermissionDenied) -> exceptions.APIException:
    return exceptions.PermissionDenied(*error.args[:1])


@as_http.register
def _(_: SuspiciousOperation) -> exceptions.APIException:
    return exceptions.ParseError("The request could not be understood.")


@as_http.register
def _(_: RequestDataTooBig) -> exceptions.APIException:
    refused = exceptions.APIException("The body is too large: send less in one request.")
    refused.status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return refused


@as_http.register
def _(error: DjangoValidationError) -> exceptions.APIException:
    if not hasattr(error, "error_dict"):
        return exceptions.ValidationError({WHOLE: _details(error)})
    return exceptions.ValidationError(
        {
            WHOLE if name == NON_FIELD_ERRORS else name: _details(DjangoValidationError(told))
            for name, told in error.error_dict.items()
        }
    )


@as_http.register
def _(_: IntegrityError) -> exceptions.APIException:
    return Conflict("Somebody changed the same thing at this moment: look at it, then try again.")


@as_http.register(OperationalError)
@as_http.register(InterfaceError)
def _(_: Exception) -> exceptions.APIException:
    return Unavailable("The database cannot be reached: try again soon.", wait=RETRY_SECONDS)


def _details(error: DjangoValidationError) -> list[exceptions.ErrorDetail]:
    return [
        exceptions.ErrorDetail(message, code=one.code or "invalid")
        for one in error.error_list
        for message in one.messages
    ]


def problem_handler(error: Exception, context: dict[str, Any]) -> Response:
    """Answer every exception of an API view by a problem; REST framework's EXCEPTION_HANDLER."""
    told, request = as_http(error), context["request"]
    if told.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR and told is not error:
        _report(error, request, expected=isinstance(told, Problem))
    set_rollback()
    render_as_problem(request)
    return Response(document(told), status=told.status_code, headers=_headers(told))


def render_as_problem(request: Any) -> None:
    """Have the answer to an API request sent as a problem, save to people in a browser."""
    if not isinstance(getattr(request, "accepted_renderer", None), BrowsableAPIRenderer):
        request.accepted_renderer, request.accepted_media_type = ProblemRenderer(), MEDIA_TYPE


def _report(error: Exception, request: Any, *, expected: bool) -> None:
    if expected:
        logger.warning("%s %s: %s", request.method, request.path, type(error).__name__)
        return
    logger.error("%s %s failed", request.method, request.path, exc_info=error)
    got_request_exception.send(sender=None, request=request)


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(challenge)
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(math.ceil(wait))
    return headers


def title_of(status: int) -> str:
    """Return the phrase of a status as RFC 9110 has it, whichever Python answers."""
    return _PHRASES.get(status) or HTTPStatus(status).phrase


def document(error: exceptions.APIException) -> dict[str, Any]:
    """Return the problem document of an HTTP error."""
    errors = getattr(error, "errors", None)
    if isinstance(error, exceptions.ValidationError):
        errors = list(_flat(error.detail))
    problem = {
        "type": getattr(error, "type", "about:blank"),
        "title": title_of(error.status_code),
        "status": int(error.status_code),
        "detail": _printable(_in_words(errors) if errors else _first(error.detail)),
        **getattr(error, "more", {}),
    }
    return problem | ({"errors": errors} if errors else {})


def _flat(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _flat(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            is_leaf = isinstance(inner, str)
            yield from _flat(inner, path if is_leaf else f"{path}.{index}".lstrip("."))
    else:
        yield {
            "field": _printable(path or WHOLE),
            "code": str(getattr(detail, "code", None) or "invalid"),
            "message": _printable(str(detail)),
        }


def _in_words(errors: list[dict[str, str]]) -> str:
    told = [
        error["message"] if error["field"] == WHOLE else f"{error['field']}: {error['message']}"
        for error in errors[:_TOLD]
    ]
    rest = len(errors) - _TOLD
    return " ".join([*told, f"And {rest} more."] if rest > 0 else told)


def _first(detail: Any) -> str:
    """Return the sentence in a detail, which for some errors of libraries is a mapping."""
    if isinstance(detail, dict):
        detail = detail.get("detail") or next(iter(detail.values()), "")
    if isinstance(detail, list):
        detail = detail[0] if detail else ""
    return str(detail)


def _printable(text: str) -> str:
    """Return the text as everybody can store it: half surrogate pairs and nulls are written out."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def answer(error: exceptions.APIException) -> JsonResponse:
    """Return the problem as a plain response, for what happens outside of API views."""
    return JsonResponse(
        document(error),
        status=int(error.status_code),
        content_type=MEDIA_TYPE,
        headers=_headers(error),
    )


@csrf_exempt
def unknown_path(request: HttpRequest, path: str = "") -> JsonResponse:
    """Answer what no call of the API has answered."""
    remedy = "" if path.endswith("/") else f" Paths end in a slash: did you mean {request.path}/?"
    return answer(exceptions.NotFound(_printable(f"There is nothing at {request.path}.{remedy}")))


def handler400(request: HttpRequest, exception: Exception) -> Any:
    if not request.path.startswith(API_ROOT):
        return defaults.bad_request(request, exception)
    return answer(as_http(exception))


def handler403(request: HttpRequest, exception: Exception) -> Any:
    if not request.path.startswith(API_ROOT):
        return defaults.permission_denied(request, exception)
    return answer(exceptions.PermissionDenied())


def handler404(request: HttpRequest, exception: Exception) -> Any:
    if not request.path.startswith(API_ROOT):
        return defaults.page_not_found(request, exception)
    return unknown_path(request, request.path)


def handler500(request: HttpRequest) -> Any:
    if not request.path.startswith(API_ROOT):
        return defaults.server_error(request)
    error = sys.exception()
    return answer(as_http(error if isinstance(error, Exception) else Exception()))
