"""Many values in lists that one statement can take."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

IN_ONE_STATEMENT = 10_000  # SQLite takes 32,766 values


def in_batches(values: Iterable[T], size: int = IN_ONE_STATEMENT) -> Iterator[list[T]]:
    """Yield the values in lists of ``size``; the last one may be shorter."""
    remaining = iter(values)
    while batch := list(islice(remaining, size)):
        yield batch
