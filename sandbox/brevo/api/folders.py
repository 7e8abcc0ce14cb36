from http import HTTPStatus
from typing import Any

from sandbox.brevo import lists
from sandbox.brevo.api.base import Brevo, Routes, text
from sandbox.brevo.api.lists import brief
from sandbox.brevo.wire import NO_CONTENT, Answer, Request, not_found


def _body(brevo: Brevo, row: dict[str, Any]) -> dict[str, Any]:
    unique = brevo.store.value(
        "SELECT coalesce(sum(members), 0) FROM list WHERE folder_id = ?", row["id"]
    )
    return {
        "id": row["id"],
        "name": row["name"],
        "uniqueSubscribers": unique,
        "totalSubscribers": 0,
        "totalBlacklisted": 0,
    }


def _folder(brevo: Brevo, request: Request) -> dict[str, Any]:
    row = brevo.store.row("SELECT * FROM folder WHERE id = ?", request.id)
    if row is None:
        raise not_found("Folder ID does not exist")
    return row


def index(brevo: Brevo, request: Request) -> Answer:
    window = request.window(default=10, maximum=50)
    rows = brevo.store.rows(
        f"SELECT * FROM folder ORDER BY id {window.order} LIMIT ? OFFSET ?",
        window.limit,
        window.offset,
    )
    count = brevo.store.value("SELECT count(*) FROM folder")
    return Answer.json({"count": count, "folders": [_body(brevo, row) for row in rows]})


def create(brevo: Brevo, request: Request) -> Answer:
    folder_id = lists.create_folder(brevo.store, text(request.body(), "name"))
    return Answer.json({"id": folder_id}, HTTPStatus.CREATED)


def show(brevo: Brevo, request: Request) -> Answer:
    return Answer.json(_body(brevo, _folder(brevo, request)))


def rename(brevo: Brevo, request: Request) -> Answer:
    folder = _folder(brevo, request)
    name = text(request.body(), "name")
    brevo.store.db.execute("UPDATE folder SET name = ? WHERE id = ?", (name, folder["id"]))
    return Answer(NO_CONTENT)


def delete(brevo: Brevo, request: Request) -> Answer:
    lists.delete_folder(brevo.store, _folder(brevo, request)["id"])
    return Answer(NO_CONTENT)


def lists_inside(brevo: Brevo, request: Request) -> Answer:
    folder = _folder(brevo, request)
    window = request.window(default=10, maximum=50)
    count, rows = lists.page(brevo.store, window, folder["id"])
    return Answer.json({"count": count, "lists": [brief(row) for row in rows]})


ROUTES: Routes = [
    ("GET", "/contacts/folders", index),
    ("POST", "/contacts/folders", create),
    ("GET", "/contacts/folders/{id}", show),
    ("PUT", "/contacts/folders/{id}", rename),
    ("DELETE", "/contacts/folders/{id}", delete),
    ("GET", "/contacts/folders/{id}/lists", lists_inside),
]
