"""Who was on a segment's list at a moment."""

import pytest
from django.utils import timezone

from accounts.models import User
from campaigns.sync.history import forget_before
from tests.campaigns.api.reading import fields, problem_of
from tests.campaigns.sync.scenes import address, addresses, make_segment_of_women, sync, women

pytestmark = pytest.mark.django_db


@pytest.fixture
def women_of(brevo):
    return make_segment_of_women()


def on_list(api, segment, **query) -> set[str]:
    answer = api.get(f"/api/campaigns/segments/{segment.pk}/members/", query)
    assert answer.status_code == 200, answer.content
    return {stay["email"] for stay in answer.json()["results"]}


def test_members_are_those_of_now_or_of_the_moment_that_is_asked(api, women_of):
    nobody_yet = timezone.now()
    first, *_ = women(1, 2)
    sync(women_of)
    both = timezone.now()
    first.delete()
    women(3)
    sync(women_of)

    assert on_list(api, women_of, at=nobody_yet.isoformat()) == set()
    assert on_list(api, women_of, at=both.isoformat()) == addresses(1, 2)
    assert on_list(api, women_of) == addresses(2, 3)


def test_a_stay_says_who_from_when_until_when_and_by_which_runs(api, women_of):
    (ada,) = women(1)
    ada.save()
    came = sync(women_of)
    there = timezone.now()
    type(ada).objects.filter(pk=ada.pk).update(gender="MALE")
    went = sync(women_of)

    (stay,) = api.get(
        f"/api/campaigns/segments/{women_of.pk}/members/", {"at": there.isoformat()}
    ).json()["results"]

    assert (stay["user"], stay["name"], stay["email"]) == (ada.pk, "Ada 1", address(1))
    assert (stay["added_by"], stay["removed_by"]) == (came.pk, went.pk)
    assert stay["added_at"] < stay["removed_at"]


def test_moment_that_is_forgotten_is_refused_and_not_told_wrongly(api, women_of):
    there = timezone.now()
    forget_before(timezone.now())

    problem = problem_of(
        api.get(f"/api/campaigns/segments/{women_of.pk}/members/", {"at": there.isoformat()}), 409
    )

    assert "is not known any more" in problem["detail"]
    assert on_list(api, women_of) == set()


def test_what_is_no_moment_is_refused(api, women_of):
    answer = api.get(f"/api/campaigns/segments/{women_of.pk}/members/", {"at": "yesterday"})

    assert [name for name, _ in fields(problem_of(answer, 400))] == ["at"]


def test_members_of_a_segment_that_is_not_there_are_not_found(api):
    problem_of(api.get("/api/campaigns/segments/404/members/"), 404)


def test_stays_and_reasons_show_brevo_s_id_and_its_other_address(api, brevo, women_of):
    (ada,) = women(1)
    sync(women_of)
    brevo.correct_address(address(1), "ada.new@example.com")
    sync(women_of)
    segment = f"/api/campaigns/segments/{women_of.pk}"

    [stay] = api.get(f"{segment}/members/").json()["results"]
    why = api.get(f"{segment}/why/{ada.pk}/").json()

    contact_id = brevo.contact("ada.new@example.com")["id"]
    for shown in (stay, why):
        assert shown["contact_id"] == contact_id
        assert shown["email_at_brevo"] == "ada.new@example.com"


def test_members_are_searched_by_name_phone_and_the_address_on_the_list(api, women_of):
    ada, ngozi, _ = women(1, 2, 3)
    named = {"first_name": "Ngozi", "last_name": "Eze", "phone": "+2348031234567"}
    User.objects.filter(pk=ngozi.pk).update(**named)
    sync(women_of)
    there = timezone.now().isoformat()
    User.objects.filter(pk=ada.pk).update(email="moved@example.com")

    for search in ("ngozi", "EZE ngozi", "80312", "2@"):
        assert on_list(api, women_of, search=search) == addresses(2), search
    for search in ("moved", address(1)):
        assert on_list(api, women_of, search=search, at=there) == addresses(1), search
    assert on_list(api, women_of, search="nobody") == set()
    assert on_list(api, women_of, search=" ") == addresses(1, 2, 3)


@pytest.mark.parametrize(
    "at",
    [
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59-05:00",
        "2026-01-01T00:00:00",
        "2026-01-01",
        "10000-01-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "9" * 30,
        "\x00",
        "2999-01-01T00:00:00Z",
    ],
)
def test_moment_without_offset_or_outside_the_calendar_or_to_come_is_refused(api, women_of, at):
    answer = api.get(f"/api/campaigns/segments/{women_of.pk}/members/", {"at": at})

    assert [name for name, _ in fields(problem_of(answer, 400))] == ["at"]


def test_moment_at_the_very_beginning_of_the_calendar_finds_nobody(api, women_of):
    assert on_list(api, women_of, at="0001-01-01T00:00:00Z") == set()
