"""A POST with an Idempotency-Key is worked on once; its repeats get the first answer."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any, cast

from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from campaigns.models import IdempotentAnswer
from config.problems import Conflict, render_as_problem

HEADER = "Idempotency-Key"
LONGEST_KEY = 200
KEPT_FOR = timedelta(hours=24)
# A request that has not been answered for so long was killed: its key may be used again.
GIVEN_UP_AFTER = timedelta(minutes=15)
# What a repeat may honestly be answered differently is not remembered, and no fault of a server.
_PASSING = {HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS}

Handler = Callable[..., Response]


class KeyInUse(Conflict):
    type = "urn:problem:idempotency-key"


class IdempotentMixin:
    """For views: wraps what answers a POST, once it is known who asks and that they may."""

    unremembered: tuple[str, ...] = ()  # actions that change nothing

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc] # of APIView
        if request.method != "POST" or HEADER not in request.headers:
            return
        key = _checked(request.headers[HEADER])
        if self.action not in self.unremembered:  # type: ignore[attr-defined] # of ViewSetMixin
            self.post = self._once(key, self.post)  # type: ignore[has-type] # of ViewSetMixin

    def _once(self, key: str, handler: Handler) -> Handler:
        def post(request: Request, *args: Any, **kwargs: Any) -> Response:
            digest = _digest(request)
            user = cast("User", request.user)
            mine = _claim(user, key, digest)
            if mine is None:
                return _repeated(request, user, key, digest)
            try:
                response = handler(request, *args, **kwargs)
            except Exception as error:  # noqa: BLE001 -- answered as the view answers every error
                response = self.handle_exception(error)  # type: ignore[attr-defined] # of APIView
            except BaseException:
                mine.delete()
                raise
            _remember(mine, response)
            return response

        return post


def _checked(key: str) -> str:
    if not 1 <= len(key) <= LONGEST_KEY or not key.isprintable():
        told = f"Write 1 to {LONGEST_KEY} printable characters."
        raise ValidationError({HEADER: [ErrorDetail(told, code="invalid")]})
    return key


def _digest(request: Request) -> str:
    """Name the request: what it asks, however its JSON is laid out."""
    data = request.data
    body = dict(data.lists()) if hasattr(data, "lists") else data
    asked = json.dumps([request.method, request.get_full_path(), body], sort_keys=True, default=str)
    return hashlib.sha256(asked.encode()).hexdigest()


def _claim(user: User, key: str, digest: str) -> IdempotentAnswer | None:
    """Return the claim when the request is ours to work on, None when it was made before."""
    now = timezone.now()
    answers = IdempotentAnswer.objects.filter(user=user)
    answers.filter(created_at__lt=now - KEPT_FOR).delete()
    answers.filter(key=key, status=None, created_at__lt=now - GIVEN_UP_AFTER).delete()
    try:
        with transaction.atomic():
            return answers.create(user=user, key=key, request_digest=digest)
    except IntegrityError:
        return None


def _repeated(request: Request, user: User, key: str, digest: str) -> Response:
    seen = IdempotentAnswer.objects.filter(user=user, key=key).first()
    if seen is not None and seen.request_digest != digest:
        raise KeyInUse(f"This {HEADER} was used for another request: take a new key.")
    if seen is None or seen.status is None or seen.body is None:
        raise KeyInUse(f"The first request with this {HEADER} is still being worked on.")
    if seen.status >= HTTPStatus.BAD_REQUEST:
        render_as_problem(request)
    headers = {**seen.body["headers"], "Idempotency-Replayed": "true"}
    return Response(json.loads(seen.body["data"] or "null"), status=seen.status, headers=headers)


def _remember(claim: IdempotentAnswer, response: Response) -> None:
    is_fault = response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    if is_fault or response.status_code in _PASSING:
        claim.delete()
        return
    headers = {name: response[name] for name in ("Location",) if name in response}
    claim.status = response.status_code
    # As a text: PostgreSQL would put the members of a document into an order of its own.
    claim.body = {"data": JSONRenderer().render(response.data).decode(), "headers": headers}
    claim.save(update_fields=["status", "body"])
