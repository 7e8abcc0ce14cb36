import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from sandbox.brevo.server import Sandbox
from tests.sandbox.brevo.api import Api, person


def test_a_taken_port_is_refused_and_nothing_is_left_open(brevo) -> None:
    port = int(brevo.page_url.rsplit(":", 1)[1].strip("/"))

    with pytest.raises(OSError, match="in use"):
        Sandbox(port=port).start()


def test_its_port_can_be_had_again_at_once_though_it_hung_up_on_somebody() -> None:
    with Sandbox() as brevo:
        port = int(brevo.page_url.rsplit(":", 1)[1].strip("/"))
        client = Api(brevo)
        client.get("/account")  # leaves a connection open, which the server ends first
    client.session.close()

    with Sandbox(port=port) as again:
        answer = Api(again).get("/account")

    assert answer.status_code == 200


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path) -> None:
    file = tmp_path / "brevo.sqlite3"
    file.write_text("not a database, and precious" * 100)

    with pytest.raises(sqlite3.DatabaseError):
        Sandbox(data=str(file)).start()
    assert file.read_text().startswith("not a database")


def test_stopping_hangs_up_on_idle_clients_and_leaves_no_thread() -> None:
    before = threading.active_count()
    with Sandbox() as brevo:
        clients = [Api(brevo) for _ in range(5)]
        for client in clients:
            client.get("/account")
        started = time.monotonic()
    took = time.monotonic() - started

    assert threading.active_count() == before
    assert took < 0.5
    for client in clients:
        with pytest.raises(requests.ConnectionError):
            client.get("/account")


def test_stopping_does_not_wait_for_a_slow_answer_or_a_long_import() -> None:
    with Sandbox(import_seconds=30) as brevo:
        api = Api(brevo)
        list_id = api.make_list()
        api.post("/contacts/import", {"listIds": [list_id], "jsonBody": []})
        started = time.monotonic()
    api.session.close()

    assert time.monotonic() - started < 1


def test_everything_is_there_again_after_a_restart(tmp_path) -> None:
    file = str(tmp_path / "new" / "brevo.sqlite3")
    with Sandbox(data=file, french=True) as brevo:
        api = Api(brevo)
        list_id = api.make_list("Lagos")
        process = api.import_(list_id, person("a@example.com", PRENOM="Ada"), person("broken"))
        brevo.block("b@example.com")
        api.post("/webhooks", {"url": "https://example.com/hook"})
        api.session.close()

    with Sandbox(data=file) as brevo:
        api = Api(brevo)
        again = api.get(f"/processes/{process['id']}").json()
        assert brevo.lists() == {list_id: "Lagos"}
        assert brevo.contact("a@example.com")["attributes"] == {"PRENOM": "Ada"}
        assert brevo.contact("b@example.com")["emailBlacklisted"] is True
        assert api.get(f"/contacts/lists/{list_id}").json()["uniqueSubscribers"] == 1
        assert api.csv(again, "invalid_emails") == ["broken;"]
        assert len(api.get("/webhooks").json()["webhooks"]) == 1
        api.session.close()


def test_an_import_cut_short_by_a_stop_goes_on_at_the_next_start(tmp_path) -> None:
    file = str(tmp_path / "brevo.sqlite3")
    with Sandbox(data=file, import_seconds=30) as brevo:
        api = Api(brevo)
        list_id = api.make_list()
        body = {"listIds": [list_id], "jsonBody": [person("a@example.com")]}
        api.post("/contacts/import", body)
        api.session.close()
        assert brevo.members(list_id) == set()

    with Sandbox(data=file) as brevo:
        brevo.wait_for_imports()
        assert brevo.members(list_id) == {"a@example.com"}


def test_imports_sent_at_once_lose_nobody(brevo) -> None:
    api = Api(brevo)
    one, two = api.make_list("One"), api.make_list("Two")

    def send(number: int) -> int:
        rows = [person(f"p{row}@example.com") for row in range(number * 50, number * 50 + 100)]
        client = Api(brevo)
        body = {"listIds": [one, two], "jsonBody": rows}
        status = client.post("/contacts/import", body).status_code
        client.session.close()
        return status

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(send, range(6))) == {202}
    brevo.wait_for_imports()

    assert api.get("/contacts").json()["count"] == 350
    for list_id in (one, two):
        assert api.get(f"/contacts/lists/{list_id}").json()["uniqueSubscribers"] == 350
    api.session.close()


