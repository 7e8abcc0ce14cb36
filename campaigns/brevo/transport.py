"""Speak HTTP with Brevo: one session, one way to send, one place that decides to send again."""

import io
import json
import logging
import math
import random
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any
from urllib.parse import quote, urlsplit

import requests
from urllib3.exceptions import HTTPError

from campaigns.brevo import access
from campaigns.brevo.downloads import Fetcher, Hosts
from campaigns.brevo.endpoints import REPORT, Endpoint
from campaigns.brevo.errors import (
    BrevoError,
    BrevoTemporary,
)
from campaigns.brevo.rate_limits import (
    Budget,
    Budgets,
    OwnBudget,
    SmoothBudget,
    WindowBudget,
    remaining_and_reset,
)
from campaigns.brevo.verdicts import budget_spent, failure, refusal, unreadable
from campaigns.brevo.wire_log import discreet

logger = logging.getLogger(__name__)

# While it sends, the HTTP library is bound by the connect timeout, and for one write of the whole
# body; a body that is a file goes out in small writes, each with its own time.
_STREAMED_ABOVE = 65_536


class Transport:
    """A session with Brevo that keeps the budgets, waits, and repeats what is safe to repeat.

    `sleep` is called for at most SLICE seconds at a time and `before_request` before every
    attempt: either may be replaced, and may raise to abandon the call. `guard` is called before
    every attempt too, and raises where no request may be sent. One call never lasts longer than
    `max_wait` seconds because of waiting: it raises BrevoTemporary instead. With `within`, all
    calls together last that many seconds at most, for somebody who looks at a page. `share` makes
    of a budget one that other processes spend from, too; without it each process has its own.
    """

    TIMEOUT = (5.0, 60.0)  # seconds: to connect, and between two bytes of an answer
    MAX_ATTEMPTS = 6
    FIRST_BACKOFF = 0.5
    LONGEST_BACKOFF = 30.0
    SLICE = 5.0
    REPORT_ATTEMPTS = 3
    REPORTS_SECONDS = 120.0  # for all reports of one import
    REPORT_BYTES = 50_000_000  # an import has 10 MB at most, and a report no more rows than it

    def __init__(  # noqa: PLR0913 - each is a thing a test or a caller replaces
        self,
        api_key: str,
        *,
        base_url: str = "https://api.brevo.com/v3",
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        requests_per_second: int = 10,
        other_requests_per_hour: int = 100,
        max_wait: float = 300.0,
        within: float | None = None,
        before_request: Callable[[], None] | None = None,
        guard: Callable[[], None] | None = None,
        share: Callable[[OwnBudget], Budget] | None = None,
        report_hosts: Iterable[str] = (),
    ) -> None:
        self._key = access.Key(api_key)
        self._base_url = access.root(base_url)
        self._session = session or requests.Session()
        self._clock = clock
        contacts, other = SmoothBudget(requests_per_second), WindowBudget(other_requests_per_hour)
        self._contacts: Budget = share(contacts) if share else contacts
        self._other: Budget = share(other) if share else other
        self.sleep = sleep
        self.max_wait = max_wait
        self.before_request = before_request
        self._guard = guard
        self._ends = math.inf if within is None else clock() + within
        self.unanswered = 0  # attempts to write of which nobody knows whether they were carried out
        self._report_hosts = Hosts.beside(self._base_url, report_hosts)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} for {urlsplit(self._base_url).hostname}>"

    def close(self) -> None:
        self._session.close()

    def budget(self) -> Budgets:
        """Return what is known of both budgets, without asking Brevo."""
        now = self._clock()
        return Budgets(self._contacts.state(now), self._other.state(now))

    def _ask(
        self,
        endpoint: Endpoint,
        target: int | str = "",
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | bytes | None = None,
    ) -> Any:
        """Send a request, again where that is safe; return the answer, None for an empty one."""
        payload = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        path = endpoint.path.format(id=quote(str(target), safe=""))
        budget = self._contacts if endpoint.is_about_contacts else self._other

        def attempt() -> Any:
            response = self._session.request(
                endpoint.method,
                self._base_url + path,
                params=query,
                data=_streamed(payload),
                headers={"Accept": "application/json", "Content-Type": "application/json"},
                auth=self._key,
                timeout=self._timeouts(),
                # A redirect would carry the key to wherever it leads.
                allow_redirects=False,
            )
            self._learn(budget, response)
            _log_answer(endpoint, response)
            if not _succeeded(response):
                raise refusal(endpoint, response)
            return _decoded(endpoint, response)

        return self._repeatedly(endpoint, budget, attempt)

    def _download(self, url: str, deadline: float) -> IO[bytes]:
        """Fetch a report from a host that may have it, without showing it the key."""
        beaten = self._clock()

        def beat() -> None:
            nonlocal beaten
            if self.before_request and self._clock() - beaten >= self.SLICE:
                beaten = self._clock()
                self.before_request()

        fetcher = Fetcher(
            self._session, self._report_hosts, self.TIMEOUT, self._clock, beat, self.REPORT_BYTES
        )
        report: IO[bytes] = self._repeatedly(
            REPORT, None, lambda: fetcher.fetch(url, deadline), deadline
        )
        return report

    def _repeatedly(
        self,
        endpoint: Endpoint,
        budget: Budget | None,
        attempt: Callable[[], Any],
        deadline: float | None = None,
    ) -> Any:
        deadline = self._clock() + self.max_wait if deadline is None else deadline
        deadline = min(deadline, self._ends)
        in_doubt = False
        attempts = 0
        while True:
            attempts += 1
            try:
                if budget:
                    self._pace(budget, deadline)
                return self._once(endpoint, attempt)
            except BrevoError as error:
                self.unanswered += error.may_have_happened
                in_doubt = error.may_have_happened = in_doubt or error.may_have_happened
                delay = self._delay_before_repeat(endpoint, error, attempts)
                if delay is None or self._clock() + delay > deadline:
                    raise
                _log_repeat(endpoint, error, delay)
            self._wait(delay)

    def _timeouts(self) -> tuple[float, float]:
        connect, read = self.TIMEOUT
        left = max(self._ends - self._clock(), 0.0)
        if not left:
            raise requests.ConnectTimeout("There is no time left for another request.")
        return min(connect, left), min(read, left)

    def _once(self, endpoint: Endpoint, attempt: Callable[[], Any]) -> Any:
        if self._guard:
            self._guard()
        if self.before_request:
            self.before_request()
        try:
            with discreet():
                return attempt()
        except (requests.RequestException, HTTPError) as error:
            logger.info("%s %s failed: %s", endpoint.method, endpoint.path, type(error).__name__)
            raise failure(endpoint, error) from error

    def _delay_before_repeat(
        self, endpoint: Endpoint, error: BrevoError, attempts: int
    ) -> float | None:
        """Decide whether to send again: the seconds to wait first, or None to give up."""
        most = self.REPORT_ATTEMPTS if endpoint is REPORT else self.MAX_ATTEMPTS
        if not isinstance(error, BrevoTemporary) or attempts >= most:
            return None
        if error.may_have_happened and not endpoint.repeatable:
            return None
        ceiling = min(self.LONGEST_BACKOFF, self.FIRST_BACKOFF * 2 ** (attempts - 1))
        return max(self._jittered(ceiling), error.retry_after or 0.0)

    def _jittered(self, ceiling: float) -> float:
        return random.uniform(ceiling / 2, ceiling)  # noqa: S311 - spreads load, guards no secret

    def _pace(self, budget: Budget, deadline: float) -> None:
        """Wait until the budget has a request for us, or raise when that is too far away."""
        while delay := budget.take(self._clock()):
            if self._clock() + delay > deadline:
                raise budget_spent(budget.title, budget.limit, delay)
            self._wait(delay)

    def _wait(self, seconds: float) -> None:
        while seconds > 0:
            self.sleep(min(seconds, self.SLICE))
            seconds -= self.SLICE

    def _learn(self, budget: Budget, response: requests.Response) -> None:
        remaining, reset = remaining_and_reset(response.headers)
        if response.status_code == requests.codes.too_many_requests:
            remaining = 0
        if remaining is not None and reset is not None:
            budget.learn(self._clock(), remaining=remaining, reset=reset)


def _succeeded(response: requests.Response) -> bool:
    return 200 <= response.status_code < 300  # noqa: PLR2004 - `ok` would let redirects pass


def _streamed(payload: bytes | None) -> bytes | io.BytesIO | None:
    return io.BytesIO(payload) if payload and len(payload) > _STREAMED_ABOVE else payload


def _decoded(endpoint: Endpoint, response: requests.Response) -> Any:
    if not response.content and endpoint.writes:
        return None
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError) as error:
        raise unreadable(endpoint, response.status_code) from error


def _log_answer(endpoint: Endpoint, response: requests.Response) -> None:
    logger.debug("%s %s answered %s", endpoint.method, endpoint.path, response.status_code)


def _log_repeat(endpoint: Endpoint, error: BrevoError, delay: float) -> None:
    # Codes are open text by now, and text may name somebody.
    code = error.code if re.fullmatch(r"[a-z_]+", error.code) else ""
    what = f"{error.status or 'no answer'} {code}".strip()
    logger.warning("%s %s: %s; again in %.1f s", endpoint.method, endpoint.path, what, delay)
