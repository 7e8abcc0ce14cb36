"""Doorbells: “look at export 17”. However often one rings, the run goes on once."""

from datetime import timedelta
from importlib import import_module

from django.conf import settings
from django.db.models import F, Q
from django.db.models.functions import Now

from campaigns.enums import ExportStatus
from campaigns.models import SegmentExport
from campaigns.sync.runs import run_export

task = import_module("django.tasks" if settings.MODERN_DJANGO else "django_tasks").task

_RING_AGAIN = timedelta(seconds=60)


@task()  # type: ignore[untyped-decorator] # one of two packages, chosen at run time
def look_at_export(export_id: int) -> None:
    """Carry the run on, unless somebody does already or it is over."""
    run_export(export_id)


def ring(export: SegmentExport) -> SegmentExport:
    """Have the run carried on: here and now, or by a worker; return it as it then is."""
    SegmentExport.objects.filter(pk=export.pk).update(rung_at=Now())
    if settings.TASKS_BACKEND == "celery":
        import_module("campaigns.celery").ring(export.pk)  # Celery need not be installed
    else:
        look_at_export.enqueue(export.pk)
    export.refresh_from_db()
    return export


def left_behind() -> list[SegmentExport]:
    """Return the runs that nobody is at work on although somebody should be."""
    silent = Q(status=ExportStatus.RUNNING, lease_until__lt=Now())
    unheard = Q(status=ExportStatus.QUEUED)
    due = Q(rung_at__isnull=True) | Q(rung_at__lt=Now() - _RING_AGAIN)
    fell_silent_since = Q(rung_at__lt=F("lease_until"))
    found = SegmentExport.objects.filter(due | fell_silent_since, silent | unheard)
    return list(found.order_by("pk"))


def sweep() -> int:
    """Ring for every run that was left behind; return how many there were."""
    found = left_behind()
    for export in found:
        ring(export)
    return len(found)
