"""Write down all that follows from the outcomes of some lines."""

from campaigns.models import SegmentExport
from campaigns.sync import ledger, phones
from campaigns.sync.refused import forget_refusals


def record(export: SegmentExport, kind: str, first: int, last: int) -> None:
    """Enter what is done among the lines from first to last, and what stays open of it.

    Call it in the transaction that writes the outcomes.
    """
    ledger.record(export, kind, first, last)
    phones.record(export, kind, first, last)
    forget_refusals(export, kind, first, last)
