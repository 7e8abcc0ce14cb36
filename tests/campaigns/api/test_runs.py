from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.enums import Consent, Gender
from accounts.models import User
from campaigns.enums import ExportStatus
from campaigns.models import ExportChange, Segment, SegmentExport
from campaigns.sync.runs import request_sync, run_export
from tests.campaigns.api.reading import fields, problem_of
from tests.factories import definition, make_user

pytestmark = pytest.mark.django_db
EXPORTS = "/api/campaigns/exports/"


def women(number: int) -> list[User]:
    return [
        make_user(gender=Gender.FEMALE, first_name=f"Ada {i}", email=f"ada{i}@example.com")
        for i in range(number)
    ]


@pytest.fixture
def ask(api, segment) -> Callable[..., Any]:
    """Ask for something to be done with the segment."""
    return lambda verb, **body: api.post(f"/api/campaigns/segments/{segment.pk}/{verb}/", body)


@pytest.fixture
def by_worker(monkeypatch) -> list[int]:
    """Have runs queued for a worker that nobody has started; holds the exports it was told of."""
    rung: list[int] = []
    task = type("Task", (), {"enqueue": staticmethod(rung.append)})
    monkeypatch.setattr("campaigns.tasks.look_at_export", task)
    return rung


def test_sync_answers_with_the_finished_export(api, ask, admin, segment, brevo) -> None:
    people = women(3)
    make_user(gender=Gender.FEMALE, marketing_consent=Consent.OPTED_OUT)

    response = ask("sync")

    run = response.json()
    assert response.status_code == 200
    assert response["Location"].endswith(f"{EXPORTS}{run['id']}/")
    told = {name: run[name] for name in ("segment", "segment_name", "status", "error_message")}
    assert told == {
        "segment": segment.pk,
        "segment_name": "Women",
        "status": "SUCCESS",
        "error_message": "",
    }
    counts = ("users_count", "audience_count", "added", "updated", "removed", "failed", "held_back")
    assert [run[name] for name in counts] == [3, 4, 3, 0, 0, 0, 1]
    assert run["exported_by"] == {"id": admin.pk, "name": "Ada Obi", "email": "ada@example.com"}
    assert (run["progress"], run["proof"]["holds"]) == (1.0, True)
    assert None not in (run["exported_at"], run["started_at"], run["finished_at"])
    assert brevo.members(segment.brevo_list_id) == {user.email for user in people}
    assert api.get(f"{EXPORTS}{run['id']}/").json() == run


def test_a_run_that_failed_is_answered_with_its_message(ask, brevo) -> None:
    women(1)
    brevo.fault("key-revoked@POST /*")

    response = ask("sync")

    assert response.status_code == 200
    assert response.json()["status"] == "FAILED"
    assert "Key not found" in response.json()["error_message"]


def test_sync_without_a_key_is_a_bad_gateway(ask, settings) -> None:
    settings.BREVO_API_KEY = ""

    problem = problem_of(ask("sync"), 502)

    assert "BREVO_API_KEY" in problem["detail"]
    assert not SegmentExport.objects.exists()


def test_sync_of_a_broken_segment_is_a_conflict(ask, segment) -> None:
    Segment.objects.filter(pk=segment.pk).update(definition=definition(agents=[4711]))

    problem = problem_of(ask("sync"), 409)

    assert problem["type"] == "urn:problem:segment-broken"
    assert "4711" in problem["detail"]


def test_sync_while_one_is_running_is_a_conflict_that_names_it(ask, segment) -> None:
    running = request_sync(segment)

    problem = problem_of(ask("sync"), 409)

    assert (problem["type"], problem["export"]) == ("urn:problem:segment-busy", running.pk)


def test_sync_by_a_worker_is_accepted(ask, by_worker) -> None:
    response = ask("sync")

    assert response.status_code == 202
    assert response.json()["status"] == "QUEUED"
    assert response.json()["users_count"] is None
    assert by_worker == [response.json()["id"]]


