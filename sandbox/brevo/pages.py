"""The web pages that show a newcomer what has arrived "at Brevo"."""

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sandbox.brevo import contacts, lists
from sandbox.brevo.markup import Html, document, fill, join, table
from sandbox.brevo.processes import IMPORT, REMOVE_ALL
from sandbox.brevo.store import Store
from sandbox.brevo.wire import Answer, Window

if TYPE_CHECKING:
    from sandbox.brevo.gate import Call, Gate

PAGE_SIZE = 50
_SHOWN = 12
_MOST_LISTS = 500
_NAMES = {IMPORT: "Import", REMOVE_ALL: "Empty a list"}
_NUMBER = re.compile("[1-9][0-9]{0,8}")

_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "cache-control": "no-store",
}
_EMPTY = """<section><h2>Nothing has arrived yet</h2>
<p>Let the application talk to this address, with the key the stand-in was started with:</p>
<pre><code>BREVO_API_URL={url}/v3</code></pre>
<p>Then sync a segment. Its list, its contacts and every request appear here.</p></section>"""
_SEARCH = """<form role="search" method="get" action="/lists/{id}">
<label for="q">Search by e-mail</label>
<input id="q" name="q" type="search" value="{q}" autocomplete="off"
 placeholder="ada@example.com"> <button>Search</button></form>"""


def report(store: Store, path: str) -> Answer:
    """Serve one CSV file of a finished import."""
    match = re.fullmatch(r"/files/([0-9]{1,18})/([a-z_]+)\.csv", path)
    text = None
    if match:
        with store.reading():
            text = store.value(
                "SELECT body FROM report WHERE process_id = ? AND kind = ?", *match.groups()
            )
    if text is None:
        return Answer(HTTPStatus.NOT_FOUND, b"No such file", "text/plain; charset=utf-8")
    return Answer(HTTPStatus.OK, text.encode(), "text/csv; charset=utf-8")


def page(gate: "Gate", path: str, query: dict[str, str]) -> Answer:
    """Serve a web page: the lists, or the contacts of one of them."""
    store = gate.brevo.store
    match = re.fullmatch(r"/lists/([0-9]{1,18})", path)
    status, html = HTTPStatus.NOT_FOUND, _nowhere()
    with store.reading():
        if path == "/":
            status, html = HTTPStatus.OK, _home(gate)
        elif match and (row := store.row("SELECT * FROM list WHERE id = ?", int(match[1]))):
            status, html = HTTPStatus.OK, _members(store, row, query)
    return Answer(status, html.encode(), "text/html; charset=utf-8", dict(_HEADERS))


def _nowhere() -> str:
    header = Html('<p><a href="/">All lists</a></p><h1>Nothing here</h1>')
    main = Html("<section><p>This list or page does not exist (any more).</p></section>")
    return document("Nothing here", header, main)


def _home(gate: "Gate") -> str:
    store = gate.brevo.store
    rows = store.rows(
        "SELECT list.*, folder.name AS folder FROM list LEFT JOIN folder ON folder.id = folder_id"
        " ORDER BY list.id DESC LIMIT ?",
        _MOST_LISTS,
    )
    main = _lists(rows) if rows else fill(_EMPTY, url=gate.brevo.root)
    processes = store.rows("SELECT * FROM process ORDER BY id DESC LIMIT ?", _SHOWN)
    calls = list(gate.calls)[: -_SHOWN - 1 : -1]
    recent = (_processes(store, processes), _calls(calls))
    header = fill(
        "<h1>Stand-in for Brevo</h1><p>API at <code>{url}/v3</code>. Nothing leaves this"
        " machine.</p>",
        url=gate.brevo.root,
    )
    body = fill('{main}<div class="pair">{recent}</div>', main=main, recent=join(recent))
    return document("Stand-in for Brevo", header, body)


def _lists(rows: list[dict[str, Any]]) -> Html:
    shown = (
        (
            fill('<a href="/lists/{id}">{name}</a>', id=row["id"], name=row["name"]),
            row["folder"],
            f"{row['members']:,}",
        )
        for row in rows
    )
    body = table("Lists", ("List", "Folder", "Contacts#"), shown)
    return fill("<section><h2>Lists</h2>{body}</section>", body=body)


