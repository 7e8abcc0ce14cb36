"""Facts: what a segment is, what its runs did, whom we put on its list, who must not be mailed."""

from campaigns.models.brevo_list import BrevoList
from campaigns.models.export import ExportChange, ExportChunk, SegmentExport
from campaigns.models.housekeeping import AccountLease, IdempotentAnswer
from campaigns.models.ledger import ListMember
from campaigns.models.segment import Segment, SegmentRevision, segment_save_failed
from campaigns.models.suppression import Suppression, WebhookEvent, owners

__all__ = [
    "AccountLease",
    "BrevoList",
    "ExportChange",
    "ExportChunk",
    "IdempotentAnswer",
    "ListMember",
    "Segment",
    "SegmentExport",
    "SegmentRevision",
    "Suppression",
    "WebhookEvent",
    "owners",
    "segment_save_failed",
]
