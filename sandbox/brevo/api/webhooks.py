import json
from http import HTTPStatus
from typing import Any

from sandbox.brevo.api.base import Brevo, Routes, text
from sandbox.brevo.store import now_ms
from sandbox.brevo.wire import NO_CONTENT, Answer, ApiError, Request, invalid, moment, not_found

MOST_WEBHOOKS = 40
_KEPT = ("url", "events", "type", "channel", "description", "batched", "auth", "headers", "domain")


def _body(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        **json.loads(row["definition"]),
        "createdAt": moment(row["created"]),
        "modifiedAt": moment(row["modified"]),
    }


def _webhook(brevo: Brevo, request: Request) -> dict[str, Any]:
    row = brevo.store.row("SELECT * FROM webhook WHERE id = ?", request.id)
    if row is None:
        raise not_found("Webhook ID does not exist")
    return row


def _definition(body: dict[str, Any]) -> dict[str, Any]:
    definition = {key: body[key] for key in _KEPT if key in body}
    events = definition.get("events")
    if events is not None and not (isinstance(events, list) and events):
        raise invalid("events should be an array")
    return definition


def index(brevo: Brevo, request: Request) -> Answer:
    kind = request.argument("type", "transactional")
    shown = [_body(row) for row in brevo.store.rows("SELECT * FROM webhook ORDER BY id DESC")]
    return Answer.json({"webhooks": [webhook for webhook in shown if webhook["type"] == kind]})


def create(brevo: Brevo, request: Request) -> Answer:
    body = request.body()
    text(body, "url")
    defaults = {"type": "transactional", "channel": "email", "events": [], "description": ""}
    definition = defaults | _definition(body)
    if brevo.store.value("SELECT count(*) FROM webhook") >= MOST_WEBHOOKS:
        raise ApiError(
            HTTPStatus.BAD_REQUEST, "bad_request", f"At most {MOST_WEBHOOKS} webhooks are allowed"
        )
    now = now_ms()
    cursor = brevo.store.db.execute(
        "INSERT INTO webhook (definition, created, modified) VALUES (?, ?, ?)",
        (json.dumps(definition), now, now),
    )
    return Answer.json({"id": cursor.lastrowid}, HTTPStatus.CREATED)


def show(brevo: Brevo, request: Request) -> Answer:
    return Answer.json(_body(_webhook(brevo, request)))


def change(brevo: Brevo, request: Request) -> Answer:
    row = _webhook(brevo, request)
    definition = json.loads(row["definition"]) | _definition(request.body())
    brevo.store.db.execute(
        "UPDATE webhook SET definition = ?, modified = ? WHERE id = ?",
        (json.dumps(definition), now_ms(), row["id"]),
    )
    return Answer(NO_CONTENT)


def delete(brevo: Brevo, request: Request) -> Answer:
    row = _webhook(brevo, request)
    brevo.store.db.execute("DELETE FROM webhook WHERE id = ?", (row["id"],))
    return Answer(NO_CONTENT)


ROUTES: Routes = [
    ("GET", "/webhooks", index),
    ("POST", "/webhooks", create),
    ("GET", "/webhooks/{id}", show),
    ("PUT", "/webhooks/{id}", change),
    ("DELETE", "/webhooks/{id}", delete),
]
