from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.enums import ExportStatus
from campaigns.models import ExportChunk, Segment, SegmentExport
from tests.campaigns.admin.sync_steps import page_of, step, synced, text, told, women

pytestmark = pytest.mark.django_db


def running(segment: Segment, **fields) -> SegmentExport:
    given = {
        "status": ExportStatus.RUNNING,
        "lease_until": timezone.now() + timedelta(minutes=1),
        "progress_total": 400,
        "progress_done": 100,
        "planned_at": timezone.now(),
    }
    return SegmentExport.objects.create(
        segment=segment, segment_name=segment.name, **(given | fields)
    )


def test_progress_has_numbers_speed_and_time_left(client, manager, segment) -> None:
    export = running(segment, waits_for="another import into this Brevo account")
    since = timezone.now().timestamp() - 10

    asked = {"exports": export.pk, "since": since, "done": 50}
    answer = text(client.get(step("state"), asked))

    assert "100 of 400 people, 25 %" in answer
    assert 'aria-valuenow="25"' in answer
    assert "people a second" in answer
    assert "left</li>" in answer
    assert "Waits for another import" in answer


def test_people_whom_brevo_has_taken_in_and_not_answered_for_are_told(
    client, manager, segment
) -> None:
    export = running(segment)
    lines = {"kind": "JOIN", "first_change": 1, "last_change": 250, "sent_at": timezone.now()}
    for state, people in (("ACCEPTED", 250), ("DONE", 100)):
        ExportChunk.objects.create(export=export, state=state, people=people, **lines)

    at_work = text(client.get(step("state"), {"exports": export.pk}))

    assert "250 accepted by Brevo" in at_work
    assert 'class="sync-bar-accepted" style="width: 62%"' in at_work


@pytest.mark.parametrize("since", ["nonsense", "nan", "-1", "99999999999"])
def test_sighting_that_makes_no_sense_is_made_anew(client, manager, segment, since) -> None:
    export = running(segment)

    answer = client.get(step("state"), {"exports": export.pk, "since": since, "done": "x"})

    assert answer.status_code == 200
    assert "people a second" not in text(answer)


def test_poll_has_the_page_shown_anew_only_when_the_state_changed(client, manager, segment) -> None:
    export = running(segment)
    page = client.get(page_of(export))
    key = page.context["sight"].key

    same = client.get(step("state"), {"exports": export.pk, "key": key})
    SegmentExport.objects.filter(pk=export.pk).update(status=ExportStatus.SUCCESS)
    changed = client.get(step("state"), {"exports": export.pk, "key": key})

    assert "HX-Refresh" not in same
    assert changed["HX-Refresh"] == "true"
    assert 'hx-trigger="every 2s"' in text(same)
    assert "hx-trigger" not in text(changed)


def test_poll_after_the_session_ended_has_the_page_ask_for_the_login(segment) -> None:
    export = running(segment)

    answer = Client().get(step("state"), {"exports": export.pk}, headers={"HX-Request": "true"})

    assert answer["HX-Refresh"] == "true"
    assert "Progress" not in text(answer)


def test_page_reloads_itself_without_javascript_only_while_at_work(
    client, manager, segment
) -> None:
    export = running(segment)
    at_work = text(client.get(page_of(export)))
    SegmentExport.objects.filter(pk=export.pk).update(status=ExportStatus.SUCCESS)
    over = text(client.get(page_of(export)))

    assert 'http-equiv="refresh"' in at_work
    assert 'http-equiv="refresh"' not in over


def test_bar_of_a_run_that_nobody_is_at_work_on_stands_still(client, manager, segment) -> None:
    export = running(segment, progress_total=0, progress_done=0)
    moving = text(client.get(step("state"), {"exports": export.pk}))
    SegmentExport.objects.update(lease_until=timezone.now() - timedelta(minutes=5))
    left = text(client.get(step("state"), {"exports": export.pk}))

    assert "sync-bar-unmeasured" in moving
    assert "sync-bar-unmeasured" not in left


def test_running_run_is_asked_to_stop(client, manager, segment) -> None:
    export = running(segment)

    client.post(step("cancel"), {"exports": export.pk})
    page = text(client.get(page_of(export)))

    export.refresh_from_db()
    assert export.cancel_requested
    assert "stops at its next step" in page
    assert step("cancel") not in page


def test_run_that_is_over_cannot_be_cancelled(client, manager, segment) -> None:
    export = synced(client, segment)

    response = client.post(step("cancel"), {"exports": export.pk})

    assert "over already" in told(response)


def test_stalled_run_says_so_and_is_carried_on(client, manager, brevo, segment) -> None:
    people = women(2)
    export = running(
        segment,
        lease_until=timezone.now() - timedelta(minutes=5),
        progress_total=0,
        progress_done=0,
    )

    page = text(client.get(page_of(export)))
    client.post(step("carry_on"), {"exports": export.pk})

    export.refresh_from_db()
    assert "This run has stalled" in page
    assert "Carry on" in page
    assert export.status == ExportStatus.SUCCESS
    assert brevo.members(segment.brevo_list_id) == {person.email for person in people}


def test_run_that_no_worker_takes_up_says_so(client, manager, segment) -> None:
    export = running(segment, status=ExportStatus.QUEUED, lease_until=None)
    SegmentExport.objects.update(rung_at=timezone.now() - timedelta(minutes=5))

    page = text(client.get(page_of(export)))

    assert "No worker has taken this run up" in page
    assert "in a moment" not in page
    assert "Carry on" in page
