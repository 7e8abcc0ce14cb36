"""The admin of campaigns: each module registers its own."""

from campaigns.admin import export, segment, suppression, user_pages

__all__ = ["export", "segment", "suppression", "user_pages"]
