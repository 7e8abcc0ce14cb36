"""Find rows by words that somebody typed, alike on every database.

SQLite knows the case of ASCII alone, and PostgreSQL that of its server's language. So a word is
folded, and looked for in the columns as they are where it is ASCII, and in the columns that hold
the folded form of texts with other letters.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.db.models import Q, QuerySet

from accounts.text import dialable, fold, fold_email

Rows = TypeVar("Rows", bound="QuerySet[Any, Any]")

PEOPLE = ("email", "first_name", "last_name", "phone_e164")
MOST_WORDS = 10
LONGEST = 200
TOO_LONG = f"Search for {MOST_WORDS} words and {LONGEST} characters at most."
# A word of one or two letters is found at the beginning only: the index that makes this fast among
# millions holds parts of three letters and beginnings.
SHORTEST_PART = 3
# Texts with a column beside them, named ``…_folded``, for what is not plain ASCII.
INDEXED = frozenset({"first_name", "last_name"})
FOLDED = INDEXED | {"description"}
_PHONE = re.compile(r"[\d\s+().\-/\u2010-\u2015]+")


def is_too_long(text: str) -> bool:
    return len(text) > LONGEST or len(text.split()) > MOST_WORDS


def words_of(text: str) -> list[str]:
    """Return the words to look for, without those of which nothing can be seen."""
    return [word for word in text[:LONGEST].split()[:MOST_WORDS] if fold(word)]


def search(rows: Rows, text: str, columns: Sequence[str]) -> Rows:
    """Keep the rows that have every word in any of the columns; see ``matching``."""
    return rows.filter(words_q(text, columns))


def words_q(text: str, columns: Sequence[str]) -> Q:
    """Match what ``search`` keeps."""
    conditions = [matching(word, columns) for word in words_of(text)]
    every = reduce(Q.__and__, conditions, Q())
    phones = [name for name in columns if name.endswith("phone_e164")]
    if phones and len(conditions) > 1 and (parts := _parts_of_a_phone(text)):
        every |= _in_any(phones, parts)
    return every


def matching(word: str, columns: Sequence[str]) -> Q:
    """Match the rows with the word in any of the columns.

    What the last part of a column's name says: ``…email`` holds addresses, ``…phone_e164`` numbers,
    ``…_key`` folded texts, those in ``FOLDED`` have a column beside them; others are plain ASCII.
    """
    return reduce(or_, (_in_column(word, name) for name in columns))


def _in_column(word: str, name: str) -> Q:
    last = name.rpartition("__")[2]
    if last == "phone_e164":
        return _in_any([name], _parts_of_a_phone(word))
    if last == "email":
        return _in_address(word, name)
    folded = fold(word)
    if last.endswith("_key"):
        return Q(**{f"{name}__contains": folded})
    is_short = len(folded) < SHORTEST_PART and last in INDEXED
    how = "startswith" if is_short else "contains"
    if last not in FOLDED:
        return Q(**{f"{name}__i{how}": folded})
    found = Q(**{f"{name}_folded__{how}": folded})
    plain = Q(**{f"{name}_folded": "", f"{name}__i{how}": folded})
    return found | plain if folded.isascii() else found


def _in_address(word: str, name: str) -> Q:
    """Find an international domain as it was written, and in the form in which it is sent."""
    if word.isascii():
        is_short = len(word) < SHORTEST_PART and "@" not in word
        return Q(**{f"{name}__{'istartswith' if is_short else 'icontains'}": word})
    sent = fold_email(word if "@" in word else f"@{word}")
    return Q(**{f"{name}__contains": word}) | Q(**{f"{name}__icontains": sent.lstrip("@")})


def _parts_of_a_phone(text: str) -> set[str]:
    """Return how a number that is written like this may stand in E.164, whatever is left out."""
    if not _PHONE.fullmatch(text):
        return set()
    plain = "".join(
        str(digit)
        for char in text.replace("(0)", "")
        if (digit := unicodedata.decimal(char, None)) is not None
    )
    parts = {plain, plain.lstrip("0"), dialable(text).lstrip("+")}
    return {part for part in parts if len(part) >= SHORTEST_PART}


def _in_any(names: Iterable[str], parts: Iterable[str]) -> Q:
    found = [Q(**{f"{name}__icontains": part}) for name in names for part in parts]
    return reduce(or_, found, Q(pk__in=()))
