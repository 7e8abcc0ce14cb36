"""Operators that compare a moment with dates, in the time zone of the settings."""

import re
from abc import abstractmethod
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from campaigns.audience.criteria.operators import Names, Operator
from campaigns.audience.criteria.subjects import Moment
from campaigns.audience.criteria.values import quote_for_message

if TYPE_CHECKING:
    from campaigns.audience.criteria.criterion import Criterion

FIRST_YEAR, LAST_YEAR = 1900, 2200
MOST_DAYS = 36_500
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class _Dates(Operator):
    """Holds for moments of a range of whole days: from the first, and before the one after."""

    takes = Moment

    @abstractmethod
    def first_and_after(self, operand: Any) -> tuple[date | None, date | None]:
        """Return the first day of the range and the first day after it; None leaves it open."""

    def q(self, subject: Moment, operand: Any) -> Q:
        first, after = self.first_and_after(operand)
        q = Q(**{f"{subject.column}__gte": _start_of(first)}) if first else Q()
        return q & Q(**{f"{subject.column}__lt": _start_of(after)}) if after else q

    def matches(self, subject: Moment, user: User, operand: Any) -> bool:
        moment = subject.of(user)
        first, after = self.first_and_after(operand)
        return (
            moment is not None
            and (first is None or moment >= _start_of(first))
            and (after is None or moment < _start_of(after))
        )

    def fact(self, criterion: "Criterion", user: User, operand: Any) -> str:
        moment = criterion.moment.of(user)
        if moment is None:
            return f"{criterion.verb.negative} on a known date"
        day = _day_in_words(timezone.localdate(moment))
        fact = f"{criterion.verb.singular} on {day}"
        if self.matches(criterion.moment, user, operand):
            return fact
        return f"{fact}, not {self.in_words(operand)}"

    def clause(self, criterion: "Criterion", operand: Any, names: Names) -> str:  # noqa: ARG002 -- no names
        return f"{criterion.verb.plural} {self.in_words(operand)}"

    @abstractmethod
    def in_words(self, operand: Any, names: Names | None = None) -> str: ...


class Between(_Dates):
    """Two dates; both days belong to the range."""

    key, label, form_input = "between", "is between", "dates"

    def parse(self, subject: Moment, operand: Any) -> tuple[date, date]:  # noqa: ARG002 -- as every operator
        if not isinstance(operand, list | tuple) or len(operand) != 2:  # noqa: PLR2004 -- from and to
            message = "write two dates, such as 2026-01-01 and 2026-03-31."
            raise ValidationError(message, code="not_two_dates")
        first, last = map(_date, operand)
        if last < first:
            message = f"{last} is before {first}: write the earlier date first."
            raise ValidationError(message, code="wrong_order")
        return first, last

    def from_form(self, values: list[str]) -> Any:
        return values

    def as_json(self, operand: tuple[date, date]) -> list[str]:
        return [day.isoformat() for day in operand]

    def first_and_after(self, operand: tuple[date, date]) -> tuple[date, date]:
        return operand[0], operand[1] + timedelta(days=1)

    def in_words(self, operand: tuple[date, date], names: Names | None = None) -> str:  # noqa: ARG002 -- dates have none
        return f"between {_day_in_words(operand[0])} and {_day_in_words(operand[1])}"

    def schema(self, subject: Moment) -> dict[str, Any]:  # noqa: ARG002 -- as every operator
        day = {"type": "string", "format": "date"}
        return {"type": "array", "items": day, "minItems": 2, "maxItems": 2}


class _Days(_Dates):
    form_input = "number"

    def parse(self, subject: Moment, operand: Any) -> int:  # noqa: ARG002 -- as every operator
        if isinstance(operand, str) and operand.isascii() and operand.strip().isdigit():
            operand = int(operand[:10])  # as forms send it
        if type(operand) is not int or not 0 < operand <= MOST_DAYS:
            message = f"write a whole number of days from 1 to {MOST_DAYS:,}."
            raise ValidationError(message, code="invalid")
        return operand

    def as_json(self, operand: int) -> int:
        return operand

    def schema(self, subject: Moment) -> dict[str, Any]:  # noqa: ARG002 -- as every operator
        return {"type": "integer", "minimum": 1, "maximum": MOST_DAYS}


class WithinDays(_Days):
    """The last so many days: from the day that many days ago until now."""

    key, label = "within_days", "is within the last … days"

    def first_and_after(self, operand: int) -> tuple[date, None]:
        return timezone.localdate() - timedelta(days=operand), None

    def in_words(self, operand: int, names: Names | None = None) -> str:  # noqa: ARG002 -- no names
        return "in the last day" if operand == 1 else f"in the last {operand:,} days"


class BeforeDays(_Days):
    """Longer ago than so many days: whatever is not within them."""

    key, label = "before_days", "is more than … days ago"

    def first_and_after(self, operand: int) -> tuple[None, date]:
        return None, timezone.localdate() - timedelta(days=operand)

    def in_words(self, operand: int, names: Names | None = None) -> str:  # noqa: ARG002 -- no names
        return f"more than {operand:,} day{'' if operand == 1 else 's'} ago"


def _date(value: Any) -> date:
    day = None
    if isinstance(value, str) and _ISO_DATE.fullmatch(value):
        with suppress(ValueError):
            day = date.fromisoformat(value)
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        message = f"{quote_for_message(value)} is not a date: write it like 2026-01-31."
        raise ValidationError(message, code="invalid")
    return day


def _start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _day_in_words(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
