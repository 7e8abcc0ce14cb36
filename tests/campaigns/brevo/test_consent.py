"""No request this project can send clears, or sets, a blocklist flag."""

import inspect
import json
import re
from collections.abc import Callable

import pytest
import responses

from campaigns.brevo import BrevoClient, ImportBody, Process, endpoints
from campaigns.brevo.endpoints import Endpoint
from tests.campaigns.brevo.conftest import ROOT

FORBIDDEN = re.compile(r"bl(a|o)ck.?list|unsubscri|resubscri|forceMerge", re.IGNORECASE)
EMAIL = "ada@b.example"
ATTRIBUTES = {"FIRSTNAME": "Ada", "SMS": "+2348012345678"}


def body() -> ImportBody:
    body = ImportBody(3, max_bytes=10_000, erase_empty=True)
    body.add(EMAIL, ATTRIBUTES)
    return body


# One call of every public method; the test below fails when a method is not here.
CALLS: dict[str, Callable[[BrevoClient], object]] = {
    "account": lambda client: client.account(),
    "ensure_folder": lambda client: client.ensure_folder("Ours"),
    "find_folder": lambda client: client.find_folder("Ours"),
    "lists": lambda client: list(client.lists(1)),
    "newest_list_id": lambda client: client.newest_list_id(),
    "all_lists": lambda client: list(client.all_lists()),
    "create_list": lambda client: client.create_list("Lagos", 1),
    "rename_list": lambda client: client.rename_list(3, "Abuja"),
    "delete_list": lambda client: client.delete_list(3),
    "get_list": lambda client: client.get_list(3),
    "import_contacts": lambda client: client.import_contacts(body()),
    "add_to_list": lambda client: client.add_to_list(3, [EMAIL]),
    "remove_from_list": lambda client: client.remove_from_list(3, [EMAIL]),
    "remove_ids_from_list": lambda client: client.remove_ids_from_list(3, [7]),
    "upsert_contact": lambda client: client.upsert_contact(EMAIL, ATTRIBUTES, 3),
    "set_phone": lambda client: client.set_phone(EMAIL, "SMS", ""),
    "list_members": lambda client: list(client.list_members(3)),
    "contact": lambda client: client.contact(17),
    "contacts": lambda client: list(client.contacts(modified_since=None)),
    "attributes": lambda client: client.attributes(),
    "create_attribute": lambda client: client.create_attribute("STATE"),
    "process": lambda client: client.process(78),
    "latest_processes": lambda client: client.latest_processes(),
    "refusals": lambda client: client.refusals(
        Process(78, "", "completed", {"invalid_emails": "https://files.brevo.com/i.csv"})
    ),
    "webhooks": lambda client: client.webhooks(),
    "create_webhook": lambda client: client.create_webhook(
        "https://us.example/h", events=["spam"], token="t", description="d"
    ),
}
WITHOUT_A_REQUEST = {"budget", "close"}
# Enough of every answer for every method to understand it.
ANSWER = {
    "id": 3,
    "name": "Lagos",
    "count": 0,
    "status": "queued",
    "url": "u",
    "email": "us@b.example",
    "processId": 78,
    "uniqueSubscribers": 1,
    "totalSubscribers": 1,
    "totalBlacklisted": 0,
}


def requests_of(client: BrevoClient) -> list[responses.Call]:
    with responses.RequestsMock() as wire:
        for method in ("GET", "POST", "PUT", "DELETE"):
            wire.add(method, re.compile(re.escape(ROOT)), json=ANSWER)
        wire.get("https://files.brevo.com/i.csv", body="")
        for call in CALLS.values():
            call(client)
        return list(wire.calls)


def test_walk_knows_every_public_method() -> None:
    public = {name for name, _ in inspect.getmembers(BrevoClient, inspect.isfunction)}

    assert {name for name in public if name[0] != "_"} == CALLS.keys() | WITHOUT_A_REQUEST


def test_walk_reaches_every_endpoint(client) -> None:
    asked = {
        (call.request.method, re.sub(r"/\d+|/STATE", "/{id}", call.request.url.split("?")[0]))
        for call in requests_of(client)
    }

    known = [value for value in vars(endpoints).values() if isinstance(value, Endpoint)]
    assert asked == {(to.method, ROOT + to.path) for to in known if to is not endpoints.REPORT} | {
        ("GET", "https://files.brevo.com/i.csv")
    }


def test_no_request_mentions_a_blocklist(client) -> None:
    for call in requests_of(client):
        sent = call.request.body or b""
        text = sent if isinstance(sent, str) else sent.decode()
        assert not FORBIDDEN.search(text), call.request.url
        assert not FORBIDDEN.search(call.request.url)


def test_no_url_holds_an_address(client) -> None:
    for call in requests_of(client):
        assert EMAIL not in call.request.url
        assert "%40" not in call.request.url


def test_no_parameter_of_the_client_speaks_of_a_blocklist() -> None:
    for name, method in inspect.getmembers(BrevoClient, inspect.isfunction):
        assert not FORBIDDEN.search(" ".join(inspect.signature(method).parameters)), name


UNDOING = [
    "emailBlacklisted",
    "EMAILBLACKLIST",
    "smsBlacklisted",
    "sms_blacklisted",
    "whatsappBlacklisted",
    "EMAIL",  # a blocked contact whose address is changed is subscribed again
    "email",
]


@pytest.mark.parametrize("name", UNDOING)
def test_upsert_refuses_an_attribute_that_could_undo_a_block(client, name) -> None:
    with responses.RequestsMock() as wire, pytest.raises(ValueError, match=name):
        client.upsert_contact(EMAIL, {name: "false"}, 3)

    assert len(wire.calls) == 0


@pytest.mark.parametrize("name", UNDOING)
def test_import_refuses_an_attribute_that_could_undo_a_block(name) -> None:
    body = ImportBody(3, max_bytes=1000)
    body.add(EMAIL, ATTRIBUTES)

    with pytest.raises(ValueError, match=name):
        body.add("obi@b.example", {**ATTRIBUTES, name: "false"})

    assert len(json.loads(body.encode())["jsonBody"]) == 1
