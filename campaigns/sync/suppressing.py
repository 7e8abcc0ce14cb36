"""Suppress: say that an address must not be mailed. Every door does it through ``suppress_many``.

Nothing that comes from outside lifts a suppression; only people do.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from accounts.models import User
from accounts.text import fold_email
from campaigns.batches import in_batches
from campaigns.enums import SuppressionReason, SuppressionSource
from campaigns.models import ListMember, Segment, Suppression, owners

_BATCH = 500
_LONGEST_ADDRESS = 254
_LONGEST_NOTE = 300
_COLUMNS = ("reason", "source", "note", "created_by", "created_at")  # of the strongest reason


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


def suppress(
    email: str,
    reason: SuppressionReason,
    source: SuppressionSource,
    *,
    by: User | None = None,
    note: str = "",
    at: datetime | None = None,
) -> bool:
    """Suppress an address and return whether it is new, or has a stronger reason now.

    What is suppressed already keeps the strongest of its reasons, whichever came first; of two
    that are as strong, the older. The others stay beside it. ``at`` is when it was said. Raises
    ValueError for what is no address.
    """
    return suppress_many([Wish(email, reason, source, by=by, note=note, at=at)]) == 1


def suppress_many(wishes: Iterable[Wish]) -> int:
    """Do what ``suppress`` does for any number of wishes; return how many rows that changed."""
    changed = 0
    for batch in in_batches(wishes, _BATCH):
        by_address: dict[str, list[Wish]] = {}
        for wish in batch:
            by_address.setdefault(wish.email, []).append(wish)
        changed += _suppress(dict(sorted(by_address.items())))  # two at once lock alike
    return changed


def _suppress(wishes: dict[str, list[Wish]]) -> int:
    with transaction.atomic():
        owner = owners(wishes)
        known = set(Suppression.objects.filter(email__in=wishes).values_list("email", flat=True))
        new = [_row(found, owner) for email, found in wishes.items() if email not in known]
        # Another process may have been faster: its row is then met below like any older one.
        Suppression.objects.bulk_create(new, ignore_conflicts=True)
        _doubt([wish.email for found in wishes.values() for wish in found if _deleted(wish)])
        return len(new) + _strengthen(wishes, owner)


def _deleted(wish: Wish) -> bool:
    return wish.reason == SuppressionReason.DELETED


def _doubt(emails: list[str]) -> None:
    """Forget contacts that are gone, and what they were sent: once allowed again, they are sent.

    They stay in the ledger until a run takes them off the list.
    """
    if emails:
        segments = list(Segment.objects.values_list("pk", flat=True))
        stays = ListMember.objects.filter(email__in=emails)
        stays.ended().update(contact_id=None, email_at_brevo="")
        members = stays.current().filter(segment__in=segments)
        members.update(fingerprint=UUID(int=0), contact_id=None, email_at_brevo="")
        at_brevo = ListMember.objects.current().filter(email_at_brevo__in=emails)
        at_brevo.filter(email_at_brevo__gt="").update(fingerprint=UUID(int=0))


def ever_ours(emails: Collection[str]) -> set[str]:
    """Return which of these addresses are a person's of ours, or ever were on a list of ours."""
    at_brevo = ListMember.objects.filter(email_at_brevo__in=emails, email_at_brevo__gt="")
    stays = ListMember.objects.filter(email__in=emails).order_by()
    # Each half has an index that begins with what it asks.
    segments = list(Segment.objects.values_list("pk", flat=True))
    listed = {
        *stays.current().filter(segment__in=segments).values_list("email", flat=True),
        *stays.ended().values_list("email", flat=True),
        *at_brevo.values_list("email_at_brevo", flat=True),
    }
    people = User.objects.filter(email_key__in=emails).values_list("email_key", flat=True)
    return {*people, *listed}


def _row(wishes: list[Wish], owner: dict[str, int]) -> Suppression:
    email = wishes[0].email
    row = Suppression(email=email, user_id=owner.get(email), **_columns(wishes[0]))
    for wish in wishes[1:]:
        _take(row, wish)
    return row


