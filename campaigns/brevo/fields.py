"""The fields of Brevo's answers, each read by name and kind.

An answer as a whole that has another shape is a WrongShape. One odd row of many, or one odd value
of a contact, is not: nobody else is to suffer from it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

T = TypeVar("T")

_LARGEST = 2**63 - 1
_FALSE = frozenset({"false", "f", "no", "n", "off", "0", ""})


class WrongShape(ValueError):
    """An answer is not what Brevo documents."""


class Rows(list[T]):
    """What was read of a list; ``unreadable`` says how many of its rows could not be."""

    def __init__(self, rows: Iterable[T], unreadable: int = 0) -> None:
        super().__init__(rows)
        self.unreadable = unreadable

    @property
    def sent(self) -> int:
        """How many rows Brevo sent."""
        return len(self) + self.unreadable


class Fields:
    """The fields of one JSON object, each asked for by name and kind."""

    def __init__(self, data: object) -> None:
        if not isinstance(data, Mapping):
            raise WrongShape("not an object")
        self._data = data

    def has(self, name: str) -> bool:
        return self._data.get(name) is not None

    def integer(self, name: str) -> int:
        """Return a whole number, be it written 5, 5.0 or "5"."""
        number = _integer(self._data.get(name))
        if number is None:
            raise WrongShape(name)
        return number

    def integer_or_none(self, name: str) -> int | None:
        return _integer(self._data.get(name))

    def text(self, name: str, default: str | None = None) -> str:
        value = self._data.get(name, default)
        if value is None:
            value = default
        if not isinstance(value, str):
            raise WrongShape(name)
        return storable(value)

    def known_as(self, name: str) -> str:
        """Return an id as text, whether it is a text or a number; "" when there is none."""
        value = self._data.get(name)
        if value is None or isinstance(value, str):
            return storable(value or "")
        return str(self.integer(name))

    def flag(self, name: str) -> bool:
        """Return a flag. One that is left out is not set; one that nobody understands is."""
        value = self._data.get(name)
        if value is None:
            return False
        word = str(_integer(value)) if isinstance(value, float) else str(value).strip().lower()
        return word not in _FALSE

    def word(self, name: str) -> str:
        """Return a text without spaces around it, "" for anything else."""
        value = self._data.get(name)
        return storable(value).strip() if isinstance(value, str) else ""

    def moment(self, name: str) -> datetime | None:
        """Return a time in UTC, None for what is none, such as 0000-00-00."""
        try:
            moment = datetime.fromisoformat(self.word(name))
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            return None

    def ids(self, name: str) -> tuple[tuple[int, ...], bool]:
        """Return the ids of a list, and whether each of them could be understood."""
        value = self._data.get(name)
        if isinstance(value, str):
            value = [part for part in value.split(",") if part.strip()]
        if not value:
            return (), value is not True
        if not isinstance(value, list):
            return (), False
        found = [_integer(item.get("id") if isinstance(item, Mapping) else item) for item in value]
        return tuple(number for number in found if number is not None), None not in found

    def object(self, name: str) -> "Fields":
        return Fields(self.mapping(name))

    def mapping(self, name: str) -> Mapping[str, Any]:
        value = self._data.get(name) or {}
        if not isinstance(value, Mapping):
            raise WrongShape(name)
        return value

    def mapping_or_empty(self, name: str) -> Mapping[str, Any]:
        value = self._data.get(name)
        return value if isinstance(value, Mapping) else {}

    def items(self, name: str) -> list[Any]:
        """Return a list; Brevo may leave an empty one out, but then its count is 0 or not there."""
        value = self._data.get(name)
        if value is None and not self.integer_or_none("count"):
            return []
        if not isinstance(value, list):
            raise WrongShape(name)
        return value

    def rows(self, name: str, read: Callable[[Any], T], *, tolerated: int = 0) -> Rows[T]:
        """Read a list row by row, and count the rows that cannot be read.

        When none can be, and they are more than ``tolerated``, the answer has another shape.
        """
        rows = Rows[T]([])
        for item in self.items(name):
            try:
                rows.append(read(item))
            except WrongShape:
                rows.unreadable += 1
        if not rows and rows.unreadable > tolerated:
            raise WrongShape(name)
        return rows

    def page(
        self, name: str, read: Callable[[Any], T], offset: int
    ) -> tuple[Rows[T], frozenset[str], int | None]:
        """Return a page's rows, what tells them from those of another page, and Brevo's count.

        An empty list may be left out where the count says that there is no more.
        """
        count = self.integer_or_none("count")
        if not self.has(name) and (count is None or count > offset):
            raise WrongShape(name)
        items = self.items(name) if self.has(name) else []
        identities = frozenset(
            str(item["id"]) if isinstance(item, Mapping) and item.get("id") else repr(item)
            for item in items
        )
        return self.rows(name, read, tolerated=1) if items else Rows([]), identities, count


def storable(text: str) -> str:
    """Return a text without what JSON can hold and no database can: NUL, and half a character."""
    if text.isprintable():
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def _integer(value: object) -> int | None:
    if isinstance(value, str):
        digits = re.fullmatch(r"\s*([0-9]{1,19})(\.0+)?\s*", value, re.ASCII)
        value = int(digits[1]) if digits else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _LARGEST:
        return None
    return value