def test_a_big_import_is_merged_fast_and_read_deep(brevo) -> None:
    api = Api(brevo)
    list_id = api.make_list()
    rows = [person(f"p{number}@example.com", FIRSTNAME="Ada") for number in range(30_000)]

    started = time.monotonic()
    api.import_(list_id, *rows)
    took = time.monotonic() - started

    path = f"/contacts/lists/{list_id}/contacts"
    last = api.get(path, limit=500, offset=29_900).json()
    assert (last["count"], len(last["contacts"])) == (30_000, 100)
    assert last["contacts"][-1]["email"] == "p0@example.com"
    assert took < 10
    api.session.close()


def test_what_came_in_is_recorded_and_can_be_forgotten(api, brevo) -> None:
    api.post("/contacts", person("a@example.com"))
    api.get("/contacts/lists", limit=1)

    assert brevo.requests == [("POST", "/contacts", 201), ("GET", "/contacts/lists", 200)]
    assert brevo.bodies == [("POST", "/contacts", person("a@example.com"))]

    api.post("/contacts", person("b@example.com", FIRSTNAME="x" * 100_000))
    assert len(brevo.bodies) == 1

    brevo.clear_requests()
    assert (brevo.requests, brevo.bodies) == ([], [])


def test_only_the_last_two_hundred_bodies_are_kept(api, brevo) -> None:
    for number in range(205):
        api.post("/contacts", {"n": number})

    assert [body["n"] for _, _, body in brevo.bodies] == list(range(5, 205))


def test_a_hand_may_put_people_on_lists_and_block_them(api, brevo) -> None:
    list_id = api.make_list()

    brevo.put_on_list(list_id, "Foreign@Example.com")
    brevo.block("foreign@example.com")

    assert brevo.members(list_id) == {"foreign@example.com"}
    assert brevo.contact("foreign@example.com")["emailBlacklisted"] is True
    assert brevo.contact("nobody@example.com") is None
    assert brevo.members(99) == set()


def test_waiting_for_an_endless_import_gives_up() -> None:
    with Sandbox(import_seconds=30) as brevo:
        api = Api(brevo)
        api.post("/contacts/import", {"listIds": [api.make_list()], "jsonBody": []})
        api.session.close()
        with pytest.raises(TimeoutError):
            brevo.wait_for_imports(0.05)


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"content-length": "nonsense"}, 413), ({"transfer-encoding": "chunked"}, 411)],
)
def test_a_body_of_unknown_length_is_refused(brevo, headers, status) -> None:
    answer = requests.get(f"{brevo.url}/contacts", headers=headers, timeout=5)

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("unicode_domains", "shown"), [(False, "a@xn--bcher-kva.example"), (True, "a@bücher.example")]
)
def test_international_domain_is_one_contact_and_told_in_the_form_asked_for(
    unicode_domains, shown
) -> None:
    with Sandbox(unicode_domains=unicode_domains) as brevo:
        api = Api(brevo)
        for email in ("A@Bücher.example", "a@xn--bcher-kva.example"):
            api.post("/contacts", {"email": email, "updateEnabled": True})
        contacts = api.get("/contacts").json()
        api.session.close()

    assert [contact["email"] for contact in contacts["contacts"]] == [shown]


def test_a_hand_may_correct_an_address_which_keeps_the_contact_and_lifts_its_block(
    api, brevo
) -> None:
    contact_id = api.post("/contacts", {"email": "ada@b.example"}).json()["id"]
    brevo.block("ada@b.example")

    brevo.correct_address("ada@b.example", "ada.new@b.example")

    corrected = brevo.contact("ada.new@b.example")
    assert (corrected["id"], corrected["emailBlacklisted"]) == (contact_id, False)
    assert brevo.contact("ada@b.example") is None


def test_a_hand_may_merge_two_contacts_and_delete_one(api, brevo) -> None:
    list_id = api.make_list()
    brevo.put_on_list(list_id, "ada@b.example")
    kept = api.post("/contacts", {"email": "obi@b.example"}).json()["id"]

    brevo.merge_contacts("ada@b.example", into="obi@b.example")

    assert brevo.contact("ada@b.example") is None
    assert brevo.contact("obi@b.example")["id"] == kept
    assert brevo.members(list_id) == {"obi@b.example"}
    brevo.delete_contact("obi@b.example")
    assert brevo.members(list_id) == set()
