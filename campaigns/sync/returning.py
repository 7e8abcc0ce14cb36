"""Whoever comes back is looked up first: they may have unsubscribed since, and been deleted."""

from django.db import transaction

from campaigns.batches import in_batches
from campaigns.enums import ChangeKind, Outcome
from campaigns.models import ListMember, SegmentExport
from campaigns.sync.outgoing import pending
from campaigns.sync.reconciling import look_up
from campaigns.sync.work import Run

_NOT_KNOWN = "Brevo did not say what became of their contact since they left a list: sync again."


def look_up_returning(run: Run) -> None:
    """Suppress whoever joins, was on a list of ours before, and is no contact any more.

    Of whom Brevo tells nothing waits for the next run. Costs one query, and what ``look_up`` costs
    for those whom it finds; nothing for a list that is made anew, whose members all come back.
    """
    if run.export.list_was_gone:
        return
    known = _former_contacts(run.export)
    unknown = sorted(look_up(run.client, known).unknown) if known else []
    for batch in in_batches(unknown):
        joins = pending(run.export, ChangeKind.JOIN)
        with transaction.atomic():
            waits = joins.filter(email__in=batch)
            run.settle(waits.update(outcome=Outcome.NOT_ATTEMPTED, message=_NOT_KNOWN))


def _former_contacts(export: SegmentExport) -> dict[str, int | None]:
    """Return {address: id of the contact} of joins that no list of ours shows at present."""
    ended = ListMember.objects.ended().filter(contact_id__isnull=False)
    joins = pending(export, ChangeKind.JOIN).filter(email__in=ended.values("email"))
    emails = list(joins.values_list("email", flat=True))
    known: dict[str, int | None] = {}
    for batch in in_batches(emails):
        stays = ended.filter(email__in=batch).order_by("pk")
        former = dict(stays.values_list("email", "contact_id"))
        current = ListMember.objects.current().filter(contact_id__in=former.values())
        watched = set(current.values_list("contact_id", flat=True))
        known |= {email: each for email, each in former.items() if each not in watched}
    return known
