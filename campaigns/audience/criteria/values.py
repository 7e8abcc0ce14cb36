"""What may stand in a criterion's list: how it is read, named, looked up and found missing."""

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError

from accounts.countries import country_names, flag
from accounts.models import User
from accounts.text import fold, squeeze
from campaigns.audience.criteria import spellings
from campaigns.audience.criteria.wording import one_of

Value = str | int
Choice = tuple[Value, str]

QUOTED_LENGTH = 60
_INVISIBLE = {"Cc", "Cf", "Zs", "Zl", "Zp"}


class Row(NamedTuple):
    """What is known of a value that is the id of a row; ``trouble`` is a sentence, or ""."""

    name: str
    trouble: str = ""
    is_gone: bool = False


class Values(ABC):
    """The values that a criterion knows."""

    kind: str  # for programs that read the API

    @abstractmethod
    def clean(self, value: Any) -> Value:
        """Return the value as it is stored; raise ValidationError naming it and the remedy."""

    @abstractmethod
    def search(self, text: str, limit: int) -> list[Choice]:
        """Return up to ``limit`` values to offer to somebody who typed ``text``."""

    def choices(self) -> list[Choice] | None:
        """Return all there are, or None when there are too many to list."""
        return None

    def same(self, value: Value) -> Value:
        """Return what is equal for two spellings of one value."""
        return value

    def option(self, value: Value, label: str) -> str:  # noqa: ARG002 -- for countries, that have a flag
        """Return the label as a list to choose from shows it."""
        return label

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of one value."""

    def look_up(self, values: Collection[Any]) -> dict[Value, Row]:  # noqa: ARG002 -- only references are rows
        """Return {value: row} of values that are ids, in two queries at most."""
        return {}

    def names(
        self,
        values: Collection[Any],
        rows: Mapping[Value, Row],  # noqa: ARG002 -- for references
        *,
        plural: bool = False,  # noqa: ARG002 -- for the values that have one
    ) -> dict[Value, str]:
        """Return what people call each value; ``rows`` is what ``look_up`` answered of them."""
        return {value: str(value) for value in values}

    def labels(self, values: Collection[Any], rows: Mapping[Value, Row]) -> dict[Value, str]:
        """Return what each value is called where it stands alone: “Female”, not “a woman”."""
        return self.names(values, rows)


class Choices(Values):
    """One of a few words; ``spoken`` holds what one and several such people are called."""

    kind = "choice"

    def __init__(self, labels: dict[str, str], spoken: dict[str, tuple[str, str]]) -> None:
        self._labels, self._spoken = labels, spoken
        self.remedy = f"choose {one_of(list(labels))}"

    def choices(self) -> list[Choice]:
        return list(self._labels.items())

    def clean(self, value: Any) -> Value:
        text = clean_text(value)
        code = text.upper()
        if not text.isascii() or code not in self._labels:  # "ß" in capitals is South Sudan
            raise ValidationError(
                f"{quote_for_message(value)} is unknown: {self.remedy}.", code="invalid"
            )
        return code

    def search(self, text: str, limit: int) -> list[Choice]:
        wanted = fold(text)
        return [pair for pair in self.choices() if wanted in fold(pair[1])][:limit]

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self._labels)}

    def names(
        self,
        values: Collection[Any],
        rows: Mapping[Value, Row],  # noqa: ARG002 -- these are no rows
        *,
        plural: bool = False,
    ) -> dict[Value, str]:
        named = {value: self._labels.get(value, str(value)) for value in values}
        return {v: self._spoken[v][plural] if v in self._spoken else n for v, n in named.items()}

    def labels(self, values: Collection[Any], rows: Mapping[Value, Row]) -> dict[Value, str]:  # noqa: ARG002 -- these are no rows
        return {value: self._labels.get(value, str(value)) for value in values}


class Countries(Choices):
    kind = "country"

    def __init__(self) -> None:
        super().__init__(country_names(), {})
        self.remedy = "write the two letters of a country in ISO 3166-1, such as NG"

    def option(self, value: Value, label: str) -> str:
        return f"{flag(str(value))} {label}" if label != value else label

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 2, "maxLength": 2}


class Texts(Values):
    """A text that customers carry in one of their columns, whatever its case."""

    kind = "text"

    def __init__(self, column: str) -> None:
        self.column = column
        self._limit = getattr(User._meta.get_field(column), "max_length", 0)

    def clean(self, value: Any) -> Value:
        text = clean_text(value)
        limit = self._limit
        if len(text) > limit:
            message = f"{quote_for_message(text)} is too long: write at most {limit} characters."
            raise ValidationError(message, code="max_length")
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1}

    def same(self, value: Value) -> Value:
        return fold(value)

    def search(self, text: str, limit: int) -> list[Choice]:
        if not is_storable(text):
            return []
        return [(spelling, spelling) for spelling in spellings.search(self.column, text, limit)]


def clean_text(value: Any) -> str:
    """Return the text without needless white space; refuse what no column can hold."""
    if not isinstance(value, str):
        raise ValidationError(
            f"{quote_for_message(value)} is not a text: write a text.", code="invalid"
        )
    if not is_storable(value):
        message = f"{quote_for_message(value)} holds a character that cannot be stored: remove it."
        raise ValidationError(message, code="invalid_characters")
    if not is_visible(text := squeeze(value)):
        raise ValidationError("A value is empty: fill it in or remove it.", code="blank")
    return text


def is_storable(text: str) -> bool:
    """True without null characters and halves of surrogate pairs."""
    return "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def is_visible(text: str) -> bool:
    """False for spaces, and marks of width or direction, with nothing to be seen between them.

    What folds to nothing is compared like an empty text: it would mean whoever has none.
    """
    return any(unicodedata.category(char) not in _INVISIBLE for char in fold(text))


def quote_for_message(value: Any) -> str:
    """Return a value of any kind in a form short and harmless enough for a message."""
    match value:
        case str():
            text = value.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")
            return f"“{text if len(text) <= QUOTED_LENGTH else text[:QUOTED_LENGTH] + '…'}”"
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case int() if value.bit_length() > 2 * QUOTED_LENGTH:
            return "A number of that size"
        case int() | float():
            return str(value)
    return "An object" if isinstance(value, dict) else "A list"


def distinct(values: Iterable[Any], same: Any) -> list[Any]:
    """Return the values without repetitions, each in its first spelling."""
    first: dict[Any, Any] = {}
    for value in values:
        first.setdefault(same(value), value)
    return list(first.values())
