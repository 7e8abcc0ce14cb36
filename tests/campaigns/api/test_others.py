from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from campaigns.audience.criteria import CRITERIA
from campaigns.enums import ExportStatus
from campaigns.enums import SuppressionReason as Why
from campaigns.enums import SuppressionSource as Source
from campaigns.models import Segment, SegmentExport, Suppression
from campaigns.sync.suppressing import suppress
from tests.campaigns.api.reading import fields, problem_of
from tests.factories import is_mailable, make_agent, make_property, make_user

pytestmark = pytest.mark.django_db
SUPPRESSIONS = "/api/campaigns/suppressions/"
CRITERIA_PATH = "/api/campaigns/criteria/"


def test_suppressing_an_address_names_who_said_so_and_whose_it_was(api, admin):
    eve = make_user(email="Eve@example.com")

    response = api.post(SUPPRESSIONS, {"email": " EVE@example.com", "note": "Asked."})

    made = Suppression.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": made.pk,
        "email": "eve@example.com",
        "reason": "BY_HAND",
        "source": "API",
        "note": "Asked.",
        "user": eve.pk,
        "created_at": response.json()["created_at"],
        "created_by": {"id": admin.pk, "name": "Ada Obi", "email": "ada@example.com"},
        "other_causes": [],
    }
    assert api.get(f"{SUPPRESSIONS}{made.pk}/").json() == response.json()


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({}, ("email", "required")),
        ({"email": "nobody"}, ("email", "invalid")),
        ({"email": ["a@b.co"]}, ("email", "invalid")),
        ({"email": "TAKEN@example.com"}, ("email", "unique")),
        ({"email": f"{'a' * 64}@{'b' * 250}.com"}, ("email", "max_length")),
        ({"email": "a@example.com", "reason": "BORED"}, ("reason", "invalid_choice")),
        ({"email": "a@example.com", "note": "x" * 301}, ("note", "max_length")),
        ({"email": "a@example.com", "note": "\x00"}, ("note", "null_characters_not_allowed")),
        ({"email": "a@example.com", "until": "May"}, ("until", "unknown")),
    ],
)
def test_what_cannot_be_suppressed_is_refused_naming_the_field(api, sent, wrong):
    Suppression.objects.create(email="taken@example.com")

    assert wrong in fields(problem_of(api.post(SUPPRESSIONS, sent), 400))


def test_complaint_about_an_address_that_had_bounced_follows_its_person_to_the_next_address(api):
    eve = make_user(email="eve@example.com")
    suppress("eve@example.com", Why.BOUNCED, Source.WEBHOOK, note="No such user")

    response = api.post(SUPPRESSIONS, {"email": "Eve@example.com", "reason": "COMPLAINED"})
    User.objects.filter(pk=eve.pk).update(email="next@example.com")

    assert response.status_code == 200
    (cause,) = response.json()["other_causes"]
    assert (response.json()["reason"], cause["reason"]) == ("COMPLAINED", "BOUNCED")
    assert cause["note"] == "No such user"
    assert not is_mailable(User.objects.get(pk=eve.pk))


def test_weaker_reason_for_a_suppressed_address_is_kept_beside_the_stronger(api):
    suppress("eve@example.com", Why.UNSUBSCRIBED, Source.WEBHOOK)

    answers = [
        api.post(SUPPRESSIONS, {"email": "eve@example.com", "reason": r})
        for r in ("BOUNCED", "BOUNCED", "UNSUBSCRIBED")
    ]

    assert [answer.status_code for answer in answers] == [200, 400, 400]
    assert Suppression.objects.get().reasons == {"UNSUBSCRIBED", "BOUNCED"}
    assert Suppression.objects.get().reason == "UNSUBSCRIBED"


def test_an_address_whose_small_letters_are_longer_is_refused(api):
    address = f"a@{'İ' * 120}.com"

    response = api.post(SUPPRESSIONS, {"email": address})

    assert {field for field, _ in fields(problem_of(response, 400))} == {"email"}


def test_suppressions_are_listed_searched_filtered_and_deleted(api):
    first = Suppression.objects.create(email="first@example.com", reason="BOUNCED")
    second = Suppression.objects.create(email="second@example.com")

    listed = api.get(SUPPRESSIONS).json()
    assert [one["id"] for one in listed["results"]] == [second.pk, first.pk]
    assert api.get(f"{SUPPRESSIONS}?search=FIRST").json()["count"] == 1
    assert api.get(f"{SUPPRESSIONS}?reason=BOUNCED&reason=COMPLAINED").json()["count"] == 1
    assert api.delete(f"{SUPPRESSIONS}{first.pk}/").status_code == 204
    assert Suppression.objects.get() == second
    problem_of(api.get(f"{SUPPRESSIONS}{first.pk}/"), 404)


