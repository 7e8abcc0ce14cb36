"""Know our contacts by Brevo's id, so that they stay the same people under another address.

Staff correct addresses at Brevo. The ledger keeps the id of a contact wherever Brevo shows it and,
while Brevo has another address for it than we have, that address too (``email_at_brevo``).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from accounts.models import User
from accounts.text import fold_email
from campaigns.batches import in_batches
from campaigns.brevo import BrevoContactNotFound, Contact
from campaigns.models import ExportChange, ListMember, SegmentExport
from campaigns.models.ledger import ListMemberQuerySet
from campaigns.sync import ledger, sql
from campaigns.sync.list_identity import segments_elsewhere
from campaigns.sync.work import Run

_LONGEST_ADDRESS = 254
_AT_ONCE = 100  # ids in one removal; Brevo takes 150

Known = tuple[int, str, int]  # segment, address, contact id

# Both databases call the columns of VALUES column1, column2, …
_LEARN = """
UPDATE {member} SET contact_id = page.column3 FROM (VALUES {rows}) AS page
WHERE {member}.segment_id = page.column1 AND {member}.email = page.column2
    AND {member}.removed_at IS NULL AND {member}.contact_id IS NULL
"""
# Somebody else on the list has the address now, so the contact under it is theirs.
_YIELD = """
UPDATE {member} SET contact_id = NULL, email_at_brevo = ''
WHERE segment_id = %s AND removed_at IS NULL AND email_at_brevo > ''
    AND EXISTS (SELECT 1 FROM {member} other WHERE other.segment_id = {member}.segment_id
        AND other.removed_at IS NULL AND other.email = {member}.email_at_brevo)
"""
# A change that is about another person than the member has been until now.
_HANDED_OVER = """
SELECT {member}.email, {member}.contact_id FROM {change} line
JOIN {member} ON {member}.segment_id = %s AND {member}.email = line.email
WHERE line.export_id = %s AND line.kind = 'CHANGE' AND line.outcome = 'PENDING'
    AND {member}.removed_at IS NULL AND {member}.user_id <> line.user_id
    AND {member}.contact_id IS NOT NULL
"""
# Another person has our old address now: the contact that we know is not theirs.
_RENAME = """
UPDATE {member} SET email = email_at_brevo, email_at_brevo = ''
WHERE segment_id = %s AND removed_at IS NULL AND email_at_brevo > ''
    AND EXISTS (SELECT 1 FROM {user} other
        WHERE other.email_key = {member}.email AND other.id <> {member}.user_id)
"""


def learn(contacts: Iterable[Contact], segments: Mapping[int, int]) -> None:
    """Keep the ids and the other addresses that contacts of any list show.

    ``segments`` are {list id: segment id} of our lists. Costs two statements a page, and a few
    more where an address differs.
    """
    page = _identified(contacts)
    learn_ids(
        (segments[list_id], _address(contact), contact.id)
        for contact in page
        for list_id in contact.list_ids
        if list_id in segments
    )
    _learn_addresses(page)


def learn_ids(known: Iterable[Known]) -> None:
    """Keep the ids of members of whom none is known yet."""
    rows = [row for row in known if row[2]]  # Brevo may show an id that is none
    if not rows:
        return
    marks = ", ".join(["(%s, %s, %s)"] * len(rows))
    statement = _LEARN.format(member=sql.table(ListMember), rows=marks)
    sql.execute(statement, [value for row in rows for value in row])


def learn_added(export: SegmentExport, added: Mapping[str, int]) -> None:
    """Keep {address: contact id} of people who were put on the list."""
    segment_id, pairs = export.segment_id, list(added.items())
    if segment_id is None:
        return
    for batch in in_batches(pairs, _AT_ONCE):
        learn_ids((segment_id, *pair) for pair in batch)


@dataclass(slots=True)
class Reading:
    """Compares the contacts of one list with the ledger while the list is read, page by page.

    ``elsewhere`` is {our address: address at Brevo} of members on the list, ``came_back`` the same
    of those whom the runs ``removed_by`` took off. ``twins`` are ids of contacts at our address
    beside the one that we know, which is on the list under another.
    """

    segment_id: int
    removed_by: Collection[int] = ()
    elsewhere: dict[str, str] = field(default_factory=dict)
    came_back: dict[str, str] = field(default_factory=dict)
    _replaced: dict[str, int] = field(default_factory=dict)

    def see(self, contacts: Sequence[Contact]) -> None:
        """Keep what a page shows."""
        page = _identified(contacts)
        now = {_address(contact): contact.id for contact in page}
        known = dict(_current(self.segment_id, now.keys()).values_list("email", "contact_id"))
        learn_ids((self.segment_id, email, now[email]) for email in known if known[email] is None)
        self._replaced |= {
            email: now[email] for email, was in known.items() if was not in (None, now[email])
        }
        for stay, address in _learn_addresses(page):
            if stay.segment_id != self.segment_id:
                continue
            if stay.removed_at is None:
                self.elsewhere[stay.email] = address
            elif stay.removed_by in self.removed_by:
                self.came_back[stay.email] = address

    @property
    def twins(self) -> list[int]:
        return [self._replaced[email] for email in self._replaced.keys() & self.elsewhere.keys()]

    def replaced(self) -> dict[str, int | None]:
        """Return {address: id of its old contact} where the list has another contact instead."""
        emails = [email for email in self._replaced if email not in self.elsewhere]
        old_ids: dict[str, int | None] = {}
        for batch in in_batches(emails, _AT_ONCE):
            members = _current(self.segment_id, batch)
            old_ids.update(members.values_list("email", "contact_id"))
        return old_ids

    def close(self, *, unknown: Collection[str] = ()) -> None:
        """Take over the new id of addresses whose old contact is not on the list any more.

        Except of those of whom it is unknown what became of the old contact.
        """
        new = [e for e in self._replaced if e not in self.elsewhere and e not in unknown]
        for emails in in_batches(new, _AT_ONCE):
            _current(self.segment_id, emails).update(contact_id=None, email_at_brevo="")
            learn_ids((self.segment_id, email, self._replaced[email]) for email in emails)


def settle_claims(segment_id: int) -> None:
    """Part contacts at another address from people who have that address, or our old one, now.

    A plan is written afterwards: who has lost a contact is sent anew, and a contact that has lost
    its person leaves the list.
    """
    member, user = sql.table(ListMember), sql.table(User)
    for statement in (_YIELD, _RENAME):
        sql.execute(statement.format(member=member, user=user), [segment_id])


def ids_of(stays: ListMemberQuerySet) -> list[int]:
    """Return the ids of these contacts, each once, as far as they are known."""
    known = stays.filter(contact_id__isnull=False).values_list("contact_id", flat=True)
    return sorted({contact_id for contact_id in known if contact_id is not None})


def take_off_handed_over(run: Run) -> None:
    """Take off the contacts of members whose address has passed to another person here.

    Whether the contact still has that address is not known: sending the other person puts it back
    on the list if so, and else makes a contact of their own.
    """
    statement = _HANDED_OVER.format(change=sql.table(ExportChange), member=sql.table(ListMember))
    rows = sql.rows(statement, [run.export.segment_id, run.export.pk])
    for batch in in_batches(rows, _AT_ONCE):
        emails, ids = zip(*batch, strict=True)
        ledger.doubt(run.export, emails)
        take_off(run, ids)
        _current(run.export.segment_id, emails).update(contact_id=None, email_at_brevo="")


def take_off(run: Run, ids: Sequence[int]) -> None:
    """Take contacts off the run's list by their ids; one that is gone is not on it."""
    list_id = run.export.brevo_list_id
    assert list_id is not None, "the list is prepared before anybody is taken off"
    for batch in in_batches(ids, _AT_ONCE):
        try:
            run.client.remove_ids_from_list(list_id, batch)
        except BrevoContactNotFound:  # one is gone, and Brevo refused all because of it
            for contact_id in batch:
                run.client.remove_ids_from_list(list_id, [contact_id])


