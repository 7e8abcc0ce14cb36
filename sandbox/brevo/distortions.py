"""Undocumented answers that Brevo, or a server in front of it, may give."""

import gzip
import json
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from django.template.loader import render_to_string

from sandbox.brevo.wire import Answer, ApiError, not_found

_BOMB_BYTES = 100_000_000
_NOBODY_LISTENS = "http://127.0.0.1:1/report.csv"
_ELSEWHERE = "https://reports.example/report.csv"


def web_page(status: int, title: str) -> Answer:
    """Return the page that a server in front of Brevo answers instead of JSON."""
    html = render_to_string("sandbox/proxy_error.html", {"title": title})
    return Answer(status, html.encode(), "text/html; charset=utf-8")


def refused_by(kind: str) -> Answer:
    """Return the refusal of a call, whatever it asked for."""
    if kind == "firewall":
        return web_page(HTTPStatus.FORBIDDEN, "Access denied")
    return Answer.error(_REFUSALS[kind])


_REFUSALS = {
    "account-validation": ApiError(
        HTTPStatus.BAD_REQUEST, "account_under_validation", "Your account is under validation"
    ),
    "account-busy": ApiError(
        HTTPStatus.CONFLICT, "account_in_process", "Another process runs on your account"
    ),
    "no-credits": ApiError(HTTPStatus.PAYMENT_REQUIRED, "not_enough_credits", "Not enough credits"),
    "bad-request": ApiError(
        HTTPStatus.BAD_REQUEST, "invalid_parameter", "The request is not valid"
    ),
    "not-allowed": ApiError(
        HTTPStatus.FORBIDDEN, "permission_denied", "You do not have permission to do this"
    ),
    "no-contact": not_found("Contact does not exist"),
    "list-404": not_found("List ID does not exist"),
}


def distorted(kind: str, word: str, answer: Answer) -> Answer:
    """Return an answer with what its fault makes of it; one that is an error stays as it is."""
    if answer.status == HTTPStatus.OK:
        _DISTORTIONS[kind](answer, word)
    return answer


def _odd_contact(answer: Answer, field: str) -> None:
    """Write the last contact of a page as nobody expects it, or put rows that are none before."""
    body = json.loads(answer.body)
    contacts = body.get("contacts") if isinstance(body, dict) else None
    if not contacts:
        return
    if field == "row":
        contacts[:0] = [None, {}]
    else:
        contact = contacts[-1]
        odd = _odd(contact)
        contact.update({field: odd[field]} if field else odd)
    answer.body = json.dumps(body).encode()


def _odd(contact: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(contact["id"]),
        "emailBlacklisted": int(contact["emailBlacklisted"]),
        "modifiedAt": "0000-00-00 00:00:00",
        "listIds": [str(list_id) for list_id in contact["listIds"]],
        "attributes": [],
    }


def _wrong_count(answer: Answer, number: str) -> None:
    body = json.loads(answer.body)
    if isinstance(body, dict) and "count" in body:
        answer.body = json.dumps({**body, "count": int(number or 0)}).encode()


def _uncounted(answer: Answer, _: str) -> None:
    body = json.loads(answer.body)
    if isinstance(body, dict):
        for row in body.get("lists", []):
            row["uniqueSubscribers"] = 0
        answer.body = json.dumps(body).encode()


def _lead_to(link: str) -> Callable[[Answer, str], None]:
    def change(answer: Answer, _: str) -> None:
        body = json.loads(answer.body)
        for process in body.get("processes", [body]):
            reports = process.get("info", {}).get("import", {})
            reports.update({kind: link for kind, there in reports.items() if there})
        answer.body = json.dumps(body).encode()

    return change


def _cut_off(answer: Answer, _: str) -> None:
    answer.body = answer.body[: len(answer.body) // 2]


def _empty(answer: Answer, _: str) -> None:
    answer.body = answer.body.splitlines(keepends=True)[0]


def _open_a_quote(answer: Answer, _: str) -> None:
    heading, *rows = answer.body.splitlines()
    rows[0] = b'"Ada;' + rows[0]
    answer.body = b"\n".join(
        [b"NAME;" + heading, rows[0], *(b"Ada;" + row for row in rows[1:]), b""]
    )


def _explode(answer: Answer, _: str) -> None:
    answer.body = _bomb()
    answer.headers["content-encoding"] = "gzip"


@lru_cache(maxsize=1)
def _bomb() -> bytes:
    return gzip.compress(b"a" * _BOMB_BYTES)


def _go_round(answer: Answer, _: str) -> None:
    answer.status, answer.body = HTTPStatus.FOUND, b""
    answer.headers["location"] = "?again"


_DISTORTIONS: dict[str, Callable[[Answer, str], None]] = {
    "uncounted": _uncounted,
    "odd-contact": _odd_contact,
    "wrong-count": _wrong_count,
    "report-unreachable": _lead_to(_NOBODY_LISTENS),
    "report-elsewhere": _lead_to(_ELSEWHERE),
    "report-truncated": _cut_off,
    "report-empty": _empty,
    "report-quote": _open_a_quote,
    "report-bomb": _explode,
    "report-loop": _go_round,
}
