"""Actions delayed until some requests or seconds later, or until they are released."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_WAIT = re.compile(r"(?:(?P<requests>[0-9]+)|(?P<seconds>[0-9]+(?:\.[0-9]+)?)s)?")


@dataclass(slots=True)
class Wait:
    """How long something lasts: `5` is so many requests, `5s` so many seconds, `` is no end."""

    requests: int | None = None
    seconds: float | None = None
    since: float = field(default_factory=time.monotonic, compare=False)

    @classmethod
    def parse(cls, text: str) -> "Wait":
        """Read a wait; raise ValueError for what is none."""
        match = _WAIT.fullmatch(text)
        if match is None:
            raise ValueError(text)
        requests, seconds = match["requests"], match["seconds"]
        return cls(int(requests) if requests else None, float(seconds) if seconds else None)

    @property
    def is_over(self) -> bool:
        if self.requests is not None:
            return self.requests <= 0
        return self.seconds is not None and time.monotonic() - self.since >= self.seconds

    def count_request(self) -> None:
        if self.requests is not None:
            self.requests -= 1


@dataclass(slots=True)
class _Held:
    wait: Wait
    act: Callable[[], object]


class DelayedActions:
    """Actions that wait to be carried out."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held: list[_Held] = []
        self._timers: list[threading.Timer] = []

    def put_off(self, wait: Wait, act: Callable[[], object]) -> None:
        held = _Held(wait, act)
        if wait.requests is not None:
            wait.requests += 1  # the request that is being answered is counted too
        with self._guard:
            self._held.append(held)
            if wait.seconds is not None:
                timer = threading.Timer(wait.seconds, self._end, [held])
                timer.daemon = True
                self._timers.append(timer)
                timer.start()

    def count_request(self) -> None:
        """Count a request that was answered, and do what waited for it."""
        with self._guard:
            for held in self._held:
                held.wait.count_request()
            due = [held for held in self._held if held.wait.requests == 0]
        for held in due:
            self._end(held)

    def release(self) -> None:
        """Do all that waits, now and in the order in which it was put off."""
        with self._guard:
            waiting = list(self._held)
        for held in waiting:
            self._end(held)

    def forget(self) -> None:
        """Have nothing happen of all that waits; return when nothing is under way either."""
        with self._guard:
            self._held.clear()
            timers, self._timers = self._timers, []
        for timer in timers:
            timer.cancel()
            timer.join()

    def _end(self, held: _Held) -> None:
        with self._guard:
            if held not in self._held:
                return
            self._held.remove(held)
        held.act()
