"""Who was on a list when, and what changed between two runs: told from the ledger."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery, TextChoices
from django.utils import timezone

from campaigns.enums import ChangeKind, ExportStatus, Reason
from campaigns.errors import HistoryForgotten
from campaigns.models import AccountLease, ExportChange, ListMember, SegmentExport
from campaigns.models.ledger import ListMemberQuerySet

_KEY = "history"
Pair = tuple[int | None, str]


class Why(TextChoices):
    """Why somebody came to a list or went from it.

    The reason of the person's own comes first: consent, a new address, a deleted account. Whoever
    has none is put down to the definition when that run was the first with a new one, else to data.
    """

    DEFINITION = "DEFINITION", "definition changed"
    CONSENT = "CONSENT", "consent changed"
    DATA = "DATA", "data changed"
    DELETED = "DELETED", "deleted"
    NEW_ADDRESS = "NEW_ADDRESS", "new address"
    FIRST_RUN = "FIRST_RUN", "first run"
    UNKNOWN = "UNKNOWN", "not recorded any more"


_OF_A_LEAVER = {
    Reason.OPTED_OUT: Why.CONSENT,
    Reason.SUPPRESSED: Why.CONSENT,
    Reason.UNUSABLE_ADDRESS: Why.DATA,
    Reason.NEW_ADDRESS: Why.NEW_ADDRESS,
    Reason.DELETED: Why.DELETED,
}


@dataclass(frozen=True, slots=True)
class Move:
    """One person who came or went, and the run that did it."""

    member: ListMember
    export_id: int | None
    at: datetime | None
    why: Why


def members_at(stays: ListMemberQuerySet, moment: datetime) -> ListMemberQuerySet:
    """Keep the stays of those whom we had on a list at a moment; raises HistoryForgotten."""
    _refuse_forgotten(moment)
    return stays.at(moment)


def between(older: SegmentExport, newer: SegmentExport) -> "Difference":
    """Compare the list as two runs of one segment left it.

    Raises ValueError for runs of two segments, and HistoryForgotten.
    """
    if older.segment_id is None or older.segment_id != newer.segment_id:
        raise ValueError("Only runs of one segment can be compared.")
    _refuse_forgotten(older.finished_at or timezone.now())
    return Difference(older, newer)


def forget_before(moment: datetime) -> None:
    """Remember that stays which ended before this moment are deleted from now on."""
    known = known_since()
    if known is None or known < moment:
        value = {"since": moment.isoformat()}
        AccountLease.objects.update_or_create(key=_KEY, defaults={"value": value})


def known_since() -> datetime | None:
    """Return since when the ledger knows who was on a list; None when it forgot nobody."""
    lease = AccountLease.objects.filter(key=_KEY).first()
    return datetime.fromisoformat(lease.value["since"]) if lease else None


def _refuse_forgotten(moment: datetime) -> None:
    """Raise HistoryForgotten when some who were on a list then may have been deleted."""
    known = known_since()
    if known is not None and moment < known:
        raise HistoryForgotten(
            f"Who was on a list before {timezone.localtime(known):%Y-%m-%d %H:%M %Z} is not known "
            "any more: prune_exports deleted the stays that ended before."
        )


@dataclass(frozen=True)
class Difference:
    """Who came and who went between two runs.

    Whoever went and came back, or the other way round, is in neither. The querysets are lazy and
    in no order: page them by id, then have a page ``told``.
    """

    older: SegmentExport
    newer: SegmentExport

    def joined(self) -> QuerySet[ListMember]:
        """Return the stays of those on the list after the newer run, and not after the older."""
        return _without(self._came(), self._went())

    def left(self) -> QuerySet[ListMember]:
        """Return the stays of those on the list after the older run, and not after the newer."""
        return _without(self._went(), self._came())

    def told_joined(self, members: Sequence[ListMember]) -> list[Move]:
        """Say of each why it came; costs three queries, however many there are."""
        runs = _runs(member.added_by for member in members)
        emails = [member.email for member in members]
        held = _lines(ChangeKind.HELD_BACK, (run.previous_id for run in runs.values()), emails)
        moved = _moved(members)
        return [
            Move(member, member.added_by, member.added_at, _why_joined(member, runs, held, moved))
            for member in members
        ]

    def told_left(self, members: Sequence[ListMember]) -> list[Move]:
        """Say of each why it went; costs two queries, however many there are."""
        runs = _runs(member.removed_by for member in members)
        lines = _lines(ChangeKind.LEAVE, runs, [member.email for member in members])
        return [
            Move(member, member.removed_by, member.removed_at, _why_left(member, runs, lines))
            for member in members
        ]

    def _came(self) -> QuerySet[ListMember]:
        return self._stays().filter(_after(self.newer)).exclude(_after(self.older))

    def _went(self) -> QuerySet[ListMember]:
        return self._stays().filter(_after(self.older)).exclude(_after(self.newer))

    def _stays(self) -> QuerySet[ListMember]:
        return ListMember.objects.filter(segment=self.newer.segment_id)


def _after(export: SegmentExport) -> Q:
    """Match the stays that this run left on the list.

    A run's own entries count whatever the clocks say: it ends by the clock of the database, and
    enters by that of the process.
    """
    end = export.finished_at or timezone.now()
    added = Q(added_at__lte=end) | Q(added_by=export.pk)
    by_another = Q(removed_by__isnull=True) | ~Q(removed_by=export.pk)
    return added & (Q(removed_at__isnull=True) | Q(removed_at__gt=end) & by_another)


def _without(some: QuerySet[ListMember], others: QuerySet[ListMember]) -> QuerySet[ListMember]:
    """Keep those of whom the others hold no stay under the same address.

    EXCEPT, because it costs no more than reading both, on every database.
    """
    emails = some.order_by().values("email").difference(others.order_by().values("email"))
    return some.filter(email__in=emails)


@dataclass(frozen=True, slots=True)
class _Run:
    is_first: bool
    is_redefined: bool
    previous_id: int | None


def _runs(ids: Iterable[int | None]) -> dict[int, _Run]:
    """Return {id: what it changed}, against the run before that had touched the list."""
    ended_well = Q(status__in=(ExportStatus.SUCCESS, ExportStatus.PARTIAL))
    did_something = Q(added__gt=0) | Q(updated__gt=0) | Q(removed__gt=0)
    before = SegmentExport.objects.filter(
        ended_well | did_something, segment=OuterRef("segment"), pk__lt=OuterRef("pk")
    ).order_by("-pk")
    runs = SegmentExport.objects.filter(pk__in={pk for pk in ids if pk is not None}).annotate(
        previous_id=Subquery(before.values("pk")[:1]),
        previous_definition=Subquery(before.values("definition")[:1]),
    )
    columns = ("pk", "definition", "previous_id", "previous_definition")
    return {
        pk: _Run(
            is_first=previous is None,
            is_redefined=previous is not None and definition != was,
            previous_id=previous,
        )
        for pk, definition, previous, was in runs.values_list(*columns)
    }


def _lines(kind: str, runs: Iterable[int | None], emails: list[str]) -> dict[Pair, str]:
    """Return {(run, address): reason} of the lines of one kind that these people had."""
    ids = {pk for pk in runs if pk is not None}
    lines = ExportChange.objects.filter(export__in=ids, kind=kind, email__in=emails)
    columns: Any = lines.values_list("export_id", "email", "reason")
    return {(export_id, email): reason for export_id, email, reason in columns}


def _moved(members: Sequence[ListMember]) -> set[tuple[int | None, int | None]]:
    """Return {(run, user)} of those whom the same run took off under another address."""
    lines = ExportChange.objects.filter(
        export__in={member.added_by for member in members},
        kind=ChangeKind.LEAVE,
        reason=Reason.NEW_ADDRESS,
        user__in={member.user_id for member in members},
    )
    return set(lines.values_list("export_id", "user_id"))


def _why_joined(
    member: ListMember,
    runs: dict[int, _Run],
    held: dict[Pair, str],
    moved: set[tuple[int | None, int | None]],
) -> Why:
    run = runs.get(member.added_by)
    if run is None:
        return Why.UNKNOWN
    if (member.added_by, member.user_id) in moved:
        return Why.NEW_ADDRESS
    if reason := held.get((run.previous_id, member.email)):
        return _OF_A_LEAVER.get(Reason(reason), Why.DATA)
    if run.is_first:
        return Why.FIRST_RUN
    return Why.DEFINITION if run.is_redefined else Why.DATA


def _why_left(member: ListMember, runs: dict[int, _Run], lines: dict[Pair, str]) -> Why:
    reason = lines.get((member.removed_by, member.email))
    if reason is None or member.removed_by is None:
        return Why.UNKNOWN
    if reason in _OF_A_LEAVER:
        return _OF_A_LEAVER[Reason(reason)]
    return Why.DEFINITION if runs[member.removed_by].is_redefined else Why.DATA