def test_of_a_suppression_the_note_alone_can_be_changed(api):
    made = Suppression.objects.create(email="no@example.com", reason="BOUNCED")
    path = f"{SUPPRESSIONS}{made.pk}/"

    changed = api.patch(path, {"note": "Twice."})

    assert (changed.status_code, changed.json()["note"]) == (200, "Twice.")
    assert changed.json() == api.get(path).json()
    for field, value in (("email", "x@example.com"), ("reason", "BY_HAND"), ("note", "x" * 301)):
        assert [name for name, _ in fields(problem_of(api.patch(path, {field: value}), 400))] == [
            field
        ]
    made.refresh_from_db()
    assert (made.email, made.reason, made.note) == ("no@example.com", "BOUNCED", "Twice.")


@pytest.mark.parametrize("number", [1, 100])
def test_a_page_of_suppressions_costs_the_same_however_long_it_is(
    api, admin, number, django_assert_num_queries
):
    Suppression.objects.bulk_create(
        Suppression(email=f"{index}@example.com", created_by=admin) for index in range(number)
    )

    with django_assert_num_queries(2):
        assert len(api.get(f"{SUPPRESSIONS}?page_size=100").json()["results"]) == number


def test_criteria_are_listed_with_what_they_allow_or_where_to_find_it(api):
    told = {criterion["key"]: criterion for criterion in api.get(CRITERIA_PATH).json()}

    assert list(told) == list(CRITERIA)
    assert told["gender"]["choices"][0] == {"value": "MALE", "label": "Male"}
    ids = {
        "type": "array",
        "items": {"type": "integer", "format": "int64", "minimum": 1},
        "minItems": 1,
        "maxItems": 1000,
    }
    assert told["agents"] | {"help": ""} == {
        "key": "agents",
        "label": "Agents",
        "group": "Agents and partners",
        "operators": [
            {"key": "any_of", "label": "is one of", "operand": ids},
            {"key": "none_of", "label": "is none of", "operand": ids},
        ],
        "help": "",
        "kind": "object",
        "choices": None,
        "choices_url": f"http://testserver{CRITERIA_PATH}agents/choices/",
    }


def test_values_of_a_criterion_are_found_by_what_somebody_types(api):
    palm = make_property("Palm Court")
    ada = make_agent(first_name="Ada", last_name="Obi", email="ada.obi@example.com")
    make_user(state="Lagos")

    def found(key: str, text: str) -> list[tuple[object, str]]:
        answer = api.get(f"{CRITERIA_PATH}{key}/choices/?search={text}")
        return [(choice["value"], choice["label"]) for choice in answer.json()]

    assert found("properties", "palm") == [(palm.pk, "Palm Court")]
    assert found("agents", "ada") == [(ada.pk, "Ada Obi (ada.obi@example.com)")]
    assert found("states", "LAG") == [("Lagos", "Lagos")]
    assert found("countries", "nigeria") == [("NG", "Nigeria")]
    assert found("states", "%00") == found("properties", "%00") == []
    assert len(found("countries", "")) == 20
    problem_of(api.get(f"{CRITERIA_PATH}shoes/choices/"), 404)


def test_stats_count_runs_and_use_sizes_that_are_known(api, brevo, django_assert_num_queries):
    now = timezone.now()
    women = Segment(name="Women", gender=["FEMALE"], mailable_size=30, counted_at=now)
    men = Segment(name="Men", gender=["MALE"], mailable_size=12, counted_at=now)
    broken = Segment(name="Broken", agents=[4711])
    Segment.objects.bulk_create([women, men, broken])
    Segment.objects.filter(pk=men.pk).update(created_at=now - timedelta(days=40))

    def run(status: ExportStatus, *, plan_only: bool = False) -> SegmentExport:
        return SegmentExport.objects.create(
            segment=women,
            segment_name="Women",
            status=status,
            plan_only=plan_only,
            finished_at=now,
        )

    run(ExportStatus.PLANNED, plan_only=True)
    old = run(ExportStatus.FAILED)
    SegmentExport.objects.filter(pk=old.pk).update(exported_at=now - timedelta(days=40))
    for status in (ExportStatus.SUCCESS, ExportStatus.WAITING, ExportStatus.RUNNING):
        run(status)

    with django_assert_num_queries(10):
        told = api.get("/api/campaigns/stats/").json()

    assert told == {
        "total_segments": 3,
        "total_syncs": 4,
        "segments_this_month": 2,
        "syncs_this_month": 3,
        "broken_segments": 1,
        "syncs_by_status": {"FAILED": 1, "SUCCESS": 1, "WAITING": 1, "RUNNING": 1},
        "running": 1,
        "waiting": 1,
        "last_sync_at": told["last_sync_at"],
        "people_on_lists": 42,
        "largest_list": 30,
        "sizes_known": 2,
        "oldest_size_at": told["oldest_size_at"],
        "suppressions": 0,
    }


def test_stats_of_an_empty_shop_are_zeros(api):
    told = api.get("/api/campaigns/stats/").json()

    assert (told["total_segments"], told["people_on_lists"], told["largest_list"]) == (0, 0, 0)
    assert told["last_sync_at"] is None
