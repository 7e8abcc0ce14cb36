"""What a criterion asks of a user: once for the database, once in plain Python.

A question about rows of another table is asked as ``pk IN (subquery)``, never by a join: a join
would list a customer once for each enrolment.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import User
from properties.enums import EnrollmentStatus, LeadStatus
from properties.models import Enrollment, Lead

_as_if_deleted: ContextVar[tuple[int, ...]] = ContextVar("as_if_deleted", default=())


@contextmanager
def as_if_deleted(properties: Iterable[int]) -> Iterator[None]:
    """Leave out the enrolments and leads of these properties from the questions built inside."""
    token = _as_if_deleted.set(tuple(properties))
    try:
        yield
    finally:
        _as_if_deleted.reset(token)


class Question(ABC):
    @abstractmethod
    def q(self, values: Sequence[Any]) -> Q:
        """Match the users who answer one of the values."""

    @abstractmethod
    def own(self, user: User) -> list[Any]:
        """Return all that this user would answer, read from the loaded rows."""

    def form(self, value: Any) -> Any:
        """Return the form in which an answer and a value of the segment are compared."""
        return value

    def found(self, user: User, values: Sequence[Any]) -> list[Any]:
        """Return the user's answers that are among the values: the plain-Python twin of ``q``."""
        wanted = {self.form(value) for value in values}
        return [answer for answer in self.own(user) if self.form(answer) in wanted]


class Column(Question):
    """Asks one of the user's own columns."""

    def __init__(self, column: str) -> None:
        self.column = column

    def q(self, values: Sequence[Any]) -> Q:
        return Q(**{f"{self.column}__in": values})

    def own(self, user: User) -> list[Any]:
        answer = getattr(user, self.column)
        return [answer] if answer else []


class FoldedColumn(Column):
    """Asks a text column by the derived column that holds its folded form."""

    def __init__(self, column: str, form: Callable[[Any], str]) -> None:
        super().__init__(column)
        self._form = form

    def form(self, value: Any) -> str:
        return self._form(value)

    def q(self, values: Sequence[Any]) -> Q:
        return Q(**{f"{self.column}_key__in": [self.form(value) for value in values]})


class Related(Question):
    """Asks rows of other tables."""

    @abstractmethod
    def user_ids(self, values: Sequence[Any]) -> list[QuerySet[Any, Any]]:
        """Return subqueries of one column; whoever is in any of them matches."""

    def q(self, values: Sequence[Any]) -> Q:
        return in_any(self.user_ids(values))


def in_any(subqueries: Sequence[QuerySet[Any, Any]]) -> Q:
    """Match the users in any of the subqueries.

    One ``IN`` over their union, not several joined by OR: PostgreSQL turns the first into a join
    and may run each of the others once for every user.
    """
    first, *others = subqueries
    return Q(pk__in=first.union(*others, all=True) if others else first)


class Enrolled(Related):
    def user_ids(self, values: Sequence[Any]) -> list[QuerySet[Any, Any]]:
        enrolments = Enrollment.objects.counting().filter(property_id__in=values)
        return [enrolments.values("user_id")]

    def own(self, user: User) -> list[Any]:
        return [enrolment.property_id for enrolment in counting(user)]


class Served(Related):
    def user_ids(self, values: Sequence[Any]) -> list[QuerySet[Any, Any]]:
        enrolments = Enrollment.objects.counting().filter(agent_id__in=values)
        leads = Lead.objects.filter(status=LeadStatus.CLOSED, closed_by_id__in=values)
        if deleted := _as_if_deleted.get():
            enrolments = enrolments.exclude(property_id__in=deleted)
            leads = leads.exclude(property_id__in=deleted)
        return [enrolments.values("user_id"), leads.values("client_id")]

    def own(self, user: User) -> list[Any]:
        leads = [lead for lead in user.leads.all() if lead.status == LeadStatus.CLOSED]
        agents = [enrolment.agent_id for enrolment in counting(user)]
        agents += [lead.closed_by_id for lead in leads]
        return [agent for agent in agents if agent is not None]


def counting(user: User) -> list[Enrollment]:
    """Return the user's enrolments that count, from the loaded rows."""
    enrolments = user.enrollments.all()
    return [enrolment for enrolment in enrolments if enrolment.status != EnrollmentStatus.CANCELLED]
