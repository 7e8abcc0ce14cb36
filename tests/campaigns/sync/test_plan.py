"""A plan: whom it names and why, what it costs, and that nothing but it is performed."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.enums import Consent, Gender
from accounts.models import User
from campaigns.enums import ChangeKind, ExportStatus, Outcome, Reason
from campaigns.enums import SuppressionReason as Why
from campaigns.enums import SuppressionSource as Source
from campaigns.errors import PlanRefused, SegmentBusy
from campaigns.models import ExportChange, Segment, SegmentExport
from campaigns.sync.plan import write_plan
from campaigns.sync.runs import apply_plan, cancel, request_sync, run_export
from campaigns.sync.suppressing import suppress
from tests.campaigns.sync.scenes import (
    address,
    addresses,
    alter,
    before_requests,
    ledger,
    make_segment_of_women,
    outcomes,
    sync,
    women,
)
from tests.factories import make_segment, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def segment(brevo) -> Segment:
    return make_segment_of_women()


def plan(segment: Segment) -> SegmentExport:
    return sync(segment, plan_only=True)


def applied(export: SegmentExport, **options) -> SegmentExport:
    return run_export(apply_plan(export, by=None, **options).pk)


def lines(export: SegmentExport) -> dict[str, tuple[str, str]]:
    changes = ExportChange.objects.filter(export=export)
    found = {line.email: (line.kind, line.reason) for line in changes}
    assert len(found) == changes.count(), "one line a person"
    return found


# Whom it names


def test_plan_names_everybody_who_moves_once_and_says_why(segment):
    women(*range(8))
    sync(segment)
    alter(1, first_name="Grace")
    alter(2, marketing_consent=Consent.OPTED_OUT)
    suppress(address(3), Why.UNSUBSCRIBED, Source.WEBHOOK)
    alter(4, email="moved@example.com")
    User.objects.filter(email_key=address(5)).delete()
    alter(6, gender=Gender.MALE)
    alter(7, is_active=False)
    women(8)
    women(9, marketing_consent=Consent.OPTED_OUT)
    women(10)
    suppress(address(10), Why.BOUNCED, Source.WEBHOOK)
    make_user(email="ada@example", gender=Gender.FEMALE)

    found = plan(segment)

    assert lines(found) == {
        address(1): (ChangeKind.CHANGE, ""),
        address(2): (ChangeKind.LEAVE, Reason.OPTED_OUT),
        address(3): (ChangeKind.LEAVE, Reason.SUPPRESSED),
        address(4): (ChangeKind.LEAVE, Reason.NEW_ADDRESS),
        "moved@example.com": (ChangeKind.JOIN, ""),
        address(5): (ChangeKind.LEAVE, Reason.DELETED),
        address(6): (ChangeKind.LEAVE, Reason.NO_MATCH),
        address(7): (ChangeKind.LEAVE, Reason.NO_MATCH),
        address(8): (ChangeKind.JOIN, ""),
        address(9): (ChangeKind.HELD_BACK, Reason.OPTED_OUT),
        address(10): (ChangeKind.HELD_BACK, Reason.SUPPRESSED),
        "ada@example": (ChangeKind.HELD_BACK, Reason.UNUSABLE_ADDRESS),
    }
    counted = (found.joins, found.leaves, found.changes_planned, found.held_back)
    assert counted == (2, 6, 1, 3)
    assert (found.users_count, found.audience_count, found.list_count_before) == (4, 9, 8)
    assert outcomes(found) == {Outcome.PENDING: 9, Outcome.HELD_BACK: 3}


def test_address_that_another_person_has_now_stays_on_the_list_with_their_data(brevo, segment):
    women(1)
    sync(segment)
    User.objects.all().delete()
    women(1, last_name="Hopper")

    export = sync(segment)

    assert lines(export) == {address(1): (ChangeKind.CHANGE, "")}
    assert brevo.contact(address(1))["attributes"]["LASTNAME"] == "Hopper"
    assert plan(segment).changes.count() == 0


def test_everybody_joins_when_the_list_is_gone(brevo, segment):
    women(1, 2)
    sync(segment)
    forget_list(brevo, segment)

    found = plan(segment)

    assert lines(found) == {address(n): (ChangeKind.JOIN, "") for n in (1, 2)}
    assert (found.list_was_gone, found.list_count_before) == (True, 0)
    assert ledger(segment) == addresses(1, 2), "a plan changes nothing"


def forget_list(brevo, segment) -> None:
    with brevo.store.writing() as store:
        store.execute("DELETE FROM list WHERE id = ?", [segment.brevo_list_id])
        store.execute("DELETE FROM member WHERE list_id = ?", [segment.brevo_list_id])


# What it costs


def test_plan_costs_as_many_queries_for_three_hundred_as_for_three(brevo):
    def cost(segment: Segment, *numbers: int) -> int:
        people = women(*numbers, state=segment.name)
        User.objects.filter(pk__in=[person.pk for person in people[::3]]).update(
            marketing_consent=Consent.OPTED_OUT
        )
        export = SegmentExport.objects.create(segment=segment)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            write_plan(export, segment, list_was_gone=False)
        assert export.changes.count() == len(numbers)
        return len(queries)

    few = cost(make_segment(name="Few", states=["Few"]), *range(3))
    many = cost(make_segment(name="Many", states=["Many"]), *range(1000, 1300))
    assert few == many <= 10


def test_plan_sends_nothing_and_leaves_the_ledger_alone(brevo, segment):
    women(1, 2)
    sync(segment)
    User.objects.filter(email_key=address(1)).delete()
    women(3)
    brevo.clear_requests()

    assert plan(segment).status == ExportStatus.PLANNED

    assert {method for method, _, _ in brevo.requests} == {"GET"}
    assert ledger(segment) == addresses(1, 2)


def test_plan_is_made_while_brevo_is_out_of_reach(settings, segment, monkeypatch):
    women(1)
    monkeypatch.setattr("campaigns.brevo.transport.Transport.MAX_ATTEMPTS", 1)
    settings.BREVO_API_URL = "http://127.0.0.1:9"

    assert lines(plan(segment)) == {address(1): (ChangeKind.JOIN, "")}


# Its digest


def test_digest_is_the_same_until_something_moves(brevo, segment):
    women(*range(4))
    sync(segment)
    women(4, 5)
    alter(1, first_name="Grace")
    User.objects.filter(email_key=address(0)).delete()
    digests = [plan(segment).plan_digest, plan(segment).plan_digest]
    assert len(set(digests)) == 1

    women(6)
    digests.append(plan(segment).plan_digest)
    alter(1, first_name="Hedy")
    digests.append(plan(segment).plan_digest)
    User.objects.filter(email_key=address(2)).delete()
    digests.append(plan(segment).plan_digest)
    alter(4, marketing_consent=Consent.OPTED_OUT)
    digests.append(plan(segment).plan_digest)

    assert len(set(digests)) == 5


# Nothing but it is performed


def test_plan_that_still_holds_is_applied_as_it_was_looked_at(brevo, segment):
    women(1, 2)
    found = plan(segment)
    looked_at = lines(found)

    ended = applied(found)

    assert (ended.pk, ended.status, ended.added) == (found.pk, ExportStatus.SUCCESS, 2)
    assert lines(ended) == looked_at
    assert brevo.members(segment.brevo_list_id) == addresses(1, 2)
    assert SegmentExport.objects.count() == 1


def test_plan_that_moved_is_refused_with_how_far_and_with_the_new_plan(brevo, segment):
    women(1, 2)
    found = plan(segment)
    User.objects.filter(email_key=address(1)).delete()
    women(3, 4)
    brevo.clear_requests()

    ended = applied(found)

    new = SegmentExport.objects.exclude(pk=found.pk).get()
    assert ended.status == ExportStatus.FAILED
    assert ended.error_message == (
        "It moved since this plan was made: 2 lines are new and 1 no longer hold. "
        f"Nothing was sent. Look at export {new.pk}, which holds the plan as of now."
    )
    assert {method for method, _, _ in brevo.requests} == {"GET"}
    assert (new.status, lines(new).keys()) == (ExportStatus.PLANNED, addresses(2, 3, 4))
    assert applied(new).added == 3


def test_plan_kept_at_a_refusal_is_refused_too_when_it_moves_again(brevo, segment):
    women(1)
    found = plan(segment)
    women(2)
    applied(found)
    kept = SegmentExport.objects.exclude(pk=found.pk).get()
    looked_at = lines(kept)
    women(3)

    ended = applied(kept)

    assert ended.status == ExportStatus.FAILED
    assert lines(ended) == looked_at
    assert brevo.members(segment.brevo_list_id) == set()


def test_definition_that_changed_without_moving_anybody_refuses_the_plan(segment):
    women(1)
    found = plan(segment)
    segment.gender = [Gender.FEMALE.value, Gender.MALE.value]
    segment.save()

    assert applied(found).error_message.startswith("The definition changed since this plan")


def test_segment_that_broke_since_refuses_the_plan_and_keeps_no_empty_one(segment):
    women(1)
    found = plan(segment)
    Segment.objects.filter(pk=segment.pk).update(gender=[])

    ended = applied(found)

    assert (ended.status, "is broken" in ended.error_message) == (ExportStatus.FAILED, True)
    assert SegmentExport.objects.count() == 1


def test_plan_made_while_the_list_was_gone_is_refused_once_there_is_one_again(brevo, segment):
    women(1, 2)
    sync(segment)
    forget_list(brevo, segment)
    found = plan(segment)
    sync(segment)

    ended = applied(found)

    segment.refresh_from_db()
    assert ended.status == ExportStatus.FAILED
    assert list(brevo.lists()) == [segment.brevo_list_id]
    assert brevo.members(segment.brevo_list_id) == addresses(1, 2)


def test_plan_is_refused_once_the_list_it_was_made_for_is_gone(brevo, segment):
    women(1, 2)
    sync(segment)
    women(3)
    found = plan(segment)
    forget_list(brevo, segment)

    ended = applied(found)

    assert (ended.status, brevo.lists()) == (ExportStatus.FAILED, {})
    assert sync(segment).status == ExportStatus.SUCCESS


# The brake


def crowd(segment: Segment, members: int, leavers: int) -> None:
    women(*range(members))
    sync(segment)
    User.objects.filter(email_key__in=addresses(*range(leavers))).delete()


@pytest.mark.parametrize(
    ("members", "leavers", "status"),
    [
        (49, 49, ExportStatus.SUCCESS),
        (50, 15, ExportStatus.SUCCESS),
        (50, 16, ExportStatus.WAITING),
        (100, 31, ExportStatus.WAITING),
    ],
)
def test_brake_holds_a_plan_that_removes_more_than_its_share(
    brevo, segment, members, leavers, status
):
    crowd(segment, members, leavers)
    brevo.clear_requests()

    export = sync(segment)

    assert export.status == status
    if status == ExportStatus.WAITING:
        assert f"removes {leavers} of {members} people" in export.error_message
        assert {method for method, _, _ in brevo.requests} == {"GET"}


def test_brake_is_released_once_for_this_plan_alone(brevo, segment):
    crowd(segment, 60, 30)
    waiting = sync(segment)
    with pytest.raises(PlanRefused, match="approve it first"):
        apply_plan(waiting, by=None)

    ended = applied(waiting, approve=True)

    assert (ended.status, ended.removed) == (ExportStatus.SUCCESS, 30)
    with pytest.raises(PlanRefused, match="plan anew"):
        apply_plan(ended, by=None, approve=True)
    women(*range(100, 130))
    sync(segment)
    User.objects.filter(email_key__in=addresses(*range(100, 130))).delete()
    assert sync(segment).status == ExportStatus.WAITING


def test_approved_plan_that_moved_is_refused_and_the_new_one_is_not_approved(segment):
    crowd(segment, 60, 30)
    waiting = sync(segment)
    women(100)

    ended = applied(waiting, approve=True)

    new = SegmentExport.objects.first()
    assert (ended.status, new.status) == (ExportStatus.FAILED, ExportStatus.PLANNED)
    assert applied(new).status == ExportStatus.WAITING


def test_planned_removal_above_the_brake_waits_unless_it_is_approved(segment):
    crowd(segment, 60, 30)

    assert applied(plan(segment)).status == ExportStatus.WAITING
    assert applied(plan(segment), approve=True).status == ExportStatus.SUCCESS


def test_waiting_plan_is_replaced_by_the_next_sync_and_has_no_open_line(segment):
    crowd(segment, 60, 30)
    waiting = sync(segment)

    newer = sync(segment)

    waiting.refresh_from_db()
    assert (waiting.status, newer.status) == (ExportStatus.CANCELLED, ExportStatus.WAITING)
    assert waiting.error_message == f"Export {newer.pk} replaced this plan."
    assert outcomes(waiting) == {Outcome.NOT_ATTEMPTED: 30}


def test_waiting_plan_is_not_replaced_by_one_that_is_only_looked_at(segment):
    crowd(segment, 60, 30)
    waiting = sync(segment)

    plan(segment)

    assert applied(waiting, approve=True).removed == 30


# One at a time, and stopped


def test_second_run_of_a_segment_is_refused_and_names_the_first(segment):
    first = request_sync(segment)

    for request in (
        lambda: request_sync(segment),
        lambda: request_sync(segment, plan_only=True),
    ):
        with pytest.raises(SegmentBusy, match=f"export {first.pk}"):
            request()


def test_database_holds_one_active_run_of_a_segment(segment):
    request_sync(segment)

    with pytest.raises(IntegrityError), transaction.atomic():
        SegmentExport.objects.create(segment=segment)


def test_plan_is_not_queued_while_another_run_is_at_work(segment):
    women(1)
    found = plan(segment)
    running = request_sync(segment)

    with pytest.raises(SegmentBusy, match=f"export {running.pk}"):
        apply_plan(found, by=None)

    found.refresh_from_db()
    assert found.status == ExportStatus.PLANNED


@pytest.mark.parametrize("state", ["QUEUED", "PLANNED", "WAITING"])
def test_cancelling_what_nobody_works_on_ends_it_at_once_with_no_open_line(segment, state):
    crowd(segment, 60, 30)
    export = {
        "QUEUED": lambda: apply_plan(plan(segment), by=None),
        "PLANNED": lambda: plan(segment),
        "WAITING": lambda: sync(segment),
    }[state]()
    assert export.status == state

    ended = cancel(export, by=make_user(first_name="Ada"))

    assert (ended.status, ended.finished_at is None) == (ExportStatus.CANCELLED, False)
    assert ended.error_message.startswith("Cancelled by ")
    assert outcomes(ended) == {Outcome.NOT_ATTEMPTED: 30}
    assert run_export(ended.pk).status == ExportStatus.CANCELLED


def test_cancelling_a_run_at_work_stops_it_before_it_sends_anything_more(
    brevo, segment, monkeypatch
):
    women(1, 2)
    export = request_sync(segment)
    asked = []

    def cancel_once(request: str) -> None:
        if not asked:
            asked.append(cancel(export, by=None))

    monkeypatch.setattr("campaigns.sync.work.Run.beat", lambda run: run.stop_if_asked())
    before_requests(monkeypatch, cancel_once)
    ended = run_export(export.pk)

    assert (asked[0].status, asked[0].cancel_requested) == (ExportStatus.RUNNING, True)
    assert ended.status == ExportStatus.CANCELLED
    assert brevo.members(segment.brevo_list_id) == set()


def test_cancelling_what_is_over_is_refused(segment):
    export = sync(segment)

    with pytest.raises(PlanRefused, match="nothing to cancel"):
        cancel(export, by=None)
