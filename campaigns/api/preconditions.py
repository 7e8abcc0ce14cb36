"""Requests that hold only for what their caller has seen: ETag, If-Match, If-None-Match."""

import hashlib
import json
import re
from collections.abc import Sequence
from copy import deepcopy
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db.models import Model
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from config.problems import Problem

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*")
ANY = "*"


class PreconditionFailed(Problem):
    status_code = HTTPStatus.PRECONDITION_FAILED
    type = "urn:problem:changed-meanwhile"

    def __init__(self) -> None:
        super().__init__(
            "It was changed after you read it: GET it again, and send the new ETag as If-Match."
        )


class PreconditionRequired(Problem):
    status_code = HTTPStatus.PRECONDITION_REQUIRED
    type = "urn:problem:if-match-required"

    def __init__(self) -> None:
        super().__init__("Send the ETag of what you read as If-Match: nothing newer is lost then.")


def tags_of(request: Request, header: str) -> list[str] | None:
    """Return the tags that a header names, or ``["*"]``; None without the header.

    Raises ValidationError for anything else: a condition that is misread is none.
    """
    text = request.headers.get(header)
    if text is None:
        return None
    if text.strip() == ANY:
        return [ANY]
    if not _TAGS.fullmatch(text):
        told = 'Write * or ETags as they were given, in their quotes: "5f2c…".'
        raise ValidationError({header: [ErrorDetail(told, code="invalid")]})
    return re.findall(_TAG, text)


class Preconditions(GenericViewSet[Any]):
    """Mix into a view of rows that callers may write. ``tagged`` names the columns they may write.

    The ETag stands for these alone: it changes whenever a save could overwrite something, and not
    when a run counts people or stores a list. What a request expects is checked once the request
    itself is found sound, and again by the UPDATE: give ``expected`` to the row's ``save``.
    """

    tagged: Sequence[str] = ()
    expected: dict[str, Any] | None = None  # {column: value}, when the caller sent tags
    checked_by_action = ("update", "partial_update")  # which look at what was sent first

    def etag_of(self, row: Model) -> str:
        values = [row._meta.label, row.pk, *(getattr(row, name) for name in self.tagged)]
        return f'"{hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:32]}"'

    def get_object(self) -> Any:
        row = super().get_object()
        if self.request.method not in SAFE_METHODS:
            self._tag = self.etag_of(row)
            self._values = {name: deepcopy(getattr(row, name)) for name in self.tagged}
            if self.action not in self.checked_by_action:
                self.check()
        return row

    def check(self) -> None:
        """Raise what answers 412, or 428 where a condition is demanded and missing.

        About the row as it was read, whatever was done to it since.
        """
        tags = tags_of(self.request, "If-Match")
        if tags is None:
            is_writing = self.action in {*self.checked_by_action, "destroy"}
            if is_writing and settings.API_REQUIRE_IF_MATCH:
                raise PreconditionRequired
        elif tags != [ANY]:
            if self._tag not in tags:
                raise PreconditionFailed
            self.expected = self._values

    def retrieve(self, request: Request, *_: Any, **__: Any) -> Response:
        row = self.get_object()
        tag, known = self.etag_of(row), tags_of(request, "If-None-Match") or []
        if {ANY, tag} & {each.removeprefix("W/") for each in known}:
            return Response(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": tag})
        data = self.get_serializer(row).data
        return Response(data, headers={"ETag": tag})
