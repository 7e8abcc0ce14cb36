import json
from typing import Any

import pytest

from accounts.enums import PartnershipStatus
from campaigns.api.serializers import segments
from campaigns.models import Segment, SegmentRevision
from sandbox.brevo.server import Sandbox
from tests.campaigns.api.reading import fields, problem_of
from tests.factories import (
    definition,
    make_agent,
    make_partner,
    make_property,
    make_segment_unsaved,
)

pytestmark = pytest.mark.django_db
SEGMENTS = "/api/campaigns/segments/"


def test_creating_a_segment_makes_its_list_and_shows_it(api, admin, brevo) -> None:
    sent = {"name": " Women  in Lagos", "gender": ["female"], "states": ["Lagos", "LAGOS"]}

    response = api.post(SEGMENTS, sent)

    made = Segment.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": made.pk,
        "name": "Women in Lagos",
        "description": "",
        "definition": definition(gender=["FEMALE"], states=["Lagos"]),
        "match": "ALL",
        "gender": ["FEMALE"],
        "properties": [],
        "countries": [],
        "states": ["Lagos"],
        "traffic_sources": [],
        "agents": [],
        "partners": [],
        "brevo_list_id": made.brevo_list_id,
        "created_by": {"id": admin.pk, "name": "Ada Obi", "email": "ada@example.com"},
        "created_at": response.json()["created_at"],
        "updated_at": response.json()["updated_at"],
        "audience_size": None,
        "mailable_size": None,
        "counted_at": None,
        "problems": [],
    }
    assert brevo.lists() == {made.brevo_list_id: "Women in Lagos"}
    assert SegmentRevision.objects.get().changed_by == admin


def test_creating_a_segment_that_brevo_refuses_leaves_nothing_behind(api, brevo) -> None:
    brevo.fault("key-revoked@POST /contacts/lists")

    problem = problem_of(api.post(SEGMENTS, {"name": "X", "gender": ["MALE"]}), 502)

    assert problem["type"] == "urn:problem:brevo"
    assert problem.keys() >= {"brevo_code", "brevo_message"}
    assert not Segment.objects.exists()
    assert brevo.lists() == {}


@pytest.mark.parametrize("method", ["post", "put", "patch"])
@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({}, ("name", "required")),
        ({"name": ""}, ("name", "blank")),
        ({"name": None}, ("name", "null")),
        ({"name": 5}, ("name", "invalid")),
        ({"name": "x" * 1_000_000}, ("name", "max_length")),
        ({"name": "a\x00b"}, ("name", "invalid_characters")),
        ({"name": "a\ud800b"}, ("name", "invalid_characters")),
        ({"name": "Taken"}, ("name", "unique")),
        ({"name": "tAKEN "}, ("name", "unique")),
        ({"description": None}, ("description", "null")),
        ({"description": ["x"]}, ("description", "invalid")),
        ({"match": "SOME"}, ("match", "invalid")),
        ({"match": []}, ("match", "invalid")),
        ({"gender": "FEMALE"}, ("gender", "not_a_list")),
        ({"gender": {"a": 1}}, ("gender", "not_a_list")),
        ({"gender": None}, ("gender", "null")),
        ({"gender": ["BOTH"]}, ("gender", "invalid")),
        ({"gender": []}, ("non_field_errors", "no_criteria")),
        ({"properties": [10**30]}, ("properties", "invalid")),
        ({"properties": [404_404]}, ("properties", "gone")),
        ({"properties": [True]}, ("properties", "invalid")),
        ({"properties": list(range(1, 100_001))}, ("properties", "too_many")),
        ({"countries": ["Nigeria"]}, ("countries", "invalid")),
        ({"states": ["\x00"]}, ("states", "invalid_characters")),
        ({"states": [""]}, ("states", "blank")),
        ({"agents": [404_404]}, ("agents", "gone")),
        ({"partners": [404_404]}, ("partners", "gone")),
        ({"shoe_size": 44}, ("shoe_size", "unknown")),
        ({"\ud800\x00": 44}, ("\\ud800\\x00", "unknown")),
    ],
)
def test_what_cannot_be_a_segment_is_refused_naming_the_field(
    api, brevo, method, sent, wrong
) -> None:
    make_segment_unsaved(name="Taken").save()
    path = SEGMENTS
    if method != "post":
        segment = make_segment_unsaved(name="Women")
        segment.save()
        path = f"{SEGMENTS}{segment.pk}/"
    good = {"name": "Good", "gender": ["FEMALE"]}
    if method == "patch" and not sent:
        sent, wrong = {"gender": []}, ("non_field_errors", "no_criteria")

    body = json.dumps(good | sent if sent else {"gender": ["FEMALE"]})
    response = api.generic(method.upper(), path, body, "application/json")

    assert wrong in fields(problem_of(response, 400))
    assert set(brevo.lists().values()) == {"Taken"} | ({"Women"} if method != "post" else set())


