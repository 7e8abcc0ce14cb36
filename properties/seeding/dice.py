"""Chance that repeats itself.

Only ``Random.random`` is promised to give the same numbers on every version of Python, so
everything here is built on it alone.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TypeVar

Value = TypeVar("Value")
Roll = Callable[[], float]
"""Returns a number from 0 to 1, 1 excluded."""


def roll_for(seed: int, block: int) -> Roll:
    """Return the chance of one block of people, which depends on no other block."""
    return Random(f"{seed}/{block}").random  # noqa: S311 -- invented data, no secret


def pick(table: Sequence[Value], roll: Roll) -> Value:
    return table[int(roll() * len(table))]


def weighted(shares: Mapping[Value, int]) -> tuple[Value, ...]:
    """Return a table in which each value stands as often as its share says."""
    return tuple(value for value, share in shares.items() for _ in range(share))