def _processes(store: Store, rows: list[dict[str, Any]]) -> Html:
    shown = (
        (
            fill("{name} #{id}", id=row["id"], name=_NAMES.get(row["name"], row["name"])),
            fill(
                '<span class="{tone}">{status}</span>{files}',
                tone={"completed": "good", "failed": "bad"}.get(row["status"], "soft"),
                status=row["status"],
                files=_files(store, row["id"]),
            ),
            "" if row["contacts"] is None else f"{row['contacts']:,}",
        )
        for row in rows
    )
    body = table("Imports", ("Process", "State", "Contacts#"), shown)
    if not rows:
        body = Html('<p class="soft">No import yet.</p>')
    return fill("<section><h2>Recent imports</h2>{body}</section>", body=body)


def _files(store: Store, process_id: int) -> Html:
    kinds = store.rows("SELECT kind FROM report WHERE process_id = ?", process_id)
    return join(
        fill('<br><a href="/files/{id}/{kind}.csv">{kind}</a>', id=process_id, kind=row["kind"])
        for row in kinds
    )


def _calls(calls: "list[Call]") -> Html:
    shown = (
        (
            fill("<code>{method} {path}</code>", method=method, path=path),
            fill(
                '<span class="{tone}">{status}</span>',
                tone="good" if HTTPStatus.OK <= status < HTTPStatus.BAD_REQUEST else "bad",
                status=status or "dropped",
            ),
        )
        for method, path, status in calls
    )
    body = table("Requests", ("Request", "Answer#"), shown)
    if not calls:
        body = Html('<p class="soft">No request since the start.</p>')
    return fill("<section><h2>Recent requests</h2>{body}</section>", body=body)


def _members(store: Store, row: dict[str, Any], query: dict[str, str]) -> str:
    wanted = query.get("q", "").strip()
    number = int(match[0]) if (match := _NUMBER.fullmatch(query.get("page", ""))) else 1
    window = Window(PAGE_SIZE, (number - 1) * PAGE_SIZE)
    if wanted:
        count, found = _search(store, row["id"], wanted, window)
    else:
        count, found = contacts.page(store, window, contacts.Filter((row["id"],)))
    blocked = lists.blocked_members(store, row["id"])
    header = fill(
        '<p><a href="/">All lists</a></p><h1>{name}</h1><p>List {id}: {members} contacts,'
        " {blocked} of them blocklisted</p>",
        name=row["name"],
        id=row["id"],
        members=f"{row['members']:,}",
        blocked=f"{blocked:,}",
    )
    empty = "No contact matches." if wanted else "Nobody is on this list."
    main = fill(
        "<section>{search}{found}{nav}</section>",
        search=fill(_SEARCH, id=row["id"], q=wanted),
        found=_contacts(found) if found else fill('<p class="soft">{text}</p>', text=empty),
        nav=_nav(row["id"], wanted, number, count),
    )
    return document(row["name"], header, main)


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


def _contacts(found: list[dict[str, Any]]) -> Html:
    shown = (
        (
            contact.get("email", Html('<span class="soft">no e-mail</span>')),
            _attributes(contact["attributes"]),
            Html('<span class="flag">blocklisted</span>') if contact["emailBlacklisted"] else "",
            contact["modifiedAt"][:16].replace("T", " "),
        )
        for contact in found
    )
    return table("Contacts", ("E-mail", "Attributes", "State", "Changed (UTC)"), shown, "stack")


def _attributes(attributes: dict[str, Any]) -> Html:
    pairs = (
        fill("<dt>{name}</dt><dd>{value}</dd>", name=name, value=value)
        for name, value in sorted(attributes.items())
    )
    return fill("<dl>{pairs}</dl>", pairs=join(pairs))


def _nav(list_id: int, wanted: str, number: int, count: int) -> Html:
    last = max((count + PAGE_SIZE - 1) // PAGE_SIZE, 1)

    def link(target: int, text: str) -> Html:
        if not 1 <= target <= last:
            return fill('<span class="soft">{text}</span>', text=text)
        query = urlencode({"page": target} | ({"q": wanted} if wanted else {}))
        return fill('<a href="/lists/{id}?{query}">{text}</a>', id=list_id, query=query, text=text)

    return fill(
        '<nav aria-label="Pages">{back}<span>Page {number} of {last}</span>{on}</nav>',
        back=link(number - 1, "Previous"),
        number=f"{number:,}",
        last=f"{last:,}",
        on=link(number + 1, "Next"),
    )
