"""Which states of a process are an end, and where its reports are."""

import pytest
from responses.matchers import query_param_matcher

from campaigns.brevo import (
    Process,
)
from tests.campaigns.brevo.conftest import ROOT

RUNNING = [
    "queued",
    "in_process",
    "processing",
    "a state of tomorrow",
    "paused",
    "suspended",
    "cancelling",
    "Pending validation",
    "",
]
ENDED = [
    "failed",
    "cancelled",
    "Canceled",
    "aborted",
    "ABORT",
    "error",
    "in_error",
    "import error",
    "expired",
    "rejected",
    "timed_out",
    "time-out, stopped",
    "completed_with_errors",
    "partially_completed",
    "incomplete",
    "processed",
    "success",
]


@pytest.mark.parametrize(
    ("status", "finished", "succeeded"),
    [
        *((status, False, False) for status in RUNNING),
        *((status, True, False) for status in ENDED),
        ("completed", True, True),
        ("Completed ", True, True),
    ],
)
def test_process_is_running_until_its_state_means_an_end(
    brevo, client, status, finished, succeeded
) -> None:
    brevo.get(f"{ROOT}/processes/78", json={"id": 78, "name": "IMPORTUSER", "status": status})

    process = client.process(78)

    assert (process.is_finished, process.succeeded) == (finished, succeeded)
    assert process.must_be_read_back is (finished and not succeeded)


@pytest.mark.parametrize("status", [None, 3, ["completed"], {}])
def test_process_whose_state_is_no_text_is_running(brevo, client, status) -> None:
    brevo.get(f"{ROOT}/processes/78", json={"id": 78, "status": status})

    assert client.process(78) == Process(78, "", "", {})
    assert not client.process(78).is_finished


@pytest.mark.parametrize("info", [None, "none", [], 0, {"import": None}, {"import": []}])
def test_process_without_reports_has_no_links(brevo, client, info) -> None:
    reply = {"id": "78", "name": None, "status": "completed", "info": info}
    brevo.get(f"{ROOT}/processes/78", json=reply)

    assert client.process(78) == Process(78, "", "completed", {})


def test_process_says_of_which_refusals_there_is_no_report(brevo, client) -> None:
    counted = {"invalid_emails": 4, "duplicate_phone_id": 0, "duplicate_ext_id": "0", "other": {}}
    reply = {"id": 78, "status": "completed", "info": {"import": counted}}
    brevo.get(f"{ROOT}/processes/78", json=reply)

    process = client.process(78)

    assert (process.links, process.unlinked) == ({}, ("invalid_emails",))
    report = client.refusals(process)
    assert (report.refused, report.is_complete) == ({}, False)
    assert "invalid_emails" in report.problem


def test_status_that_no_column_holds_is_cut(brevo, client) -> None:
    brevo.get(f"{ROOT}/processes/78", json={"id": 78, "status": "\0" + "failed " * 100})

    assert client.process(78).status.startswith("failed failed")
    assert len(client.process(78).status) <= 100


def test_odd_process_does_not_hide_the_others(brevo, client) -> None:
    found = [None, {"id": "x"}, {"id": "9", "name": "IMPORTUSER", "status": "queued"}]
    brevo.get(f"{ROOT}/processes", json={"count": "3", "processes": found})

    assert [process.id for process in client.latest_processes()] == [9]


def test_process_keeps_the_links_that_lead_somewhere(brevo, client) -> None:
    links = {"invalid_emails": "https://files.brevo.com/i.csv", "duplicate_phone_id": None}
    reply = {"id": 78, "status": "completed", "info": {"import": links}}
    brevo.get(f"{ROOT}/processes/78", json=reply)

    assert client.process(78).links == {"invalid_emails": "https://files.brevo.com/i.csv"}


def test_latest_processes_come_newest_first(brevo, client) -> None:
    asked = query_param_matcher({"limit": 50, "offset": 0, "sort": "desc"})
    rows = [{"id": n, "name": "IMPORTUSER", "status": "queued"} for n in (4, 9, 7)]
    brevo.get(f"{ROOT}/processes", json={"count": 3, "processes": rows}, match=[asked])

    assert [process.id for process in client.latest_processes()] == [9, 7, 4]
