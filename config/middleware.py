"""What is asked of every request before any page sees it."""

from collections.abc import Callable, Iterator
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase

_NULL = "\x00"


class RefuseNulls:
    """Refuse a null character in the path, the query or the form of a page: 400, not a fault.

    PostgreSQL can neither store one nor compare with one, and nobody can type one. Views that are
    exempt from CSRF, which are those of programs, look at what they are sent by themselves. Place
    it after the check of CSRF, which has read the form by then.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *_: Any) -> None:
        if not getattr(view, "csrf_exempt", False) and any(_NULL in one for one in _sent(request)):
            raise BadRequest("The request holds a null character.")


def _sent(request: HttpRequest) -> Iterator[str]:
    yield request.path
    for query in (request.GET, request.POST):
        for name, values in query.lists():
            yield name
            yield from map(str, values)
