"""Where Brevo's webhooks arrive.

Brevo throws an event away when it is answered 5xx, or 4xx other than 429
(developers.brevo.com/docs/retry-mechanism): so it is stored, answered 200, and a database that
cannot store it just now is answered 429.
"""

import hmac
import logging
from http import HTTPStatus

from django.conf import settings
from django.db import Error as StorageError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException

from campaigns.sync import events
from config import problems

logger = logging.getLogger(__name__)

MOST_BYTES = 5_000_000


@csrf_exempt
def brevo(request: HttpRequest) -> HttpResponse:
    """Take what Brevo tells: store it first, understand it as far as possible, answer 200.

    A body with more events than Brevo sends at once is stored, and understood by the next sweep.
    """
    if refused := _refusal(request):
        return refused
    body = request.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        told = f"A body may have {MOST_BYTES:,} bytes."
        return _problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, told)
    try:
        kept = events.keep(body)
    except StorageError:
        logger.exception("Webhook events could not be stored.")
        return _problem(HTTPStatus.TOO_MANY_REQUESTS, "Nothing was stored: send it again later.")
    try:
        events.process(kept.digests)
    except StorageError:
        logger.exception("Webhook events are stored, and wait to be processed.")
    return JsonResponse({"stored": kept.events})


def _refusal(request: HttpRequest) -> HttpResponse | None:
    if request.method != "POST":
        refused = _problem(HTTPStatus.METHOD_NOT_ALLOWED, "Webhooks are sent by POST.")
        refused["Allow"] = "POST"
        return refused
    if not settings.BREVO_WEBHOOK_TOKEN:
        told = "No webhook is expected here: BREVO_WEBHOOK_TOKEN is not set."
        return _problem(HTTPStatus.SERVICE_UNAVAILABLE, told)
    if not _shows_token(request):
        refused = _problem(HTTPStatus.UNAUTHORIZED, "The bearer token is missing or wrong.")
        refused["WWW-Authenticate"] = "Bearer"
        return refused
    return None


def _shows_token(request: HttpRequest) -> bool:
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    # A header's bytes come as Latin-1.
    given, expected = shown.strip().encode("latin-1", "replace"), settings.BREVO_WEBHOOK_TOKEN
    return scheme.lower() == "bearer" and hmac.compare_digest(given, expected.encode())


def _problem(status: HTTPStatus, detail: str) -> HttpResponse:
    problem = APIException(detail)
    problem.status_code = status
    return problems.answer(problem)


urlpatterns = [path("brevo/", brevo, name="brevo-webhook")]
