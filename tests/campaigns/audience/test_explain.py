import pytest

from accounts.enums import Role
from accounts.models import User
from campaigns.audience.definition import NO_CRITERIA_MESSAGE
from campaigns.audience.explain import memberships, sentence, sentences_of, why
from campaigns.errors import SegmentBroken
from properties.enums import EnrollmentStatus
from tests.factories import (
    definition,
    make_enrollment,
    make_property,
    make_segment,
    make_segment_unchecked,
    make_segment_unsaved,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("flat", "expected"),
    [
        ({"gender": ["FEMALE"]}, "Customers who are women."),
        (
            {"gender": ["FEMALE"], "countries": ["NG"], "states": ["Lagos", "Abuja"]},
            "Customers who are women and live in Nigeria (Lagos or Abuja).",
        ),
        (
            {
                "match": "ANY",
                "gender": ["FEMALE"],
                "countries": ["NG"],
                "states": ["Lagos", "Abuja"],
            },
            "Customers who are women, or live in Nigeria, or live in Lagos or Abuja.",
        ),
        (
            {"states": ["a", "b", "c"], "traffic_sources": ["a", "b", "c", "d"]},
            "Customers who live in a, b or c and came in through a, b or one of 2 others.",
        ),
        (
            {"properties": [10**6]},
            "Customers who are enrolled in property 1000000 (gone).",
        ),
        (
            {},
            f"We can't tell who this is: {NO_CRITERIA_MESSAGE}",
        ),
        (
            {"gender": "FEMALE"},
            "We can't tell who this is: Gender: write a list of values.",
        ),
    ],
)
def test_a_definition_reads_as_a_sentence(flat, expected) -> None:
    assert sentence(definition(flat)) == expected


def test_groups_and_negations_read_as_a_sentence() -> None:
    lagos = {"criterion": "states", "any_of": ["Lagos"]}
    women = {"criterion": "gender", "any_of": ["FEMALE"]}
    not_radio = {"criterion": "traffic_sources", "none_of": ["Radio", "TV"]}

    def group(match, *conditions):
        return {"match": match, "conditions": list(conditions)}

    assert [
        sentence(group("ALL", lagos, not_radio)),
        sentence(group("ALL", lagos, group("ANY", women, not_radio))),
        sentence(group("ANY", women, group("ALL", lagos, not_radio))),
    ] == [
        "Customers who live in Lagos and did not come in through Radio or TV.",
        "Customers who live in Lagos and (are women, or did not come in through Radio or TV).",
        "Customers who are women, or (live in Lagos and did not come in through Radio or TV).",
    ]


def test_why_follows_into_groups_and_says_what_is_unknown(scene) -> None:
    scene.bob.state = ""
    scene.bob.save()
    inner = [
        {"criterion": "gender", "any_of": ["MALE"]},
        {"criterion": "states", "none_of": ["Lagos"]},
    ]
    grouped = {"match": "ALL", "conditions": [{"match": "ANY", "conditions": inner}]}

    (answer,) = why(scene.bob, grouped)

    assert (answer.key, answer.matched) == ("group", True)
    assert answer.fact == "meets any of 2 conditions"
    assert [(each.matched, each.fact) for each in answer.answers] == [
        (True, "is a man"),
        (False, "has no state on record"),
    ]


def test_a_sentence_names_what_ids_stand_for(scene) -> None:
    assert sentence(make_segment_unsaved(**scene.everything)) == (
        "Customers who are women, are enrolled in Palm Court, live in Nigeria (Lagos), came in "
        "through Instagram, are served by Ngozi Eze and were referred by Homes Ltd."
    )


def test_a_sentence_shortens_long_lists_without_loading_the_names_left_out(
    django_assert_num_queries,
) -> None:
    ids = [make_property(f"P{number}").pk for number in range(14)]

    with django_assert_num_queries(1) as queries:
        told = sentence(definition(properties=ids))

    assert told == "Customers who are enrolled in P0, P1 or one of 12 others."
    assert f", {ids[2]})" not in queries.captured_queries[0]["sql"]


@pytest.mark.parametrize("number", [1, 4])
def test_sentences_of_many_segments_cost_as_many_queries_as_of_one(
    scene, number, django_assert_num_queries
) -> None:
    segments = [make_segment(**scene.everything) for _ in range(number)]

    with django_assert_num_queries(3):
        told = sentences_of(segments)

    assert told == {segment.pk: sentence(segment) for segment in segments}


def test_why_answers_each_criterion_with_the_fact(scene) -> None:
    segment = make_segment(**scene.everything)

    ada, bob = why(scene.ada, segment), why(scene.bob, segment)

    assert [(answer.key, answer.matched, answer.fact) for answer in ada] == [
        ("gender", True, "is a woman"),
        ("properties", True, "is enrolled in Palm Court"),
        ("countries", True, "lives in Nigeria"),
        ("states", True, "lives in Lagos"),
        ("traffic_sources", True, "came in through Instagram"),
        ("agents", True, "is served by Ngozi Eze"),
        ("partners", True, "was referred by Homes Ltd"),
    ]
    assert [(answer.matched, answer.fact) for answer in bob] == [
        (False, "is a man, not a woman"),
        (False, "is enrolled in Sea View, not in Palm Court"),
        (False, "lives in Ghana, not in Nigeria"),
        (False, "lives in Accra, not in Lagos"),
        (False, "did not come in through Instagram"),
        (False, "is not served by Ngozi Eze"),
        (False, "was not referred by Homes Ltd"),
    ]


def test_why_reads_the_rows_as_they_are_now(scene) -> None:
    stale = User.objects.prefetch_related("enrollments").get(pk=scene.ada.pk)
    scene.ada.enrollments.update(status=EnrollmentStatus.CANCELLED)

    (answer,) = why(stale, definition(properties=[scene.palm.pk]))

    assert (answer.matched, answer.fact) == (False, "is not enrolled in Palm Court")


def test_why_says_first_that_somebody_is_no_customer(scene) -> None:
    agent = make_user(gender="FEMALE", role=Role.AGENT)
    left = make_user(gender="FEMALE", is_active=False)

    facts = [why(user, definition(gender=["FEMALE"]))[0].fact for user in (agent, left)]

    assert facts == [
        "is an active agent, not an active client or partner",
        "is an inactive client, not an active client or partner",
    ]


@pytest.mark.parametrize("number", [1, 4])
def test_why_costs_the_same_however_many_rows_the_user_has(
    scene, number, django_assert_num_queries
) -> None:
    for _ in range(number):
        make_enrollment(user=scene.ada, agent=scene.agent)
    segment = make_segment(**scene.everything)

    with django_assert_num_queries(12):
        why(scene.ada, segment)


def test_why_refuses_a_broken_segment(scene) -> None:
    with pytest.raises(SegmentBroken):
        why(scene.ada, definition(properties=[10**6]))


def test_memberships_say_in_out_or_unknown_for_every_segment(scene) -> None:
    women = make_segment(name="A women")
    men = make_segment(name="B men", gender=["MALE"])
    broken = make_segment_unchecked(properties=[10**6])

    found = memberships(scene.ada)

    assert [(item.segment, item.is_in) for item in found] == [
        (women, True),
        (men, False),
        (broken, None),
    ]
    assert found[2].problems == [f"Property {10**6} no longer exists."]


def test_nobody_but_a_customer_is_in_any_segment(scene) -> None:
    make_segment(gender=["MALE", "FEMALE", "PREFER_NOT_TO_SAY"])

    assert [item.is_in for item in memberships(scene.agent)] == [False]
