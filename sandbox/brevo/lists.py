"""Lists and folders, and who is on a list."""

from collections.abc import Iterable
from typing import Any

from sandbox.brevo import contacts
from sandbox.brevo.delays import Wait
from sandbox.brevo.store import Lag, Store, now_ms
from sandbox.brevo.wire import Window

_BLOCKED = """
SELECT count(*) FROM contact INDEXED BY contact_blocked WHERE blocked AND EXISTS
    (SELECT 1 FROM member WHERE list_id = ? AND contact_id = contact.id)
"""


def create_folder(store: Store, name: str) -> int:
    return store.db.execute("INSERT INTO folder (name) VALUES (?)", (name,)).lastrowid or 0


def create_list(store: Store, name: str, folder_id: int) -> int:
    cursor = store.db.execute(
        "INSERT INTO list (name, folder_id, created) VALUES (?, ?, ?)", (name, folder_id, now_ms())
    )
    return cursor.lastrowid or 0


def delete_list(store: Store, list_id: int) -> bool:
    """Delete a list and its memberships, never its contacts; False when there is no such list."""
    # The list goes first, so that the trigger finds nothing to count down for each member.
    if not store.db.execute("DELETE FROM list WHERE id = ?", (list_id,)).rowcount:
        return False
    store.db.execute("DELETE FROM member WHERE list_id = ?", (list_id,))
    return True


def give_id_again(store: Store, list_id: int) -> None:
    """Let a colleague's list have the id of a list that was deleted."""
    folder = create_folder(store, "Colleagues")
    store.db.execute(
        "INSERT INTO list (id, name, folder_id, created) VALUES (?, ?, ?, ?)",
        (list_id, "Board members only", folder, now_ms()),
    )
    email = "board@example.org"
    found = contacts.find(store, email, "email_id")
    change = contacts.Change(email=email)
    add(store, list_id, found["id"] if found else contacts.create(store, change))


def delete_folder(store: Store, folder_id: int) -> bool:
    """Delete a folder and every list in it, as Brevo does without asking."""
    for row in store.rows("SELECT id FROM list WHERE folder_id = ?", folder_id):
        delete_list(store, row["id"])
    return bool(store.db.execute("DELETE FROM folder WHERE id = ?", (folder_id,)).rowcount)


def existing(store: Store, list_ids: Iterable[int]) -> list[int]:
    return [
        list_id
        for list_id in dict.fromkeys(list_ids)
        if store.value("SELECT 1 FROM list WHERE id = ?", list_id)
    ]


def page(
    store: Store, window: Window, folder_id: int | None = None
) -> tuple[int, list[dict[str, Any]]]:
    where, arguments = ("WHERE folder_id = ?", [folder_id]) if folder_id is not None else ("", [])
    count = store.value(f"SELECT count(*) FROM list {where}", *arguments)
    rows = store.rows(
        f"SELECT * FROM list {where} ORDER BY id {window.order} LIMIT ? OFFSET ?",
        *arguments,
        window.limit,
        window.offset,
    )
    return count, rows


def blocked_members(store: Store, list_id: int) -> int:
    return int(store.value(_BLOCKED, list_id))


def first_unblocked(store: Store, list_ids: Iterable[int]) -> int | None:
    """Return the oldest contact on one of these lists that may be mailed."""
    sql = (
        "SELECT contact_id FROM member JOIN contact ON contact.id = contact_id"
        " WHERE list_id = ? AND NOT blocked ORDER BY contact_id LIMIT 1"
    )
    found = (store.value(sql, list_id) for list_id in list_ids)
    return next((contact_id for contact_id in found if contact_id is not None), None)


def add(store: Store, list_id: int, contact_id: int) -> bool:
    """Put a contact on a list; False when it is there already."""
    sql = "INSERT OR IGNORE INTO member VALUES (?, ?)"
    return bool(store.db.execute(sql, (list_id, contact_id)).rowcount)


def remove(store: Store, list_id: int, contact_id: int) -> bool:
    """Take a contact off a list; False when it is not there."""
    sql = "DELETE FROM member WHERE list_id = ? AND contact_id = ?"
    return bool(store.db.execute(sql, (list_id, contact_id)).rowcount)


def remove_all(store: Store, list_id: int) -> int:
    return store.db.execute("DELETE FROM member WHERE list_id = ?", (list_id,)).rowcount


def member_ids(store: Store, list_id: int) -> set[int]:
    rows = store.db.execute("SELECT contact_id FROM member WHERE list_id = ?", (list_id,))
    return {row[0] for row in rows}


def hide(store: Store, list_id: int, before: set[int], wait: Wait) -> None:
    """Have reads of a list not show, for a while, whoever came since ``before``."""
    lag = store.lags.get(list_id)
    newcomers = member_ids(store, list_id) - before
    store.lags[list_id] = Lag(frozenset(newcomers | (lag.hidden if lag else set())), wait)


def hidden(store: Store, list_id: int, *, begins: bool) -> frozenset[int]:
    """Return whom a read of a list must not show; ``begins`` when it is not a later page."""
    lag = store.lags.get(list_id)
    if lag is None:
        return frozenset()
    if begins:
        if lag.wait.is_over:
            del store.lags[list_id]
            return frozenset()
        lag.wait.count_request()
    return lag.hidden
