import pytest

from campaigns.models.flat import any_of, with_any_of, with_match
from tests.factories import definition, make_segment

OTHERS = [
    {"criterion": "gender", "none_of": ["MALE"]},
    {"match": "ANY", "conditions": [{"criterion": "states", "any_of": ["Oyo"]}]},
]


def group(*conditions):
    return {"match": "ALL", "conditions": list(conditions)}


def test_a_flat_name_is_a_view_of_the_condition_at_the_top_alone() -> None:
    held = group({"criterion": "states", "any_of": ["Lagos"]}, *OTHERS)

    assert any_of("states", held) == ["Lagos"]
    assert any_of("gender", held) == []


def test_writing_a_flat_name_leaves_all_other_conditions_alone() -> None:
    held = group({"criterion": "states", "any_of": ["Lagos"]}, *OTHERS)

    assert with_any_of("states", held, ["Abuja"]) == group(
        *OTHERS, {"criterion": "states", "any_of": ["Abuja"]}
    )
    assert with_any_of("states", held, []) == group(*OTHERS)
    assert with_match(held, "ANY")["conditions"] == held["conditions"]


def test_flat_names_stand_in_one_order_whoever_wrote_first() -> None:
    one = definition(states=["Lagos"], gender=["FEMALE"])
    other = definition(gender=["FEMALE"], states=["Lagos"])

    assert one == other


def test_several_conditions_on_one_criterion_are_shown_together_and_kept_when_sent_back() -> None:
    lagos, oyo = ({"criterion": "states", "any_of": [state]} for state in ("Lagos", "Oyo"))
    held = group(lagos, oyo)

    assert any_of("states", held) == ["Lagos", "Oyo"]
    assert with_any_of("states", held, ["Lagos", "Oyo"]) == held
    assert any_of("states", with_any_of("states", held, ["Kano"])) == ["Kano"]


@pytest.mark.parametrize("spoilt", [None, [], "x", 7, {"conditions": 7}, {"conditions": [7, None]}])
def test_a_spoilt_definition_raises_nothing_and_can_be_replaced(spoilt) -> None:
    assert any_of("states", spoilt) == []

    assert any_of("states", with_any_of("states", spoilt, ["Lagos"])) == ["Lagos"]


def test_a_true_in_place_of_a_1_is_a_change() -> None:
    held = definition(properties=[1])

    assert any_of("properties", with_any_of("properties", held, [True]))[0] is True


@pytest.mark.django_db
def test_saving_a_flat_name_alone_saves_the_definition() -> None:
    segment = make_segment(states=["Lagos"])
    segment.states = ["Abuja"]

    segment.save(update_fields=["states"])

    segment.refresh_from_db()
    assert segment.states == ["Abuja"]
