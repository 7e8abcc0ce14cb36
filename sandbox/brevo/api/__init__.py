"""Which handler answers which call."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from sandbox.brevo.api import (
    account,
    attributes,
    batches,
    contacts,
    folders,
    imports,
    lists,
    webhooks,
)
from sandbox.brevo.api.base import ORGANIZATION, Brevo, Routes
from sandbox.brevo.wire import Answer, ApiError, Request, invalid, not_found

__all__ = ["ORGANIZATION", "Brevo", "answer"]

_ROUTES: Routes = (
    account.ROUTES
    + imports.ROUTES
    + lists.ROUTES
    + folders.ROUTES
    + attributes.ROUTES
    + webhooks.ROUTES
    + batches.ROUTES
    + contacts.ROUTES
)


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    pattern: re.Pattern[str]
    handler: Callable[[Brevo, Request], Answer]


def _compile(template: str) -> re.Pattern[str]:
    pattern = template.replace("{id}", r"(?P<id>[0-9]{1,18})")
    return re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", pattern))


_TABLE = [_Route(method, _compile(path), handler) for method, path, handler in _ROUTES]


def answer(brevo: Brevo, request: Request) -> Answer:
    """Answer one call: a call that writes keeps all it wrote, or nothing when it is refused."""
    try:
        handler = _find(request)
        held = brevo.store.reading if request.method == "GET" else brevo.store.writing
        with held():
            return handler(brevo, request)
    except ApiError as error:
        return Answer.error(error)
    except (OverflowError, UnicodeError):
        # A number or a text that the database cannot hold; Brevo could not hold it either.
        return Answer.error(invalid("A value is out of range"))


def _find(request: Request) -> Callable[[Brevo, Request], Answer]:
    other_method = False
    for route in _TABLE:
        if match := route.pattern.fullmatch(request.path):
            if route.method == request.method:
                request.params = match.groupdict()
                return route.handler
            other_method = True
    if other_method:
        raise ApiError(
            HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", "The method is not allowed"
        )
    raise not_found("The page you are looking for does not exist")
