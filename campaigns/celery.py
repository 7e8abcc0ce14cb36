"""Runs carried on by Celery, for those who have it: ``celery -A campaigns.celery worker --beat``.

Needed with TASKS_BACKEND=celery alone. A task is only a doorbell, so it may be lost or come
twice: the run itself knows whether somebody is at work on it.
"""

import logging
import os
from functools import partial
from importlib import import_module

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

try:
    from celery import Celery
    from kombu.exceptions import OperationalError as BrokerUnreachable
except ImportError as error:
    raise ImproperlyConfigured(
        "TASKS_BACKEND=celery needs the package celery: install it, or choose another backend."
    ) from error

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 15.0

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("campaigns", broker=settings.CELERY_BROKER_URL)
app.conf.update(
    # A worker that dies gives its task back, and takes no second one while it has work.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_ignore_result=True,
    # A broker out of reach is not waited for: whoever rings may be answering a web request.
    broker_connection_timeout=2.0,
    task_publish_retry=False,
    broker_connection_retry_on_startup=True,
    beat_schedule={"sweep": {"task": "campaigns.sweep", "schedule": SWEEP_SECONDS}},
)


@app.task(name="campaigns.look_at_export")
def look_at_export(export_id: int) -> None:
    """Carry the run on, unless somebody does already or it is over."""
    import_module("campaigns.sync.runs").run_export(export_id)


@app.task(name="campaigns.sweep")
def sweep() -> None:
    """Ring for the runs that were left behind, and understand webhook events that wait."""
    import_module("campaigns.sync.events").process_pending()
    import_module("campaigns.tasks").sweep()


def ring(export_id: int) -> None:
    """Have a worker look at the export once the transaction at hand is through."""
    transaction.on_commit(partial(_send, export_id))


def _send(export_id: int) -> None:
    try:
        look_at_export.delay(export_id)
    except BrokerUnreachable as error:
        # The run is queued in the database: the sweep rings again.
        logger.warning("Export %s waits for the broker: %s", export_id, type(error).__name__)
