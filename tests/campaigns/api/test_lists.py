import json
from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import User
from campaigns.enums import ExportStatus
from campaigns.models import Segment, SegmentExport
from tests.campaigns.api.reading import fields, problem_of
from tests.factories import definition, make_agent, make_manager, make_property

pytestmark = pytest.mark.django_db
SEGMENTS = "/api/campaigns/segments/"


def saved(name: str, **fields: object) -> Segment:
    """Make a segment without asking Brevo."""
    segment = Segment(**{"name": name, "gender": ["FEMALE"]} | fields)
    Segment.objects.bulk_create([segment])
    return segment


def names(response) -> list[str]:
    assert response.status_code == 200, response.content
    return [segment["name"] for segment in response.json()["results"]]


@pytest.mark.parametrize("number", [1, 100])
def test_a_page_of_segments_costs_the_same_however_long_it_is(
    api, admin, number, django_assert_num_queries
):
    agent, palm = make_agent(), make_property()
    for index in range(number):
        saved(f"S{index}", created_by=admin, agents=[agent.pk], properties=[palm.pk])

    with django_assert_num_queries(4):  # count, page, and one for each kind of id
        answer = api.get(f"{SEGMENTS}?page_size=100").json()

    assert (answer["count"], len(answer["results"])) == (number, number)


def test_pages_have_numbers_and_links(api):
    for index in range(5):
        saved(f"S{index}")

    answer = api.get(f"{SEGMENTS}?page=2&page_size=2").json()

    assert [segment["name"] for segment in answer["results"]] == ["S2", "S3"]
    assert names(api.get(answer["next"])) == ["S4"]
    assert names(api.get(answer["previous"])) == ["S0", "S1"]


@pytest.mark.parametrize("page", ["0", "-1", "2", "x", "9" * 30, "9" * 5000, "%00"])
def test_a_page_that_is_not_there_is_not_found(api, page):
    problem_of(api.get(f"{SEGMENTS}?page={page}"), 404)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page_size=0", "page_size"),
        ("page_size=101", "page_size"),
        ("ordering=shoe_size", "ordering"),
        ("state=happy", "state"),
        ("match=SOME", "match"),
        ("created_by=ada", "created_by"),
        ("created_by=99999999999999999999", "created_by"),
        ("search=%00", "search"),
        ("gender=BOTH", "gender"),
        ("properties=palm", "properties"),
        ("countries=Nigeria", "countries"),
        ("states=%00", "states"),
        ("gender=100%25%20%s", "gender"),
        ("ordering=%25(x)s", "ordering"),
        ("genders=MALE", "genders"),
        ("cursor=1", "cursor"),
        ("gender=", "gender"),
        ("states=Lagos&states=+", "states"),
        ("match=", "match"),
        ("created_by=", "created_by"),
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused(api, query, field):
    assert [name for name, _ in fields(problem_of(api.get(f"{SEGMENTS}?{query}"), 400))] == [field]


def test_search_finds_every_word_in_name_or_description_whatever_its_case(api):
    saved("ÉMIGRÉES à Lagos", description="Spring offer")
    saved("Men in Lagos")

    assert names(api.get(f"{SEGMENTS}?search=émigrées+SPRING")) == ["ÉMIGRÉES à Lagos"]
    assert names(api.get(f"{SEGMENTS}?search=lagos+offer+men")) == []
    assert len(names(api.get(f"{SEGMENTS}?search=LAGOS"))) == 2
    assert len(names(api.get(f"{SEGMENTS}?search="))) == 2


def test_ordering_is_by_name_whatever_its_case_unless_told(api):
    for name, size in (("b", 3), ("A", 1), ("c", 2)):
        saved(name, mailable_size=size)

    assert names(api.get(SEGMENTS)) == ["A", "b", "c"]
    assert names(api.get(f"{SEGMENTS}?ordering=-name")) == ["c", "b", "A"]
    assert names(api.get(f"{SEGMENTS}?ordering=mailable_size")) == ["A", "c", "b"]


def test_segments_are_found_by_who_made_them(api, admin):
    saved("Mine", created_by=admin)
    saved("Theirs", created_by=make_manager())

    assert names(api.get(f"{SEGMENTS}?created_by={admin.pk}")) == ["Mine"]
    assert names(api.get(f"{SEGMENTS}?created_by=404404")) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("gender=male", {"Men", "All"}),
        ("gender=MALE&gender=FEMALE", {"Men", "All", "Women"}),
        ("countries=ng", {"Men"}),
        ("states=LAGOS", {"Men"}),
        ("states=éKITI", {"All"}),
        ("traffic_sources=radio", {"Women"}),
        ("properties=12", {"Women"}),
        ("properties=1", set()),
        ("agents=7&partners=8", {"All"}),
        ("gender=MALE&countries=NG", {"Men"}),
        ("match=ANY", {"All"}),
    ],
)
def test_criterion_filters_keep_segments_that_ask_for_one_of_the_values(api, query, expected):
    saved("Men", gender=["MALE"], countries=["NG", "GH"], states=["Lagos"])
    saved("Women", gender=["FEMALE"], traffic_sources=["Radio 1", "RADIO"], properties=[12])
    saved(
        "All",
        match="ANY",
        gender=["MALE", "FEMALE"],
        states=["Ékiti"],
        agents=[7],
        partners=[8],
    )

    assert set(names(api.get(f"{SEGMENTS}?{query}"))) == expected


