import gzip

import pytest
import requests

from tests.sandbox.brevo.api import error, person

REFUSALS = {
    "account-validation": (400, "account_under_validation", "Your account is under validation"),
    "account-busy": (409, "account_in_process", "Another process runs on your account"),
    "no-credits": (402, "not_enough_credits", "Not enough credits"),
}


@pytest.mark.parametrize(("kind", "refusal"), REFUSALS.items())
def test_the_account_can_be_refused_whatever_is_asked(api, brevo, kind, refusal) -> None:
    brevo.fault(f"{kind}*1")

    assert error(api.post("/contacts", person("a@example.com"))) == refusal
    assert brevo.contact("a@example.com") is None
    assert api.post("/contacts", person("a@example.com")).status_code == 201


def test_a_firewall_refuses_with_a_web_page(api, brevo) -> None:
    brevo.fault("firewall*1")

    answer = api.post("/contacts", person("a@example.com"))

    assert answer.status_code == 403
    assert "<title>Access denied</title>" in answer.text


def test_a_removal_can_be_refused_for_somebody_who_is_no_contact(api, brevo) -> None:
    list_id = api.make_list()
    api.import_(list_id, person("a@example.com"))
    brevo.fault("no-contact*1")
    path, body = f"/contacts/lists/{list_id}/contacts", {"emails": ["a@example.com"]}

    assert api.get(path).status_code == 200
    refused = api.post(f"{path}/remove", body)
    assert error(refused) == (404, "document_not_found", "Contact does not exist")
    assert api.post(f"{path}/remove", body).status_code == 201


ODD = {
    "id": "1",
    "emailBlacklisted": 0,
    "modifiedAt": "0000-00-00 00:00:00",
    "listIds": ["1"],
    "attributes": [],
}


@pytest.mark.parametrize("field", [*ODD, ""])
def test_the_last_contact_of_a_page_can_be_odd(api, brevo, field) -> None:
    list_id = api.make_list()
    api.import_(list_id, person("a@example.com"), person("b@example.com"))
    usual = api.get(f"/contacts/lists/{list_id}/contacts").json()["contacts"]
    brevo.fault(f"odd-contact={field}" if field else "odd-contact")

    for path in ("/contacts", f"/contacts/lists/{list_id}/contacts"):
        other, odd = api.get(path).json()["contacts"]
        changed = {name: odd[name] for name in odd if repr(odd[name]) != repr(usual[1][name])}
        assert other == usual[0]
        assert repr(changed) == repr(
            {name: ODD[name] for name in odd if name in ([field] if field else ODD)}
        )


def test_a_page_can_hold_rows_that_are_no_contacts(api, brevo) -> None:
    api.post("/contacts", person("a@example.com"))
    brevo.fault("odd-contact=row*1")

    *odd, contact = api.get("/contacts").json()["contacts"]

    assert (odd, contact["email"]) == ([None, {}], "a@example.com")


@pytest.mark.parametrize(("fault", "count"), [("wrong-count*1", 0), ("wrong-count=7*1", 7)])
def test_the_count_beside_a_page_can_be_wrong(api, brevo, fault, count) -> None:
    api.post("/contacts", person("a@example.com"))
    brevo.fault(fault)

    page = api.get("/contacts").json()

    assert (page["count"], len(page["contacts"])) == (count, 1)


def link_of(api, *, after: str) -> str:
    """Import people of whom two are refused; return the link to their report."""
    people = [person("a@example.com"), person("broken"), person("broken too")]
    process = api.import_(api.make_list(), *people)
    api.brevo.fault(after)
    shown = api.get(f"/processes/{process['id']}").json()
    assert api.get("/processes").json()["processes"] == [shown]
    assert shown["info"]["import"]["duplicate_phone_id"] is None
    return shown["info"]["import"]["invalid_emails"]


def test_the_links_of_a_process_can_lead_to_a_server_that_is_down(api) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get(link_of(api, after="report-unreachable"), timeout=5)


def test_the_links_of_a_process_can_lead_to_a_stranger(api) -> None:
    assert link_of(api, after="report-elsewhere") == "https://reports.example/report.csv"


BODIES = {
    "report-truncated": b"EMAIL;SMS\nbroke",
    "report-empty": b"EMAIL;SMS\n",
    "report-quote": b'NAME;EMAIL;SMS\n"Ada;broken;\nAda;broken too;\n',
}


@pytest.mark.parametrize(("fault", "body"), BODIES.items())
def test_a_report_can_be_spoiled(api, fault, body) -> None:
    assert requests.get(link_of(api, after=fault), timeout=5).content == body


def test_a_report_can_grow_beyond_measure(api) -> None:
    link = link_of(api, after="report-bomb")

    with requests.get(link, timeout=5, stream=True) as answer:
        packed = answer.raw.read(decode_content=False)

    assert answer.headers["content-encoding"] == "gzip"
    assert len(packed) < 200_000
    assert len(gzip.decompress(packed)) == 100_000_000


def test_a_report_can_lead_round_in_circles(api) -> None:
    with pytest.raises(requests.TooManyRedirects):
        requests.get(link_of(api, after="report-loop"), timeout=5)
