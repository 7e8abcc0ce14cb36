"""Whatever goes wrong at Brevo: an honest status, one outcome per person, and a list put right.

Each case is (fault, how the run ends, what the person in front of it reads).
"""

import pytest
from django.db.models import Count

from accounts.enums import Consent, Gender
from accounts.models import User
from campaigns.brevo.transport import Transport
from campaigns.enums import ExportStatus, Outcome
from campaigns.models import ListMember
from campaigns.sync import chunks
from campaigns.sync.runs import request_sync, run_export
from tests.factories import make_segment_unsaved, make_user

pytestmark = pytest.mark.django_db

SUCCESS, PARTIAL, FAILED = ExportStatus.SUCCESS, ExportStatus.PARTIAL, ExportStatus.FAILED

FAULTS = [
    ("429@POST /contacts/import*2", SUCCESS, ""),
    ("429-bare@* /contacts/*2", SUCCESS, ""),
    ("500@POST /contacts/lists/*/contacts/remove*2", SUCCESS, ""),
    ("500@POST /contacts/import*1", SUCCESS, ""),
    ("524@POST /contacts/import*1", SUCCESS, ""),
    ("524@POST /contacts/lists/*/contacts/remove*1", SUCCESS, ""),
    ("drop@POST /contacts/import*1", SUCCESS, ""),
    ("drop-after@POST /contacts/import*1", SUCCESS, ""),
    ("truncated@POST /contacts/import*1", SUCCESS, ""),
    ("html@GET /processes/*1", SUCCESS, ""),
    ("truncated@GET /contacts/lists/*/contacts*1", SUCCESS, ""),
    ("import-partly@POST /contacts/import*1", PARTIAL, "refused 3 of the people"),
    ("import-failed@POST /contacts/import*1", PARTIAL, "refused 30 of the people"),
    ("500@POST /contacts/import", PARTIAL, "30 were sent to Brevo, and the outcome is unknown"),
    ("503@GET /processes/*", PARTIAL, "Brevo"),
    ("500@* /contacts/lists/*", FAILED, "Brevo"),
    ("key-revoked@GET /contacts/lists/*", FAILED, "Make a new key in Brevo"),
    ("key-revoked@POST /contacts/import", PARTIAL, "Make a new key in Brevo"),
    ("unknown-ip@* /contacts/*", FAILED, "authorised_ips"),
    ("list-gone@POST /contacts/import*1", PARTIAL, "probably deleted in Brevo"),
    ("list-gone@POST /contacts/lists/*/contacts/remove*1", FAILED, "probably deleted in Brevo"),
]


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(Transport, "FIRST_BACKOFF", 0.001)
    monkeypatch.setattr(Transport, "LONGEST_BACKOFF", 0.01)
    monkeypatch.setattr(chunks, "FIRST_LOOK", 0.01)


@pytest.fixture
def segment(brevo):
    """Synced with two, of whom one leaves; thirty join, and one is held back."""
    segment = make_segment_unsaved(name="Women")
    segment.save()
    leaver, _ = [make_user(gender=Gender.FEMALE) for _ in range(2)]
    run_export(request_sync(segment).pk)
    leaver.delete()
    make_user(gender=Gender.FEMALE, marketing_consent=Consent.OPTED_OUT)
    User.objects.bulk_create(
        User(email=f"u{n}@example.org", first_name=f"U{n}", gender=Gender.FEMALE) for n in range(30)
    )
    return segment


def outcomes(export) -> dict[str, int]:
    lines = export.changes.order_by().values_list("outcome").annotate(n=Count("id"))
    return dict(lines)


@pytest.mark.parametrize(("fault", "status", "told"), FAULTS, ids=[fault for fault, _, _ in FAULTS])
def test_fault_ends_in_an_honest_status_and_the_next_run_puts_it_right(
    brevo, segment, fault, status, told
):
    brevo.fault(fault)

    export = run_export(request_sync(segment).pk)

    assert (export.status, told in export.error_message) == (status, True), export.error_message
    assert Outcome.PENDING not in outcomes(export)
    if export.planned_at:
        assert sum(outcomes(export).values()) == 32
        assert outcomes(export)[Outcome.HELD_BACK] == 1
    if status != SUCCESS:
        assert all(line.message for line in export.changes.filter(outcome=Outcome.REFUSED)), (
            "each refused person gets a reason"
        )

    brevo.clear_faults()
    again = run_export(request_sync(segment).pk)

    expected = {user.email for user in User.objects.exclude(marketing_consent=Consent.OPTED_OUT)}
    segment.refresh_from_db()
    assert again.status == SUCCESS, again.error_message
    assert brevo.members(segment.brevo_list_id) == expected
    assert set(ListMember.objects.current().values_list("email", flat=True)) == expected
