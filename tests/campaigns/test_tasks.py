from datetime import datetime, timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from campaigns import tasks
from campaigns.enums import ExportStatus
from campaigns.models import SegmentExport
from tests.factories import make_segment

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
