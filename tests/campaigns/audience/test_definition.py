import pytest
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from campaigns.audience.criteria import CRITERIA
from campaigns.audience.definition import (
    NO_CRITERIA,
    NO_CRITERIA_MESSAGE,
    problems,
    problems_of,
    validate,
)
from campaigns.models.flat import FLAT_NAMES
from tests.factories import definition, make_segment, make_segment_unchecked, make_segment_unsaved

pytestmark = pytest.mark.django_db

NOTHING = {key: [] for key in FLAT_NAMES}


def refusal(segment) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        validate(segment)
    return caught.value.message_dict


def test_a_sound_segment_validates_and_keeps_its_cleaned_values(scene) -> None:
    segment = make_segment_unsaved(name="  Women   in Lagos ", countries=["ng"], states=["a", "A"])

    validate(segment)

    assert (segment.name, segment.countries, segment.states) == ("Women in Lagos", ["NG"], ["a"])
    assert segment.gender == []


def test_a_saved_segment_may_keep_its_own_name() -> None:
    segment = make_segment(name="Women")
    segment.name = "WOMEN"

    validate(segment)


def test_a_name_taken_in_another_case_is_reported_on_the_name() -> None:
    make_segment(name="Étudiants à Lagos")

    assert refusal(make_segment_unsaved(name="ÉTUDIANTS  à lagos")) == {
        "name": ["A segment named “Étudiants à Lagos” exists already: choose another name."]
    }


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "Give the segment a name."),
        (" \t ", "Give the segment a name."),
        ("\u200b\u202e", "Give the segment a name."),
        ("x" * 151, "The name has 151 characters: shorten it to 150."),
        ("a\x00b", "The name holds a character that cannot be stored: remove it."),
        ("a\ud800", "The name holds a character that cannot be stored: remove it."),
        (None, "The name must be a text."),
        (7, "The name must be a text."),
    ],
)
def test_a_name_that_cannot_be_kept_is_refused_with_the_remedy(name, message) -> None:
    segment = make_segment_unsaved()
    segment.name = name

    assert refusal(segment) == {"name": [message]}


def test_a_description_that_cannot_be_kept_is_refused() -> None:
    assert list(refusal(make_segment_unsaved(description="a\x00"))) == ["description"]
    assert refusal(make_segment_unsaved(description="x" * 2001)) == {
        "description": ["The description has 2001 characters: shorten it to 2000."]
    }


@pytest.mark.parametrize("match", ["SOME", "all", "", None, 1, ["ALL"]])
def test_an_unknown_match_is_refused_with_the_choices(match) -> None:
    message = refusal(make_segment_unsaved(match=match))["match"][0]

    assert message.endswith("is unknown: choose ALL or ANY.")


@pytest.mark.parametrize("is_saved", [False, True])
def test_no_criterion_is_refused_on_create_and_on_update(is_saved) -> None:
    segment = make_segment() if is_saved else make_segment_unsaved()
    for key in FLAT_NAMES:
        setattr(segment, key, [])

    with pytest.raises(ValidationError) as caught:
        validate(segment)

    (error,) = caught.value.error_dict[NON_FIELD_ERRORS]
    assert (error.code, error.messages) == (NO_CRITERIA, [NO_CRITERIA_MESSAGE])
    assert list(caught.value.error_dict) == [NON_FIELD_ERRORS]


def test_a_refused_criterion_is_not_also_called_missing() -> None:
    assert list(refusal(make_segment_unsaved(countries=["XX"]))) == ["countries"]


def test_every_field_is_reported_at_once(scene) -> None:
    segment = make_segment_unsaved(
        name="", match="SOME", gender=["ROBOT"], properties=[999_999], states="Lagos"
    )

    assert set(refusal(segment)) == {"gender", "states", "match", "properties", "name"}


@pytest.mark.parametrize("key", ["properties", "agents", "partners"])
def test_a_reference_must_exist_when_it_is_saved(key) -> None:
    (message,) = refusal(make_segment_unsaved(**{key: [999_999]}))[key]

    noun = CRITERIA[key].answers.values.noun.capitalize()
    assert message == f"{noun} 999999 no longer exists. Remove it or choose another."


@pytest.mark.parametrize("key", FLAT_NAMES)
@pytest.mark.parametrize(
    "json", ["", "NG", 0, 7, False, True, None, {}, {"a": 1}, [None], [{}], [[]], [1.5], [True]]
)
def test_malformed_json_in_any_field_breaks_a_segment_and_never_crashes(scene, key, json) -> None:
    segment = make_segment_unchecked(**{**scene.everything, key: json})

    (problem,) = problems(segment)

    assert problem.startswith(f"{CRITERIA[key].label}: ")
    assert problems_of([segment]) == {segment.pk: [problem]}


def test_a_segment_left_without_criteria_is_broken() -> None:
    assert problems(make_segment_unsaved(**NOTHING)) == [NO_CRITERIA_MESSAGE]
    assert problems({"match": "ANY", "conditions": []}) == [NO_CRITERIA_MESSAGE]


def test_a_sound_segment_has_no_problems(scene) -> None:
    assert problems(make_segment(**scene.everything)) == []


@pytest.mark.parametrize("number", [1, 5])
def test_problems_of_many_segments_cost_as_many_queries_as_of_one(
    scene, number, django_assert_num_queries
) -> None:
    sound = [make_segment(**scene.everything) for _ in range(number)]
    broken = [
        make_segment_unchecked(**scene.everything | {"properties": [10**6 + n]})
        for n in range(number)
    ]

    with django_assert_num_queries(
        4
    ):  # a query for each kind of row, and the names of deleted ones
        found = problems_of([*sound, *broken])

    assert [found[segment.pk] for segment in sound] == [[]] * number
    assert [found[segment.pk] for segment in broken] == [
        [f"Property {10**6 + n} no longer exists."] for n in range(number)
    ]


def test_more_ids_than_a_database_takes_in_one_query_are_still_checked(monkeypatch, scene) -> None:
    monkeypatch.setattr("campaigns.audience.criteria.references.IDS_IN_ONE_QUERY", 1)
    both = [scene.palm.pk, scene.sea.pk, 10**6]

    assert problems(definition(properties=both)) == [f"Property {10**6} no longer exists."]
