"""A number moves with its person, whoever held it, or stays open and is shown."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.enums import Consent, Gender
from accounts.models import User
from campaigns.brevo.transport import Transport
from campaigns.enums import ExportStatus
from campaigns.models import ListMember, OpenPhone
from campaigns.sync import chunks, phones
from campaigns.sync.runs import request_sync, run_export
from tests.campaigns.sync.scenes import (
    address,
    addresses,
    alter,
    killed_before,
    make_segment_of_women,
    sync,
    women,
)
from tests.factories import make_user

pytestmark = pytest.mark.django_db

SUCCESS = ExportStatus.SUCCESS
TAKEN = "SMS is already associated with another Contact"


@pytest.fixture(autouse=True)
def impatient(monkeypatch) -> None:
    monkeypatch.setattr(Transport, "FIRST_BACKOFF", 0.001)
    monkeypatch.setattr(Transport, "LONGEST_BACKOFF", 0.01)
    monkeypatch.setattr(chunks, "FIRST_LOOK", 0.001)


@pytest.fixture
def segment(brevo):
    return make_segment_of_women()


def number(n: int) -> str:
    return f"+23480312{n:05}"


def with_phones(*numbers: int) -> None:
    women(*numbers)
    for n in numbers:
        alter(n, phone=number(n))


def held(brevo, n: int) -> str | None:
    digits = brevo.contact(address(n))["attributes"].get("SMS")
    return f"+{digits}" if digits else None


def give_stranger(brevo, digits: str) -> None:
    with brevo.store.writing() as store:
        contact_id = brevo._contact_id("stranger@example.org")
        store.execute("UPDATE contact SET phone = ? WHERE id = ?", [digits[1:], contact_id])


@pytest.mark.parametrize("many", [1, 3, 30])
def test_number_comes_along_to_a_new_address(brevo, segment, many) -> None:
    with_phones(*range(many))
    sync(segment)
    for n in range(many):
        alter(n, email=address(n + 100))

    export = sync(segment)

    assert (export.status, export.remarks) == (SUCCESS, []), export.error_message
    assert [held(brevo, n + 100) for n in range(many)] == [number(n) for n in range(many)]
    assert [held(brevo, n) for n in range(many)] == [None] * many
    assert not OpenPhone.objects.exists()
    assert sync(segment).updated == 0


@pytest.mark.parametrize("many", [2, 3, 30])
@pytest.mark.parametrize("known", [True, False], ids=["as sent", "sent before it was kept"])
def test_numbers_that_go_round_in_a_ring_reach_everybody(brevo, segment, many, known) -> None:
    with_phones(*range(many))
    sync(segment)
    if not known:
        ListMember.objects.update(phone_fingerprint=None)
    for n in range(many):
        alter(n, phone=number((n + 1) % many))

    for _ in range(1 if known else 3):
        export = sync(segment)

    assert export.status == SUCCESS, export.error_message
    expected = [number((n + 1) % many) for n in range(many)]
    assert [held(brevo, n) for n in range(many)] == expected
    assert (sync(segment).updated, sync(segment).remarks) == (0, [])


def test_two_on_different_lists_swap_numbers(brevo) -> None:
    ones, others = (make_segment_of_women(name) for name in ("A", "B"))
    for segment, n in ((ones, 1), (others, 2)):
        segment.gender = [Gender.FEMALE if n == 1 else Gender.MALE]
        segment.save()
    with_phones(1, 2)
    alter(2, gender=Gender.MALE)
    sync(ones)
    sync(others)
    alter(1, phone=number(2))
    alter(2, phone=number(1))

    sync(ones)
    sync(others)

    assert (held(brevo, 1), held(brevo, 2)) == (number(2), number(1))


@pytest.mark.parametrize("many", [1, 30])
@pytest.mark.parametrize("how", ["deleted", "gave it up", "opted out and gave it up"])
def test_number_of_somebody_who_left_goes_to_whoever_has_it_now(brevo, segment, how, many) -> None:
    with_phones(*range(many))
    sync(segment)
    if how == "deleted":
        User.objects.all().delete()
    else:
        consent = Consent.OPTED_OUT if "opted" in how else Consent.UNKNOWN
        alter(*range(many), phone="", gender=Gender.MALE, marketing_consent=consent)
    for n in range(many):
        make_user(email=address(n + 100), phone=number(n), gender=Gender.FEMALE)

    export = sync(segment)

    assert (export.status, export.remarks) == (SUCCESS, []), export.error_message
    assert [held(brevo, n + 100) for n in range(many)] == [number(n) for n in range(many)]
    assert [held(brevo, n) for n in range(many)] == [None] * many


@pytest.mark.parametrize("many", [1, 30])
def test_number_of_a_stranger_stays_theirs_and_is_open_until_it_is_free(
    brevo, segment, many
) -> None:
    with_phones(*range(many))
    give_stranger(brevo, number(0))

    first = sync(segment)
    brevo.clear_requests()
    second = sync(segment)

    line = first.changes.get(email=address(0))
    assert (first.status, first.added, first.failed) == (SUCCESS, many, 0)
    assert line.outcome == "DONE"
    assert line.message.startswith("Sent without the phone number: Unable to create contact")
    for export in (first, second):
        assert export.status == SUCCESS
        [remark] = export.remarks
        assert remark.startswith("1 person is on the list without the right phone number: “Unable")
        assert TAKEN in remark
    assert brevo.contact("stranger@example.org")["attributes"]["SMS"] == number(0)[1:]
    assert held(brevo, 0) is None
    assert second.updated == 0
    writes = [path for method, path, _ in brevo.requests if method != "GET"]
    assert writes == ["/contacts/batch"]

    with brevo.store.writing() as store:
        store.execute("UPDATE contact SET phone = NULL WHERE email = 'stranger@example.org'")
    third = sync(segment)

    assert (third.status, third.remarks, held(brevo, 0)) == (SUCCESS, [], number(0))


def test_open_number_is_tried_again_at_once_then_ever_more_rarely() -> None:
    since = tried = timezone.now()
    waits = []
    for _ in range(8):
        due = phones._due_at(since, tried)
        waits.append(due - tried)
        tried = max(due, tried + timedelta(hours=1))  # there is a run each hour

    hours = [wait // timedelta(hours=1) for wait in waits]
    assert hours == [0, 1, 2, 4, 8, 16, 24, 24]


def test_number_that_is_not_due_is_not_tried(brevo, segment) -> None:
    with_phones(0)
    give_stranger(brevo, number(0))
    sync(segment)
    OpenPhone.objects.update(due_at=timezone.now() + timedelta(hours=1))
    brevo.clear_requests()

    export = sync(segment)

    assert (export.status, len(export.remarks)) == (SUCCESS, 1)
    assert {method for method, _, _ in brevo.requests} == {"GET"}


@pytest.mark.parametrize("many", [1, 30])
def test_number_that_two_people_share_stays_with_the_first_until_they_give_it_up(
    brevo, segment, many
) -> None:
    with_phones(*range(many))
    sync(segment)
    make_user(email=address(100), phone=number(0), gender=Gender.FEMALE)

    shared = sync(segment)
    assert (held(brevo, 0), held(brevo, 100)) == (number(0), None)
    assert (shared.status, len(shared.remarks)) == (SUCCESS, 1)

    alter(0, phone=number(200))
    sync(segment)

    assert (held(brevo, 0), held(brevo, 100)) == (number(200), number(0))
    assert sync(segment).remarks == []


@pytest.mark.parametrize("many", [1, 40])
@pytest.mark.parametrize(
    "fault", ["", "keep-phones@POST /contacts/import", "keep-phones@POST /contacts*1"]
)
def test_number_that_was_deleted_here_is_gone_there_whatever_an_import_keeps(
    brevo, segment, many, fault
) -> None:
    with_phones(*range(many))
    sync(segment)
    if fault:
        brevo.fault(fault)
    alter(*range(many), phone="")

    export = sync(segment)

    assert (export.status, export.updated, export.remarks) == (SUCCESS, many, [])
    assert [held(brevo, n) for n in range(many)] == [None] * many
    assert sync(segment).updated == 0


@pytest.mark.parametrize("many", [1, 30])
def test_number_that_brevo_keeps_stays_open_and_is_shown(brevo, segment, many) -> None:
    with_phones(*range(many))
    sync(segment)
    brevo.fault("keep-phones")
    alter(*range(many), phone="")

    kept = sync(segment)
    still = sync(segment)
    brevo.clear_faults()
    gone = sync(segment)

    for export in (kept, still):
        assert export.status == SUCCESS
        assert "“Brevo keeps a phone number that is to be erased”" in export.remarks[0]
    assert all("Brevo keeps" in line.message for line in kept.changes.all())
    assert (gone.status, gone.remarks) == (SUCCESS, [])
    assert [held(brevo, n) for n in range(many)] == [None] * many


def test_number_that_brevo_dislikes_is_open_with_its_words(brevo, segment) -> None:
    with_phones(0)
    User.objects.update(phone_e164="+999")

    export = sync(segment)

    assert "“Invalid phone number”" in export.remarks[0]


@pytest.mark.parametrize("fault", ["500", "bad-request", "not-allowed", "drop-after"])
def test_run_whose_open_numbers_cannot_be_tried_just_now_is_no_failure(
    brevo, segment, fault
) -> None:
    with_phones(*range(3))
    give_stranger(brevo, number(0))
    sync(segment)
    brevo.fault(f"{fault}@POST /contacts/batch")

    export = sync(segment)

    assert (export.status, len(export.remarks)) == (SUCCESS, 1)


@pytest.mark.parametrize("many", [3, 30])
def test_run_that_dies_before_it_has_looked_makes_sure_when_it_is_taken_up(
    brevo, segment, monkeypatch, many
) -> None:
    with_phones(*range(many))
    sync(segment)
    brevo.fault("keep-phones@POST /contacts*1")
    alter(*range(many), phone="")
    export = request_sync(segment)
    list_path = f"GET /contacts/lists/{segment.brevo_list_id}/contacts"
    killed_before(monkeypatch, export, list_path)
    brevo.clear_faults()

    ended = run_export(export.pk)

    assert ended.status == SUCCESS
    assert [held(brevo, n) for n in range(many)] == [None] * many


def test_freeing_a_number_says_nothing_but_that_and_touches_no_list(brevo, segment) -> None:
    with_phones(*range(30))
    sync(segment)
    for n in range(30):
        alter(n, email=address(n + 100))
    brevo.block(address(1))
    brevo.clear_requests()

    sync(segment)

    freed = [body for _, path, body in brevo.bodies if path == "/contacts/batch"]
    assert len(freed) == 30
    for body in freed:
        [contact] = body["contacts"]
        assert contact.keys() == {"email", "attributes"}
        assert contact["attributes"] == {"SMS": ""}
        assert contact["email"] in addresses(*range(30))
    assert "lacklist" not in json.dumps([body for _, _, body in brevo.bodies])
    assert brevo.contact(address(1))["emailBlacklisted"] is True
