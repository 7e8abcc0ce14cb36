import json
from datetime import UTC, datetime

import pytest
import requests
from responses.matchers import json_params_matcher, query_param_matcher

from campaigns.brevo import (
    Account,
    Attribute,
    BrevoError,
    BrevoNotFound,
    BrevoPermanent,
    BrevoTemporary,
    BrevoUnreadable,
    ContactList,
    ImportBody,
    Moved,
    Process,
    Webhook,
)
from tests.campaigns.brevo.conftest import LIST_REPLY, ROOT

FOLDERS = f"{ROOT}/contacts/folders"
LIST = f"{ROOT}/contacts/lists/3"
CONTACT = {
    "id": 17,
    "email": "ada@b.example",
    "emailBlacklisted": True,
    "smsBlacklisted": False,
    "modifiedAt": "2026-05-02T12:40:30.000+02:00",
    "listIds": [3, 4],
    "listUnsubscribed": [4],
    "attributes": {"FIRSTNAME": "Ada"},
}


def page(offset: int, limit: int, **more: str) -> object:
    return query_param_matcher({"limit": limit, "offset": offset, "sort": "asc", **more})


def test_folder_is_found_on_a_later_page(brevo, client) -> None:
    first = [{"id": n, "name": f"Folder {n}"} for n in range(50)]
    brevo.get(FOLDERS, json={"count": 51, "folders": first}, match=[page(0, 50)])
    last = [{"id": 99, "name": "Campaign Segments"}]
    brevo.get(FOLDERS, json={"count": 51, "folders": last}, match=[page(50, 50)])

    assert client.ensure_folder("Campaign Segments") == 99


@pytest.mark.parametrize("none", [{"count": 0}, {"count": 0, "folders": []}])
def test_folder_is_made_when_there_is_none(brevo, client, none) -> None:
    brevo.get(FOLDERS, json=none)
    wanted = json_params_matcher({"name": "Ours"})
    brevo.post(FOLDERS, status=201, json={"id": 4}, match=[wanted])

    assert client.ensure_folder("Ours") == 4


def test_lists_of_a_folder_have_no_totals(brevo, client) -> None:
    uncounted = {**LIST_REPLY, "totalSubscribers": 0, "totalBlacklisted": 0}
    brevo.get(f"{FOLDERS}/1/lists", json={"count": 1, "lists": [uncounted]}, match=[page(0, 50)])

    assert list(client.lists(1)) == [ContactList(3, "Lagos", 1, 7)]


def test_list_alone_has_its_totals(brevo, client) -> None:
    brevo.get(LIST, json=LIST_REPLY)

    assert client.get_list(3) == ContactList(3, "Lagos", 1, 7, 6, 1)


def test_list_is_made_in_its_folder(brevo, client) -> None:
    wanted = json_params_matcher({"name": "Lagos", "folderId": 1})
    brevo.post(f"{ROOT}/contacts/lists", status=201, json={"id": 3}, match=[wanted])

    assert client.create_list("Lagos", 1) == 3


def test_list_is_renamed_with_its_name_alone(brevo, client) -> None:
    renamed = brevo.put(LIST, status=204, match=[json_params_matcher({"name": "Abuja"})])

    client.rename_list(3, "Abuja")

    assert renamed.call_count == 1


def test_list_that_is_gone_cannot_be_deleted(brevo, client) -> None:
    brevo.delete(LIST, status=404, json={"code": "document_not_found", "message": "No list"})

    with pytest.raises(BrevoNotFound, match="No list"):
        client.delete_list(3)


def test_list_that_is_gone_after_a_broken_deletion_counts_as_deleted(script, client) -> None:
    script.delete(LIST, body=requests.ReadTimeout())
    script.delete(LIST, status=404, json={"code": "document_not_found", "message": "No list"})

    client.delete_list(3)

    assert len(script.calls) == 2


def test_import_returns_its_process(brevo, client) -> None:
    body = ImportBody(3, max_bytes=1000)
    body.add("ada@b.example", {"FIRSTNAME": "Ada"})
    wanted = json_params_matcher(json.loads(body.encode()))
    brevo.post(f"{ROOT}/contacts/import", status=202, json={"processId": 78}, match=[wanted])

    assert client.import_contacts(body) == 78


MOVES = [("add_to_list", "add", "in"), ("remove_from_list", "remove", "removed from")]


