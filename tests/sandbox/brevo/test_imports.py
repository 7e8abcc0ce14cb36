import json

import pytest

from sandbox.brevo.server import Sandbox
from tests.sandbox.brevo.api import Api, error, person


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"jsonBody": []}, "missing_parameter", "Missing listIds or newList"),
        ({"listIds": [1]}, "missing_parameter", "Missing fileUrl, fileBody or jsonBody"),
        ({"listIds": [9], "jsonBody": []}, "invalid_parameter", "List ID does not exist"),
        (
            {"listIds": [1], "jsonBody": ["a@example.com"]},
            "invalid_parameter",
            "jsonBody should be an array of contacts",
        ),
        (
            {"newList": {"listName": "x"}, "jsonBody": []},
            "missing_parameter",
            "folderId is missing",
        ),
    ],
)
def test_a_bad_import_is_refused_and_starts_no_process(api, body, code, message) -> None:
    api.make_list()

    assert error(api.post("/contacts/import", body)) == (400, code, message)
    assert api.get("/processes").json()["count"] == 0


def test_a_body_over_ten_megabytes_is_refused(api) -> None:
    rows = [person(f"p{number}@example.com", FIRSTNAME="x" * 1000) for number in range(10_000)]
    body = json.dumps({"listIds": [api.make_list()], "jsonBody": rows})
    assert len(body) > 10_000_000

    answer = api.session.post(f"{api.brevo.url}/contacts/import", data=body, timeout=10)

    assert answer.status_code == 413


def test_an_unknown_process_is_404(api) -> None:
    assert error(api.get("/processes/77"))[:2] == (404, "document_not_found")


def test_a_row_with_a_bad_address_ends_in_the_csv_and_not_on_the_list(api, brevo) -> None:
    list_id = api.make_list()

    process = api.import_(list_id, person("a@example.com"), person("broken"), person(""))

    assert process["status"] == "completed"
    assert process["name"] == "IMPORTUSER"
    assert api.csv(process, "invalid_emails") == ["broken;", ";"]
    assert process["info"]["import"]["duplicate_phone_id"] is None
    assert brevo.members(list_id) == {"a@example.com"}


def test_a_phone_somebody_else_holds_ends_in_the_csv_and_not_on_the_list(api, brevo) -> None:
    list_id = api.make_list()
    api.import_(list_id, person("a@example.com", SMS="2348012345678"))

    process = api.import_(
        list_id,
        person("b@example.com", SMS="+2348012345678"),
        person("c@example.com", SMS="2348012345679"),
        person("d@example.com", SMS="002348012345679"),
    )

    refused = ["d@example.com;2348012345679", "b@example.com;2348012345678"]
    assert api.csv(process, "duplicate_phone_id") == refused
    assert brevo.members(list_id) == {"a@example.com", "c@example.com"}
    assert api.get(f"/contacts/lists/{list_id}").json()["uniqueSubscribers"] == 2


def test_a_contact_known_by_its_phone_is_merged_into_the_one_with_the_address(api, brevo) -> None:
    one, two = api.make_list("One"), api.make_list("Two")
    phone = "2348012345678"
    api.import_(one, {"attributes": {"SMS": phone, "LASTNAME": "Obi", "FIRSTNAME": "A."}})
    api.import_(two, person("a@example.com", FIRSTNAME="Ada"))
    assert api.get("/contacts").json()["count"] == 2

    api.import_(two, person("a@example.com", SMS=phone))

    merged = brevo.contact("a@example.com")
    assert merged["attributes"] == {"FIRSTNAME": "Ada", "LASTNAME": "Obi", "SMS": phone}
    assert merged["listIds"] == [one, two]
    assert api.get("/contacts").json()["count"] == 1
    for list_id in (one, two):
        shown = api.get(f"/contacts/lists/{list_id}").json()
        assert (shown["uniqueSubscribers"], shown["totalSubscribers"]) == (1, 1)


def test_a_contact_known_by_its_phone_takes_the_address_nobody_has(api, brevo) -> None:
    list_id = api.make_list()
    api.import_(list_id, {"attributes": {"SMS": "2348012345678", "LASTNAME": "Obi"}})

    api.import_(list_id, person("a@example.com", SMS="2348012345678"))

    assert brevo.contact("a@example.com")["attributes"]["LASTNAME"] == "Obi"
    assert api.get(f"/contacts/lists/{list_id}").json()["uniqueSubscribers"] == 1


