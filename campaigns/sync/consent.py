"""Whoever says no after a run has made its plan: they leave the list with this run all the same."""

from collections.abc import Iterator
from itertools import islice

from django.db import transaction
from django.db.models import F, Q

from accounts.enums import Consent
from accounts.models import User
from campaigns.audience.mailable import suppressed_ids
from campaigns.enums import ChangeKind, Outcome, Reason
from campaigns.models import ExportChange, ListMember
from campaigns.sync.work import Run

_BATCH = 10_000  # addresses in one statement; SQLite takes 32,766

Member = tuple[int | None, str, str]


def plan_who_said_no_since(run: Run) -> int:
    """Add to the plan the members who say no by now, and return how many it did not name yet.

    A change of theirs that is not sent yet becomes their leaving. Costs one query, and some small
    ones for those whom it finds.
    """
    new = 0
    said_no = _members_who_said_no(run)
    while batch := list(islice(said_no, _BATCH)):
        new += _add(run, batch)
    return new


def _members_who_said_no(run: Run) -> Iterator[Member]:
    opted_out = User.objects.filter(marketing_consent=Consent.OPTED_OUT).values("pk")
    members = ListMember.objects.current().filter(segment=run.segment)
    said_no = members.filter(Q(user__in=opted_out) | Q(user__in=suppressed_ids()))
    columns = ("user_id", "email", "user__marketing_consent")
    return said_no.values_list(*columns).order_by("pk").iterator(chunk_size=_BATCH)


def _add(run: Run, members: list[Member]) -> int:
    lines = ExportChange.objects.filter(
        export=run.export, email__in=[email for _, email, _ in members]
    )
    leaving = set(lines.filter(kind=ChangeKind.LEAVE).values_list("email", flat=True))
    new = [member for member in members if member[1] not in leaving]
    if not new:
        return 0
    with transaction.atomic():
        changes = lines.filter(kind=ChangeKind.CHANGE, outcome=Outcome.PENDING)
        replaced, _ = changes.exclude(email__in=leaving).delete()
        ExportChange.objects.bulk_create(
            ExportChange(
                export=run.export,
                user_id=user,
                email=email,
                kind=ChangeKind.LEAVE,
                reason=Reason.OPTED_OUT if consent == Consent.OPTED_OUT else Reason.SUPPRESSED,
            )
            for user, email, consent in new
        )
        run.save(
            leaves=F("leaves") + len(new),
            leaves_at_once=F("leaves_at_once") + len(new),
            changes_planned=F("changes_planned") - replaced,
            progress_total=F("progress_total") + len(new) - replaced,
            users_count=F("users_count") - len(new),
        )
    return len(new)