@pytest.mark.parametrize(("method", "path", "_"), MOVES)
def test_move_tells_who_moved(brevo, client, method, path, _) -> None:
    emails = ["ada@b.example", "obi@b.example"]
    reply = {"contacts": {"success": ["ada@b.example"], "failure": ["obi@b.example"]}}
    wanted = json_params_matcher({"emails": emails})
    brevo.post(f"{LIST}/contacts/{path}", status=201, json=reply, match=[wanted])

    moved = getattr(client, method)(3, emails)

    assert moved == Moved(["ada@b.example"], ["obi@b.example"])


@pytest.mark.parametrize(("method", "path", "words"), MOVES)
def test_move_with_nothing_to_do_is_a_success(brevo, client, method, path, words) -> None:
    message = f"Contact already {words} list and/or does not exist"
    refusal = {"code": "invalid_parameter", "message": message}
    brevo.post(f"{LIST}/contacts/{path}", status=400, json=refusal)

    assert getattr(client, method)(3, ["ada@b.example"]) == Moved([], ["ada@b.example"])


@pytest.mark.parametrize(("method", "path", "_"), MOVES)
def test_move_refused_for_another_reason_is_an_error(brevo, client, method, path, _) -> None:
    refusal = {"code": "invalid_parameter", "message": "Too many emails"}
    brevo.post(f"{LIST}/contacts/{path}", status=400, json=refusal)

    with pytest.raises(BrevoPermanent, match="Too many emails"):
        getattr(client, method)(3, ["ada@b.example"])


@pytest.mark.parametrize(("method", "path", "_"), MOVES)
def test_move_of_nobody_asks_nothing(brevo, client, method, path, _) -> None:
    assert getattr(client, method)(3, []) == Moved([], [])


@pytest.mark.parametrize(
    ("answer", "made"), [({"status": 201, "json": {"id": 21}}, True), ({"status": 204}, False)]
)
def test_upsert_tells_a_new_contact_from_a_known_one(brevo, client, answer, made) -> None:
    body = {
        "email": "ada@b.example",
        "attributes": {"FIRSTNAME": "Ada"},
        "listIds": [3],
        "updateEnabled": True,
    }
    brevo.post(f"{ROOT}/contacts", match=[json_params_matcher(body)], **answer)

    assert client.upsert_contact("ada@b.example", {"FIRSTNAME": "Ada"}, 3) is made


def test_members_are_read_page_by_page(brevo, client) -> None:
    url, since = f"{LIST}/contacts", "2026-05-01T00:00:00.000Z"
    full = [{**CONTACT, "id": n} for n in range(500)]
    first, last = page(0, 500, modifiedSince=since), page(500, 500, modifiedSince=since)
    brevo.get(url, json={"count": 501, "contacts": full}, match=[first])
    brevo.get(url, json={"count": 501, "contacts": [CONTACT]}, match=[last])

    pages = list(client.list_members(3, modified_since=datetime(2026, 5, 1, tzinfo=UTC)))

    assert [len(page) for page in pages] == [500, 1]
    contact = pages[1][0]
    assert (contact.email, contact.is_blocklisted) == ("ada@b.example", True)
    assert (contact.list_ids, contact.unsubscribed_list_ids) == ((3, 4), (4,))
    assert contact.attributes == {"FIRSTNAME": "Ada"}
    assert contact.modified_at == datetime(2026, 5, 2, 10, 40, 30, tzinfo=UTC)


def test_page_shorter_than_asked_for_is_not_taken_for_the_last(brevo, client) -> None:
    url = f"{LIST}/contacts"
    brevo.get(url, json={"count": 3, "contacts": [CONTACT] * 2}, match=[page(0, 500)])
    brevo.get(url, json={"count": 3, "contacts": [CONTACT]}, match=[page(2, 500)])

    assert [len(found) for found in client.list_members(3)] == [2, 1]


def test_paging_ends_when_the_count_promises_too_much(brevo, client) -> None:
    url = f"{LIST}/contacts"
    brevo.get(url, json={"count": 3, "contacts": [CONTACT]}, match=[page(0, 500)])
    brevo.get(url, json={"count": 3, "contacts": []}, match=[page(1, 500)])

    assert [len(found) for found in client.list_members(3)] == [1]


def test_failure_on_a_later_page_does_not_pass_for_the_end(brevo, client) -> None:
    url = f"{LIST}/contacts"
    brevo.get(url, json={"count": 2, "contacts": [CONTACT]}, match=[page(0, 500)])
    brevo.get(url, status=500, match=[page(1, 500)])
    pages = client.list_members(3)
    next(pages)

    with pytest.raises(BrevoTemporary):
        next(pages)


