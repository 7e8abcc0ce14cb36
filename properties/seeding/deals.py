"""Invented enrolments and leads of one person."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from properties.enums import EnrollmentStatus, LeadStatus
from properties.seeding.dice import Roll, pick, weighted
from properties.seeding.estates import ESTATES

ANCHOR = datetime(2026, 11, 1, tzinfo=UTC)
"""The end of the story: nothing in the data is younger."""

_HOW_MANY = weighted({0: 36, 1: 38, 2: 18, 3: 8})
_STATUSES = weighted(
    {
        EnrollmentStatus.ONGOING.value: 45,
        EnrollmentStatus.COMPLETED.value: 35,
        EnrollmentStatus.SUSPENDED.value: 8,
        EnrollmentStatus.CANCELLED.value: 12,
    }
)
_LEADS = weighted(
    {
        "": 75,
        LeadStatus.AVAILABLE.value: 10,
        LeadStatus.RESERVED.value: 6,
        LeadStatus.CLOSED.value: 9,
    }
)
_UNSERVED = 0.1


class Enrolment(NamedTuple):
    """An estate, and perhaps an agent, by their numbers; an amount in whole units."""

    estate: int
    agent: int | None
    status: str
    amount: int
    enrolled_at: datetime


class Interest(NamedTuple):
    """A lead; one that is closed names the agent and the time."""

    estate: int
    agent: int | None
    status: str
    closed_at: datetime | None
    created_at: datetime


def enrolments(age: float, agents: int, likely: Sequence[int], roll: Roll) -> list[Enrolment]:
    """Return none to three enrolments of someone who joined ``age`` seconds before the anchor.

    ``agents`` is how many agents there were by then, ``likely`` the table of estates.
    """
    made = []
    for _ in range(pick(_HOW_MANY, roll)):
        estate = pick(likely, roll)
        agent = None if roll() < _UNSERVED else _an_agent(agents, roll)
        amount = int(ESTATES[estate].price * (0.7 + 0.6 * roll())) * 1_000
        made.append(Enrolment(estate, agent, pick(_STATUSES, roll), amount, _since(age, roll)))
    return made


def interest(age: float, agents: int, likely: Sequence[int], roll: Roll) -> Interest | None:
    """Return the lead that one person in four is."""
    status = pick(_LEADS, roll)
    if not status:
        return None
    estate, created = pick(likely, roll), _since(age, roll)
    if status != LeadStatus.CLOSED.value:
        return Interest(estate, None, status, None, created)
    closed = created + (ANCHOR - created) * roll()
    return Interest(estate, _an_agent(agents, roll), status, closed, created)


def _an_agent(agents: int, roll: Roll) -> int:
    return int(roll() * agents) * 10


def _since(age: float, roll: Roll) -> datetime:
    return ANCHOR - timedelta(seconds=int(age * roll()))
