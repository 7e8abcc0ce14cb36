"""Whoever says no while a run is under way, here or at Brevo, is not mailed."""

from collections.abc import Callable

import pytest

from accounts.enums import Consent, Gender
from accounts.models import User
from campaigns.enums import ExportStatus, Outcome, SuppressionSource
from campaigns.models import Suppression
from campaigns.sync import sending
from campaigns.sync.runs import request_sync, run_export
from tests.factories import make_segment_unsaved, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def segment(brevo):
    segment = make_segment_unsaved(name="Women")
    segment.save()
    return segment


def while_a_load_waits(monkeypatch, happens: Callable[[], object]) -> None:
    """Have something happen between reading people and sending them, once."""
    monkeypatch.setattr(sending, "_STALE", 0.0)
    keep_right, pending = sending.keep_import_right, [happens]

    def happen_first(run) -> None:
        if pending:
            pending.pop()()
        keep_right(run)

    monkeypatch.setattr(sending, "keep_import_right", happen_first)


def opt_out(person: User) -> None:
    User.objects.filter(pk=person.pk).update(marketing_consent=Consent.OPTED_OUT)


def test_person_who_opts_out_while_the_load_waits_is_held_back(brevo, segment, monkeypatch):
    people = [make_user(gender=Gender.FEMALE) for _ in range(30)]
    while_a_load_waits(monkeypatch, lambda: opt_out(people[7]))

    export = run_export(request_sync(segment).pk)

    assert (export.status, export.added) == (ExportStatus.SUCCESS, 29), export.error_message
    assert export.changes.get(email=people[7].email).outcome == Outcome.HELD_BACK
    assert people[7].email not in brevo.members(segment.brevo_list_id)
    assert brevo.contact(people[7].email) is None


def test_whoever_no_longer_fits_into_the_load_that_is_read_again_comes_with_the_next(
    brevo, segment, settings, monkeypatch
):
    settings.BREVO_IMPORT_MAX_BYTES = 8000
    people = [make_user(gender=Gender.FEMALE) for _ in range(40)]

    def opt_out_and_grow() -> None:
        User.objects.update(first_name="A" * 150)
        opt_out(people[7])

    while_a_load_waits(monkeypatch, opt_out_and_grow)

    export = run_export(request_sync(segment).pk)

    mailed = {person.email for person in people} - {people[7].email}
    assert (export.status, export.added) == (ExportStatus.SUCCESS, 39), export.error_message
    assert brevo.members(segment.brevo_list_id) == mailed
    names = {brevo.contact(email)["attributes"]["FIRSTNAME"] for email in mailed}
    assert names == {"A" * 150}


def test_nothing_is_sent_when_everybody_opts_out_while_the_load_waits(brevo, segment, monkeypatch):
    for _ in range(30):
        make_user(gender=Gender.FEMALE)
    while_a_load_waits(
        monkeypatch, lambda: User.objects.update(marketing_consent=Consent.OPTED_OUT)
    )

    export = run_export(request_sync(segment).pk)

    assert (export.status, export.added) == (ExportStatus.SUCCESS, 0), export.error_message
    assert not any(path == "/contacts/import" for _, path, _ in brevo.bodies)


def test_reading_the_list_back_learns_who_is_blocked_at_brevo(brevo, segment):
    person, other = make_user(gender=Gender.FEMALE), make_user(gender=Gender.FEMALE)
    run_export(request_sync(segment).pk)
    brevo.block(person.email)

    run_export(request_sync(segment).pk)
    learned = Suppression.objects.get()
    run_export(request_sync(segment).pk)

    assert (learned.email, learned.source) == (person.email, SuppressionSource.RECONCILIATION)
    assert brevo.members(segment.brevo_list_id) == {other.email}
    assert brevo.contact(person.email)["emailBlacklisted"] is True
