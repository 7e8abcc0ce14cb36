"""Whoever says no while a run is under way, here or at Brevo, is not mailed."""

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


def test_person_who_opts_out_while_the_load_waits_is_held_back(brevo, segment, monkeypatch):
    people = [make_user(gender=Gender.FEMALE) for _ in range(30)]
    monkeypatch.setattr(sending, "_STALE", 0.0)
    open_chunk = sending.Sender._open_chunk

    def opt_out_first(*args, **options):
        User.objects.filter(pk=people[7].pk).update(marketing_consent=Consent.OPTED_OUT)
        return open_chunk(*args, **options)

    monkeypatch.setattr(sending.Sender, "_open_chunk", opt_out_first)
    export = run_export(request_sync(segment).pk)

    assert (export.status, export.added) == (ExportStatus.SUCCESS, 29), export.error_message
    assert export.changes.get(email=people[7].email).outcome == Outcome.HELD_BACK
    assert people[7].email not in brevo.members(segment.brevo_list_id)
    assert brevo.contact(people[7].email) is None


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
