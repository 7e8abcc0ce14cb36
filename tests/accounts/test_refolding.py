"""Rows written before two spellings of a text were one, and what the migrations make of them."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.test.utils import CaptureQueriesContext

from accounts.enums import Consent
from accounts.models import User
from accounts.refolding import mark, marked
from accounts.text import fold, fold_email
from campaigns.audience.mailable import mailable
from campaigns.enums import SuppressionReason
from campaigns.models import ListMember, Segment, Suppression
from campaigns.models.flat import FLAT_NAMES
from tests.factories import is_mailable, make_segment_unsaved, make_user

pytestmark = pytest.mark.django_db

PEOPLE = import_module("accounts.migrations.0005_one_key_for_every_spelling")
CAMPAIGNS = import_module("campaigns.migrations.0008_one_key_for_every_spelling")
PLAIN, WITH_MARK = "john@example.com", "john@exam\u200bple.com"


def migrate(*, back: bool = False) -> None:
    """Run the two migrations of data, with the models as they were then."""
    before = [("accounts", "0004_spoken_names"), ("campaigns", "0007_causes_of_suppressions")]
    state = MigrationLoader(connection).project_state(before)
    for column in ("match", *FLAT_NAMES):  # which the tables of today have no longer
        state.remove_field("campaigns", "segment", column)
    then = state.apps
    editor = SimpleNamespace(connection=connection)
    for migration in (CAMPAIGNS, PEOPLE) if back else (PEOPLE, CAMPAIGNS):
        (migration.backwards if back else migration.forwards)(then, editor)


def make_old_user(email: str, **fields) -> User:
    """Make a person whose keys are computed as they were: white space and case alone."""
    user = make_user(**fields)
    texts = {name: fields.get(name, "") for name in ("state", "referral_source")}
    keys = {f"{name}_key": " ".join(text.split()).casefold() for name, text in texts.items()}
    User.objects.filter(pk=user.pk).update(
        email=email, email_key=email.strip().lower(), email_is_usable=True, **texts, **keys
    )
    return User.objects.get(pk=user.pk)


def make_old_segment(name: str) -> Segment:
    segment = make_segment_unsaved()
    Segment.objects.bulk_create([segment])
    Segment.objects.filter(pk=segment.pk).update(name=name, name_key=name.casefold())
    return segment


def make_old_suppression(email: str, reason=SuppressionReason.UNSUBSCRIBED, user=None):
    row = Suppression.objects.create(email=f"{Suppression.objects.count()}@x.example")
    Suppression.objects.filter(pk=row.pk).update(email=email, reason=reason, user=user)
    return row


def test_every_stored_key_is_the_key_of_its_text_afterwards() -> None:
    make_old_user("info@bücher.example", state="İZMİR", referral_source="La\u200bgos")
    make_old_user("Ada@Example.com", state="Lagos")
    make_old_user("x@İstanbul.example", state="O\u0323\u0300ṣun")

    migrate()

    for user in User.objects.all():
        assert user.email_key == fold_email(user.email)
        assert user.state_key == fold(user.state)
        assert user.referral_source_key == fold(user.referral_source)


def test_rows_of_plain_letters_are_not_written() -> None:
    for number in range(5):
        make_old_user(f"a{number}@example.com", state="Lagos")

    with CaptureQueriesContext(connection) as queries:
        migrate()

    assert not [query for query in queries if query["sql"].startswith("UPDATE")]


def test_two_people_whose_addresses_become_one_both_stay_and_the_later_is_held_back() -> None:
    later, first = make_old_user(WITH_MARK), make_old_user(PLAIN)

    migrate()

    first.refresh_from_db()
    later.refresh_from_db()
    assert (first.email, first.email_key) == (PLAIN, PLAIN)
    assert marked(later.email) == (later.pk, first.pk)
    assert list(mailable(User.objects.all())) == [first]
    later.save()
    assert not is_mailable(later)


def test_three_spellings_of_one_address_stay_three_people_of_whom_one_is_mailable() -> None:
    people = [
        make_old_user(email)
        for email in ("a@b\u00fccher.example", "a@bu\u0308cher.example", "a@bücher\u200b.example")
    ]

    migrate()

    assert User.objects.count() == 3
    assert list(mailable(User.objects.all())) == [people[0]]


@pytest.mark.parametrize("who_said_no", [0, 1])
def test_when_one_of_two_with_one_address_opted_out_neither_is_mailed(who_said_no) -> None:
    both = [make_old_user(PLAIN), make_old_user(WITH_MARK)]
    User.objects.filter(pk=both[who_said_no].pk).update(marketing_consent=Consent.OPTED_OUT)

    migrate()

    assert not mailable(User.objects.all()).exists()
    assert Suppression.objects.get().email == PLAIN


@pytest.mark.parametrize("who_said_no", [0, 1])
def test_when_one_of_two_with_one_address_is_suppressed_neither_is_mailed(who_said_no) -> None:
    both = [make_old_user(PLAIN), make_old_user(WITH_MARK)]
    make_old_suppression("former@example.com", user=both[who_said_no])

    migrate()

    assert not mailable(User.objects.all()).exists()


def test_suppression_of_one_spelling_reaches_whoever_has_the_other() -> None:
    make_old_user("info@xn--bcher-kva.example")
    make_old_suppression("info@bücher.example", SuppressionReason.BOUNCED)

    migrate()

    assert not mailable(User.objects.all()).exists()


def test_of_two_suppressions_of_one_address_the_stronger_reason_stands_and_no_person_is_lost() -> (
    None
):
    ada, bob = make_old_user("ada@example.com"), make_old_user("bob@example.com")
    make_old_suppression("info@xn--bcher-kva.example", SuppressionReason.BOUNCED, ada)
    make_old_suppression("info@bücher.example", SuppressionReason.COMPLAINED, bob)

    migrate()

    of_address = Suppression.objects.get(email="info@xn--bcher-kva.example")
    assert of_address.reason == SuppressionReason.COMPLAINED
    assert Suppression.objects.count() == 2
    assert not mailable(User.objects.all()).exists()


def test_ledger_keeps_who_is_on_a_list_as_they_were_sent_and_lets_ended_stays_follow() -> None:
    segment, user = make_old_segment("Readers"), make_old_user("info@bücher.example")
    stay = {
        "segment": segment,
        "user": user,
        "email": "info@bücher.example",
        "fingerprint": user.contact_fingerprint,
        "added_at": user.date_joined,
        "added_by": 1,
    }
    ListMember.objects.create(**stay)
    ListMember.objects.create(**stay, removed_at=user.date_joined)

    migrate()

    assert ListMember.objects.current().get().email == "info@bücher.example"
    assert ListMember.objects.ended().get().email == "info@xn--bcher-kva.example"


def test_two_segments_whose_names_become_one_are_told_apart_by_a_note() -> None:
    first, later = make_old_segment("Caf\u00e9"), make_old_segment("Cafe\u0301")

    migrate()

    first.refresh_from_db()
    later.refresh_from_db()
    assert first.name == "Café"
    assert marked(later.name) == (later.pk, first.pk)
    assert later.name_key == fold(later.name)


def test_going_back_restores_addresses_names_and_keys() -> None:
    people = [make_old_user(email) for email in (PLAIN, WITH_MARK, "info@bücher.example")]
    names = ["Caf\u00e9", "Cafe\u0301"]
    for name in names:
        make_old_segment(name)
    make_old_suppression("info@bücher.example")
    emails = [user.email for user in people]

    migrate()
    migrate(back=True)

    back = User.objects.order_by("pk")
    assert list(back.values_list("email", flat=True)) == emails
    assert list(back.values_list("email_key", flat=True)) == emails
    assert list(Segment.objects.order_by("pk").values_list("name", "name_key")) == [
        (name, name.casefold()) for name in names
    ]
    assert Suppression.objects.get().email == "info@bücher.example"


def test_mark_fits_the_column_and_is_read_back() -> None:
    text = mark("a" * 254, "person", 12, 3, 254)

    assert len(text) == 254
    assert marked(text) == (12, 3)
    assert marked("a@example.com") is None
