from collections.abc import Iterator

import pytest

from campaigns.brevo import BrevoClient
from campaigns.brevo.transport import Transport
from campaigns.enums import SuppressionReason as Why
from campaigns.models import Suppression
from campaigns.sync import reconciling
from campaigns.sync.gateway import connect
from campaigns.sync.reconciling import look_up
from campaigns.sync.suppressing import suppress
from tests.factories import is_mailable, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(brevo, monkeypatch) -> Iterator[BrevoClient]:
    monkeypatch.setattr(Transport, "FIRST_BACKOFF", 0.0)
    client = connect()
    yield client
    client.close()


def known(brevo, *numbers: int) -> dict[str, int]:
    """Make contacts and return their addresses with their ids."""
    ids = {}
    for number in numbers:
        brevo.put_on_list(1, address(number))
        ids[address(number)] = brevo.contact(address(number))["id"]
    return ids


def address(number: int) -> str:
    return f"p{number}@example.com"


def reasons() -> dict[str, str]:
    return dict(Suppression.objects.values_list("email", "reason"))


@pytest.mark.parametrize("most", [100, 1])
def test_looking_up_tells_who_was_deleted_blocklisted_moved_or_only_taken_off_the_list(
    brevo, client, monkeypatch, most
) -> None:
    """Above the bound the account is read first, and only the rest is asked about."""
    monkeypatch.setattr(reconciling, "MOST_QUESTIONS", most)
    ids = known(brevo, 0, 1, 2)
    brevo.block(address(1))
    brevo.delete_contact(address(2))

    found = look_up(client, {**ids, "never.seen@example.com": None})

    assert found.there == {address(0)}
    assert found.held == {address(1), address(2)}
    assert found.never_seen == {"never.seen@example.com"}
    assert found.unknown == set()
    assert reasons()[address(2)] == Why.DELETED
    assert address(1) in reasons()


def test_contact_under_another_address_at_brevo_is_named_with_it(brevo, client) -> None:
    ids = known(brevo, 0)
    with brevo.store.writing() as store:
        store.execute("UPDATE contact SET email = 'corrected@example.com'")

    found = look_up(client, ids)

    assert (found.moved, found.there) == ({address(0): "corrected@example.com"}, set())
    assert reasons() == {}


def test_whoever_said_no_under_another_address_at_brevo_is_held_back_under_ours(
    brevo, client
) -> None:
    ids = known(brevo, 0)
    brevo.block(address(0))
    with brevo.store.writing() as store:
        store.execute("UPDATE contact SET email = 'corrected@example.com'")

    assert look_up(client, ids).held == {address(0)}
    assert reasons() == {address(0): Why.UNSUBSCRIBED}


def test_contact_deleted_and_made_anew_by_others_is_held_back(brevo, client) -> None:
    ids = known(brevo, 0)
    brevo.delete_contact(address(0))
    known(brevo, 0)

    assert look_up(client, ids).held == {address(0)}


def test_deleted_after_a_bounce_concerns_the_address_alone(brevo, client) -> None:
    ada = make_user(email=address(0))
    ids = known(brevo, 0)
    suppress(address(0), Why.BOUNCED, "WEBHOOK")
    brevo.delete_contact(address(0))

    assert look_up(client, ids).held == {address(0)}

    ada.email = "corrected@example.com"
    ada.save()
    assert is_mailable(ada)


@pytest.mark.parametrize("fault", ["500@GET /contacts/*", "drop@GET /contacts/*"])
def test_whoever_cannot_be_asked_about_is_unknown_and_not_taken_for_deleted(
    brevo, client, fault
) -> None:
    ids = known(brevo, 0, 1)
    brevo.fault(fault)

    found = look_up(client, ids)

    assert found.unknown == set(ids)
    assert reasons() == {}


def test_more_than_may_be_asked_about_are_unknown(brevo, client, monkeypatch) -> None:
    monkeypatch.setattr(reconciling, "MOST_QUESTIONS", 2)
    ids = known(brevo, *range(4))
    for email in ids:
        brevo.delete_contact(email)

    found = look_up(client, ids)

    assert (len(found.held), len(found.unknown)) == (2, 2)


def test_no_address_travels_in_a_url(brevo, client) -> None:
    look_up(client, known(brevo, 0))

    assert all("@" not in path for _, path, _ in brevo.requests)
