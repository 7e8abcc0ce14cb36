"""An address is one person however it is spelt: here, at Brevo, and in what Brevo tells."""

import json

import pytest

from accounts.models import User
from campaigns.audience.mailable import mailable
from campaigns.brevo import BrevoClient
from campaigns.enums import ExportStatus, SuppressionReason, VerifyLevel
from campaigns.enums import SuppressionSource as Source
from campaigns.models import ListMember, Suppression
from campaigns.sync import events
from campaigns.sync.reconciling import reconcile
from campaigns.sync.suppressing import suppress
from campaigns.sync.verify import verify
from sandbox.brevo.server import Sandbox
from tests.campaigns.sync.scenes import ledger, make_segment_of_women, sync
from tests.factories import is_mailable, make_user

pytestmark = pytest.mark.django_db

UNICODE, ASCII = "Info@Bücher.example", "info@xn--bcher-kva.example"
SPELLINGS = [
    ("john@example.com", "john@exam\u200bple.com"),
    ("john@example.com", "jo\u00adhn@example.com"),
    ("john@example.com", "ｊｏｈｎ＠example.com"),  # noqa: RUF001 -- full-width on purpose
    (UNICODE, ASCII),
    (ASCII, UNICODE),
    ("info@bu\u0308cher.example", UNICODE),
    ("info@example.com", "İNFO@EXAMPLE.COM"),
]


@pytest.fixture(params=[False, True], ids=["told in ASCII", "told in Unicode"])
def brevo(request, settings):
    with Sandbox(unicode_domains=request.param) as server:
        settings.BREVO_API_URL, settings.BREVO_API_KEY = server.url, server.key
        yield server


@pytest.fixture
def client(brevo) -> BrevoClient:
    return BrevoClient(brevo.key, base_url=brevo.url, requests_per_second=1000)


def test_international_domain_is_sent_once_and_proved_to_be_there(brevo) -> None:
    segment = make_segment_of_women()
    make_user(email=UNICODE, gender="FEMALE")

    export = sync(segment)

    assert (export.status, export.added) == (ExportStatus.SUCCESS, 1)
    assert export.proof["missing"] == export.proof["held_by_others"] == 0
    assert brevo.members(segment.brevo_list_id) == {ASCII}
    assert sync(segment).added == 0


def test_many_at_international_domains_arrive_by_import_and_a_lost_answer_is_found_out(
    brevo,
) -> None:
    segment = make_segment_of_women()
    User.objects.bulk_create(
        User(email=f"n{number}@bücher.example", gender="FEMALE") for number in range(40)
    )
    brevo.fault("524@POST /contacts/import*1")

    export = sync(segment)

    assert (export.status, export.added) == (ExportStatus.SUCCESS, 40)


def test_block_at_brevo_of_an_international_address_takes_its_person_off_the_list(brevo) -> None:
    segment = make_segment_of_women()
    make_user(email=UNICODE, gender="FEMALE")
    sync(segment)
    brevo.block(UNICODE)

    sync(segment)
    sync(segment)

    assert not mailable(User.objects.all()).exists()
    assert brevo.members(segment.brevo_list_id) == set()


def test_reconciliation_suppresses_an_international_address_under_one_spelling(
    brevo, client
) -> None:
    user = make_user(email=UNICODE)
    brevo.block(ASCII)

    assert reconcile(client).suppressed == 1

    assert Suppression.objects.get().email == ASCII
    assert not is_mailable(user)


@pytest.mark.parametrize(("here", "told"), SPELLINGS)
def test_unsubscribe_in_any_spelling_reaches_the_person(here, told) -> None:
    user = make_user(email=here)

    events.keep(json.dumps({"event": "unsubscribe", "email": told}).encode())
    events.process_pending()

    assert Suppression.objects.get().user == user
    assert not is_mailable(user)
    assert not mailable(User.objects.all()).exists()


@pytest.mark.parametrize(("first", "second"), SPELLINGS)
def test_suppressing_one_spelling_suppresses_the_other(first, second) -> None:
    suppress(first, SuppressionReason.UNSUBSCRIBED, Source.ADMIN)

    assert not suppress(second, SuppressionReason.UNSUBSCRIBED, Source.ADMIN)
    assert not is_mailable(make_user(email=second))


def test_unsubscribe_from_a_former_address_in_its_other_spelling_reaches_the_person(brevo) -> None:
    segment = make_segment_of_women()
    user = make_user(email=UNICODE, gender="FEMALE")
    sync(segment)
    user.email = "new@example.com"
    user.save()
    sync(segment)

    suppress("INFO@bücher.example", SuppressionReason.UNSUBSCRIBED, Source.WEBHOOK)
    sync(segment)

    assert not is_mailable(user)
    assert brevo.members(segment.brevo_list_id) == set()


@pytest.mark.parametrize("said_no", [False, True])
def test_contact_sent_under_an_old_spelling_is_replaced_or_taken_off(brevo, said_no) -> None:
    segment = make_segment_of_women()
    user = make_user(email=UNICODE, gender="FEMALE")
    sync(segment)
    ListMember.objects.update(email=UNICODE.lower())  # as it was written and sent before
    if said_no:
        suppress(ASCII, SuppressionReason.UNSUBSCRIBED, Source.WEBHOOK)

    export = sync(segment)

    assert export.status == ExportStatus.SUCCESS
    expected = set() if said_no else {user.email_key}
    assert ledger(segment) == brevo.members(segment.brevo_list_id) == expected


def test_removal_of_an_old_spelling_that_did_not_take_is_noticed(brevo, client) -> None:
    segment = make_segment_of_women()
    user = make_user(email=UNICODE, gender="FEMALE")
    sync(segment)
    ListMember.objects.update(email=UNICODE.lower())
    user.delete()
    export = sync(segment)
    brevo.put_on_list(segment.brevo_list_id, UNICODE)

    proof = verify(client, segment, VerifyLevel.FULL, after=export.pk)

    assert (proof.unexpected, proof.unexpected_emails) == (1, [UNICODE.lower()])
