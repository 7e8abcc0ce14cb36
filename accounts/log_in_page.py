"""The pages of the admin that try a password: they say so when too many were wrong."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from django.contrib import admin
from django.contrib.auth import authenticate
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy
from unfold.forms import AdminOwnPasswordChangeForm as OwnPasswordForm
from unfold.forms import AuthenticationForm  # not by way of the admin, which asks for this form

from accounts.log_in_limits import TooManyLogIns

_WAIT = "log_in_wait"  # where a request says for how many seconds it was refused


class LimitedLogInForm(AuthenticationForm):
    """Django's form to log in, which says so when too many attempts failed."""

    def clean(self) -> dict[str, Any]:
        with _saying_too_many(self.request):
            return super().clean()


class LimitedPasswordForm(OwnPasswordForm):
    """The form that sets a new password; a wrong old one counts as a log-in that failed."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self._request = request
        super().__init__(*args, **kwargs)

    def clean_old_password(self) -> str:
        old: str = self.cleaned_data["old_password"]
        with _saying_too_many(self._request):
            found = authenticate(self._request, username=self.user.email, password=old)
        if found != self.user:
            told = self.error_messages["password_incorrect"]
            raise ValidationError(told, code="password_incorrect")
        return old


class OwnPasswordView(PasswordChangeView):
    """Django's page to set one's own password in the admin, with the limit."""

    success_url = reverse_lazy("admin:password_change_done")

    def get_form(self, form_class: Any = None) -> Any:  # noqa: ARG002 -- Django's hook
        return LimitedPasswordForm(self.request, **self.get_form_kwargs())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), **admin.site.each_context(self.request)}


@contextmanager
def _saying_too_many(request: Any) -> Iterator[None]:
    try:
        yield
    except TooManyLogIns as error:
        setattr(request, _WAIT, error.wait)
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
