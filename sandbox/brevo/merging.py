"""One import: rows are read once, checked, and merged into the contacts in one transaction."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.brevo import contacts, lists
from sandbox.brevo.attributes import Check, clean, normal_email, normal_phone
from sandbox.brevo.store import Store, now_ms
from sandbox.brevo.write_faults import NO_WRITE_FAULTS, WriteFaults

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_UPSERT = """
INSERT INTO contact (email, phone, attributes, blocked, sms_blocked, created, modified)
SELECT email, nullif(phone, ''), attributes, coalesce(:blocked, 0), coalesce(:sms_blocked, 0),
    :now, :now
FROM staged WHERE true ORDER BY pos
ON CONFLICT (email) DO {conflict}
"""
_CHANGE_EXISTING = """UPDATE SET
    phone = coalesce(excluded.phone, phone),
    attributes = json_patch(attributes, excluded.attributes),
    blocked = coalesce(:blocked, blocked), sms_blocked = coalesce(:sms_blocked, sms_blocked),
    modified = :now
"""
# A contact that is new has nothing to erase: the marks that say so are not stored.
_FORGET_ERASED = "UPDATE contact SET attributes = json_patch('{}', attributes) WHERE id > ?"
# A row whose phone is empty, and not left out, erases the number.
_ERASE_PHONES = """
UPDATE contact SET phone = NULL, modified = ?
WHERE email IN (SELECT email FROM staged WHERE phone = '')
"""
_JOIN_LIST = """
INSERT OR IGNORE INTO member
SELECT ?, contact.id FROM staged JOIN contact ON contact.email = staged.email
"""
_HELD_PHONES = """
SELECT staged.pos, staged.email, staged.phone, contact.id, contact.email FROM staged
JOIN contact ON contact.phone = staged.phone WHERE contact.email IS NOT staged.email
"""


@dataclass(slots=True)
class Batch:
    """The rows of an import that may be merged, and those that go into its CSV files."""

    rows: list[tuple[str, str | None, str]] = field(default_factory=list)
    phone_only: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    invalid_emails: list[tuple[str, str]] = field(default_factory=list)
    duplicate_phone_id: list[tuple[str, str]] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.rows) + len(self.phone_only)


def rows_of(payload: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """Return the contacts of an import's body, be they JSON or CSV."""
    if "jsonBody" in payload:
        rows: list[dict[str, Any]] = payload["jsonBody"]
        return rows
    return _csv_rows(payload["fileBody"])


def _csv_rows(text: str) -> Iterator[dict[str, Any]]:
    for line in csv.DictReader(io.StringIO(text), delimiter=";"):
        attributes: dict[str, Any] = {(name or "").strip().upper(): v for name, v in line.items()}
        yield {"email": attributes.pop("EMAIL", ""), "attributes": attributes}


def read(
    payload: Mapping[str, Any],
    known: Mapping[str, Check],
    write_faults: WriteFaults = NO_WRITE_FAULTS,
) -> Batch:
    """Sort the rows; those that a fault refuses are treated as if their address were invalid."""
    batch = Batch()
    owners: dict[str, str] = {}
    erase, every = bool(payload.get("emptyContactsAttributes")), write_faults.spoil_every
    for number, row in enumerate(rows_of(payload), start=1):
        attributes = row.get("attributes") or {}
        phone = normal_phone(sms) if (sms := attributes.get("SMS")) else None
        raw = row.get("email")
        email = normal_email(raw)
        spoiled = bool(every) and number % every == 0
        if erase and not write_faults.keep_phones and "SMS" in attributes and not sms:
            phone = ""
        if spoiled or write_faults.refuses(email) or (email is None and (raw or not phone)):
            batch.invalid_emails.append((str(raw or ""), str(sms or "")))
            continue
        kept = clean(attributes, known, erase=erase)
        if email is None:
            batch.phone_only.append((str(phone), kept))
        elif phone and owners.setdefault(phone, email) != email:
            batch.duplicate_phone_id.append((email, phone))
        else:
            batch.rows.append((email, phone, _encode(kept)))
    return batch


def merge(store: Store, batch: Batch, list_ids: Iterable[int], payload: Mapping[str, Any]) -> None:
    """Write a batch and put its contacts on the lists. Call it inside `store.writing()`.

    A row whose phone another person holds is not imported: it moves to `duplicate_phone_id`.
    A flag of the blocklist that is named is set or cleared on everybody; one that is not is left.
    """
    there = lists.existing(store, list_ids)
    update = bool(payload.get("updateExistingContacts", True))
    store.db.execute("DELETE FROM staged")
    store.db.executemany(
        "INSERT INTO staged (email, phone, attributes) VALUES (?, ?, ?)", batch.rows
    )
    _settle_phones(store, batch)
    if update:
        store.db.execute(_ERASE_PHONES, (now_ms(),))
    _upsert(store, payload, update=update)
    for list_id in there:
        store.db.execute(_JOIN_LIST, (list_id,))
    _merge_by_phone(store, batch, there, update=update)


def _upsert(store: Store, payload: Mapping[str, Any], *, update: bool) -> None:
    newest = store.value("SELECT coalesce(max(id), 0) FROM contact")
    flags = {"blocked": payload.get("emailBlacklist"), "sms_blocked": payload.get("smsBlacklist")}
    conflict = _CHANGE_EXISTING if update else "NOTHING"
    store.db.execute(_UPSERT.format(conflict=conflict), {**flags, "now": now_ms()})
    if payload.get("emptyContactsAttributes"):
        store.db.execute(_FORGET_ERASED, (newest,))


def _settle_phones(store: Store, batch: Batch) -> None:
    """Refuse a row whose phone is somebody else's; merge it when its holder has no e-mail."""
    for pos, email, phone, holder_id, holder_email in store.db.execute(_HELD_PHONES).fetchall():
        if holder_email is None:
            contacts.absorb(store, loser_id=holder_id, email=email)
        else:
            store.db.execute("DELETE FROM staged WHERE pos = ?", (pos,))
            batch.duplicate_phone_id.append((email, phone))


def _merge_by_phone(store: Store, batch: Batch, list_ids: Iterable[int], *, update: bool) -> None:
    for phone, attributes in batch.phone_only:
        change = contacts.Change(phone=phone, attributes=attributes)
        contact_id = store.value("SELECT id FROM contact WHERE phone = ?", phone)
        if contact_id is None:
            contact_id = contacts.create(store, change)
        elif update:
            contacts.update(store, contact_id, change)
        for list_id in list_ids:
            lists.add(store, list_id, contact_id)
