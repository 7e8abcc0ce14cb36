"""No attribute stops a sync, and what was left out is sent once the account can hold it."""

from collections.abc import Iterator

import pytest
import requests
import responses

from accounts.models import User
from campaigns.brevo import Account
from campaigns.brevo.transport import Transport
from campaigns.enums import ExportStatus
from campaigns.models import SegmentExport
from campaigns.sync import chunks
from campaigns.sync.gateway import remember_account
from campaigns.sync.runs import request_sync, run_export
from tests.campaigns.sync.scenes import (
    address,
    alter,
    applied,
    make_segment_of_women,
    plan,
    sync,
    women,
)
from tests.factories import make_segment, make_user

pytestmark = pytest.mark.django_db

API = "https://api.brevo.com/v3"
MADE = ("FIRSTNAME", "LASTNAME", "SMS", "COUNTRY", "STATE")
UNIQUE = {"code": "duplicate_parameter", "message": "Attribute name must be unique"}


@pytest.fixture(autouse=True)
def impatient(monkeypatch) -> None:
    monkeypatch.setattr(Transport, "FIRST_BACKOFF", 0.001)
    monkeypatch.setattr(Transport, "LONGEST_BACKOFF", 0.01)
    monkeypatch.setattr(chunks, "FIRST_LOOK", 0.01)


@pytest.fixture
def segment(brevo):
    return make_segment_of_women()


def attributes(*names) -> dict[str, object]:
    return {"attributes": [{"name": n, "category": "normal", "type": "text"} for n in names]}


@pytest.fixture
def wire(db: None) -> Iterator[responses.RequestsMock]:
    """A Brevo that takes everything but the attribute that is still missing."""
    remember_account(Account("Ours", "us@example.com", (), "ours"))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
        counted = {"uniqueSubscribers": 1, "totalSubscribers": 1, "totalBlacklisted": 0}
        mocked.get(
            f"{API}/contacts/lists/7", json={"id": 7, "name": "Women", "folderId": 1, **counted}
        )
        folders = {"count": 1, "folders": [{"id": 1, "name": "Campaign Segments"}]}
        mocked.get(f"{API}/contacts/folders", json=folders)
        member = {"id": 1, "email": "ada@example.com", "attributes": {}}
        mocked.get(f"{API}/contacts/lists/7/contacts", json={"count": 1, "contacts": [member]})
        mocked.get(f"{API}/contacts", json={"count": 0, "contacts": []})
        mocked.post(f"{API}/contacts", json={"id": 1}, status=201)
        mocked.get(f"{API}/contacts/attributes", json=attributes(*MADE))
        url = f"{API}/contacts/attributes/normal/REFERRAL_SOURCE"
        mocked.post(url, json=UNIQUE, status=400)
        yield mocked


def sync_one() -> SegmentExport:
    make_user(gender="FEMALE", email="ada@example.com")
    return run_export(request_sync(make_segment(name="Women", brevo_list_id=7)).pk)


def call(brevo, method: str, name: str, **body) -> None:
    url = f"{brevo.url}/contacts/attributes/normal/{name}"
    headers = {"api-key": brevo.key}
    requests.request(method, url, json=body, headers=headers, timeout=5).raise_for_status()


def held(brevo, number: int, name: str) -> str | None:
    return brevo.contact(address(number))["attributes"].get(name)


def test_attribute_that_another_run_made_meanwhile_is_used(wire) -> None:
    wire.get(f"{API}/contacts/attributes", json=attributes(*MADE, "REFERRAL_SOURCE"))

    export = sync_one()

    assert (export.status, export.remarks) == (ExportStatus.SUCCESS, []), export.error_message


def test_attribute_that_brevo_refuses_is_left_out_with_its_words(wire) -> None:
    export = sync_one()

    assert (export.status, export.added) == (ExportStatus.SUCCESS, 1), export.error_message
    assert "without REFERRAL_SOURCE" in export.remarks[0]
    assert "“Attribute name must be unique”" in export.remarks[0]


@pytest.mark.parametrize("number", [2, 30])
@pytest.mark.parametrize("fault", ["bad-request", "no-credits", "not-allowed", "firewall", "500"])
def test_attribute_that_may_not_be_made_is_left_out_and_sent_to_all_once_it_may(
    brevo, segment, fault, number
) -> None:
    women(*range(number), state="Lagos")
    brevo.fault(f"{fault}@POST /contacts/attributes/*")

    without = sync(segment)
    before = held(brevo, 1, "STATE")
    still = sync(segment)
    brevo.clear_faults()
    allowed = sync(segment)

    assert (without.status, without.added) == (ExportStatus.SUCCESS, number)
    assert before is None
    assert "without STATE" in " ".join(without.remarks)
    assert (still.status, still.updated) == (ExportStatus.SUCCESS, 0)
    assert still.remarks == without.remarks
    assert (allowed.updated, allowed.remarks) == (number, []), allowed.error_message
    assert {held(brevo, n, "STATE") for n in range(number)} == {"Lagos"}
    assert sync(segment).updated == 0