def test_agents_and_partners_must_hold_their_position(api, brevo) -> None:
    nobody = make_partner(PartnershipStatus.REJECTED)
    agent = make_agent()

    response = api.post(SEGMENTS, {"name": "X", "agents": [nobody.pk], "partners": [agent.pk]})

    assert fields(problem_of(response, 400)) == [("agents", "gone"), ("partners", "gone")]


@pytest.mark.parametrize("name", ["🏡 Emoji", "نساء في لاغوس", "=1+1", "<b>bold</b>"])
def test_a_name_in_any_script_is_kept(api, brevo, name) -> None:
    response = api.post(SEGMENTS, {"name": name, "gender": ["FEMALE"]})

    assert response.json()["name"] == name
    assert list(brevo.lists().values()) == [name]


def test_replacing_a_segment_drops_what_is_sent_empty_and_renames_its_list(
    api, brevo, segment
) -> None:
    palm = make_property("Palm Court")
    path = f"{SEGMENTS}{segment.pk}/"
    api.patch(path, {"properties": [palm.pk], "description": "All women"})

    sent = {"name": "Men", "gender": ["MALE"], "properties": [], "description": ""}
    response = api.put(path, sent)

    shown = response.json()
    assert response.status_code == 200
    assert (shown["gender"], shown["properties"], shown["description"]) == (["MALE"], [], "")
    assert brevo.lists() == {segment.brevo_list_id: "Men"}


def test_replacing_a_segment_needs_no_word_of_what_it_does_not_ask(api, brevo, segment) -> None:
    response = api.put(f"{SEGMENTS}{segment.pk}/", {"name": "Men", "gender": ["MALE"]})
    assert response.status_code == 200
    assert response.json()["gender"] == ["MALE"]


def test_replacing_a_segment_drops_nothing_that_it_does_not_mention(api, brevo, segment) -> None:
    path = f"{SEGMENTS}{segment.pk}/"
    api.patch(path, {"states": ["Lagos"], "match": "ANY", "description": "All women"})
    before = api.get(path).json()

    problem = problem_of(api.put(path, {"name": "Men", "gender": ["MALE"]}), 400)

    assert fields(problem) == [
        ("description", "left_out"),
        ("match", "left_out"),
        ("states", "left_out"),
    ]
    assert "PATCH" in problem["errors"][0]["message"]
    assert api.get(path).json() == before
    assert brevo.lists() == {segment.brevo_list_id: "Women"}


def test_changing_a_segment_keeps_what_is_not_sent(api, brevo, segment) -> None:
    response = api.patch(f"{SEGMENTS}{segment.pk}/", {"countries": ["NG"]})

    shown = response.json()
    assert (shown["name"], shown["gender"], shown["countries"]) == ("Women", ["FEMALE"], ["NG"])
    revision = SegmentRevision.objects.get()
    assert revision.changes == {
        "definition": [
            definition(gender=["FEMALE"]),
            definition(gender=["FEMALE"], countries=["NG"]),
        ]
    }


def test_a_segment_can_be_sent_back_as_it_was_shown(api, brevo, segment) -> None:
    path = f"{SEGMENTS}{segment.pk}/"
    shown = api.get(path).json()

    response = api.put(path, shown | {"brevo_list_id": 999_999})

    assert response.status_code == 200
    assert response.json()["brevo_list_id"] == segment.brevo_list_id


