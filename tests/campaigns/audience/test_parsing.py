import json

import pytest

from campaigns.audience.conditions import Condition, Group
from campaigns.audience.parsing import MAX_CONDITIONS, definition_of, parse
from tests.factories import make_segment_unsaved

LAGOS = {"criterion": "states", "any_of": ["Lagos"]}
NOT_MEN = {"criterion": "gender", "none_of": ["MALE"]}


def group(*conditions, match="ALL"):
    return {"match": match, "conditions": list(conditions)}


def test_a_definition_is_parsed_into_frozen_values_and_back() -> None:
    raw = group(LAGOS, NOT_MEN, group(LAGOS, NOT_MEN, match="ANY"))

    definition = parse(raw)

    assert definition.mistakes == ()
    assert definition.group.as_json() == raw
    lagos, not_men, inner = definition.group.entries
    assert isinstance(lagos, Condition)
    assert (lagos.criterion.key, lagos.operator.key, lagos.values) == (
        "states",
        "any_of",
        ("Lagos",),
    )
    assert isinstance(not_men, Condition)
    assert isinstance(inner, Group)
    assert [path for path, _ in definition.group.placed()] == [(0,), (1,), (2, 0), (2, 1)]
    hash(definition.group)


@pytest.mark.parametrize(
    ("raw", "path", "word"),
    [
        (None, (), "not a group"),
        ([], (), "not a group"),
        ("ALL", (), "not a group"),
        ({"match": "ALL", "conditions": "x"}, (), "Conditions: write a list"),
        ({"match": "ALL", "conditions": [LAGOS], "states": ["Lagos"]}, (), "A group has no"),
        (group(LAGOS, match="SOME"), (), "choose ALL or ANY"),
        (group(LAGOS, match=["ALL"]), (), "choose ALL or ANY"),
        (group(LAGOS, 7), (1,), "is not a condition"),
        (group(LAGOS, None), (1,), "is not a condition"),
        (group({}), (0,), "There is no criterion null"),
        (group({"criterion": "colour", "any_of": ["red"]}), (0,), "There is no criterion “colour”"),
        (group({"criterion": ["states"], "any_of": ["red"]}), (0,), "There is no criterion"),
        (group({"criterion": "states"}), (0,), "States: it has no operator: write one of any_of"),
        (group(LAGOS | {"none_of": ["Abuja"]}), (0,), "States: it has more than one operator"),
        (group({"criterion": "states", "between": [1, 2]}), (0,), "does not take “between”"),
        (group({"criterion": "states", "any_of": []}), (0,), "choose at least one value"),
        (group(group(LAGOS), group()), (1,), "A group is empty"),
        (group(group(LAGOS, group(LAGOS))), (0, 1), "cannot stand in a group inside another"),
        (group(group(LAGOS, {"criterion": "gender"})), (0, 1), "Gender: it has no operator"),
    ],
)
def test_what_cannot_be_understood_is_a_mistake_at_its_place(raw, path, word) -> None:
    (mistake,) = parse(raw).mistakes

    assert mistake.path == path
    assert word in mistake.error.messages[0]


def test_mistakes_are_all_reported_with_the_places_that_programs_use() -> None:
    definition = parse(group(7, group({"criterion": "states"}, match="SOME")))

    assert [mistake.place for mistake in definition.mistakes] == [
        "conditions[0]",
        "conditions[1].match",
        "conditions[1].conditions[0]",
    ]


def test_more_conditions_than_the_limit_are_refused_wherever_they_stand() -> None:
    half = [LAGOS] * (MAX_CONDITIONS // 2)

    assert not parse(group(*half, group(*half))).mistakes
    (mistake,) = parse(group(*half, LAGOS, group(*half))).mistakes
    assert f"keep at most {MAX_CONDITIONS}" in mistake.error.messages[0]


def test_a_segment_is_parsed_once_until_its_definition_changes() -> None:
    segment = make_segment_unsaved(states=["Lagos"])
    first = definition_of(segment)

    assert definition_of(segment) is first
    segment.states = ["Abuja"]
    assert [condition.values for condition in definition_of(segment).conditions()] == [("Abuja",)]


def test_true_is_not_taken_for_the_1_that_was_parsed_before() -> None:
    segment = make_segment_unsaved(properties=[1])
    assert not definition_of(segment).mistakes

    segment.definition = json.loads(json.dumps(segment.definition).replace("[1]", "[true]"))

    assert definition_of(segment).mistakes
