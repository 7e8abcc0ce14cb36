from urllib.parse import quote

import pytest

from tests.sandbox.brevo.api import error, person


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({}, "missing_parameter", "email, SMS or ext_id is missing"),
        ({"email": "nobody"}, "invalid_parameter", "Invalid email address"),
        (person("a@example.com", SMS="0612"), "invalid_parameter", "Invalid phone number"),
        ({"email": "a@example.com", "listIds": [9]}, "invalid_parameter", "List ID does not exist"),
        (
            {"email": "a@example.com", "attributes": ["x"]},
            "invalid_parameter",
            "attributes should be an object",
        ),
        (
            {"email": "a@example.com", "emailBlacklisted": "no"},
            "invalid_parameter",
            "emailBlacklisted should be boolean",
        ),
    ],
)
def test_a_bad_contact_is_refused_and_nothing_is_written(api, brevo, body, code, message) -> None:
    answer = api.post("/contacts", body)

    assert error(answer) == (400, code, message)
    assert brevo.contact("a@example.com") is None


def test_a_body_that_is_no_json_is_refused(api) -> None:
    answer = api.session.post(f"{api.brevo.url}/contacts", data="{", timeout=5)

    assert error(answer)[:2] == (400, "bad_request")


def test_a_contact_that_exists_is_refused_without_update_enabled(api) -> None:
    api.post("/contacts", person("a@example.com"))

    answer = api.post("/contacts", person("A@example.com"))

    assert error(answer) == (
        400,
        "duplicate_parameter",
        "Unable to create contact, email is already associated with another Contact",
    )
    assert answer.json()["metadata"] == {"duplicate_identifiers": ["email"]}


def test_a_phone_of_somebody_else_refuses_the_whole_call(api, brevo) -> None:
    api.post("/contacts", person("a@example.com", SMS="+2348012345678"))

    body = person("b@example.com", SMS="002348012345678") | {"updateEnabled": True}
    answer = api.post("/contacts", body)

    assert answer.status_code == 400
    assert answer.json()["metadata"] == {"duplicate_identifiers": ["SMS"]}
    assert brevo.contact("b@example.com") is None


def test_an_upsert_creates_with_201_and_updates_with_an_empty_204(api, brevo) -> None:
    first = api.post("/contacts", person("a@example.com", FIRSTNAME="Ada"))
    body = person("a@example.com", LASTNAME="Obi") | {"updateEnabled": True}
    second = api.post("/contacts", body)

    assert (first.status_code, list(first.json())) == (201, ["id"])
    assert (second.status_code, second.content) == (204, b"")
    assert brevo.contact("a@example.com")["attributes"] == {"FIRSTNAME": "Ada", "LASTNAME": "Obi"}


def test_unknown_misspelt_and_mistyped_attributes_are_silently_dropped(api, brevo) -> None:
    sent = {"FIRSTNAME": 7, "lastname": "Obi", "COUNTRY": "NG", "LASTNAME": "Obi"}

    answer = api.post("/contacts", person("a@example.com", **sent))

    assert answer.status_code == 201
    assert brevo.contact("a@example.com")["attributes"] == {"LASTNAME": "Obi"}


def test_an_empty_value_erases_an_attribute(api, brevo) -> None:
    api.post("/contacts", person("a@example.com", FIRSTNAME="Ada", SMS="2348012345678"))

    api.put("/contacts/a@example.com", {"attributes": {"FIRSTNAME": "", "SMS": ""}})

    assert brevo.contact("a@example.com")["attributes"] == {}


def test_the_block_moves_only_when_a_call_names_it(api, brevo) -> None:
    brevo.block("a@example.com")

    api.post("/contacts", person("a@example.com", FIRSTNAME="Ada") | {"updateEnabled": True})
    assert brevo.contact("a@example.com")["emailBlacklisted"] is True

    api.put("/contacts/a@example.com", {"emailBlacklisted": False})
    assert brevo.contact("a@example.com")["emailBlacklisted"] is False


def test_changing_the_address_of_a_blocked_contact_subscribes_it_again(api, brevo) -> None:
    brevo.block("a@example.com")

    same = api.put("/contacts/a@example.com", {"attributes": {"EMAIL": "a@example.com"}})
    assert (same.status_code, brevo.contact("a@example.com")["emailBlacklisted"]) == (204, True)

    api.put("/contacts/a@example.com", {"attributes": {"EMAIL": "b@example.com"}})
    assert brevo.contact("a@example.com") is None
    assert brevo.contact("b@example.com")["emailBlacklisted"] is False


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_contact_that_is_not_there_is_404(api, method) -> None:
    answer = api.call(method, "/contacts/nobody@example.com", {} if method == "PUT" else None)

    assert error(answer) == (404, "document_not_found", "Contact does not exist")


def test_a_contact_is_found_by_any_of_its_identifiers(api) -> None:
    body = person("a+b@example.com", SMS="2348012345678") | {"ext_id": "17"}
    contact_id = api.post("/contacts", body).json()["id"]

    for identifier, kind in [
        (quote("a+b@example.com", safe=""), {}),
        (str(contact_id), {}),
        ("17", {"identifierType": "ext_id"}),
        ("2348012345678", {"identifierType": "phone_id"}),
    ]:
        assert api.get(f"/contacts/{identifier}", **kind).json()["id"] == contact_id
    assert api.get("/contacts/17", identifierType="shoe_size").status_code == 400


def test_put_links_and_unlinks_lists_and_delete_takes_the_contact_off_them(api, brevo) -> None:
    one, two = api.make_list("One"), api.make_list("Two")
    api.post("/contacts", {"email": "a@example.com", "listIds": [one]})

    answer = api.put("/contacts/a@example.com", {"listIds": [two], "unlinkListIds": [one]})
    assert answer.status_code == 204
    assert brevo.contact("a@example.com")["listIds"] == [two]

    assert api.delete("/contacts/a@example.com").status_code == 204
    assert api.get(f"/contacts/lists/{two}").json()["uniqueSubscribers"] == 0