GROUPED = {
    "match": "ALL",
    "conditions": [
        {"criterion": "states", "any_of": ["Lagos"]},
        {"criterion": "gender", "none_of": ["MALE"]},
        {
            "match": "ANY",
            "conditions": [
                {"criterion": "countries", "any_of": ["NG"]},
                {"criterion": "traffic_sources", "any_of": ["Radio"]},
            ],
        },
    ],
}


def in_some_order(conditions: list[Any]) -> list[str]:
    return sorted(json.dumps(condition, sort_keys=True) for condition in conditions)


def test_a_definition_is_kept_as_it_was_sent_and_its_flat_names_are_a_view(api, brevo) -> None:
    shown = api.post(SEGMENTS, {"name": "Grouped", "definition": GROUPED}).json()

    assert shown["definition"] == GROUPED == Segment.objects.get().definition
    again = api.get(f"{SEGMENTS}{shown['id']}/").json()["definition"]
    assert json.dumps(again) == json.dumps(GROUPED), "PostgreSQL keeps another order"
    assert (shown["match"], shown["states"]) == ("ALL", ["Lagos"])
    assert shown["gender"] == shown["countries"] == shown["traffic_sources"] == []


def test_a_patch_of_a_flat_name_leaves_all_other_conditions_alone(api, brevo) -> None:
    made = api.post(SEGMENTS, {"name": "Grouped", "definition": GROUPED}).json()

    shown = api.patch(f"{SEGMENTS}{made['id']}/", {"states": ["Oyo"], "gender": ["FEMALE"]}).json()

    others = GROUPED["conditions"][1:]
    flat = definition(gender=["FEMALE"], states=["Oyo"])["conditions"]
    assert in_some_order(shown["definition"]["conditions"]) == in_some_order(flat + others)


def test_a_put_of_flat_names_leaves_all_other_conditions_alone(api, brevo) -> None:
    made = api.post(SEGMENTS, {"name": "Grouped", "definition": GROUPED}).json()

    answer = api.put(f"{SEGMENTS}{made['id']}/", {"name": "Grouped", "states": ["Oyo"]})

    states = [{"criterion": "states", "any_of": ["Oyo"]}]
    kept = GROUPED["conditions"][1:]
    shown = answer.json()["definition"]["conditions"]
    assert in_some_order(shown) == in_some_order(states + kept)


@pytest.mark.parametrize("flat", [{"gender": ["FEMALE"]}, {"match": "ANY"}, {"states": []}])
def test_a_flat_name_beside_a_definition_is_refused_and_nothing_is_saved(api, brevo, flat) -> None:
    sent = {"name": "Both", "definition": definition(gender=["FEMALE"])} | flat

    problem = problem_of(api.post(SEGMENTS, sent), 400)

    assert fields(problem) == [(next(iter(flat)), "both")]
    assert not Segment.objects.exists()


def test_a_mistake_in_a_definition_is_said_where_it_stands(api, brevo) -> None:
    sent = {"name": "Wrong", "definition": json.loads(json.dumps(GROUPED))}
    sent["definition"]["conditions"][2]["conditions"][0]["any_of"] = ["Atlantis"]
    sent["definition"]["conditions"][0] = {"criterion": "states"}

    problem = problem_of(api.post(SEGMENTS, sent), 400)

    assert fields(problem) == [
        ("definition.conditions[0]", "invalid"),
        ("definition.conditions[2].conditions[0]", "invalid"),
    ]
    assert brevo.lists() == {}


@pytest.mark.django_db(transaction=True)
def test_two_who_change_one_flat_name_each_lose_nothing(api, brevo, segment, monkeypatch) -> None:
    real, times = segments.recorded, iter([True])

    def while_somebody_else_writes(instance, *, by) -> Any:
        if next(times, False):
            other = Segment.objects.get(pk=instance.pk)
            other.countries = ["NG"]
            other.save()
        return real(instance, by=by)

    monkeypatch.setattr(segments, "recorded", while_somebody_else_writes)

    shown = api.patch(f"{SEGMENTS}{segment.pk}/", {"states": ["Oyo"]}).json()

    assert (shown["gender"], shown["countries"], shown["states"]) == (["FEMALE"], ["NG"], ["Oyo"])


