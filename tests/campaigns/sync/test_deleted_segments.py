"""A segment that is deleted while its run is at work: neither list nor ledger comes back."""

import pytest

from campaigns.enums import ExportStatus
from campaigns.models import ListMember, Segment
from campaigns.sync.runs import request_sync, run_export
from tests.campaigns.sync.scenes import before_requests, make_segment_of_women, women

pytestmark = pytest.mark.django_db


TOLD = "The segment was deleted, and its list with it."
ALIKE = ["GET /contacts/lists/1", "GET /contacts/attributes", "POST /contacts"]
CASES = [(people, about_to) for people in (3, 30) for about_to in ALIKE]


@pytest.mark.parametrize(("people", "about_to"), [*CASES, (30, "GET /processes")])
def test_run_of_a_segment_that_is_deleted_meanwhile_ends_without_a_list_or_a_ledger(
    brevo, monkeypatch, people, about_to
):
    segment = make_segment_of_women()
    women(*range(people))
    export = request_sync(segment)

    def delete_once(request: str) -> None:
        if request.startswith(about_to):
            Segment.objects.filter(pk=segment.pk).delete()

    before_requests(monkeypatch, delete_once)
    ended = run_export(export.pk)

    assert not Segment.objects.exists()
    assert brevo.lists() == {}
    assert not ListMember.objects.exists()
    assert (ended.status, ended.error_message) == (ExportStatus.CANCELLED, TOLD)


def test_list_that_was_made_for_a_segment_deleted_meanwhile_is_taken_back(brevo, monkeypatch):
    segment = make_segment_of_women()
    women(*range(3))
    export = request_sync(segment)
    brevo.fault("list-gone@GET /contacts/lists/**1")

    def delete(request: str) -> None:
        if request == "POST /contacts/lists":
            Segment.objects.filter(pk=segment.pk).delete()

    before_requests(monkeypatch, delete)
    ended = run_export(export.pk)

    assert (ended.status, ended.error_message) == (ExportStatus.CANCELLED, TOLD)
    assert brevo.lists() == {}
