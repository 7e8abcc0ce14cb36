from collections.abc import Iterator

import pytest
import responses

from campaigns.brevo import Account
from campaigns.enums import ExportStatus
from campaigns.models import SegmentExport
from campaigns.sync.gateway import remember_account
from campaigns.sync.runs import request_sync, run_export
from tests.factories import make_segment, make_user

pytestmark = pytest.mark.django_db

API = "https://api.brevo.com/v3"
MADE = ("FIRSTNAME", "LASTNAME", "SMS", "COUNTRY", "STATE")
UNIQUE = {"code": "duplicate_parameter", "message": "Attribute name must be unique"}


def attributes(*names) -> dict[str, object]:
    return {"attributes": [{"name": n, "category": "normal", "type": "text"} for n in names]}


@pytest.fixture
def wire(db: None) -> Iterator[responses.RequestsMock]:
    """A Brevo that takes everything but the attribute that is still missing."""
    remember_account(Account("Ours", "us@example.com", (), "ours"))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
        counted = {"uniqueSubscribers": 1, "totalSubscribers": 1, "totalBlacklisted": 0}
        mocked.get(
            f"{API}/contacts/lists/7", json={"id": 7, "name": "Women", "folderId": 1, **counted}
        )
        folders = {"count": 1, "folders": [{"id": 1, "name": "Campaign Segments"}]}
        mocked.get(f"{API}/contacts/folders", json=folders)
        member = {"id": 1, "email": "ada@example.com", "attributes": {}}
        mocked.get(f"{API}/contacts/lists/7/contacts", json={"count": 1, "contacts": [member]})
        mocked.post(f"{API}/contacts", json={"id": 1}, status=201)
        mocked.get(f"{API}/contacts/attributes", json=attributes(*MADE))
        url = f"{API}/contacts/attributes/normal/REFERRAL_SOURCE"
        mocked.post(url, json=UNIQUE, status=400)
        yield mocked


def sync_one() -> SegmentExport:
    make_user(gender="FEMALE", email="ada@example.com")
    return run_export(request_sync(make_segment(name="Women", brevo_list_id=7)).pk)


def test_attribute_that_another_run_made_meanwhile_is_used(wire) -> None:
    wire.get(f"{API}/contacts/attributes", json=attributes(*MADE, "REFERRAL_SOURCE"))

    export = sync_one()

    assert export.status == ExportStatus.SUCCESS, export.error_message


def test_attribute_that_brevo_refuses_fails_the_run_with_its_words(wire) -> None:
    export = sync_one()

    assert export.status == ExportStatus.FAILED
    assert "Attribute name must be unique" in export.error_message
