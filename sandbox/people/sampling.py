"""Reproducible random choices.

Only ``Random.random`` is documented to give the same numbers on every version of Python, so
everything here is built on it alone.
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import TypeVar

Value = TypeVar("Value")


def random_for(seed: int, block: int) -> Random:
    """Return the random numbers of one block of people; they depend on no other block."""
    return Random(f"{seed}/{block}")  # noqa: S311 -- invented data, no secret


def pick(table: Sequence[Value], random: Random) -> Value:
    """Return a random element, as ``random.choice`` does, but alike on every version of Python."""
    return table[int(random.random() * len(table))]


def weighted(weights: Mapping[Value, int]) -> tuple[Value, ...]:
    """Return a table that holds each value as often as its weight says."""
    return tuple(value for value, weight in weights.items() for _ in range(weight))