def test_sync_waits_for_a_worker_as_long_as_told(api, segment, by_worker, monkeypatch) -> None:
    women(2)
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 4:
            run_export(by_worker[0])

    monkeypatch.setattr("campaigns.api.running.time.sleep", nap)

    response = api.post(f"/api/campaigns/segments/{segment.pk}/sync/?wait=60", {})

    assert response.status_code == 200
    assert response.json()["status"] == "SUCCESS"
    assert naps == sorted(naps)
    assert len(set(naps)) == 4


def test_sync_stops_waiting_when_time_is_up(api, segment, by_worker) -> None:
    assert api.post(f"/api/campaigns/segments/{segment.pk}/sync/?wait=1", {}).status_code == 202


@pytest.mark.parametrize("wait", ["", "soon", "-1", "61", "1.5", "9" * 5000, "٣"])
def test_a_wait_that_is_no_number_of_seconds_is_refused_before_anything_is_queued(
    api, segment, wait
) -> None:
    response = api.post(f"/api/campaigns/segments/{segment.pk}/sync/?wait={wait}", {})

    assert fields(problem_of(response, 400)) == [("wait", "invalid")]
    assert not SegmentExport.objects.exists()


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"verify_level": "LOUD"}, ("verify_level", "invalid_choice")),
        ({"segment": 1}, ("segment", "unknown")),
        ([1], ("non_field_errors", "invalid")),
    ],
)
def test_sync_refuses_options_it_does_not_know(api, segment, body, wrong) -> None:
    response = api.post(f"/api/campaigns/segments/{segment.pk}/sync/", body)

    assert fields(problem_of(response, 400)) == [wrong]


def test_a_plan_sends_nothing_and_can_be_looked_at_and_applied(api, ask, segment, brevo) -> None:
    women(2)
    make_user(gender=Gender.FEMALE, marketing_consent=Consent.OPTED_OUT)

    plan = ask("plan").json()

    assert (plan["status"], plan["joins"], plan["held_back"]) == ("PLANNED", 2, 1)
    assert brevo.members(segment.brevo_list_id) == set()
    applied = api.post(f"{EXPORTS}{plan['id']}/apply/", {})
    assert applied.status_code == 200
    assert (applied.json()["status"], applied.json()["added"]) == ("SUCCESS", 2)
    assert len(brevo.members(segment.brevo_list_id)) == 2


def test_a_plan_that_no_longer_holds_fails_and_names_the_next(api, ask) -> None:
    women(2)
    plan = ask("plan").json()
    make_user(gender=Gender.FEMALE)

    applied = api.post(f"{EXPORTS}{plan['id']}/apply/", {}).json()

    newest = SegmentExport.objects.latest("pk")
    assert applied["status"] == "FAILED"
    assert f"export {newest.pk}" in applied["error_message"]


def test_a_plan_that_waits_is_applied_once_it_is_approved(api, ask, admin, settings) -> None:
    settings.CAMPAIGNS_REMOVAL_BRAKE = 10
    people = women(60)
    ask("sync")
    User.objects.filter(pk__in=[user.pk for user in people[:30]]).update(gender=Gender.MALE)

    waiting = ask("sync")

    assert (waiting.status_code, waiting.json()["status"]) == (200, "WAITING")
    path = f"{EXPORTS}{waiting.json()['id']}/"
    assert problem_of(api.post(f"{path}apply/", {}), 409)["type"] == "urn:problem:plan-refused"
    approved = api.post(f"{path}approve/", {}).json()
    assert (approved["status"], approved["removed"]) == ("SUCCESS", 30)
    assert approved["approved_by"]["id"] == admin.pk


def test_a_plan_can_be_cancelled_once(api, ask) -> None:
    plan = ask("plan").json()

    cancelled = api.post(f"{EXPORTS}{plan['id']}/cancel/", {})

    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "CANCELLED")
    problem_of(api.post(f"{EXPORTS}{plan['id']}/cancel/", {}), 409)
    problem_of(api.post(f"{EXPORTS}{plan['id']}/apply/", {}), 409)


