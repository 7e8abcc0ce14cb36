"""A process that slept for longer than its lease, and what had changed when it woke."""

from typing import Any

import pytest

from accounts.enums import Consent
from campaigns.enums import ExportStatus, Outcome
from campaigns.models import AccountLease, SegmentExport
from campaigns.sync import import_right, sending
from campaigns.sync.runs import request_sync, run_export
from campaigns.sync.work import Run, lease_end
from tests.campaigns.sync.scenes import (
    addresses,
    alter,
    before_requests,
    make_segment_of_women,
    outcomes,
    women,
)

pytestmark = pytest.mark.django_db
IMPORT = "POST /contacts/import"


@pytest.fixture
def segment(brevo):
    return make_segment_of_women()


def imports(brevo) -> int:
    return sum(path == "/contacts/import" for _, path, _ in brevo.requests)


def give_right_to(owner: str, **value: Any) -> None:
    until = lease_end() if owner else None
    AccountLease.objects.filter(key="import").update(owner=owner, until=until, value=value)


def told_while_waiting(monkeypatch, *answers) -> list[str]:
    """Have each second of waiting for the right do the next of these; return what was told."""
    told, waiting = [], iter(answers)

    def pause(run: Run, seconds: float) -> None:
        if seconds == import_right._ASK_AGAIN:
            told.append(SegmentExport.objects.get(pk=run.export.pk).waits_for)
            next(waiting)()

    monkeypatch.setattr(Run, "pause", pause)
    return told


def test_run_that_another_process_took_up_starts_no_import(brevo, segment, monkeypatch):
    women(*range(30))
    export = request_sync(segment)

    def sleep_too_long(about_to: str) -> None:
        if about_to.startswith("GET /contacts/attributes"):
            SegmentExport.objects.update(lease_owner="another", lease_until=lease_end())

    before_requests(monkeypatch, sleep_too_long)
    ended = run_export(export.pk)

    assert (ended.status, ended.lease_owner) == (ExportStatus.RUNNING, "another")
    assert imports(brevo) == 0
    assert not ended.chunks.exists()


def test_right_to_import_that_another_run_took_meanwhile_is_waited_for_anew(
    brevo, segment, settings, monkeypatch
):
    settings.BREVO_IMPORT_MAX_BYTES = 2500
    women(*range(60))
    at_first: list[int] = []

    def lose_it_once(about_to: str) -> None:
        if about_to.startswith("GET /processes") and not at_first:
            at_first.append(imports(brevo))
            brevo.wait_for_imports()
            give_right_to("another", export=99, segment="Men")

    before_requests(monkeypatch, lose_it_once)
    told = told_while_waiting(monkeypatch, lambda: give_right_to(""))
    ended = run_export(request_sync(segment).pk)

    assert at_first == [1]
    assert told == ["another import into this Brevo account (export 99 of “Men”)"]
    assert (ended.status, ended.added, ended.waits_for) == (ExportStatus.SUCCESS, 60, "")


def test_waiting_run_names_whoever_has_the_right_now(brevo, segment, monkeypatch):
    women(*range(30))
    AccountLease.objects.create(key="import")
    give_right_to("one", export=7, segment="Men")
    told = told_while_waiting(
        monkeypatch,
        lambda: give_right_to("two", export=8, segment="Agents"),
        lambda: give_right_to(""),
    )

    assert run_export(request_sync(segment).pk).status == ExportStatus.SUCCESS

    assert told == [
        "another import into this Brevo account (export 7 of “Men”)",
        "another import into this Brevo account (export 8 of “Agents”)",
    ]


def test_whoever_opts_out_while_the_first_of_a_handful_is_sent_is_not_sent(
    brevo, segment, monkeypatch
):
    women(1, 2, 3)
    monkeypatch.setattr(sending, "_STALE", 0.0)

    def opt_out(about_to: str) -> None:
        if about_to == "POST /contacts":
            alter(2, marketing_consent=Consent.OPTED_OUT)

    before_requests(monkeypatch, opt_out)
    ended = run_export(request_sync(segment).pk)

    assert brevo.members(segment.brevo_list_id) == addresses(1, 3)
    assert outcomes(ended) == {Outcome.DONE: 2, Outcome.HELD_BACK: 1}
