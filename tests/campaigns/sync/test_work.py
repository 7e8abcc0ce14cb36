"""A run in the hands of one process: what its heartbeat does, however busy the run is."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from campaigns.errors import LeaseLost, RunCancelled
from campaigns.models import AccountLease, SegmentExport
from campaigns.sync import work
from campaigns.sync.work import Run, lease_end
from tests.factories import make_segment

pytestmark = pytest.mark.django_db


class Busy:
    """A run that settles somebody every few seconds, for as long as it is asked to."""

    def __init__(self, run: Run, clock: SimpleNamespace) -> None:
        self.run, self.clock = run, clock

    def works_for(self, seconds: int) -> None:
        for _ in range(0, seconds, 5):
            self.clock.now += 5
            self.run.settle(1)
            self.run.beat()


@pytest.fixture
def busy(monkeypatch) -> Busy:
    clock = SimpleNamespace(now=1000.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(work, "time", clock)
    export = SegmentExport.objects.create(segment=make_segment())
    run = Run.claim(export.pk)
    assert run is not None
    return Busy(run, clock)


def test_busy_run_hears_within_a_fraction_of_its_lease_that_it_shall_stop(busy, settings):
    busy.works_for(60)
    SegmentExport.objects.update(cancel_requested=True)

    with pytest.raises(RunCancelled):
        busy.works_for(settings.CAMPAIGNS_LEASE_SECONDS // 5)


def test_busy_run_keeps_its_right_to_import(busy, settings):
    AccountLease.objects.create(key="import", owner=busy.run.owner, until=timezone.now())

    busy.works_for(settings.CAMPAIGNS_LEASE_SECONDS // 5)

    assert AccountLease.objects.get().until > timezone.now() + timedelta(seconds=60)


def test_run_that_another_process_took_up_writes_nothing_more(busy):
    SegmentExport.objects.update(lease_owner="somebody else")

    with pytest.raises(LeaseLost):
        busy.run.settle(1)

    assert SegmentExport.objects.get().progress_done == 0


def test_run_is_claimed_by_one_until_its_lease_ends(busy):
    export = busy.run.export
    assert Run.claim(export.pk) is None

    SegmentExport.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert Run.claim(export.pk) is not None
    SegmentExport.objects.update(lease_until=lease_end(), status="SUCCESS")
    assert Run.claim(export.pk) is None
