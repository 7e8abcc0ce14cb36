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


def test_members_are_read_page_by_page(brevo, client) -> None:
    url, since = f"{LIST}/contacts", "2026-05-01T00:00:00.000Z"
    full = [{**CONTACT, "id": n} for n in range(500)]
    first, last = page(0, 500, modifiedSince=since), page(500, 500, modifiedSince=since)
    brevo.get(url, json={"count": 501, "contacts": full}, match=[first])
    brevo.get(url, json={"count": 501, "contacts": [{**CONTACT, "id": 501}]}, match=[last])
    brevo.get(url, json={"count": 501}, match=[page(501, 500, modifiedSince=since)])

    pages = list(client.list_members(3, modified_since=datetime(2026, 5, 1, tzinfo=UTC)))

    assert [len(page) for page in pages] == [500, 1]
    contact = pages[1][0]
    assert (contact.email, contact.is_blocklisted) == ("ada@b.example", True)
    assert (contact.list_ids, contact.unsubscribed_list_ids) == ((3, 4), (4,))
    assert contact.attributes == {"FIRSTNAME": "Ada"}
    assert contact.modified_at == datetime(2026, 5, 2, 10, 40, 30, tzinfo=UTC)


def rows(*ids: int) -> list[dict[str, object]]:
    return [{**CONTACT, "id": n} for n in ids]


# What Brevo says of how many there are, on each page.
COUNTS = {
    "right": (3, 3, 3),
    "too small": (1, 1, 1),
    "too large": (9, 9, 9),
    "0 on later pages": (3, 0, 0),
    "missing": (None, None, None),
    "a text": ("3", "3", "3"),
    "no number": ("many", {}, []),
}


@pytest.mark.parametrize("counts", COUNTS.values(), ids=COUNTS)
def test_list_is_read_until_a_page_is_empty_whatever_the_count_says(brevo, client, counts) -> None:
    url = f"{LIST}/contacts"
    pages = [(0, rows(1, 2)), (2, rows(3)), (3, [])]
    for count, (offset, found) in zip(counts, pages, strict=True):
        brevo.get(url, json={"count": count, "contacts": found}, match=[page(offset, 500)])

    assert [len(found) for found in client.list_members(3)] == [2, 1]


def test_short_last_page_that_is_sent_again_ends_the_reading(brevo, client) -> None:
    """A server that takes no offset beyond the end sends its last page for ever."""
    url = f"{LIST}/contacts"
    brevo.get(url, json={"count": 502, "contacts": rows(*range(1, 501))}, match=[page(0, 500)])
    brevo.get(url, json={"count": 502, "contacts": rows(501, 502)}, match=[page(500, 500)])
    brevo.get(url, json={"count": 502, "contacts": rows(501, 502)}, match=[page(502, 500)])

    assert [len(found) for found in client.list_members(3)] == [500, 2]


def test_full_last_page_that_is_sent_again_ends_the_reading_when_it_was_all(brevo, client) -> None:
    brevo.get(f"{LIST}/contacts", json={"count": 500, "contacts": rows(*range(1, 501))})

    assert [len(found) for found in client.list_members(3)] == [500]
    assert len(brevo.calls) == 2


@pytest.mark.parametrize("count", [{"count": 900}, {"count": 0}, {}])
def test_full_page_that_is_sent_for_ever_is_unreadable(brevo, client, count) -> None:
    brevo.get(f"{LIST}/contacts", json={**count, "contacts": rows(*range(1, 501))})
    pages = client.list_members(3)
    next(pages)

    with pytest.raises(BrevoUnreadable, match="over and over"):
        next(pages)


def test_pages_that_come_in_turns_for_ever_are_unreadable(script, client) -> None:
    ones, others = rows(*range(1, 501)), rows(*range(501, 1001))
    for found in (ones, others, ones):
        script.get(f"{LIST}/contacts", json={"count": 1, "contacts": found})
    pages = client.list_members(3)

    assert [len(next(pages)), len(next(pages))] == [500, 500]
    with pytest.raises(BrevoUnreadable, match="over and over"):
        next(pages)


def test_list_without_totals_is_read(brevo, client) -> None:
    brevo.get(LIST, json={**LIST_REPLY, "totalSubscribers": None, "uniqueSubscribers": "7"})

    assert client.get_list(3) == ContactList(3, "Lagos", 1, 7, None, 1)


