"""The admin of campaigns: each module registers its own."""

from campaigns.admin import dashboard, export, segment, suppression, user_pages

__all__ = ["dashboard", "export", "segment", "suppression", "user_pages"]
