"""The web pages that show the lists, contacts, imports and requests of the stand-in."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.template.loader import render_to_string

from sandbox.brevo import contacts, lists
from sandbox.brevo.api.base import Brevo
from sandbox.brevo.processes import IMPORT, REMOVE_ALL
from sandbox.brevo.store import Store
from sandbox.brevo.wire import Answer, Call, Window

PAGE_SIZE = 50
_SHOWN = 12
_MOST_LISTS = 500
_TITLES = {IMPORT: "Import", REMOVE_ALL: "Empty a list"}
_NUMBER = re.compile("[1-9][0-9]{0,8}")
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "cache-control": "no-store",
}


def page(brevo: Brevo, calls: Sequence[Call], path: str, query: dict[str, str]) -> Answer:
    """Return the page with all lists, the page of one list, or 404."""
    store = brevo.store
    match = re.fullmatch(r"/lists/([0-9]{1,18})", path)
    status, template, context = HTTPStatus.NOT_FOUND, "not_found", {}
    with store.reading():
        if path == "/":
            status, template, context = HTTPStatus.OK, "home", _home(brevo, calls)
        elif match and (row := store.row("SELECT * FROM list WHERE id = ?", int(match[1]))):
            status, template, context = HTTPStatus.OK, "list", _list(store, row, query)
    html = render_to_string(f"sandbox/{template}.html", context)
    return Answer(status, html.encode(), "text/html; charset=utf-8", dict(_HEADERS))


def _home(brevo: Brevo, calls: Sequence[Call]) -> dict[str, Any]:
    store = brevo.store
    rows = store.rows(
        "SELECT list.*, folder.name AS folder FROM list LEFT JOIN folder ON folder.id = folder_id"
        " ORDER BY list.id DESC LIMIT ?",
        _MOST_LISTS,
    )
    processes = store.rows("SELECT * FROM process ORDER BY id DESC LIMIT ?", _SHOWN)
    for process in processes:
        process["title"] = _TITLES.get(process["name"], process["name"])
        process["reports"] = [
            report["kind"]
            for report in store.rows("SELECT kind FROM report WHERE process_id = ?", process["id"])
        ]
    return {
        "root": brevo.root,
        "lists": rows,
        "processes": processes,
        "calls": calls[: -_SHOWN - 1 : -1],
    }


def _list(store: Store, row: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
    search = query.get("q", "").strip()
    number = int(match[0]) if (match := _NUMBER.fullmatch(query.get("page", ""))) else 1
    window = Window(PAGE_SIZE, (number - 1) * PAGE_SIZE)
    if search:
        count, found = _search(store, row["id"], search, window)
    else:
        count, found = contacts.page(store, window, contacts.Filter((row["id"],)))
    last = max((count + PAGE_SIZE - 1) // PAGE_SIZE, 1)
    return {
        "list": row,
        "blocked": lists.blocked_members(store, row["id"]),
        "search": search,
        "contacts": [_contact(contact) for contact in found],
        "number": number,
        "last": last,
        "previous": _page_query(number - 1, last, search),
        "next": _page_query(number + 1, last, search),
    }


def _search(
    store: Store, list_id: int, wanted: str, window: Window
) -> tuple[int, list[dict[str, Any]]]:
    source = (
        "FROM contact WHERE instr(email, ?) AND EXISTS"
        " (SELECT 1 FROM member WHERE list_id = ? AND contact_id = contact.id)"
    )
    asked = (wanted.lower(), list_id)
    count = store.value(f"SELECT count(*) {source}", *asked)
    ids = store.rows(
        f"SELECT id {source} ORDER BY id DESC LIMIT ? OFFSET ?",
        *asked,
        window.limit,
        window.offset,
    )
    return count, contacts.bodies(store, [row["id"] for row in ids])


def _contact(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "email": body.get("email"),
        "attributes": sorted((name, str(value)) for name, value in body["attributes"].items()),
        "blocked": body["emailBlacklisted"],
        "changed": body["modifiedAt"][:16].replace("T", " "),
    }


def _page_query(number: int, last: int, search: str) -> str:
    """Return the query of a link to a page; an empty one when there is no such page."""
    if not 1 <= number <= last:
        return ""
    return urlencode({"page": number} | ({"q": search} if search else {}))
