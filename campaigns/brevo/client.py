"""Brevo's contacts API in our verbs: plain data in, plain data out.

It knows nothing of segments, and cannot express the unblocking of a contact. E-mail addresses
travel in bodies only, never in a URL.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from campaigns.brevo import endpoints as to
from campaigns.brevo import payloads
from campaigns.brevo.endpoints import Endpoint
from campaigns.brevo.errors import BrevoContactNotFound, BrevoError, BrevoNotFound, BrevoPermanent
from campaigns.brevo.fields import Fields, Rows, WrongShape
from campaigns.brevo.payloads import ImportBody
from campaigns.brevo.refusals import ImportReport, ReportReader
from campaigns.brevo.replies import (
    Account,
    Attribute,
    Contact,
    ContactDetails,
    ContactList,
    Folder,
    Moved,
    Process,
    Webhook,
)
from campaigns.brevo.transport import Transport
from campaigns.brevo.verdicts import unreadable

T = TypeVar("T")

_FOLDER_PAGE = 50
_MEMBER_PAGE = 500
_CONTACT_PAGE = 1000
# Brevo refuses an add or a removal that changes nothing with 400 invalid_parameter.
_NOTHING_TO_DO = re.compile(r"already (in|removed from) list", re.IGNORECASE)


class BrevoClient(Transport):
    """A Brevo account, behind one key.

    Every method raises BrevoError and nothing else. Share one client per process, or one pair of
    budgets: it paces itself.
    """

    def account(self) -> Account:
        return self._get(to.ACCOUNT, Account.read)

    # Folders and lists

    def find_folder(self, name: str) -> int | None:
        """Return the id of the oldest folder of that name, None when there is none."""
        for page in self._pages(to.FOLDERS, "folders", Folder.read, size=_FOLDER_PAGE):
            for folder in page:
                if folder.name == name:
                    return folder.id
        return None

    def ensure_folder(self, name: str) -> int:
        """Return the id of the oldest folder of that name, made when there is none.

        Two who make it at the same moment make two, and both take the older.
        """
        found = self.find_folder(name)
        if found is not None:
            return found
        made = self._create(to.CREATE_FOLDER, {"name": name})
        return self.find_folder(name) or made

    def lists(self, folder_id: int) -> Iterator[ContactList]:
        """Yield the folder's lists; Brevo leaves their totals uncounted here."""
        read = ContactList.read_among_others
        for page in self._pages(to.LISTS_OF_FOLDER, "lists", read, folder_id, size=_FOLDER_PAGE):
            yield from page

    def all_lists(self) -> Iterator[ContactList]:
        """Yield the lists of all folders, newest first; their totals are left uncounted here.

        Whoever looks for a list must not miss one: BrevoUnreadable when one cannot be read.
        """
        for page in self._newest_lists():
            if page.unreadable:
                raise unreadable(to.LISTS)
            yield from page

    def newest_list_id(self) -> int:
        """Return the id of the account's newest list, 0 when there is none."""
        return max((found.id for found in next(self._newest_lists(), [])), default=0)

    def _newest_lists(self) -> Iterator[Rows[ContactList]]:
        read = ContactList.read_among_others
        return self._pages(to.LISTS, "lists", read, size=_FOLDER_PAGE, sort="desc")

    def create_list(self, name: str, folder_id: int) -> int:
        return self._create(to.CREATE_LIST, {"name": name, "folderId": folder_id})

    def rename_list(self, list_id: int, name: str) -> None:
        self._ask(to.RENAME_LIST, list_id, body={"name": name})

    def delete_list(self, list_id: int) -> None:
        """Delete the list, not its contacts; raises BrevoNotFound when it is already gone."""
        try:
            self._ask(to.DELETE_LIST, list_id)
        except BrevoNotFound as error:
            # After an attempt that broke off, a list that is gone is the list we deleted.
            if not error.may_have_happened:
                raise

    def get_list(self, list_id: int) -> ContactList:
        return self._get(to.GET_LIST, ContactList.read, list_id)

    # Contacts

    def import_contacts(self, body: ImportBody) -> int:
        """Start an import and return the id of its process: accepted is not yet done.

        Run one at a time: imports in parallel hold each other up
        (help.brevo.com/hc/en-us/articles/32331116133522).
        """
        return self._create(to.IMPORT, body.encode(), answer="processId")

    def add_to_list(self, list_id: int, emails: Sequence[str]) -> Moved:
        """Put existing contacts on the list; at most 150 at once are taken."""
        return self._move(to.ADD_TO_LIST, list_id, "emails", emails)

    def remove_from_list(self, list_id: int, emails: Sequence[str]) -> Moved:
        """Take contacts off the list, which unsubscribes nobody; at most 150 at once are taken.

        Whoever is no contact is not on it. Where Brevo refuses all of several because of one, the
        BrevoContactNotFound says nothing of the others: send them one by one.
        """
        return self._move(to.REMOVE_FROM_LIST, list_id, "emails", emails)

    def remove_ids_from_list(self, list_id: int, ids: Sequence[int]) -> Moved:
        """Do what ``remove_from_list`` does for contacts with these ids, whatever their address."""
        return self._move(to.REMOVE_FROM_LIST, list_id, "ids", ids)

    def upsert_contact(self, email: str, attributes: Mapping[str, str], list_id: int) -> int | None:
        """Make or update a contact and put it on the list; return its id when it was made.

        None for a known contact, to which Brevo answers 204, and where the answer shows no id.
        """
        reply = self._ask(to.UPSERT_CONTACT, body=payloads.upsert(email, attributes, list_id))
        return Fields(reply).integer_or_none("id") if isinstance(reply, Mapping) else None

    def set_phone(self, email: str, attribute: str, number: str) -> None:
        """Give an existing contact this number, or none for ""; nothing else of it changes.

        No contact is made, and no list is touched. Raises BrevoNotFound when there is none.
        """
        self._ask(to.UPDATE_CONTACTS, body=payloads.update(email, {attribute: number}))

    def list_members(
        self, list_id: int, *, modified_since: datetime | None = None
    ) -> Iterator[Rows[Contact]]:
        """Yield the list's contacts, page by page; do not change the list meanwhile.

        A page says how many of its rows could not be read.
        """
        query = _since(modified_since)
        return self._pages(
            to.LIST_MEMBERS, "contacts", Contact.read, list_id, size=_MEMBER_PAGE, query=query
        )

    def contacts(self, *, modified_since: datetime | None) -> Iterator[Rows[Contact]]:
        """Yield the account's contacts, page by page: with None all of them."""
        query = _since(modified_since)
        return self._pages(to.CONTACTS, "contacts", Contact.read, size=_CONTACT_PAGE, query=query)

    def contact(self, contact_id: int) -> ContactDetails | None:
        """Return a contact, with why it may be blocklisted; None when there is no such contact."""
        query = {"identifierType": "contact_id"}
        try:
            return self._get(to.GET_CONTACT, ContactDetails.read, contact_id, query)
        except BrevoNotFound:
            return None

    # Attributes

    def attributes(self) -> list[Attribute]:
        return self._get(
            to.ATTRIBUTES, lambda data: Fields(data).rows("attributes", Attribute.read)
        )

    def create_attribute(self, name: str) -> None:
        """Make a text attribute; Brevo keeps names in capitals."""
        self._ask(to.CREATE_ATTRIBUTE, name.upper(), body={"type": "text"})

    # Processes: these, the account and the webhooks spend the hourly budget

    def process(self, process_id: int) -> Process:
        return self._get(to.PROCESS, Process.read, process_id)

    def latest_processes(self, limit: int = 50) -> list[Process]:
        """Return the newest processes, newest first; Brevo gives at most 50."""
        found = self._get(
            to.PROCESSES,
            lambda data: Fields(data).rows("processes", Process.read),
            query={"limit": limit, "offset": 0, "sort": "desc"},
        )
        return sorted(found, key=lambda process: process.id, reverse=True)

    def refusals(self, process: Process) -> ImportReport:
        """Return whom an import refused, and why, as far as its reports can be read.

        No report that is missing, or odd, is an error: what is incomplete says so.
        """
        reader = ReportReader()
        deadline = self._clock() + self.REPORTS_SECONDS
        for kind in process.unlinked:
            reader.miss(f"Brevo refused some of the people and links to no report ({kind})")
        for kind, link in process.links.items():
            try:
                with self._download(link, deadline) as report:
                    reader.read(kind, report)
            except BrevoError as error:
                reader.miss(str(error))
        return reader.result()

    # Webhooks

    def webhooks(self) -> list[Webhook]:
        """Return the account's marketing webhooks; Brevo allows 40 of all kinds."""
        return self._get(
            to.WEBHOOKS,
            lambda data: Fields(data).rows("webhooks", Webhook.read),
            query={"type": "marketing"},
        )

    def create_webhook(
        self, url: str, *, events: Iterable[str], token: str, description: str
    ) -> int:
        """Have Brevo call `url`, showing `token` as its bearer."""
        body = payloads.marketing_webhook(url, events, token, description)
        return self._create(to.CREATE_WEBHOOK, body)

    # How answers are read

    def _get(
        self,
        endpoint: Endpoint,
        read: Callable[[Any], T],
        target: int | str = "",
        query: Mapping[str, str | int] | None = None,
    ) -> T:
        return _understood(endpoint, read, self._ask(endpoint, target, query=query))

    def _create(
        self, endpoint: Endpoint, body: Mapping[str, Any] | bytes, *, answer: str = "id"
    ) -> int:
        reply = self._ask(endpoint, body=body)
        return _understood(endpoint, lambda data: Fields(data).integer(answer), reply)

    def _move(
        self, endpoint: Endpoint, list_id: int, kind: str, values: Sequence[str | int]
    ) -> Moved:
        if not values:
            return Moved([], [])
        try:
            reply = self._ask(endpoint, list_id, body={kind: list(values)})
        except BrevoPermanent as error:
            nobody_there = isinstance(error, BrevoContactNotFound) and len(values) == 1
            if not nobody_there and not _NOTHING_TO_DO.search(error.brevo_message):
                raise
            return Moved([], [str(value) for value in values])
        return _understood(endpoint, Moved.read, reply)

    def _pages(
        self,
        endpoint: Endpoint,
        name: str,
        read: Callable[[Any], T],
        target: int | str = "",
        *,
        size: int,
        query: Mapping[str, str | int] | None = None,
        sort: str = "asc",
    ) -> Iterator[Rows[T]]:
        """Yield page after page; oldest first, what is new lands behind what was read.

        It ends with an empty page: neither a short page nor Brevo's count is proof of the end.
        Raises BrevoUnreadable when Brevo sends what it has sent before, though there is more.
        """
        offset, previous, before = 0, frozenset[str](), set[int]()
        while True:
            asked = {**(query or {}), "limit": size, "offset": offset, "sort": sort}
            reply = self._ask(endpoint, target, query=asked)
            page, ids, count = _understood(endpoint, partial(_page, name, read, offset), reply)
            if not page.sent:
                return
            if ids <= previous or hash(ids) in before:
                # What is short, or what the count says is all, was simply sent again.
                if page.sent < size or offset == count:
                    return
                raise unreadable(endpoint, why="it sends the same contacts or lists over and over")
            yield page
            offset += page.sent
            previous = ids
            before.add(hash(ids))


def _page(
    name: str, read: Callable[[Any], T], offset: int, data: object
) -> tuple[Rows[T], frozenset[str], int | None]:
    return Fields(data).page(name, read, offset)


def _understood(endpoint: Endpoint, read: Callable[[Any], T], reply: Any) -> T:
    try:
        return read(reply)
    except WrongShape as error:
        raise unreadable(endpoint) from error


def _since(moment: datetime | None) -> dict[str, str | int]:
    return {} if moment is None else {"modifiedSince": payloads.timestamp(moment)}
