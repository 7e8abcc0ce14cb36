from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from sandbox.brevo import contacts, lists
from sandbox.brevo.api.base import Brevo, Routes, flag, list_ids, text
from sandbox.brevo.attributes import checks, clean, normal_email, normal_phone
from sandbox.brevo.contacts import Change
from sandbox.brevo.wire import NO_CONTENT, Answer, ApiError, Request, invalid, missing, not_found
from sandbox.brevo.write_faults import WriteFaults

_KINDS = (
    "email_id",
    "contact_id",
    "ext_id",
    "phone_id",
    "whatsapp_id",
    "landline_number_id",
)


def read_change(
    brevo: Brevo, body: dict[str, Any], write_faults: WriteFaults, email: object = None
) -> Change:
    """Read what a call wants of a contact; `email` is the address it is to have, if any."""
    attributes = body.get("attributes") or {}
    if not isinstance(attributes, dict):
        raise invalid("attributes should be an object")
    change = Change(
        attributes=clean(attributes, checks(brevo.store)),
        blocked=flag(body, "emailBlacklisted"),
        sms_blocked=flag(body, "smsBlacklisted"),
        ext_id=text(body, "ext_id") if body.get("ext_id") else None,
    )
    if email is not None:
        change.email = normal_email(email)
        if change.email is None or write_faults.refuses(change.email):
            raise invalid("Invalid email address")
    if "SMS" in attributes:
        change.drop_phone = not attributes["SMS"] and not write_faults.keep_phones
        if attributes["SMS"]:
            change.phone = normal_phone(attributes["SMS"])
            if change.phone is None:
                raise invalid("Invalid phone number")
    return change


def refuse_clashes(brevo: Brevo, change: Change, contact_id: int | None, verb: str) -> None:
    """Refuse a change whose identifiers belong to another contact."""
    if taken := contacts.clashes(brevo.store, change, contact_id):
        raise ApiError(
            HTTPStatus.BAD_REQUEST,
            "duplicate_parameter",
            f"Unable to {verb} contact, {' and '.join(taken)} is already associated with"
            " another Contact",
            duplicate_identifiers=taken,
        )


def write(brevo: Brevo, contact: dict[str, Any], change: Change, body: dict[str, Any]) -> None:
    """Update an existing contact and its lists."""
    refuse_clashes(brevo, change, contact["id"], "update")
    contacts.update(brevo.store, contact["id"], change)
    for list_id in list_ids(brevo, body, "listIds"):
        lists.add(brevo.store, list_id, contact["id"])
    for list_id in list_ids(brevo, body, "unlinkListIds"):
        lists.remove(brevo.store, list_id, contact["id"])


def _find(brevo: Brevo, request: Request) -> dict[str, Any]:
    kind = request.argument("identifierType")
    if kind and kind not in _KINDS:
        raise invalid("Invalid identifierType")
    found = contacts.find(brevo.store, unquote(request.params["identifier"]), kind)
    if found is None:
        raise not_found("Contact does not exist")
    return found


def upsert(brevo: Brevo, request: Request) -> Answer:
    body = request.body()
    change = read_change(brevo, body, request.write_faults, body.get("email"))
    if change.email is None and change.phone is None and change.ext_id is None:
        raise missing("email, SMS or ext_id is missing")
    known = None
    if flag(body, "updateEnabled"):
        known = _known(brevo, change)
    if known is not None:
        write(brevo, known, change, body)
        return Answer(NO_CONTENT)
    refuse_clashes(brevo, change, None, "create")
    contact_id = contacts.create(brevo.store, change)
    for list_id in list_ids(brevo, body, "listIds"):
        lists.add(brevo.store, list_id, contact_id)
    return Answer.json({"id": contact_id}, HTTPStatus.CREATED)


def _known(brevo: Brevo, change: Change) -> dict[str, Any] | None:
    """Find the contact an upsert means: by the strongest identifier that it gives."""
    if change.ext_id is not None:
        found = contacts.find(brevo.store, change.ext_id, "ext_id")
        if found is not None:
            return found
    if change.email is not None:
        return contacts.find(brevo.store, change.email, "email_id")
    return contacts.find(brevo.store, change.phone or "", "phone_id")


def index(brevo: Brevo, request: Request) -> Answer:
    window = request.window(default=50, maximum=1000)
    wanted = contacts.Filter(
        _list_argument(request), request.instant("modifiedSince"), request.instant("createdSince")
    )
    count, found = contacts.page(brevo.store, window, wanted)
    return Answer.json({"count": count, "contacts": found})


def _list_argument(request: Request) -> tuple[int, ...]:
    raw = [part for value in request.query.get("listIds", []) for part in value.split(",")]
    if not all(part.isascii() and part.isdigit() for part in raw):
        raise invalid("Invalid listIds")
    return tuple(sorted({int(part) for part in raw}))


def show(brevo: Brevo, request: Request) -> Answer:
    contact_id = _find(brevo, request)["id"]
    [body] = contacts.bodies(brevo.store, [contact_id])
    return Answer.json({**body, "statistics": contacts.statistics(brevo.store, contact_id)})


def change(brevo: Brevo, request: Request) -> Answer:
    contact, body = _find(brevo, request), request.body()
    attributes = body.get("attributes")
    email = attributes.get("EMAIL") if isinstance(attributes, dict) else None
    wanted = read_change(brevo, body, request.write_faults, email)
    if wanted.email not in {None, contact["email"]} and wanted.blocked is None:
        # Brevo's own note: a blocklisted contact whose address changes is subscribed again.
        wanted.blocked = False
    write(brevo, contact, wanted, body)
    return Answer(NO_CONTENT)


def delete(brevo: Brevo, request: Request) -> Answer:
    contacts.delete(brevo.store, _find(brevo, request)["id"])
    return Answer(NO_CONTENT)


ROUTES: Routes = [
    ("GET", "/contacts", index),
    ("POST", "/contacts", upsert),
    ("GET", "/contacts/{identifier}", show),
    ("PUT", "/contacts/{identifier}", change),
    ("DELETE", "/contacts/{identifier}", delete),
]