def test_verify_names_what_moved_on_the_list_and_in_the_segment(api, ask, segment, brevo) -> None:
    people = women(3)
    ask("sync")
    brevo.put_on_list(segment.brevo_list_id, "by.hand@example.org")
    User.objects.filter(pk=people[0].pk).update(gender=Gender.MALE)
    newcomer = make_user(gender=Gender.FEMALE)

    found = ask("verify").json()

    assert (found["segment_moved"], found["would_join"], found["would_leave"]) == (True, 1, 1)
    assert found["held_by_others"] == 1
    assert found["missing"] == 0
    assert found["names"] == {
        "missing": [],
        "unexpected": [],
        "held_by_others": ["by.hand@example.org"],
        "other_address": [],
        "would_join": [newcomer.email],
        "would_leave": [people[0].email],
        "would_change": [],
    }
    assert found["plan"]["status"] == "PLANNED"


def test_verify_names_whose_address_is_another_at_brevo(api, ask, segment, brevo) -> None:
    (ada,) = women(1)
    ask("sync")
    brevo.correct_address(ada.email, "ada.new@example.com")

    found = ask("verify").json()

    assert (found["missing"], found["held_by_others"], found["other_address"]) == (0, 0, 1)
    assert found["names"]["other_address"] == [f"{ada.email} → ada.new@example.com"]


def test_verify_says_when_nothing_moved(ask) -> None:
    women(2)
    ask("sync")

    found = ask("verify", verify_level="FULL").json()

    assert (found["list_moved"], found["segment_moved"], found["on_list"]) == (False, False, 2)


def test_the_runs_of_a_segment_are_listed_newest_first(api, ask, segment) -> None:
    first, second = ask("sync").json()["id"], ask("plan").json()["id"]
    SegmentExport.objects.create(segment=None, segment_name="Another")

    answer = api.get(f"/api/campaigns/segments/{segment.pk}/exports/").json()

    assert answer["count"] == 2
    assert [run["id"] for run in answer["results"]] == [second, first]
    every = api.get(f"{EXPORTS}?status=PLANNED&status=SUCCESS&plan_only=true").json()
    assert [run["id"] for run in every["results"]] == [second]
    assert api.get(f"{EXPORTS}?plan_only=false&segment={segment.pk}").json()["count"] == 1
    assert fields(problem_of(api.get(f"{EXPORTS}?plan_only=null"), 400))[0][0] == "plan_only"
    problem_of(api.get("/api/campaigns/segments/404404/exports/"), 404)


@pytest.fixture
def run(api, ask) -> dict[str, Any]:
    women(4)
    make_user(gender=Gender.FEMALE, marketing_consent=Consent.OPTED_OUT, email="out@example.com")
    done: dict[str, Any] = ask("sync").json()
    return done


def emails(answer) -> list[str]:
    return [line["email"] for line in answer.json()["results"]]


def test_lines_of_a_run_are_filtered_searched_and_paged(api, run) -> None:
    path = f"{EXPORTS}{run['id']}/changes/"

    joined = api.get(f"{path}?kind=JOIN&outcome=DONE&page_size=3")

    assert joined.json()["count"] == 4
    assert emails(joined) == [f"ada{i}@example.com" for i in range(3)]
    assert emails(api.get(joined.json()["next"])) == ["ada3@example.com"]
    assert emails(api.get(f"{path}?kind=HELD_BACK")) == ["out@example.com"]
    assert emails(api.get(f"{path}?search=ADA3@")) == ["ada3@example.com"]
    assert emails(api.get(f"{path}?search=aDa+ADA2")) == ["ada2@example.com"]
    assert fields(problem_of(api.get(f"{path}?kind=JUMP"), 400)) == [("kind", "invalid_choice")]


def test_lines_keep_whom_they_were_about_after_the_user_is_gone(api, run) -> None:
    line = ExportChange.objects.earliest("pk")
    User.objects.filter(pk=line.user_id).delete()

    shown = api.get(f"{EXPORTS}{run['id']}/changes/").json()["results"][0]

    assert (shown["user"], shown["name"], shown["email"]) == (line.user_id, "", line.email)


def test_lines_cost_the_same_however_many_there_are(api, run, django_assert_num_queries) -> None:
    for size in (1, 100):
        with django_assert_num_queries(3):
            api.get(f"{EXPORTS}{run['id']}/changes/?page_size={size}")


