"""Everybody in an audience, in pages that cost the same however deep one goes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import QueryDict

from accounts.admin_lists import Asked
from accounts.models import User, UserQuerySet
from accounts.reading import moment, whole_number
from accounts.searching import search
from campaigns.admin.segment_live import Person, why_not
from campaigns.audience.criteria.values import is_storable
from campaigns.audience.mailable import with_held_reason
from campaigns.audience.query_builder import audience
from campaigns.models import Segment

PAGE = 50
CSV_HEADER = (
    "id",
    "first_name",
    "last_name",
    "email",
    "phone",
    "gender",
    "country",
    "state",
    "traffic_source",
    "joined",
    "mailable",
    "why_not",
)

# What one may sort by, after a "-" backwards: each has an index, so that the database begins
# where a page begins.
SORTS = {"id": "pk", "email": "email_key", "joined": "date_joined"}


@dataclass(frozen=True)
class Cursor:
    """A place between two people: the value they are sorted by, then the id."""

    value: Any
    pk: int

    @classmethod
    def read(cls, text: str, sort: str) -> "Cursor | None":
        """Return None for what is no place in this order."""
        raw, _, pk = text.rpartition("|")
        number = whole_number(pk)
        if number is None or not is_storable(raw):
            return None
        value: Any = {"id": number, "joined": moment(raw)}.get(sort, raw)
        return cls(value, number) if value else None

    @classmethod
    def at(cls, user: User, sort: str) -> "Cursor":
        return cls(getattr(user, SORTS[sort]), user.pk)

    def __str__(self) -> str:
        value = self.value
        return f"{value.isoformat() if isinstance(value, datetime) else value}|{self.pk}"


@dataclass(frozen=True)
class Page:
    people: list[Person]
    next: str
    previous: str


class People:
    """Reads what was asked for from a page's address; nobody fits what makes no sense there."""

    def __init__(self, segment: Segment, asked: QueryDict) -> None:
        self.segment = segment
        self.asked = Asked(asked)
        sort = self.asked.choice("sort", {*SORTS, *(f"-{name}" for name in SORTS)}) or "id"
        self.backwards = sort.startswith("-")
        self.sort = sort.removeprefix("-")
        self.words = self.asked.words
        self._after = Cursor.read(asked.get("after", ""), self.sort)
        self._before = Cursor.read(asked.get("before", ""), self.sort)

    def address(self, **changed: str) -> str:
        """Return the query of a page's address: what is asked now, with changes."""
        sort = f"-{self.sort}" if self.backwards else self.sort
        asked = {"show": str(self.segment.pk), "sort": sort, "q": self.words} | changed
        return urlencode({name: value for name, value in asked.items() if value})

    def found(self) -> UserQuerySet:
        """Return everybody who fits, in no order; raises SegmentBroken."""
        people = with_held_reason(audience(self.segment))
        if not (self.asked.is_understood and is_storable(self.words)):
            return people.none()
        return search(people, self.words, ("email", "first_name", "last_name", "phone_e164"))

    def page(self) -> Page:
        """Return one page by one query that never counts; raises SegmentBroken."""
        if self._before is not None:
            found = self._read(self._before, backwards=not self.backwards)
            users = found[:PAGE][::-1]
            has_previous, has_next = len(found) > PAGE, True
        else:
            found = self._read(self._after, backwards=self.backwards)
            users = found[:PAGE]
            has_previous, has_next = self._after is not None, len(found) > PAGE
        if not users:
            return Page([], "", self.address() if has_previous else "")
        first, last = Cursor.at(users[0], self.sort), Cursor.at(users[-1], self.sort)
        return Page(
            [Person(user, why_not(user)) for user in users],
            self.address(after=str(last)) if has_next else "",
            self.address(before=str(first)) if has_previous else "",
        )

    def _read(self, cursor: Cursor | None, *, backwards: bool) -> list[User]:
        column = SORTS[self.sort]
        people = self.found()
        if cursor is not None:
            side = "lt" if backwards else "gt"
            further = Q(**{f"{column}__{side}": cursor.value})
            level = Q(**{column: cursor.value, f"pk__{side}": cursor.pk})
            begin = Q(**{f"{column}__{side}e": cursor.value})  # where the index begins
            people = people.filter(begin, further | level)
        sign = "-" if backwards else ""
        return list(people.order_by(f"{sign}{column}", f"{sign}pk")[: PAGE + 1])

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Give a line of the CSV file for everybody who fits, as the database finds them."""
        for user in self.found().order_by("pk").iterator(2_000):
            reason = why_not(user)
            yield (
                user.pk,
                user.first_name,
                user.last_name,
                user.email,
                user.phone,
                user.gender,
                user.country,
                user.state,
                user.referral_source,
                user.date_joined.isoformat(),
                "no" if reason else "yes",
                reason,
            )
