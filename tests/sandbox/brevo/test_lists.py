import pytest

from tests.sandbox.brevo.api import error, person

ALREADY_IN = "Contact already in list and/or does not exist"
ALREADY_OUT = "Contact already removed from list and/or does not exist"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"folderId": 1}, "missing_parameter"),
        ({"name": "Lagos"}, "missing_parameter"),
        ({"name": "Lagos", "folderId": 77}, "invalid_parameter"),
        ({"name": 5, "folderId": 1}, "invalid_parameter"),
    ],
)
def test_a_list_needs_a_name_and_a_folder_that_exists(api, brevo, body, code) -> None:
    api.make_folder()

    assert error(api.post("/contacts/lists", body))[:2] == (400, code)
    assert brevo.lists() == {}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/contacts/lists/9"),
        ("PUT", "/contacts/lists/9"),
        ("DELETE", "/contacts/lists/9"),
        ("GET", "/contacts/lists/9/contacts"),
        ("POST", "/contacts/lists/9/contacts/add"),
        ("POST", "/contacts/lists/9/contacts/remove"),
        ("GET", "/contacts/folders/9"),
        ("PUT", "/contacts/folders/9"),
        ("DELETE", "/contacts/folders/9"),
        ("GET", "/contacts/folders/9/lists"),
    ],
)
def test_a_list_or_folder_that_is_not_there_is_404(api, method, path) -> None:
    answer = api.call(method, path, {"emails": ["a@example.com"], "name": "x"})

    assert error(answer)[:2] == (404, "document_not_found")


@pytest.mark.parametrize(
    ("path", "limit"),
    [("/contacts/lists", 51), ("/contacts/folders", 51), ("/processes", 51)],
)
def test_a_limit_beyond_the_maximum_is_out_of_range(api, path, limit) -> None:
    answer = api.get(path, limit=limit)

    assert error(answer) == (400, "out_of_range", "Limit exceeds max value")
    assert api.get(path, limit=limit - 1).status_code == 200


def test_members_come_at_most_500_at_a_time(api) -> None:
    path = f"/contacts/lists/{api.make_list()}/contacts"

    assert error(api.get(path, limit=501))[1] == "out_of_range"
    assert api.get(path, limit=500).json() == {"count": 0, "contacts": []}


def test_lists_come_ten_at_a_time_newest_first(api) -> None:
    folder_id = api.make_folder()
    ids = [api.make_list(f"L{number}", folder_id) for number in range(12)]

    answer = api.get("/contacts/lists").json()

    assert answer["count"] == 12
    assert [row["id"] for row in answer["lists"]] == ids[:1:-1]
    assert [row["id"] for row in api.get("/contacts/lists", offset=10).json()["lists"]] == [2, 1]


def test_a_list_is_renamed_moved_and_deleted_but_its_contacts_stay(api, brevo) -> None:
    list_id, other = api.make_list("Old"), api.make_folder("Other")
    brevo.put_on_list(list_id, "a@example.com")

    assert api.put(f"/contacts/lists/{list_id}", {"name": "New"}).status_code == 204
    assert api.put(f"/contacts/lists/{list_id}", {"folderId": other}).status_code == 204
    shown = api.get(f"/contacts/lists/{list_id}").json()
    assert (shown["name"], shown["folderId"]) == ("New", other)

    assert api.delete(f"/contacts/lists/{list_id}").status_code == 204
    assert brevo.contact("a@example.com")["listIds"] == []


def test_the_id_of_a_deleted_list_is_never_given_again(api) -> None:
    list_id = api.make_list()
    api.delete(f"/contacts/lists/{list_id}")

    assert api.make_list() > list_id


def test_deleting_a_folder_deletes_its_lists(api, brevo) -> None:
    doomed, kept = api.make_folder("Doomed"), api.make_folder("Kept")
    api.make_list("One", doomed)
    survivor = api.make_list("Two", kept)

    assert api.delete(f"/contacts/folders/{doomed}").status_code == 204
    assert brevo.lists() == {survivor: "Two"}


def test_a_folder_is_renamed_and_shows_its_lists(api) -> None:
    folder_id = api.make_folder("Old")
    list_id = api.make_list("One", folder_id)

    assert api.put(f"/contacts/folders/{folder_id}", {"name": "New"}).status_code == 204
    assert api.get(f"/contacts/folders/{folder_id}").json()["name"] == "New"
    assert [row["name"] for row in api.get("/contacts/folders").json()["folders"]] == ["New"]
    inside = api.get(f"/contacts/folders/{folder_id}/lists").json()
    assert (inside["count"], inside["lists"][0]["id"]) == (1, list_id)


