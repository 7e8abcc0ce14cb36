"""The rows of the form: read, shown, and changed by its buttons, with and without scripts."""

import json
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from campaigns.admin.segment_builder import (
    UNDO_STEPS,
    apply_action,
    posted_definition,
    rows_of,
    unfinished_in,
)
from campaigns.audience.parsing import parse
from campaigns.models import Segment
from tests.factories import definition, make_manager, make_property, make_segment, make_user
from tests.pages import form_of

LAGOS = {"criterion": "states", "any_of": ["Lagos"]}
NOT_MEN = {"criterion": "gender", "none_of": ["MALE"]}
RECENT = {"criterion": "joined", "within_days": 30}
SPRING = {"criterion": "joined", "between": ["2026-03-01", "2026-05-31"]}
ADD = "admin:campaigns_segment_add"
CHANGE = "admin:campaigns_segment_change"


def group(*conditions: Any, match: str = "ALL") -> dict[str, Any]:
    return {"match": match, "conditions": list(conditions)}


EVERYTHING = group(LAGOS, NOT_MEN, group(RECENT, SPRING, match="ANY"))


def posted(raw: Any, action: str = "", **more: Any) -> QueryDict:
    """Return what the form sends that shows this definition, when a button is pressed."""
    rows = rows_of(raw)
    data = QueryDict(mutable=True)
    data.update({"builder": "1", "match": rows.match, "_builder": action} | more)
    for row in rows.rows:
        send(data, row, "")
        for inner in row.rows:
            send(data, inner, row.number)
    return data


def send(data: QueryDict, row: Any, group: str) -> None:
    name = f"row-{row.number}-"
    data.appendlist("row", row.number)
    data[f"{name}group"] = group
    if row.is_group:
        data[f"{name}match"] = row.match
    elif row.rest is not None:
        data[f"{name}rest"] = json.dumps(row.rest)
    else:
        data.update({f"{name}criterion": row.criterion, f"{name}operator": row.operator})
        data.setlist(f"{name}value", list(row.values))


@pytest.mark.parametrize(
    "raw",
    [
        EVERYTHING,
        group(),
        group(match="ANY"),
        group(group(LAGOS), LAGOS, group(NOT_MEN)),
        group({"criterion": "colour", "any_of": ["red"]}, LAGOS),
        group({"criterion": "states", "any_of": [None, True]}),
        group({"criterion": "states"}, 7, "x", [1]),
        group(group(LAGOS, group(NOT_MEN, group(LAGOS)))),
    ],
)
def test_what_the_rows_show_they_also_send(raw) -> None:
    sent = posted_definition(posted(raw))

    assert sent == posted_definition(posted(sent))
    assert sent["match"] == raw["match"]
    assert [type(one) for one in sent["conditions"]] == [type(one) for one in raw["conditions"]]


def test_a_group_too_deep_is_kept_as_it_is_until_somebody_removes_it() -> None:
    raw = group(group(LAGOS, group(NOT_MEN)))

    assert posted_definition(posted(raw)) == raw
    assert apply_action(posted(raw, "remove:3"))[0] == group(group(LAGOS))


def test_a_number_of_days_is_sent_as_forms_send_it_and_lists_as_lists() -> None:
    sent = posted_definition(posted(EVERYTHING))

    assert sent == group(LAGOS, NOT_MEN, group(RECENT | {"within_days": "30"}, SPRING, match="ANY"))


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("add:joined", group(LAGOS, NOT_MEN, {"criterion": "joined", "between": []})),
        ("add:shoes", group(LAGOS, NOT_MEN)),
        ("add-group", group(LAGOS, NOT_MEN, group(match="ANY"))),
        ("remove:1", group(NOT_MEN)),
        ("remove:9", group(LAGOS, NOT_MEN)),
        ("up:2", group(NOT_MEN, LAGOS)),
        ("up:1", group(LAGOS, NOT_MEN)),
        ("down:1", group(NOT_MEN, LAGOS)),
        ("down:2", group(LAGOS, NOT_MEN)),
        ("undo", group(LAGOS, NOT_MEN)),
        ("", group(LAGOS, NOT_MEN)),
        ("explode:1", group(LAGOS, NOT_MEN)),
    ],
)
def test_a_button_does_what_it_says_and_nothing_else(action, expected) -> None:
    assert apply_action(posted(group(LAGOS, NOT_MEN), action))[0] == expected


