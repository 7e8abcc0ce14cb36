"""What came of a chunk: of one that was sent, of one whose answer was lost, of one never sent."""

from collections.abc import Iterator

import pytest

from accounts.models import User
from campaigns.brevo.transport import Transport
from campaigns.enums import ExportStatus, Outcome
from campaigns.models import ExportChunk
from campaigns.sync import chunks
from campaigns.sync.runs import cancel, request_sync, run_export
from campaigns.sync.work import Run
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

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def impatient(monkeypatch) -> None:
    monkeypatch.setattr(Transport, "FIRST_BACKOFF", 0.001)
    monkeypatch.setattr(Transport, "LONGEST_BACKOFF", 0.01)
    monkeypatch.setattr(chunks, "FIRST_LOOK", 0.001)


def test_whoever_was_deleted_since_the_plan_is_neither_sent_nor_entered(brevo, monkeypatch):
    segment = make_segment_of_women()
    women(*range(30))
    export = request_sync(segment)
    killed_before(monkeypatch, export, "GET /contacts/attributes")
    User.objects.filter(email_key=address(7)).delete()

    ended = run_export(export.pk)

    there = addresses(*range(30)) - {address(7)}
    assert brevo.members(segment.brevo_list_id) == there
    assert ledger(segment) == there
    assert (ended.added, outcomes(ended)) == (29, {Outcome.DONE: 29, Outcome.NOT_ATTEMPTED: 1})


@pytest.mark.parametrize(
    ("number", "request_line"), [(3, "POST /contacts"), (30, "POST /contacts/import")]
)
def test_change_that_was_never_sent_is_not_taken_for_done(brevo, monkeypatch, number, request_line):
    segment = make_segment_of_women()
    women(*range(number))
    sync(segment)
    alter(*range(number), first_name="Grace")
    export = request_sync(segment)
    killed_before(monkeypatch, export, request_line)

    ended = run_export(export.pk)

    names = {brevo.contact(address(n))["attributes"]["FIRSTNAME"] for n in range(number)}
    assert (ended.status, names) == (ExportStatus.SUCCESS, {"Grace"})


@pytest.mark.parametrize("forgotten", ["process", "report"])
def test_lost_import_that_brevo_tells_nothing_of_any_more_is_read_from_the_list(
    brevo, monkeypatch, forgotten
):
    segment = make_segment_of_women()
    women(*range(30))
    brevo.fault("import-partly@POST /contacts/import*1")
    export = request_sync(segment)
    killed_before(monkeypatch, export, "GET /processes")
    cancel(export, by=None)
    brevo.wait_for_imports()

    def forget(request: str) -> None:
        if request.startswith(("GET /processes/", "GET /files/")):
            with brevo.store.writing() as store:
                store.execute(f"DELETE FROM {forgotten}")

    brevo.clear_faults()
    if forgotten == "process":
        forget("GET /processes/")
    before_requests(monkeypatch, lambda request: forget(request.replace("processes", "")))
    ended = sync(segment)

    assert (ended.status, ended.added) == (ExportStatus.SUCCESS, 3), ended.error_message
    assert brevo.members(segment.brevo_list_id) == addresses(*range(30)) == ledger(segment)


@pytest.fixture
def naps(settings, monkeypatch) -> Iterator[list[float]]:
    """The pauses of runs, none of which is slept: an import lasts for many looks."""
    taken: list[float] = []
    monkeypatch.setattr(Run, "pause", lambda run, seconds: taken.append(seconds))
    settings.CAMPAIGNS_IMPORT_WAIT = 1_000_000  # no look takes the time it stands for
    with Sandbox(import_seconds=0.5) as brevo:
        settings.BREVO_API_URL, settings.BREVO_API_KEY = brevo.url, brevo.key
        yield taken


@pytest.mark.parametrize(("took", "first", "then"), [(20, 18, 4.5), (7200, 54, 13.5)])
def test_import_is_looked_for_when_the_last_one_like_it_was_over(naps, took, first, then):
    segment = make_segment_of_women()
    women(*range(30))
    sync(segment)
    ExportChunk.objects.update(took=took)
    women(*range(30, 70))
    naps.clear()

    sync(segment)

    assert naps[:2] == [pytest.approx(first, abs=1), pytest.approx(then, abs=0.5)]


def test_import_unlike_all_before_is_looked_for_ever_more_seldom(naps):
    segment = make_segment_of_women()
    women(*range(30))

    sync(segment)

    later = naps[2:6]
    assert later == [pytest.approx(1.5 * before) for before in naps[1:5]]


def test_import_that_a_dead_process_left_behind_tells_nothing_of_how_long_one_takes(
    brevo, monkeypatch
):
    segment = make_segment_of_women()
    women(*range(30))
    export = request_sync(segment)
    killed_before(monkeypatch, export, "GET /processes")

    run_export(export.pk)

    assert list(ExportChunk.objects.values_list("took", flat=True)) == [None]
