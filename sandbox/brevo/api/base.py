"""The account that handlers work on, and validators that several of them share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.brevo import lists
from sandbox.brevo.processes import Processes
from sandbox.brevo.store import Store
from sandbox.brevo.wire import Answer, Request, invalid, missing

ORGANIZATION = "000000000000000000000001"


@dataclass(slots=True)
class Brevo:
    """The account behind the key. `root` is the address the stand-in is reached at.

    `organization` is its id; Brevo may leave an empty one out.
    """

    store: Store
    processes: Processes
    root: str
    organization: str = ORGANIZATION


Handler = Callable[[Brevo, Request], Answer]
Routes = list[tuple[str, str, Handler]]


def text(body: dict[str, Any], name: str) -> str:
    """Return a text the call must have."""
    value = body.get(name)
    if value is None or value == "":
        raise missing(f"{name} is missing")
    if not isinstance(value, str):
        raise invalid(f"{name} is not valid")
    return value


def whole(value: object, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid(f"{name} is not valid")
    return value


def flag(body: dict[str, Any], name: str) -> bool | None:
    """Return a flag, or None when the call does not name it."""
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid(f"{name} should be boolean")
    return value


def list_ids(brevo: Brevo, body: dict[str, Any], name: str) -> list[int]:
    """Return the ids of existing lists that a call names; one that is not there is refused."""
    given = body.get(name) or []
    if not isinstance(given, list):
        raise invalid(f"{name} should be an array")
    wanted = [whole(item, name) for item in given]
    if set(wanted) - set(lists.existing(brevo.store, wanted)):
        raise invalid("List ID does not exist")
    return wanted


def folder_id(brevo: Brevo, body: dict[str, Any]) -> int:
    if body.get("folderId") is None:
        raise missing("folderId is missing")
    wanted = whole(body["folderId"], "folderId")
    if not brevo.store.value("SELECT 1 FROM folder WHERE id = ?", wanted):
        raise invalid("Folder ID does not exist")
    return wanted