def test_a_condition_is_added_to_the_group_whose_menu_it_is_and_told_where() -> None:
    raw = group(LAGOS, group(NOT_MEN, match="ANY"))

    after, _, new = apply_action(posted(raw, "add:countries:2"))

    assert after["conditions"][1]["conditions"] == [
        NOT_MEN,
        {"criterion": "countries", "any_of": []},
    ]
    assert new == "1.1"


def test_rows_of_a_group_move_inside_it() -> None:
    raw = group(group(LAGOS, NOT_MEN, match="ANY"))

    assert apply_action(posted(raw, "down:2"))[0] == group(group(NOT_MEN, LAGOS, match="ANY"))
    assert apply_action(posted(raw, "remove:3"))[0] == group(group(LAGOS, match="ANY"))


def test_undo_goes_back_step_by_step_to_what_stood_there() -> None:
    raw = group(LAGOS, NOT_MEN)
    once, steps, _ = apply_action(posted(raw, "remove:1"))
    twice, steps, _ = apply_action(posted(once, "remove:1", **{"builder-undo": json.dumps(steps)}))
    assert twice == group()

    back, steps, _ = apply_action(posted(twice, "undo", **{"builder-undo": json.dumps(steps)}))
    assert back == group(NOT_MEN)
    back, steps, _ = apply_action(posted(back, "undo", **{"builder-undo": json.dumps(steps)}))

    assert (back, steps) == (raw, [])


@pytest.mark.parametrize("spoilt", ["", "x", "{}", "7", "[" * 9])
def test_steps_that_cannot_be_read_undo_nothing(spoilt) -> None:
    assert apply_action(posted(group(LAGOS), "undo", **{"builder-undo": spoilt}))[0] == group(LAGOS)


def test_steps_are_kept_up_to_a_limit() -> None:
    many = json.dumps([group()] * UNDO_STEPS)

    _, steps, _ = apply_action(posted(group(LAGOS), "remove:1", **{"builder-undo": many}))

    assert len(steps) == UNDO_STEPS
    assert steps[-1] == group(LAGOS)


def test_what_is_still_empty_is_named() -> None:
    empty = {"criterion": "properties", "any_of": []}

    assert unfinished_in(posted(group(LAGOS, empty, group()))) == ["Properties", "Group"]
    assert unfinished_in(posted(EVERYTHING)) == []
    assert unfinished_in(QueryDict("states=Lagos")) == []


def test_flat_names_change_their_part_of_a_definition_and_leave_the_rest() -> None:
    sent = QueryDict("states=Abuja&match=ANY")

    assert posted_definition(sent, group(LAGOS, NOT_MEN)) == group(
        NOT_MEN, LAGOS | {"any_of": ["Abuja"]}, match="ANY"
    )


@pytest.mark.parametrize("sent", ["", "x", "[", "7", "{}"])
def test_a_definition_as_json_is_taken_as_it_is_and_never_for_everyone(sent) -> None:
    assert posted_definition({"definition": json.dumps(EVERYTHING)}) == EVERYTHING
    assert parse(posted_definition({"definition": sent}, EVERYTHING)).malformed


@pytest.fixture
def manager_client(client: Client, db) -> Client:
    client.force_login(make_manager())
    return client


def test_rows_with_groups_are_saved_as_they_stand(manager_client, brevo) -> None:
    sent = posted(EVERYTHING, name="Mixed")
    del sent["_builder"]

    answer = manager_client.post(reverse(ADD), sent.dict() | dict(sent.lists()))

    assert answer.status_code == 302
    assert Segment.objects.get().definition == EVERYTHING


