"""Reconcile: ask Brevo who must not be mailed, for whatever its webhooks did not tell."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from campaigns.brevo import BrevoClient, Contact
from campaigns.enums import SuppressionReason, SuppressionSource
from campaigns.models import AccountLease, Segment
from campaigns.sync.suppressing import Wish, suppress_many

_KEY = "reconciliation"
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
    started, last = timezone.now(), _last_time()
    done = Reconciled(since or (last and last - _OVERLAP))
    ours = set(Segment.objects.exclude(brevo_list_id=None).values_list("brevo_list_id", flat=True))
    for page in client.contacts(modified_since=done.since):
        done.suppressed += learn(page, ours)
        done.read += len(page)
        if progress is not None:
            progress(len(page))
    if since is None or (last is not None and since <= last):
        _remember(started)  # there is no gap between what was read before and now
    return done


def learn(contacts: Iterable[Contact], ours: set[int | None]) -> int:
    """Suppress who is blocklisted or unsubscribed from these lists; return how many are new."""
    return suppress_many(_wishes(contacts, ours))


def _last_time() -> datetime | None:
    lease = AccountLease.objects.filter(key=_KEY).first()
    told = lease.value.get("done") if lease else None
    return datetime.fromisoformat(told) if told else None


def _remember(moment: datetime) -> None:
    value = {"done": moment.isoformat()}
    AccountLease.objects.update_or_create(key=_KEY, defaults={"value": value})


def _wishes(page: Iterable[Contact], ours: set[int | None]) -> Iterable[Wish]:
    for contact in page:
        if contact.is_blocklisted or not ours.isdisjoint(contact.unsubscribed_list_ids):
            try:
                yield Wish(
                    contact.email, SuppressionReason.UNSUBSCRIBED, SuppressionSource.RECONCILIATION
                )
            except ValueError:  # known by phone only
                continue
