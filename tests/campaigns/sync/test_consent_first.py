"""Whoever said no is taken off the list, whatever else a sync has to wait for."""

import pytest

from accounts.enums import Consent
from accounts.models import User
from campaigns.enums import (
    ChangeKind,
    ExportStatus,
    Outcome,
    Reason,
    SuppressionReason,
    SuppressionSource,
)
from campaigns.errors import PlanRefused, SegmentBroken
from campaigns.models import ListMember, Segment, SegmentExport
from campaigns.sync.runs import apply_plan, request_sync, run_export
from campaigns.sync.suppressing import suppress
from tests.campaigns.sync.scenes import (
    address,
    addresses,
    alter,
    applied,
    before_requests,
    killed_before,
    ledger,
    make_segment_of_women,
    outcomes,
    plan,
    sync,
    women,
)
from tests.factories import definition

pytestmark = pytest.mark.django_db


@pytest.fixture
def segment(brevo) -> Segment:
    """Synced with sixty."""
    segment = make_segment_of_women()
    women(*range(60))
    sync(segment)
    return segment


def opt_out(*numbers: int) -> None:
    alter(*numbers, marketing_consent=Consent.OPTED_OUT)


def delete(*numbers: int) -> None:
    User.objects.filter(email_key__in=addresses(*numbers)).delete()


def test_people_who_opted_out_leave_without_approval_however_many_they_are(brevo, segment):
    opt_out(*range(40))

    export = sync(segment)

    assert (export.status, export.removed) == (ExportStatus.SUCCESS, 40)
    assert brevo.members(segment.brevo_list_id) == addresses(*range(40, 60))


def test_people_who_opted_out_leave_while_the_others_wait_for_approval(brevo, segment):
    opt_out(*range(10))
    delete(*range(30, 60))

    export = sync(segment)

    assert export.status == ExportStatus.WAITING
    assert "removes 30 of 60 people" in export.error_message
    assert (export.removed, outcomes(export)) == (10, {Outcome.DONE: 10, Outcome.PENDING: 30})
    assert brevo.members(segment.brevo_list_id) == addresses(*range(10, 60))


def test_approved_plan_is_performed_although_some_of_it_is_done_already(brevo, segment):
    opt_out(*range(10))
    delete(*range(30, 60))

    export = applied(sync(segment), approve=True)

    assert (export.status, export.removed) == (ExportStatus.SUCCESS, 40)
    assert brevo.members(segment.brevo_list_id) == addresses(*range(10, 30)) == ledger(segment)


def test_sync_beside_a_plan_under_review_takes_off_who_said_no_since_and_keeps_the_plan(
    brevo, segment
):
    delete(*range(30, 60))
    reviewed = sync(segment)
    opt_out(1, 2)

    hourly = sync(segment)

    reviewed.refresh_from_db()
    assert (hourly.status, hourly.removed, hourly.leaves) == (ExportStatus.CANCELLED, 2, 2)
    assert set(hourly.changes.values_list("email", flat=True)) == addresses(1, 2)
    assert reviewed.status == ExportStatus.WAITING
    assert brevo.members(segment.brevo_list_id) == addresses(0, *range(3, 60))
    assert applied(reviewed, approve=True).status == ExportStatus.SUCCESS
    assert brevo.members(segment.brevo_list_id) == addresses(0, *range(3, 30))


def test_leaver_of_a_plan_under_review_who_says_no_is_no_longer_part_of_it(brevo, segment):
    alter(*range(30, 60), gender="MALE")
    reviewed = sync(segment)
    opt_out(30)
    alter(30, gender="FEMALE")

    sync(segment)

    reviewed.refresh_from_db()
    line = reviewed.changes.get(email=address(30))
    assert (reviewed.leaves, line.outcome) == (29, Outcome.UNNEEDED)
    assert line.message.startswith("Taken off by sync ")


def test_plan_under_review_goes_once_the_brake_no_longer_holds_the_next_one(brevo, segment):
    alter(*range(30, 60), gender="MALE")
    reviewed = sync(segment)
    alter(*range(30, 60), gender="FEMALE")

    assert sync(segment).status == ExportStatus.SUCCESS

    reviewed.refresh_from_db()
    assert reviewed.status == ExportStatus.CANCELLED


def test_plan_that_was_only_looked_at_takes_nobody_off(brevo, segment):
    opt_out(1)

    assert plan(segment).status == ExportStatus.PLANNED
    assert brevo.members(segment.brevo_list_id) == addresses(*range(60))


def test_outdated_plan_takes_off_who_said_no_and_is_refused_for_the_rest(brevo, segment):
    opt_out(1)
    looked_at = plan(segment)
    alter(5, first_name="Grace")

    export = applied(looked_at)

    assert export.status == ExportStatus.PARTIAL
    assert "Only people who said no were taken off." in export.error_message
    assert outcomes(export) == {Outcome.DONE: 1}
    assert brevo.members(segment.brevo_list_id) == addresses(0, *range(2, 60))
    newer = SegmentExport.objects.get(status=ExportStatus.PLANNED)
    kinds = newer.changes.values_list("kind", "reason")
    assert set(kinds) == {(ChangeKind.HELD_BACK, Reason.OPTED_OUT), (ChangeKind.CHANGE, "")}


