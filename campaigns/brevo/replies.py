"""Brevo's answers as small frozen types. Those of another shape are refused with a WrongShape."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from campaigns.brevo.fields import Fields, WrongShape, storable

_LONGEST_STATUS = 100

# Whole words are not looked for: Brevo may write aborted, abort, completed_with_errors, expired, …
_MEANS_AN_END = re.compile(
    r"abort|cancel|clos|complet|crash|dead|delet|den[iy]|discard|done|drop|end|error|except|expir"
    r"|fail|finish|halt|incomplete|interrupt|invalid|kill|partial|processed|refus|reject|skip|stop"
    r"|succe|terminat|timeout|timed"
)


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
    contact at all. Brevo does not say which. An answer of success that names nobody has neither.
    """

    success: list[str]
    failure: list[str]

    @classmethod
    def read(cls, data: object) -> "Moved":
        if not isinstance(data, Mapping) or not isinstance(data.get("contacts"), Mapping):
            return cls([], [])
        contacts = Fields(data).object("contacts")
        return cls(
            success=[storable(str(moved)) for moved in contacts.items("success")],
            failure=[storable(str(moved)) for moved in contacts.items("failure")],
        )
