"""Two budgets, kept before Brevo has to refuse.

Brevo counts `/contacts…` per second and everything else per hour, for the whole account
(developers.brevo.com/docs/api-limits), and says in headers what is left
(developers.brevo.com/docs/limit-headers). A budget keeps its own pace and believes Brevo when
Brevo knows of less: other programs spend from the same account.

A `Budget` is what a client needs; an `OwnBudget` is kept in memory, for one process.
"""

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, ClassVar, Protocol

# Sleeping for less than this changes no clock reliably; such a wait counts as over.
GRAIN = 1e-6
# A header asking for more than a day is a timestamp or a mistake, not a number of seconds.
LONGEST_RESET = 86_400.0
_MINUTE = 60.0
# Ends of a window that differ by less than this share of it, 2 seconds of an hour, are the same.
_SAME_WINDOW = 1 / 1800


@dataclass(frozen=True, slots=True)
class BudgetState:
    """What is known of a budget; `remaining` is None while nothing is known."""

    limit: int
    period: float
    remaining: int | None
    available_in: float


@dataclass(frozen=True, slots=True)
class Budgets:
    contacts: BudgetState
    other: BudgetState


class Budget(Protocol):
    """How many requests one group of endpoints may still get; safe to share between threads."""

    @property
    def limit(self) -> int: ...

    @property
    def title(self) -> str: ...

    def take(self, now: float) -> float:
        """Spend one request and return 0, or spend nothing and return the seconds to wait."""

    def learn(self, now: float, *, remaining: int, reset: float) -> None:
        """Believe Brevo: until `reset` seconds from now, only `remaining` more requests."""

    def state(self, now: float) -> BudgetState:
        """Return what is known, without spending anything."""


class OwnBudget(ABC):
    """A budget in the memory of one process."""

    period: ClassVar[float]
    title: ClassVar[str]
    name: ClassVar[str]  # short, for whoever keeps several

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError("A budget of requests is at least 1.")
        self.limit = limit
        self._lock = Lock()
        self._granted = 0
        self._granted_until = -math.inf

    def take(self, now: float) -> float:
        with self._lock:
            delay = self._delay(now)
            if delay > GRAIN:
                return delay
            self._spend(now)
            self._granted -= 1
            return 0.0

    def learn(self, now: float, *, remaining: int, reset: float) -> None:
        with self._lock:
            # Answers overtake each other: within a window the one that knows of less is the newer.
            known = self._brevos(now)
            if known is None or abs(now + reset - self._granted_until) > self.period * _SAME_WINDOW:
                self._granted, self._granted_until = remaining, now + reset
            else:
                self._granted = min(known, remaining)

    def state(self, now: float) -> BudgetState:
        with self._lock:
            known = [
                count
                for count in (self._own_remaining(now), self._brevos(now))
                if count is not None
            ]
            remaining = min(known, default=None)
            return BudgetState(self.limit, self.period, remaining, self._delay(now))

    def _delay(self, now: float) -> float:
        refused = self._brevos(now) == 0
        return max(self._own_delay(now), self._granted_until - now if refused else 0.0, 0.0)

    def _brevos(self, now: float) -> int | None:
        return max(self._granted, 0) if now < self._granted_until else None

    def spend(self, now: float, requests: int) -> None:
        """Count requests that were sent without asking."""
        with self._lock:
            for _ in range(requests):
                self._spend(now)
            self._granted -= requests

    def as_json(self) -> dict[str, Any]:
        """Return what is known, for ``restore`` to take it up with the same clock."""
        with self._lock:
            told = {"granted": self._granted, "granted_until": self._granted_until}
            return (told if math.isfinite(self._granted_until) else {}) | self._own_as_json()

    def restore(self, known: Mapping[str, Any], now: float) -> None:
        """Replace what is known by what ``as_json`` returned; no wait outlasts a clock set back."""
        with self._lock:
            self._granted = known.get("granted", 0)
            self._granted_until = min(known.get("granted_until", -math.inf), now + LONGEST_RESET)
            self._restore_own(known, now)

    @abstractmethod
    def _own_as_json(self) -> dict[str, Any]: ...

    @abstractmethod
    def _restore_own(self, known: Mapping[str, Any], now: float) -> None: ...

    @abstractmethod
    def _own_delay(self, now: float) -> float: ...

    @abstractmethod
    def _own_remaining(self, now: float) -> int | None: ...

    @abstractmethod
    def _spend(self, now: float) -> None: ...


class SmoothBudget(OwnBudget):
    """So many requests per second, evenly spaced: a burst would be refused."""

    period = 1.0
    title = "requests per second for contacts"
    name = "contacts"

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self._free_at = -math.inf

    def _own_delay(self, now: float) -> float:
        return self._free_at - now

    def _own_remaining(self, now: float) -> int | None:  # noqa: ARG002 - the other kind of budget needs it
        return None

    def _spend(self, now: float) -> None:
        self._free_at = now + self.period / self.limit

    def _own_as_json(self) -> dict[str, Any]:
        return {"free_at": self._free_at} if math.isfinite(self._free_at) else {}

    def _restore_own(self, known: Mapping[str, Any], now: float) -> None:
        self._free_at = min(known.get("free_at", -math.inf), now + self.period)


class WindowBudget(OwnBudget):
    """So many requests in any hour, at any pace: most work needs only a few, but at once."""

    period = 3600.0
    title = "requests per hour for everything but contacts"
    name = "other"

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        # The requests of one minute are counted together, as if all had been sent with the last.
        self._spent: deque[tuple[float, int]] = deque()

    def _own_delay(self, now: float) -> float:
        if self._own_remaining(now):
            return 0.0
        return self._spent[0][0] + self.period - now

    def _own_remaining(self, now: float) -> int:
        while self._spent and self._spent[0][0] + self.period - now <= GRAIN:
            self._spent.popleft()
        return max(self.limit - sum(count for _, count in self._spent), 0)

    def _spend(self, now: float) -> None:
        count = 1
        if self._spent and self._spent[-1][0] // _MINUTE == now // _MINUTE:
            count += self._spent.pop()[1]
        self._spent.append((now, count))

    def _own_as_json(self) -> dict[str, Any]:
        return {"spent": [list(each) for each in self._spent]}

    def _restore_own(self, known: Mapping[str, Any], now: float) -> None:
        self._spent = deque((min(at, now), count) for at, count in known.get("spent", ()))


def remaining_and_reset(headers: Mapping[str, str]) -> tuple[int | None, float | None]:
    """Read Brevo's headers; the reset is a number of seconds, not a point in time."""
    remaining = _number(headers.get("x-sib-ratelimit-remaining"))
    reset = _number(headers.get("x-sib-ratelimit-reset"))
    return None if remaining is None else int(remaining), reset


def advised_wait(headers: Mapping[str, str], *, limited: bool) -> float | None:
    """Return how long Brevo, or a proxy before it, asks us to wait.

    Brevo's own header is on every answer, so it is advice only on one that says ``limited``; no
    Retry-After of Brevo's is documented, but proxies send it.
    """
    _, reset = remaining_and_reset(headers)
    return reset if limited and reset is not None else _number(headers.get("Retry-After"))


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number <= LONGEST_RESET else None
