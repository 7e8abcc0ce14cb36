"""Reconcile: ask Brevo who must not be mailed, for whatever its webhooks did not tell.

Brevo says of a contact that it is blocklisted, and not why: because its person unsubscribed or
complained, because a colleague said so, or because an address bounced. The contact's own page of
the API knows the cause when it is younger than 90 days.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.text import fold_email
from campaigns.brevo import BrevoClient, BrevoError, Contact, ContactDetails
from campaigns.enums import SuppressionReason, SuppressionSource
from campaigns.models import AccountLease, Segment, Suppression, owners
from campaigns.sync import contact_ids
from campaigns.sync.gateway import KnownAccount, account_of
from campaigns.sync.list_identity import lists_of, segments_by_list
from campaigns.sync.suppressing import Wish, suppress_many

_KEY = "reconciliation"
MOST_QUESTIONS = 500  # about single contacts: under a minute of Brevo's budget for contacts
_FAILURES = 3  # in a row, of single contacts; then Brevo is not asked about any more
_OVERLAP = timedelta(hours=1)  # clocks differ, and a change shows a little later than it happened


@dataclass(slots=True)
class Reconciled:
    """How many contacts were read, and how many suppressions are new or stronger."""

    since: datetime | None
    read: int = 0
    suppressed: int = 0


def reconcile(
    client: BrevoClient,
    *,
    since: datetime | None = None,
    progress: Callable[[int], None] | None = None,
) -> Reconciled:
    """Suppress whoever is blocklisted at Brevo or unsubscribed from one of our lists.

    Reads the contacts changed since the last time, or ``since``; the first time all of them. A
    suppression is never lifted. Raises BrevoError; what was learned until then stays.
    """
    account = account_of(client)
    started, last = timezone.now(), _last_time(account)
    done = Reconciled(since or (last and last - _OVERLAP))
    segments = segments_by_list(account)
    ours: set[int | None] = {*lists_of(account)}
    asking = _Asking(client)
    for page in client.contacts(modified_since=done.since):
        contact_ids.learn(page, segments)
        flags = list(_wishes(page, ours))
        done.suppressed += suppress_many([*_causes(asking, page, flags), *flags])
        done.read += len(page)
        if progress is not None:
            progress(len(page))
    if since is None or (last is not None and since <= last):
        _remember(account, started)  # there is no gap between what was read before and now
    return done


def learn(contacts: Iterable[Contact], ours: set[int | None]) -> int:
    """Suppress who is blocklisted or unsubscribed from these lists; return how many are new."""
    return suppress_many(_wishes(contacts, ours))


@dataclass(slots=True)
class LookedUp:
    """What became of contacts that we knew; each address is in exactly one of these.

    ``there``: it is a contact still, and nothing speaks against it: it was only taken off a list.
    ``moved``: the same, but under another address at Brevo, which is given.
    ``held``: suppressed by now, because it is blocklisted, unsubscribed, or no contact any more.
    ``unknown``: not asked, or without an answer: who may have unsubscribed must not be sent anew.
    ``never_seen``: nobody knows an id, so there was no contact that could have been deleted.
    """

    there: set[str] = field(default_factory=set)
    moved: dict[str, str] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    never_seen: set[str] = field(default_factory=set)


def look_up(client: BrevoClient, known: Mapping[str, int | None]) -> LookedUp:
    """Ask Brevo what became of contacts, given as {address: id of the contact that it had}.

    For addresses that are missing from their list, or are on it as another contact: whoever
    unsubscribed and was deleted would be made anew, and be mailed. Suppresses whom it must.
    Costs one request a contact; from 500 on the whole account is read first, 1,000 a request.
    Raises no BrevoError: what could not be asked is unknown.
    """
    result, ours, asking = LookedUp(), _our_lists(client), _Asking(client)
    waiting = {email: contact_id for email, contact_id in known.items() if contact_id}
    result.never_seen = known.keys() - waiting.keys()
    wishes: list[Wish] = []
    if len(waiting) > MOST_QUESTIONS:
        wishes += _read_account(client, waiting, ours, result)
    for email in sorted(waiting):
        is_answered, details = asking.about(waiting[email])
        if is_answered:
            wishes += _classify(email, waiting[email], details, ours, result)
        else:
            result.unknown.add(email)
    suppress_many(wishes)
    return result


def _read_account(
    client: BrevoClient, waiting: dict[str, int], ours: set[int | None], result: LookedUp
) -> list[Wish]:
    """Take from those who wait whoever is met as the contact that we knew.

    The others are asked about: pages move while somebody deletes contacts.
    """
    wishes: list[Wish] = []
    try:
        for page in client.contacts(modified_since=None):
            for contact in page:
                email = fold_email(contact.email)
                if waiting.get(email) != contact.id:
                    continue
                del waiting[email]
                flags = list(_wishes([contact], ours))
                wishes += flags
                (result.held if flags else result.there).add(email)
    except BrevoError:
        pass  # whoever was not met is asked about one by one, or stays unknown
    return wishes


def _classify(
    email: str,
    contact_id: int,
    details: ContactDetails | None,
    ours: set[int | None],
    result: LookedUp,
) -> list[Wish]:
    source = SuppressionSource.RECONCILIATION
    if details is None:
        result.held.add(email)
        note = f"Contact {contact_id} is no longer in Brevo."
        return [Wish(email, SuppressionReason.DELETED, source, note=note)]
    flag = _flag(details.contact, ours)
    reasons = [*_reasons(details), *([flag] if flag else [])]
    if flag is None and reasons == [SuppressionReason.BOUNCED]:
        reasons = []  # Brevo mails them again
    now = fold_email(details.contact.email)
    if reasons:
        result.held.add(email)
        return [Wish(email, reason, source) for reason in reasons]
    if now and now != email:
        result.moved[email] = now
    else:
        result.there.add(email)
    return []


@dataclass(slots=True)
class _Asking:
    """Asks about single contacts, up to a number, and until Brevo fails several in a row.

    A single one of whom Brevo never tells does not keep the others from being asked about.
    """

    client: BrevoClient
    left: int = field(default_factory=lambda: MOST_QUESTIONS)
    failed: int = 0

    def about(self, contact_id: int) -> tuple[bool, ContactDetails | None]:
        """Return whether Brevo answered, and the contact, None when there is none."""
        if self.left <= 0:
            return False, None
        self.left -= 1
        try:
            details = self.client.contact(contact_id)
        except BrevoError as error:
            self.failed += 1
            if error.concerns_account or self.failed >= _FAILURES:
                self.left = 0
            return False, None
        self.failed = 0
        return True, details


def _causes(asking: _Asking, page: Iterable[Contact], flags: list[Wish]) -> list[Wish]:
    """Ask why contacts are blocklisted, of whom nobody knows it; those of strangers do not matter.

    A known bounce explains the flag, but they may have unsubscribed as well: they come last.
    """
    unexplained = {w.email for w in flags if w.reason == SuppressionReason.BLOCKLISTED}
    wanted = unexplained & owners(unexplained).keys() if unexplained else set()
    rows = Suppression.objects.filter(email__in=wanted).values_list("email", "reason")
    strength = {email: SuppressionReason(reason).strength for email, reason in rows}
    bounce, certain = SuppressionReason.BOUNCED.strength, SuppressionReason.UNSUBSCRIBED.strength
    ids = {fold_email(contact.email): contact.id for contact in page if contact.id}
    wishes = []
    for email in sorted(wanted, key=lambda email: (strength.get(email, 0) >= bounce, email)):
        if strength.get(email, 0) < certain and ids.get(email):
            _, details = asking.about(ids[email])
            wishes += [
                Wish(email, reason, SuppressionSource.RECONCILIATION)
                for reason in (_reasons(details) if details else ())
            ]
    return wishes


def _reasons(details: ContactDetails) -> Iterable[SuppressionReason]:
    """Yield what Brevo's statistics say of a contact, the strongest first."""
    if details.unsubscribed:
        yield SuppressionReason.UNSUBSCRIBED
    if details.complained:
        yield SuppressionReason.COMPLAINED
    if details.bounced:
        yield SuppressionReason.BOUNCED


