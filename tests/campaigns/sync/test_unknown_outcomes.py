"""A request without an answer may be carried out at any time: nobody in it is lost sight of."""

from datetime import timedelta

import pytest
from django.db.models import Sum
from django.utils import timezone

from accounts.enums import Consent
from accounts.models import User
from campaigns.enums import ChunkState, ExportStatus, Outcome
from campaigns.models import ExportChunk, ListMember, Segment, SegmentExport
from campaigns.sync.gateway import connect
from campaigns.sync.runs import cancel, request_sync, run_export
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


@pytest.fixture(autouse=True)
def time_flies(settings, monkeypatch):
    settings.CAMPAIGNS_IMPORT_WAIT = 1
    monkeypatch.setattr("campaigns.sync.work.Run.pause", lambda run, _: run.beat())
    monkeypatch.setattr("campaigns.brevo.transport.Transport.FIRST_BACKOFF", 0.0)
    monkeypatch.setattr("campaigns.brevo.transport.Transport.LONGEST_BACKOFF", 0.0)


@pytest.fixture
def segment(brevo) -> Segment:
    return make_segment_of_women()


def opt_out(*numbers: int) -> None:
    alter(*numbers, marketing_consent=Consent.OPTED_OUT)


LATE = ["import-late*1", "late-500@POST /contacts/import*1", "late-504@POST /contacts/import*1"]


@pytest.mark.parametrize("fault", LATE)
def test_import_that_is_carried_out_after_its_sync_leaves_nobody_who_said_no_on_the_list(
    brevo, segment, fault
):
    women(*range(30))
    brevo.fault(fault)
    assert sync(segment).status == ExportStatus.SUCCESS
    opt_out(1, 2, 3)
    alter(4, gender="MALE")
    assert sync(segment).removed == 4
    brevo.release_late_imports()
    brevo.wait_for_imports()
    assert addresses(1, 2, 3, 4) <= brevo.members(segment.brevo_list_id)

    export = sync(segment)

    assert (export.status, export.removed) == (ExportStatus.SUCCESS, 4)
    assert brevo.members(segment.brevo_list_id) == addresses(0, *range(5, 30))


def test_import_that_is_carried_out_while_the_next_sync_takes_people_off_is_noticed(
    brevo, segment, monkeypatch
):
    women(*range(30))
    brevo.fault("import-late*1")
    sync(segment)
    opt_out(1, 2, 3)

    def carry_out(request: str) -> None:
        if request.startswith("GET") and request.endswith("/contacts"):
            brevo.release_late_imports()
            brevo.wait_for_imports()

    before_requests(monkeypatch, carry_out)
    export = sync(segment)

    assert export.status == ExportStatus.SUCCESS, export.error_message
    assert brevo.members(segment.brevo_list_id) == addresses(0, *range(4, 30))


def test_person_sent_alone_whose_first_attempt_is_carried_out_late_is_taken_off_again(
    brevo, segment
):
    women(1, 2)
    brevo.fault("late@POST /contacts*1")
    assert sync(segment).status == ExportStatus.SUCCESS
    opt_out(1)
    sync(segment)
    brevo.release_late_imports()

    sync(segment)

    assert brevo.members(segment.brevo_list_id) == addresses(2)


def test_changes_in_a_request_without_an_answer_do_not_put_people_back(brevo, segment):
    women(*range(30))
    sync(segment)
    alter(*range(30), first_name="Grace")
    brevo.fault("import-late*1")
    sync(segment)
    opt_out(1)
    sync(segment)
    brevo.release_late_imports()
    brevo.wait_for_imports()

    sync(segment)

    assert brevo.members(segment.brevo_list_id) == addresses(0, *range(2, 30))


def test_request_without_an_answer_is_expected_no_longer_after_a_day_and_a_good_sync(
    brevo, segment
):
    women(*range(30))
    brevo.fault("import-late*1")
    sync(segment)
    assert ExportChunk.objects.filter(state=ChunkState.UNKNOWN).count() == 1
    sync(segment)
    assert ExportChunk.objects.possibly_arriving().exists()
    ExportChunk.objects.update(sent_at=timezone.now() - timedelta(days=2))

    sync(segment)

    assert not ExportChunk.objects.possibly_arriving().exists()


def test_people_taken_off_who_were_never_on_the_list_are_not_counted_as_removed(brevo, segment):
    women(*range(30))
    brevo.fault("500@POST /contacts/import")
    sync(segment)
    brevo.clear_faults()
    opt_out(1, 2)

    export = sync(segment)

    assert (export.status, export.added, export.removed) == (ExportStatus.SUCCESS, 28, 0)
    assert outcomes(export) == {Outcome.DONE: 28, Outcome.UNNEEDED: 2}


