"""A plan that no longer holds says so before anybody confirms it."""

import pytest
from django.urls import reverse

from campaigns.enums import ExportStatus
from campaigns.models import ExportChange, Segment, SegmentExport
from campaigns.sync import outdated
from campaigns.sync.runs import apply_plan, request_sync, run_export
from tests.campaigns.admin.sync_steps import make_synced
from tests.factories import definition, make_user

pytestmark = pytest.mark.django_db
REVIEW, CONFIRM = "Review changes again", "Confirm"


def planned(segment: Segment) -> SegmentExport:
    return run_export(request_sync(segment, plan_only=True).pk)


def page(client, export: SegmentExport, **query: str) -> str:
    url = reverse("admin:campaigns_segmentexport_change", args=[export.pk])
    return client.get(url, query).content.decode()


@pytest.fixture
def plan(segment) -> SegmentExport:
    make_user(gender="FEMALE")
    return planned(segment)


def test_a_plan_that_holds_is_to_be_confirmed(client, manager, plan) -> None:
    shown = page(client, plan)
    assert "out of date" not in shown
    assert CONFIRM in shown
    assert REVIEW not in shown


def test_a_plan_whose_criteria_were_changed_is_to_be_reviewed_again(client, manager, plan) -> None:
    Segment.objects.filter(pk=plan.segment_id).update(definition=definition(gender=["MALE"]))

    shown = page(client, plan)

    assert "The criteria of the segment were changed after this plan was made." in shown
    assert REVIEW in shown
    assert "campaigns/sync/apply" not in shown.replace("segmentexport/", "campaigns/")


def test_a_plan_whose_people_moved_says_how_far(client, manager, plan) -> None:
    make_user(gender="FEMALE")

    shown = page(client, plan)

    assert "Lines that no longer hold: 0; new lines: 1." in shown
    assert REVIEW in shown
    assert plan.changes.count() == 1
    assert ExportChange.objects.count() == 1


def test_a_plan_of_many_people_is_compared_on_demand(client, manager, plan, monkeypatch) -> None:
    monkeypatch.setattr(outdated, "COMPARED_AT_ONCE", 0)
    make_user(gender="FEMALE")

    shown = page(client, plan)
    assert "out of date" not in shown
    assert "?compare=1" in shown
    assert "new lines: 1." in page(client, plan, compare="1")


def test_a_plan_of_a_broken_segment_says_what_is_broken(client, manager, plan) -> None:
    Segment.objects.filter(pk=plan.segment_id).update(definition=definition(properties=[77]))
    SegmentExport.objects.filter(pk=plan.pk).update(
        definition=Segment.objects.get(pk=plan.segment_id).definition
    )
    assert "The segment is broken: Property 77 no longer exists." in page(client, plan)


def test_a_plan_that_a_later_run_overtook_says_so(client, manager, plan) -> None:
    later = run_export(request_sync(plan.segment).pk)
    assert later.status == ExportStatus.SUCCESS
    assert f"Sync {later.pk} changed the list after this plan was made." in page(client, plan)


def test_reviewing_again_makes_a_plan_of_what_is_true_now(client, manager, plan) -> None:
    make_user(gender="FEMALE")
    again = client.post(reverse("admin:campaigns_sync_again"), {"exports": plan.pk}, follow=True)
    shown = again.content.decode()
    assert "out of date" not in shown
    assert SegmentExport.objects.first().joins == 2


def test_several_plans_are_confirmed_without_those_that_are_out_of_date(client, manager, plan):
    other = planned(make_synced(name="Men", gender=["MALE"]))
    Segment.objects.filter(pk=other.segment_id).update(definition=definition(gender=["FEMALE"]))

    url = reverse("admin:campaigns_sync_together")
    answer = client.get(url, {"exports": f"{plan.pk},{other.pk}"})

    assert [export.pk for export in answer.context["planned"]] == [plan.pk]
    assert [export.pk for export in answer.context["outdated"]] == [other.pk]
    assert REVIEW in answer.content.decode()


def test_who_may_only_look_is_not_offered_to_review(client, manager, plan, settings) -> None:
    settings.ROLE_PERMISSIONS = {"MANAGER": ["campaigns.view_*"]}
    Segment.objects.filter(pk=plan.segment_id).update(definition=definition(gender=["MALE"]))
    shown = page(client, plan)
    assert "Somebody who may sync has to make it again." in shown
    assert REVIEW not in shown


def test_a_confirmed_plan_is_not_compared_again(client, manager, plan) -> None:
    done = run_export(apply_plan(plan, by=manager).pk)
    Segment.objects.filter(pk=plan.segment_id).update(definition=definition(gender=["MALE"]))
    assert "out of date" not in page(client, done)
