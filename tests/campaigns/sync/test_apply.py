"""Apply: in few requests, with what the account calls things, and whom Brevo refuses refused."""

import logging
import re
from itertools import pairwise
from typing import Any

import pytest

from accounts.enums import Gender
from accounts.models import User
from campaigns.brevo.transport import Transport
from campaigns.enums import ExportStatus, Outcome
from campaigns.models import ExportChunk
from campaigns.sync import chunks
from sandbox.brevo.server import Sandbox
from tests.campaigns.sync.scenes import (
    address,
    addresses,
    alter,
    ledger,
    make_segment_of_women,
    outcomes,
    sync,
    women,
)
from tests.factories import make_user

pytestmark = pytest.mark.django_db

PHONE, ITS_DIGITS = "+2348031234567", "2348031234567"


@pytest.fixture(autouse=True)
def impatient(monkeypatch) -> None:
    monkeypatch.setattr(Transport, "FIRST_BACKOFF", 0.001)
    monkeypatch.setattr(Transport, "LONGEST_BACKOFF", 0.01)
    monkeypatch.setattr(chunks, "FIRST_LOOK", 0.001)


@pytest.fixture
def segment(brevo):
    return make_segment_of_women()


def sent(brevo, path: str) -> list:
    return [body for method, there, body in brevo.bodies if there == path and method == "POST"]


# In few requests


def test_leavers_go_in_chunks_of_the_set_size(brevo, segment, settings):
    settings.BREVO_CHUNK_SIZE = 10
    women(*range(45))
    sync(segment)
    User.objects.filter(email_key__in=addresses(*range(32))).delete()
    settings.CAMPAIGNS_REMOVAL_BRAKE = 100
    brevo.clear_requests()

    export = sync(segment)

    removals = sent(brevo, f"/contacts/lists/{segment.brevo_list_id}/contacts/remove")
    for identifiers in ("emails", "ids"):
        of_a_kind = [body[identifiers] for body in removals if body.keys() == {identifiers}]
        assert [len(chunk) for chunk in of_a_kind] == [10, 10, 10, 2]
    assert (export.removed, brevo.members(segment.brevo_list_id)) == (
        32,
        addresses(*range(32, 45)),
    )


def test_imports_are_as_large_as_they_may_be_and_one_after_the_other(brevo, segment, settings):
    settings.BREVO_IMPORT_MAX_BYTES = 4000
    women(*range(300), last_name="Lovelace", country="NG", state="Lagos")

    export = sync(segment)

    bodies = sent(brevo, "/contacts/import")
    rows = [row["email"] for body in bodies for row in body["jsonBody"]]
    assert (export.status, export.added) == (ExportStatus.SUCCESS, 300)
    assert sorted(rows) == sorted(addresses(*range(300)))
    assert len(bodies) == ExportChunk.objects.count() > 5
    assert all(body["listIds"] == [segment.brevo_list_id] for body in bodies)
    assert all(body["disableNotification"] is True for body in bodies)
    spans = list(ExportChunk.objects.order_by("pk").values_list("first_change", "last_change"))
    assert all(before[1] < after[0] for before, after in pairwise(spans))


def test_next_import_starts_only_when_the_last_has_ended(brevo, segment, settings):
    settings.BREVO_IMPORT_MAX_BYTES = 4000
    women(*range(200))
    open_at_start = []
    accept = brevo.gate.brevo.processes.accept

    def watched(*arguments):
        with brevo.store.reading():
            open_at_start.append(
                brevo.store.value("SELECT count(*) FROM process WHERE finished IS NULL")
            )
        return accept(*arguments)

    brevo.gate.brevo.processes.accept = watched
    sync(segment)

    assert open_at_start == [0] * len(open_at_start)
    assert len(open_at_start) > 3


def test_requests_are_as_many_as_bytes_and_leavers_ask_for_and_ten(brevo, segment, settings):
    women(*range(1000), last_name="Lovelace")
    brevo.clear_requests()
    sync(segment)
    assert len(_but_for_looks(brevo)) <= 1 + 10
    User.objects.filter(email_key__in=addresses(*range(250))).delete()
    brevo.clear_requests()

    export = sync(segment)

    assert export.removed == 250
    assert len(_but_for_looks(brevo)) <= 3 + 10


def _but_for_looks(brevo) -> list[Any]:
    """Return the requests without those that ask how far an import is: a slow machine asks more."""
    return [call for call in brevo.requests if not call[1].startswith("/processes")]


# What the account calls things


def test_french_account_gets_its_own_names(settings):
    with Sandbox(french=True) as brevo:
        settings.BREVO_API_URL, settings.BREVO_API_KEY = brevo.url, brevo.key
        segment = make_segment_of_women()
        women(1, last_name="Lovelace")

        sync(segment)

        attributes = brevo.contact(address(1))["attributes"]
        assert (attributes["PRENOM"], attributes["NOM"]) == ("Ada 1", "Lovelace")
        assert not attributes.keys() & {"FIRSTNAME", "LASTNAME"}


def test_attributes_that_the_account_lacks_are_made_once(brevo, segment):
    women(1, country="NG", state="Lagos", referral_source="Radio")
    sync(segment)
    made = [path for method, path, _ in brevo.requests if "/attributes/" in path]
    assert [path.rpartition("/")[2] for path in made] == ["COUNTRY", "STATE", "REFERRAL_SOURCE"]
    shown = brevo.contact(address(1))["attributes"]
    assert (shown["COUNTRY"], shown["STATE"], shown["REFERRAL_SOURCE"]) == ("NG", "Lagos", "Radio")

    women(2)
    brevo.clear_requests()
    sync(segment)

    assert not [path for _, path, _ in brevo.requests if "/attributes/" in path]


