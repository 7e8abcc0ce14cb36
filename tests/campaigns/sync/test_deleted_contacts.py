"""Brevo forgets that somebody unsubscribed when their contact is deleted there; we do not."""

import json

import pytest

from accounts.models import User
from campaigns.brevo.transport import Transport
from campaigns.enums import Outcome
from campaigns.enums import SuppressionReason as Why
from campaigns.models import ListMember, Suppression
from campaigns.sync import events, runs
from campaigns.sync.suppressing import lift_deletions, suppress
from campaigns.sync.work import Run
from tests.campaigns.sync.scenes import (
    address,
    addresses,
    alter,
    ledger,
    make_segment_of_women,
    sync,
    women,
)
from tests.factories import is_mailable

pytestmark = pytest.mark.django_db


@pytest.fixture
def segment(brevo, monkeypatch):
    """Twenty-five women, all on the list, as the ledger knows by their ids."""
    monkeypatch.setattr(Transport, "FIRST_BACKOFF", 0.0)
    monkeypatch.setattr(Transport, "LONGEST_BACKOFF", 0.0)
    monkeypatch.setattr(Run, "pause", lambda run, _: run.beat())
    monkeypatch.setattr(runs, "_LOOK_AGAIN_AFTER", ())
    women(*range(25))
    segment = make_segment_of_women()
    sync(segment)
    return segment


def unsubscribed_then_deleted(brevo, number: int) -> None:
    brevo.block(address(number))
    brevo.delete_contact(address(number))


def members(brevo, segment) -> set[str]:
    return brevo.members(segment.brevo_list_id)


def test_whoever_was_deleted_at_brevo_stays_off_the_list_without_any_webhook(brevo, segment):
    unsubscribed_then_deleted(brevo, 7)

    first = sync(segment)
    second = sync(segment)

    assert address(7) in first.proof["names"]["missing"]
    assert Suppression.objects.get().reason == Why.DELETED
    assert (second.status, address(7) in members(brevo, segment)) == ("SUCCESS", False)
    assert brevo.contact(address(7)) is None
    assert not is_mailable(User.objects.get(email_key=address(7)))


@pytest.mark.parametrize("number", [1, 25])
def test_whoever_is_made_anew_by_a_change_is_named_and_leaves_with_the_next_run(
    brevo, segment, number
):
    """By one request of their own, or by an import."""
    unsubscribed_then_deleted(brevo, 0)
    alter(*range(number), first_name="Grace")

    first = sync(segment)
    second = sync(segment)

    assert (
        address(0) not in members(brevo, segment) or address(0) in first.proof["names"]["said_no"]
    )
    assert Suppression.objects.get().reason == Why.DELETED
    assert second.status == "SUCCESS"
    assert members(brevo, segment) == addresses(*range(1, 25)) == ledger(segment)


def test_deleted_contact_that_a_webhook_tells_of_is_never_made_anew(brevo, segment):
    unsubscribed_then_deleted(brevo, 7)
    events.keep(json.dumps({"event": "contact_deleted", "email": address(7)}).encode())

    export = sync(segment)  # understands what waits before it plans

    assert export.status == "SUCCESS"
    assert brevo.contact(address(7)) is None
    assert members(brevo, segment) == addresses(*range(25)) - {address(7)}


@pytest.mark.parametrize("has_run_between", [True, False])
def test_whoever_is_allowed_again_is_back_on_the_list_with_the_next_run(
    brevo, segment, has_run_between
):
    brevo.delete_contact(address(7))
    events.keep(json.dumps({"event": "contact_deleted", "email": address(7)}).encode())
    events.process_pending()
    if has_run_between:
        sync(segment)

    lift_deletions(Suppression.objects.all())
    export = sync(segment)

    assert export.status == "SUCCESS"
    assert members(brevo, segment) == addresses(*range(25))
    assert not Suppression.objects.exists()


