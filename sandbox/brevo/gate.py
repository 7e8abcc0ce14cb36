"""What every call passes on its way to the routes: faults, the key, the two budgets."""

import hmac
import json
import logging
import threading
from collections import deque
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from sandbox.brevo import api, contacts, lists, reports
from sandbox.brevo.distortions import distorted, refused_by, web_page
from sandbox.brevo.faults import (
    AFTER_WORK,
    BEFORE_WORK,
    DISTORTED,
    LATE,
    LIST_IS_LOST,
    ON_CONTACT,
    REFUSED,
    Faults,
    Strike,
)
from sandbox.brevo.later import Later, Wait
from sandbox.brevo.limits import Limits
from sandbox.brevo.mishaps import Mishap
from sandbox.brevo.wire import Answer, ApiError, Body, Call, Request

MOST_BODIES = 200
MOST_BODY_BYTES = 100_000
MOST_REQUESTS = 100_000

_NO_KEY = ApiError(HTTPStatus.UNAUTHORIZED, "unauthorized", "authentication not found in headers")
_BAD_KEY = ApiError(HTTPStatus.UNAUTHORIZED, "unauthorized", "Key not found")
_BAD_IP = ApiError(
    HTTPStatus.UNAUTHORIZED,
    "unauthorized",
    "We have detected you are using an unrecognised IP address 203.0.113.9. If you performed this"
    " action make sure to add the new IP address in this link:"
    " https://app.brevo.com/security/authorised_ips",
)
_TOO_MANY = ApiError(
    HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", "You have exceeded the rate limit"
)
_TITLES = {
    502: "502 Bad Gateway",
    503: "Service Unavailable",
    504: "504 Gateway Time-out",
    524: "524: A timeout occurred",
}

_log = logging.getLogger(__name__)


def _failure(status: int) -> Answer:
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return Answer.json({"code": "internal_error", "message": "Internal error"}, status)
    return web_page(status, _TITLES[status])


@dataclass(slots=True)
class Gate:
    """One account's front door. `calls` and `bodies` remember what came through."""

    brevo: api.Brevo
    key: str
    limits: Limits
    faults: Faults
    stopping: threading.Event
    late: Later = field(default_factory=Later)
    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=MOST_REQUESTS))
    bodies: deque[Body] = field(default_factory=lambda: deque(maxlen=MOST_BODIES))

    def pass_through(self, request: Request, key: str | None) -> Answer:
        """Answer a call below /v3, and remember it. A dropped call is remembered as status 0."""
        try:
            answer = self._answer(request, key)
        except Exception:  # noqa: BLE001 -- a bug here must answer 500, not hang up
            _log.exception("%s %s failed", request.method, request.path)
            answer = Answer.json({"code": "internal", "message": "The stand-in has a bug"}, 500)
        self.calls.append((request.method, request.path, 0 if answer.dropped else answer.status))
        if request.json is not None and len(request.raw) < MOST_BODY_BYTES:
            self.bodies.append((request.method, request.path, request.json))
        self.late.count_request()
        self.brevo.processes.stuck.count_request()
        return answer

    def file(self, path: str) -> Answer:
        """Serve a CSV file behind an import's links; it needs no key, and faults meet it too."""
        strike = self.faults.strike("GET", path)
        self.stopping.wait(strike.delay)
        if strike.kind in BEFORE_WORK:
            return self._before_work(strike, {})
        return self._after_work(strike, reports.serve(self.brevo.store, path))

    def _answer(self, request: Request, key: str | None) -> Answer:
        strike = self.faults.strike(request.method, request.path)
        self.stopping.wait(strike.delay)
        refusal = self._refusal(strike, key)
        budget = self.limits.spend(request.path, 0 if refusal else 1)
        if refusal is None and budget.refused:
            refusal = _TOO_MANY
        if refusal is not None:
            answer = Answer.error(refusal)
        elif strike.kind in BEFORE_WORK:
            return self._before_work(strike, budget.headers())
        elif strike.kind in REFUSED:
            answer = refused_by(strike.kind)
        else:
            answer = self._work(request, strike)
        answer.headers |= budget.headers()
        return answer

    def _refusal(self, strike: Strike, key: str | None) -> ApiError | None:
        if key is None:
            return _NO_KEY
        if self.faults.revoked or not hmac.compare_digest(key.encode(), self.key.encode()):
            return _BAD_KEY
        return _BAD_IP if strike.kind == "unknown-ip" else None

    def _before_work(self, strike: Strike, headers: dict[str, str]) -> Answer:
        if strike.kind == "drop":
            return Answer(dropped=True)
        if strike.kind.startswith("429"):
            answer = Answer.error(_TOO_MANY)
            if strike.kind == "429":
                reset = 1 if strike.value is None else round(strike.value)
                answer.headers = {**headers, "x-sib-ratelimit-remaining": "0"}
                answer.headers["x-sib-ratelimit-reset"] = str(reset)
            return answer
        answer = _failure(int(strike.kind))
        answer.headers = headers
        return answer

    def _work(self, request: Request, strike: Strike) -> Answer:
        if strike.kind in LIST_IS_LOST:
            self._lose_list(request, is_replaced=strike.kind == "list-replaced")
        elif strike.kind in ON_CONTACT:
            self._befall_contact(request, strike.kind)
        request.mishap = Mishap.of(strike.more)
        if strike.kind in LATE:
            self.late.put_off(Wait.parse(strike.word), lambda: api.answer(self.brevo, request))
            return _failure(LATE[strike.kind])
        return self._after_work(strike, api.answer(self.brevo, request))

    def _lose_list(self, request: Request, *, is_replaced: bool) -> None:
        with self.brevo.store.writing():
            for list_id in _lists_of(request):
                if lists.delete_list(self.brevo.store, list_id) and is_replaced:
                    lists.give_id_again(self.brevo.store, list_id)

    def _befall_contact(self, request: Request, kind: str) -> None:
        store, on_lists = self.brevo.store, _lists_of(request)
        with store.writing():
            chosen = lists.first_unblocked(store, on_lists)
            if chosen is not None:
                why = "hardBounces" if kind == "contact-bounced" else "userUnsubscription"
                contacts.blocklist(store, chosen, why)
                if kind == "contact-gone":
                    contacts.delete(store, chosen)

    def _after_work(self, strike: Strike, answer: Answer) -> Answer:
        if strike.kind in DISTORTED:
            return distorted(strike.kind, strike.word, answer)
        if strike.kind not in AFTER_WORK:
            return answer
        if strike.kind == "drop-after":
            return Answer(dropped=True)
        if strike.kind == "524":
            return _failure(524)
        if strike.kind == "html":
            status = HTTPStatus.OK if answer.status == HTTPStatus.NO_CONTENT else answer.status
            return web_page(status, "Just a moment…")
        answer.body = answer.body[: len(answer.body) // 2]
        return answer


def _lists_of(request: Request) -> list[int]:
    """Return the lists that a call names, in its path or its body."""
    parts = request.path.split("/")
    named = [int(part) for part in parts[3:4] if parts[2] == "lists" and part.isdigit()]
    if isinstance(request.json, dict) and isinstance(request.json.get("listIds"), list):
        named += [item for item in request.json["listIds"] if isinstance(item, int)]
    return named


def parse(raw: bytes) -> Any:
    """Return the JSON sent, or None when there is none that can be read."""
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return None