def test_contacts_modified_since_are_read_in_pages_of_a_thousand(brevo, client) -> None:
    phone_only = {"id": 18, "attributes": {}}
    wanted = page(0, 1000, modifiedSince="2026-05-01T00:00:00.000Z")
    reply = {"count": 2, "contacts": [CONTACT, phone_only]}
    brevo.get(f"{ROOT}/contacts", json=reply, match=[wanted])

    [found] = client.contacts(modified_since=datetime(2026, 5, 1, tzinfo=UTC))

    assert [contact.email for contact in found] == ["ada@b.example", ""]
    assert found[1].modified_at is None


def test_attributes_are_read(brevo, client) -> None:
    reply = {"attributes": [{"name": "STATE", "category": "normal", "type": "text"}]}
    brevo.get(f"{ROOT}/contacts/attributes", json=reply)

    assert client.attributes() == [Attribute("STATE", "normal", "text")]


def test_attribute_is_made_as_text_in_capitals(brevo, client) -> None:
    wanted = json_params_matcher({"type": "text"})
    made = brevo.post(f"{ROOT}/contacts/attributes/normal/STATE", status=201, match=[wanted])

    client.create_attribute("state")

    assert made.call_count == 1


@pytest.mark.parametrize(
    ("status", "finished", "succeeded"),
    [
        ("queued", False, False),
        ("in_process", False, False),
        ("processing", False, False),
        ("a state of tomorrow", False, False),
        ("completed", True, True),
        ("failed", True, False),
        ("cancelled", True, False),
    ],
)
def test_process_is_running_until_it_has_one_of_three_ends(
    brevo, client, status, finished, succeeded
) -> None:
    brevo.get(f"{ROOT}/processes/78", json={"id": 78, "name": "IMPORTUSER", "status": status})

    process = client.process(78)

    assert (process.is_finished, process.succeeded) == (finished, succeeded)


def test_process_keeps_the_links_that_lead_somewhere(brevo, client) -> None:
    links = {"invalid_emails": "https://files.example/i.csv", "duplicate_phone_id": None}
    reply = {"id": 78, "status": "completed", "info": {"import": links}}
    brevo.get(f"{ROOT}/processes/78", json=reply)

    assert client.process(78).links == {"invalid_emails": "https://files.example/i.csv"}


def test_latest_processes_come_newest_first(brevo, client) -> None:
    asked = query_param_matcher({"limit": 50, "offset": 0, "sort": "desc"})
    rows = [{"id": n, "name": "IMPORTUSER", "status": "queued"} for n in (4, 9, 7)]
    brevo.get(f"{ROOT}/processes", json={"count": 3, "processes": rows}, match=[asked])

    assert [process.id for process in client.latest_processes()] == [9, 7, 4]


def test_refusals_come_from_all_reports_and_no_other_host_sees_the_key(brevo, client) -> None:
    brevo.get("https://files.example/i.csv?sig=s", body="EMAIL\nada@b.example\n")
    brevo.get("https://files.example/p.csv", body="EMAIL\nada@b.example\nobi@b.example\n")
    links = {
        "invalid_emails": "https://files.example/i.csv?sig=s",
        "duplicate_phone_id": "https://files.example/p.csv",
    }

    refusals = client.refusals(Process(78, "IMPORTUSER", "completed", links))

    assert refusals == {
        "ada@b.example": "Brevo does not accept the e-mail address; "
        "the phone number belongs to another contact",
        "obi@b.example": "the phone number belongs to another contact",
    }
    assert all("api-key" not in call.request.headers for call in brevo.calls)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": 403, "body": "<Error>Expired</Error>"}, BrevoPermanent),
        ({"status": 401}, BrevoPermanent),
        ({"status": 503}, BrevoTemporary),
        ({"body": requests.exceptions.InvalidSchema("ftp")}, BrevoPermanent),
    ],
)
def test_report_that_cannot_be_had_is_an_error_not_an_empty_report(
    brevo, client, answer, kind
) -> None:
    brevo.get("https://files.example/i.csv", **answer)
    links = {"invalid_emails": "https://files.example/i.csv"}

    with pytest.raises(kind):
        client.refusals(Process(78, "IMPORTUSER", "completed", links))


def test_account_is_read(brevo, client) -> None:
    reply = {"companyName": "Palm", "email": "us@b.example", "plan": [{"type": "free"}]}
    brevo.get(f"{ROOT}/account", json=reply)

    assert client.account() == Account("Palm", "us@b.example", ("free",))


