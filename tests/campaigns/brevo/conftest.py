"""A client whose time is a number: it never sleeps, and remembers for how long it would have."""

from collections.abc import Iterator

import pytest
import responses
from responses.matchers import query_param_matcher
from responses.registries import OrderedRegistry

from campaigns.brevo import BrevoClient

ROOT = "https://api.brevo.com/v3"
KEY = "xkeysib-0123456789abcdef"
LIST_REPLY = {
    "id": 3,
    "name": "Lagos",
    "folderId": 1,
    "uniqueSubscribers": 7,
    "totalSubscribers": 6,
    "totalBlacklisted": 1,
}
LIST = f"{ROOT}/contacts/lists/3"
CONTACT = {
    "id": 17,
    "email": "ada@b.example",
    "emailBlacklisted": True,
    "smsBlacklisted": False,
    "modifiedAt": "2026-05-02T12:40:30.000+02:00",
    "listIds": [3, 4],
    "listUnsubscribed": [4],
    "attributes": {"FIRSTNAME": "Ada"},
}


def page(offset: int, limit: int, **more: str) -> object:
    return query_param_matcher({"limit": limit, "offset": offset, "sort": "asc", **more})


class Time:
    """A clock that only moves when somebody sleeps, or when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.naps: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def client(time: Time) -> Iterator[BrevoClient]:
    client = BrevoClient(KEY, sleep=time.sleep, clock=time.clock)
    yield client
    client.close()


@pytest.fixture
def brevo() -> Iterator[responses.RequestsMock]:
    """Brevo's side of the wire; what is registered must be asked for."""
    with responses.RequestsMock() as wire:
        yield wire


@pytest.fixture
def script() -> Iterator[responses.RequestsMock]:
    """Brevo's side of the wire, which answers in the order of the registrations and no other."""
    with responses.RequestsMock(registry=OrderedRegistry) as wire:
        yield wire
