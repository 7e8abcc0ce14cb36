from datetime import datetime, timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from campaigns import tasks
from campaigns.enums import ExportStatus
from campaigns.models import SegmentExport
from campaigns.sync.runs import request_sync
from tests.factories import make_segment, make_segment_unsaved, make_user

pytestmark = pytest.mark.django_db


def make_export(status, *, rung=None, lease=None) -> SegmentExport:
    """Make an export that was rung, and whose lease ends, so many seconds from now."""

    def moment(seconds) -> datetime | None:
        return None if seconds is None else timezone.now() + timedelta(seconds=seconds)

    return SegmentExport.objects.create(
        segment=make_segment(),
        segment_name="Women",
        status=status,
        rung_at=moment(rung),
        lease_until=moment(lease),
    )


@pytest.mark.parametrize(
    ("status", "rung", "lease"),
    [
        (ExportStatus.QUEUED, None, None),
        (ExportStatus.QUEUED, -61, None),
        (ExportStatus.RUNNING, -10, -1),  # silent since a second: no need to wait a minute
        (ExportStatus.RUNNING, -61, -100),
    ],
)
def test_run_that_nobody_is_at_work_on_is_left_behind(status, rung, lease) -> None:
    export = make_export(status, rung=rung, lease=lease)

    assert tasks.left_behind() == [export]


@pytest.mark.parametrize(
    ("status", "rung", "lease"),
    [
        (ExportStatus.QUEUED, -30, None),
        (ExportStatus.RUNNING, -100, 5),
        (
            ExportStatus.RUNNING,
            -1,
            -10,
        ),  # rung for since: a worker may be on its way
        (ExportStatus.PLANNED, None, None),
        (ExportStatus.WAITING, None, None),
        (ExportStatus.SUCCESS, -100, -100),
    ],
)
def test_run_that_is_cared_for_or_over_is_not_left_behind(status, rung, lease) -> None:
    make_export(status, rung=rung, lease=lease)

    assert tasks.left_behind() == []


def test_sweep_rings_once_for_each_run_left_behind(monkeypatch) -> None:
    rung = []
    monkeypatch.setattr(tasks, "run_export", rung.append)
    exports = [make_export(ExportStatus.QUEUED), make_export(ExportStatus.RUNNING, lease=-1)]

    assert tasks.sweep() == 2
    assert tasks.sweep() == 0

    assert rung == [export.pk for export in exports]
    assert SegmentExport.objects.filter(rung_at__lte=Now()).count() == 2


@pytest.fixture
def queued(brevo) -> SegmentExport:
    segment = make_segment_unsaved()
    segment.save()
    make_user(gender="FEMALE")
    return request_sync(segment)


def test_ringing_carries_the_run_on_here_and_now_where_no_worker_does(queued) -> None:
    rung = tasks.ring(queued)

    assert (rung.pk, rung.status, rung.added) == (queued.pk, ExportStatus.SUCCESS, 1)
    assert rung.rung_at is not None


def test_run_that_was_left_behind_is_finished_by_the_sweep(queued) -> None:
    assert tasks.sweep() == 1
    assert tasks.sweep() == 0

    queued.refresh_from_db()
    assert (queued.status, queued.attempts) == (ExportStatus.SUCCESS, 1)


def test_ringing_leaves_a_task_for_the_worker_where_there_is_one(settings, queued) -> None:
    settings.TASKS_BACKEND = "database"
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

    rung = tasks.ring(queued)

    task = DBTaskResult.objects.get()
    assert (rung.status, rung.rung_at is None) == (ExportStatus.QUEUED, False)
    assert task.task_path == "campaigns.tasks.look_at_export"
    assert task.args_kwargs == {"args": [queued.pk], "kwargs": {}}


def test_ringing_for_a_run_that_is_over_changes_nothing(queued) -> None:
    first = tasks.ring(queued)

    again = tasks.ring(queued)

    assert (again.attempts, again.finished_at) == (1, first.finished_at)