ODD = {
    "date that is none": ({"modifiedAt": "0000-00-00 00:00:00"}, {"modified_at": None}),
    "date of another kind": ({"modifiedAt": 1767225600}, {"modified_at": None}),
    "date before all time": ({"modifiedAt": "0001-01-01T00:00:00+05:00"}, {"modified_at": None}),
    "id as a text": ({"id": "17"}, {"id": 17}),
    "id as a float": ({"id": 17.0}, {"id": 17}),
    "id beyond all numbers": ({"id": "9" * 30}, {"id": 0}),
    "no id": ({"id": None}, {"id": 0}),
    "no address": ({"email": None}, {"email": ""}),
    "address no database holds": ({"email": "a\0da\ud800@b.example"}, {"email": "ada?@b.example"}),
    "address of another kind": ({"email": 5}, {"email": ""}),
    "block as 1": ({"emailBlacklisted": 1}, {"is_blocklisted": True}),
    "block as a text": ({"emailBlacklisted": "True"}, {"is_blocklisted": True}),
    "block nobody understands": ({"emailBlacklisted": "maybe"}, {"is_blocklisted": True}),
    "block of another kind": ({"emailBlacklisted": {}}, {"is_blocklisted": True}),
    "no block as 0": ({"emailBlacklisted": 0}, {"is_blocklisted": False}),
    "no block as 0.0": ({"emailBlacklisted": 0.0}, {"is_blocklisted": False}),
    "no block as a text": ({"emailBlacklisted": "false"}, {"is_blocklisted": False}),
    "no block said": ({"emailBlacklisted": None}, {"is_blocklisted": False}),
    "lists as texts": ({"listIds": ["3", "4"]}, {"list_ids": (3, 4)}),
    "lists as one text": ({"listIds": "3,4"}, {"list_ids": (3, 4)}),
    "lists as objects": ({"listIds": [{"id": 3}, {"id": "4"}]}, {"list_ids": (3, 4)}),
    "no lists": ({"listIds": None}, {"list_ids": ()}),
    "lists nobody understands": ({"listIds": {"3": True}}, {"list_ids": ()}),
    "unsubscriptions as texts": (
        {"listUnsubscribed": ["4"]},
        {"unsubscribed_list_ids": (4,), "is_blocklisted": False},
    ),
    "unsubscriptions nobody understands": (
        {"listUnsubscribed": [4, "Lagos"]},
        {"unsubscribed_list_ids": (4,), "is_blocklisted": True},
    ),
    "attributes as PHP writes none": ({"attributes": []}, {"attributes": {}}),
    "no attributes": ({"attributes": None}, {"attributes": {}}),
}


@pytest.mark.parametrize(("odd", "read"), ODD.values(), ids=ODD)
def test_odd_value_of_one_contact_fails_neither_them_nor_the_others(
    script, client, odd, read
) -> None:
    plain = {**CONTACT, "emailBlacklisted": False, "listUnsubscribed": None}
    found = [{**plain, "id": 1}, {**plain, **odd}]
    script.get(f"{LIST}/contacts", json={"count": 2, "contacts": found})
    script.get(f"{LIST}/contacts", json={"count": 2, "contacts": []})

    [[other, contact]] = client.list_members(3)

    assert (other.id, other.is_blocklisted) == (1, False)
    assert {name: getattr(contact, name) for name in read} == read


@pytest.mark.parametrize(
    "odd", [None, "ada", 7, {}, [], {"id": "x"}, {"email": "nobody", "id": 0.5}]
)
def test_row_that_is_no_contact_is_counted_and_the_others_are_read(script, client, odd) -> None:
    script.get(f"{LIST}/contacts", json={"count": 3, "contacts": [odd, *rows(1, 2)]})
    last = {"id": "the last"}
    script.get(f"{LIST}/contacts", json={"count": 3, "contacts": [last]}, match=[page(3, 500)])
    script.get(f"{LIST}/contacts", json={"count": 3, "contacts": []}, match=[page(4, 500)])

    first, second = client.list_members(3)

    assert ([contact.id for contact in first], first.unreadable) == ([1, 2], 1)
    assert (list(second), second.unreadable) == ([], 1)


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
    end = page(2, 1000, modifiedSince="2026-05-01T00:00:00.000Z")
    brevo.get(f"{ROOT}/contacts", json={"count": 2, "contacts": []}, match=[end])

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