@pytest.fixture
def in_every_state(db) -> None:
    def with_runs(name: str, *statuses: ExportStatus, **fields: object) -> None:
        segment = saved(name, **fields)
        for status in statuses:
            SegmentExport.objects.create(
                segment=segment, segment_name=name, status=status, plan_only=status == "PLANNED"
            )

    good, bad = ExportStatus.SUCCESS, ExportStatus.FAILED
    with_runs("new")
    with_runs("planned", ExportStatus.PLANNED)
    with_runs("good", bad, good, ExportStatus.PLANNED)
    with_runs("bad", good, bad)
    with_runs("partial", ExportStatus.PARTIAL)
    with_runs("never good", bad)
    with_runs("at work", good, ExportStatus.RUNNING)
    with_runs("waiting", good, ExportStatus.WAITING)
    with_runs("broken", good, agents=[4711])


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("synced", {"good", "at work", "waiting", "broken"}),
        ("failed", {"bad", "partial", "never good"}),
        ("never_synced", {"new", "planned", "never good"}),
        ("running", {"at work"}),
        ("waiting", {"waiting"}),
        ("broken", {"broken"}),
    ],
)
def test_state_filters_follow_the_runs(api, in_every_state, state, expected):
    assert set(names(api.get(f"{SEGMENTS}?state={state}"))) == expected


@pytest.mark.parametrize("number", [1, 50])
def test_broken_segments_are_found_for_the_same_queries_however_many_there_are(
    api, number, django_assert_num_queries
):
    for index in range(number):
        saved(f"S{index}", agents=[4711 + index])

    with django_assert_num_queries(7):
        answer = api.get(f"{SEGMENTS}?state=broken&page_size=1").json()

    assert answer["count"] == number


@pytest.mark.parametrize("held", ["FEMALE", {"a": 1}, [["x"]], [None], 5])
def test_a_list_that_was_spoilt_spoils_no_page(api, held):
    spoilt = saved("Spoilt")
    Segment.objects.filter(pk=spoilt.pk).update(definition=definition(states=held))

    assert names(api.get(f"{SEGMENTS}?states=Lagos")) == []
    [shown] = api.get(SEGMENTS).json()["results"]
    assert shown["problems"]
    assert json.dumps(shown["states"]) == json.dumps(held)


def test_lists_go_on_when_who_made_them_is_gone(api):
    maker = make_manager()
    saved("Orphan", created_by=maker)
    User.objects.filter(pk=maker.pk).delete()

    assert api.get(SEGMENTS).json()["results"][0]["created_by"] is None


RUNS = "/api/campaigns/exports/"


def run_at(day: int) -> SegmentExport:
    """Make a run that was asked for on this day of May, and was over on the next."""
    export = SegmentExport.objects.create(segment_name=f"day {day}", status=ExportStatus.SUCCESS)
    moment = datetime(2026, 5, day, 12, tzinfo=UTC)
    times = {"exported_at": moment, "finished_at": moment + timedelta(days=1)}
    SegmentExport.objects.filter(pk=export.pk).update(**times)
    return export


def days(response) -> list[int]:
    assert response.status_code == 200, response.content
    return [int(run["segment_name"].split()[1]) for run in response.json()["results"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"exported_after": "2026-05-02T12:00:00Z"}, [3, 2]),
        ({"exported_before": "2026-05-02T12:00:00Z"}, [1]),
        ({"exported_after": "2026-05-02T14:00:00+03:00", "exported_before": "2026-05-03"}, [2]),
        ({"finished_after": "2026-05-03T12:00:00Z"}, [3, 2]),
        ({"finished_before": "2026-05-03T12:00:00Z", "ordering": "id"}, [1]),
        ({"ordering": "exported_at"}, [1, 2, 3]),
        ({"ordering": "-finished_at"}, [3, 2, 1]),
    ],
)
def test_runs_are_narrowed_by_when_they_were_and_ordered(api, query, found):
    for day in (1, 2, 3):
        run_at(day)
    assert days(api.get(RUNS, query)) == found


@pytest.mark.parametrize("name", ["exported_after", "finished_before", "ordering"])
def test_runs_are_not_narrowed_by_nonsense(api, name):
    problem = problem_of(api.get(RUNS, {name: "yesterday"}), 400)
    assert [field for field, _ in fields(problem)] == [name]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("segments/?match=ALL&match=ANY", "match"),
        ("segments/?search=a&search=b", "search"),
        ("segments/?ordering=name&ordering=id", "ordering"),
        ("segments/?page_size=1&page_size=2", "page_size"),
        ("segments/?created_by=1&created_by=2", "created_by"),
        ("exports/?plan_only=true&plan_only=false", "plan_only"),
    ],
)
def test_parameter_that_takes_one_value_is_refused_when_it_is_given_twice(api, path, name):
    answer = api.get(f"/api/campaigns/{path}")

    assert answer.status_code == 400
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(name, "duplicate")]


@pytest.mark.parametrize(
    "path", ["exports/?status=FAILED&status=SUCCESS", "segments/?countries=NG&countries=GH"]
)
def test_filter_that_takes_several_values_may_be_repeated(api, path):
    assert api.get(f"/api/campaigns/{path}").status_code == 200


@pytest.mark.parametrize("order", [",", "name,", ",name", "name,,id", "%20,%20"])
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_order_with_a_blank_part_is_no_fault(api, order, accept):
    answer = api.get(f"/api/campaigns/segments/?ordering={order}", headers={"accept": accept})

    assert answer.status_code == 400 or accept == "text/html"
    assert answer.status_code < 500
