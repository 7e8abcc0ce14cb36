import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.brevo import Attribute, AttributeMap, BrevoPermanent, ImportBody
from campaigns.brevo.payloads import renaming_problem, timestamp

TEXTS = st.text(max_size=40)
CONTACTS = st.lists(
    st.tuples(TEXTS, st.dictionaries(st.sampled_from(["FIRSTNAME", "STATE", "SMS"]), TEXTS)),
    max_size=20,
)


def text(name: str) -> Attribute:
    return Attribute(name, "normal", "text")


@given(contacts=CONTACTS, max_bytes=st.integers(150, 2000))
def test_import_body_never_grows_beyond_its_limit_and_loses_nobody(contacts, max_bytes) -> None:
    body = ImportBody(3, max_bytes=max_bytes)
    taken = []

    for email, attributes in contacts:
        before = body.encode()
        try:
            fits = body.add(email, attributes)
        except BrevoPermanent:
            assert len(body) == 0
            fits = False
        if fits:
            taken.append({"email": email, "attributes": attributes})
        else:
            assert body.encode() == before

    sent = body.encode()
    assert len(sent) <= max_bytes
    assert json.loads(sent)["jsonBody"] == taken
    assert len(body) == len(taken)


def test_import_body_is_filled_to_the_last_byte() -> None:
    empty = ImportBody(3, max_bytes=1000)
    contact = len(b'{"email":"a@b.example","attributes":{}}')
    exact = len(empty.encode()) + contact + 1 + contact

    assert [ImportBody(3, max_bytes=exact).add("a@b.example", {})] == [True]
    for limit, second in ((exact, True), (exact - 1, False)):
        body = ImportBody(3, max_bytes=limit)
        assert (body.add("a@b.example", {}), body.add("a@b.example", {})) == (True, second)


@pytest.mark.parametrize("erase_empty", [True, False])
def test_import_body_updates_quietly_and_erases_only_when_told(erase_empty) -> None:
    body = ImportBody(3, max_bytes=1000, erase_empty=erase_empty)

    assert json.loads(body.encode()) == {
        "listIds": [3],
        "updateExistingContacts": True,
        "emptyContactsAttributes": erase_empty,
        "disableNotification": True,
        "jsonBody": [],
    }


def test_import_body_refuses_a_contact_that_would_never_fit() -> None:
    body = ImportBody(3, max_bytes=200)

    with pytest.raises(BrevoPermanent, match="BREVO_IMPORT_MAX_BYTES"):
        body.add("a@b.example", {"STATE": "x" * 200})

    assert len(body) == 0


def test_import_body_that_cannot_hold_even_its_settings_is_refused() -> None:
    with pytest.raises(ValueError, match="20 bytes"):
        ImportBody(3, max_bytes=20)


def test_import_body_survives_a_character_that_has_no_encoding() -> None:
    body = ImportBody(3, max_bytes=1000)

    body.add("a@b.example", {"FIRSTNAME": "A\ud800"})

    assert json.loads(body.encode())["jsonBody"][0]["attributes"] == {"FIRSTNAME": "A?"}


def test_attribute_map_of_an_english_account_needs_our_three() -> None:
    found = AttributeMap.from_account([text("FIRSTNAME"), text("LASTNAME"), text("SMS")])

    assert found.names == {"first_name": "FIRSTNAME", "last_name": "LASTNAME", "phone": "SMS"}
    assert found.missing == ("COUNTRY", "STATE", "REFERRAL_SOURCE")
    assert found.unusable == ()


def test_attribute_map_of_a_french_account_finds_its_names_whatever_the_case() -> None:
    found = AttributeMap.from_account([text("prenom"), text("Nom"), text("SMS"), text("country")])

    assert found.names == {
        "first_name": "PRENOM",
        "last_name": "NOM",
        "phone": "SMS",
        "country": "COUNTRY",
    }


def test_attribute_map_leaves_out_what_the_account_lacks() -> None:
    found = AttributeMap.from_account([text("FIRSTNAME")])

    assert found.names == {"first_name": "FIRSTNAME"}
    assert "SMS" not in found.missing


@pytest.mark.parametrize(
    "other",
    [Attribute("STATE", "normal", "float"), Attribute("STATE", "category", "")],
    ids=["a number", "a choice"],
)
def test_attribute_of_another_type_is_unusable_and_not_made_again(other) -> None:
    found = AttributeMap.from_account([other])

    assert "state" not in found.names
    assert "STATE" not in found.missing
    assert found.unusable == ("STATE",)


def test_attribute_map_prefers_a_usable_spelling_over_an_unusable_one() -> None:
    found = AttributeMap.from_account([Attribute("FIRSTNAME", "normal", "id"), text("PRENOM")])

    assert found.names["first_name"] == "PRENOM"


def test_timestamp_is_utc_with_milliseconds() -> None:
    lagos = timezone(timedelta(hours=1))

    assert timestamp(datetime(2026, 3, 1, 0, 30, 0, 999_999, lagos)) == "2026-02-28T23:30:00.999Z"
    assert timestamp(datetime(2026, 3, 1, tzinfo=UTC)) == "2026-03-01T00:00:00.000Z"


def test_timestamp_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        timestamp(datetime(2026, 3, 1))  # noqa: DTZ001 - the naive time is the point


@pytest.mark.parametrize(
    ("renamed", "problem"),
    [
        ({}, ""),
        ({"state": "OUR_STATE", "country": "LAND"}, ""),
        ({"state": "COUNTRY", "country": "STATE"}, ""),
        ({"phone": "MOBILE"}, "'phone' is none of our attributes"),
        ({"town": "TOWN"}, "'town' is none of our attributes"),
        ({"state": "SMS"}, "'SMS' cannot be the name"),
        ({"state": "OUR STATE"}, "'OUR STATE' cannot be the name"),
        ({"state": "MY_BLACKLIST"}, "may not send"),
        ({"state": "E_MAIL"}, "may not send"),
        ({"state": "COUNTRY"}, "'COUNTRY' would hold two"),
        ({"state": "NOM"}, "'NOM' would hold two"),
    ],
)
def test_name_that_cannot_be_given_to_an_attribute_says_why(renamed, problem) -> None:
    said = renaming_problem(renamed)

    assert problem in said
    assert bool(said) == bool(problem)


def test_renamed_attribute_is_looked_for_under_that_name_alone() -> None:
    there = [Attribute("STATE", "normal", "text"), Attribute("LAND", "normal", "text")]

    found = AttributeMap.from_account(there, {"state": "OURS", "country": "LAND"})

    assert found.names == {"country": "LAND"}
    assert "OURS" in found.missing
    assert found.lacks_phone