RUNNING = [
    "queued",
    "in_process",
    "processing",
    "a state of tomorrow",
    "paused",
    "suspended",
    "cancelling",
    "Pending validation",
    "",
]
ENDED = [
    "failed",
    "cancelled",
    "Canceled",
    "aborted",
    "ABORT",
    "error",
    "in_error",
    "import error",
    "expired",
    "rejected",
    "timed_out",
    "time-out, stopped",
    "completed_with_errors",
    "partially_completed",
    "incomplete",
    "processed",
    "success",
]


@pytest.mark.parametrize(
    ("status", "finished", "succeeded"),
    [
        *((status, False, False) for status in RUNNING),
        *((status, True, False) for status in ENDED),
        ("completed", True, True),
        ("Completed ", True, True),
    ],
)
def test_process_is_running_until_its_state_means_an_end(
    brevo, client, status, finished, succeeded
) -> None:
    brevo.get(f"{ROOT}/processes/78", json={"id": 78, "name": "IMPORTUSER", "status": status})

    process = client.process(78)

    assert (process.is_finished, process.succeeded) == (finished, succeeded)
    assert process.must_be_read_back is (finished and not succeeded)


@pytest.mark.parametrize("status", [None, 3, ["completed"], {}])
def test_process_whose_state_is_no_text_is_running(brevo, client, status) -> None:
    brevo.get(f"{ROOT}/processes/78", json={"id": 78, "status": status})

    assert client.process(78) == Process(78, "", "", {})
    assert not client.process(78).is_finished


@pytest.mark.parametrize("info", [None, "none", [], 0, {"import": None}, {"import": []}])
def test_process_without_reports_has_no_links(brevo, client, info) -> None:
    reply = {"id": "78", "name": None, "status": "completed", "info": info}
    brevo.get(f"{ROOT}/processes/78", json=reply)

    assert client.process(78) == Process(78, "", "completed", {})


def test_process_says_of_which_refusals_there_is_no_report(brevo, client) -> None:
    counted = {"invalid_emails": 4, "duplicate_phone_id": 0, "duplicate_ext_id": "0", "other": {}}
    reply = {"id": 78, "status": "completed", "info": {"import": counted}}
    brevo.get(f"{ROOT}/processes/78", json=reply)

    process = client.process(78)

    assert (process.links, process.unlinked) == ({}, ("invalid_emails",))
    report = client.refusals(process)
    assert (report.refused, report.is_complete) == ({}, False)
    assert "invalid_emails" in report.problem


def test_status_that_no_column_holds_is_cut(brevo, client) -> None:
    brevo.get(f"{ROOT}/processes/78", json={"id": 78, "status": "\0" + "failed " * 100})

    assert client.process(78).status.startswith("failed failed")
    assert len(client.process(78).status) <= 100


def test_odd_process_does_not_hide_the_others(brevo, client) -> None:
    found = [None, {"id": "x"}, {"id": "9", "name": "IMPORTUSER", "status": "queued"}]
    brevo.get(f"{ROOT}/processes", json={"count": "3", "processes": found})

    assert [process.id for process in client.latest_processes()] == [9]


def test_process_keeps_the_links_that_lead_somewhere(brevo, client) -> None:
    links = {"invalid_emails": "https://files.brevo.com/i.csv", "duplicate_phone_id": None}
    reply = {"id": 78, "status": "completed", "info": {"import": links}}
    brevo.get(f"{ROOT}/processes/78", json=reply)

    assert client.process(78).links == {"invalid_emails": "https://files.brevo.com/i.csv"}


def test_latest_processes_come_newest_first(brevo, client) -> None:
    asked = query_param_matcher({"limit": 50, "offset": 0, "sort": "desc"})
    rows = [{"id": n, "name": "IMPORTUSER", "status": "queued"} for n in (4, 9, 7)]
    brevo.get(f"{ROOT}/processes", json={"count": 3, "processes": rows}, match=[asked])

    assert [process.id for process in client.latest_processes()] == [9, 7, 4]


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


BROKEN_CONTACTS = [
    {},
    [],
    {"count": 1},
    {"contacts": {}},
    {"count": 2, "contacts": {"1": CONTACT}},
    {"count": 2, "contacts": ["ada@b.example", "obi@b.example"]},
    {"count": 2, "contacts": [{"mail": "ada@b.example"}, {"mail": "obi@b.example"}]},
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
