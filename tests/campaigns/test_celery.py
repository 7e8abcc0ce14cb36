import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from campaigns import celery, tasks
from campaigns.enums import ExportStatus
from campaigns.models import SegmentExport, Suppression
from campaigns.sync import events
from campaigns.sync.runs import request_sync
from sandbox.brevo.server import Sandbox
from tests.factories import make_segment, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def export(settings) -> Iterator[SegmentExport]:
    """A queued run of a segment with one person, at a Brevo of its own."""
    settings.TASKS_BACKEND = "celery"
    with Sandbox() as brevo:
        settings.BREVO_API_URL, settings.BREVO_API_KEY = brevo.url, brevo.key
        make_user(gender="FEMALE")
        yield request_sync(make_segment(brevo_list_id=None))


@pytest.fixture
def eager(monkeypatch) -> None:
    """Have tasks carried out where they are sent."""
    monkeypatch.setitem(celery.app.conf, "task_always_eager", True)


def test_ringing_has_celery_carry_the_run_on(
    eager, export, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        waiting = tasks.ring(export)

    assert waiting.status == ExportStatus.QUEUED
    export.refresh_from_db()
    assert (export.status, export.added) == (ExportStatus.SUCCESS, 1)


def test_nothing_is_sent_before_the_transaction_is_through(
    eager, export, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks() as rung:
        tasks.ring(export)

    assert len(rung) == 1
    assert SegmentExport.objects.get().status == ExportStatus.QUEUED


def test_sweep_rings_for_what_was_left_behind_and_understands_waiting_events(
    eager, export, django_capture_on_commit_callbacks
) -> None:
    events.keep(b'{"event": "spam", "email": "ada@example.com"}')

    with django_capture_on_commit_callbacks(execute=True):
        celery.sweep.delay()

    assert SegmentExport.objects.get().status == ExportStatus.SUCCESS
    assert Suppression.objects.exists()


def test_broker_out_of_reach_leaves_the_run_queued_for_the_sweep(
    monkeypatch, export, caplog, django_capture_on_commit_callbacks
) -> None:
    monkeypatch.setitem(celery.app.conf, "broker_url", "amqp://guest:secret@127.0.0.1:1//")
    monkeypatch.setattr(celery.app.amqp, "_producer_pool", None)

    with caplog.at_level(logging.WARNING), django_capture_on_commit_callbacks(execute=True):
        assert tasks.ring(export).status == ExportStatus.QUEUED

    assert f"Export {export.pk} waits for the broker" in caplog.text
    assert "secret" not in caplog.text


def test_a_dying_worker_gives_its_task_back_and_beat_sweeps() -> None:
    conf = celery.app.conf

    assert (conf.task_acks_late, conf.task_reject_on_worker_lost) == (True, True)
    assert conf.worker_prefetch_multiplier == 1
    assert conf.beat_schedule["sweep"]["task"] in celery.app.tasks


def test_without_the_package_the_project_works_and_celery_is_one_sentence() -> None:
    told = (
        "import sys; sys.modules['celery'] = None\n"
        "import django; django.setup()\n"
        "from campaigns import tasks\n"
        "from django.core.exceptions import ImproperlyConfigured\n"
        "try:\n    import campaigns.celery\n"
        "except ImproperlyConfigured as error:\n    print(error)"
    )

    done = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=30
    )

    assert done.stdout.startswith("TASKS_BACKEND=celery needs the package celery")
