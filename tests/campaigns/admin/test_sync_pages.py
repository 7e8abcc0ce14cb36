from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.messages import INFO, get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from campaigns.admin.sync_pages import MOST_AT_ONCE
from campaigns.enums import ExportStatus
from campaigns.models import Segment, SegmentExport
from tests.campaigns.admin.sync_steps import (
    logged_in,
    make_synced,
    page_of,
    plan,
    step,
    synced,
    text,
    told,
    women,
)
from tests.factories import definition, make_admin, make_agent, make_manager, make_user

pytestmark = pytest.mark.django_db

POSTS = ("apply", "approve", "cancel", "carry_on", "again")


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


@pytest.mark.parametrize("name", POSTS)
def test_whose_session_ended_comes_back_to_the_run_and_has_changed_nothing(segment, name) -> None:
    export = SegmentExport.objects.create(
        segment=segment, segment_name="Women", status=ExportStatus.PLANNED
    )

    response = Client().post(step(name), {"exports": export.pk})

    assert response.url == f"{reverse('admin:login')}?next={page_of(export)}"
    assert SegmentExport.objects.get().status == ExportStatus.PLANNED


def test_whose_session_ended_comes_back_to_the_segments_they_chose(segment) -> None:
    response = Client().post(step("plan"), {"ids": [segment.pk, segment.pk + 1]})

    back = f"{step('plan')}?ids={segment.pk},{segment.pk + 1}"
    assert parse_qs(urlsplit(response.url).query)["next"] == [back]


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
    Segment.objects.filter(pk=segment.pk).update(definition=definition(gender=[]))

    page = text(client.get(step("plan"), {"ids": segment.pk}))
    response = client.post(step("plan"), {"ids": segment.pk})

    assert "Cannot be synced." in page
    assert reverse("admin:campaigns_segment_change", args=[segment.pk]) in page
    assert "Make the plan" not in page
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
    assert "Not begun: things have moved" in text(response)
    assert step("again") not in text(response)
    assert brevo.members(segment.brevo_list_id) == set()


def test_plan_confirmed_twice_is_performed_once_and_nobody_is_alarmed(
    client, manager, segment
) -> None:
    women(1)
    export = synced(client, segment)

    response = client.post(step("apply"), {"exports": export.pk})

    assert "was confirmed already" in told(response)
    assert [message.level for message in get_messages(response.wsgi_request)] == [INFO]
    assert export.attempts == SegmentExport.objects.get().attempts


@pytest.mark.parametrize("state", [ExportStatus.QUEUED, ExportStatus.RUNNING])
def test_two_people_who_confirm_the_same_plan_start_one_run(
    client, manager, segment, state
) -> None:
    women(1)
    [export] = plan(client, segment)
    SegmentExport.objects.filter(pk=export.pk).update(status=state, plan_only=False)

    response = client.post(step("apply"), {"exports": export.pk})

    assert "was confirmed already" in told(response)
    assert SegmentExport.objects.get().status == state


def test_plan_that_was_cancelled_meanwhile_cannot_be_confirmed(client, manager, segment) -> None:
    [export] = plan(client, segment)
    client.post(step("cancel"), {"exports": export.pk})

    assert "plan anew" in told(client.post(step("apply"), {"exports": export.pk}))


def test_plan_asked_for_twice_leads_to_the_one_that_is_being_made(client, manager, segment) -> None:
    first = SegmentExport.objects.create(segment=segment, segment_name="Women", plan_only=True)

    response = client.post(step("plan"), {"ids": segment.pk})

    assert response.url == page_of(first)
    assert not told(response)


def test_confirming_runs_that_are_gone_says_so(client, manager) -> None:
    response = client.post(step("apply"), {"exports": "7"})

    assert "gone" in told(response)


def test_runs_and_segments_that_are_gone_are_said_to_be_left_out(client, manager, segment) -> None:
    planned = client.post(step("plan"), {"ids": f"{segment.pk},999"})
    assert "Not planned: 1 of the segments" in told(planned)

    (export,) = SegmentExport.objects.all()
    confirmed = client.post(step("cancel"), {"exports": f"{export.pk},999"})
    assert "Not done for 1 of the runs" in told(confirmed)
    assert SegmentExport.objects.get().status == ExportStatus.CANCELLED


def test_refused_people_are_shown_with_brevos_words_and_can_be_retried(
    client, manager, brevo, segment
) -> None:
    women(30)
    brevo.faults.add("import-partly=10")
    export = synced(client, segment)
    brevo.faults.clear()

    page = text(client.get(page_of(export)))
    response = client.post(step("again"), {"exports": export.pk})

    shown = brevo.members(segment.brevo_list_id)
    refused = export.changes.filter(outcome="REFUSED")
    assert export.status == ExportStatus.PARTIAL
    assert f"<strong>{refused.count()}</strong> refused" in page
    assert f"<li>{refused[0].message}</li>" in page
    assert "Retry what was refused" in page
    again = SegmentExport.objects.latest("pk")
    assert response.url == page_of(again)
    assert (again.status, again.joins) == (ExportStatus.PLANNED, refused.count())
    assert len(shown) == 30 - refused.count()
    assert f"but for the {refused.count()} whom Brevo refused" in page


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
