"""Lists of the admin that say so when an address asks for what they do not have."""

from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib import messages
from django.contrib.admin import ChoicesFieldListFilter, SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, ORDER_VAR, PAGE_VAR, SEARCH_VAR
from django.http import HttpRequest, QueryDict

from accounts.searching import TOO_LONG, is_too_long
from accounts.unfolded import ChangeList, TextFilter

_SHOWN = 60
_NO_FILTERS = {ALL_VAR, ERROR_FLAG, ORDER_VAR, PAGE_VAR, SEARCH_VAR}


class ForgivingList(ChangeList):
    """Shows nothing, and says why, for a value that a filter does not know; never everything.

    A page that does not exist is the first: fewer rows than before may fit.
    """

    def get_filters(self, request: HttpRequest) -> Any:
        specs, *rest = super().get_filters(request)
        unknown = [*_without_choices(self.list_filter, specs, request)]
        spec: Any
        for spec in specs:
            if value := _unknown_value(spec):
                unknown.append((spec.title, value))
                spec.queryset = lambda _request, rows: rows  # it could not understand the value
        if unknown:
            say_what_is_unknown(request, unknown)
            self.root_queryset = self.root_queryset.none()
        return specs, *rest

    def get_results(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)
        except IncorrectLookupParameters:
            if self.page_num == 1:
                raise
            self.page_num = 1
            super().get_results(request)
        if not self.multi_page:
            self.page_num = 1


def say_what_is_unknown(request: HttpRequest, unknown: Iterable[tuple[str, str]]) -> None:
    """Say of each (title, value) why nothing is shown."""
    for title, value in unknown:
        words = f"The filter “{title}” has no choice “{value[:_SHOWN]}”"
        messages.error(request, f"{words}: nothing is shown. Choose another, or clear all filters.")


class Asked:
    """What the address of a page asks for; ``unknown`` is what the page does not have."""

    def __init__(self, address: QueryDict) -> None:
        self._address = address
        self.unknown: list[tuple[str, str]] = []  # (title, value)
        self.words = address.get("q", "").strip()
        self.is_too_long = is_too_long(self.words)

    def choice(self, name: str, among: Container[str]) -> str:
        """Return the value of a parameter, "" without one; what is unknown is noted."""
        value = self._address.get(name, "")
        if not value or value in among:
            return value
        self.unknown.append((name, value))
        return ""

    @property
    def is_understood(self) -> bool:
        return not self.unknown and not self.is_too_long

    def say(self, request: HttpRequest) -> None:
        """Say why nothing is shown, if that is so."""
        say_what_is_unknown(request, self.unknown)
        if self.is_too_long:
            messages.warning(request, f"Nothing was searched. {TOO_LONG}")


@contextmanager
def say_what_was_not_understood(request: HttpRequest) -> Iterator[None]:
    """Put around the making of a list that goes on without filters when it cannot be made."""
    try:
        yield
    except IncorrectLookupParameters:
        asked = [f"{key}={value}" for key, value in request.GET.items() if key not in _NO_FILTERS]
        if asked:
            named = f"“{', '.join(asked)[:_SHOWN]}”"
            messages.error(
                request, f"The filters {named} cannot be used here: everything is shown."
            )
        raise


def _unknown_value(filter_: Any) -> str:
    """Return the value that a filter with choices does not have among them, or ""."""
    match filter_:
        case TextFilter():
            return ""
        case SimpleListFilter():
            known: Any = filter_.lookup_choices
            value: Any = filter_.value()
        case ChoicesFieldListFilter():
            known = filter_.field.flatchoices
            value = filter_.used_parameters.get(filter_.lookup_kwarg)
        case _:
            return str(getattr(filter_, "not_understood", ""))
    asked = value if isinstance(value, list) else [value]
    choices = {str(choice) for choice, _ in known}
    return next((str(one) for one in asked if one and str(one) not in choices), "")


def _without_choices(
    filters: Iterable[Any], shown: list[Any], request: HttpRequest
) -> Iterator[tuple[str, str]]:
    """Yield (title, value) of the filters that are asked for and have no choices at the moment."""
    names = {name for spec in shown for name in spec.expected_parameters()}
    for each in filters:
        if isinstance(each, type) and issubclass(each, SimpleListFilter):
            value = request.GET.get(each.parameter_name or "")
            if value and each.parameter_name not in names:
                yield str(each.title), value
