from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.enums import Gender
from campaigns.admin.sync_pages import MOST_AT_ONCE, sync_action
from campaigns.enums import ExportStatus
from campaigns.models import Segment, SegmentExport
from tests.campaigns.admin.sync_steps import (
    make_synced,
    page_of,
    plan,
    step,
    text,
    together,
    told,
    women,
)
from tests.factories import make_segment_unsaved, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(client, manager, brevo, segment) -> list[SegmentExport]:
    make_user(gender=Gender.MALE)
    women(2)
    return plan(client, segment, make_synced(name="Men", gender=[Gender.MALE.value]))


def test_plans_of_several_segments_stand_side_by_side_with_totals(client, two) -> None:
    page = text(client.get(together(*two)))

    assert "Men" in page
    assert "Women" in page
    assert "Confirm 2 plans" in page
    assert '<td data-label="Join" class="sync-number">3</td>' in page


def test_planning_several_segments_leads_to_their_common_page(client, manager, segment) -> None:
    other = make_synced(name="Men", gender=[Gender.MALE.value])

    response = client.post(step("plan"), {"ids": f"{segment.pk},{other.pk}"})

    assert response.url.startswith(f"{step('together')}?exports=")


def test_one_confirm_performs_all_plans(client, brevo, two) -> None:
    response = client.post(step("apply"), {"exports": [export.pk for export in two]})

    assert response.url.startswith(step("together"))
    assert [export.status for export in SegmentExport.objects.all()] == ["SUCCESS", "SUCCESS"]
    assert "What came of it" in text(client.get(response.url))


def test_all_are_cancelled_at_once(client, two) -> None:
    client.post(step("cancel"), {"exports": [export.pk for export in two]})

    assert not SegmentExport.objects.exclude(status=ExportStatus.CANCELLED).exists()


def test_step_with_some_of_the_runs_goes_back_to_the_page_of_all(client, two) -> None:
    shown = [export.pk for export in two]

    response = client.post(step("cancel"), {"exports": shown[0], "shown": shown})

    assert {str(pk) for pk in shown} == set(response.url.split("=")[1].split(","))


def test_poll_of_several_gives_one_row_each(client, two) -> None:
    answer = text(client.get(step("state"), {"exports": ",".join(str(e.pk) for e in two)}))

    assert answer.count('class="sync-who"') == 2


def test_page_of_several_names_those_that_wait(client, two) -> None:
    SegmentExport.objects.filter(pk=two[0].pk).update(status=ExportStatus.WAITING)

    page = text(client.get(together(*two)))

    assert "1 of the plans waits for approval" in page
    assert "Confirm 1 plan" in page


def test_plans_that_are_still_to_be_made_count_as_unknown(client, two) -> None:
    SegmentExport.objects.filter(pk=two[0].pk).update(status="QUEUED", planned_at=None)

    page = text(client.get(together(*two)))

    assert "of 2 people" not in page
    assert "sync-bar-unmeasured" in page
    assert '<td data-label="Join" class="sync-number">—</td>' in page
    assert client.get(together(*two)).context["sight"].totals["joins"] is None


def test_page_of_several_says_when_nobody_is_at_work(client, two) -> None:
    late = timezone.now() - timedelta(minutes=5)
    SegmentExport.objects.update(status="RUNNING", lease_until=late)

    page = text(client.get(together(*two)))

    assert "Stalled: nobody is at work" in page
    assert "Carry on" in page
    assert "At work" not in page


def test_page_of_one_run_is_its_own(client, two) -> None:
    assert client.get(together(two[0])).url == page_of(two[0])


def test_page_of_runs_that_are_gone_leads_to_the_history(client, manager) -> None:
    page = text(client.get(f"{step('together')}?exports=98,99"))

    assert "These runs are gone" in page


@pytest.mark.parametrize("number", [2, 6])
def test_page_of_several_costs_the_same_for_two_and_for_six(
    client, manager, brevo, django_assert_max_num_queries, number
) -> None:
    segments = [make_synced(name=f"Segment {i}") for i in range(number)]
    exports = plan(client, *segments)

    with django_assert_max_num_queries(4):
        client.get(together(*exports))


def test_action_plans_the_chosen_segments(rf, client, manager, brevo, segment) -> None:
    request = client.get(step("plan")).wsgi_request

    response = sync_action(None, request, Segment.objects.all())

    assert response.url == page_of(SegmentExport.objects.get())
    assert sync_action.allowed_permissions == ["sync"]


def test_action_refuses_more_than_fit_on_a_page(client, manager, brevo) -> None:
    Segment.objects.bulk_create(
        [make_segment_unsaved(name=f"S{i}", name_key=f"s{i}") for i in range(MOST_AT_ONCE + 1)]
    )
    response = client.get(step("plan"))

    assert sync_action(None, response.wsgi_request, Segment.objects.all()) is None
    assert "at most 100" in told(response)
    assert not SegmentExport.objects.exists()
