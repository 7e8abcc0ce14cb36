"""Suppress: say that an address must not be mailed. Nothing here ever lifts a suppression."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Subquery

from accounts.models import User
from accounts.text import fold_email
from campaigns.enums import SuppressionReason, SuppressionSource
from campaigns.models import Suppression, owners

_BATCH = 500
_LONGEST_ADDRESS = 254
_LONGEST_NOTE = 300


@dataclass(frozen=True, slots=True)
class Wish:
    """That an address must not be mailed, with who said so and when; ValueError for no address."""

    email: str
    reason: SuppressionReason
    source: SuppressionSource
    by: User | None = None
    note: str = ""
    at: datetime | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "email", fold_email(self.email))
        user, _, domain = self.email.rpartition("@")
        is_plain = self.email.isprintable() and " " not in self.email
        if not (user and domain and is_plain and len(self.email) <= _LONGEST_ADDRESS):
            raise ValueError("This is not an e-mail address.")
        printable = "".join(letter for letter in self.note if letter.isprintable())
        object.__setattr__(self, "note", printable[:_LONGEST_NOTE])

    @property
    def follows_the_person(self) -> bool:
        """True when it holds under another address too: a bounce says nothing of the person."""
        return self.reason != SuppressionReason.BOUNCED


def suppress(
    email: str,
    reason: SuppressionReason,
    source: SuppressionSource,
    *,
    by: User | None = None,
    note: str = "",
    at: datetime | None = None,
) -> bool:
    """Suppress an address and return whether that changed anything.

    What is suppressed already stays as it is, except that a reason which follows the person
    replaces a bounce. ``at`` is when it was said. Raises ValueError for what is no address.
    """
    return suppress_many([Wish(email, reason, source, by=by, note=note, at=at)]) == 1


def suppress_many(wishes: Iterable[Wish]) -> int:
    """Do what ``suppress`` does for any number of wishes; return how many changed something."""
    waiting = iter(wishes)
    changed = 0
    while batch := list(islice(waiting, _BATCH)):
        changed += _suppress(_strongest(batch))
    return changed


def _strongest(batch: list[Wish]) -> dict[str, Wish]:
    """Keep one wish for each address: the first that follows the person, else the first."""
    kept: dict[str, Wish] = {}
    for wish in batch:
        known = kept.get(wish.email)
        if known is None or (wish.follows_the_person and not known.follows_the_person):
            kept[wish.email] = wish
    return kept


def _suppress(wishes: dict[str, Wish]) -> int:
    with transaction.atomic():
        owner = owners(wishes)
        there = Suppression.objects.filter(email__in=wishes)
        known = set(there.values_list("email", flat=True))
        new = [wish for email, wish in wishes.items() if email not in known]
        # Another process may have been faster: its row is then met below like any older one.
        Suppression.objects.bulk_create(
            (_row(wish, owner.get(wish.email)) for wish in new), ignore_conflicts=True
        )
        _date([wish for wish in new if wish.at is not None])
        return len(new) + _strengthen(wishes, owner)


def _row(wish: Wish, owner: int | None) -> Suppression:
    return Suppression(
        email=wish.email,
        reason=wish.reason,
        source=wish.source,
        user_id=owner,
        note=wish.note,
        created_by=wish.by,
    )


def _date(wishes: list[Wish]) -> None:
    """Write when it was said; a new row is dated by its making, whatever it is given."""
    at = {wish.email: wish.at for wish in wishes}
    rows = list(Suppression.objects.filter(email__in=at)) if at else []
    for row in rows:
        row.created_at = at[row.email] or row.created_at
    Suppression.objects.bulk_update(rows, ["created_at"])


def _strengthen(wishes: dict[str, Wish], owner: dict[str, int]) -> int:
    """Let suppressions that are there follow their person where they did not; count those."""
    by_person = [email for email, wish in wishes.items() if wish.follows_the_person]
    bounced = Q(email__in=by_person, reason=SuppressionReason.BOUNCED)
    ownerless = Q(email__in=owner, user__isnull=True)
    strengthened, rows = 0, list(_locked(bounced | ownerless))
    for row in rows:
        row.user_id = row.user_id or owner.get(row.email)
        wish = wishes[row.email]
        if wish.follows_the_person and row.reason == SuppressionReason.BOUNCED:
            row.reason, row.source, row.note = wish.reason, wish.source, wish.note
            row.created_by = wish.by
            strengthened += 1
    Suppression.objects.bulk_update(rows, ["reason", "source", "note", "created_by", "user"])
    return strengthened


def adopt() -> int:
    """Put down to their people what was said of addresses before those had them.

    Then it follows them to their next address. Returns how many; costs one statement.
    """
    holder = User.objects.filter(email_key=OuterRef("email"))
    strangers = Suppression.objects.filter(Exists(holder), user__isnull=True)
    return strangers.update(user_id=Subquery(holder.values("pk")[:1]))


def adopt_for(user: User) -> None:
    """Do what ``adopt`` does, for one person."""
    Suppression.objects.filter(email=user.email_key, user__isnull=True).update(user=user)


def _locked(which: Q) -> Iterator[Suppression]:
    return Suppression.objects.filter(which).select_for_update().iterator(chunk_size=_BATCH)