def leaves_then_comes_back(segment, number: int) -> None:
    alter(number, gender="MALE")
    sync(segment)
    alter(number, gender="FEMALE")


def test_former_member_who_was_deleted_meanwhile_is_not_made_anew_when_they_come_back(
    brevo, segment
):
    leaves_then_comes_back(segment, 7)
    unsubscribed_then_deleted(brevo, 7)

    export = sync(segment)

    assert export.status == "SUCCESS"
    assert export.changes.get(email=address(7)).outcome == Outcome.HELD_BACK
    assert brevo.contact(address(7)) is None

    lift_deletions(Suppression.objects.all())
    assert sync(segment).status == "SUCCESS"
    assert members(brevo, segment) == addresses(*range(25))


def test_former_member_of_whom_brevo_tells_nothing_waits_for_the_next_run(brevo, segment):
    leaves_then_comes_back(segment, 7)
    unsubscribed_then_deleted(brevo, 7)
    brevo.fault("500@GET /contacts/[0-9]*")

    export = sync(segment)

    line = export.changes.get(email=address(7))
    assert (export.status, line.outcome) == ("PARTIAL", Outcome.NOT_ATTEMPTED)
    assert "sync again" in line.message
    assert brevo.contact(address(7)) is None


def test_one_former_member_of_whom_brevo_never_tells_keeps_no_other_waiting(brevo, segment):
    everybody = range(3)
    alter(*everybody, gender="MALE")
    sync(segment)
    alter(*everybody, gender="FEMALE")
    odd = ListMember.objects.get(email=address(0)).contact_id
    brevo.fault(f"500@GET /contacts/{odd}")

    export = sync(segment)

    assert addresses(1, 2) <= members(brevo, segment)
    assert export.changes.get(email=address(0)).outcome == Outcome.NOT_ATTEMPTED


def test_former_member_who_is_still_a_contact_is_put_back_with_one_question(brevo, segment):
    leaves_then_comes_back(segment, 7)
    brevo.clear_requests()

    assert sync(segment).status == "SUCCESS"

    assert address(7) in members(brevo, segment)
    contact_id = brevo.contact(address(7))["id"]
    asked = [path for method, path, _ in brevo.requests if path == f"/contacts/{contact_id}"]
    assert len(asked) == 1


def test_whoever_was_only_taken_off_the_list_is_put_back(brevo, segment):
    with brevo.store.writing() as store:
        store.execute("DELETE FROM member")

    sync(segment)
    sync(segment)

    assert members(brevo, segment) == addresses(*range(25))
    assert not Suppression.objects.exists()


def test_list_that_is_gone_deletes_nobody(brevo, segment):
    brevo.fault("list-gone@GET /contacts/lists/**1")

    sync(segment)
    segment.refresh_from_db()

    assert members(brevo, segment) == addresses(*range(25))
    assert not Suppression.objects.exists()


def test_whoever_cannot_be_asked_about_is_not_sent_anew(brevo, segment):
    unsubscribed_then_deleted(brevo, 7)
    brevo.fault("500@GET /contacts/[0-9]*")

    for _ in range(2):
        export = sync(segment)
        assert export.status != "SUCCESS"
        assert address(7) in export.proof["names"]["missing"]
        assert brevo.contact(address(7)) is None

    brevo.clear_faults()
    sync(segment)
    assert sync(segment).status == "SUCCESS"
    assert Suppression.objects.get().reason == Why.DELETED


def test_bounced_and_deleted_contact_may_be_mailed_under_a_corrected_address(brevo, segment):
    suppress(address(7), Why.BOUNCED, "WEBHOOK", note="No such user")
    brevo.bounce(address(7))
    brevo.delete_contact(address(7))
    sync(segment)

    person = User.objects.get(email_key=address(7))
    person.email = "corrected@example.com"
    person.save()
    sync(segment)

    assert Suppression.objects.get().note == "No such user"
    assert "corrected@example.com" in members(brevo, segment)