def test_plan_under_review_that_is_cancelled_cannot_be_approved(segment):
    delete(*range(30, 60))
    reviewed = sync(segment)
    SegmentExport.objects.filter(pk=reviewed.pk).update(status=ExportStatus.CANCELLED)

    with pytest.raises(PlanRefused):
        apply_plan(reviewed, by=None, approve=True)


@pytest.mark.parametrize(
    "fault",
    [
        "import-stuck",
        "500@POST /contacts/import",
        "503@GET /processes*",
    ],
)
def test_people_who_opted_out_leave_although_an_earlier_sync_came_to_no_end(
    brevo, segment, settings, monkeypatch, fault
):
    """Thirty joined in a request that Brevo has not answered for, then three opted out."""
    settings.CAMPAIGNS_IMPORT_WAIT = 1
    monkeypatch.setattr("campaigns.sync.work.Run.pause", lambda run, _: run.beat())
    monkeypatch.setattr("campaigns.brevo.transport.Transport.FIRST_BACKOFF", 0.0)
    brevo.fault(fault)
    women(*range(60, 90))
    first = sync(segment)
    assert first.status == ExportStatus.PARTIAL, first.error_message
    opt_out(1, 2, 61)

    second = sync(segment)

    gone = addresses(1, 2, 61)
    assert not gone & brevo.members(segment.brevo_list_id), second.error_message
    brevo.clear_faults()


def test_member_who_opts_out_while_a_run_is_under_way_leaves_with_it(brevo, segment, monkeypatch):
    alter(5, first_name="Grace")

    def opt_out_meanwhile(request: str) -> None:
        if request == "POST /contacts":
            opt_out(5, 6)

    before_requests(monkeypatch, opt_out_meanwhile)
    export = sync(segment)

    assert (export.status, export.removed) == (ExportStatus.SUCCESS, 2)
    assert export.users_count == 58
    assert brevo.members(segment.brevo_list_id) == addresses(*range(5), *range(7, 60))


def test_member_who_opts_out_after_a_run_was_killed_leaves_before_it_goes_on(
    brevo, segment, monkeypatch
):
    alter(5, 6, first_name="Grace")
    export = request_sync(segment)
    killed_before(monkeypatch, export, "POST /contacts")
    opt_out(5, 7)
    brevo.clear_requests()

    ended = run_export(export.pk)

    assert (ended.status, ended.removed, ended.updated) == (ExportStatus.SUCCESS, 2, 1)
    assert next(path for method, path, _ in brevo.requests if method != "GET").endswith("/remove")
    assert ended.changes.count() == ended.leaves + ended.changes_planned == 3


def test_whoever_joined_and_said_no_before_a_killed_run_went_on_is_taken_off_by_it(
    brevo, segment, monkeypatch
):
    women(60, 61)
    export = request_sync(segment)
    killed_before(monkeypatch, export, f"GET /contacts/lists/{segment.brevo_list_id}/contacts")
    joined = export.changes.filter(kind=ChangeKind.JOIN)
    assert set(joined.values_list("outcome", flat=True)) == {Outcome.DONE}
    opt_out(60)

    ended = run_export(export.pk)

    assert ended.status == ExportStatus.SUCCESS, ended.error_message
    assert ended.changes.get(kind=ChangeKind.JOIN, email=address(60)).outcome == Outcome.DONE
    assert brevo.members(segment.brevo_list_id) == addresses(*range(60), 61)
    assert ListMember.objects.get(email=address(60)).removed_by == export.pk


@pytest.mark.parametrize("how", ["opts out", "is suppressed"])
def test_member_who_registered_anew_and_said_no_leaves_with_the_run_that_is_under_way(
    brevo, segment, monkeypatch, how
):
    alter(5, first_name="Grace")
    export = request_sync(segment)
    killed_before(monkeypatch, export, "POST /contacts")
    User.objects.filter(email_key=address(7)).delete()
    women(7)
    if how == "opts out":
        opt_out(7)
    else:
        suppress(address(7), SuppressionReason.UNSUBSCRIBED, SuppressionSource.ADMIN)

    ended = run_export(export.pk)

    assert address(7) not in brevo.members(segment.brevo_list_id)
    expected = Reason.OPTED_OUT if how == "opts out" else Reason.SUPPRESSED
    assert ended.changes.get(kind=ChangeKind.LEAVE).reason == expected


def test_member_who_unsubscribed_and_was_deleted_at_brevo_is_not_made_anew(brevo, segment):
    brevo.fault("contact-gone@GET /contacts/lists/*/contacts*1")

    first = sync(segment)
    second = sync(segment)

    assert first.status == ExportStatus.PARTIAL
    [gone] = first.proof["names"]["missing"]
    assert second.status == ExportStatus.SUCCESS
    assert brevo.contact(gone) is None
    assert second.changes.get(email=gone).reason == Reason.SUPPRESSED


