"""Facts: what a segment is, what its runs did, whom we put on its list, who must not be mailed."""

from campaigns.models.brevo_list import BrevoList
from campaigns.models.export import ExportChange, ExportChunk, SegmentExport, never_synced
from campaigns.models.housekeeping import AccountLease, IdempotentAnswer, RequestBudget
from campaigns.models.ledger import ListMember
from campaigns.models.left_out import AddressRefusal, OpenPhone, SentAttributes
from campaigns.models.list_change import ListChange
from campaigns.models.names import KnownName
from campaigns.models.segment import (
    Segment,
    SegmentRevision,
    segment_deleting,
    segment_save_failed,
    segment_saving,
)
from campaigns.models.suppression import Suppression, WebhookEvent, owners

__all__ = [
    "AccountLease",
    "AddressRefusal",
    "BrevoList",
    "ExportChange",
    "ExportChunk",
    "IdempotentAnswer",
    "KnownName",
    "ListChange",
    "ListMember",
    "OpenPhone",
    "RequestBudget",
    "Segment",
    "SegmentExport",
    "SegmentRevision",
    "SentAttributes",
    "Suppression",
    "WebhookEvent",
    "never_synced",
    "owners",
    "segment_deleting",
    "segment_save_failed",
    "segment_saving",
]
