"""The admin of campaigns: each module registers its own."""

from django.contrib import admin
from django_tasks_db.models import DBTaskResult

from accounts.foresight import foreseers
from campaigns.admin import dashboard, export, segment, suppression, user_pages
from campaigns.audience.consequences import consequences

__all__ = ["dashboard", "export", "segment", "suppression", "user_pages"]

foreseers.append(consequences)

# A run tells its own story; the queue's rows would show tracebacks to whoever may look.
admin.site.unregister(DBTaskResult)