# What is sent and not answered for


def test_sync_whose_import_stays_queued_ends_and_says_what_is_known(brevo, segment):
    women(*range(30))
    brevo.fault("import-stuck")

    export = sync(segment)

    assert export.status == ExportStatus.PARTIAL
    assert "Brevo has not finished import" in export.error_message
    assert "it says “queued”" in export.error_message
    assert "30 were sent to Brevo, and the outcome is unknown" in export.error_message
    assert outcomes(export) == {Outcome.SENT: 30}


def test_page_says_what_a_sync_waits_for(brevo, segment, monkeypatch):
    women(*range(30))
    brevo.fault("import-stuck")
    reasons: list[str] = []
    wait_for = "campaigns.sync.work.Run.wait_for"
    monkeypatch.setattr(wait_for, lambda run, what: reasons.append(what))

    sync(segment)

    assert any("Brevo to finish import" in reason and "queued" in reason for reason in reasons)


def test_people_in_an_import_that_stays_queued_are_not_sent_again(brevo, segment):
    women(*range(30))
    brevo.fault("import-stuck*1")
    sync(segment)
    women(*range(30, 60))

    export = sync(segment)

    assert outcomes(export) == {Outcome.NOT_ATTEMPTED: 30, Outcome.DONE: 30}
    left = export.changes.filter(outcome=Outcome.NOT_ATTEMPTED).first()
    assert "Brevo has not finished import" in left.message
    assert export.error_message == "30 were left for a later sync: each line says why."


def test_people_in_an_import_that_stays_queued_for_a_day_are_sent_again(brevo, segment):
    women(*range(30))
    brevo.fault("import-stuck*1")
    sync(segment)
    ExportChunk.objects.update(sent_at=timezone.now() - timedelta(days=2))

    assert sync(segment).added == 30


def test_import_that_is_finished_after_its_sync_is_counted_by_its_sync(brevo, segment):
    women(*range(30))
    brevo.fault("import-stuck*1")
    first = sync(segment)
    brevo.release_stuck_imports()
    brevo.wait_for_imports()

    second = sync(segment)

    first.refresh_from_db()
    assert (first.status, first.added, second.added) == (ExportStatus.PARTIAL, 30, 0)
    assert (
        f"Sync {second.pk} found out what became of the people who were sent."
        in first.error_message
    )
    assert outcomes(first) == {Outcome.DONE: 30}
    assert ListMember.objects.filter(added_by=first.pk).count() == 30


def test_run_that_counted_as_failed_is_partly_done_once_its_import_is_known(brevo, segment):
    women(*range(30))
    brevo.fault("import-stuck*1")
    first = sync(segment)
    SegmentExport.objects.filter(pk=first.pk).update(status=ExportStatus.FAILED)
    brevo.release_stuck_imports()
    brevo.wait_for_imports()

    sync(segment)

    first.refresh_from_db()
    assert (first.status, first.added) == (ExportStatus.PARTIAL, 30)


def test_import_that_is_finished_between_plan_and_sending_is_not_sent_twice(
    brevo, segment, monkeypatch
):
    women(*range(30))
    brevo.fault("import-stuck*1")
    sync(segment)
    alter(1, first_name="Grace")

    def finish(request: str) -> None:
        if request == f"GET /contacts/lists/{segment.brevo_list_id}":
            brevo.release_stuck_imports()
            brevo.wait_for_imports()

    before_requests(monkeypatch, finish)
    export = sync(segment)

    assert (export.added, export.updated) == (0, 1)
    assert (export.joins, export.changes_planned) == (29, 1)
    assert outcomes(export) == {Outcome.UNNEEDED: 29, Outcome.DONE: 1}
    assert brevo.contact(address(1))["attributes"]["FIRSTNAME"] == "Grace"


def test_run_that_fails_while_brevo_works_on_its_import_says_that_people_were_sent(brevo, segment):
    women(*range(30))
    brevo.fault("key-revoked@GET /processes/*")

    export = sync(segment)

    assert export.status == ExportStatus.PARTIAL
    assert outcomes(export) == {Outcome.SENT: 30}


def test_cancelled_run_whose_import_stays_queued_does_not_hold_up_the_next(
    brevo, segment, monkeypatch
):
    women(*range(30))
    brevo.fault("import-stuck*1")
    export = request_sync(segment)
    killed_before(monkeypatch, export, "GET /processes")
    cancel(export, by=None)
    opt_out(1)
    women(40)

    second = sync(segment)

    assert second.planned_at is not None
    assert outcomes(second)[Outcome.DONE] == 1


