"""Compute derived columns of stored rows anew, for migrations, when the rules of folding change.

Two rows that were different and fold to one text now are kept apart: the text of the later one
says so, and a person's address that says so is not usable. Nobody is merged.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from django.db import models

Derive = Callable[[Any], Any]

_BATCH = 2_000
_MARK = re.compile(r" \([a-z]+ ([0-9]+) duplicates ([0-9]+)\)\Z")
# Rows of printable ASCII fold as they always did: only the others are read.
_UNUSUAL = {"postgresql": "{column} ~ '[^ -~]'", "sqlite": "{column} GLOB '*[^ -~]*'"}
DUPLICATES = " duplicates "  # is in every mark, and in nothing else that folds to an address


def mark(text: str, noun: str, pk: int, first: int, limit: int) -> str:
    """Return the text with a note that row ``pk`` duplicates row ``first``."""
    note = f" ({noun} {pk} duplicates {first})"
    return f"{text[: limit - len(note)]}{note}"


def marked(text: str) -> tuple[int, int] | None:
    """Return the ids of the row and of the one it duplicates; None for a text without a mark."""
    found = _MARK.search(text)
    return (int(found[1]), int(found[2])) if found else None


def unmark(rows: models.QuerySet[Any], source: str) -> None:
    """Take the marks out of a column again; its derived column may hold anything until then."""
    for row in rows.filter(**{f"{source}__contains": DUPLICATES}).iterator(chunk_size=_BATCH):
        text = _MARK.sub("", getattr(row, source))
        rows.filter(pk=row.pk).update(**{source: text})


def unusual(rows: models.QuerySet[Any], columns: Sequence[str], vendor: str) -> Iterator[list[Any]]:
    """Yield, in batches by id, the rows whose text in one of the columns is not plain ASCII."""
    model = rows.model
    where = " OR ".join(
        _UNUSUAL[vendor].format(column=f'"{model._meta.db_table}"."{column}"') for column in columns
    )
    after, found = 0, rows.extra(where=[f"({where})"]).order_by("pk")  # noqa: S610 -- our own words
    while batch := list(found.filter(pk__gt=after)[:_BATCH]):
        yield batch
        after = batch[-1].pk


def refold(
    rows: models.QuerySet[Any], derived: Mapping[str, tuple[str, Derive]], vendor: str
) -> None:
    """Write ``{column: (source, derive)}`` anew where it changes; the columns are not unique."""
    for batch in unusual(rows, sorted({source for source, _ in derived.values()}), vendor):
        changed = [row for row in batch if _derive(row, derived)]
        rows.bulk_update(changed, [*derived])


def refold_unique(
    rows: models.QuerySet[Any], key: str, source: str, derive: Derive, noun: str, vendor: str
) -> None:
    """Write a unique derived column anew, and mark the source of whoever would take another's.

    A text that is its own key, with ``key`` and ``source`` the same, is marked as it is.
    """
    limit = rows.model._meta.get_field(source).max_length
    for batch in unusual(rows, [source], vendor):
        wanted = {row.pk: derive(getattr(row, source)) for row in batch}
        moving = [row for row in batch if getattr(row, key) != wanted[row.pk]]
        held = rows.filter(**{f"{key}__in": {wanted[row.pk] for row in moving}})
        holders = dict(held.values_list(key, "pk"))
        for row in moving:
            first = holders.setdefault(wanted[row.pk], row.pk)
            if first != row.pk:
                setattr(row, source, mark(getattr(row, source), noun, row.pk, first, limit))
            if first == row.pk or key != source:  # else the mark alone tells it from the other
                setattr(row, key, derive(getattr(row, source)))
        rows.bulk_update(moving, sorted({key, source}))


def _derive(row: Any, derived: Mapping[str, tuple[str, Derive]]) -> bool:
    changed = False
    for column, (source, derive) in derived.items():
        value = derive(getattr(row, source))
        changed |= value != getattr(row, column)
        setattr(row, column, value)
    return changed