def test_webhooks_are_read(brevo, client) -> None:
    hook = {"id": 5, "url": "https://us.example/h", "events": ["spam"], "description": None}
    brevo.get(f"{ROOT}/webhooks", json={"webhooks": [hook]})

    assert client.webhooks() == [Webhook(5, "https://us.example/h", ("spam",), "")]


def test_webhook_is_made_with_a_token_to_show(brevo, client) -> None:
    body = {
        "url": "https://us.example/h",
        "events": ["unsubscribed", "spam"],
        "type": "marketing",
        "description": "Ours",
        "auth": {"type": "bearer", "token": "secret"},
    }
    brevo.post(f"{ROOT}/webhooks", status=201, json={"id": 5}, match=[json_params_matcher(body)])

    made = client.create_webhook(
        "https://us.example/h", events=["unsubscribed", "spam"], token="secret", description="Ours"
    )

    assert made == 5


WRONG_SHAPES = [
    ("get_list", (3,), "/contacts/lists/3", {**LIST_REPLY, "totalSubscribers": None}),
    ("attributes", (), "/contacts/attributes", {"attributes": [{"category": "normal"}]}),
    ("attributes", (), "/contacts/attributes", {"attributes": {}}),
    ("process", (78,), "/processes/78", {"id": "78", "status": "queued"}),
    ("process", (78,), "/processes/78", {"id": 78, "status": "queued", "info": "none"}),
    ("latest_processes", (), "/processes", {"count": 3}),
    ("account", (), "/account", ["us@b.example"]),
    ("webhooks", (), "/webhooks", {"webhooks": [{"id": 5, "url": "u", "events": [1]}]}),
]


@pytest.mark.parametrize(("method", "arguments", "path", "reply"), WRONG_SHAPES)
def test_answer_of_another_shape_is_unreadable(
    brevo, client, method, arguments, path, reply
) -> None:
    brevo.get(ROOT + path, json=reply)

    with pytest.raises(BrevoUnreadable):
        getattr(client, method)(*arguments)


BROKEN_CONTACTS = [
    {"count": 1},
    {"contacts": [CONTACT]},
    {"count": 1, "contacts": [{**CONTACT, "listIds": ["3"]}]},
    {"count": 1, "contacts": [{**CONTACT, "emailBlacklisted": "no"}]},
    {"count": 1, "contacts": [{**CONTACT, "modifiedAt": "yesterday"}]},
]


@pytest.mark.parametrize("reply", BROKEN_CONTACTS)
def test_page_of_another_shape_is_unreadable_not_empty(brevo, client, reply) -> None:
    brevo.get(f"{LIST}/contacts", json=reply)

    with pytest.raises(BrevoUnreadable):
        list(client.list_members(3))


@pytest.mark.parametrize(
    ("statistics", "told"),
    [
        ({"hardBounces": [{"campaignId": 1}]}, (False, False, True)),
        ({"complaints": [{"campaignId": 1}], "hardBounces": []}, (False, True, False)),
        (
            {"unsubscriptions": {"userUnsubscription": [{}], "adminUnsubscription": []}},
            (True, False, False),
        ),
        (
            {"unsubscriptions": {"userUnsubscription": [], "adminUnsubscription": [{}]}},
            (True, False, False),
        ),
        ({"unsubscriptions": {}, "opened": 3}, (False, False, False)),
        ([], (False, False, False)),
        (None, (False, False, False)),
    ],
)
def test_contact_is_asked_for_by_its_id_and_tells_why_it_is_blocklisted(
    brevo, client, statistics, told
) -> None:
    by_id = query_param_matcher({"identifierType": "contact_id"})
    answer = {**CONTACT, "statistics": statistics}
    brevo.get(f"{ROOT}/contacts/17", json=answer, match=[by_id])

    found = client.contact(17)

    assert (found.unsubscribed, found.complained, found.bounced) == told
    assert found.contact.email == "ada@b.example"


def test_contact_that_is_gone_is_none(brevo, client) -> None:
    gone = {"code": "document_not_found", "message": "Contact does not exist"}
    brevo.get(f"{ROOT}/contacts/17", status=404, json=gone)

    assert client.contact(17) is None


def test_address_without_brevo_behind_it_is_not_taken_for_a_contact_that_is_gone(
    brevo, client
) -> None:
    brevo.get(f"{ROOT}/contacts/17", status=404, body="<html>Not found</html>")

    with pytest.raises(BrevoError):
        client.contact(17)
