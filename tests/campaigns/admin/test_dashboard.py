import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.admin import dashboard_figures
from campaigns.enums import ExportStatus
from campaigns.models import ListMember, Segment, SegmentExport
from tests.factories import definition, make_manager, make_segment, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def manager(client) -> Any:
    manager = make_manager()
    client.force_login(manager)
    return manager


def home(client: Client) -> Any:
    answer = client.get(reverse("admin:index"))
    assert answer.status_code == 200
    return answer


def run(segment: Segment | None = None, *, days_ago: float = 0, **fields: Any) -> SegmentExport:
    fields = {"status": ExportStatus.SUCCESS, "segment_name": "Women"} | fields
    made = SegmentExport.objects.create(segment=segment, **fields)
    asked_at = timezone.now() - timedelta(days=days_ago)
    SegmentExport.objects.filter(pk=made.pk).update(exported_at=asked_at)
    return made


def member(segment: Segment, email: str, **fields: Any) -> None:
    stay = {"fingerprint": "0" * 32, "added_at": timezone.now(), "added_by": 1} | fields
    ListMember.objects.create(segment=segment, email=email, **stay)


def needy(client: Client) -> list[str]:
    return [each["state"] for each in home(client).context["attention"]]


def next_titles(client: Client) -> list[str]:
    return [step.title for step in home(client).context["next_steps"]]


def test_an_empty_system_explains_the_first_three_steps_with_links(client, settings) -> None:
    settings.BREVO_API_KEY = ""
    answer = home(client)
    assert [step.is_done for step in answer.context["first_steps"]] == [False] * 3
    page = answer.content.decode()
    assert reverse("admin:campaigns_segment_add") in page
    assert "BREVO_API_KEY" in page
    assert "Ask Brevo now" not in page


def test_a_system_where_nothing_happened_shows_no_chart_and_no_step_into_the_void(client) -> None:
    page = home(client).content.decode()
    assert "Nobody joined a list or left one in the last 30 days." in page
    assert "<canvas" not in page
    assert "Choose a segment" not in page
    run(added=3)
    assert "<canvas" in home(client).content.decode()


def test_the_first_steps_are_ticked_off_and_go_when_all_are_done(client, brevo) -> None:
    segment = make_segment()
    assert [step.is_done for step in home(client).context["first_steps"]] == [True, True, False]
    run(segment)
    answer = home(client)
    assert answer.context["first_steps"] == []
    assert "Nothing waits for you" in answer.content.decode()


def test_the_sidebar_keeps_its_brand(client) -> None:
    assert "Audiences and their Brevo lists" in home(client).content.decode()


def test_a_person_on_two_lists_is_counted_once_and_one_taken_off_not_at_all(client, brevo) -> None:
    one, two = make_segment(), make_segment()
    member(one, "a@example.com")
    member(two, "a@example.com")
    member(two, "b@example.com", removed_at=timezone.now())
    people = home(client).context["people"]
    assert (people.number, people.bound) == (1, "")


def test_long_lists_are_not_counted_but_told_from_the_last_known_sizes(
    client, brevo, monkeypatch
) -> None:
    monkeypatch.setattr(dashboard_figures, "COUNTED_UP_TO", 2)
    segment = make_segment()
    for number in range(3):
        member(segment, f"{number}@example.com")
    assert home(client).context["people"].bound == "more than"
    sizes = {"mailable_size": 5_000_000, "counted_at": timezone.now()}
    Segment.objects.filter(pk=segment.pk).update(**sizes)
    people = home(client).context["people"]
    assert (people.number, people.bound) == (5_000_000, "about")


def test_the_days_add_up_what_the_runs_of_each_put_on_and_took_off(client) -> None:
    run(added=3, removed=1)
    run(added=4)
    run(added=5, removed=2, days_ago=29)
    run(added=900, days_ago=31)
    context = home(client).context
    first, *_, last = context["days"]
    assert (len(context["days"]), first.joined, first.left) == (30, 5, 2)
    assert (last.joined, last.left, context["joined_total"]) == (7, 1, 12)
    joined, left = json.loads(context["chart"])["datasets"]
    assert (joined["data"][-1], left["data"][-1]) == (7, -1)


