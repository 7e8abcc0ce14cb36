"""Brevo's answers as small frozen types.

An answer as a whole that has another shape is a WrongShape. One odd row of many, or one odd value
of a contact, is not: nobody else is to suffer from it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

T = TypeVar("T")

_LONGEST_STATUS = 100
_LARGEST = 2**63 - 1
_TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0", ""})


# Whole words are not looked for: Brevo may write aborted, abort, completed_with_errors, expired, …
_MEANS_AN_END = re.compile(
    r"abort|cancel|clos|complet|crash|dead|delet|den[iy]|discard|done|drop|end|error|except|expir"
    r"|fail|finish|halt|incomplete|interrupt|invalid|kill|partial|processed|refus|reject|skip|stop"
    r"|succe|terminat|timeout|timed"
)


class WrongShape(ValueError):
    """An answer is not what Brevo documents."""


class Rows(list[T]):
    """What was read of a list; ``unreadable`` says how many of its rows could not be."""

    def __init__(self, rows: Iterable[T], unreadable: int = 0) -> None:
        super().__init__(rows)
        self.unreadable = unreadable

    @property
    def sent(self) -> int:
        """How many rows Brevo sent."""
        return len(self) + self.unreadable


class Fields:
    """The fields of one JSON object, each asked for by name and kind."""

    def __init__(self, data: object) -> None:
        if not isinstance(data, Mapping):
            raise WrongShape("not an object")
        self._data = data

    def has(self, name: str) -> bool:
        return self._data.get(name) is not None

    def integer(self, name: str) -> int:
        """Return a whole number, be it written 5, 5.0 or "5"."""
        number = _integer(self._data.get(name))
        if number is None:
            raise WrongShape(name)
        return number

    def integer_or_none(self, name: str) -> int | None:
        return _integer(self._data.get(name))

    def text(self, name: str, default: str | None = None) -> str:
        value = self._data.get(name, default)
        if value is None:
            value = default
        if not isinstance(value, str):
            raise WrongShape(name)
        return storable(value)

    def known_as(self, name: str) -> str:
        """Return an id as text, whether it is a text or a number; "" when there is none."""
        value = self._data.get(name)
        if value is None or isinstance(value, str):
            return storable(value or "")
        return str(self.integer(name))

    def flag(self, name: str) -> bool:
        """Return a flag. One that is left out is not set; one that nobody understands is."""
        value = self._data.get(name)
        if value is None:
            return False
        word = str(_integer(value)) if isinstance(value, float) else str(value).strip().lower()
        return word not in _FALSE

    def word(self, name: str) -> str:
        """Return a text without spaces around it, "" for anything else."""
        value = self._data.get(name)
        return storable(value).strip() if isinstance(value, str) else ""

    def moment(self, name: str) -> datetime | None:
        """Return a time in UTC, None for what is none, such as 0000-00-00."""
        try:
            moment = datetime.fromisoformat(self.word(name))
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            return None

    def ids(self, name: str) -> tuple[tuple[int, ...], bool]:
        """Return the ids of a list, and whether each of them could be understood."""
        value = self._data.get(name)
        if isinstance(value, str):
            value = [part for part in value.split(",") if part.strip()]
        if not value:
            return (), value is not True
        if not isinstance(value, list):
            return (), False
        found = [_integer(item.get("id") if isinstance(item, Mapping) else item) for item in value]
        return tuple(number for number in found if number is not None), None not in found

    def object(self, name: str) -> "Fields":
        return Fields(self.mapping(name))

    def mapping(self, name: str) -> Mapping[str, Any]:
        value = self._data.get(name) or {}
        if not isinstance(value, Mapping):
            raise WrongShape(name)
        return value

    def mapping_or_empty(self, name: str) -> Mapping[str, Any]:
        value = self._data.get(name)
        return value if isinstance(value, Mapping) else {}

    def items(self, name: str) -> list[Any]:
        """Return a list; Brevo may leave an empty one out, but then its count is 0 or not there."""
        value = self._data.get(name)
        if value is None and not self.integer_or_none("count"):
            return []
        if not isinstance(value, list):
            raise WrongShape(name)
        return value

    def rows(self, name: str, read: Callable[[Any], T], *, tolerated: int = 0) -> Rows[T]:
        """Read a list row by row, and count the rows that cannot be read.

        When none can be, and they are more than ``tolerated``, the answer has another shape.
        """
        rows = Rows[T]([])
        for item in self.items(name):
            try:
                rows.append(read(item))
            except WrongShape:
                rows.unreadable += 1
        if not rows and rows.unreadable > tolerated:
            raise WrongShape(name)
        return rows

    def page(
        self, name: str, read: Callable[[Any], T], offset: int
    ) -> tuple[Rows[T], frozenset[str], int | None]:
        """Return a page's rows, what tells them from those of another page, and Brevo's count.

        An empty list may be left out where the count says that there is no more.
        """
        count = self.integer_or_none("count")
        if not self.has(name) and (count is None or count > offset):
            raise WrongShape(name)
        items = self.items(name) if self.has(name) else []
        identities = frozenset(
            str(item["id"]) if isinstance(item, Mapping) and item.get("id") else repr(item)
            for item in items
        )
        return self.rows(name, read, tolerated=1) if items else Rows([]), identities, count


def storable(text: str) -> str:
    """Return a text without what JSON can hold and no database can: NUL, and half a character."""
    if text.isprintable():
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def _integer(value: object) -> int | None:
    if isinstance(value, str):
        digits = re.fullmatch(r"\s*([0-9]{1,19})(\.0+)?\s*", value, re.ASCII)
        value = int(digits[1]) if digits else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _LARGEST:
        return None
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
    created_at: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """True when every counter says so, and all of them were counted."""
        counters = (self.unique_subscribers, self.total_subscribers, self.total_blacklisted)
        return counters == (0, 0, 0)

    @classmethod
    def read(cls, data: object) -> "ContactList":
        """Read the answer about one list."""
        fields = Fields(data)
        return cls(
            id=fields.integer("id"),
            name=fields.text("name"),
            folder_id=fields.integer("folderId") if fields.has("folderId") else None,
            unique_subscribers=fields.integer("uniqueSubscribers"),
            total_subscribers=fields.integer_or_none("totalSubscribers"),
            total_blacklisted=fields.integer_or_none("totalBlacklisted"),
            created_at=fields.moment("createdAt"),
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
    """A contact; one known by phone only has an empty `email`.

    `id` is 0, which no contact has, when Brevo gives none that can be used. Whoever's flag of the
    blocklist, or whose list of unsubscriptions, cannot be understood counts as blocklisted.
    """

    id: int
    email: str
    is_blocklisted: bool
    list_ids: tuple[int, ...]
    unsubscribed_list_ids: tuple[int, ...]
    attributes: Mapping[str, Any]
    modified_at: datetime | None

    @classmethod
    def read(cls, data: object) -> "Contact":
        """Read a contact, as far as it can be; a WrongShape has neither an id nor an address."""
        fields = Fields(data)
        contact_id, email = fields.integer_or_none("id"), fields.word("email")
        if not contact_id and "@" not in email:
            raise WrongShape("contact")
        unsubscribed, is_understood = fields.ids("listUnsubscribed")
        return cls(
            id=contact_id or 0,
            email=email,
            is_blocklisted=fields.flag("emailBlacklisted") or not is_understood,
            list_ids=fields.ids("listIds")[0],
            unsubscribed_list_ids=unsubscribed,
            attributes=fields.mapping_or_empty("attributes"),
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

    `links` leads from the kind of refusal to a CSV of the refused; `unlinked` names the kinds of
    which Brevo says that there are some, but not whom.
    """

    id: int
    name: str
    status: str
    links: Mapping[str, str]
    unlinked: tuple[str, ...] = ()

    @property
    def is_finished(self) -> bool:
        """True when Brevo works on it no more.

        The states grew over the years, and three ends are documented. Of other words those that
        mean an end count as one; whatever else it may be is still running.
        """
        words = re.split(r"[^a-z]+", self.status.lower())
        if any(word.endswith("ing") for word in words):
            return False
        return any(_MEANS_AN_END.match(word) for word in words)

    @property
    def succeeded(self) -> bool:
        """True for the one documented end in which all was done."""
        return self.status.lower() == "completed"

    @property
    def must_be_read_back(self) -> bool:
        """True when it has ended in a way that only the list itself can tell what was done."""
        return self.is_finished and not self.succeeded

    @classmethod
    def read(cls, data: object) -> "Process":
        fields = Fields(data)
        info = fields.mapping_or_empty("info")
        reports = Fields(info).mapping_or_empty("import")
        links = {
            kind: link
            for kind, link in reports.items()
            if isinstance(link, str) and link.strip() not in {"", "0"}
        }
        return cls(
            id=fields.integer("id"),
            name=fields.word("name"),
            status=fields.word("status")[:_LONGEST_STATUS],
            links=links,
            # Some of Brevo's SDKs know a number here; 0 says that nobody was refused.
            unlinked=tuple(
                kind
                for kind, there in reports.items()
                if there and not isinstance(there, str) and kind not in links
            ),
        )


@dataclass(frozen=True, slots=True)
class Account:
    """An account. `id` is its organization's, else its address: what stays when keys change."""

    company: str
    email: str
    plans: tuple[str, ...]
    id: str

    @classmethod
    def read(cls, data: object) -> "Account":
        fields = Fields(data)
        plans = fields.rows("plan", lambda plan: Fields(plan).text("type", ""))
        email = fields.text("email")
        known_as = fields.known_as("organization_id") or email.lower()
        return cls(fields.text("companyName", ""), email, tuple(plans), known_as)


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
            events=tuple(_text(event) for event in fields.items("events")),
            description=fields.text("description", ""),
        )


@dataclass(frozen=True, slots=True)
class Moved:
    """Who was put on a list, or taken off it: addresses, or ids, as they were sent.

    `failure` names those for whom there was nothing to do: already there, already gone, or no
    contact at all. Brevo does not say which.
    """

    success: list[str]
    failure: list[str]

    @classmethod
    def read(cls, data: object) -> "Moved":
        contacts = Fields(data).object("contacts")
        return cls(
            success=[storable(str(moved)) for moved in contacts.items("success")],
            failure=[storable(str(moved)) for moved in contacts.items("failure")],
        )
