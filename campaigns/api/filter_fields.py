# mypy: disallow-subclassing-any=False
# (the library of filters has no types)
"""Kinds of filters that several lists share: words, orders and moments."""

from datetime import timedelta
from typing import Any

import django_filters as filters  # type: ignore[import-untyped] # none are published
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.ordering import Ordered
from accounts.reading import day_begins, moment
from accounts.searching import TOO_LONG, is_too_long, search

_CLOCKS_DIFFER = timedelta(minutes=5)


class Ordering(filters.OrderingFilter):
    """Ends in the id, so that equal rows keep their place from page to page."""

    def filter(self, qs: Any, value: Any) -> Any:
        if not value:
            return qs
        named = [self.get_ordering_value(param) for param in value if param]
        terms = [
            Ordered(name.lstrip("-"), descending=name.startswith("-"), text=name.endswith("_key"))
            for name in named
        ]
        return qs.order_by(*terms, "pk")


class Words(forms.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validators=[_check_length], **kwargs)


def _check_length(text: str) -> None:
    if is_too_long(text):
        raise ValidationError(TOO_LONG, code="max_length")


class Search(filters.CharFilter):
    """Finds every word in any of ``columns``, by the rules of ``accounts.searching``."""

    field_class = Words

    def __init__(self, *columns: str, label: str) -> None:
        self._columns = columns
        super().__init__(label=label)

    def filter(self, qs: Any, value: str) -> Any:
        return search(qs, value, self._columns)


class MomentField(forms.CharField):
    """Takes a moment with its offset, for without one it means another in each place, or a day."""

    takes_days = True

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        read = moment(text) or (day_begins(text) if self.takes_days else None)
        if read is None:
            raise ValidationError(
                "Write a moment with its offset, such as 2026-01-31T12:00:00Z.", code="invalid"
            )
        return read


class PastMomentField(MomentField):
    takes_days = False

    def clean(self, value: Any) -> Any:
        read = super().clean(value)
        if read is not None and read > timezone.now() + _CLOCKS_DIFFER:
            raise ValidationError("This moment has not come yet.", code="future")
        return read


class MomentFilter(filters.IsoDateTimeFilter):
    field_class = MomentField


class PastMomentFilter(filters.IsoDateTimeFilter):
    field_class = PastMomentField