def _learn_addresses(page: Sequence[Contact]) -> list[tuple[ListMember, str]]:
    """Keep which contacts have another address now; return their stays, with that address.

    A stay that ended counts while there is none after it. Where the address is that of another
    member, the contact is that member's.
    """
    addresses = {contact.id: _address(contact) for contact in page}
    if not addresses:
        return []
    here = ListMember.objects.exclude(segment__in=segments_elsewhere())
    shown = here.filter(contact_id__in=addresses).values_list(
        "contact_id", "email", "email_at_brevo"
    )
    different = {
        contact_id
        for contact_id, email, at_brevo in shown
        if at_brevo or email != addresses[contact_id or 0]
    }
    if not different:
        return []
    stays = list(here.filter(contact_id__in=different).order_by("pk"))
    taken = _taken({(stay.segment_id, addresses[stay.contact_id or 0]) for stay in stays})
    newest = {stay.contact_id: stay.pk for stay in stays}
    current = {stay.contact_id for stay in stays if stay.removed_at is None}
    moved = []
    for stay in stays:
        address = addresses[stay.contact_id or 0]
        is_elsewhere = address != fold_email(stay.email)
        if is_elsewhere and (stay.segment_id, address) in taken:
            if stay.removed_at is None:
                stay.contact_id, stay.email_at_brevo = None, ""
            continue
        if stay.removed_at is None or (
            stay.contact_id not in current and newest[stay.contact_id] == stay.pk
        ):
            stay.email_at_brevo = address if is_elsewhere else ""
        if is_elsewhere:
            moved.append((stay, address))
    ListMember.objects.bulk_update(stays, ["contact_id", "email_at_brevo"])
    return moved


def _taken(pairs: Collection[tuple[int, str]]) -> set[tuple[int, str]]:
    """Return which of these pairs of segment and address are those of members."""
    segments, emails = {segment for segment, _ in pairs}, {email for _, email in pairs}
    members = ListMember.objects.current().filter(segment__in=segments, email__in=emails)
    return set(members.values_list("segment_id", "email")) & set(pairs)


def _current(segment_id: int | None, emails: Collection[str]) -> ListMemberQuerySet:
    return ListMember.objects.current().filter(segment=segment_id, email__in=emails)


def _identified(contacts: Iterable[Contact]) -> list[Contact]:
    return [contact for contact in contacts if contact.id and _address(contact)]


def _address(contact: Contact) -> str:
    """Return the address as we keep it; "" for a contact that has none we could keep."""
    address = fold_email(contact.email)
    return address if len(address) <= _LONGEST_ADDRESS else ""
