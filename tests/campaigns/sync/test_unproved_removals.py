"""Whoever was taken off a list stays watched until the list has been read back."""

import pytest
import requests

from accounts.enums import Consent
from campaigns.brevo.transport import Transport
from campaigns.enums import ExportStatus, VerifyLevel
from campaigns.models import Segment
from campaigns.sync.gateway import connect
from tests.campaigns.sync.scenes import (
    address,
    addresses,
    alter,
    before_requests,
    ledger,
    make_segment_of_women,
    sync,
    women,
)

pytestmark = pytest.mark.django_db

REMOVAL = "POST /contacts/lists/*/contacts/remove"


@pytest.fixture
def segment(brevo, monkeypatch) -> Segment:
    """Synced with thirty."""
    monkeypatch.setattr("campaigns.sync.work.Run.pause", lambda run, _: run.beat())
    monkeypatch.setattr(Transport, "FIRST_BACKOFF", 0.0)
    monkeypatch.setattr(Transport, "LONGEST_BACKOFF", 0.0)
    segment = make_segment_of_women()
    women(*range(30))
    sync(segment)
    return segment


def opts_out() -> None:
    alter(1, marketing_consent=Consent.OPTED_OUT)


def no_longer_matches() -> None:
    alter(1, gender="MALE")


def comes_back_after_removal(monkeypatch, brevo, segment) -> None:
    """Put the first who is taken off on the list again, before it is read."""
    requests: list[str] = []

    def act(request: str) -> None:
        is_read = request.startswith(f"GET /contacts/lists/{segment.brevo_list_id}")
        if is_read and "came back" not in requests and any(map(_is_removal, requests)):
            brevo.put_on_list(segment.brevo_list_id, address(1))
            requests.append("came back")
        requests.append(request)

    before_requests(monkeypatch, act)


def _is_removal(request: str) -> bool:
    return request.endswith("/contacts/remove")


LEAVES = pytest.mark.parametrize("leaves", [opts_out, no_longer_matches])


@LEAVES
def test_removal_that_did_not_take_is_found_by_the_next_run_when_the_list_could_not_be_read(
    brevo, segment, leaves
):
    leaves()
    brevo.fault("500@GET /contacts/lists/*/contacts")
    assert (sync(segment).status, sync(segment).proof) == (ExportStatus.PARTIAL, {})
    brevo.put_on_list(segment.brevo_list_id, address(1))
    brevo.clear_faults()

    assert sync(segment).status == ExportStatus.SUCCESS

    assert brevo.members(segment.brevo_list_id) == addresses(0, *range(2, 30))


@LEAVES
@pytest.mark.parametrize("fault", ["500", "not-allowed", "bad-request"])
def test_removal_that_did_not_take_is_done_by_the_next_run_when_it_cannot_be_repeated(
    brevo, segment, monkeypatch, leaves, fault
):
    leaves()
    with monkeypatch.context() as patch:
        comes_back_after_removal(patch, brevo, segment)
        brevo.fault(f"{fault}@{REMOVAL}+2")
        export = sync(segment)
    assert (export.status, export.proof["unexpected"]) == (ExportStatus.PARTIAL, 1)
    assert address(1) in ledger(segment) & brevo.members(segment.brevo_list_id)
    brevo.clear_faults()

    assert (sync(segment).removed, sync(segment).removed) == (1, 0)

    assert brevo.members(segment.brevo_list_id) == addresses(0, *range(2, 30)) == ledger(segment)


@LEAVES
def test_missing_who_cannot_be_asked_about_keep_nobody_on_the_list_who_was_taken_off(
    brevo, segment, monkeypatch, leaves
):
    leaves()
    connect().remove_from_list(segment.brevo_list_id, [address(2)])
    with monkeypatch.context() as patch:
        comes_back_after_removal(patch, brevo, segment)
        brevo.fault("500@GET /contacts")
        brevo.fault(f"bad-request@{REMOVAL}+2")
        export = sync(segment)
    assert (export.proof["missing"], export.proof["unexpected"]) == (1, 1)
    assert "Brevo could not show the contacts" in export.error_message
    brevo.clear_faults()
    sync(segment)

    assert sync(segment).status == ExportStatus.SUCCESS

    assert brevo.members(segment.brevo_list_id) == addresses(0, *range(2, 30)) == ledger(segment)


def test_member_whose_id_is_refused_in_a_removal_is_taken_off_by_the_address(
    brevo, segment, monkeypatch
):
    opts_out()
    brevo.fault(f"bad-request@{REMOVAL}*1")

    sync(segment)

    assert address(1) not in brevo.members(segment.brevo_list_id)


def test_whoever_a_colleague_adds_after_a_proved_removal_stays_on_the_list(brevo, segment):
    no_longer_matches()
    sync(segment)
    brevo.put_on_list(segment.brevo_list_id, address(1))

    export = sync(segment)

    assert export.proof["held_by_others"] == 1
    assert address(1) in brevo.members(segment.brevo_list_id)


@LEAVES
def test_removal_that_did_not_take_is_found_where_the_list_is_only_counted(
    brevo, segment, monkeypatch, settings, leaves
):
    settings.CAMPAIGNS_VERIFY_UP_TO = 2
    leaves()
    with monkeypatch.context() as patch:
        comes_back_after_removal(patch, brevo, segment)
        brevo.fault(f"bad-request@{REMOVAL}+2")
        export = sync(segment)
    assert (export.status, export.proof["unexpected"]) == (ExportStatus.PARTIAL, 1)
    brevo.clear_faults()

    assert sync(segment).status == ExportStatus.SUCCESS

    assert brevo.members(segment.brevo_list_id) == addresses(0, *range(2, 30))


def test_list_that_is_only_counted_is_read_once_for_whom_a_colleague_added(
    brevo, segment, settings
):
    settings.CAMPAIGNS_VERIFY_UP_TO = 2
    assert sync(segment).proof["level"] == VerifyLevel.COUNT
    brevo.put_on_list(segment.brevo_list_id, "guest@example.org")

    levels = [sync(segment).proof["level"] for _ in range(2)]

    assert levels == [VerifyLevel.FULL, VerifyLevel.COUNT]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"contacts": []}', b'{"contacts": null}'])
def test_removal_whose_answer_names_nobody_is_done_as_the_list_shows(
    brevo, segment, monkeypatch, body
):
    opts_out()
    send = requests.Session.send

    def reworded(session, request, **options):
        response = send(session, request, **options)
        if response.ok and _is_removal(request.path_url):
            response._content = body
        return response

    monkeypatch.setattr(requests.Session, "send", reworded)

    export = sync(segment)

    assert (export.status, export.removed) == (ExportStatus.SUCCESS, 1), export.error_message
    assert brevo.members(segment.brevo_list_id) == addresses(0, *range(2, 30))
