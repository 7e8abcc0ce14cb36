"""`POST /contacts/import` and the processes that come of it."""

from http import HTTPStatus
from typing import Any

from sandbox.brevo import lists
from sandbox.brevo.api.base import Brevo, Routes, flag, folder_id, list_ids, text
from sandbox.brevo.processes import IMPORT, REPORTS, Job
from sandbox.brevo.wire import Answer, ApiError, Request, invalid, missing, not_found

MOST_BYTES = 10_000_000
_FLAGS = (
    "updateExistingContacts",
    "emptyContactsAttributes",
    "emailBlacklist",
    "smsBlacklist",
    "disableNotification",
)


def start(brevo: Brevo, request: Request) -> Answer:
    if len(request.raw) > MOST_BYTES:
        raise ApiError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "invalid_parameter", "Body exceeds 10 MB"
        )
    body = request.body()
    _refuse_bad_rows(body)
    process_id = brevo.processes.accept(IMPORT, _targets(brevo, body), request.raw)
    brevo.processes.enqueue(Job(process_id, body, request.write_faults))
    return Answer.json({"processId": process_id}, HTTPStatus.ACCEPTED)


def _refuse_bad_rows(body: dict[str, Any]) -> None:
    for name in _FLAGS:
        flag(body, name)
    if body.get("fileUrl"):
        raise invalid("fileUrl is not available in the stand-in: it fetches nothing")
    if "jsonBody" in body:
        rows = body["jsonBody"]
        if not isinstance(rows, list) or not all(map(_is_contact, rows)):
            raise invalid("jsonBody should be an array of contacts")
    elif not isinstance(body.get("fileBody"), str):
        raise missing("Missing fileUrl, fileBody or jsonBody")


def _is_contact(row: object) -> bool:
    return isinstance(row, dict) and isinstance(row.get("attributes") or {}, dict)


def _targets(brevo: Brevo, body: dict[str, Any]) -> list[int]:
    if body.get("listIds"):
        return list_ids(brevo, body, "listIds")
    new = body.get("newList")
    if not isinstance(new, dict):
        raise missing("Missing listIds or newList")
    return [lists.create_list(brevo.store, text(new, "listName"), folder_id(brevo, new))]


def _body(brevo: Brevo, row: dict[str, Any]) -> dict[str, Any]:
    shown = {"id": row["id"], "name": row["name"], "status": row["status"]}
    if "complet" in row["status"] and row["name"] == IMPORT:
        kinds = {
            found["kind"]
            for found in brevo.store.rows("SELECT kind FROM report WHERE process_id = ?", row["id"])
        }
        links = {
            kind: f"{brevo.root}/files/{row['id']}/{kind}.csv" if kind in kinds else None
            for kind in REPORTS
        }
        shown["info"] = {"import": links}
    return shown


def index(brevo: Brevo, request: Request) -> Answer:
    window = request.window(default=10, maximum=50)
    rows = brevo.store.rows(
        f"SELECT id, name, status FROM process ORDER BY id {window.order} LIMIT ? OFFSET ?",
        window.limit,
        window.offset,
    )
    count = brevo.store.value("SELECT count(*) FROM process")
    return Answer.json({"count": count, "processes": [_body(brevo, row) for row in rows]})


def show(brevo: Brevo, request: Request) -> Answer:
    row = brevo.store.row("SELECT id, name, status FROM process WHERE id = ?", request.id)
    if row is None:
        raise not_found("Process ID does not exist")
    return Answer.json(_body(brevo, row))


ROUTES: Routes = [
    ("POST", "/contacts/import", start),
    ("GET", "/processes", index),
    ("GET", "/processes/{id}", show),
]
