"""Whatever goes wrong at Brevo: an honest status, one outcome per person, and a list put right.

Each case is (fault, how the run ends, what the person in front of it reads).
"""

import pytest
from django.db.models import Count

from accounts.enums import Consent, Gender
from accounts.models import User
from campaigns.admin.sync_words import proof_of
from campaigns.brevo.transport import Transport
from campaigns.enums import ExportStatus, Outcome
from campaigns.models import ListMember, Suppression
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
    ("keep-phones@POST /contacts/import*1", SUCCESS, ""),
    ("address-refused=u7", PARTIAL, "refused 1 of the people"),
    ("import-failed@POST /contacts/import*1", SUCCESS, ""),
    ("500@POST /contacts/import", PARTIAL, "30 were sent to Brevo, and the outcome is unknown"),
    ("503@GET /processes/*", PARTIAL, "Brevo"),
    ("500@* /contacts/lists/*", FAILED, "Brevo"),
    ("key-revoked@GET /contacts/lists/*", FAILED, "Make a new key in Brevo"),
    ("key-revoked@POST /contacts/import", PARTIAL, "Make a new key in Brevo"),
    ("unknown-ip@* /contacts/*", FAILED, "authorised_ips"),
    ("odd-contact", SUCCESS, ""),
    ("odd-contact=row", SUCCESS, ""),
    ("wrong-count", SUCCESS, ""),
    ("wrong-count=1", SUCCESS, ""),
    ("no-contact*1", SUCCESS, ""),
    ("account-validation@POST /contacts/import", PARTIAL, "Your account is under validation"),
    ("account-busy@POST /contacts/import", PARTIAL, "Another process runs on your account"),
    ("account-busy@POST /contacts/import*2", SUCCESS, ""),
    ("no-credits@POST /contacts/import", PARTIAL, "Not enough credits"),
    ("firewall@POST /contacts/import", PARTIAL, "A firewall in front of Brevo says"),
    ("firewall@POST /contacts/lists/*/contacts/remove", FAILED, "A firewall in front of Brevo"),
    ("import-partly*1 with 500@GET /files/*", SUCCESS, ""),
    ("import-partly*1 with report-unreachable", SUCCESS, ""),
    ("import-partly*1 with report-elsewhere", SUCCESS, ""),
    ("import-partly*1 with report-truncated", PARTIAL, "refused 1 of the people"),
    ("import-partly*1 with report-empty", PARTIAL, "found 3 missing"),
    ("import-partly*1 with report-quote", PARTIAL, "refused 3 of the people"),
    ("import-partly*1 with report-bomb", SUCCESS, ""),
    ("import-partly*1 with report-loop", SUCCESS, ""),
    ("import-ends=aborted*1", SUCCESS, ""),
    ("import-ends=error*1", SUCCESS, ""),
    ("import-ends=completed_with_errors*1", PARTIAL, "refused 3 of the people"),
    ("list-lags*1", SUCCESS, ""),
    ("import-late*1", SUCCESS, ""),
    ("list-gone@POST /contacts/import*1", PARTIAL, "probably deleted in Brevo"),
    ("list-gone@POST /contacts/lists/*/contacts/remove*1", FAILED, "probably deleted in Brevo"),
    ("list-404@GET /contacts/lists/**1", SUCCESS, ""),
    ("list-404@GET /contacts/lists/*", FAILED, "list 1 is not there, although it is"),
    ("list-404@POST /contacts/lists/*/contacts/remove*1", SUCCESS, ""),
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
    for spec in fault.split(" with "):
        brevo.fault(spec)

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


ABOUT_THE_ACCOUNT = {
    "account-validation": "Your account is under validation",
    "account-busy": "Another process runs on your account",
    "no-credits": "Not enough credits",
    "firewall": "Access denied",
}


@pytest.mark.parametrize("target", ["POST /contacts", "POST /contacts/import"])
@pytest.mark.parametrize(("kind", "words"), ABOUT_THE_ACCOUNT.items())
def test_refusal_of_the_account_is_on_nobodys_line(brevo, segment, kind, words, target) -> None:
    if target == "POST /contacts":
        User.objects.filter(email__startswith="u1").delete()
        User.objects.filter(email__startswith="u2").delete()
    brevo.fault(f"{kind}@{target}")

    export = run_export(request_sync(segment).pk)

    assert words in export.error_message
    assert (export.status, export.failed) == (PARTIAL, 0), "somebody was removed before"
    assert Outcome.REFUSED not in outcomes(export)
    brevo.clear_faults()
    assert run_export(request_sync(segment).pk).status == SUCCESS


def test_leavers_of_whom_one_is_no_contact_are_removed_all_the_same(brevo, segment) -> None:
    run_export(request_sync(segment).pk)
    User.objects.filter(email__startswith="u1").delete()
    brevo.fault("no-contact*1")

    export = run_export(request_sync(segment).pk)

    assert (export.status, export.removed) == (SUCCESS, 11)
    assert not {email for email in brevo.members(segment.brevo_list_id) if email[:2] == "u1"}


def test_rows_that_are_no_contacts_are_counted_in_the_proof(brevo, segment) -> None:
    brevo.fault("odd-contact=row@GET /contacts/lists/*")

    export = run_export(request_sync(segment).pk)

    assert (export.status, export.proof["unreadable"]) == (SUCCESS, 2)
    shown = proof_of(export)
    assert shown is not None
    assert ("Rows that cannot be read", 2) in shown.counts


def test_contact_whose_block_is_written_oddly_is_suppressed(brevo, segment) -> None:
    brevo.put_on_list(segment.brevo_list_id, "u7@example.org")
    brevo.block("u7@example.org")
    brevo.fault("odd-contact")

    export = run_export(request_sync(segment).pk)

    assert export.status == SUCCESS
    assert Suppression.objects.filter(email="u7@example.org").exists()
