"""One 404 is no proof that a list is gone; one that was given up stays in sight."""

import pytest

from accounts.enums import Consent
from campaigns.brevo import BrevoError, BrevoTemporary
from campaigns.brevo.transport import Transport
from campaigns.enums import ExportStatus, Outcome
from campaigns.models import BrevoList, Segment, SegmentExport
from campaigns.sync import given_up
from campaigns.sync.drift import drift
from campaigns.sync.gateway import connect
from campaigns.sync.runs import request_sync, run_export
from sandbox.brevo.server import Sandbox
from tests.campaigns.sync.scenes import (
    address,
    addresses,
    alter,
    before_requests,
    killed_before,
    ledger,
    make_segment_of_women,
    outcomes,
    sync,
    women,
)
from tests.factories import make_segment_unsaved

pytestmark = pytest.mark.django_db

SUCCESS, PARTIAL, FAILED = ExportStatus.SUCCESS, ExportStatus.PARTIAL, ExportStatus.FAILED


@pytest.fixture(autouse=True)
def impatient(monkeypatch) -> None:
    monkeypatch.setattr(Transport, "FIRST_BACKOFF", 0.001)
    monkeypatch.setattr(Transport, "LONGEST_BACKOFF", 0.001)


@pytest.fixture
def segment(brevo) -> Segment:
    """Synced with three."""
    segment = make_segment_of_women()
    women(1, 2, 3)
    sync(segment)
    segment.refresh_from_db()
    return segment


def lose(brevo: Sandbox, list_id: int) -> None:
    """Have Brevo not know a list, which keeps its contacts."""
    with brevo.store.writing() as store:
        store.execute("UPDATE list SET id = -id WHERE id = ?", (list_id,))


def give_back(brevo: Sandbox, list_id: int) -> None:
    lose(brevo, -list_id)


def has_one_list(brevo: Sandbox, segment: Segment) -> bool:
    segment.refresh_from_db()
    return brevo.lists() == {segment.brevo_list_id: segment.name}


# One 404


@pytest.mark.parametrize("skip", range(8))
def test_one_404_at_any_step_leaves_the_list_what_it_is(brevo, segment, skip):
    alter(1, marketing_consent=Consent.OPTED_OUT)
    women(*range(10, 40))
    brevo.fault(f"list-404@* /contacts/lists/**1+{skip}")

    export = sync(segment)

    assert export.status == SUCCESS, export.error_message
    assert has_one_list(brevo, segment)
    assert brevo.members(1) == addresses(2, 3, *range(10, 40)) == ledger(segment)


@pytest.mark.parametrize(("people", "call"), [(2, "POST /contacts"), (30, "POST /contacts/import")])
def test_one_404_for_people_who_are_sent_is_asked_again(brevo, segment, people, call):
    women(*range(10, 10 + people))
    brevo.fault(f"list-404@{call}*1")

    export = sync(segment)

    assert (export.status, export.added) == (SUCCESS, people)
    assert has_one_list(brevo, segment)


@pytest.mark.parametrize("level", ["FULL", "COUNT"])
def test_one_404_while_a_list_is_verified_is_not_a_lost_list(brevo, segment, level):
    brevo.fault("list-404@GET /contacts/lists/**1+2")

    found = drift(connect(), segment, level)

    assert (found.is_gone, found.of_list, found.proof.on_list) == (False, False, 3)


@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("act", ["rename", "delete"])
def test_one_404_does_not_keep_a_list_from_being_renamed_or_deleted(brevo, segment, act, skip):
    brevo.fault(f"list-404*1+{skip}")

    if act == "rename":
        segment.name = "Ladies"
        segment.save()
        assert brevo.lists() == {1: "Ladies"}
    else:
        segment.delete()
        assert brevo.lists() == {}