def test_colleagues_import_that_stays_queued_holds_up_nobody_whose_answer_was_lost(brevo, segment):
    women(*range(30))
    sync(segment)
    brevo.fault("import-stuck*1")
    brevo.fault("import-late*1")
    women(*range(30, 60))
    stuck = sync(segment)  # stands for a colleague's
    ExportChunk.objects.filter(export=stuck).delete()
    women(*range(60, 90))
    assert sync(segment).planned_at is not None
    opt_out(1)

    sync(segment)

    assert address(1) not in brevo.members(segment.brevo_list_id)


def test_other_segment_waits_less_while_an_import_is_stuck(brevo, segment, settings):
    settings.CAMPAIGNS_IMPORT_WAIT = 60
    women(*range(30))
    brevo.fault("import-stuck")
    sync(segment)
    ExportChunk.objects.update(sent_at=timezone.now() - timedelta(hours=2))
    other = make_segment_of_women("Others")
    export = request_sync(other)
    brevo.clear_requests()

    run_export(export.pk)

    looks = [call for call in brevo.requests if call[1].startswith("/processes")]
    assert len(looks) < 40


# Reports that cannot be read


def test_import_whose_people_are_missing_is_sent_one_by_one_by_the_next_sync(brevo, segment):
    women(*range(30))
    sync(segment)
    women(*range(30, 60))
    brevo.fault("list-lags=3*1")  # as often as anybody looks
    first = sync(segment)
    assert first.status == ExportStatus.PARTIAL
    brevo.clear_faults()
    brevo.clear_requests()

    again = sync(segment)

    assert (again.status, again.updated) == (ExportStatus.SUCCESS, 30)
    assert not [call for call in brevo.requests if call[1] == "/contacts/import"]


def test_list_that_shows_late_whom_it_got_is_looked_at_again(brevo, segment):
    women(*range(30))
    brevo.fault("list-lags=1*1")

    export = sync(segment)

    assert (export.status, export.proof["missing"]) == (ExportStatus.SUCCESS, 0)


def test_heads_lines_and_memberships_agree(brevo, segment):
    women(*range(30))
    brevo.fault("import-stuck*1")
    sync(segment)
    brevo.release_stuck_imports()
    brevo.wait_for_imports()
    sync(segment)

    total = SegmentExport.objects.aggregate(total=Sum("added"))["total"]
    assert total == ListMember.objects.count() == len(ledger(segment)) == 30


def test_people_left_out_for_their_phone_are_sent_without_it_when_no_report_says_so(brevo, segment):
    women(1, phone="+2348031234567")
    sync(segment)
    User.objects.filter(email_key=address(1)).update(email="elsewhere@example.org", gender="MALE")
    colleague = "+2348031234568"
    with brevo.store.writing() as store:
        store.execute("UPDATE contact SET phone = ? WHERE email = ?", [colleague[1:], address(1)])
    women(2, phone=colleague, phone_e164=colleague)
    women(*range(10, 40))
    brevo.fault("report-empty")
    first = sync(segment)
    assert (first.status, first.proof["missing"]) == (ExportStatus.PARTIAL, 1)

    again = sync(segment)

    assert address(2) in brevo.members(segment.brevo_list_id)
    line = again.changes.get(email=address(2))
    assert line.outcome == Outcome.DONE
    assert line.message.startswith("Sent without the phone number")


def test_import_of_which_brevo_never_tells_is_settled_by_the_list_after_a_day(brevo, segment):
    women(*range(30))
    brevo.fault("500@GET /processes/*")
    first = sync(segment)
    brevo.wait_for_imports()
    assert outcomes(first) == {Outcome.SENT: 30}
    ExportChunk.objects.update(sent_at=timezone.now() - timedelta(days=2))

    assert sync(segment).status == ExportStatus.SUCCESS

    first.refresh_from_db()
    assert (first.added, outcomes(first)) == (30, {Outcome.DONE: 30})
    assert ledger(segment) == addresses(*range(30))


def test_people_in_an_unfinished_import_into_a_list_that_is_gone_are_sent_to_the_new_one_at_once(
    brevo, segment
):
    women(*range(30))
    brevo.fault("import-stuck*1")
    first = sync(segment)
    connect().delete_list(first.brevo_list_id)
    segment.refresh_from_db()

    assert (sync(segment).status, sync(segment).status) == (ExportStatus.SUCCESS,) * 2

    first.refresh_from_db()
    segment.refresh_from_db()
    assert (first.added, outcomes(first)) == (0, {Outcome.NOT_ATTEMPTED: 30})
    assert brevo.members(segment.brevo_list_id) == addresses(*range(30)) == ledger(segment)
