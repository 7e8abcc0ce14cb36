"""Request handling: applies the faults, checks the key and the rate limits, calls the routes."""

import hmac
import json
import logging
import threading
from collections import deque
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from sandbox.brevo import api, contacts, lists, reports
from sandbox.brevo.delays import DelayedActions, Wait
from sandbox.brevo.distortions import distorted, refused_by, web_page
from sandbox.brevo.faults import (
    AFTER_WORK,
    BEFORE_WORK,
    DISTORTED,
    LATE,
    ON_CONTACT,
    ON_LIST,
    REFUSED,
    Effects,
    Faults,
)
from sandbox.brevo.limits import Limits
from sandbox.brevo.wire import Answer, ApiError, Body, Call, Request
from sandbox.brevo.write_faults import WriteFaults

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
    """Handles the requests to one account, and records them in `calls` and `bodies`."""

    brevo: api.Brevo
    key: str
    limits: Limits
    faults: Faults
    stopping: threading.Event
    late: DelayedActions = field(default_factory=DelayedActions)
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
        effects = self.faults.effects_on("GET", path)
        self.stopping.wait(effects.delay)
        if effects.kind in BEFORE_WORK:
            return self._before_work(effects, {})
        return self._after_work(effects, reports.serve(self.brevo.store, path))

    def _answer(self, request: Request, key: str | None) -> Answer:
        effects = self.faults.effects_on(request.method, request.path)
        self.stopping.wait(effects.delay)
        refusal = self._refusal(effects, key)
        budget = self.limits.spend(request.path, 0 if refusal else 1)
        if refusal is None and budget.refused:
            refusal = _TOO_MANY
        if refusal is not None:
            answer = Answer.error(refusal)
        elif effects.kind in BEFORE_WORK:
            return self._before_work(effects, budget.headers())
        elif effects.kind in REFUSED:
            answer = refused_by(effects.kind)
        else:
            answer = self._work(request, effects)
        answer.headers |= budget.headers()
        return answer

    def _refusal(self, effects: Effects, key: str | None) -> ApiError | None:
        if key is None:
            return _NO_KEY
        if self.faults.revoked or not hmac.compare_digest(key.encode(), self.key.encode()):
            return _BAD_KEY
        return _BAD_IP if effects.kind == "unknown-ip" else None

    def _before_work(self, effects: Effects, headers: dict[str, str]) -> Answer:
        if effects.kind == "drop":
            return Answer(dropped=True)
        if effects.kind.startswith("429"):
            answer = Answer.error(_TOO_MANY)
            if effects.kind == "429":
                reset = 1 if effects.value is None else round(effects.value)
                answer.headers = {**headers, "x-sib-ratelimit-remaining": "0"}
                answer.headers["x-sib-ratelimit-reset"] = str(reset)
            return answer
        answer = _failure(int(effects.kind))
        answer.headers = headers
        return answer

    def _work(self, request: Request, effects: Effects) -> Answer:
        if effects.kind in ON_LIST:
            self._delete_lists(request, is_replaced=effects.kind == "list-replaced")
        elif effects.kind in ON_CONTACT:
            self._change_contact(request, effects.kind)
        request.write_faults = WriteFaults.of(effects.more)
        if effects.kind in LATE:
            self.late.put_off(Wait.parse(effects.word), lambda: api.answer(self.brevo, request))
            return _failure(LATE[effects.kind])
        return self._after_work(effects, api.answer(self.brevo, request))

    def _delete_lists(self, request: Request, *, is_replaced: bool) -> None:
        with self.brevo.store.writing():
            for list_id in _lists_of(request):
                if lists.delete_list(self.brevo.store, list_id) and is_replaced:
                    lists.give_id_again(self.brevo.store, list_id)

    def _change_contact(self, request: Request, kind: str) -> None:
        store, on_lists = self.brevo.store, _lists_of(request)
        with store.writing():
            chosen = lists.first_unblocked(store, on_lists)
            if chosen is not None:
                why = "hardBounces" if kind == "contact-bounced" else "userUnsubscription"
                contacts.blocklist(store, chosen, why)
                if kind == "contact-gone":
                    contacts.delete(store, chosen)

    def _after_work(self, effects: Effects, answer: Answer) -> Answer:
        if effects.kind in DISTORTED:
            return distorted(effects.kind, effects.word, answer)
        if effects.kind not in AFTER_WORK:
            return answer
        if effects.kind == "drop-after":
            return Answer(dropped=True)
        if effects.kind == "524":
            return _failure(524)
        if effects.kind == "html":
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
