import pytest
import requests

from sandbox.brevo.server import Sandbox
from tests.sandbox.brevo.api import Api, error


def test_a_call_without_a_key_is_refused(brevo) -> None:
    answer = requests.get(f"{brevo.url}/account", timeout=5)

    assert error(answer) == (401, "unauthorized", "authentication not found in headers")


def test_a_wrong_key_is_refused(brevo) -> None:
    answer = Api(brevo, key="other").get("/account")

    assert error(answer) == (401, "unauthorized", "Key not found")


def test_a_path_nobody_knows_is_404_and_a_wrong_method_405(api) -> None:
    assert error(api.get("/shoes"))[:2] == (404, "document_not_found")
    assert error(api.call("PATCH", "/account"))[:2] == (405, "method_not_allowed")


def test_the_account_is_shown_to_its_key(api) -> None:
    account = api.get("/account").json()

    assert account["companyName"]
    assert account["plan"][0]["creditsType"] == "sendLimit"


@pytest.mark.parametrize("organization", ["another", ""])
def test_the_account_says_whose_it_is_unless_it_is_told_not_to(organization) -> None:
    with Sandbox(organization=organization) as server:
        shown = Api(server).get("/account").json()

    assert shown.get("organization_id", "") == organization


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/contacts/attributes/shoes/SIZE", {"type": "float"}),
        ("/contacts/attributes/normal/SIZE", {"type": "shoe"}),
        ("/contacts/attributes/normal/FIRSTNAME", {"type": "text"}),
    ],
)
def test_an_attribute_of_no_kind_or_known_already_is_refused(api, path, body) -> None:
    before = api.get("/contacts/attributes").json()

    assert api.post(path, body).status_code == 400
    assert api.get("/contacts/attributes").json() == before


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("text", "Lagos", 5),
        ("float", 2.5, "2.5"),
        ("float", 3, True),
        ("date", "2026-01-31", "31/01/2026"),
        ("date", "2026-01-31", 20260131),
        ("boolean", True, 1),
        ("multiple-choice", ["a"], "a"),
        ("id", 7, 1.5),
    ],
)
def test_an_attribute_once_created_keeps_values_of_its_type_alone(
    api, brevo, kind, good, bad
) -> None:
    assert api.post("/contacts/attributes/normal/thing", {"type": kind}).status_code == 201
    api.post("/contacts", {"email": "a@example.com", "attributes": {"THING": good}})
    api.post("/contacts", {"email": "b@example.com", "attributes": {"THING": bad}})

    assert brevo.contact("a@example.com")["attributes"] == {"THING": good}
    assert brevo.contact("b@example.com")["attributes"] == {}


def test_a_new_account_has_the_attributes_brevo_gives_it(api) -> None:
    attributes = api.get("/contacts/attributes").json()["attributes"]

    assert {item["name"] for item in attributes} == {"EMAIL", "SMS", "FIRSTNAME", "LASTNAME"}
    assert {(item["category"], item["type"]) for item in attributes} == {("normal", "text")}


def test_webhooks_are_kept_changed_and_deleted(api) -> None:
    body = {"url": "https://example.com/hook", "events": ["unsubscribed"], "type": "marketing"}
    webhook_id = api.post("/webhooks", body).json()["id"]

    assert api.put(f"/webhooks/{webhook_id}", {"events": ["spam"]}).status_code == 204
    shown = api.get(f"/webhooks/{webhook_id}").json()
    assert (shown["url"], shown["events"]) == (body["url"], ["spam"])
    assert [item["id"] for item in api.get("/webhooks", type="marketing").json()["webhooks"]] == [
        webhook_id
    ]
    assert api.get("/webhooks").json() == {"webhooks": []}
    assert api.delete(f"/webhooks/{webhook_id}").status_code == 204
    assert error(api.get(f"/webhooks/{webhook_id}"))[:2] == (404, "document_not_found")


def test_a_webhook_needs_an_address_and_events_that_are_a_list(api) -> None:
    assert error(api.post("/webhooks", {}))[1] == "missing_parameter"
    assert error(api.post("/webhooks", {"url": "https://x", "events": "spam"}))[0] == 400


def test_the_forty_first_webhook_is_refused(api) -> None:
    body = {"url": "https://example.com/hook", "events": ["spam"]}
    codes = [api.post("/webhooks", body).status_code for _ in range(41)]

    assert codes == [201] * 40 + [400]
