"""Read numbers and moments that may be anything: part of an address, or typed by somebody."""

from datetime import UTC, date, datetime, time, timedelta

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

DIGITS = 18  # of a number that every database takes


def whole_number(text: str) -> int | None:
    """Return the number, None for what is none or is too large to be an id."""
    return int(text) if text.isdecimal() and len(text) <= DIGITS else None


def moment(text: str) -> datetime | None:
    """Return the moment, None for what is none, has no offset, or lies outside the calendar."""
    try:
        read = parse_datetime(text)
        return None if read is None or read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def day_begins(text: str, *, days_later: int = 0) -> datetime | None:
    """Return when a day begins where we are, or so many days later; None for what is no day.

    Beyond the ends of the calendar it is the first, or the last, moment there is.
    """
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return None if day is None else _begins(day, days_later)


def _begins(day: date, days_later: int) -> datetime:
    try:
        moved = day + timedelta(days=days_later)
        return timezone.make_aware(datetime.combine(moved, time.min)).astimezone(UTC)
    except OverflowError:
        return datetime.combine(day, time.min if day.year == 1 else time.max, tzinfo=UTC)
