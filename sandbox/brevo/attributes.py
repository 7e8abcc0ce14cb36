"""Contact attributes: which exist, and which values Brevo would silently drop."""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from typing import Any

import idna

from sandbox.brevo.store import Store

CATEGORIES = ("normal", "transactional", "category", "calculated", "global")
TYPES = ("text", "date", "float", "id", "boolean", "multiple-choice", "user")
IDENTIFIERS = ("EMAIL", "SMS", "EXT_ID")

Check = Callable[[Any], bool]

_PHONE = re.compile(r"(?:\+|00)?([1-9][0-9]{7,14})")
_EMAIL = re.compile(r"[^@\s;,\"<>]+@(?:[^@\s;,.\"<>]+\.)+[^@\s;,.\"<>]{2,}")


def normal_phone(value: object) -> str | None:
    """Return the digits with their country code, or None when it is no phone number to Brevo."""
    match = _PHONE.fullmatch(str(value).strip())
    return match[1] if match else None


def normal_email(value: object) -> str | None:
    """Return the address as Brevo stores it, or None when it is no address.

    A domain has one form, so that `bücher.example` and `xn--bcher-kva.example` are one (assumed).
    """
    if not isinstance(value, str):
        return None
    address = value.strip().lower()
    if not _EMAIL.fullmatch(address):
        return None
    user, _, domain = address.rpartition("@")
    with suppress(UnicodeError):
        domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    return f"{user}@{domain}"


def in_own_letters(address: str) -> str:
    """Return the address with the domain in the letters of its language."""
    user, _, domain = address.rpartition("@")
    return f"{user}@{idna.decode(domain)}"


def _is_date(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        date.fromisoformat(value[:10])
    except ValueError:
        return False
    return True


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


_CHECKS: dict[str, Check] = {
    "text": _is_text,
    "user": _is_text,
    "date": _is_date,
    "float": _is_number,
    "id": lambda value: isinstance(value, str | int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "multiple-choice": lambda value: isinstance(value, list),
}


def ensure_defaults(store: Store, *, french: bool) -> None:
    """Give a new account the attributes Brevo gives it; an account that has some keeps them."""
    names = ("PRENOM", "NOM") if french else ("FIRSTNAME", "LASTNAME")
    with store.writing() as db:
        if store.value("SELECT count(*) FROM attribute"):
            return
        db.executemany(
            "INSERT INTO attribute VALUES (?, 'normal', ?)",
            [(name, json.dumps({"type": "text"})) for name in ("EMAIL", "SMS", *names)],
        )


def checks(store: Store) -> dict[str, Check]:
    """Return, for each attribute that exists, the test its values must pass."""
    known: dict[str, Check] | None = store.cache.get("checks")
    if known is None:
        known = {
            row["name"]: _CHECKS.get(json.loads(row["definition"]).get("type"), _is_text)
            for row in store.rows("SELECT name, definition FROM attribute")
            if row["name"] not in IDENTIFIERS
        }
        store.cache["checks"] = known
    return known


def clean(
    attributes: Mapping[str, Any], known: Mapping[str, Check], *, erase: bool = True
) -> dict[str, Any]:
    """Keep the values Brevo keeps; None stands for "erase it", unless `erase` is off.

    An attribute that does not exist, or is written in small letters, or whose value has the
    wrong type, is dropped without a word: that is what Brevo does.
    """
    kept: dict[str, Any] = {}
    for name, value in attributes.items():
        check = known.get(name)
        if check is None:
            continue
        if value is None or value == "":
            if erase:
                kept[name] = None
        elif check(value):
            kept[name] = value
    return kept