def test_rows_with_one_address_become_one_contact(api, brevo) -> None:
    list_id = api.make_list()

    api.import_(
        list_id,
        person("a@example.com", FIRSTNAME="Ada"),
        person(" A@Example.com ", LASTNAME="Obi"),
    )
    api.import_(list_id, person("a@example.com", FIRSTNAME="Adaeze", LASTNAME=""))

    expected = {"FIRSTNAME": "Adaeze", "LASTNAME": "Obi"}
    assert brevo.contact("a@example.com")["attributes"] == expected
    assert api.get(f"/contacts/lists/{list_id}").json()["uniqueSubscribers"] == 1


def test_empty_values_erase_only_when_asked(api, brevo) -> None:
    list_id = api.make_list()
    api.import_(list_id, person("a@example.com", FIRSTNAME="Ada"))

    rows = [person("a@example.com", FIRSTNAME=""), person("b@example.com", FIRSTNAME="")]
    api.import_(list_id, *rows, emptyContactsAttributes=True)

    assert brevo.contact("a@example.com")["attributes"] == {}
    assert brevo.contact("b@example.com")["attributes"] == {}


def test_existing_contacts_join_the_list_unchanged_when_updates_are_off(api, brevo) -> None:
    one, two = api.make_list("One"), api.make_list("Two")
    api.import_(one, person("a@example.com", FIRSTNAME="Ada"))

    api.import_(two, person("a@example.com", FIRSTNAME="X"), updateExistingContacts=False)

    assert brevo.contact("a@example.com")["attributes"] == {"FIRSTNAME": "Ada"}
    assert brevo.members(two) == {"a@example.com"}


def test_an_import_leaves_the_block_alone_unless_it_names_it(api, brevo) -> None:
    list_id = api.make_list()
    brevo.block("a@example.com")

    api.import_(list_id, person("a@example.com"), person("b@example.com"))
    assert brevo.contact("a@example.com")["emailBlacklisted"] is True
    assert brevo.contact("b@example.com")["emailBlacklisted"] is False

    api.import_(list_id, person("b@example.com"), emailBlacklist=True)
    assert brevo.contact("b@example.com")["emailBlacklisted"] is True

    api.import_(list_id, person("b@example.com"), emailBlacklist=False)
    assert brevo.contact("b@example.com")["emailBlacklisted"] is False


def test_an_import_can_make_its_own_list_from_csv(api, brevo) -> None:
    body = {
        "newList": {"listName": "Lagos", "folderId": api.make_folder()},
        "fileBody": "EMAIL;FIRSTNAME;SHOES\na@example.com;Ada;42\nb@example.com;Bo;41",
    }

    assert api.post("/contacts/import", body).status_code == 202
    brevo.wait_for_imports()

    [(list_id, name)] = brevo.lists().items()
    assert name == "Lagos"
    assert brevo.members(list_id) == {"a@example.com", "b@example.com"}
    assert brevo.contact("a@example.com")["attributes"] == {"FIRSTNAME": "Ada"}


def test_imports_wait_for_each_other_and_pass_through_their_states() -> None:
    with Sandbox(import_seconds=0.2) as brevo:
        api = Api(brevo)
        list_id = api.make_list()
        ids = [
            api.post(
                "/contacts/import",
                {"listIds": [list_id], "jsonBody": [person(f"p{number}@example.com")]},
            ).json()["processId"]
            for number in range(3)
        ]
        seen = set()
        while (states := _states(api, ids))[-1] != "completed":
            seen.add(states)
        api.session.close()

        # One process after the other: nothing is ever ahead of the process before it.
        rank = {"queued": 0, "in_process": 1, "completed": 2}
        for states in seen:
            assert [rank[state] for state in states] == sorted(map(rank.get, states), reverse=True)
            assert states.count("in_process") <= 1
        assert {"queued", "in_process"} <= set().union(*seen)
        assert brevo.members(list_id) == {f"p{number}@example.com" for number in range(3)}


def _states(api, ids) -> tuple[str, ...]:
    processes = api.get("/processes", sort="asc").json()["processes"]
    assert [process["id"] for process in processes] == ids
    return tuple(process["status"] for process in processes)


def test_an_import_whose_list_vanishes_meanwhile_still_writes_the_contacts() -> None:
    with Sandbox(import_seconds=0.1) as brevo:
        api = Api(brevo)
        list_id = api.make_list()
        api.post("/contacts/import", {"listIds": [list_id], "jsonBody": [person("a@example.com")]})
        api.delete(f"/contacts/lists/{list_id}")
        brevo.wait_for_imports()
        api.session.close()

        assert brevo.contact("a@example.com")["listIds"] == []
