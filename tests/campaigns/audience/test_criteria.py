"""Contracts that each registered criterion keeps, and what is particular to some."""

from dataclasses import replace
from operator import attrgetter
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError

from accounts.enums import PartnershipStatus, Role
from accounts.models import User
from campaigns.audience.conditions import Condition
from campaigns.audience.criteria import CRITERIA, MAX_VALUES
from campaigns.audience.criteria.operators import AnyOf, NoneOf
from campaigns.audience.criteria.subjects import Moment
from campaigns.audience.definition import problems
from campaigns.audience.parsing import parse
from campaigns.models.flat import FLAT_NAMES
from tests.factories import make_agent, make_partner, make_property, make_user

each_criterion = pytest.mark.parametrize("criterion", CRITERIA.values(), ids=attrgetter("key"))
LISTS = [criterion for criterion in CRITERIA.values() if criterion.values is not None]
each_list = pytest.mark.parametrize("criterion", LISTS, ids=attrgetter("key"))
each_operator = pytest.mark.parametrize("operator", [AnyOf(), NoneOf()], ids=attrgetter("key"))


def offered(criterion, limit=3) -> list[Any]:
    return [value for value, _ in criterion.search("", limit)]


def clean(key: str, values: Any) -> list[Any]:
    """Return the stored values of a condition; raise what is wrong with it."""
    parsed = parse({"match": "ALL", "conditions": [{"criterion": key, "any_of": values}]})
    if parsed.mistakes:
        raise parsed.mistakes[0].error
    (condition,) = parsed.conditions()
    return list(condition.values)


def problems_of(key: str, values: list[Any]) -> list[str]:
    return problems({"match": "ALL", "conditions": [{"criterion": key, "any_of": values}]})


def test_every_flat_name_of_a_segment_has_its_criterion_with_lists() -> None:
    assert set(FLAT_NAMES) <= {criterion.key for criterion in LISTS}


def test_a_criterion_with_an_operator_that_cannot_ask_about_its_subject_is_refused() -> None:
    joined = Moment("date_joined")

    with pytest.raises(ImproperlyConfigured, match=r"any_of .* takes Answers, not Moment"):
        replace(CRITERIA["gender"], subject=joined)


@each_criterion
def test_the_scene_has_a_condition_for_every_criterion(criterion, scene) -> None:
    assert [one for one in scene.conditions if one["criterion"] == criterion.key]


@each_list
def test_what_a_criterion_offers_it_also_accepts_unchanged(criterion, scene) -> None:
    values = offered(criterion)

    assert values
    assert clean(criterion.key, values) == values
    assert problems_of(criterion.key, values) == []


@each_list
def test_cleaning_twice_changes_nothing_and_folds_duplicates(criterion, scene) -> None:
    values = offered(criterion)

    once = clean(criterion.key, [*values, *values])

    assert once == values == clean(criterion.key, once)


@each_list
@each_operator
def test_database_and_twin_agree_on_every_user_of_the_scene(criterion, operator, scene) -> None:
    for value in offered(criterion, 10):
        condition = Condition(criterion, operator, (value,))

        selected = set(User.objects.filter(condition.q()))

        assert selected == {user for user in User.objects.all() if condition.matches(user)}


@each_criterion
def test_a_condition_selects_ada_once_and_never_bob(criterion, scene) -> None:
    (raw,) = [one for one in scene.conditions if one["criterion"] == criterion.key]
    (condition,) = parse({"match": "ALL", "conditions": [raw]}).conditions()

    selected = list(User.objects.filter(condition.q()))

    assert condition.as_json() == raw
    assert selected.count(scene.ada) == 1
    assert scene.bob not in selected
    assert condition.matches(scene.ada)
    assert not condition.matches(scene.bob)


@each_criterion
def test_a_criterion_has_its_words_and_a_place_in_the_menu(criterion) -> None:
    assert criterion.label
    assert criterion.group
    assert criterion.help.endswith(".")
    assert len({operator.key for operator in criterion.operators}) == len(criterion.operators) > 0


@each_list
def test_closed_choices_are_all_found_and_open_ones_are_searched(criterion, scene) -> None:
    choices = criterion.choices()

    assert choices is None or criterion.search("", len(choices)) == choices
    assert criterion.search("no such thing\x00") == []
    assert criterion.search("%_%_%") == []


@each_list
@each_operator
@pytest.mark.parametrize(
    "malformed",
    ["Lagos", None, 7, True, {"a": 1}, [], [None], [True], [1.5], [["NG"]], [{}], [""], ["  "]],
    ids=repr,
)
def test_a_criterion_refuses_what_is_no_list_of_its_values(criterion, operator, malformed) -> None:
    raw = {"criterion": criterion.key, operator.key: malformed}

    (mistake,) = parse({"match": "ALL", "conditions": [raw]}).mistakes

    assert mistake.error.messages[0].startswith(f"{criterion.label}: ")
    assert (mistake.path, mistake.operator) == ((0,), operator.key)


@each_list
@pytest.mark.parametrize(
    "poison", ["a\x00b", "a\ud800b", "ß" * 101, 10**30, -1, 10**5000], ids=range(6)
)
def test_a_criterion_refuses_values_that_a_database_would_choke_on(criterion, poison) -> None:
    with pytest.raises(ValidationError) as caught:
        clean(criterion.key, [poison])

    caught.value.messages[0].encode()


@pytest.mark.parametrize("key", ["properties", "agents", "partners"])
@pytest.mark.parametrize("value", [0, 2**63, "٣", "1.0", "1e3", "²", "+1", "9" * 20])
def test_a_reference_refuses_what_is_no_id(key, value) -> None:
    with pytest.raises(ValidationError, match="write a whole number"):
        clean(key, [value])


