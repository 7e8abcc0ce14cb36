"""What came of a chunk: of one that was sent, of one whose answer was lost, of one never sent."""

import pytest

from accounts.models import User
from campaigns.brevo.transport import Transport
from campaigns.enums import ExportStatus, Outcome
from campaigns.sync import chunks
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
