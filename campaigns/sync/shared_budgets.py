"""Request budgets in the database, so that all processes with one API key share them.

A row is changed by one UPDATE that names the version it replaces, and its times are read from the
database: nothing is locked for longer than a statement, and the machines' clocks may differ. A
process that meets no other needs one statement for each request, because it knows the version.
"""

import logging
import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from typing import Any

from django.db import DatabaseError, Error, connection
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from campaigns.brevo import Budget, BudgetState, OwnBudget
from campaigns.models import RequestBudget

logger = logging.getLogger(__name__)

_TRIES = 5
_AGAIN = (0.01, 0.05)  # seconds; others were faster each time
# Seconds for which a row is believed without reading it: what it says of waiting, and of the clock.
_WAIT_HOLDS = 1.0
_CLOCK_HOLDS = 60.0
_APART = 30.0  # seconds without the database after it has failed
_KEPT = timedelta(days=2)  # longer than any wait that Brevo may ask for


def shared_by(key: str) -> Callable[[OwnBudget], Budget]:
    """Return what makes a budget that all who give the same key spend from."""
    return partial(SharedBudget, key=key)


def old_budgets() -> QuerySet[RequestBudget]:
    """Return rows that nobody has spent from for so long that they say nothing any more."""
    return RequestBudget.objects.filter(changed_at__lt=timezone.now() - _KEPT)


def in_transaction() -> bool:
    """True while a transaction is open; that around a test of Django's is none of ours."""
    return any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks)


class SharedBudget:
    """A budget in the database, and a copy of it that this process keeps.

    Without the database, and inside a transaction, which would lock the row until it ends, the
    copy alone sets the pace: no run fails because of a budget. A thread that takes from it opens a
    connection of its own, which that thread has to close.
    """

    def __init__(
        self, own: OwnBudget, *, key: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limit, self.title = own.limit, own.title
        self._own = own
        self._names = {"key": key, "name": own.name}
        self._clock = clock
        self._ahead = time.time() - clock()  # of the database's clock, as far as we know
        self._row: tuple[int, int] | None = None  # its id and version, when they are known
        self._read_at = self._known_at = float("-inf")
        self._alone_until = float("-inf")
        self._spent_alone = 0
        self._lock = Lock()

    def take(self, now: float) -> float:  # noqa: ARG002 - the database has a clock of its own
        with self._lock:
            if self._may_ask():
                before = self._own.as_json()
                try:
                    return self._take()
                except Error as error:
                    self._own.restore(before, self._time())  # nothing was spent yet
                    self._go_on_alone(error)
            return self._take_alone()

    def learn(self, now: float, *, remaining: int, reset: float) -> None:  # noqa: ARG002 - as above
        """Believe Brevo, and tell the others at once when it knows of less than we did.

        Other news goes along with the next request.
        """
        with self._lock:
            try:
                self._learn(remaining, reset)
            except Error as error:
                self._go_on_alone(error)

    def state(self, now: float) -> BudgetState:  # noqa: ARG002 - as above
        with self._lock:
            if self._may_ask():
                try:
                    self._read()
                except Error as error:
                    self._go_on_alone(error)
            return self._own.state(self._time())

    def _take(self) -> float:
        for _ in range(_TRIES):
            if self._row is None or self._clock() - self._read_at > _CLOCK_HOLDS:
                self._read()
            delay = self._own.take(self._time())
            if delay and self._clock() - self._known_at > _WAIT_HOLDS:
                self._read()
                delay = self._own.take(self._time())
            if delay or self._store():
                return delay
        return random.uniform(*_AGAIN)  # noqa: S311 - spreads load, guards no secret

    def _take_alone(self) -> float:
        delay = self._own.take(self._time())
        self._spent_alone += not delay
        return delay

    def _learn(self, remaining: int, reset: float) -> None:
        for _ in range(_TRIES):
            known = self._own.state(self._time()).remaining
            self._own.learn(self._time(), remaining=remaining, reset=reset)
            is_less = remaining == 0 if known is None else remaining < known
            if not is_less or not self._may_ask() or self._store():
                return
            self._read()
        self._own.learn(self._time(), remaining=remaining, reset=reset)

    def _may_ask(self) -> bool:
        return self._clock() >= self._alone_until and not in_transaction()

    def _time(self) -> float:
        """Return the database's time: never later than it is, for the reading took a while."""
        return self._clock() + self._ahead

    def _read(self) -> None:
        """Learn what the row says, made when there is none, and add what was spent without it."""
        pk, version, state, moment = self._find() or self._make()
        self._row = pk, version
        self._read_at = self._known_at = self._clock()
        self._ahead = moment.timestamp() - self._read_at
        self._own.restore(state, self._time())
        self._own.spend(self._time(), self._spent_alone)
        self._spent_alone = 0

    def _find(self) -> tuple[int, int, dict[str, Any], datetime] | None:
        rows = RequestBudget.objects.filter(**self._names).annotate(moment=Now())
        return rows.values_list("pk", "version", "state", "moment").first()

    def _make(self) -> tuple[int, int, dict[str, Any], datetime]:
        row = RequestBudget(**self._names, changed_at=Now())
        RequestBudget.objects.bulk_create([row], ignore_conflicts=True)
        if (found := self._find()) is None:
            raise DatabaseError("The row of a budget is gone again.")
        return found

    def _store(self) -> bool:
        """Write what is known here; False when the row has changed since it was read."""
        if self._row is None:
            return False
        pk, version = self._row
        unchanged = RequestBudget.objects.filter(pk=pk, version=version)
        written = unchanged.update(state=self._own.as_json(), version=version + 1, changed_at=Now())
        self._row = (pk, version + 1) if written else None
        self._known_at = self._clock()
        return bool(written)

    def _go_on_alone(self, error: Error) -> None:
        self._row = None
        self._alone_until = self._clock() + _APART
        logger.warning(
            "The budgets of requests to Brevo cannot be shared (%s): for %d s this process keeps "
            "its own pace",
            type(error).__name__,
            _APART,
        )
