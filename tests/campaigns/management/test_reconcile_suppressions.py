import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import responses
from django.utils import timezone
from responses import matchers

from campaigns.brevo import Account
from campaigns.brevo.transport import Transport
from campaigns.enums import SuppressionReason, SuppressionSource
from campaigns.models import AccountLease, Suppression
from campaigns.sync import events, reconciling
from campaigns.sync.gateway import remember_account
from campaigns.sync.suppressing import suppress
from tests.factories import is_mailable, make_segment, make_user

pytestmark = pytest.mark.django_db

COMMAND = "reconcile_suppressions"
CONTACTS = "https://api.brevo.com/v3/contacts"


def suppressed() -> set[str]:
    return set(Suppression.objects.values_list("email", flat=True))


def contact(number: int, **fields) -> dict[str, object]:
    return {
        "id": number,
        "email": f"p{number}@example.com",
        "listIds": [],
        "attributes": {},
    } | fields


@pytest.fixture
def wire(db: None) -> Iterator[responses.RequestsMock]:
    remember_account(Account("Ours", "us@example.com", (), "ours"))
    with responses.RequestsMock() as mocked:
        yield mocked


def answer(wire, *contacts, query=None) -> None:
    asked = [matchers.query_param_matcher(query, strict_match=False)] if query else []
    wire.get(CONTACTS, json={"count": len(contacts), "contacts": list(contacts)}, match=asked)


def test_blocklisted_contacts_are_suppressed_as_unsubscribed(brevo, run) -> None:
    ada = make_user(email="ada@example.com")
    brevo.block("ada@example.com")
    brevo.put_on_list(1, "grace@example.com")

    said = run(COMMAND)

    row = Suppression.objects.get()
    assert (row.user, row.reason) == (ada, SuppressionReason.UNSUBSCRIBED)
    assert row.source == SuppressionSource.RECONCILIATION
    assert said.code == 0
    assert said.out == "Contacts: 2. Suppressions new or stronger: 1.\n"


def test_second_run_reads_only_what_changed_since_the_first(brevo, run) -> None:
    brevo.block("ada@example.com")
    run(COMMAND)
    lease = AccountLease.objects.get(key="reconciliation")
    lease.value = {"done": (timezone.now() + timedelta(hours=2)).isoformat()}
    lease.save()

    said = run(COMMAND)

    assert said.out.startswith("Contacts changed since ")
    assert said.out.endswith(": 0. Suppressions new or stronger: 0.\n")


def test_reading_starts_an_hour_before_the_last_time(wire, run) -> None:
    done = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    AccountLease.objects.create(key="reconciliation", value={"done": done.isoformat()})
    answer(wire, query={"modifiedSince": "2026-03-01T11:00:00.000Z"})

    assert run(COMMAND).code == 0

    lease = AccountLease.objects.get(key="reconciliation")
    assert lease.value["done"] > done.isoformat()


def test_unsubscribing_from_one_of_our_lists_counts_and_from_another_does_not(wire, run) -> None:
    make_segment(brevo_list_id=7)
    theirs, ours = contact(1, listUnsubscribed=[8]), contact(2, listUnsubscribed=[7, 8])
    by_phone = {"id": 3, "emailBlacklisted": True, "attributes": {"SMS": "2348031234567"}}
    answer(wire, theirs, ours, by_phone)

    assert run(COMMAND).code == 0

    assert suppressed() == {"p2@example.com"}


@pytest.mark.parametrize("first", ["webhook", "reconcile"])
@pytest.mark.parametrize("has_statistics", [True, False])
def test_bounce_stays_a_bounce_whichever_tells_of_it_first(
    brevo, run, first, has_statistics
) -> None:
    """Brevo blocklists whoever bounces; the statistics that say why end after 90 days."""
    ada = make_user(email="ada@example.com")
    brevo.bounce("ada@example.com")
    if not has_statistics:
        with brevo.store.writing() as store:
            store.execute("DELETE FROM statistic")
    told = {"event": "hard_bounce", "email": "ada@example.com", "reason": "No such user"}

    for step in [first, "webhook", "reconcile"]:
        if step == "webhook":
            events.keep(json.dumps(told).encode())
            events.process_pending()
        else:
            assert run(COMMAND).code == 0

    row = Suppression.objects.get()
    assert (row.reason, row.note) == (SuppressionReason.BOUNCED, "No such user")
    assert not is_mailable(ada)
    ada.email = "corrected@example.com"
    ada.save()
    assert is_mailable(ada)


@pytest.mark.parametrize("why", ["userUnsubscription", "adminUnsubscription", "complaints"])
def test_whoever_said_no_after_a_bounce_is_held_back_under_another_address_too(
    brevo, run, why
) -> None:
    ada = make_user(email="ada@example.com")
    suppress("ada@example.com", SuppressionReason.BOUNCED, SuppressionSource.WEBHOOK, note="Full")
    brevo.bounce("ada@example.com")
    brevo.block("ada@example.com", why)

    run(COMMAND)

    ada.email = "next@example.com"
    ada.save()
    assert not is_mailable(ada)
    notes = {cause["reason"]: cause["note"] for cause in Suppression.objects.get().other_causes}
    assert notes["BOUNCED"] == "Full"