def test_missing_member_of_whom_brevo_says_nothing_is_not_sent_again(brevo, segment, monkeypatch):
    monkeypatch.setattr("campaigns.brevo.transport.Transport.FIRST_BACKOFF", 0.0)
    brevo.fault("contact-gone@GET /contacts/lists/*/contacts*1")
    brevo.fault("500@GET /contacts/[0-9]*")
    [gone] = sync(segment).proof["names"]["missing"]

    sync(segment)

    assert brevo.contact(gone) is None


def no_longer_matches(number: int) -> None:
    alter(number, gender="MALE")


def has_another_address(number: int) -> None:
    moved = User.objects.get(email_key=address(number))
    moved.email = f"moved{number}@example.com"
    moved.save()


WHAT_ELSE = [no_longer_matches, has_another_address, delete]


def unsubscribe(*numbers: int) -> None:
    for number in numbers:
        suppress(address(number), SuppressionReason.UNSUBSCRIBED, SuppressionSource.WEBHOOK)


@pytest.mark.parametrize("says_no", [opt_out, unsubscribe])
@pytest.mark.parametrize("happens", WHAT_ELSE)
def test_whoever_said_no_leaves_at_once_whatever_else_makes_them_leave(
    brevo, segment, says_no, happens
):
    if (says_no, happens) == (opt_out, delete):
        pytest.skip("What a person said is deleted with them.")
    says_no(1)
    happens(1)
    delete(*range(30, 60))

    export = sync(segment)

    assert (export.status, export.leaves_at_once) == (ExportStatus.WAITING, 1)
    assert brevo.members(segment.brevo_list_id) == addresses(0, *range(2, 60))


@pytest.mark.parametrize("says_no", [opt_out, unsubscribe])
def test_leaver_who_says_no_after_the_plan_does_not_wait_for_its_approval(brevo, segment, says_no):
    alter(*range(30, 60), gender="MALE")
    planned = plan(segment)
    says_no(31)

    export = applied(planned)

    assert (export.status, export.leaves_at_once) == (ExportStatus.WAITING, 1)
    assert brevo.members(segment.brevo_list_id) == addresses(*range(31), *range(32, 60))


def test_leaver_who_says_no_while_their_plan_waits_leaves_with_the_next_sync(brevo, segment):
    alter(*range(30, 60), gender="MALE")
    sync(segment)
    opt_out(31)

    sync(segment)

    assert brevo.members(segment.brevo_list_id) == addresses(*range(31), *range(32, 60))


@pytest.mark.parametrize("path", ["/processes/*", "/processes*"])
@pytest.mark.parametrize("kind", ["500", "402", "firewall", "not-allowed", "bad-request"])
def test_import_that_brevo_does_not_tell_of_keeps_nobody_who_says_no_on_the_list(
    brevo, monkeypatch, kind, path
):
    monkeypatch.setattr("campaigns.brevo.transport.Transport.FIRST_BACKOFF", 0.0)
    monkeypatch.setattr("campaigns.brevo.transport.Transport.LONGEST_BACKOFF", 0.0)
    segment = make_segment_of_women()
    women(*range(30))
    brevo.fault(f"{kind}@GET {path}")
    sync(segment)
    brevo.wait_for_imports()
    opt_out(1, 2)

    export = sync(segment)

    assert export.removed == 2, export.error_message
    assert brevo.members(segment.brevo_list_id) == addresses(0, *range(3, 30))


def test_import_that_brevo_does_not_tell_of_holds_up_no_other_segment(brevo, monkeypatch):
    monkeypatch.setattr("campaigns.brevo.transport.Transport.FIRST_BACKOFF", 0.0)
    monkeypatch.setattr("campaigns.brevo.transport.Transport.LONGEST_BACKOFF", 0.0)
    women(*range(30))
    brevo.fault("500@GET /processes/*")
    brevo.fault("not-allowed@GET /processes")
    sync(make_segment_of_women())
    other = make_segment_of_women("Others")

    sync(other)

    brevo.wait_for_imports()
    assert brevo.members(other.brevo_list_id) == addresses(*range(30))


@pytest.mark.parametrize("says_no", [opt_out, unsubscribe])
def test_whoever_said_no_leaves_the_list_of_a_broken_segment(brevo, segment, says_no):
    Segment.objects.filter(pk=segment.pk).update(definition=definition(gender=[]))
    segment.refresh_from_db()
    says_no(1)

    export = sync(segment)

    assert (export.status, export.removed, export.leaves) == (ExportStatus.PARTIAL, 1, 1)
    assert "is broken" in export.error_message
    assert brevo.members(segment.brevo_list_id) == addresses(0, *range(2, 60)) == ledger(segment)
    with pytest.raises(SegmentBroken):
        sync(segment)


def test_broken_segment_whose_list_is_gone_takes_nobody_off(brevo, segment):
    Segment.objects.filter(pk=segment.pk).update(definition=definition(gender=[]))
    segment.refresh_from_db()
    opt_out(1)
    brevo.fault("list-gone@GET /contacts/lists/*")

    assert sync(segment).status == ExportStatus.FAILED
