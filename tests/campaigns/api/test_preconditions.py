"""ETag, If-Match and If-None-Match: nobody writes over what they have not seen."""

from typing import Any

import pytest

from campaigns.api.serializers import segments
from campaigns.models import Segment, Suppression
from tests.campaigns.api.reading import fields, problem_of
from tests.factories import definition

SEGMENTS = "/api/campaigns/segments/"
SUPPRESSIONS = "/api/campaigns/suppressions/"
WRITES = ("put", "patch", "delete")

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(segment) -> str:
    return f"{SEGMENTS}{segment.pk}/"


def body_of(method: str) -> Any:
    return {"put": {"name": "Ladies", "gender": ["FEMALE"]}, "patch": {"description": "x"}}.get(
        method
    )


def write(api, method: str, path: str, **headers: str) -> Any:
    return getattr(api, method)(path, body_of(method), headers=headers)


@pytest.mark.parametrize("method", WRITES)
def test_a_stale_write_is_refused_and_changes_nothing(api, brevo, segment, path, method) -> None:
    tag = api.get(path)["ETag"]
    assert api.patch(path, {"states": ["Lagos"]}).status_code == 200

    problem = problem_of(write(api, method, path, **{"If-Match": tag}), 412)

    assert problem["type"] == "urn:problem:changed-meanwhile"
    segment.refresh_from_db()
    assert (segment.name, segment.states, segment.description) == ("Women", ["Lagos"], "")
    assert brevo.lists() == {segment.brevo_list_id: "Women"}


@pytest.mark.parametrize("method", WRITES)
def test_a_write_with_the_tag_of_what_is_stored_succeeds(api, path, method) -> None:
    tag = api.get(path)["ETag"]
    answer = write(api, method, path, **{"If-Match": f'"other", {tag}'})
    assert answer.status_code in {200, 204}


def test_each_answer_carries_the_tag_that_the_next_write_needs(api, brevo) -> None:
    made = api.post(SEGMENTS, {"name": " Women ", "gender": ["female"], "states": [" Lagos"]})
    path = made["Location"]
    assert path.endswith(f"{SEGMENTS}{made.json()['id']}/")
    tag = made["ETag"]
    assert tag == api.get(path)["ETag"]
    for sent in ({"name": " Ladies "}, {"states": ["oyo "]}, {"match": "ANY"}, {"name": "Ladies"}):
        answer = api.patch(path, sent, headers={"If-Match": tag})
        assert answer.status_code == 200
        tag = answer["ETag"]
        assert tag == api.get(path)["ETag"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Ladies"},
        {"description": "New"},
        {"match": "ANY"},
        {"gender": ["MALE"]},
        {"countries": ["NG"]},
        {"states": ["Lagos"]},
        {"traffic_sources": ["Radio"]},
    ],
)
def test_the_tag_changes_with_whatever_a_write_could_overwrite(api, path, change) -> None:
    tag = api.get(path)["ETag"]
    assert api.patch(path, change)["ETag"] != tag


def test_the_tag_stays_when_a_run_counts_people_or_stores_a_list(api, path) -> None:
    tag = api.get(path)["ETag"]
    Segment.objects.update(brevo_list_id=4711, audience_size=5, mailable_size=4)
    assert api.get(path)["ETag"] == tag
    assert write(api, "patch", path, **{"If-Match": tag}).status_code == 200


def test_tags_of_two_segments_with_equal_criteria_differ(api, brevo) -> None:
    tags = {api.post(SEGMENTS, {"name": n, "gender": ["MALE"]})["ETag"] for n in ("a", "b")}
    assert len(tags) == 2


def test_a_star_matches_whatever_is_there(api, path) -> None:
    api.patch(path, {"states": ["Lagos"]})
    assert write(api, "patch", path, **{"If-Match": " * "}).status_code == 200


def test_a_weak_tag_matches_no_write(api, path) -> None:
    tag = api.get(path)["ETag"]
    problem_of(write(api, "patch", path, **{"If-Match": f"W/{tag}"}), 412)


@pytest.mark.parametrize("header", ["", "abc", '"a" "b"', '"a', '*, "a"', "'a'", '"a\tb"'])
def test_a_malformed_condition_is_refused_rather_than_dropped(api, path, header) -> None:
    problem = problem_of(write(api, "patch", path, **{"If-Match": header}), 400)
    assert fields(problem) == [("If-Match", "invalid")]


