"""Contacts: found, written, merged, and read page by page however deep the page lies."""

import json
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.brevo.attributes import in_own_letters, normal_email, normal_phone
from sandbox.brevo.store import Store, now_ms
from sandbox.brevo.wire import Window, moment

WHY = ("userUnsubscription", "adminUnsubscription", "complaints", "hardBounces")
_LAST_ID = 2**63 - 1


@dataclass(slots=True)
class Change:
    """What one request wants of one contact; None leaves a thing as it is."""

    email: str | None = None
    phone: str | None = None
    ext_id: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    blocked: bool | None = None
    sms_blocked: bool | None = None
    drop_phone: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """Which contacts to read. No list means every contact."""

    list_ids: tuple[int, ...] = ()
    modified_since: int | None = None
    created_since: int | None = None
    hidden: frozenset[int] = frozenset()

    @property
    def is_plain(self) -> bool:
        since = (self.modified_since, self.created_since)
        return len(self.list_ids) <= 1 and since == (None, None) and not self.hidden


def find(store: Store, identifier: str, kind: str = "") -> dict[str, Any] | None:
    """Return the contact that bears this identifier, or None.

    Without a kind, Brevo tells an e-mail from an id by its "@".
    """
    kind = kind or ("email_id" if "@" in identifier else "contact_id")
    column, value = {
        "email_id": ("email", normal_email(identifier)),
        "contact_id": ("id", identifier),
        "ext_id": ("ext_id", identifier),
        "phone_id": ("phone", normal_phone(identifier)),
    }.get(kind, ("email", None))
    return store.row(f"SELECT * FROM contact WHERE {column} = ?", value)


def clashes(store: Store, change: Change, contact_id: int | None) -> list[str]:
    """Name the identifiers of a change that another contact already bears."""
    wanted = {"email": change.email, "SMS": change.phone, "ext_id": change.ext_id}
    columns = {"email": "email", "SMS": "phone", "ext_id": "ext_id"}
    return [
        name
        for name, value in wanted.items()
        if value is not None
        and store.value(
            f"SELECT 1 FROM contact WHERE {columns[name]} = ? AND id IS NOT ?", value, contact_id
        )
    ]


def create(store: Store, change: Change) -> int:
    now = now_ms()
    kept = {name: value for name, value in change.attributes.items() if value is not None}
    cursor = store.db.execute(
        "INSERT INTO contact (email, phone, ext_id, attributes, blocked, sms_blocked, created,"
        " modified) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            change.email,
            change.phone,
            change.ext_id,
            json.dumps(kept, ensure_ascii=False),
            bool(change.blocked),
            bool(change.sms_blocked),
            now,
            now,
        ),
    )
    return cursor.lastrowid or 0


def update(store: Store, contact_id: int, change: Change) -> None:
    """Write a change onto a contact: the blocklist flag moves only when the change says so."""
    store.db.execute(
        "UPDATE contact SET email = coalesce(:email, email), ext_id = coalesce(:ext_id, ext_id),"
        " phone = CASE WHEN :drop_phone THEN NULL ELSE coalesce(:phone, phone) END,"
        " attributes = json_patch(attributes, :attributes), blocked = coalesce(:blocked, blocked),"
        " sms_blocked = coalesce(:sms_blocked, sms_blocked), modified = :now WHERE id = :id",
        {
            "id": contact_id,
            "email": change.email,
            "ext_id": change.ext_id,
            "phone": change.phone,
            "drop_phone": change.drop_phone,
            "attributes": json.dumps(change.attributes, ensure_ascii=False),
            "blocked": change.blocked,
            "sms_blocked": change.sms_blocked,
            "now": now_ms(),
        },
    )


def blocklist(store: Store, contact_id: int, why: str) -> None:
    """Blocklist a contact, as a hard bounce does too, and note in its statistics why."""
    update(store, contact_id, Change(blocked=True))
    store.db.execute("INSERT INTO statistic VALUES (?, ?, ?)", (contact_id, why, now_ms()))


def statistics(store: Store, contact_id: int) -> dict[str, Any]:
    """Return why a contact was blocklisted, as Brevo shows it for the last 90 days."""
    shown: dict[str, list[dict[str, Any]]] = {kind: [] for kind in WHY}
    for row in store.rows("SELECT * FROM statistic WHERE contact_id = ?", contact_id):
        shown[row["kind"]].append({"campaignId": 1, "eventTime": moment(row["at"])})
    by_whom = {kind: shown.pop(kind) for kind in ("userUnsubscription", "adminUnsubscription")}
    told: dict[str, Any] = {kind: events for kind, events in shown.items() if events}
    return told | ({"unsubscriptions": by_whom} if any(by_whom.values()) else {})


def delete(store: Store, contact_id: int) -> None:
    store.db.execute("DELETE FROM statistic WHERE contact_id = ?", (contact_id,))
    store.db.execute("DELETE FROM member WHERE contact_id = ?", (contact_id,))
    store.db.execute("DELETE FROM contact WHERE id = ?", (contact_id,))


