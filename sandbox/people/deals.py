"""Invented enrolments and leads of one person."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple

from properties.enums import EnrollmentStatus, LeadStatus
from sandbox.people.estates import ESTATES
from sandbox.people.sampling import pick, weighted

LATEST = datetime(2026, 11, 1, tzinfo=UTC)
"""The latest time in the data: it does not depend on today's date."""

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


def enrolments(age: float, agents: int, likely: Sequence[int], random: Random) -> list[Enrolment]:
    """Return none to three enrolments of someone who joined ``age`` seconds before ``LATEST``.

    ``agents`` is how many agents there were by then, ``likely`` the table of estates.
    """
    made = []
    for _ in range(pick(_HOW_MANY, random)):
        estate = pick(likely, random)
        agent = None if random.random() < _UNSERVED else _an_agent(agents, random)
        amount = int(ESTATES[estate].price * (0.7 + 0.6 * random.random())) * 1_000
        made.append(Enrolment(estate, agent, pick(_STATUSES, random), amount, _since(age, random)))
    return made


def interest(age: float, agents: int, likely: Sequence[int], random: Random) -> Interest | None:
    """Return the lead that one person in four is."""
    status = pick(_LEADS, random)
    if not status:
        return None
    estate, created = pick(likely, random), _since(age, random)
    if status != LeadStatus.CLOSED.value:
        return Interest(estate, None, status, None, created)
    closed = created + (LATEST - created) * random.random()
    return Interest(estate, _an_agent(agents, random), status, closed, created)


def _an_agent(agents: int, random: Random) -> int:
    return int(random.random() * agents) * 10


def _since(age: float, random: Random) -> datetime:
    return LATEST - timedelta(seconds=int(age * random.random()))
