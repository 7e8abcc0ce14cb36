"""Whatever is not known for sure is found out, or done again: nobody is lost between two runs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.enums import Consent
from accounts.models import User
from campaigns.brevo import BrevoTemporary
from campaigns.enums import ExportStatus, Outcome, VerifyLevel
from campaigns.errors import SegmentBusy
from campaigns.models import ListMember, Segment, SegmentExport
from campaigns.sync import runs
from campaigns.sync.runs import request_sync, run_export
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

pytestmark = pytest.mark.django_db

TAMPERED = {
    VerifyLevel.AUTO: "found 1 missing and 0 still on it",
    VerifyLevel.FULL: "found 1 missing and 0 still on it",
    VerifyLevel.COUNT: "The list holds 2, fewer than the 3 expected",
    VerifyLevel.OFF: "",
}


@pytest.fixture
def segment(brevo) -> Segment:
    """Synced with three."""
    segment = make_segment_of_women()
    women(1, 2, 3)
    sync(segment)
    return segment


def take_off(brevo, segment, number: int) -> None:
    """Take somebody off the list by hand, as a colleague in Brevo's own pages does."""
    with brevo.store.writing() as store:
        contact = brevo.contact(address(number))["id"]
        store.execute("DELETE FROM member WHERE contact_id = ?", [contact])


# The list is not what it should be


@pytest.mark.parametrize("level", list(VerifyLevel))
def test_each_level_says_what_it_saw_of_a_list_that_lost_somebody(brevo, segment, level):
    take_off(brevo, segment, 2)

    export = sync(segment, verify_level=level)

    expected = ExportStatus.PARTIAL if TAMPERED[level] else ExportStatus.SUCCESS
    assert (export.status, TAMPERED[level] in export.error_message) == (expected, True)


def test_member_who_is_missing_is_sent_again_by_the_next_run(brevo, segment):
    take_off(brevo, segment, 2)
    sync(segment)

    again = sync(segment)

    assert (again.status, again.updated) == (ExportStatus.SUCCESS, 1)
    assert brevo.members(segment.brevo_list_id) == addresses(1, 2, 3)


def test_long_list_that_lost_somebody_is_read_name_by_name_after_all(brevo, segment, settings):
    settings.CAMPAIGNS_VERIFY_UP_TO = 2
    assert sync(segment).proof["level"] == VerifyLevel.COUNT
    take_off(brevo, segment, 2)

    export = sync(segment)

    assert (export.status, export.proof["level"]) == (ExportStatus.PARTIAL, VerifyLevel.FULL)
    assert export.proof["names"]["missing"] == [address(2)]
    assert sync(segment).status == ExportStatus.SUCCESS
    assert brevo.members(segment.brevo_list_id) == addresses(1, 2, 3)


def test_missing_member_who_left_meanwhile_is_no_longer_missed(brevo, segment):
    take_off(brevo, segment, 2)
    sync(segment)
    User.objects.filter(email_key=address(2)).delete()

    assert sync(segment).status == ExportStatus.SUCCESS
    assert ledger(segment) == addresses(1, 3)


def test_leaver_who_is_still_on_the_list_is_removed_again_by_the_next_run(
    brevo, segment, monkeypatch
):
    alter(2, marketing_consent=Consent.OPTED_OUT)

    def put_back(request: str) -> None:
        if request.startswith("GET") and request.endswith("/contacts"):
            brevo.put_on_list(segment.brevo_list_id, address(2))

    with monkeypatch.context() as patch:
        before_requests(patch, put_back)
        export = sync(segment)
    assert export.status == ExportStatus.PARTIAL
    assert export.proof["names"]["unexpected"] == [address(2)]

    again = sync(segment)

    assert (again.status, again.removed) == (ExportStatus.SUCCESS, 1)
    assert brevo.members(segment.brevo_list_id) == addresses(1, 3) == ledger(segment)


# An answer is lost


def test_removal_whose_answer_was_lost_is_made_good_for_whoever_came_back(
    brevo, segment, monkeypatch
):
    """The contact is off the list, our ledger says it is on it, and the audience agrees."""
    alter(2, marketing_consent=Consent.OPTED_OUT)
    monkeypatch.setattr("campaigns.brevo.transport.Transport.MAX_ATTEMPTS", 1)
    brevo.fault("drop-after@POST /contacts/lists/*/contacts/remove*1")
    assert sync(segment, verify_level=VerifyLevel.OFF).status == ExportStatus.FAILED
    assert brevo.members(segment.brevo_list_id) == addresses(1, 3)
    alter(2, marketing_consent=Consent.OPTED_IN)

    again = sync(segment, verify_level=VerifyLevel.OFF)

    assert again.status == ExportStatus.SUCCESS
    assert brevo.members(segment.brevo_list_id) == addresses(1, 2, 3)


@pytest.mark.parametrize("leaves", ["opts out", "is deleted"])
def test_joiner_whose_run_died_and_who_left_before_the_next_is_taken_off(
    brevo, segment, monkeypatch, leaves
):
    women(*range(10, 40))
    export = request_sync(segment)
    killed_before(monkeypatch, export, "GET /processes")
    runs.cancel(export, by=None)
    brevo.wait_for_imports()
    people = User.objects.filter(email_key=address(20))
    if leaves == "opts out":
        people.update(marketing_consent=Consent.OPTED_OUT)
    else:
        people.delete()

    ended = sync(segment)

    assert ended.status == ExportStatus.SUCCESS
    assert address(20) not in brevo.members(segment.brevo_list_id) | ledger(segment)
    assert ListMember.objects.get(email=address(20)).added_by == export.pk