@each_list
def test_a_criterion_refuses_more_values_than_its_limit(criterion, scene) -> None:
    value = offered(criterion, 1)[0]

    assert clean(criterion.key, [value] * MAX_VALUES) == [value]
    with pytest.raises(ValidationError, match=f"keep at most {MAX_VALUES}"):
        clean(criterion.key, [value] * (MAX_VALUES + 1))


@pytest.mark.parametrize(
    ("key", "given", "stored"),
    [
        ("gender", ["female", "FEMALE"], ["FEMALE"]),
        ("countries", [" ng ", "GH"], ["NG", "GH"]),
        ("states", ["  Akwa   Ibom ", "AKWA IBOM"], ["Akwa Ibom"]),
        ("traffic_sources", ["ÉTAT", "état"], ["ÉTAT"]),
        ("properties", ["17", 17, 18], [17, 18]),
    ],
)
def test_cleaning_brings_values_to_the_form_that_is_stored(key, given, stored) -> None:
    assert clean(key, given) == stored


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "gender",
            "ROBOT",
            "Gender: “ROBOT” is unknown: choose MALE, FEMALE or PREFER_NOT_TO_SAY.",
        ),
        (
            "countries",
            "ß",
            (
                "Countries: “ß” is unknown: write the two letters of a country in ISO 3166-1, "
                "such as NG."
            ),
        ),
        ("agents", True, "Agents: true is not the id of an agent: write a whole number."),
        (
            "states",
            "a\x00",
            "States: “a\\x00” holds a character that cannot be stored: remove it.",
        ),
    ],
)
def test_a_refusal_names_the_field_the_value_and_the_remedy(key, value, message) -> None:
    with pytest.raises(ValidationError) as caught:
        clean(key, [value])

    assert caught.value.messages == [message]


def test_all_bad_values_are_reported_together() -> None:
    with pytest.raises(ValidationError) as caught:
        clean("countries", ["XX", "NG", "YY"])

    assert len(caught.value.messages) == 2


def test_a_deleted_property_is_named_as_a_problem(db) -> None:
    palm = make_property("Palm Court")
    gone = palm.pk
    palm.delete()

    assert problems_of("properties", [gone]) == [f"Palm Court (property {gone}) no longer exists."]


def test_only_users_with_the_role_are_relied_on_as_agents(db) -> None:
    serving = make_agent(is_active=False)
    promoted = make_user(role=Role.MANAGER, first_name="Chidi", last_name="Obi")

    problems = problems_of("agents", [serving.pk, promoted.pk])

    assert problems == [f"Chidi Obi (agent {promoted.pk}) is no agent any more."]


@pytest.mark.parametrize(
    ("partner", "trouble"),
    [
        ({"status": PartnershipStatus.REJECTED}, "has no approved partnership"),
        ({"status": PartnershipStatus.AWAITING_APPROVAL}, "has no approved partnership"),
        ({"suspended": True}, "is suspended as a partner"),
    ],
)
def test_only_approved_partners_that_are_not_suspended_are_relied_on(db, partner, trouble) -> None:
    fine, other = make_partner(), make_partner(first_name="Homes", **partner)

    problems = problems_of("partners", [fine.pk, other.pk])

    assert problems == [f"Homes (partner {other.pk}) {trouble}."]
    assert [value for value, _ in CRITERIA["partners"].search("")] == [fine.pk]


def test_a_partner_without_any_partnership_is_a_problem(db) -> None:
    user = make_user(role=Role.PARTNER)

    assert len(problems_of("partners", [user.pk])) == 1


def test_people_are_found_by_parts_of_name_and_address(db) -> None:
    eze = make_agent(first_name="Ngozi", last_name="Eze", email="Ngozi@Homes.test")
    make_agent(first_name="Ngozi", last_name="Obi", email="obi@homes.test")
    nameless = make_agent(email="desk@homes.test")
    agents = CRITERIA["agents"]

    assert agents.search("ngo EZE") == [(eze.pk, "Ngozi Eze (Ngozi@Homes.test)")]
    assert agents.search("DESK@") == [(nameless.pk, "desk@homes.test")]
    assert len(agents.search("homes", 2)) == 2


def test_texts_are_offered_once_however_customers_spell_them(db) -> None:
    for state in ("Lagos", "LAGOS", "Abuja", ""):
        make_user(state=state)
    make_agent(state="Kano")

    assert [value for value, _ in CRITERIA["states"].search("")] == ["Abuja", "Lagos"]
    assert [value for value, _ in CRITERIA["states"].search("ago")] == ["Lagos"]


@pytest.mark.parametrize("text", ["\U000e0000", "\u200b", "\u2060 \u00ad", "\ufe0f"])
@pytest.mark.parametrize("key", ["states", "traffic_sources"])
def test_a_text_that_is_compared_like_an_empty_one_is_refused(key, text) -> None:
    """It would match every customer of whom nothing is on record."""
    with pytest.raises(ValidationError, match="A value is empty"):
        clean(key, [text])


@pytest.mark.parametrize(
    ("key", "is_known"),
    [
        ("gender", False),
        ("countries", False),
        ("states", False),
        ("traffic_sources", False),
        ("properties", True),
        ("agents", True),
        ("partners", True),
    ],
)
def test_none_of_takes_nobody_whose_answer_is_unknown(key, is_known, scene) -> None:
    """No enrolment, agent or partner is a fact; an empty column of the profile is not."""
    nobody = make_user(gender="", country="", state="\u200b", referral_source="")
    condition = Condition(CRITERIA[key], NoneOf(), tuple(scene.everything[key]))

    selected = set(User.objects.filter(condition.q()))

    assert (nobody in selected) is condition.matches(nobody) is is_known
    assert scene.ada not in selected