def test_counters_are_zero_among_other_lists_and_real_in_the_list_itself(api, brevo) -> None:
    folder_id = api.make_folder()
    list_id = api.make_list("Lagos", folder_id)
    api.import_(list_id, person("a@example.com"), person("b@example.com"), person("c@example.com"))
    brevo.block("c@example.com")
    names = ("uniqueSubscribers", "totalSubscribers", "totalBlacklisted")

    def counters(row) -> tuple[int, ...]:
        return tuple(row[name] for name in names)

    assert counters(api.get("/contacts/lists").json()["lists"][0]) == (3, 0, 0)
    inside = api.get(f"/contacts/folders/{folder_id}/lists").json()
    assert counters(inside["lists"][0]) == (3, 0, 0)
    assert counters(api.get(f"/contacts/lists/{list_id}").json()) == (3, 2, 1)


def test_only_existing_contacts_are_added_and_the_rest_is_named(api, brevo) -> None:
    list_id = api.make_list()
    api.post("/contacts", person("a@example.com"))
    path = f"/contacts/lists/{list_id}/contacts/add"

    answer = api.post(path, {"emails": ["a@example.com", "x@example.com"]})
    again = api.post(path, {"emails": ["a@example.com", "x@example.com"]})

    assert answer.status_code == 201
    moved = {"success": ["a@example.com"], "failure": ["x@example.com"]}
    assert answer.json() == {"contacts": moved}
    assert error(again) == (400, "invalid_parameter", ALREADY_IN)
    assert brevo.members(list_id) == {"a@example.com"}


def test_contacts_are_removed_by_email_id_or_ext_id(api, brevo) -> None:
    list_id = api.make_list()
    path = f"/contacts/lists/{list_id}/contacts/remove"
    ids = {}
    for name in "abc":
        body = {"email": f"{name}@example.com", "listIds": [list_id], "ext_id": f"x{name}"}
        ids[name] = api.post("/contacts", body).json()["id"]

    for body in ({"emails": ["a@example.com"]}, {"ids": [ids["b"]]}, {"extIds": ["xc"]}):
        assert api.post(path, body).status_code == 201
        assert error(api.post(path, body)) == (400, "invalid_parameter", ALREADY_OUT)
    assert brevo.members(list_id) == set()
    assert brevo.contact("a@example.com") is not None


@pytest.mark.parametrize("verb", ["add", "remove"])
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"emails": ["a@example.com"], "ids": [1]},
        {"emails": [f"p{number}@example.com" for number in range(151)]},
        {"emails": "a@example.com"},
    ],
)
def test_a_move_needs_one_kind_of_identifier_and_at_most_150(api, verb, body) -> None:
    path = f"/contacts/lists/{api.make_list()}/contacts/{verb}"

    answer = api.post(path, body)

    assert answer.status_code == 400
    assert answer.json()["message"] not in {ALREADY_IN, ALREADY_OUT}


def test_removing_everybody_is_a_process(api, brevo) -> None:
    list_id = api.make_list()
    api.import_(list_id, person("a@example.com"), person("b@example.com"))

    answer = api.post(f"/contacts/lists/{list_id}/contacts/remove", {"all": True})
    brevo.wait_for_imports()

    assert answer.status_code == 201
    moved = answer.json()["contacts"]
    assert moved["total"] == 2
    assert api.get(f"/processes/{moved['processId']}").json()["status"] == "completed"
    assert brevo.members(list_id) == set()
    assert api.get(f"/contacts/lists/{list_id}").json()["uniqueSubscribers"] == 0


def test_pages_stay_right_when_the_list_changes_between_them(api, brevo) -> None:
    list_id = api.make_list()
    api.import_(list_id, *(person(f"p{number}@example.com") for number in range(10)))
    path = f"/contacts/lists/{list_id}/contacts"

    api.get(path, limit=4)
    brevo.put_on_list(list_id, "new@example.com")
    second = api.get(path, limit=4, offset=4).json()

    emails = [contact["email"] for contact in second["contacts"]]
    assert second["count"] == 11
    assert emails == [f"p{number}@example.com" for number in (6, 5, 4, 3)]