@pytest.mark.parametrize("sent", [{"match": "SOME"}, {"states": [None]}, {"gender": []}])
def test_what_is_wrong_in_itself_is_said_before_what_is_stale(api, path, sent) -> None:
    problem_of(api.patch(path, sent, headers={"If-Match": '"other"'}), 400)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("sent", [{"description": "Mine"}, {"name": "Ladies"}])
def test_what_changes_between_the_check_and_the_write_is_not_overwritten(
    api, brevo, segment, path, monkeypatch, sent
) -> None:
    real = segments.recorded

    def while_somebody_else_writes(instance, *, by) -> Any:
        Segment.objects.filter(pk=instance.pk).update(definition=definition(states=["Oyo"]))
        return real(instance, by=by)

    monkeypatch.setattr(segments, "recorded", while_somebody_else_writes)
    tag = api.get(path)["ETag"]

    problem_of(api.patch(path, sent, headers={"If-Match": tag}), 412)

    segment.refresh_from_db()
    assert (segment.name, segment.description, segment.states) == ("Women", "", ["Oyo"])
    assert brevo.lists() == {segment.brevo_list_id: "Women"}


def test_a_patch_without_a_condition_writes_only_what_it_names(
    api, segment, path, monkeypatch
) -> None:
    real = segments.recorded

    def while_somebody_else_writes(instance, *, by) -> Any:
        Segment.objects.filter(pk=instance.pk).update(
            definition=definition(states=["Oyo"]), brevo_list_id=4711
        )
        return real(instance, by=by)

    monkeypatch.setattr(segments, "recorded", while_somebody_else_writes)

    shown = api.patch(path, {"description": "Mine"}).json()

    segment.refresh_from_db()
    assert (segment.description, segment.states) == ("Mine", ["Oyo"])
    assert segment.brevo_list_id == 4711
    assert shown["states"] == ["Oyo"]
    assert segment.revisions.get().changes == {"description": ["", "Mine"]}


@pytest.mark.parametrize("method", WRITES)
def test_where_a_condition_is_demanded_a_write_without_one_is_refused(
    api, path, settings, method
) -> None:
    settings.API_REQUIRE_IF_MATCH = True
    problem = problem_of(write(api, method, path), 428)
    assert problem["type"] == "urn:problem:if-match-required"
    assert write(api, method, path, **{"If-Match": api.get(path)["ETag"]}).status_code < 300


def test_where_a_condition_is_demanded_new_rows_and_syncs_need_none(
    api, brevo, path, settings
) -> None:
    settings.API_REQUIRE_IF_MATCH = True
    assert api.post(SEGMENTS, {"name": "Men", "gender": ["MALE"]}).status_code == 201
    assert api.post(f"{path}sync/", {}).status_code == 200


def test_a_sync_of_another_definition_than_the_caller_has_seen_is_refused(api, path) -> None:
    tag = api.get(path)["ETag"]
    api.patch(path, {"states": ["Lagos"]})
    problem_of(api.post(f"{path}sync/", {}, headers={"If-Match": tag}), 412)


@pytest.mark.parametrize("prefix", ["", "W/"])
def test_what_the_caller_has_already_is_not_sent_again(api, path, prefix) -> None:
    tag = api.get(path)["ETag"]
    answer = api.get(path, headers={"If-None-Match": f"{prefix}{tag}"})
    assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", tag)
    api.patch(path, {"states": ["Lagos"]})
    assert api.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_a_suppression_is_not_lifted_by_who_has_not_seen_what_became_of_it(api) -> None:
    made = api.post(SUPPRESSIONS, {"email": "a@example.com", "reason": "BOUNCED"})
    path, tag = made["Location"], made["ETag"]
    assert tag == api.get(path)["ETag"]
    Suppression.objects.update(reason="COMPLAINED")

    problem_of(api.delete(path, headers={"If-Match": tag}), 412)
    problem_of(api.patch(path, {"note": "x"}, headers={"If-Match": tag}), 412)

    assert Suppression.objects.get().note == ""
    tag = api.patch(path, {"note": "x"}, headers={"If-Match": api.get(path)["ETag"]})["ETag"]
    assert api.delete(path, headers={"If-Match": tag}).status_code == 204