def test_a_batch_with_one_stranger_writes_nothing(api, brevo) -> None:
    api.post("/contacts", person("a@example.com"))
    entries = [
        {"email": "a@example.com", "attributes": {"FIRSTNAME": "Ada"}},
        {"email": "x@example.com"},
        {"id": 999},
    ]

    answer = api.post("/contacts/batch", {"contacts": entries})

    message = "No contact found for indexes 1,2"
    assert error(answer) == (404, "document_not_found", message)
    assert brevo.contact("a@example.com")["attributes"] == {}


def test_a_batch_whose_last_entry_is_bad_takes_back_the_first(api, brevo) -> None:
    for email in ("a@example.com", "b@example.com"):
        api.post("/contacts", person(email))
    entries = [
        {"email": "a@example.com", "attributes": {"FIRSTNAME": "Ada"}},
        {"email": "b@example.com", "attributes": {"SMS": "12"}},
    ]

    assert api.post("/contacts/batch", {"contacts": entries}).status_code == 400
    assert brevo.contact("a@example.com")["attributes"] == {}

    assert api.post("/contacts/batch", {"contacts": entries[:1]}).status_code == 204
    assert brevo.contact("a@example.com")["attributes"] == {"FIRSTNAME": "Ada"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"limit": 1001}, "out_of_range"),
        ({"limit": -1}, "invalid_parameter"),
        ({"offset": "x"}, "invalid_parameter"),
        ({"sort": "up"}, "invalid_parameter"),
        ({"modifiedSince": "yesterday"}, "invalid_parameter"),
        ({"listIds": "one"}, "invalid_parameter"),
    ],
)
def test_a_page_nobody_can_serve_is_refused(api, arguments, code) -> None:
    assert error(api.get("/contacts", **arguments))[:2] == (400, code)


def test_contacts_come_newest_first_in_pages(api, brevo) -> None:
    list_id = api.make_list()
    api.import_(list_id, *(person(f"p{number}@example.com") for number in range(60)))

    first = api.get("/contacts").json()
    rest = api.get("/contacts", offset=50).json()
    oldest = api.get("/contacts", sort="asc", limit=1).json()

    assert (first["count"], len(first["contacts"]), len(rest["contacts"])) == (60, 50, 10)
    assert first["contacts"][0]["email"] == "p59@example.com"
    assert rest["contacts"][-1]["email"] == "p0@example.com"
    assert oldest["contacts"][0]["email"] == "p0@example.com"
    assert api.get("/contacts", offset=60).json()["contacts"] == []


def test_contacts_are_filtered_by_list_and_by_change(api) -> None:
    one, two = api.make_list("One"), api.make_list("Two")
    api.import_(one, person("a@example.com"), person("b@example.com"))
    api.import_(two, person("c@example.com"))
    api.put("/contacts/b@example.com", {"attributes": {"FIRSTNAME": "Bo"}})
    since = api.get("/contacts/b@example.com").json()["modifiedAt"]

    def emails(**arguments) -> list[str]:
        answer = api.get("/contacts", **arguments).json()
        found = [contact["email"] for contact in answer["contacts"]]
        assert answer["count"] == len(found)
        return found

    assert emails(listIds=one) == ["b@example.com", "a@example.com"]
    assert emails(listIds=f"{one},{two}", sort="asc")[-1] == "c@example.com"
    assert emails(modifiedSince=since) == ["b@example.com"]
    assert emails(createdSince="2999-01-01T00:00:00Z") == []


def test_filtered_pages_join_without_gap_or_overlap(api) -> None:
    list_id = api.make_list()
    api.import_(list_id, *(person(f"p{number}@example.com") for number in range(25)))
    since = "2020-01-01T00:00:00+01:00"

    for sort in ("asc", "desc"):
        seen = []
        for offset in range(0, 40, 10):
            page = api.get(
                f"/contacts/lists/{list_id}/contacts",
                modifiedSince=since,
                limit=10,
                offset=offset,
                sort=sort,
            ).json()
            assert page["count"] == 25
            seen += [contact["id"] for contact in page["contacts"]]
        assert seen == sorted(set(seen), reverse=sort == "desc")
        assert len(seen) == 25


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/contacts", {"email": "a@example.com", "listIds": [2**70]}),
        ("POST", "/contacts", {"email": "a@example.com", "ext_id": {"a": 1}}),
        ("POST", "/contacts", {"email": ["a@example.com"]}),
        ("POST", "/contacts", person("a@example.com", SMS=["2348012345678"])),
        ("POST", "/contacts", person("a\ud800@example.com")),
        ("POST", "/contacts", []),
        ("POST", "/contacts/folders", {"name": ["x"]}),
        ("POST", "/contacts/import", {"listIds": [1], "jsonBody": [{"attributes": ["x"]}]}),
        ("POST", "/contacts/import", {"listIds": [1], "jsonBody": [], "emailBlacklist": "no"}),
        ("POST", "/contacts/import", {"listIds": {"1": 1}, "jsonBody": []}),
        ("POST", "/contacts/batch", {"contacts": ["a@example.com"]}),
        ("POST", "/contacts/batch", {"contacts": [{"email": "a@example.com", "id": 1}]}),
        ("GET", f"/contacts?offset={2**70}", None),
        ("GET", f"/contacts?listIds={2**70}", None),
    ],
)
def test_a_value_of_the_wrong_kind_is_a_400_and_no_bug(api, method, path, body) -> None:
    api.make_list()

    assert api.call(method, path, body).status_code == 400
