import io
import sys
from collections.abc import Iterator

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from accounts.enums import Role
from accounts.models import User
from campaigns.audience.query_builder import audience
from campaigns.enums import Match
from campaigns.models import Segment
from campaigns.models.flat import FLAT_NAMES
from properties.models import Property
from sandbox.brevo.server import Sandbox
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def brevo(settings) -> Iterator[Sandbox]:
    with Sandbox() as running:
        settings.BREVO_API_URL, settings.BREVO_API_KEY = running.url, running.key
        yield running


def seed(*arguments, users=200) -> list[str]:
    out = io.StringIO()
    call_command("seed_demo", f"--users={users}", *arguments, stdout=out)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("users", [0, -5, 19])
def test_too_few_users_are_refused_with_the_fewest(users) -> None:
    with pytest.raises(CommandError, match="write a number of at least 20"):
        seed("--no-segments", users=users)

    assert User.objects.count() == 0


def test_demo_logins_are_refused_without_debug_before_anything_is_made(settings) -> None:
    settings.DEBUG = False

    with pytest.raises(CommandError, match="works with DJANGO_DEBUG=True only"):
        seed("--no-segments", "--demo-logins")

    assert User.objects.count() == 0


@pytest.mark.parametrize(
    ("key", "why"),
    [("", "No API key for Brevo is set"), ("revoked", "Make a new key in Brevo")],
)
def test_people_are_kept_when_brevo_refuses_and_it_is_said(brevo, settings, key, why) -> None:
    settings.BREVO_API_KEY = key

    told = seed(users=20)

    assert told[0] == "20 people added, of 20."
    assert len(told) == 2
    assert told[1].startswith("Segments were skipped, the people are there: ")
    assert why in told[1]
    assert (User.objects.count(), Segment.objects.count()) == (20, 0)


def test_segment_that_cannot_be_is_skipped_by_name_and_the_others_are_made(brevo) -> None:
    seed("--no-segments", users=20)
    User.objects.filter(role=Role.PARTNER).update(role=Role.CLIENT)

    told = seed(users=20)

    assert Segment.objects.count() == 5
    assert any(line.startswith("“Introduced by our partners” was skipped: ") for line in told)


def test_seeding_makes_people_properties_and_six_segments_with_lists(brevo) -> None:
    told = seed()

    assert told[0] == "200 people added, of 200."
    assert (User.objects.count(), Property.objects.count()) == (200, 24)
    assert len({segment.brevo_list_id for segment in Segment.objects.all()} - {None}) == 6


def test_segments_show_what_can_be_asked_and_each_finds_someone(brevo) -> None:
    seed(users=1000)
    segments = Segment.objects.all()

    asked = [{key for key in FLAT_NAMES if getattr(s, key)} for s in segments]
    for wanted in (
        {"gender", "properties"},
        {"countries", "states"},
        {"traffic_sources"},
        {"partners"},
        {"agents"},
    ):
        assert wanted in asked
    assert [s.match for s in segments].count(Match.ANY) == 1
    sizes = [audience(segment).count() for segment in segments]
    assert all(0 < size < 700 for size in sizes), sizes


def test_second_run_changes_nothing_and_says_so(brevo) -> None:
    seed()
    before = list(User.objects.order_by("pk").values_list("pk", "updated_at"))

    assert seed() == ["Nothing to add: the demo data of seed 1 is complete."]
    assert list(User.objects.order_by("pk").values_list("pk", "updated_at")) == before
    assert Segment.objects.count() == 6


def test_larger_run_adds_the_missing_people(brevo) -> None:
    seed(users=50)

    assert seed(users=80) == ["30 people added, of 80."]
    assert User.objects.count() == 80


def test_no_segments_asks_brevo_nothing(settings) -> None:
    settings.BREVO_API_KEY = ""

    assert seed("--no-segments") == ["200 people added, of 200."]


def test_nobody_can_log_in_unless_demo_logins_are_asked_for(settings) -> None:
    settings.DEBUG = True
    seed("--no-segments")
    assert not any(user.has_usable_password() for user in User.objects.all())

    told = seed("--no-segments", "--demo-logins")

    assert told[:2] == [
        "Log in as admin@example.com with the password campaigns-demo (Admin)",
        "Log in as manager@example.com with the password campaigns-demo (Manager)",
    ]
    for email, role in (("admin@example.com", "ADMIN"), ("manager@example.com", "MANAGER")):
        assert authenticate(username=email, password="campaigns-demo").role == role


def test_demo_login_that_was_there_keeps_its_password(settings) -> None:
    settings.DEBUG = True
    User.objects.create_superuser("Admin@example.com", "my own")

    told = seed("--no-segments", "--demo-logins", users=20)

    assert "admin@example.com was there already and keeps its own password." in told
    assert authenticate(username="admin@example.com", password="my own")


def test_segments_belong_to_the_demo_admin_when_there_is_one(brevo, settings) -> None:
    settings.DEBUG = True
    seed("--demo-logins", users=20)

    assert {segment.created_by.email for segment in Segment.objects.all()} == {"admin@example.com"}


def test_progress_is_told_in_plain_lines_without_a_terminal(monkeypatch) -> None:
    monkeypatch.setattr("sandbox.people.demo.BATCH", 50)

    told = seed("--no-segments")

    assert told == [
        "50 of 200 people",
        "100 of 200 people",
        "150 of 200 people",
        "200 of 200 people",
        "200 people added, of 200.",
    ]


def test_progress_is_a_bar_on_a_terminal(monkeypatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    assert seed("--no-segments") == ["200 people added, of 200."]
    assert "100%" in terminal.getvalue()


def test_database_of_real_people_gets_no_invented_ones() -> None:
    make_user(email="ada@shop.example")

    with pytest.raises(CommandError, match="people whom seed_demo did not make"):
        call_command("seed_demo", users=20, no_segments=True)
    assert User.objects.count() == 1

    call_command("seed_demo", users=20, no_segments=True, force=True)
    assert User.objects.count() == 21


def test_real_account_gets_no_lists_of_invented_people(settings) -> None:
    settings.BREVO_API_URL, settings.BREVO_API_KEY = "https://api.brevo.com/v3", "xkeysib-1"

    with pytest.raises(CommandError, match="would be made in your Brevo account"):
        call_command("seed_demo", users=20)
    assert not User.objects.exists()


def test_person_added_to_the_demo_by_hand_keeps_nothing_from_being_added() -> None:
    call_command("seed_demo", users=20, no_segments=True)
    make_user(email="me@shop.example")

    call_command("seed_demo", users=25, no_segments=True)

    assert User.objects.count() == 26