def test_saving_an_unchanged_page_keeps_the_whole_definition(manager_client, brevo) -> None:
    segment = make_segment(definition=EVERYTHING)
    address = reverse(CHANGE, args=[segment.pk])

    sent = form_of(manager_client.get(address))

    assert manager_client.post(address, sent).status_code == 302
    assert Segment.objects.get().definition == EVERYTHING
    assert not segment.revisions.exists()


def test_a_mistake_stands_at_its_row_and_nothing_is_saved(manager_client, brevo) -> None:
    gone = make_property("Palm Court")
    raw = group(LAGOS, group(NOT_MEN, {"criterion": "properties", "any_of": [gone.pk]}))
    gone.delete()

    sent = posted(raw, name="Mixed")
    del sent["_builder"]
    answer = manager_client.post(reverse(ADD), sent.dict() | dict(sent.lists()))

    shown = answer.context["builder"]["rows"]
    assert not shown[0]["mistakes"]
    assert not shown[1]["rows"][0]["mistakes"]
    (mistake,) = shown[1]["rows"][1]["mistakes"]
    assert "no longer exists. Remove it or choose another." in mistake
    assert not Segment.objects.exists()


def test_without_scripts_a_button_changes_the_rows_keeps_what_was_typed_and_saves_nothing(
    manager_client, brevo
) -> None:
    segment = make_segment(name="Before", definition=group(LAGOS, NOT_MEN))
    address = reverse(CHANGE, args=[segment.pk])
    sent = form_of(manager_client.get(address)) | {"name": "Typed", "_builder": "remove:1"}

    answer = manager_client.post(address, sent)

    assert answer.status_code == 200
    again = form_of(answer)
    assert again["name"] == ["Typed"]
    assert (again["row"], again["row-1-criterion"]) == (["1"], ["gender"])
    assert Segment.objects.get().name == "Before"
    assert manager_client.post(address, again).status_code == 302
    stored = Segment.objects.get()
    assert (stored.name, stored.definition) == ("Typed", group(NOT_MEN))


def test_a_change_by_somebody_else_is_noticed_after_a_button_without_scripts(
    manager_client, brevo
) -> None:
    segment = make_segment(definition=group(LAGOS, NOT_MEN))
    address = reverse(CHANGE, args=[segment.pk])
    sent = form_of(manager_client.get(address)) | {"_builder": "remove:1"}
    Segment.objects.update(definition=definition(countries=["GH"]))

    again = form_of(manager_client.post(address, sent))
    answer = manager_client.post(address, again)

    assert answer.status_code == 200
    assert "somebody changed this segment" in answer.content.decode()
    assert Segment.objects.get().countries == ["GH"]


def test_a_row_says_how_many_match_it_alone(manager_client) -> None:
    make_user(state="Lagos", gender="MALE")
    make_user(state="Lagos", gender="FEMALE")
    make_user(state="Abuja", gender="FEMALE")
    row = reverse("admin:campaigns_segment_row")
    sent = posted(EVERYTHING)

    def told(number: str) -> str:
        data = sent.dict() | dict(sent.lists())
        return manager_client.post(f"{row}?row={number}", data).content.decode()

    assert [told("1"), told("2"), told("4")] == ["2 match", "2 match", "3 match"]
    assert told("99") == ""


def test_the_live_count_waits_for_what_is_still_empty(manager_client) -> None:
    empty = posted(group(LAGOS, {"criterion": "properties", "any_of": []}))
    live = reverse("admin:campaigns_segment_live")

    answer = manager_client.post(live, empty.dict() | dict(empty.lists()))

    assert "still empty: Properties" in answer.content.decode()
    assert answer.context["answer"].sizes is None


@pytest.mark.parametrize("name", ["builder", "row"])
def test_pieces_of_the_page_are_posted_for_by_staff_alone(manager_client, client, name) -> None:
    address = reverse(f"admin:campaigns_segment_{name}")

    assert manager_client.get(address).status_code == 405
    client.logout()
    assert client.post(address).status_code == 302
