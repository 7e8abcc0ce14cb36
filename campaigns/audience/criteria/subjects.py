"""What a criterion asks about: a column of the user, or rows of other tables.

Each subject answers for the database and, in plain Python, for one user with loaded rows. Rows of
another table are asked for as ``pk IN (subquery)``, never by a join: a join would list a customer
once for each enrolment.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import reduce
from operator import and_
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from campaigns.audience.criteria.values import Values
from properties.enums import EnrollmentStatus, LeadStatus
from properties.models import Enrollment, Lead

_as_if_deleted: ContextVar[tuple[int, ...]] = ContextVar("as_if_deleted", default=())


@contextmanager
def as_if_deleted(properties: Iterable[int]) -> Iterator[None]:
    """Leave out the enrolments and leads of these properties from the conditions built inside."""
    token = _as_if_deleted.set(tuple(properties))
    try:
        yield
    finally:
        _as_if_deleted.reset(token)


class Subject(ABC):
    """What a criterion asks about; ``kind`` says what its operands are, for programs."""

    kind: str


class Answers(Subject):
    """A subject to which a customer has any number of answers, each one of ``values``.

    ``unknown`` says what is true of a customer without an answer when that means that nobody knows
    (“has no state on record”): such a customer is not “none of” anything. It is "" where no answer
    is a fact: whoever has no enrolment is enrolled in none of the properties.
    """

    unknown = ""

    def __init__(self, values: Values) -> None:
        self.values, self.kind = values, values.kind

    @abstractmethod
    def any_of(self, values: Sequence[Any]) -> Q:
        """Match the users who have one of the answers."""

    @abstractmethod
    def none_of(self, values: Sequence[Any]) -> Q:
        """Match the users of whom it is known that they have not one of the answers."""

    @abstractmethod
    def answers(self, user: User) -> list[Any]:
        """Return all answers of this user, read from the loaded rows."""

    def subqueries(self, values: Sequence[Any]) -> list[QuerySet[Any, Any]]:  # noqa: ARG002 -- for rows of other tables
        """Return subqueries of user ids that together say what ``any_of`` says, if there are."""
        return []

    def normalize(self, value: Any) -> Any:
        """Return the form in which answers and values are compared."""
        return value

    def matching(self, user: User, values: Sequence[Any]) -> list[Any]:
        """Return the user's answers that are among the values: the plain-Python ``any_of``."""
        wanted = {self.normalize(value) for value in values}
        return [answer for answer in self.answers(user) if self.normalize(answer) in wanted]


class Column(Answers):
    """One of the user's own columns; an empty one is no answer."""

    def __init__(self, column: str, values: Values, *, unknown: str = "") -> None:
        super().__init__(values)
        self.column, self.unknown = column, unknown

    def any_of(self, values: Sequence[Any]) -> Q:
        return Q(**{f"{self.column}__in": values})

    def none_of(self, values: Sequence[Any]) -> Q:
        return ~self.any_of(values) & self._known(self.column)

    def answers(self, user: User) -> list[Any]:
        answer = getattr(user, self.column)
        return [answer] if answer else []

    def _known(self, column: str) -> Q:
        if not self.unknown:
            return Q()
        return ~Q(**{column: ""}) & Q(**{f"{column}__isnull": False})


class FoldedColumn(Column):
    """A text column, asked by the derived column that holds its folded form."""

    def __init__(
        self, column: str, values: Values, *, fold: Callable[[Any], str], unknown: str
    ) -> None:
        super().__init__(column, values, unknown=unknown)
        self._fold = fold

    def normalize(self, value: Any) -> str:
        return self._fold(value)

    def any_of(self, values: Sequence[Any]) -> Q:
        return Q(**{f"{self.column}_key__in": [self.normalize(value) for value in values]})

    def none_of(self, values: Sequence[Any]) -> Q:
        return ~self.any_of(values) & self._known(f"{self.column}_key")

    def answers(self, user: User) -> list[Any]:
        return [answer for answer in super().answers(user) if self.normalize(answer)]


class Related(Answers):
    """Rows of other tables."""

    @abstractmethod
    def rows(self, values: Sequence[Any]) -> list[tuple[QuerySet[Any, Any], str]]:
        """Return (rows, their column with the user's id); whoever is in any of them matches."""

    def subqueries(self, values: Sequence[Any]) -> list[QuerySet[Any, Any]]:
        return [rows.values(column) for rows, column in self.rows(values)]

    def any_of(self, values: Sequence[Any]) -> Q:
        return in_any(self.subqueries(values))

    def none_of(self, values: Sequence[Any]) -> Q:
        """Match by NOT EXISTS: PostgreSQL joins it, and runs a large NOT IN for each user."""
        own = [rows.filter(**{column: OuterRef("pk")}) for rows, column in self.rows(values)]
        return reduce(and_, (Q(~Exists(rows)) for rows in own))


def in_any(subqueries: Sequence[QuerySet[Any, Any]]) -> Q:
    """Match the users in any of the subqueries.

    One ``IN`` over their union, not several joined by OR: PostgreSQL turns the first into a join
    and may run each of the others once for every user.
    """
    first, *others = subqueries
    return Q(pk__in=first.union(*others, all=True) if others else first)


class Enrolled(Related):
    def rows(self, values: Sequence[Any]) -> list[tuple[QuerySet[Any, Any], str]]:
        return [(Enrollment.objects.counting().filter(property_id__in=values), "user_id")]

    def answers(self, user: User) -> list[Any]:
        return [enrolment.property_id for enrolment in counting(user)]


class Served(Related):
    def rows(self, values: Sequence[Any]) -> list[tuple[QuerySet[Any, Any], str]]:
        enrolments = Enrollment.objects.counting().filter(agent_id__in=values)
        leads = Lead.objects.filter(status=LeadStatus.CLOSED, closed_by_id__in=values)
        if deleted := _as_if_deleted.get():
            enrolments = enrolments.exclude(property_id__in=deleted)
            leads = leads.exclude(property_id__in=deleted)
        return [(enrolments, "user_id"), (leads, "client_id")]

    def answers(self, user: User) -> list[Any]:
        leads = [lead for lead in user.leads.all() if lead.status == LeadStatus.CLOSED]
        agents = [enrolment.agent_id for enrolment in counting(user)]
        agents += [lead.closed_by_id for lead in leads]
        return [agent for agent in agents if agent is not None]


def counting(user: User) -> list[Enrollment]:
    """Return the user's enrolments that count, from the loaded rows."""
    enrolments = user.enrollments.all()
    return [enrolment for enrolment in enrolments if enrolment.status != EnrollmentStatus.CANCELLED]


class Moment(Subject):
    """A column of the user that holds a date and time; an empty one matches no condition."""

    kind = "date"

    def __init__(self, column: str) -> None:
        self.column = column

    def of(self, user: User) -> datetime | None:
        moment: datetime | None = getattr(user, self.column)
        return moment