def test_list_that_is_among_the_lists_is_there_whatever_is_said_of_it_alone(brevo, segment):
    women(4)
    brevo.fault("list-404")

    export = sync(segment)

    assert export.status == FAILED
    assert "Brevo said that list 1 is not there, although it is" in export.error_message
    assert has_one_list(brevo, segment)
    with pytest.raises(BrevoTemporary):
        segment.delete()
    segment.name = "Ladies"
    with pytest.raises(BrevoTemporary):
        segment.save()


@pytest.mark.parametrize("people", [3, 30])
def test_404_for_somebody_who_is_no_contact_any_more_is_not_a_lost_list(brevo, segment, people):
    women(*range(10, 10 + people))
    sync(segment)
    alter(10, 11, marketing_consent=Consent.OPTED_OUT)
    with brevo.store.writing() as store:
        contact = brevo.contact(address(10))["id"]
        store.execute("DELETE FROM member WHERE contact_id = ?", [contact])
    brevo.fault("no-contact*2")

    export = sync(segment)

    assert export.status == SUCCESS, export.error_message
    assert outcomes(export) == {Outcome.DONE: 2}
    assert has_one_list(brevo, segment)
    assert not addresses(10, 11) & brevo.members(1)


def test_removal_that_is_404_again_and_again_is_refused_with_brevos_words(brevo, segment):
    alter(1, marketing_consent=Consent.OPTED_OUT)
    brevo.fault("list-404@POST /contacts/lists/*/contacts/remove")

    export = sync(segment)

    assert export.status == PARTIAL
    assert export.changes.get(outcome=Outcome.REFUSED).message == "List ID does not exist"
    brevo.clear_faults()
    assert sync(segment).status == SUCCESS
    assert brevo.members(1) == addresses(2, 3)


# A list that was given up


def test_list_that_is_back_is_named_and_people_who_said_no_are_taken_off_it(brevo, segment):
    brevo.put_on_list(1, "by.hand@example.org")
    lose(brevo, 1)
    assert sync(segment).status == SUCCESS
    segment.refresh_from_db()
    assert segment.brevo_list_id == 2
    give_back(brevo, 1)
    alter(1, 2, marketing_consent=Consent.OPTED_OUT)

    export = sync(segment)

    assert export.status == SUCCESS
    assert export.error_message == (
        "List 1 “Women”, which Brevo no longer had, is there again; 2 who may not be mailed were "
        "taken off. Mail the segment's new list, and delete that one in Brevo."
    )
    assert brevo.members(1) == {address(3), "by.hand@example.org"}
    assert brevo.members(2) == {address(3)}


def test_whoever_has_another_address_on_a_list_that_is_back_is_taken_off_too(brevo, segment):
    sync(segment)
    lose(brevo, 1)
    sync(segment)
    give_back(brevo, 1)
    with brevo.store.writing() as store:
        new = ("corrected@example.com", address(1))
        store.execute("UPDATE contact SET email = ? WHERE email = ?", new)
    alter(1, marketing_consent=Consent.OPTED_OUT)

    sync(segment)

    assert brevo.members(1) == addresses(2, 3) == brevo.members(2)


def test_unsubscribe_from_a_list_that_is_back_is_learned(brevo, segment):
    lose(brevo, 1)
    sync(segment)
    give_back(brevo, 1)
    brevo.block(address(1))

    sync(segment)
    ended = sync(segment)

    assert ended.status == SUCCESS
    assert address(1) not in brevo.members(1) | brevo.members(2)


def test_trouble_with_a_list_that_is_back_is_said_and_stops_nothing(brevo, segment):
    lose(brevo, 1)
    sync(segment)
    give_back(brevo, 1)
    women(4)
    brevo.fault("500@GET /contacts/lists/1/contacts")

    export = sync(segment)

    assert (export.status, export.added) == (SUCCESS, 1)
    assert "people who may not be mailed may still be on it" in export.error_message


def test_list_that_is_back_goes_with_its_segment(brevo, segment):
    lose(brevo, 1)
    sync(segment)
    give_back(brevo, 1)

    Segment.objects.get().delete()

    assert brevo.lists() == {}


