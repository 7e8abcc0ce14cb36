import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from sandbox.brevo import contacts, lists
from sandbox.brevo.api.base import Brevo, Routes, folder_id, text
from sandbox.brevo.processes import REMOVE_ALL, Job
from sandbox.brevo.wire import (
    NO_CONTENT,
    Answer,
    ApiError,
    Request,
    invalid,
    missing,
    moment,
    not_found,
)

MOST_IDENTIFIERS = 150
_KINDS = {"emails": "email_id", "ids": "contact_id", "extIds": "ext_id"}


def brief(row: dict[str, Any]) -> dict[str, Any]:
    """Show a list as it is shown among others: two of its counters are always 0 there."""
    return {
        "id": row["id"],
        "name": row["name"],
        "folderId": row["folder_id"],
        "uniqueSubscribers": row["members"],
        "totalSubscribers": 0,
        "totalBlacklisted": 0,
    }


def _list(brevo: Brevo, request: Request) -> dict[str, Any]:
    row = brevo.store.row("SELECT * FROM list WHERE id = ?", request.id)
    if row is None:
        raise not_found("List ID does not exist")
    return row


def index(brevo: Brevo, request: Request) -> Answer:
    count, rows = lists.page(brevo.store, request.window(default=10, maximum=50))
    return Answer.json({"count": count, "lists": [brief(row) for row in rows]})


def create(brevo: Brevo, request: Request) -> Answer:
    body = request.body()
    name = text(body, "name")
    list_id = lists.create_list(brevo.store, name, folder_id(brevo, body))
    return Answer.json({"id": list_id}, HTTPStatus.CREATED)


def show(brevo: Brevo, request: Request) -> Answer:
    row = _list(brevo, request)
    row["members"] -= len(lists.hidden(brevo.store, row["id"], begins=True))
    blocked = lists.blocked_members(brevo.store, row["id"])
    counters = {"totalSubscribers": row["members"] - blocked, "totalBlacklisted": blocked}
    more = {"createdAt": moment(row["created"]), "dynamicList": False, "campaignStats": []}
    return Answer.json({**brief(row), **counters, **more})


def change(brevo: Brevo, request: Request) -> Answer:
    row, body = _list(brevo, request), request.body()
    if body.get("name") is None and body.get("folderId") is None:
        raise missing("name or folderId is missing")
    if body.get("name") is not None:
        row["name"] = text(body, "name")
    if body.get("folderId") is not None:
        row["folder_id"] = folder_id(brevo, body)
    brevo.store.db.execute(
        "UPDATE list SET name = ?, folder_id = ? WHERE id = ?",
        (row["name"], row["folder_id"], row["id"]),
    )
    return Answer(NO_CONTENT)


def delete(brevo: Brevo, request: Request) -> Answer:
    lists.delete_list(brevo.store, _list(brevo, request)["id"])
    return Answer(NO_CONTENT)


def members(brevo: Brevo, request: Request) -> Answer:
    row = _list(brevo, request)
    window = request.window(default=50, maximum=500)
    wanted = contacts.Filter(
        (row["id"],),
        request.instant("modifiedSince"),
        hidden=lists.hidden(brevo.store, row["id"], begins=not window.offset),
    )
    count, found = contacts.page(brevo.store, window, wanted)
    return Answer.json({"count": count, "contacts": found})


def _identifiers(body: dict[str, Any]) -> tuple[str, list[Any]]:
    given = [name for name in _KINDS if body.get(name)]
    if len(given) != 1:
        raise missing("Exactly one of emails, ids or extIds is needed")
    values = body[given[0]]
    if not isinstance(values, list):
        raise invalid(f"{given[0]} should be an array")
    if len(values) > MOST_IDENTIFIERS:
        raise invalid(f"{given[0]} may hold at most {MOST_IDENTIFIERS} entries")
    return _KINDS[given[0]], values


def _move(brevo: Brevo, request: Request, move: Callable[..., bool], refusal: str) -> Answer:
    list_id = _list(brevo, request)["id"]
    kind, values = _identifiers(request.body())
    moved: dict[str, list[Any]] = {"success": [], "failure": []}
    for value in values:
        contact = contacts.find(brevo.store, str(value), kind)
        done = contact is not None and move(brevo.store, list_id, contact["id"])
        moved["success" if done else "failure"].append(value)
    if not moved["success"]:
        raise ApiError(HTTPStatus.BAD_REQUEST, "invalid_parameter", refusal)
    return Answer.json({"contacts": moved}, HTTPStatus.CREATED)


def add(brevo: Brevo, request: Request) -> Answer:
    return _move(brevo, request, lists.add, "Contact already in list and/or does not exist")


def remove(brevo: Brevo, request: Request) -> Answer:
    if request.body().get("all") is True:
        return _remove_all(brevo, request)
    return _move(
        brevo, request, lists.remove, "Contact already removed from list and/or does not exist"
    )


def _remove_all(brevo: Brevo, request: Request) -> Answer:
    row = _list(brevo, request)
    raw = json.dumps(request.json).encode()
    process_id = brevo.processes.accept(REMOVE_ALL, [row["id"]], raw)
    brevo.processes.enqueue(Job(process_id, request.body()))
    total = {"total": row["members"], "processId": process_id}
    return Answer.json({"contacts": total}, HTTPStatus.CREATED)


ROUTES: Routes = [
    ("GET", "/contacts/lists", index),
    ("POST", "/contacts/lists", create),
    ("GET", "/contacts/lists/{id}", show),
    ("PUT", "/contacts/lists/{id}", change),
    ("DELETE", "/contacts/lists/{id}", delete),
    ("GET", "/contacts/lists/{id}/contacts", members),
    ("POST", "/contacts/lists/{id}/contacts/add", add),
    ("POST", "/contacts/lists/{id}/contacts/remove", remove),
]