def test_whoever_opts_out_after_the_plan_is_held_back_in_both_ways_of_sending(
    brevo, segment, monkeypatch
):
    women(*range(10, 40))
    alter(1, 2, first_name="Grace")
    export = request_sync(segment)
    killed_before(monkeypatch, export, "POST /contacts/import")
    alter(2, 20, marketing_consent=Consent.OPTED_OUT)
    brevo.clear_requests()

    ended = run_export(export.pk)

    sent = str([body for _, path, body in brevo.bodies if not path.endswith("/remove")])
    assert address(1) in sent
    assert address(19) in sent
    assert address(2) not in sent
    assert address(20) not in sent
    assert outcomes(ended) == {Outcome.DONE: 31, Outcome.HELD_BACK: 1}
    held = ended.changes.get(email=address(20))
    assert held.message == "Since the plan was made: opted out of marketing."
    sync(segment)
    assert not addresses(2, 20) & brevo.members(segment.brevo_list_id)


# A run is left behind


def test_run_that_died_is_carried_on_by_whoever_asks_next(segment, monkeypatch):
    women(4)
    export = request_sync(segment)
    killed_before(monkeypatch, export, "POST /contacts")

    assert request_sync(segment).pk == export.pk
    with pytest.raises(SegmentBusy):
        request_sync(segment, plan_only=True)
    assert run_export(export.pk).added == 1


def test_run_that_nobody_ever_took_up_is_carried_on_by_whoever_asks_later(segment, settings):
    export = request_sync(segment)
    with pytest.raises(SegmentBusy):
        request_sync(segment)
    long_ago = timezone.now() - timedelta(seconds=settings.CAMPAIGNS_LEASE_SECONDS + 1)
    SegmentExport.objects.filter(pk=export.pk).update(exported_at=long_ago)

    assert request_sync(segment).pk == export.pk


@pytest.mark.parametrize("farewell", [KeyboardInterrupt, SystemExit])
def test_run_that_is_interrupted_can_be_taken_up_at_once(segment, monkeypatch, farewell):
    women(4)

    def interrupt(request: str) -> None:
        if request == "POST /contacts":
            raise farewell

    with monkeypatch.context() as patch:
        before_requests(patch, interrupt)
        with pytest.raises(farewell):
            sync(segment)

    export = sync(segment)

    assert (export.status, export.attempts, export.added) == (ExportStatus.SUCCESS, 2, 1)


def test_run_that_fails_after_another_process_took_it_up_is_left_to_that(segment, monkeypatch):
    export = request_sync(segment)

    def lose(*_, **__) -> None:
        SegmentExport.objects.filter(pk=export.pk).update(lease_owner="another")
        raise BrevoTemporary("Brevo cannot be reached")

    monkeypatch.setattr(runs, "look_at_list", lose)

    seen = run_export(export.pk)

    assert (seen.status, seen.lease_owner) == (ExportStatus.RUNNING, "another")


def test_run_that_breaks_off_again_and_again_ends_and_says_so(segment, monkeypatch):
    export = request_sync(segment)
    SegmentExport.objects.filter(pk=export.pk).update(attempts=10)

    ended = run_export(export.pk)

    assert ended.status == ExportStatus.FAILED
    assert "broke off 10 times" in ended.error_message


def test_fault_of_our_own_is_written_down_and_raised(segment, monkeypatch):
    def stumble(*_, **__) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(runs, "write_plan", stumble)
    export = request_sync(segment)

    with pytest.raises(ZeroDivisionError):
        run_export(export.pk)

    export.refresh_from_db()
    assert export.status == ExportStatus.FAILED
    assert export.error_message == "A fault of this application: ZeroDivisionError('oops')."


def test_lease_that_was_lost_ends_the_run_here_and_changes_nothing(segment, monkeypatch):
    women(4)
    export = request_sync(segment)

    def steal(request: str) -> None:
        SegmentExport.objects.filter(pk=export.pk).update(lease_owner="another")

    before_requests(monkeypatch, steal)

    assert run_export(export.pk).status == ExportStatus.RUNNING
    assert export.changes.count() == 0


# Somebody else put them there


def test_whoever_others_put_there_stays_while_people_come_and_go_around_them(brevo, segment):
    brevo.put_on_list(segment.brevo_list_id, "by.hand@example.org")
    User.objects.all().delete()
    women(4)

    export = sync(segment)

    assert (export.status, export.proof["held_by_others"]) == (ExportStatus.SUCCESS, 1)
    assert brevo.members(segment.brevo_list_id) == {address(4), "by.hand@example.org"}


def test_whoever_joins_the_audience_is_ours_although_others_had_put_them_there(brevo, segment):
    brevo.put_on_list(segment.brevo_list_id, address(4))
    women(4)
    sync(segment)
    alter(4, marketing_consent=Consent.OPTED_OUT)

    assert sync(segment).removed == 1
    assert brevo.members(segment.brevo_list_id) == addresses(1, 2, 3)