def absorb(store: Store, *, loser_id: int, email: str) -> None:
    """Merge a contact, as a rule one known by its phone alone, into the one with this address.

    E-mail outranks phone: the e-mail's contact survives with its own values and gains the other's
    lists, phone and missing values. When nobody has the address yet, the phone's contact takes it.
    """
    winner_id = store.value("SELECT id FROM contact WHERE email = ?", email)
    if winner_id is None:
        store.db.execute("UPDATE contact SET email = ? WHERE id = ?", (email, loser_id))
        return
    loser = store.row("SELECT * FROM contact WHERE id = ?", loser_id) or {}
    store.db.execute(
        "INSERT OR IGNORE INTO member SELECT list_id, ? FROM member WHERE contact_id = ?",
        (winner_id, loser_id),
    )
    delete(store, loser_id)
    store.db.execute(
        "UPDATE contact SET phone = coalesce(?, phone), attributes = json_patch(?, attributes)"
        " WHERE id = ?",
        (loser["phone"], loser["attributes"], winner_id),
    )


def page(store: Store, window: Window, wanted: Filter) -> tuple[int, list[dict[str, Any]]]:
    """Return how many contacts there are and the bodies of one page of them."""
    if wanted.is_plain:
        list_id = wanted.list_ids[0] if wanted.list_ids else None
        return _count(store, list_id), bodies(store, _plain_page(store, window, list_id))
    ids = _filtered_ids(store, wanted)
    if window.descending:
        chosen = ids[max(len(ids) - window.offset - window.limit, 0) : len(ids) - window.offset]
        chosen = chosen[::-1] if window.offset < len(ids) else array("q")
    else:
        chosen = ids[window.offset : window.offset + window.limit]
    return len(ids), bodies(store, chosen)


def _count(store: Store, list_id: int | None) -> int:
    if list_id is not None:
        return int(store.value("SELECT members FROM list WHERE id = ?", list_id) or 0)
    if "contacts" not in store.cache:
        store.cache["contacts"] = store.value("SELECT count(*) FROM contact")
    return int(store.cache["contacts"])


def _plain_page(store: Store, window: Window, list_id: int | None) -> list[int]:
    """Return the ids of one page, going on from where the page before it ended if that is known."""
    key = (list_id, window.descending, window.offset)
    start, skip = store.cache.get(key), 0
    if start is None:
        start, skip = (_LAST_ID if window.descending else -1), window.offset
    source, column = "contact", "id"
    if list_id is not None:
        source, column = f"member WHERE list_id = {list_id}", "contact_id"
    joint = "AND" if list_id is not None else "WHERE"
    beyond = "<" if window.descending else ">"
    found = store.db.execute(
        f"SELECT {column} FROM {source} {joint} {column} {beyond} ?"
        f" ORDER BY {column} {window.order} LIMIT ? OFFSET ?",
        (start, window.limit, skip),
    )
    ids = [row[0] for row in found]
    if ids:
        store.cache[list_id, window.descending, window.offset + len(ids)] = ids[-1]
    return ids


def _filtered_ids(store: Store, wanted: Filter) -> "array[int]":
    known: array[int] | None = store.cache.get(wanted)
    if known is None:
        sql = "SELECT id FROM contact INDEXED BY contact_modified WHERE modified >= ?"
        arguments: list[int] = [wanted.modified_since or 0, wanted.created_since or 0]
        sql += " AND created >= ?"
        if wanted.list_ids:
            marks = ", ".join("?" * len(wanted.list_ids))
            sql += (
                " AND EXISTS (SELECT 1 FROM member WHERE contact_id = contact.id"
                f" AND list_id IN ({marks}))"
            )
            arguments += wanted.list_ids
        ids = (row[0] for row in store.db.execute(sql + " ORDER BY id", arguments))
        known = array("q", (found for found in ids if found not in wanted.hidden))
        store.cache[wanted] = known
    return known


def bodies(store: Store, ids: Sequence[int] | Iterable[int]) -> list[dict[str, Any]]:
    """Return these contacts as Brevo shows them, in the order of the ids."""
    order = list(ids)
    marks = ", ".join("?" * len(order))
    lists: dict[int, list[int]] = {contact_id: [] for contact_id in order}
    for contact_id, list_id in store.db.execute(
        f"SELECT contact_id, list_id FROM member WHERE contact_id IN ({marks}) ORDER BY list_id",
        order,
    ):
        lists[contact_id].append(list_id)
    found = store.db.execute(f"SELECT * FROM contact WHERE id IN ({marks})", order)
    shown = {row["id"]: body(dict(row), lists[row["id"]]) for row in found}
    if store.unicode_domains:
        for contact in shown.values():
            if "xn--" in contact.get("email", ""):
                contact["email"] = in_own_letters(contact["email"])
    return [shown[contact_id] for contact_id in order]


def body(row: dict[str, Any], list_ids: list[int]) -> dict[str, Any]:
    attributes = json.loads(row["attributes"])
    if row["phone"]:
        attributes["SMS"] = row["phone"]
    shown = {
        "email": row["email"],
        "id": row["id"],
        "ext_id": row["ext_id"],
        "emailBlacklisted": bool(row["blocked"]),
        "smsBlacklisted": bool(row["sms_blocked"]),
        "whatsappBlacklisted": False,
        "createdAt": moment(row["created"]),
        "modifiedAt": moment(row["modified"]),
        "listIds": list_ids,
        "attributes": attributes,
    }
    for optional in ("email", "ext_id"):
        if shown[optional] is None:
            del shown[optional]
    return shown
