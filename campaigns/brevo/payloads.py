"""What we send: bodies that cannot unblock anybody, exact in size, cheap to build.

Consent is one-way: Brevo clears a block when a request says `emailBlacklisted: false`, and
resubscribes a blocked contact whose e-mail address is changed (developers.brevo.com/reference,
Update a contact). No body built here can say either.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from campaigns.brevo.errors import BrevoPermanent
from campaigns.brevo.replies import Attribute

# First and last name are called differently with the language the account was opened in
# (help.brevo.com/hc/en-us/articles/208729849); the first name that an account has is taken.
_SPELLINGS: dict[str, tuple[str, ...]] = {
    "first_name": ("FIRSTNAME", "PRENOM", "VORNAME", "NOMBRE", "NOME"),
    "last_name": ("LASTNAME", "NOM", "NACHNAME", "APELLIDOS", "COGNOME", "SOBRENOME"),
    "phone": ("SMS",),
    "country": ("COUNTRY",),
    "state": ("STATE",),
    "referral_source": ("REFERRAL_SOURCE",),
}
# The number is an identifier of Brevo's own; no text attribute can stand in for it.
_NOT_OURS_TO_MAKE = frozenset({"phone"})
_IDENTIFIERS = frozenset({"EMAIL", "SMS", "EXT_ID", "WHATSAPP", "LANDLINE_NUMBER"})
_ATTRIBUTE_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,49}")
# Brevo silently ignores a text sent for an attribute of another type.
_NOT_TEXT = frozenset({"date", "float", "id", "boolean", "multiple-choice", "user"})

_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def safe_attributes(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes as they are sent; raise ValueError for one that could undo a block."""
    for name in attributes:
        plain = name.upper().replace("_", "")
        if plain == "EMAIL" or "BLACKLIST" in plain:
            raise ValueError(f"{name} is not an attribute this project may send.")
    return dict(attributes)


@dataclass(frozen=True, slots=True)
class AttributeMap:
    """How the attributes of one account are called.

    `names` leads from our name to the account's; `missing` are attributes to make as text;
    `unusable` exist with a type that cannot hold a text.
    """

    names: Mapping[str, str]
    missing: tuple[str, ...]
    unusable: tuple[str, ...]

    @property
    def lacks_phone(self) -> bool:
        """True when the account has no attribute for phone numbers; nobody can make that one."""
        return "phone" not in self.names and _SPELLINGS["phone"][0] not in self.unusable

    @classmethod
    def from_account(
        cls, attributes: Iterable[Attribute], renamed: Mapping[str, str] | None = None
    ) -> "AttributeMap":
        """Read what the account has; ``renamed`` leads from our name to the one to use instead."""
        wanted = _SPELLINGS | {ours: (name,) for ours, name in (renamed or {}).items()}
        usable: dict[str, bool] = {}
        for attribute in attributes:
            is_text = attribute.category == "normal" and attribute.type not in _NOT_TEXT
            usable[attribute.name.upper()] = is_text
        names, missing, unusable = {}, [], []
        for ours, spellings in wanted.items():
            there = sorted((s for s in spellings if s in usable), key=lambda s: not usable[s])
            if there and usable[there[0]]:
                names[ours] = there[0]
            elif there:
                unusable.append(there[0])
            elif ours not in _NOT_OURS_TO_MAKE:
                missing.append(spellings[0])
        return cls(names, tuple(missing), tuple(unusable))


def renaming_problem(renamed: Mapping[str, str]) -> str:
    """Return what is wrong with these names for our attributes; "" when they can be used."""
    ours = [name for name in _SPELLINGS if name not in _NOT_OURS_TO_MAKE]
    for name, theirs in renamed.items():
        if name not in ours:
            return f"{name!r} is none of our attributes: write one of {', '.join(ours)}"
        if not _ATTRIBUTE_NAME.fullmatch(theirs) or theirs in _IDENTIFIERS:
            return f"{theirs!r} cannot be the name of an attribute: write one like OUR_STATE"
        try:
            safe_attributes({theirs: ""})
        except ValueError:
            return f"{theirs!r} is a name that this project may not send: write another one"
    wanted = _SPELLINGS | {name: (theirs,) for name, theirs in renamed.items()}
    used = [spelling for spellings in wanted.values() for spelling in spellings]
    twice = next((name for name in used if used.count(name) > 1), "")
    return f"{twice!r} would hold two of our attributes: write another name" if twice else ""


class ImportBody:
    """The body of one import, grown contact by contact and never larger than `max_bytes`.

    Brevo takes 10 MB, and calls 8 MB safe (developers.brevo.com/reference, Import contacts).
    Existing contacts are updated, nobody is notified, and the blocklist is not mentioned.
    """

    _END = b"]}"

    def __init__(self, list_id: int, *, max_bytes: int, erase_empty: bool = False) -> None:
        settings = {
            "listIds": [list_id],
            "updateExistingContacts": True,
            "emptyContactsAttributes": erase_empty,
            "disableNotification": True,
            "jsonBody": [],
        }
        self._buffer = bytearray(_dumps(settings).encode()[: -len(self._END)])
        self._room = max_bytes - len(self._buffer) - len(self._END)
        if self._room < 0:
            raise ValueError(f"An import does not fit into {max_bytes} bytes.")
        self._count = 0
        self._safe_names: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return self._count

    def add(self, email: str, attributes: dict[str, str]) -> bool:
        """Add a contact, or return False and add nothing when it no longer fits.

        Raises BrevoPermanent for a contact that would not fit into an empty body either.
        """
        if not attributes.keys() <= self._safe_names:
            self._safe_names |= safe_attributes(attributes).keys()
        # A lone surrogate has no UTF-8; one bad character must not stop an import of thousands.
        contact = _dumps({"email": email, "attributes": attributes}).encode("utf-8", "replace")
        if self._count:
            contact = b"," + contact
        if len(contact) > self._room:
            if not self._count:
                raise BrevoPermanent(
                    "One contact alone is larger than an import may be",
                    remedy="Raise BREVO_IMPORT_MAX_BYTES",
                )
            return False
        self._buffer += contact
        self._room -= len(contact)
        self._count += 1
        return True

    def encode(self) -> bytes:
        return b"".join((self._buffer, self._END))  # one copy: there are megabytes of it


def upsert(email: str, attributes: Mapping[str, str], list_id: int) -> dict[str, Any]:
    """Return the body that makes a contact, or updates it, and puts it on the list."""
    return {
        "email": email,
        "attributes": safe_attributes(attributes),
        "listIds": [list_id],
        "updateEnabled": True,
    }


def update(email: str, attributes: Mapping[str, str]) -> dict[str, Any]:
    """Return the body that changes attributes of a contact, if there is one."""
    return {"contacts": [{"email": email, "attributes": safe_attributes(attributes)}]}


def marketing_webhook(
    url: str, events: Iterable[str], token: str, description: str
) -> dict[str, Any]:
    """Return the body for a webhook that proves who calls.

    A bearer token is one of Brevo's ways to do so (developers.brevo.com/docs/secured-webhooks).
    """
    return {
        "url": url,
        "events": list(events),
        "type": "marketing",
        "description": description,
        "auth": {"type": "bearer", "token": token},
    }


def timestamp(moment: datetime) -> str:
    """Write a time as Brevo's filters want it: UTC, milliseconds, Z."""
    if moment.tzinfo is None:
        raise ValueError("A time without a zone means nothing to Brevo.")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
