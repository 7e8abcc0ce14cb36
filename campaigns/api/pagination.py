"""Two ways to turn pages: by number for what staff make, by cursor for what may be millions."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from django.core import signing
from django.template import loader
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.pagination import BasePagination, PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

PAGE_SIZE, MOST = 20, 100
_SALT = "campaigns.api.cursor"


def page_size_of(request: Request) -> int:
    """Return how many results a page is to have; refuse what is not from 1 to 100."""
    raw = request.query_params.get("page_size")
    if raw is None:
        return PAGE_SIZE
    if not (raw.isascii() and raw.isdigit() and len(raw) <= len(str(MOST))):
        raise _refused("page_size", f"Write a whole number from 1 to {MOST}.")
    if not 1 <= int(raw) <= MOST:
        raise _refused("page_size", f"Write a whole number from 1 to {MOST}.")
    return int(raw)


def _refused(field: str, message: str) -> ValidationError:
    return ValidationError({field: [ErrorDetail(message, code="invalid")]})


_PAGE_SIZE_PARAMETER = {
    "name": "page_size",
    "in": "query",
    "required": False,
    "description": f"How many results a page has; {PAGE_SIZE} unless told.",
    "schema": {"type": "integer", "minimum": 1, "maximum": MOST},
}


class Pages(PageNumberPagination):
    page_size = PAGE_SIZE
    parameters = frozenset({"page", "page_size"})

    def get_page_size(self, request: Request) -> int:
        return page_size_of(request)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:  # noqa: ARG002 -- DRF's hook
        page = {
            "name": "page",
            "in": "query",
            "required": False,
            "description": "The number of the page, from 1.",
            "schema": {"type": "integer", "minimum": 1},
        }
        return [page, _PAGE_SIZE_PARAMETER]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins or ends, and what was counted when its first page was shown."""

    count: int
    of: str
    after: int = 0
    before: int = 0

    def written(self) -> str:
        return signing.dumps(list(asdict(self).values()), salt=_SALT)


class KeysetPages(BasePagination):
    """Pages by id, so that the last one costs what the first one does.

    The exact count is taken once, with the first page, and carried in the signed cursor: to count
    an audience of millions again for each page would cost more than the page. A cursor is good
    for the very list it came from; ``of`` says which that is.
    """

    parameters = frozenset({"cursor", "page_size", "page"})  # the last is refused with a remedy
    display_page_controls = True
    template = "rest_framework/pagination/previous_and_next.html"
    next: str | None = None  # until there is a page: a refusal is shown with these controls too
    previous: str | None = None

    def __init__(self, of: Any = None) -> None:
        self.of = of

    def paginate_queryset(
        self,
        queryset: Any,
        request: Request,
        view: Any = None,  # noqa: ARG002 -- DRF's hook
    ) -> list[Any]:
        """Return the page of the queryset that the request's cursor asks for."""
        self.url, size = request.build_absolute_uri(), page_size_of(request)
        if "page" in request.query_params:
            raise _refused("page", "These pages have no numbers: follow next and previous.")
        asked = self._asked(request)
        cursor = asked or Cursor(queryset.order_by().count(), self._digest(request))
        if cursor.before:
            found = list(queryset.filter(pk__lt=cursor.before).order_by("-pk")[: size + 1])
            page = found[:size][::-1]
            has_next, has_previous = True, len(found) > size
        else:
            found = list(queryset.filter(pk__gt=cursor.after).order_by("pk")[: size + 1])
            page = found[:size]
            has_next, has_previous = len(found) > size, asked is not None
        self.count = cursor.count
        self.next = self._link(cursor, after=page[-1].pk) if page and has_next else None
        self.previous = self._link(cursor, before=page[0].pk) if page and has_previous else None
        return page

    def _asked(self, request: Request) -> Cursor | None:
        raw = request.query_params.get("cursor")
        if raw is None:
            return None
        try:
            cursor = Cursor(*signing.loads(raw, salt=_SALT))
        except (signing.BadSignature, ValueError) as error:
            raise _refused("cursor", "This is no cursor of ours: follow next.") from error
        if cursor.of != self._digest(request):
            told = "This cursor belongs to another list or other filters: start at the first page."
            raise _refused("cursor", told)
        return cursor

    def _digest(self, request: Request) -> str:
        """Name the list: its path, its filters, and what else decides it."""
        filters = sorted(
            (name, values)
            for name, values in request.query_params.lists()
            if name not in {"cursor", "page_size", "format"}
        )
        named = json.dumps([request.path, filters, self.of], sort_keys=True)
        return hashlib.sha256(named.encode()).hexdigest()[:16]

    def _link(self, cursor: Cursor, *, after: int = 0, before: int = 0) -> str:
        there = Cursor(cursor.count, cursor.of, after, before).written()
        return str(replace_query_param(remove_query_param(self.url, "cursor"), "cursor", there))

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {"count": self.count, "next": self.next, "previous": self.previous, "results": data}
        )

    def get_html_context(self) -> dict[str, Any]:
        return {"previous_url": self.previous, "next_url": self.next}

    def to_html(self) -> str:
        return loader.get_template(self.template).render(self.get_html_context())

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {
            "type": "string",
            "nullable": True,
            "format": "uri",
            "example": "https://example.com/api/campaigns/?cursor=WzEyMw",
        }
        return {
            "type": "object",
            "required": ["count", "next", "previous", "results"],
            "properties": {
                "count": {"type": "integer", "example": 12345},
                "next": link,
                "previous": link,
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:  # noqa: ARG002 -- DRF's hook
        cursor = {
            "name": "cursor",
            "in": "query",
            "required": False,
            "description": "Where the page begins: as `next` and `previous` give it.",
            "schema": {"type": "string"},
        }
        return [cursor, _PAGE_SIZE_PARAMETER]
