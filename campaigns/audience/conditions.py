"""A definition once it is parsed: frozen values that are handed on, never parsed again."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q

from accounts.models import User
from campaigns.audience.criteria import Criterion, Operator
from campaigns.audience.criteria.subjects import in_any
from campaigns.audience.criteria.values import Value
from campaigns.enums import Match

NO_CRITERIA_MESSAGE = "Choose at least one criterion: a segment without any would mean everyone."


@dataclass(frozen=True)
class Condition:
    """“State, any of, Lagos”: a criterion, one of its operators, and the parsed operand."""

    criterion: Criterion
    operator: Operator
    operand: Any

    @property
    def values(self) -> tuple[Value, ...]:
        """The values of the operand that may be ids of rows."""
        return self.operator.values(self.operand)

    def q(self) -> Q:
        return self.operator.q(self.criterion.subject, self.operand)

    def matches(self, user: User) -> bool:
        """Answer what ``q`` answers, from the user's loaded rows alone."""
        return self.operator.matches(self.criterion.subject, user, self.operand)

    def as_json(self) -> dict[str, Any]:
        return {
            "criterion": self.criterion.key,
            self.operator.key: self.operator.as_json(self.operand),
        }


@dataclass(frozen=True)
class Group:
    """Conditions and, one level down, further groups, of which all or any must hold."""

    match: Match
    entries: tuple["Condition | Group", ...]

    def conditions(self) -> Iterator[Condition]:
        """Yield every condition, those of the groups inside too."""
        return (condition for _, condition in self.placed())

    def placed(self, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Condition]]:
        """Yield (path, condition) of every condition; see ``Mistake``."""
        for index, entry in enumerate(self.entries):
            here = (*path, index)
            yield from entry.placed(here) if isinstance(entry, Group) else ((here, entry),)

    def q(self) -> Q:
        """Return one condition for the database, without a query."""
        if self.match == Match.ALL:
            return reduce(and_, (entry.q() for entry in self.entries))
        return self._any_of()

    def _any_of(self) -> Q:
        """Join by OR, with all that needs a subquery in one ``IN`` (see ``in_any``)."""
        columns, subqueries = [], []
        for entry in self.entries:
            own = [] if isinstance(entry, Group) else _subqueries(entry)
            subqueries += own
            if not own:
                columns.append(entry.q())
        if not subqueries:
            return reduce(or_, columns)
        if columns:
            subqueries.insert(0, User.objects.filter(reduce(or_, columns)).values("pk"))
        return in_any(subqueries)

    def matches(self, user: User) -> bool:
        """Answer what ``q`` answers, from the user's loaded rows alone."""
        join = all if self.match == Match.ALL else any
        return join(entry.matches(user) for entry in self.entries)

    def as_json(self) -> dict[str, Any]:
        return {
            "match": self.match.value,
            "conditions": [entry.as_json() for entry in self.entries],
        }


def _subqueries(condition: Condition) -> list[Any]:
    return condition.operator.subqueries(condition.criterion.subject, condition.operand)


@dataclass(frozen=True)
class Mistake:
    """What cannot be understood, and where: ``path`` holds the index in each list of conditions."""

    path: tuple[int, ...]
    error: ValidationError
    criterion: str = ""
    operator: str = ""
    is_about_match: bool = False

    @property
    def place(self) -> str:
        """The path as programs write it: “conditions[1].conditions[0]”."""
        parts = [f"conditions[{index}]" for index in self.path]
        return ".".join([*parts, "match"] if self.is_about_match else parts)


@dataclass(frozen=True)
class Definition:
    """A definition as far as it can be understood, and what in it cannot."""

    name: str
    group: Group
    mistakes: tuple[Mistake, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.group.entries and not self.mistakes

    @property
    def malformed(self) -> list[str]:
        """What is wrong with the definition itself, whatever the database holds."""
        if self.is_empty:
            return [NO_CRITERIA_MESSAGE]
        return [message for mistake in self.mistakes for message in mistake.error.messages]

    def conditions(self) -> Iterator[Condition]:
        return self.group.conditions()
