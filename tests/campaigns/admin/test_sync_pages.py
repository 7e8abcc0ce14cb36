from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Gender
from accounts.models import User
from campaigns.admin.sync_pages import MOST_AT_ONCE, sync_action
from campaigns.enums import ExportStatus
from campaigns.models import ExportChunk, Segment, SegmentExport
from tests.factories import (
    make_admin,
    make_agent,
    make_manager,
    make_segment_unsaved,
    make_user,
)

pytestmark = pytest.mark.django_db

POSTS = ("apply", "approve", "cancel", "carry_on", "again")


def step(name: str) -> str:
    return reverse(f"admin:campaigns_sync_{name}")


def page_of(export: SegmentExport) -> str:
    return reverse("admin:campaigns_segmentexport_change", args=[export.pk])


def together(*exports: SegmentExport) -> str:
    return f"{step('together')}?exports={','.join(str(export.pk) for export in exports)}"


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def women(number: int) -> list[User]:
    return [make_user(gender=Gender.FEMALE, first_name=f"Ada {i}") for i in range(number)]


def told(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def text(response) -> str:
    return " ".join(response.content.decode().split())


@pytest.fixture
def manager(client) -> User:
    user = make_manager(first_name="Mary", last_name="Manager")
    client.force_login(user)
    return user


def make_synced(**fields) -> Segment:
    segment = make_segment_unsaved(**fields)
    segment.save()
    return segment


@pytest.fixture
def segment(brevo) -> Segment:
    return make_synced(name="Women")


def plan(client, *segments: Segment) -> list[SegmentExport]:
    client.post(step("plan"), {"ids": [segment.pk for segment in segments]})
    return list(SegmentExport.objects.order_by("-pk")[: len(segments)])[::-1]


def synced(client, segment: Segment) -> SegmentExport:
    [export] = plan(client, segment)
    client.post(step("apply"), {"exports": export.pk})
    export.refresh_from_db()
    return export


@pytest.fixture
def braked(client, manager, segment) -> SegmentExport:
    """A plan that empties a list of sixty, confirmed and hence waiting."""
    people = women(60)
    synced(client, segment)
    User.objects.filter(pk__in=[person.pk for person in people[:30]]).update(is_active=False)
    return synced(client, segment)


# Who may


@pytest.mark.parametrize("make", [make_user, make_agent])
def test_clients_and_agents_are_sent_to_the_login(segment, make) -> None:
    stranger = logged_in(make())

    assert stranger.get(step("plan")).url.startswith(reverse("admin:login"))
    assert stranger.post(step("plan"), {"ids": segment.pk}).url.startswith(reverse("admin:login"))
    assert not SegmentExport.objects.exists()


@pytest.mark.parametrize("make", [make_manager, make_admin])
def test_managers_and_admins_may_plan(segment, make) -> None:
    response = logged_in(make()).post(step("plan"), {"ids": segment.pk})

    assert response.url == page_of(SegmentExport.objects.get())


@pytest.mark.parametrize("name", ["plan", *POSTS])
def test_each_step_asks_for_its_own_permission(settings, segment, name) -> None:
    export = SegmentExport.objects.create(
        segment=segment, segment_name="Women", status=ExportStatus.PLANNED
    )
    wanted = "approve_plan" if name == "approve" else "sync_segment"
    settings.ROLE_PERMISSIONS = {"MANAGER": ["campaigns.view_*"]}
    asked = {"ids": segment.pk, "exports": export.pk}

    refused = logged_in(make_manager()).post(step(name), asked)
    settings.ROLE_PERMISSIONS = {"MANAGER": [f"campaigns.{wanted}"]}
    allowed = logged_in(make_manager()).post(step(name), asked)

    assert (refused.status_code, allowed.status_code) == (403, 302)


def test_whoever_may_only_look_sees_no_button(settings, client, manager, segment) -> None:
    women(1)
    [export] = plan(client, segment)
    settings.ROLE_PERMISSIONS = {"MANAGER": ["campaigns.view_*"]}

    page = text(client.get(page_of(export)))

    assert "This is the plan" in page
    assert step("apply") not in page
    assert step("cancel") not in page


@pytest.mark.parametrize("name", POSTS)
def test_steps_that_change_something_refuse_a_get(client, manager, segment, name) -> None:
    women(1)
    [export] = plan(client, segment)

    response = client.get(step(name), {"exports": export.pk})

    assert response.status_code == 405
    export.refresh_from_db()
    assert export.status == ExportStatus.PLANNED


@pytest.mark.parametrize("name", ["plan", *POSTS])
def test_steps_refuse_a_post_without_a_csrf_token(segment, name) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(make_admin())

    assert careful.post(step(name), {"ids": segment.pk}).status_code == 403


# The plan


def test_looking_at_the_plan_page_changes_nothing(client, manager, brevo, segment) -> None:
    brevo.clear_requests()

    page = text(client.get(step("plan"), {"ids": segment.pk}))

    assert "Women" in page
    assert "Make the plan" in page
    assert not SegmentExport.objects.exists()
    assert not brevo.requests


def test_plan_page_without_segments_says_what_to_do(client, manager) -> None:
    assert "No segment chosen" in text(client.get(step("plan")))


@pytest.mark.parametrize("ids", ["nonsense", "999", "9" * 40, "-1"])
def test_ids_that_name_no_segment_are_ignored(client, manager, ids) -> None:
    assert "No segment chosen" in text(client.get(step("plan"), {"ids": ids}))


def test_plan_page_says_when_more_were_chosen_than_fit(client, manager, segment) -> None:
    others = range(segment.pk + 1, segment.pk + MOST_AT_ONCE + 20)
    asked = ",".join(map(str, [segment.pk, *others]))

    assert "20 more do not fit on one page" in text(client.get(step("plan"), {"ids": asked}))
    assert "do not fit" not in text(client.get(step("plan"), {"ids": segment.pk}))


def test_broken_segment_is_named_and_not_planned(client, manager, segment) -> None:
    Segment.objects.filter(pk=segment.pk).update(gender=[])

    page = text(client.get(step("plan"), {"ids": segment.pk}))
    response = client.post(step("plan"), {"ids": segment.pk})

    assert "Cannot be synced." in page
    assert "is broken" in told(response)
    assert not SegmentExport.objects.exists()


def test_missing_key_is_said_once_for_all_segments(settings, client, manager, segment) -> None:
    other = make_synced(name="Others")
    settings.BREVO_API_KEY = ""

    response = client.post(step("plan"), {"ids": [segment.pk, other.pk]})

    assert told(response).count("BREVO_API_KEY_FILE") == 1


def test_plan_names_who_would_be_touched_and_sends_nothing(client, manager, brevo, segment) -> None:
    ada = women(1)[0]
    brevo.clear_requests()

    [export] = plan(client, segment)
    page = text(client.get(page_of(export)))

    assert ada.email in page
    assert "<strong>1</strong> join" in page
    assert "Confirm" in page
    assert {method for method, _, _ in brevo.requests} <= {"GET"}
    assert brevo.members(segment.brevo_list_id) == set()
    assert export.exported_by == manager


def test_plan_that_changes_nothing_says_so(client, manager, segment) -> None:
    [export] = plan(client, segment)

    assert "Nothing would change" in text(client.get(page_of(export)))


def test_segment_at_work_leads_to_the_run_that_has_it(client, manager, segment) -> None:
    running = SegmentExport.objects.create(
        segment=segment,
        segment_name="Women",
        status=ExportStatus.RUNNING,
        lease_until=timezone.now() + timedelta(minutes=1),
    )

    response = client.post(step("plan"), {"ids": segment.pk})

    assert response.url == page_of(running)
    assert "is being synced already" in told(response)


# Confirm


def test_confirmed_plan_is_performed_and_proved(client, manager, brevo, segment) -> None:
    people = women(3)

    export = synced(client, segment)
    page = text(client.get(page_of(export)))

    assert export.status == ExportStatus.SUCCESS
    assert brevo.members(segment.brevo_list_id) == {person.email for person in people}
    assert "read back name by name and is what it should be" in page
    assert export.proof["digest"] in page


def test_stale_plan_is_refused_with_a_link_to_the_one_of_now(
    client, manager, brevo, segment
) -> None:
    women(1)
    [export] = plan(client, segment)
    women(1)

    response = client.post(step("apply"), {"exports": export.pk}, follow=True)

    fresh = SegmentExport.objects.get(status=ExportStatus.PLANNED)
    assert "since this plan was made" in text(response)
    assert page_of(fresh) in text(response)
    assert brevo.members(segment.brevo_list_id) == set()


def test_plan_cannot_be_confirmed_twice(client, manager, segment) -> None:
    women(1)
    export = synced(client, segment)

    response = client.post(step("apply"), {"exports": export.pk})

    assert "cannot be applied" in told(response)


def test_confirming_runs_that_are_gone_says_so(client, manager) -> None:
    response = client.post(step("apply"), {"exports": "7"})

    assert "gone" in told(response)


def test_refused_people_are_shown_with_brevos_words_and_can_be_retried(
    client, manager, brevo, segment
) -> None:
    women(30)
    brevo.faults.add("import-partly=10")
    export = synced(client, segment)
    brevo.faults.clear()

    page = text(client.get(page_of(export)))
    response = client.post(step("again"), {"exports": export.pk})

    refused = export.changes.filter(outcome="REFUSED")
    assert export.status == ExportStatus.PARTIAL
    assert f"<strong>{refused.count()}</strong> refused" in page
    assert f"<li>{refused[0].message}</li>" in page
    assert "Retry what was refused" in page
    again = SegmentExport.objects.latest("pk")
    assert response.url == page_of(again)
    assert (again.status, again.added) == (ExportStatus.SUCCESS, refused.count())


def test_failure_of_brevo_is_shown_word_for_word(client, manager, brevo, segment) -> None:
    women(1)
    [export] = plan(client, segment)
    brevo.faults.add("key-revoked")

    page = text(client.post(step("apply"), {"exports": export.pk}, follow=True))

    assert "Key not found" in page
    assert "Make a new key in Brevo" in page


def test_run_of_a_deleted_segment_cannot_be_synced_again(client, manager) -> None:
    export = SegmentExport.objects.create(segment_name="Gone", status=ExportStatus.FAILED)

    response = client.post(step("again"), {"exports": export.pk})

    assert "deleted" in told(response)
    assert SegmentExport.objects.count() == 1


# The brake


def test_braked_plan_waits_and_says_why(client, braked) -> None:
    page = text(client.get(page_of(braked)))

    assert braked.status == ExportStatus.WAITING
    assert "The plan removes 30 of 60 people" in page
    assert "Approve and sync" in page


def test_plan_that_would_wait_says_so_before_it_is_confirmed(client, manager, segment) -> None:
    people = women(60)
    synced(client, segment)
    User.objects.filter(pk__in=[person.pk for person in people[:30]]).update(is_active=False)

    [export] = plan(client, segment)

    assert "The brake is on." in text(client.get(page_of(export)))


def test_approved_plan_is_performed(client, manager, brevo, segment, braked) -> None:
    client.post(step("approve"), {"exports": braked.pk})

    braked.refresh_from_db()
    assert (braked.status, braked.removed, braked.approved_by) == (
        ExportStatus.SUCCESS,
        30,
        manager,
    )
    assert len(brevo.members(segment.brevo_list_id)) == 30


def test_confirming_does_not_release_the_brake(client, brevo, segment, braked) -> None:
    response = client.post(step("apply"), {"exports": braked.pk})

    braked.refresh_from_db()
    assert "approve it first" in told(response)
    assert braked.status == ExportStatus.WAITING
    assert len(brevo.members(segment.brevo_list_id)) == 60


def test_waiting_plan_can_be_cancelled(client, manager, braked) -> None:
    client.post(step("cancel"), {"exports": braked.pk})

    braked.refresh_from_db()
    assert braked.status == ExportStatus.CANCELLED
    assert "Mary Manager" in braked.error_message


# Progress


def running(segment: Segment, **fields) -> SegmentExport:
    given = {
        "status": ExportStatus.RUNNING,
        "lease_until": timezone.now() + timedelta(minutes=1),
        "progress_total": 400,
        "progress_done": 100,
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
    assert "Carry on" in page


# Several at once


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

    assert answer.count('data-label="Segment"') == 2


def test_page_of_several_names_those_that_wait(client, two) -> None:
    SegmentExport.objects.filter(pk=two[0].pk).update(status=ExportStatus.WAITING)

    page = text(client.get(together(*two)))

    assert "1 of the plans waits for approval" in page
    assert "Confirm 1 plan" in page


def test_plans_that_are_still_to_be_made_count_as_unknown(client, two) -> None:
    SegmentExport.objects.filter(pk=two[0].pk).update(status="QUEUED", planned_at=None)

    page = text(client.get(together(*two)))

    assert '<td data-label="Join" class="sync-number">—</td>' in page
    assert client.get(together(*two)).context["sight"].totals["joins"] is None


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
