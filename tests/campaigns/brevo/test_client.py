import json
from datetime import UTC, datetime

import pytest
import requests
from responses.matchers import json_params_matcher, query_param_matcher

from campaigns.brevo import (
    Account,
    Attribute,
    BrevoContactNotFound,
    BrevoError,
    BrevoNotFound,
    BrevoPermanent,
    BrevoUnreadable,
    ContactList,
    ImportBody,
    Moved,
    Webhook,
)
from tests.campaigns.brevo.conftest import CONTACT, LIST, LIST_REPLY, ROOT, page

FOLDERS = f"{ROOT}/contacts/folders"


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
    brevo.get(f"{FOLDERS}/1/lists", json={"count": 1, "lists": []}, match=[page(1, 50)])

    assert list(client.lists(1)) == [ContactList(3, "Lagos", 1, 7)]


def test_lists_of_all_folders_come_newest_first(brevo, client) -> None:
    for offset, found in enumerate([[LIST_REPLY], []]):
        query = query_param_matcher({"limit": 50, "offset": offset, "sort": "desc"})
        brevo.get(f"{ROOT}/contacts/lists", json={"count": 1, "lists": found}, match=[query])

    assert list(client.all_lists()) == [ContactList(3, "Lagos", 1, 7)]
    assert client.newest_list_id() == 3


def test_list_that_cannot_be_read_is_not_missed_among_all(brevo, client) -> None:
    lists = [LIST_REPLY, {"id": "odd", "name": "Abuja"}]
    brevo.get(f"{ROOT}/contacts/lists", json={"count": 2, "lists": lists})

    with pytest.raises(BrevoUnreadable):
        list(client.all_lists())


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("2026-03-01T10:00:00.000+01:00", datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("0000-00-00", None),
        (None, None),
    ],
)
def test_list_alone_has_its_totals_and_its_age_if_that_can_be_read(
    brevo, client, said, moment
) -> None:
    brevo.get(LIST, json={**LIST_REPLY, "createdAt": said})

    assert client.get_list(3) == ContactList(3, "Lagos", 1, 7, 6, 1, moment)


@pytest.mark.parametrize(
    ("counters", "is_empty"), [((0, 0, 0), True), ((0, 0, None), False), ((0, 1, 0), False)]
)
def test_list_is_empty_only_when_all_that_is_counted_says_so(counters, is_empty) -> None:
    assert ContactList(3, "Lagos", 1, *counters).is_empty is is_empty


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


@pytest.mark.parametrize(
    "message", ["Contact does not exist", "Contact email not found", "No contact found"]
)
def test_removal_of_somebody_who_is_no_contact_is_done(brevo, client, message) -> None:
    refusal = {"code": "document_not_found", "message": message}
    brevo.post(f"{LIST}/contacts/remove", status=404, json=refusal)

    assert client.remove_from_list(3, ["ada@b.example"]) == Moved([], ["ada@b.example"])


def test_removal_of_several_of_whom_one_is_no_contact_says_nothing_of_the_others(
    brevo, client
) -> None:
    refusal = {"code": "document_not_found", "message": "Contact does not exist"}
    brevo.post(f"{LIST}/contacts/remove", status=404, json=refusal)

    with pytest.raises(BrevoContactNotFound):
        client.remove_from_list(3, ["ada@b.example", "obi@b.example"])


@pytest.mark.parametrize(("method", "path", "_"), MOVES)
def test_move_of_nobody_asks_nothing(brevo, client, method, path, _) -> None:
    assert getattr(client, method)(3, []) == Moved([], [])


def test_contacts_are_taken_off_by_id_as_well(brevo, client) -> None:
    reply = {"contacts": {"success": [7], "failure": [8]}}
    wanted = json_params_matcher({"ids": [7, 8]})
    brevo.post(f"{LIST}/contacts/remove", status=201, json=reply, match=[wanted])

    assert client.remove_ids_from_list(3, [7, 8]) == Moved(["7"], ["8"])


@pytest.mark.parametrize(
    ("answer", "made"), [({"status": 201, "json": {"id": 21}}, 21), ({"status": 204}, None)]
)
def test_upsert_returns_the_id_of_a_new_contact_and_none_for_a_known_one(
    brevo, client, answer, made
) -> None:
    body = {
        "email": "ada@b.example",
        "attributes": {"FIRSTNAME": "Ada"},
        "listIds": [3],
        "updateEnabled": True,
    }
    brevo.post(f"{ROOT}/contacts", match=[json_params_matcher(body)], **answer)

    assert client.upsert_contact("ada@b.example", {"FIRSTNAME": "Ada"}, 3) == made


def test_list_without_totals_is_read(brevo, client) -> None:
    brevo.get(LIST, json={**LIST_REPLY, "totalSubscribers": None, "uniqueSubscribers": "7"})

    assert client.get_list(3) == ContactList(3, "Lagos", 1, 7, None, 1)


def test_attributes_are_read(brevo, client) -> None:
    reply = {"attributes": [{"name": "STATE", "category": "normal", "type": "text"}]}
    brevo.get(f"{ROOT}/contacts/attributes", json=reply)

    assert client.attributes() == [Attribute("STATE", "normal", "text")]


def test_attribute_is_made_as_text_in_capitals(brevo, client) -> None:
    wanted = json_params_matcher({"type": "text"})
    made = brevo.post(f"{ROOT}/contacts/attributes/normal/STATE", status=201, match=[wanted])

    client.create_attribute("state")

    assert made.call_count == 1


def test_account_is_read(brevo, client) -> None:
    reply = {"companyName": "Palm", "email": "us@b.example", "plan": [{"type": "free"}]}
    brevo.get(f"{ROOT}/account", json=reply)

    assert client.account() == Account("Palm", "us@b.example", ("free",), "us@b.example")


@pytest.mark.parametrize(("said", "known_as"), [("5f3a", "5f3a"), (77, "77"), ("", "us@b.example")])
def test_account_is_known_by_its_organization_or_else_by_its_address(
    brevo, client, said, known_as
) -> None:
    reply = {"email": "Us@b.example", "organization_id": said}
    brevo.get(f"{ROOT}/account", json=reply)

    assert client.account().id == known_as


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
    ("get_list", (3,), "/contacts/lists/3", {**LIST_REPLY, "uniqueSubscribers": None}),
    ("attributes", (), "/contacts/attributes", {"attributes": [{"category": "normal"}]}),
    ("attributes", (), "/contacts/attributes", {"attributes": {}}),
    ("process", (78,), "/processes/78", {"id": "x", "status": "queued"}),
    ("process", (78,), "/processes/78", {"status": "completed"}),
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
