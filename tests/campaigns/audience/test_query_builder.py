import pytest

from accounts.enums import Role
from accounts.models import User
from campaigns.audience.criteria import CRITERIA
from campaigns.audience.parsing import definition_of, parse
from campaigns.audience.query_builder import audience, condition_of
from campaigns.errors import SegmentBroken
from properties.enums import EnrollmentStatus, LeadStatus
from tests.factories import (
    definition,
    make_agent,
    make_enrollment,
    make_lead,
    make_segment,
    make_segment_unsaved,
    make_user,
)

NOTHING = [{}, {"match": "ALL"}, {"match": "ANY"}, {"match": "ANY", "conditions": []}]


@pytest.mark.parametrize("match", ["ALL", "ANY"])
def test_audience_of_all_criteria_together_lists_ada_once(scene, match) -> None:
    segment = make_segment(match=match, **scene.everything)

    assert list(audience(segment)) == [scene.ada]
    assert list(audience(segment.definition)) == [scene.ada]
    assert list(audience(make_segment_unsaved(match=match, **scene.everything))) == [scene.ada]


def test_all_demands_every_criterion_and_any_only_one(scene) -> None:
    criteria = {"gender": ["FEMALE"], "properties": [scene.sea.pk]}

    assert list(audience(definition(criteria))) == []
    assert set(audience(definition(match="ANY", **criteria))) == {scene.ada, scene.bob}


@pytest.mark.parametrize("key", CRITERIA)
def test_any_of_one_criterion_equals_all_of_it(scene, key) -> None:
    asked = [condition for condition in scene.conditions if condition["criterion"] == key]

    both = [list(audience({"match": match, "conditions": asked})) for match in ("ALL", "ANY")]

    assert both == [[scene.ada], [scene.ada]]


@pytest.mark.parametrize("match", ["ALL", "ANY"])
def test_several_enrolments_never_list_or_count_a_customer_twice(scene, match) -> None:
    for _ in range(3):
        make_enrollment(user=scene.ada, property=scene.palm, agent=scene.agent)
        make_enrollment(user=scene.ada, property=scene.sea, agent=scene.agent)
    asked = {"properties": [scene.palm.pk, scene.sea.pk], "agents": [scene.agent.pk]}

    members = audience(definition(match=match, **asked))

    assert list(members).count(scene.ada) == 1
    assert members.count() == len(list(members)) == len(set(members))


def test_cancelled_enrolments_say_nothing_and_a_new_one_counts_again(scene) -> None:
    bob, palm = scene.bob, scene.palm
    asked = {"properties": [palm.pk]}
    make_enrollment(user=bob, property=palm, status=EnrollmentStatus.CANCELLED)
    assert bob not in audience(definition(asked))

    make_enrollment(user=bob, property=palm, status=EnrollmentStatus.SUSPENDED)

    assert bob in audience(definition(asked))


def test_an_agent_counts_by_a_live_enrolment_or_a_closed_lead_only(scene) -> None:
    agent = make_agent()
    by_enrolment, by_lead, neither = make_user(), make_user(), make_user()
    make_enrollment(user=by_enrolment, agent=agent)
    make_lead(client=by_lead, closed_by=agent)
    make_lead(client=neither, closed_by=agent, status=LeadStatus.RESERVED)
    make_enrollment(user=neither, agent=agent, status=EnrollmentStatus.CANCELLED)

    assert set(audience(definition(agents=[agent.pk]))) == {by_enrolment, by_lead}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"role": Role.CLIENT}, True),
        ({"role": Role.PARTNER}, True),
        ({"role": Role.AGENT}, False),
        ({"role": Role.MANAGER}, False),
        ({"role": Role.ADMIN}, False),
        ({"role": Role.CLIENT, "is_active": False}, False),
    ],
)
@pytest.mark.parametrize("match", ["ALL", "ANY"])
def test_only_active_customers_are_ever_in_an_audience(scene, fields, expected, match) -> None:
    user = make_user(gender="FEMALE", **fields)
    make_enrollment(user=user, property=scene.palm)
    asked = {"gender": ["FEMALE"], "properties": [scene.palm.pk]}

    assert audience(definition(match=match, **asked)).filter(pk=user.pk).exists() is expected


@pytest.mark.parametrize("nothing", NOTHING, ids=repr)
def test_no_conditions_raise_and_never_mean_everyone(scene, nothing) -> None:
    for ask in (condition_of, audience):
        with pytest.raises(SegmentBroken, match="Choose at least one criterion"):
            ask(parse(nothing))


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("gender", "FEMALE", "Gender"),
        ("states", None, "States"),
        ("properties", [True], "Properties"),
        ("agents", {"1": 2}, "Agents"),
        ("match", "NONE", "Match"),
    ],
)
def test_a_malformed_part_breaks_the_whole_definition(scene, field, value, word) -> None:
    malformed = definition(countries=["NG"], **{field: value})

    with pytest.raises(SegmentBroken, match=word):
        condition_of(parse(malformed))
    with pytest.raises(SegmentBroken, match=word):
        audience(malformed)


@pytest.mark.parametrize("match", ["ALL", "ANY"])
def test_a_broken_reference_raises_with_every_problem_named(scene, match) -> None:
    segment = make_segment(match=match, **scene.everything)
    scene.palm.delete()
    User.objects.filter(pk=scene.agent.pk).update(role=Role.CLIENT)

    with pytest.raises(SegmentBroken) as caught:
        audience(segment)

    assert caught.value.problems == [
        f"Palm Court (property {scene.everything['properties'][0]}) no longer exists.",
        f"Ngozi Eze (agent {scene.agent.pk}) is no agent any more.",
    ]
    assert segment.name in str(caught.value)


@pytest.mark.parametrize("match", ["ALL", "ANY"])
def test_an_audience_costs_one_query_for_each_kind_of_reference_and_one_for_itself(
    scene, match, django_assert_num_queries
) -> None:
    segment = make_segment(match=match, **scene.everything)

    with django_assert_num_queries(4):
        list(audience(segment))
    with django_assert_num_queries(1):
        audience(definition(match=match, gender=["FEMALE"], states=["Lagos"])).count()


@pytest.mark.parametrize("match", ["ALL", "ANY"])
def test_the_condition_can_be_negated_without_losing_or_adding_anybody(scene, match) -> None:
    segment = make_segment_unsaved(match=match, **scene.everything)
    condition = condition_of(definition_of(segment))

    outside = User.objects.exclude(condition)

    assert set(outside) == set(User.objects.all()) - set(User.objects.filter(condition))


def test_an_audience_can_be_counted_ordered_sliced_and_filtered_further(scene) -> None:
    members = audience(
        definition(scene.everything | {"match": "ANY", "properties": [scene.sea.pk]})
    )

    assert not members.ordered
    assert list(members.order_by("first_name")[:1]) == [scene.ada]
    assert members.filter(first_name="Bob").count() == 1
