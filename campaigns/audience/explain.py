"""Why somebody is in or out, and what a segment asks for, in sentences for people."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import prefetch_related_objects

from accounts.models import User
from campaigns.audience.conditions import Condition, Definition, Group
from campaigns.audience.criteria.wording import first_named
from campaigns.audience.definition import problems, problems_of
from campaigns.audience.named_rows import NamedRows, named_rows
from campaigns.audience.parsing import DefinitionSource, definition_of
from campaigns.audience.query_builder import condition_of
from campaigns.enums import Match
from campaigns.errors import SegmentBroken
from campaigns.models import Segment


@dataclass(frozen=True)
class Answer:
    """How one user answers one condition or group; ``fact`` continues a sentence that names them.

    ``answers`` holds those of the entries of a group.
    """

    key: str
    label: str
    matched: bool
    fact: str
    answers: tuple["Answer", ...] = ()


@dataclass(frozen=True)
class Membership:
    """Whether a user is in a segment now: None when the segment is broken and nobody knows."""

    segment: Segment
    is_in: bool | None
    problems: list[str]


def sentence(described: DefinitionSource) -> str:
    """Return the definition as one English sentence, naming what its ids stand for.

    Costs two small queries at most for each kind of row that is named.
    """
    definition, rows = definition_of(described), named_rows()
    rows.load_first_named(definition.conditions())
    return _sentence(definition, rows)


def sentences_of(segments: Iterable[Segment]) -> dict[int, str]:
    """Return {id: sentence} of many segments, for the number of queries that one costs."""
    definitions = {segment.pk: definition_of(segment) for segment in segments}
    rows = named_rows()
    conditions = (each for one in definitions.values() for each in one.conditions())
    rows.load_first_named(conditions)
    return {pk: _sentence(definition, rows) for pk, definition in definitions.items()}


def why(user: User, described: DefinitionSource) -> list[Answer]:
    """Return one answer for each condition and group, from the user's rows as they are now.

    Somebody who is no customer gets one more answer, the first, that says so. Raises
    SegmentBroken when the definition cannot be trusted.
    """
    definition = definition_of(described)
    if found := problems(definition):
        raise SegmentBroken(definition.name, found)
    fresh = User.objects.get(pk=user.pk)
    prefetch_related_objects([fresh], "enrollments", "leads")
    answers = _answers(fresh, definition.group)
    return list(answers if fresh.is_customer else (_no_customer(fresh), *answers))


def memberships(user: User) -> list[Membership]:
    """Return for every segment, by name, whether the user is in it now."""
    segments = list(Segment.objects.order_by("name", "pk"))
    broken = problems_of(segments)
    return [_membership(user, segment, broken[segment.pk]) for segment in segments]


def _membership(user: User, segment: Segment, problems: list[str]) -> Membership:
    if problems:
        return Membership(segment, None, problems)
    users = User.objects.customers().filter(condition_of(definition_of(segment)), pk=user.pk)
    return Membership(segment, users.exists(), [])


def _answers(user: User, group: Group) -> tuple[Answer, ...]:
    return tuple(_answer(user, entry) for entry in group.entries)


def _answer(user: User, entry: Condition | Group) -> Answer:
    matched = entry.matches(user)
    if isinstance(entry, Group):
        label = "All of" if entry.match == Match.ALL else "Any of"
        meets = "meets" if matched else "does not meet"
        number = len(entry.entries)
        fact = f"{meets} {label.lower()} {number} condition{'' if number == 1 else 's'}"
        return Answer("group", label, matched, fact, _answers(user, entry))
    fact = entry.operator.fact(entry.criterion, user, entry.operand)
    return Answer(entry.criterion.key, entry.criterion.label, matched, fact)


def _no_customer(user: User) -> Answer:
    state = "an active" if user.is_active else "an inactive"
    fact = f"is {state} {user.get_role_display().lower()}, not an active client or partner"
    return Answer("customer", "Customer", matched=False, fact=fact)


def _sentence(definition: Definition, rows: NamedRows) -> str:
    if malformed := definition.malformed:
        return f"We can't tell who this is: {' '.join(malformed)}"
    return f"Customers who {clauses_of(definition.group, rows)}."


def clauses_of(group: Group, rows: NamedRows) -> str:
    """Return what is said of customers for whom the group holds: “are women and live in Lagos”."""
    clauses = [
        f"({clauses_of(entry, rows)})" if isinstance(entry, Group) else clause(entry, rows)
        for entry in group.entries
    ]
    is_all = group.match == Match.ALL
    *head, last = _joined_places(group, clauses) if is_all else clauses
    if not head:
        return last
    # Clauses hold an "or" of their own: a comma before each outer one keeps them apart.
    return f"{', '.join(head)} and {last}" if is_all else ", or ".join([*head, last])


def _joined_places(group: Group, clauses: list[str]) -> list[str]:
    """Say “in Nigeria (Lagos)” where customers must live in a country and in a state of it."""
    places = {
        entry.criterion.key: index
        for index, entry in enumerate(group.entries)
        if isinstance(entry, Condition)
        and entry.operator.key == "any_of"
        and entry.criterion.key in {"countries", "states"}
    }
    if len(places) < 2:  # noqa: PLR2004 -- a country and a state
        return clauses
    country, state = places["countries"], places["states"]
    inside = clauses[state].partition(" in ")[2]
    joined = [*clauses]
    joined[country] += f" ({inside})"
    del joined[state]
    return joined


def clause(condition: Condition, rows: NamedRows) -> str:
    """Return one condition as it is said of customers: “live in Lagos or Abuja”."""
    criterion, named = condition.criterion, first_named(condition.values)
    kind = criterion.values
    names = kind.names(named, rows.of(kind, named), plural=True) if kind else {}
    return condition.operator.clause(criterion, condition.operand, names)
