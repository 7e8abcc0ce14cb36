"""Lists of names as a person would say them."""

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")

SPELLED_OUT = 3
SPELLED_OUT_OF_MANY = 2


def first_named(items: Sequence[Item]) -> Sequence[Item]:
    """Return those that are named when the others are only counted."""
    return items if len(items) <= SPELLED_OUT else items[:SPELLED_OUT_OF_MANY]


def one_of(names: Sequence[str], others: int = 0) -> str:
    """Return “A, B or C”, or “A, B or one of 12 others”."""
    return _listed([*names, f"one of {others} others"] if others else names, "or")


def all_of(names: Sequence[str], others: int = 0) -> str:
    """Return “A, B and C”, or “A, B and 12 others”."""
    return _listed([*names, f"{others} others"] if others else names, "and")


def _listed(names: Sequence[str], conjunction: str) -> str:
    *head, last = names
    return f"{', '.join(head)} {conjunction} {last}" if head else last
