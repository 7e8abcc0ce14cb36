"""The rows that definitions name by their ids, each looked up once."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from campaigns.audience.conditions import Condition, Definition
from campaigns.audience.criteria.values import Row, Value, Values
from campaigns.audience.criteria.wording import first_named

_shared: ContextVar["NamedRows | None"] = ContextVar("named_rows", default=None)


class NamedRows:
    """What the rows are called, and what is wrong with them."""

    def __init__(self) -> None:
        self._rows: dict[Values, dict[Value, Row]] = {}
        self.parsed: dict[str, Definition] = {}  # by the JSON of the definition, for ``parse``

    def load(self, conditions: Iterable[Condition]) -> None:
        """Look up all values of the conditions, in two queries for each kind of row."""
        self._load((condition.criterion.values, condition.values) for condition in conditions)

    def load_first_named(self, conditions: Iterable[Condition]) -> None:
        """Look up the values that sentences about the conditions spell out."""
        self._load((each.criterion.values, first_named(each.values)) for each in conditions)

    def _load(self, pairs: Iterable[tuple[Values | None, Collection[Value]]]) -> None:
        wanted: dict[Values, dict[Value, None]] = {}
        for kind, values in pairs:
            if kind is not None:
                wanted.setdefault(kind, {}).update(dict.fromkeys(values))
        for kind, values in wanted.items():
            self.of(kind, values)

    def of(self, kind: Values, values: Collection[Value]) -> Mapping[Value, Row]:
        """Return {value: row} of these values at least; of values that are no ids, nothing."""
        known = self._rows.setdefault(kind, {})
        if missing := [value for value in values if value not in known]:
            known |= kind.look_up(missing)
        return known


@contextmanager
def looked_up_once() -> Iterator[None]:
    """Let everything inside share what was looked up: for one save, not for longer.

    Outside, each question looks anew, for a row may have gone since.
    """
    token = _shared.set(_shared.get() or NamedRows())
    try:
        yield
    finally:
        _shared.reset(token)


def shared_rows() -> NamedRows | None:
    """Return what is shared, if anything is."""
    return _shared.get()


def named_rows() -> NamedRows:
    """Return what is shared, or a new one."""
    return _shared.get() or NamedRows()