def test_only_runs_of_this_month_that_were_meant_to_sync_are_counted(client) -> None:
    run()
    run(status=ExportStatus.FAILED)
    run(plan_only=True, status=ExportStatus.PLANNED)
    run(days_ago=32)
    context = home(client).context
    assert (context["runs_this_month"], context["runs_succeeded"]) == (2, 1)


def test_a_failure_needs_somebody_until_a_later_run_succeeds(client, brevo) -> None:
    segment = make_segment()
    run(segment, status=ExportStatus.FAILED, error_message="Key not found")
    run(status=ExportStatus.PARTIAL, days_ago=8)
    assert needy(client) == ["Failed"]
    assert "Key not found" in home(client).content.decode()
    run(segment)
    assert needy(client) == []


def test_a_plan_that_waits_and_runs_that_nobody_carries_on_need_somebody(client, brevo) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    run(status=ExportStatus.WAITING, leaves=900)
    run(make_segment(), status=ExportStatus.RUNNING, lease_until=long_ago)
    run(make_segment(), status=ExportStatus.QUEUED, days_ago=1)
    soon = timezone.now() + timedelta(hours=1)
    run(make_segment(), status=ExportStatus.RUNNING, lease_until=soon)
    run(make_segment(), status=ExportStatus.QUEUED)
    assert needy(client) == ["Queued", "Stalled", "Waits for approval"]
    titles = next_titles(client)
    assert "1 plan waits" in titles
    assert "2 runs are left lying" in titles


def test_what_to_do_next_names_segments_that_are_broken_or_never_synced(client, brevo) -> None:
    broken = make_segment()
    Segment.objects.filter(pk=broken.pk).update(definition=definition(gender=[], properties=[4711]))
    run(broken)
    make_segment()
    titles = ["1 segment is broken", "1 segment was never synced"]
    assert next_titles(client) == titles


def test_the_last_verified_run_is_the_newest_whose_list_was_right(client) -> None:
    good = run(proof={"holds": True}, finished_at=timezone.now())
    run(proof={"holds": False}, finished_at=timezone.now())
    run(proof={})
    assert home(client).context["verified"] == good


def test_the_page_costs_the_same_for_little_and_for_much(
    client, brevo, django_assert_num_queries
) -> None:
    def grow(times: int) -> None:
        for _ in range(times):
            segment = make_segment(agents=[], properties=[], gender=["MALE"])
            member(segment, make_user().email)
            run(segment, status=ExportStatus.FAILED)

    grow(1)
    with django_assert_num_queries(9):
        home(client)
    grow(4)
    with django_assert_num_queries(9):
        home(client)


def ask(client: Client) -> str:
    answer = client.post(reverse("admin:campaigns_brevo_account"))
    assert answer.status_code == 200
    return answer.content.decode()


def test_brevo_tells_whose_account_it_is_and_what_is_left_of_the_budget(client, brevo) -> None:
    told = ask(client)
    assert "Brevo answers." in told
    assert "@" in told
    assert "not known" not in told


def test_brevos_refusal_is_shown_word_for_word_with_what_to_do(client, brevo, settings) -> None:
    settings.BREVO_API_KEY = "wrong"
    told = ask(client)
    assert "<blockquote" in told
    assert "Key not found" in told
    assert "Make a new key" in told


def test_without_a_key_the_remedy_is_told_without_asking(client, settings) -> None:
    settings.BREVO_API_KEY = ""
    assert "Set BREVO_API_KEY" in ask(client)


def test_brevo_is_asked_only_by_a_press_of_somebody_who_may_sync(client, settings) -> None:
    url = reverse("admin:campaigns_brevo_account")
    assert client.get(url).status_code == 405
    settings.ROLE_PERMISSIONS = {"MANAGER": ["campaigns.view_segment"]}
    assert client.post(url).status_code == 403


def test_who_may_not_see_segments_gets_the_plain_first_page(client, settings) -> None:
    settings.ROLE_PERMISSIONS = {"MANAGER": ["accounts.view_user"]}
    answer = home(client)
    assert "people" not in answer.context
    assert "People on our lists" not in answer.content.decode()