def test_a_rename_that_brevo_refuses_changes_nothing(api, brevo, segment) -> None:
    brevo.fault("key-revoked@PUT /contacts/lists/*")

    problem_of(api.patch(f"{SEGMENTS}{segment.pk}/", {"name": "Ladies"}), 502)

    segment.refresh_from_db()
    assert segment.name == "Women"


def test_saving_does_not_undo_what_a_run_wrote_meanwhile(api, brevo, segment, monkeypatch) -> None:
    from campaigns.api.serializers import segments

    real = segments.recorded

    def while_a_run_is_at_work(instance, *, by) -> Any:
        Segment.objects.filter(pk=instance.pk).update(brevo_list_id=4711, mailable_size=5)
        return real(instance, by=by)

    monkeypatch.setattr(segments, "recorded", while_a_run_is_at_work)
    api.patch(f"{SEGMENTS}{segment.pk}/", {"description": "Changed"})

    segment.refresh_from_db()
    assert (segment.description, segment.brevo_list_id) == ("Changed", 4711)
    assert segment.mailable_size == 5


@pytest.mark.django_db(transaction=True)
def test_saving_a_segment_that_was_deleted_meanwhile_is_not_found(
    api, brevo, segment, monkeypatch
) -> None:
    from campaigns.api.serializers import segments

    real = segments.recorded

    def while_somebody_deletes(instance, *, by) -> Any:
        Segment.objects.filter(pk=instance.pk).delete()
        return real(instance, by=by)

    monkeypatch.setattr(segments, "recorded", while_somebody_deletes)

    problem_of(api.patch(f"{SEGMENTS}{segment.pk}/", {"description": "Changed"}), 404)


def test_deleting_a_segment_deletes_its_list(api, brevo, segment) -> None:
    response = api.delete(f"{SEGMENTS}{segment.pk}/")

    assert response.status_code == 204
    assert not response.content
    assert brevo.lists() == {}
    problem_of(api.get(f"{SEGMENTS}{segment.pk}/"), 404)


def test_deleting_a_segment_whose_list_is_gone_works(api, brevo, segment) -> None:
    brevo.fault("list-gone@DELETE /contacts/lists/*")

    assert api.delete(f"{SEGMENTS}{segment.pk}/").status_code == 204


@pytest.mark.django_db(transaction=True)
def test_deleting_keeps_the_segment_when_brevo_refuses(api, brevo, segment) -> None:
    brevo.fault("key-revoked@DELETE /contacts/lists/*")

    problem_of(api.delete(f"{SEGMENTS}{segment.pk}/"), 502)

    assert Segment.objects.filter(pk=segment.pk).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["delete", "patch", "verify"])
def test_what_concerns_a_list_in_another_account_is_a_conflict(
    api, brevo, segment, settings, method
) -> None:
    with Sandbox(organization="another") as other:
        settings.BREVO_API_URL = other.url
        url = f"{SEGMENTS}{segment.pk}/"
        response = {
            "delete": lambda: api.delete(url),
            "patch": lambda: api.patch(url, {"name": "Others"}),
            "verify": lambda: api.post(f"{url}verify/", {}),
        }[method]()

        problem = problem_of(response, 409)

        assert "BREVO_API_KEY is a key of “Stand-in for Brevo” (another)" in problem["detail"]
        assert [path for _, path, _ in other.requests] == ["/account"]
    assert Segment.objects.get().name == segment.name


def test_a_segment_whose_property_vanished_says_so(api, brevo) -> None:
    palm = make_property("Palm Court")
    made = api.post(SEGMENTS, {"name": "Palm", "properties": [palm.pk]}).json()
    gone = palm.pk
    palm.delete()

    shown = api.get(f"{SEGMENTS}{made['id']}/").json()

    assert shown["problems"] == [f"Palm Court (property {gone}) no longer exists."]
    assert shown["properties"] == [gone]


@pytest.mark.parametrize("pk", ["0", "404404", "9" * 30, "9" * 5000])
def test_a_segment_that_is_not_there_is_not_found(api, pk) -> None:
    problem_of(api.get(f"{SEGMENTS}{pk}/"), 404)
