"""Whoever says no leaves the list with the run that is under way, whatever else is true of them."""

from collections.abc import Iterator

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.enums import Consent
from accounts.models import User
from campaigns.audience.mailable import suppressed_ids
from campaigns.batches import IN_ONE_STATEMENT, in_batches
from campaigns.enums import ADDRESS_ALONE, ChangeKind, Outcome, Reason
from campaigns.models import ExportChange, ListMember, Segment, SegmentExport, Suppression
from campaigns.sync.work import Run

_OTHER_REASONS = (Reason.NO_MATCH, Reason.NEW_ADDRESS, Reason.DELETED)

Member = tuple[int | None, str, str]


def plan_who_said_no_since(run: Run) -> int:
    """Add to the plan the members who say no by now, and return how many it did not name yet.

    A change of theirs that is not sent yet becomes their leaving. Costs one query, and some small
    ones for those whom it finds.
    """
    with transaction.atomic():
        if marked := mark_who_said_no(run.export):
            run.save(leaves_at_once=F("leaves_at_once") + marked)
    return sum(_add(run, batch) for batch in in_batches(_said_no(run)))


def mark_who_said_no(export: SegmentExport) -> int:
    """Give leavers who also said no that reason, so that they leave at once; return how many.

    They may not match any more, have another address here, or be deleted here, besides.
    """
    leaving = ExportChange.objects.filter(
        export=export,
        kind=ChangeKind.LEAVE,
        outcome=Outcome.PENDING,
        unconfirmed=False,
        reason__in=_OTHER_REASONS,
    ).order_by()
    if not leaving.exists():
        return 0
    opted_out = User.objects.filter(marketing_consent=Consent.OPTED_OUT)
    addresses = Suppression.objects.exclude(reason__in=sorted(ADDRESS_ALONE)).values("email")
    by_themselves = Q(user__in=opted_out.values("pk")) | Q(email__in=opted_out.values("email_key"))
    marked = leaving.filter(by_themselves).update(reason=Reason.OPTED_OUT)
    marked += leaving.filter(user__in=suppressed_ids()).update(reason=Reason.SUPPRESSED)
    return marked + leaving.filter(email__in=addresses.order_by()).update(reason=Reason.SUPPRESSED)


def members_who_said_no(segment: Segment) -> QuerySet[ListMember]:
    """Return the members of the segment's list who must not be mailed because they said so.

    A member whose person was deleted here is looked for by the address too: somebody may have
    registered anew under it, and said no.
    """
    opted_out = User.objects.filter(marketing_consent=Consent.OPTED_OUT)
    suppressed = User.objects.filter(pk__in=suppressed_ids())
    members = ListMember.objects.current().filter(segment=segment)
    gone = ~Exists(User.objects.filter(pk=OuterRef("user_id")))
    return members.filter(
        Q(user__in=opted_out.values("pk"))
        | Q(user__in=suppressed_ids())
        | (gone & Q(email__in=opted_out.values("email_key")))
        | (gone & Q(email__in=suppressed.values("email_key")))
    )


def _said_no(run: Run) -> Iterator[Member]:
    columns = ("user_id", "email", "user__marketing_consent")
    said_no = members_who_said_no(run.segment).values_list(*columns)
    return said_no.order_by("pk").iterator(chunk_size=IN_ONE_STATEMENT)


def _add(run: Run, members: list[Member]) -> int:
    lines = ExportChange.objects.filter(
        export=run.export, email__in=[email for _, email, _ in members]
    )
    leaving = set(lines.filter(kind=ChangeKind.LEAVE).values_list("email", flat=True))
    new = [member for member in members if member[1] not in leaving]
    if not new:
        return 0
    owners = User.objects.filter(email_key__in=[email for _, email, _ in new])
    opted_out = set(
        owners.filter(marketing_consent=Consent.OPTED_OUT).values_list("email_key", flat=True)
    )
    with transaction.atomic():
        changes = lines.filter(kind=ChangeKind.CHANGE, outcome=Outcome.PENDING)
        replaced, _ = changes.exclude(email__in=leaving).delete()
        ExportChange.objects.bulk_create(
            ExportChange(
                export=run.export,
                user_id=user,
                email=email,
                kind=ChangeKind.LEAVE,
                reason=Reason.OPTED_OUT
                if consent == Consent.OPTED_OUT or email in opted_out
                else Reason.SUPPRESSED,
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
