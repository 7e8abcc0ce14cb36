"""`POST /contacts/batch`: many contacts updated at once, all of them or none."""

from typing import Any

from sandbox.brevo import contacts
from sandbox.brevo.api.base import Brevo, Routes
from sandbox.brevo.api.contacts import read_change, write
from sandbox.brevo.wire import NO_CONTENT, Answer, Request, invalid, missing, not_found

_KINDS = {"email": "email_id", "id": "contact_id", "sms": "phone_id"}


def update(brevo: Brevo, request: Request) -> Answer:
    entries = request.body().get("contacts")
    if not entries:
        raise missing("contacts is missing")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise invalid("contacts should be an array of objects")
    found = [_find(brevo, entry) for entry in entries]
    unknown = [str(index) for index, contact in enumerate(found) if contact is None]
    if unknown:
        raise not_found(f"No contact found for indexes {','.join(unknown)}")
    for contact, entry in zip(found, entries, strict=True):
        if contact is not None:
            write(brevo, contact, read_change(brevo, entry, request.write_faults), entry)
    return Answer(NO_CONTENT)


def _find(brevo: Brevo, entry: dict[str, Any]) -> dict[str, Any] | None:
    given = [name for name in _KINDS if entry.get(name)]
    if len(given) != 1:
        raise invalid("Each contact needs exactly one of email, id or sms")
    return contacts.find(brevo.store, str(entry[given[0]]), _KINDS[given[0]])


ROUTES: Routes = [("POST", "/contacts/batch", update)]