def test_attribute_of_another_type_is_left_out_and_sent_to_all_once_it_is_text(
    brevo, segment
) -> None:
    call(brevo, "POST", "STATE", type="date")
    women(*range(30), state="Lagos")
    women(30, 31)

    without = sync(segment)
    call(brevo, "DELETE", "STATE")
    made = sync(segment)

    assert (without.status, without.added) == (ExportStatus.SUCCESS, 32)
    assert "without STATE: at Brevo it holds no text" in without.remarks[0]
    assert (made.status, made.updated, made.remarks) == (ExportStatus.SUCCESS, 30, [])
    assert {held(brevo, n, "STATE") for n in range(30)} == {"Lagos"}


@pytest.mark.parametrize("makes", ["we", "a colleague"])
def test_attribute_that_was_deleted_is_made_again_and_everybody_of_every_list_gets_it(
    brevo, segment, makes
) -> None:
    other = make_segment_of_women("Women again")
    women(*range(30))
    for each in (segment, other):
        sync(each)
    call(brevo, "DELETE", "FIRSTNAME")
    brevo.fault("not-allowed@POST /contacts/attributes/*")
    assert "without FIRSTNAME" in sync(segment).remarks[0]
    brevo.clear_faults()
    if makes == "a colleague":
        call(brevo, "POST", "FIRSTNAME", type="text")

    first, second = sync(segment), sync(other)

    assert (first.updated, second.updated) == (30, 30)
    assert {held(brevo, n, "FIRSTNAME") for n in range(30)} == {f"Ada {n}" for n in range(30)}
    assert (sync(segment).updated, sync(other).updated) == (0, 0)


def test_plan_makes_no_attribute_and_what_it_was_applied_with_counts_as_sent(
    brevo, segment
) -> None:
    women(*range(30), state="Lagos")

    planned = plan(segment)
    made = [path for method, path, _ in brevo.requests if "normal" in path]
    run = applied(planned)

    assert made == []
    assert (run.status, held(brevo, 1, "STATE")) == (ExportStatus.SUCCESS, "Lagos")
    assert sync(segment).updated == 0


def test_run_that_cannot_read_the_attributes_takes_leavers_off_first(brevo, segment) -> None:
    women(*range(3))
    sync(segment)
    User.objects.filter(email_key=address(0)).delete()
    alter(1, first_name="Grace")
    brevo.fault("500@GET /contacts/attributes")

    export = sync(segment)
    brevo.clear_faults()

    assert (export.status, export.removed) == (ExportStatus.PARTIAL, 1)
    assert (sync(segment).updated, held(brevo, 1, "FIRSTNAME")) == (1, "Grace")


# Names of the marketing team's own


def test_first_plan_says_which_attribute_holds_values_of_others(brevo, segment) -> None:
    call(brevo, "POST", "STATE", type="text")
    women(1, 2, 3, state="Lagos")
    for number, state in ((1, "WON"), (2, "LAGOS"), (9, "LOST")):
        with brevo.store.writing():
            contact_id = brevo._contact_id(address(number))
            brevo.store.db.execute(
                "UPDATE contact SET attributes = json_object('STATE', ?) WHERE id = ?",
                (state, contact_id),
            )

    planned = plan(segment)

    [remark] = planned.remarks
    assert remark == (
        "STATE holds values that are not ours, such as “WON”, for 2 of 3 contacts looked at: a "
        "sync overwrites them for the people it sends. To keep them, set "
        "BREVO_ATTRIBUTES=state=OUR_STATE."
    )
    assert held(brevo, 1, "STATE") == "WON"
    sync(segment)
    assert plan(segment).remarks == []


def test_renamed_attribute_is_made_used_and_sent_to_everybody(brevo, segment, settings) -> None:
    women(*range(30), state="Lagos")
    sync(segment)
    settings.BREVO_ATTRIBUTES = {"state": "OUR_STATE"}

    renamed = sync(segment)

    assert renamed.updated == 30
    assert held(brevo, 1, "OUR_STATE") == "Lagos"
    assert sync(segment).updated == 0
