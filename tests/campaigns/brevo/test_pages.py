"""Members and contacts are read page by page, whatever one of them is like."""

from datetime import UTC, datetime

import pytest

from campaigns.brevo import (
    BrevoTemporary,
    BrevoUnreadable,
)
from tests.campaigns.brevo.conftest import CONTACT, LIST, ROOT, page


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
