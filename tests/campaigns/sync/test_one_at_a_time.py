"""The brake, and one run of a segment at a time: what waits, what is refused, what is stopped."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from campaigns.enums import ExportStatus, Outcome
from campaigns.errors import PlanRefused, SegmentBusy
from campaigns.models import Segment, SegmentExport
from campaigns.sync.runs import apply_plan, cancel, request_sync, run_export
from tests.campaigns.sync.scenes import (
    addresses,
    applied,
    before_requests,
    make_segment_of_women,
    outcomes,
    plan,
    sync,
    women,
)
from tests.factories import definition, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def segment(brevo) -> Segment:
    return make_segment_of_women()


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


def test_waiting_plan_is_kept_by_the_next_sync_which_says_so(segment):
    crowd(segment, 60, 30)
    waiting = sync(segment)

    newer = sync(segment)

    waiting.refresh_from_db()
    assert (waiting.status, newer.status) == (ExportStatus.WAITING, ExportStatus.CANCELLED)
    assert newer.error_message.startswith(f"Sync {waiting.pk} of this segment waits for approval.")
    assert applied(waiting, approve=True).removed == 30


def test_waiting_plan_is_replaced_once_the_definition_is_another(segment):
    crowd(segment, 60, 30)
    waiting = sync(segment)
    Segment.objects.filter(pk=segment.pk).update(
        definition=definition(gender=["FEMALE", "PREFER_NOT_TO_SAY"])
    )

    newer = sync(segment)

    waiting.refresh_from_db()
    assert (waiting.status, newer.status) == (ExportStatus.CANCELLED, ExportStatus.WAITING)
    assert waiting.error_message == f"Sync {newer.pk} replaced this plan."
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


@pytest.mark.django_db(transaction=True)
def test_of_many_who_ask_at_once_one_gets_a_run_and_it_goes_on_once(brevo, segment):
    women(*range(5))

    def ask() -> SegmentExport | None:
        try:
            return request_sync(segment)
        except SegmentBusy:
            return None

    (export,) = [found for found in at_once(ask) if found]
    brevo.clear_requests()
    at_once(lambda: run_export(export.pk))

    export.refresh_from_db()
    sent = [path for method, path, _ in brevo.requests if (method, path) == ("POST", "/contacts")]
    assert (export.status, export.attempts, export.added) == (ExportStatus.SUCCESS, 1, 5)
    assert len(sent) == 5


def at_once(act: Callable[[], Any]) -> list[Any]:
    """Let four threads, each with a connection of its own, start at the same moment."""
    start = Barrier(4)

    def wait_and_act(_: int) -> Any:
        start.wait()
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(wait_and_act, range(4)))


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