def test_bounce_whose_webhook_got_lost_is_learned_from_the_statistics(brevo, run) -> None:
    make_user(email="ada@example.com")
    brevo.bounce("ada@example.com")

    run(COMMAND)

    assert Suppression.objects.get().reason == SuppressionReason.BOUNCED


@pytest.mark.parametrize("fault", ["500@GET /contacts/*", "truncated@GET /contacts/*"])
def test_cause_that_cannot_be_asked_holds_back_the_person_and_fails_nothing(
    brevo, run, monkeypatch, fault
) -> None:
    monkeypatch.setattr(Transport, "FIRST_BACKOFF", 0.0)
    ada, beth = make_user(email="ada@example.com"), make_user(email="beth@example.com")
    brevo.bounce("ada@example.com")
    brevo.bounce("beth@example.com")
    brevo.fault(fault)

    said = run(COMMAND)

    assert said.code == 0
    assert set(Suppression.objects.values_list("reason", flat=True)) == {"BLOCKLISTED"}
    for person in (ada, beth):
        person.email = f"next.{person.email}"
        person.save()
        assert not is_mailable(person)


def test_strangers_are_not_asked_about_and_what_is_known_is_not_asked_again(brevo, run) -> None:
    make_user(email="ada@example.com")
    for name in ("ada", "stranger"):
        brevo.block(f"{name}@example.com")

    run(COMMAND)
    run(COMMAND, "--since", "2026-01-01")

    asked = [path for _, path, _ in brevo.requests if path.startswith("/contacts/")]
    assert len(asked) == 1
    assert "@" not in asked[0]
    reasons = dict(Suppression.objects.values_list("email", "reason"))
    assert reasons == {"ada@example.com": "UNSUBSCRIBED", "stranger@example.com": "BLOCKLISTED"}


def test_questions_are_bounded_and_whoever_is_not_asked_about_is_held_back(
    brevo, run, monkeypatch
) -> None:
    monkeypatch.setattr(reconciling, "MOST_QUESTIONS", 2)
    for number in range(5):
        make_user(email=f"p{number}@example.com")
        brevo.bounce(f"p{number}@example.com")

    run(COMMAND)

    reasons = Counter(Suppression.objects.values_list("reason", flat=True))
    assert reasons == {"BOUNCED": 2, "BLOCKLISTED": 3}


def test_a_suppression_is_never_lifted(wire, run) -> None:
    Suppression.objects.create(email="p1@example.com", reason=SuppressionReason.COMPLAINED)
    answer(wire, contact(1, emailBlacklisted=False))

    run(COMMAND)

    assert Suppression.objects.get().reason == SuppressionReason.COMPLAINED


@pytest.mark.parametrize(
    ("last", "since", "moves"),
    [
        (None, "2026-01-01", False),  # what came before was never read
        ("2026-03-01T00:00:00+00:00", "2026-02-01", True),
        ("2026-03-01T00:00:00+00:00", "2026-04-01T10:00", False),  # March would be left out
    ],
)
def test_a_moment_given_moves_the_mark_only_when_no_gap_is_left(
    wire, run, last, since, moves
) -> None:
    if last:
        AccountLease.objects.create(key="reconciliation", value={"done": last})
    answer(wire)

    assert run(COMMAND, "--since", since).code == 0

    marks = AccountLease.objects.filter(key="reconciliation")
    mark = marks.values_list("value__done", flat=True).first()
    assert (mark != last) == moves


@pytest.mark.parametrize(
    ("since", "why"),
    [("yesterday", "write a moment like"), ("", "write a moment"), ("2999-01-01", "the future")],
)
def test_a_moment_that_makes_no_sense_is_refused(run, since, why) -> None:
    said = run(COMMAND, f"--since={since}")

    assert said.code == 2
    assert why in said.err


def test_waiting_webhook_events_are_processed_even_when_brevo_is_not_there(settings, run) -> None:
    settings.BREVO_API_KEY = ""
    events.keep(b'{"event": "spam", "email": "ada@example.com"}')

    said = run(COMMAND)

    assert suppressed() == {"ada@example.com"}
    assert said.out == "Webhook events processed: 1.\n"
    assert (said.code, "BREVO_API_KEY" in said.err) == (2, True)


def test_when_brevo_fails_halfway_what_was_learned_stays_and_the_mark_does_not_move(
    wire, run
) -> None:
    page = [contact(n, emailBlacklisted=True) for n in range(1000)]
    wire.get(CONTACTS, json={"count": 1500, "contacts": page})
    wire.get(CONTACTS, json={"code": "invalid_parameter", "message": "No"}, status=400)

    said = run(COMMAND)

    assert said.code == 1
    assert re.fullmatch(r'Brevo could not show the contacts \(400\): "No"\.', said.err)
    assert len(suppressed()) == 1000
    assert not AccountLease.objects.filter(key="reconciliation").exists()
