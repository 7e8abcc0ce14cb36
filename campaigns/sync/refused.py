"""Hold back an address that Brevo refuses in one run after the other, with Brevo's reason."""

from collections.abc import Mapping

from django.db import transaction

from campaigns.batches import in_batches
from campaigns.brevo import ADDRESS_REFUSED
from campaigns.enums import Outcome, SuppressionReason, SuppressionSource
from campaigns.models import AddressRefusal, ExportChange, SegmentExport, Suppression
from campaigns.sync.suppressing import Wish, suppress_many

_RUNS = 3
_BATCH = 500


def is_of_address(message: str) -> bool:
    """True when an import's report says that Brevo does not take the address itself."""
    return ADDRESS_REFUSED in message.split("; ")


def count_refusals(export: SegmentExport, refused: Mapping[str, str]) -> None:
    """Count that Brevo refused these addresses, {address: its words}, in this run.

    Those that it refused in three runs in a row are suppressed, so that they are held back from
    the next run on. Whoever lifts the suppression lets them be tried three times more.
    """
    for batch in in_batches(refused.items(), _BATCH):
        _count(export, dict(batch))


def forget_refusals(export: SegmentExport, kind: str, first: int, last: int) -> None:
    """Start anew for those who are done among the lines from first to last."""
    if AddressRefusal.objects.exists():
        done = ExportChange.objects.filter(
            export=export, kind=kind, pk__range=(first, last), outcome=Outcome.DONE
        )
        AddressRefusal.objects.filter(email__in=done.values("email")).delete()


def _count(export: SegmentExport, refused: Mapping[str, str]) -> None:
    with transaction.atomic():
        rows = list(AddressRefusal.objects.select_for_update().filter(email__in=refused))
        known = {row.email for row in rows}
        for row in rows:
            row.runs += row.last_export != export.pk
            row.last_export, row.message = export.pk, refused[row.email]
        AddressRefusal.objects.bulk_update(rows, ["runs", "last_export", "message"])
        AddressRefusal.objects.bulk_create(
            [
                AddressRefusal(email=email, last_export=export.pk, message=message)
                for email, message in refused.items()
                if email not in known
            ],
            ignore_conflicts=True,
        )
        _hold_back([row for row in rows if row.runs >= _RUNS])


def _hold_back(rows: list[AddressRefusal]) -> None:
    reason, source = SuppressionReason.REFUSED, SuppressionSource.SYNC
    wishes = []
    for row in rows:
        note = f"Refused in {row.runs} syncs: {row.message}"
        try:
            wishes.append(Wish(row.email, reason, source, note=note))
        except ValueError:  # an address of a form that nobody could suppress by hand
            values = {"reason": reason, "source": source, "note": note[:300]}
            Suppression.objects.get_or_create(email=row.email, defaults=values)
    suppress_many(wishes)
    AddressRefusal.objects.filter(pk__in=[row.pk for row in rows]).delete()