def test_other_list_at_the_id_of_one_that_was_given_up_is_left_alone(brevo, segment):
    brevo.fault("list-replaced@GET /contacts/lists/**1")
    assert sync(segment).status == FAILED
    given_up.release(connect(), segment)
    brevo.put_on_list(1, address(1))
    alter(1, marketing_consent=Consent.OPTED_OUT)

    export = sync(segment)

    assert (export.status, export.error_message) == (SUCCESS, "")
    assert address(1) in brevo.members(1)
    segment.refresh_from_db()
    segment.delete()
    assert brevo.lists() == {1: "Board members only"}


def test_list_that_stays_away_is_no_trouble(brevo, segment):
    lose(brevo, 1)
    sync(segment)

    export = sync(segment)

    assert (export.status, export.error_message) == (SUCCESS, "")
    assert BrevoList.objects.exclude(given_up_at=None).get().list_id == 1


# A list that a lost answer left behind


def colleagues_list(brevo: Sandbox, *, holds: str = "") -> int:
    client = connect()
    list_id = client.create_list("Women", client.ensure_folder("Campaign Segments"))
    if holds:
        brevo.put_on_list(list_id, holds)
    return list_id


@pytest.mark.parametrize("fault", ["524", "drop-after", "truncated", "html"])
@pytest.mark.parametrize("holds", ["", "chair@example.org"])
def test_colleagues_list_of_the_same_name_is_not_taken_for_one_that_was_left_behind(
    brevo, fault, holds
):
    brevo.fault("uncounted")
    theirs = colleagues_list(brevo, holds=holds)
    brevo.clear_faults()
    brevo.fault(f"{fault}@POST /contacts/lists*1")
    brevo.fault("uncounted")

    segment = make_segment_unsaved(name="Women")
    segment.save()

    assert segment.brevo_list_id not in {None, theirs}
    assert len(brevo.lists()) == 2


def test_full_list_that_is_said_to_be_empty_among_others_is_not_taken(brevo, monkeypatch):
    """A colleague makes it just when our own request is lost on the way."""
    brevo.fault("drop@POST /contacts/lists*1")
    brevo.fault("uncounted")
    made = []
    send = Transport._ask

    def ask(self, endpoint, *args, **more):
        if endpoint.path == "/contacts/lists" and endpoint.method == "POST" and not made:
            made.append(0)
            brevo.clear_faults()
            colleagues_list(brevo, holds="chair@example.org")
            brevo.fault("drop@POST /contacts/lists*1")
            brevo.fault("uncounted")
        return send(self, endpoint, *args, **more)

    monkeypatch.setattr(Transport, "_ask", ask)

    with pytest.raises(BrevoError):
        make_segment_unsaved(name="Women").save()


def test_run_that_died_takes_the_list_it_had_made_and_no_colleagues_list(
    brevo, segment, monkeypatch
):
    colleagues_list(brevo)
    lose(brevo, 1)
    export = request_sync(segment)
    brevo.fault("drop-after@POST /contacts/lists*1")
    killed_before(monkeypatch, export, "GET /contacts/lists/3")
    brevo.clear_faults()

    ended = run_export(export.pk)

    segment.refresh_from_db()
    assert (ended.status, segment.brevo_list_id) == (SUCCESS, 3)
    assert brevo.members(2) == set()
    assert len(brevo.lists()) == 3


def test_newest_list_is_written_down_before_a_list_is_asked_for(brevo, segment, monkeypatch):
    brevo.fault("list-gone@GET /contacts/lists/**1")
    known = []

    def look(request: str) -> None:
        if request == "POST /contacts/lists":
            known.append(SegmentExport.objects.latest("pk").known_list_id)

    with monkeypatch.context() as patch:
        before_requests(patch, look)
        sync(segment)

    assert known == [0]
