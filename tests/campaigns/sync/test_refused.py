"""An address that Brevo refuses again and again is held back, with Brevo's reason."""

import pytest

from accounts.enums import Gender
from campaigns.enums import ExportStatus, Outcome, Reason, SuppressionReason, SuppressionSource
from campaigns.models import AddressRefusal, Suppression
from campaigns.sync import chunks
from tests.campaigns.sync.scenes import (
    address,
    addresses,
    alter,
    make_segment_of_women,
    sync,
    women,
)
from tests.factories import make_user

pytestmark = pytest.mark.django_db

SUCCESS, PARTIAL = ExportStatus.SUCCESS, ExportStatus.PARTIAL


@pytest.fixture(autouse=True)
def impatient(monkeypatch) -> None:
    monkeypatch.setattr(chunks, "FIRST_LOOK", 0.01)


@pytest.fixture
def segment(brevo):
    return make_segment_of_women()


@pytest.mark.parametrize("number", [3, 30])
def test_address_that_three_runs_refused_is_held_back_with_the_words_of_brevo(
    brevo, segment, number
) -> None:
    women(*range(number))
    brevo.fault("address-refused=ada0")

    statuses = [sync(segment).status for _ in range(4)]
    last = segment.exports.first()

    suppression = Suppression.objects.get()
    assert statuses == [PARTIAL, PARTIAL, PARTIAL, SUCCESS]
    assert (suppression.email, suppression.reason) == (address(0), SuppressionReason.REFUSED)
    assert suppression.source == SuppressionSource.SYNC
    assert suppression.note == "Refused in 3 syncs: Invalid email address"
    assert last.changes.get().reason == Reason.SUPPRESSED
    assert brevo.members(segment.brevo_list_id) == addresses(*range(1, number))


def test_address_that_only_imports_refuse_is_held_back_too(brevo, segment) -> None:
    for first in (0, 100, 200):
        women(*range(first, first + 40))
        brevo.fault("address-refused=ada1@POST /contacts/import")
        sync(segment)

    held = Suppression.objects.get(email=address(1))
    assert held.note == "Refused in 3 syncs: Brevo does not accept the e-mail address"


def test_whoever_lifts_it_lets_the_address_be_tried_three_times_more(brevo, segment) -> None:
    women(1)
    brevo.fault("address-refused=ada1")
    for _ in range(3):
        sync(segment)
    Suppression.objects.get().delete()

    again = [sync(segment).failed for _ in range(4)]

    assert again == [1, 1, 1, 0]
    Suppression.objects.get().delete()
    brevo.clear_faults()
    assert sync(segment).added == 1
    assert not AddressRefusal.objects.exists()


def test_corrected_address_is_a_new_start(brevo, segment) -> None:
    women(1)
    brevo.fault("address-refused=ada1")
    for _ in range(3):
        sync(segment)
    alter(1, email="grace@example.com")

    assert sync(segment).added == 1


def test_success_between_two_refusals_starts_the_count_anew(brevo, segment) -> None:
    women(1)
    for n in range(4):
        alter(1, first_name=f"Ada {n}")
        brevo.fault("address-refused=ada1")
        sync(segment)
        brevo.clear_faults()
        alter(1, first_name=f"Grace {n}")
        sync(segment)

    assert not Suppression.objects.exists()


@pytest.mark.parametrize("number", [2, 30])
@pytest.mark.parametrize(
    "fault",
    [
        "bad-request@POST /contacts*",
        "no-credits@POST /contacts*",
        "not-allowed@POST /contacts*",
        "500@POST /contacts*",
        "import-failed",
        "key-revoked@POST /contacts*",
    ],
)
def test_fault_of_the_account_or_of_a_whole_import_holds_back_nobody(
    brevo, segment, settings, fault, number
) -> None:
    women(*range(number))
    brevo.fault(fault)

    for _ in range(4):
        sync(segment)

    assert not Suppression.objects.exists()
    brevo.clear_faults()
    assert brevo.members(segment.brevo_list_id) | addresses(*range(number)) == addresses(
        *range(number)
    )
    sync(segment)
    assert brevo.members(segment.brevo_list_id) == addresses(*range(number))


def test_address_at_localhost_cannot_be_used(brevo, segment) -> None:
    make_user(email="john@localhost", gender=Gender.FEMALE)

    export = sync(segment)

    line = export.changes.get()
    assert (export.status, line.outcome) == (SUCCESS, Outcome.HELD_BACK)
    assert line.reason == Reason.UNUSABLE_ADDRESS