def test_lines_as_csv_follow_the_filters(api, run) -> None:
    ExportChange.objects.filter(email="ada0@example.com").update(message="=cmd()")

    response = api.get(f"{EXPORTS}{run['id']}/changes.csv?kind=JOIN")

    header, first, *rest = response.getvalue().decode().splitlines()
    assert header == "id,user,name,email,kind,reason,outcome,message"
    assert first.endswith("Ada 0,ada0@example.com,JOIN,,DONE,'=cmd()")
    assert len(rest) == 3
    problem_of(api.get(f"{EXPORTS}{run['id']}/changes.csv?kind=JUMP"), 400)


@pytest.mark.parametrize("number", [1, 100])
def test_a_page_of_runs_costs_the_same_however_long_it_is(
    api, admin, segment, number, django_assert_num_queries
) -> None:
    now = timezone.now()
    SegmentExport.objects.bulk_create(
        SegmentExport(
            segment=segment,
            segment_name="Women",
            status=ExportStatus.SUCCESS,
            exported_by=admin,
            approved_by=admin,
            finished_at=now,
        )
        for _ in range(number)
    )

    with django_assert_num_queries(3):
        answer = api.get(f"/api/campaigns/segments/{segment.pk}/exports/?page_size=100").json()

    assert len(answer["results"]) == number


@pytest.fixture
def two_runs(ask) -> tuple[int, int]:
    """Of the first three women the second run took one off, and put another on."""
    gone, *_ = women(3)
    first = ask("sync").json()["id"]
    User.objects.filter(pk=gone.pk).update(marketing_consent=Consent.OPTED_OUT)
    make_user(gender=Gender.FEMALE, first_name="Eve", email="eve@example.com")
    return first, ask("sync").json()["id"]


def test_two_runs_are_compared_whichever_is_named_first(api, two_runs) -> None:
    first, second = two_runs

    joined = api.get(f"{EXPORTS}{second}/compare/?against={first}").json()
    left = api.get(f"{EXPORTS}{first}/compare/?against={second}&side=left").json()

    assert (joined["count"], left["count"]) == (1, 1)
    [eve], [gone] = joined["results"], left["results"]
    assert (eve["email"], eve["export"], eve["why"]) == ("eve@example.com", second, "DATA")
    assert (gone["email"], gone["export"], gone["why"]) == ("ada0@example.com", second, "CONSENT")
    assert gone["name"].startswith("Ada 0")


def test_pages_of_a_comparison_are_turned_and_cost_the_same(
    api, two_runs, ask, django_assert_num_queries
) -> None:
    first, _ = two_runs
    make_user(gender=Gender.FEMALE, email="zoe@example.com")
    last = ask("sync").json()["id"]
    compared = f"{EXPORTS}{last}/compare/?against={first}&page_size="

    page = api.get(f"{compared}1").json()
    following = api.get(page["next"]).json()

    emails = [move["email"] for move in page["results"] + following["results"]]
    assert (emails, following["next"]) == (["eve@example.com", "zoe@example.com"], None)
    for size in (1, 100):
        with django_assert_num_queries(
            8
        ):  # both runs, what is known, count, page, three to say why
            api.get(f"{compared}{size}")


def test_somebody_deleted_is_compared_by_what_was_sent(api, two_runs) -> None:
    first, second = two_runs
    User.objects.filter(email="eve@example.com").delete()

    [eve] = api.get(f"{EXPORTS}{second}/compare/?against={first}").json()["results"]

    assert (eve["email"], eve["name"]) == ("eve@example.com", "")


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("", ("against", "required")),
        ("?against=x", ("against", "invalid")),
        ("?against=404404", ("against", "gone")),
        (f"?against={2**64}", ("against", "max_value")),
        ("?against={itself}", ("against", "gone")),
        ("?against={other}", ("against", "gone")),
        ("?against={first}&side=right", ("side", "invalid_choice")),
    ],
)
def test_runs_that_cannot_be_compared_are_refused(api, two_runs, query, wrong) -> None:
    first, second = two_runs
    other = SegmentExport.objects.create(segment_name="Deleted")
    query = query.format(first=first, itself=second, other=other.pk)

    assert fields(problem_of(api.get(f"{EXPORTS}{second}/compare/{query}"), 400)) == [wrong]
