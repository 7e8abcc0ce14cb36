"""The admin's page to log in, which says so when too many attempts failed."""

import math
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from accounts.log_in_limits import TooManyLogIns

if TYPE_CHECKING:
    from django.contrib.auth.forms import AuthenticationForm
else:
    from unfold.forms import AuthenticationForm  # not by way of the admin, which asks for this form

_WAIT = "log_in_wait"  # where a request says for how many seconds it was refused


class LimitedLogInForm(AuthenticationForm):
    """Django's form to log in, which says so when too many attempts failed."""

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except TooManyLogIns as error:
            setattr(self.request, _WAIT, error.wait)
            raise ValidationError(
                f"Too many attempts to log in failed. Try again in {error.wait:.0f} seconds.",
                code="too_many",
            ) from error


def answer_too_many(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Middleware: give the page that refuses a log-in the status 429, and Retry-After."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        wait: float | None = getattr(request, _WAIT, None)
        if wait is not None:
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS
            response["Retry-After"] = str(math.ceil(wait))
        return response

    return middleware