def _columns(wish: Wish) -> dict[str, Any]:
    return {
        "reason": wish.reason,
        "source": wish.source,
        "note": wish.note,
        "created_by": wish.by,
        "created_at": wish.at or timezone.now(),
    }


def _take(row: Suppression, wish: Wish) -> bool:
    """Let the row hold this reason too, and return whether it is the one that counts now."""
    if wish.reason in row.reasons:
        row.note = row.note or (wish.note if wish.reason == row.reason else "")
        return False
    newcomer = Suppression(**_columns(wish))
    is_stronger = wish.reason.strength > SuppressionReason(row.reason).strength
    weaker = row if is_stronger else newcomer
    row.other_causes = [*row.other_causes, _cause(weaker)]
    if is_stronger:
        for name in _COLUMNS:
            setattr(row, name, getattr(newcomer, name))
    return is_stronger


def _cause(row: Suppression) -> dict[str, Any]:
    return {
        "reason": str(row.reason),
        "source": str(row.source),
        "note": row.note,
        "at": row.created_at.isoformat(),
        "by": row.created_by_id,
    }


def _strengthen(wishes: dict[str, list[Wish]], owner: dict[str, int]) -> int:
    """Give rows that are there what they lack; return how many have a stronger reason now."""
    changed, stronger = [], 0
    for row in _locked(Q(email__in=wishes)):
        before = (row.user_id, row.note, row.other_causes)
        row.user_id = row.user_id or owner.get(row.email)
        # Not any(): it would stop at the first, and lose the rest.
        stronger += max([_take(row, wish) for wish in wishes[row.email]])
        if before != (row.user_id, row.note, row.other_causes):
            changed.append(row)
    Suppression.objects.bulk_update(changed, [*_COLUMNS, "other_causes", "user"])
    return stronger


def lift_deletions(rows: QuerySet[Suppression]) -> int:
    """Lift what was said because a contact was deleted in Brevo; return how many rows are gone.

    A row with another reason keeps that. Whoever is in a segment is sent anew by its next sync.
    """
    deleted = rows.order_by().filter(reason=SuppressionReason.DELETED)
    with transaction.atomic():
        with_others = list(deleted.exclude(other_causes=[]).select_for_update(of=("self",)))
        for row in with_others:
            _drop_strongest(row)
        Suppression.objects.bulk_update(with_others, [*_COLUMNS, "other_causes"])
        return deleted.filter(other_causes=[]).delete()[0]


def _drop_strongest(row: Suppression) -> None:
    causes = sorted(row.other_causes, key=lambda cause: SuppressionReason(cause["reason"]).strength)
    cause = causes.pop()
    row.reason, row.source, row.note = cause["reason"], cause["source"], cause["note"]
    row.created_at, row.created_by_id = datetime.fromisoformat(cause["at"]), cause["by"]
    row.other_causes = causes


def adopt() -> int:
    """Put down to their people what was said of addresses before those had them.

    Then it follows them to their next address. Whoever's contact has the address at Brevo comes
    after whoever has it here. Returns how many; costs two statements.
    """
    holder = User.objects.filter(email_key=OuterRef("email"))
    moved = Q(list_memberships__email_at_brevo__gt="")
    at_brevo = User.objects.filter(moved, list_memberships__email_at_brevo=OuterRef("email"))
    adopted = 0
    for theirs in (holder, at_brevo.order_by("-list_memberships__pk")):
        strangers = Suppression.objects.filter(Exists(theirs), user__isnull=True)
        adopted += strangers.update(user_id=Subquery(theirs.values("pk")[:1]))
    return adopted


def adopt_for(user: User) -> None:
    """Do what ``adopt`` does, for one person."""
    Suppression.objects.filter(email=user.email_key, user__isnull=True).update(user=user)


def _locked(which: Q) -> Iterator[Suppression]:
    return Suppression.objects.filter(which).select_for_update().iterator(chunk_size=_BATCH)
