"""Why somebody is in or out, and what a segment asks, in sentences for people."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import prefetch_related_objects

from accounts.models import User
from campaigns.audience.criteria import CRITERIA, Value
from campaigns.audience.criteria.wording import spoken
from campaigns.audience.definition import Definition, Reading, problems_of, read
from campaigns.audience.query_builder import SegmentQueryBuilder
from campaigns.enums import Match
from campaigns.errors import SegmentBroken
from campaigns.models import Segment

Names = Mapping[str, Mapping[Value, str]]


@dataclass(frozen=True)
class Answer:
    """How one user answers one criterion; ``fact`` continues a sentence that names the user."""

    key: str
    label: str
    matched: bool
    fact: str


@dataclass(frozen=True)
class Membership:
    """Whether a user is in a segment now: None when the segment is broken and nobody knows."""

    segment: Segment
    is_in: bool | None
    problems: list[str]


def sentence(definition: Definition) -> str:
    """Return the definition as one English sentence, naming what its ids stand for.

    Costs one small query for each criterion that names rows of ours.
    """
    reading = read(definition)
    return _sentence(reading, _names([reading]))


def sentences_of(segments: Iterable[Segment]) -> dict[int, str]:
    """Return {id: sentence} of many segments, for the number of queries that one costs."""
    readings = {segment.pk: read(segment) for segment in segments}
    names = _names(readings.values())
    return {pk: _sentence(reading, names) for pk, reading in readings.items()}


def why(user: User, definition: Definition) -> list[Answer]:
    """Return one answer for each criterion that is asked, from the user's rows as they are now.

    Somebody who is no customer gets one more answer, the first, that says so. Raises
    SegmentBroken when the definition cannot be trusted.
    """
    builder = SegmentQueryBuilder(definition)
    if found := builder.problems():
        raise SegmentBroken(builder.reading.name, found)
    fresh = User.objects.get(pk=user.pk)
    prefetch_related_objects([fresh], "enrollments", "leads")
    answers = [_answer(fresh, key, values) for key, values in builder.reading.asked.items()]
    return answers if fresh.is_customer else [_no_customer(fresh), *answers]


def memberships(user: User) -> list[Membership]:
    """Return for every segment, by name, whether the user is in it now."""
    segments = list(Segment.objects.order_by("name", "pk"))
    broken = problems_of(segments)
    return [_membership(user, segment, broken[segment.pk]) for segment in segments]


def _membership(user: User, segment: Segment, problems: list[str]) -> Membership:
    if problems:
        return Membership(segment, None, problems)
    users = User.objects.customers().filter(SegmentQueryBuilder(segment).q(), pk=user.pk)
    return Membership(segment, users.exists(), [])


def _answer(user: User, key: str, values: list[Value]) -> Answer:
    criterion = CRITERIA[key]
    matched, fact = criterion.matches(user, values), criterion.fact(user, values)
    return Answer(key, criterion.label, matched, fact)


def _no_customer(user: User) -> Answer:
    state = "an active" if user.is_active else "an inactive"
    fact = f"is {state} {user.get_role_display().lower()}, not an active client or partner"
    return Answer("customer", "Customer", matched=False, fact=fact)


def _names(readings: Iterable[Reading]) -> Names:
    """Return {criterion: {value: name}} of all that the sentences will name."""
    named: dict[str, dict[Value, None]] = {}
    for reading in readings:
        for key, values in reading.asked.items():
            named.setdefault(key, {}).update(dict.fromkeys(spoken(values)))
    return {key: CRITERIA[key].names(values, plural=True) for key, values in named.items()}


def _sentence(reading: Reading, names: Names) -> str:
    if malformed := reading.malformed:
        return f"Nobody can say which customers: {' '.join(malformed)}"
    objects = {
        key: CRITERIA[key].objects(values, names[key]) for key, values in reading.asked.items()
    }
    is_all = reading.match == Match.ALL
    if is_all and objects.keys() >= {"countries", "states"}:
        objects["countries"] += f" ({objects.pop('states')})"
    verbs = [(CRITERIA[key].verb, thing) for key, thing in objects.items()]
    *head, last = [f"{verb.plural} {verb.towards(thing)}" for verb, thing in verbs]
    if not head:
        return f"Customers who {last}."
    # Clauses hold an "or" of their own: a comma before each outer one keeps them apart.
    clauses = f"{', '.join(head)} and {last}" if is_all else ", or ".join([*head, last])
    return f"Customers who {clauses}."