def _our_lists(client: BrevoClient) -> set[int | None]:
    try:
        return {*lists_of(account_of(client))}
    except BrevoError:  # rather hold back somebody who unsubscribed from a list of others
        return {*Segment.objects.values_list("brevo_list_id", flat=True)} - {None}


def _last_time(account: KnownAccount) -> datetime | None:
    """Return when this account was read last; what was read of another says nothing of it."""
    lease = AccountLease.objects.filter(key=_KEY).first()
    value = lease.value if lease else {}
    if not value.get("done") or value.get("account", account.id) != account.id:
        return None
    return datetime.fromisoformat(value["done"])


def _remember(account: KnownAccount, moment: datetime) -> None:
    value = {"done": moment.isoformat(), "account": account.id}
    AccountLease.objects.update_or_create(key=_KEY, defaults={"value": value})


def _wishes(page: Iterable[Contact], ours: set[int | None]) -> Iterator[Wish]:
    for contact in page:
        if reason := _flag(contact, ours):
            try:
                yield Wish(contact.email, reason, SuppressionSource.RECONCILIATION)
            except ValueError:  # known by phone only
                continue


def _flag(contact: Contact, ours: set[int | None]) -> SuppressionReason | None:
    """Return what the flags of a contact say alone; None when nothing is against mailing it.

    Who unsubscribed from a list said so; who is blocklisted need not have.
    """
    has_left = not ours.isdisjoint(contact.unsubscribed_list_ids)
    if has_left or (contact.is_blocklisted and contact.unsubscribed_list_ids):
        return SuppressionReason.UNSUBSCRIBED
    return SuppressionReason.BLOCKLISTED if contact.is_blocklisted else None
