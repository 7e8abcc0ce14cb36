"""The admin of campaigns: each module registers its own."""

from campaigns.admin import export, segment, suppression

__all__ = ["export", "segment", "suppression"]
