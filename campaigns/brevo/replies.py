"""Brevo's answers as small frozen types; whatever has another shape is a WrongShape."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

T = TypeVar("T")


class WrongShape(ValueError):
    """An answer is not what Brevo documents."""


class Fields:
    """The fields of one JSON object, each asked for by name and kind."""

    def __init__(self, data: object) -> None:
        if not isinstance(data, Mapping):
            raise WrongShape("not an object")
        self._data = data

    def has(self, name: str) -> bool:
        return self._data.get(name) is not None

    def integer(self, name: str) -> int:
        value = self._data.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise WrongShape(name)
        return value

    def text(self, name: str, default: str | None = None) -> str:
        value = self._data.get(name, default)
        if value is None:
            value = default
        if not isinstance(value, str):
            raise WrongShape(name)
        return value

    def flag(self, name: str) -> bool:
        value = self._data.get(name) or False
        if not isinstance(value, bool):
            raise WrongShape(name)
        return value

    def moment(self, name: str) -> datetime | None:
        text = self.text(name, "")
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise WrongShape(name) from error
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def object(self, name: str) -> "Fields":
        return Fields(self.mapping(name))

    def mapping(self, name: str) -> Mapping[str, Any]:
        value = self._data.get(name) or {}
        if not isinstance(value, Mapping):
            raise WrongShape(name)
        return value

    def items(self, name: str, read: Callable[[Any], T]) -> list[T]:
        """Read a list; Brevo may leave an empty one out, but then its count is 0 or not there."""
        value = self._data.get(name)
        if value is None and not self._data.get("count"):
            return []
        if not isinstance(value, list):
            raise WrongShape(name)
        return [read(item) for item in value]


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise WrongShape("not a number")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise WrongShape("not a text")
    return value


@dataclass(frozen=True, slots=True)
class Folder:
    id: int
    name: str

    @classmethod
    def read(cls, data: object) -> "Folder":
        fields = Fields(data)
        return cls(fields.integer("id"), fields.text("name"))


@dataclass(frozen=True, slots=True)
class ContactList:
    """A list. The two totals are None where Brevo does not count them.

    In lists of lists both are always 0, whatever the list holds
    (developers.brevo.com/changelog/2021/6/8): only `get_list` knows them.
    """

    id: int
    name: str
    folder_id: int | None
    unique_subscribers: int
    total_subscribers: int | None = None
    total_blacklisted: int | None = None

    @classmethod
    def read(cls, data: object) -> "ContactList":
        """Read the answer about one list."""
        fields = Fields(data)
        return cls(
            id=fields.integer("id"),
            name=fields.text("name"),
            folder_id=fields.integer("folderId") if fields.has("folderId") else None,
            unique_subscribers=fields.integer("uniqueSubscribers"),
            total_subscribers=fields.integer("totalSubscribers"),
            total_blacklisted=fields.integer("totalBlacklisted"),
        )

    @classmethod
    def read_among_others(cls, data: object) -> "ContactList":
        """Read an entry of a list of lists, and leave out the totals that are not counted there."""
        fields = Fields(data)
        return cls(
            id=fields.integer("id"),
            name=fields.text("name"),
            folder_id=fields.integer("folderId") if fields.has("folderId") else None,
            unique_subscribers=fields.integer("uniqueSubscribers"),
        )


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact; one known by phone only has an empty `email`."""

    id: int
    email: str
    is_blocklisted: bool
    list_ids: tuple[int, ...]
    unsubscribed_list_ids: tuple[int, ...]
    attributes: Mapping[str, Any]
    modified_at: datetime | None

    @classmethod
    def read(cls, data: object) -> "Contact":
        fields = Fields(data)
        return cls(
            id=fields.integer("id"),
            email=fields.text("email", ""),
            is_blocklisted=fields.flag("emailBlacklisted"),
            list_ids=tuple(fields.items("listIds", _integer)),
            unsubscribed_list_ids=tuple(fields.items("listUnsubscribed", _integer)),
            attributes=fields.mapping("attributes"),
            modified_at=fields.moment("modifiedAt"),
        )


@dataclass(frozen=True, slots=True)
class ContactDetails:
    """A contact with what its statistics of the last 90 days say of why it may be blocklisted.

    Brevo keeps them for campaigns alone, so none of the three need be true.
    """

    contact: Contact
    unsubscribed: bool
    complained: bool
    bounced: bool

    @classmethod
    def read(cls, data: object) -> "ContactDetails":
        contact = Contact.read(data)
        found = data.get("statistics") if isinstance(data, Mapping) else None
        statistics = found if isinstance(found, Mapping) else {}
        by_whom = statistics.get("unsubscriptions")
        # By the person or by an administrator: an object of two lists.
        unsubscriptions = by_whom.values() if isinstance(by_whom, Mapping) else [by_whom]
        return cls(
            contact,
            unsubscribed=any(unsubscriptions),
            complained=bool(statistics.get("complaints")),
            bounced=bool(statistics.get("hardBounces")),
        )


@dataclass(frozen=True, slots=True)
class Attribute:
    name: str
    category: str
    type: str

    @classmethod
    def read(cls, data: object) -> "Attribute":
        fields = Fields(data)
        return cls(fields.text("name"), fields.text("category", ""), fields.text("type", ""))


@dataclass(frozen=True, slots=True)
class Process:
    """A piece of work Brevo does in its own time.

    The states grew over the years (queued, in_process, processing, …): whatever is not one of the
    three ends is still running. `links` leads from the kind of refusal to a CSV of the refused.
    """

    id: int
    name: str
    status: str
    links: Mapping[str, str]

    @property
    def is_finished(self) -> bool:
        return self.status in {"completed", "failed", "cancelled"}

    @property
    def succeeded(self) -> bool:
        return self.status == "completed"

    @classmethod
    def read(cls, data: object) -> "Process":
        fields = Fields(data)
        links = fields.object("info").mapping("import")
        return cls(
            id=fields.integer("id"),
            name=fields.text("name", ""),
            status=fields.text("status"),
            links={kind: link for kind, link in links.items() if link and isinstance(link, str)},
        )


@dataclass(frozen=True, slots=True)
class Account:
    company: str
    email: str
    plans: tuple[str, ...]

    @classmethod
    def read(cls, data: object) -> "Account":
        fields = Fields(data)
        plans = fields.items("plan", lambda plan: Fields(plan).text("type", ""))
        return cls(fields.text("companyName", ""), fields.text("email"), tuple(plans))


@dataclass(frozen=True, slots=True)
class Webhook:
    id: int
    url: str
    events: tuple[str, ...]
    description: str

    @classmethod
    def read(cls, data: object) -> "Webhook":
        fields = Fields(data)
        return cls(
            id=fields.integer("id"),
            url=fields.text("url"),
            events=tuple(fields.items("events", _text)),
            description=fields.text("description", ""),
        )


@dataclass(frozen=True, slots=True)
class Moved:
    """Who was put on a list, or taken off it.

    `failure` names those for whom there was nothing to do: already there, already gone, or no
    contact at all. Brevo does not say which.
    """

    success: list[str]
    failure: list[str]

    @classmethod
    def read(cls, data: object) -> "Moved":
        contacts = Fields(data).object("contacts")
        return cls(contacts.items("success", _text), contacts.items("failure", _text))