@pytest.mark.parametrize("number", [1, 30])
def test_value_that_is_empty_now_is_erased_and_what_others_wrote_stays(brevo, segment, number):
    people = women(*range(number), last_name="Lovelace", phone="")
    sync(segment)
    alter(*range(number), last_name="")

    sync(segment)

    shown = brevo.contact(people[0].email)["attributes"]
    assert (shown["FIRSTNAME"], shown.get("LASTNAME") or "") == ("Ada 0", "")


# Whom Brevo refuses


@pytest.mark.parametrize("number", [1, 30])
def test_whose_phone_another_contact_has_is_sent_without_it(brevo, segment, number):
    with brevo.store.writing() as store:
        brevo._contact_id("stranger@example.org")
        store.execute("UPDATE contact SET phone = ?", [ITS_DIGITS])
    women(*range(1, number))
    make_user(email=address(0), gender=Gender.FEMALE, first_name="Ada", phone=PHONE)

    export = sync(segment)

    assert (export.status, export.added) == (ExportStatus.SUCCESS, number), export.error_message
    assert brevo.members(segment.brevo_list_id) == addresses(*range(number))
    assert "SMS" not in brevo.contact(address(0))["attributes"]
    assert brevo.contact("stranger@example.org")["attributes"]["SMS"] == ITS_DIGITS
    brevo.clear_requests()
    assert sync(segment).updated == 0
    assert [path for method, path, _ in brevo.requests if method != "GET"] == ["/contacts/batch"]


def test_two_people_with_one_phone_both_join(brevo, segment):
    for number in range(30):
        make_user(email=address(number), gender=Gender.FEMALE, phone=PHONE)

    export = sync(segment)

    assert (export.status, export.added) == (ExportStatus.SUCCESS, 30)
    assert brevo.members(segment.brevo_list_id) == addresses(*range(30)) == ledger(segment)


@pytest.mark.parametrize("number", [3, 30])
def test_whom_brevo_refuses_is_told_in_its_words_and_the_others_join(brevo, segment, number):
    women(*range(number - 1))
    refused = '"ada;lovelace"@example.com'  # valid, and more than Brevo takes
    make_user(email=refused, gender=Gender.FEMALE)

    export = sync(segment)

    line = export.changes.get(outcome=Outcome.REFUSED)
    assert (export.status, line.email, bool(line.message)) == (ExportStatus.PARTIAL, refused, True)
    assert (export.added, export.failed) == (number - 1, 1)


def test_whom_an_import_refuses_is_told_why_and_is_not_in_the_ledger(brevo, segment):
    brevo.fault("import-partly=10@POST /contacts/import*1")
    women(*range(30))

    export = sync(segment)

    refused = set(export.changes.filter(outcome=Outcome.REFUSED).values_list("email", flat=True))
    told = set(export.changes.filter(outcome=Outcome.REFUSED).values_list("message", flat=True))
    assert (export.status, export.added, export.failed) == (ExportStatus.PARTIAL, 27, 3)
    assert told == {"Brevo does not accept the e-mail address"}
    assert (
        ledger(segment) == addresses(*range(30)) - refused == brevo.members(segment.brevo_list_id)
    )
    assert sync(segment).added == 3


def test_removal_that_brevo_refuses_is_told_and_the_others_go(brevo, segment):
    women(1, 2, 3)
    sync(segment)
    User.objects.filter(email_key__in=addresses(1, 2)).delete()
    with brevo.store.writing() as store:  # the contact is gone from Brevo altogether
        gone = brevo.contact(address(1))["id"]
        store.execute("DELETE FROM member WHERE contact_id = ?", [gone])
        store.execute("DELETE FROM contact WHERE id = ?", [gone])

    export = sync(segment)

    assert (export.status, export.removed) == (ExportStatus.SUCCESS, 2)
    assert ledger(segment) == addresses(3) == brevo.members(segment.brevo_list_id)


# What nobody reads in a log


@pytest.mark.parametrize("number", [5, 30])
@pytest.mark.parametrize(
    "fault",
    [
        "429=0@POST /contacts*1",
        "524@POST /contacts/import*1",
        "truncated@GET /contacts/lists/*/contacts*1",
        "import-partly@POST /contacts/import*1",
        "drop@POST /contacts/lists/*/contacts/remove*1",
        "html@POST /contacts*9",
        "key-revoked@POST /contacts/*",
    ],
)
def test_no_log_names_anybody_or_the_key(settings, caplog, fault, number):
    caplog.set_level(logging.DEBUG)
    with Sandbox(key="xkeysib-secret") as brevo:
        settings.BREVO_API_URL, settings.BREVO_API_KEY = brevo.url, brevo.key
        a_run_with(brevo, fault, number)

    said = [
        record.getMessage() + (record.exc_text or "")
        for record in caplog.records
        if not record.name.startswith("django.db")  # statements, and only for who asks for them
    ]
    assert any("/contacts" in line for line in said)
    for line in said:
        assert not re.search(r"@example|ada\d|%40|xkeysib", line), line
        assert ITS_DIGITS not in line


def a_run_with(brevo: Sandbox, fault: str, number: int) -> None:
    segment = make_segment_of_women()
    women(100, 101)
    sync(segment)
    User.objects.filter(email_key=address(100)).delete()
    women(*range(number))
    make_user(email="ada.phone@example.com", gender=Gender.FEMALE, phone=PHONE)
    brevo.fault(fault)

    export = sync(segment)

    assert export.finished_at is not None


def test_outcomes_add_up_to_the_plan(brevo, segment):
    women(*range(30))
    export = sync(segment)

    assert sum(outcomes(export).values()) == export.joins == export.progress_done == 30
    assert export.progress == 1.0
