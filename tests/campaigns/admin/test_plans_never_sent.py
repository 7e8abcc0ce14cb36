"""Plans that were never sent do not count as if they had happened."""

import pytest
from django.urls import reverse

from campaigns.admin.dashboard_figures import number_never_synced
from campaigns.admin.segment_rows import rows_of
from campaigns.api.stats import stats
from campaigns.enums import ExportStatus
from campaigns.models import Segment, SegmentExport
from campaigns.sync.runs import apply_plan, cancel, request_sync, run_export
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def planned(segment: Segment) -> SegmentExport:
    return run_export(request_sync(segment, plan_only=True).pk)


def row_of(segment: Segment):
    return rows_of([segment])[segment.pk]


@pytest.fixture
def ada(segment):
    return make_user(gender="FEMALE", first_name="Ada")


def test_the_trend_is_that_of_runs_that_were_sent(segment, ada) -> None:
    planned(segment)
    cancel(planned(segment), by=None)
    assert row_of(segment).trend == []
    run_export(apply_plan(planned(segment), by=None).pk)
    make_user(gender="FEMALE")
    planned(segment)
    assert row_of(segment).trend == [1]


def test_a_plan_that_was_called_off_is_no_last_run(segment, ada) -> None:
    done = run_export(request_sync(segment).pk)
    make_user(gender="FEMALE")
    waiting = planned(segment)
    assert row_of(segment).last == waiting
    cancel(waiting, by=None)
    assert row_of(segment).last == done


def test_a_segment_that_was_only_planned_was_never_synced(client, manager, segment, ada) -> None:
    planned(segment)
    assert number_never_synced() == 1
    url = reverse("admin:campaigns_segment_changelist")
    assert [*client.get(url, {"state": "NEVER"}).context["cl"].result_list] == [segment]
    run_export(request_sync(segment).pk)
    assert number_never_synced() == 0


def test_the_last_sync_is_the_last_that_was_sent(segment, ada) -> None:
    planned(segment)
    SegmentExport.objects.create(segment=segment, segment_name="x", status=ExportStatus.CANCELLED)
    assert stats()["last_sync_at"] is None
    done = run_export(request_sync(segment).pk)
    planned(segment)
    assert stats()["last_sync_at"] == done.finished_at


def test_a_persons_page_tells_what_runs_did_and_not_what_plans_would(
    client, manager, segment, ada
) -> None:
    url = reverse("admin:accounts_user_runs", args=[ada.pk])
    plan = planned(segment)
    assert "No run has done anything for this person" in client.get(url).content.decode()
    cancel(plan, by=None)
    assert "No run has done anything for this person" in client.get(url).content.decode()
    run_export(request_sync(segment).pk)
    assert "joins" in client.get(url).content.decode()
