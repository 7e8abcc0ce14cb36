"""The command that operators and cron use: what it says, where it says it, how it exits."""

import json
import subprocess

import pytest

from accounts.enums import Consent, Gender
from accounts.models import User
from campaigns.brevo.transport import Transport
from campaigns.enums import ExportStatus
from campaigns.models import Segment, SegmentExport
from campaigns.sync.runs import request_sync, run_export
from tests.elsewhere import environment, manage
from tests.factories import make_segment, make_segment_unchecked, make_user

pytestmark = pytest.mark.django_db

COMMAND = "sync_segment"
KEYS = [
    "segment_id",
    "segment_name",
    "brevo_list_id",
    "status",
    "users_count",
    "added",
    "updated",
    "removed",
    "failed",
    "error_message",
    "export_id",
    "notes",
]


@pytest.fixture(autouse=True)
def impatient(monkeypatch) -> None:
    monkeypatch.setattr(Transport, "FIRST_BACKOFF", 0.001)
    monkeypatch.setattr(Transport, "LONGEST_BACKOFF", 0.001)


@pytest.fixture
def segment(brevo) -> Segment:
    for number in range(3):
        make_user(gender=Gender.FEMALE, email=f"ada{number}@example.com")
    return make_segment(name="Women", brevo_list_id=None)


@pytest.fixture
def men(brevo) -> Segment:
    make_user(gender=Gender.MALE, email="bob@example.com")
    return make_segment(name="Men", gender=["MALE"], brevo_list_id=None)


def told(said) -> list[dict[str, object]]:
    return [json.loads(line) for line in said.out.splitlines()]


# Which segments


def test_segment_is_named_by_its_name_or_its_id(brevo, segment, run) -> None:
    by_name, by_id = run(COMMAND, "Women"), run(COMMAND, str(segment.pk))

    assert (by_name.code, by_id.code) == (0, 0)
    assert by_name.out == "Women: Success. 3 mailable, 3 added, 0 updated, 0 removed, 0 refused.\n"
    assert by_id.out == "Women: Success. 3 mailable, 0 added, 0 updated, 0 removed, 0 refused.\n"
    assert len(brevo.members(segment.brevo_list_id)) == 3


def test_several_segments_are_synced_in_the_order_they_are_named(segment, men, run) -> None:
    said = run(COMMAND, "Men", "Women", "--json")

    assert [found["segment_name"] for found in told(said)] == ["Men", "Women"]


def test_all_segments_are_synced(segment, men, run) -> None:
    said = run(COMMAND, "--all", "--json")

    assert [(found["segment_name"], found["added"]) for found in told(said)] == [
        ("Women", 3),
        ("Men", 1),
    ]


def test_all_of_no_segments_is_fine(brevo, run) -> None:
    assert run(COMMAND, "--all", "--json") == ("", "", 0)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["Nobody"], "There is no segment “Nobody”"),
        (["women"], "There is no segment “women”"),
        (["Women", "Nobody"], "There is no segment “Nobody”"),
        (["99999999999999999999999"], "There is no segment"),
        ([], "Name the segments, or say --all."),
        (["Women", "--all"], "Name the segments, or say --all."),
        (["--apply", "999"], "There is no export 999."),
        (["Women", "--apply", "1"], "--apply takes an export alone."),
        (["Women", "--approve"], "--approve goes with --apply EXPORT."),
    ],
)
def test_bad_usage_syncs_nobody_and_exits_with_two(segment, run, arguments, why) -> None:
    said = run(COMMAND, *arguments)

    assert (said.code, said.out, why in said.err) == (2, "", True)
    assert SegmentExport.objects.count() == 0


# What it prints


def test_json_is_one_object_a_segment_and_nothing_else(segment, run) -> None:
    said = run(COMMAND, "Women", "--json")

    (found,) = told(said)
    assert (said.err, said.code, list(found)) == ("", 0, KEYS)
    assert found == {
        "segment_id": segment.pk,
        "segment_name": "Women",
        "brevo_list_id": segment.brevo_list_id,
        "status": "SUCCESS",
        "users_count": 3,
        "added": 3,
        "updated": 0,
        "removed": 0,
        "failed": 0,
        "error_message": "",
        "export_id": SegmentExport.objects.get().pk,
        "notes": [],
    }


def test_progress_goes_line_by_line_to_the_error_stream(segment, run) -> None:
    said = run(COMMAND, "Women")

    assert said.err.splitlines() == [
        "Women: planning (0 of 0)",
        "Women: preparing the list (0 of 3)",
        "Women: sending (1 of 3)",
        "Women: verifying (3 of 3)",
        "Women: done (3 of 3)",
    ]


# Plan and apply


def test_plan_names_people_and_sends_nothing(brevo, segment, run) -> None:
    User.objects.filter(email_key="ada1@example.com").update(marketing_consent=Consent.OPTED_OUT)
    brevo.clear_requests()

    said = run(COMMAND, "Women", "--plan")

    export = SegmentExport.objects.get()
    first, *lines = said.out.splitlines()
    assert said.code == 0
    assert first == (
        "Women: 2 would join, 0 would leave, 0 changed, 1 held back. "
        f"Apply it with: manage.py sync_segment --apply {export.pk}"
    )
    assert lines == [
        "  ada1@example.com held back (opted out of marketing)",
        "  ada0@example.com joins",
        "  ada2@example.com joins",
    ]
    assert {method for method, _, _ in brevo.requests} == {"GET"}


def test_long_plan_names_fifty_and_counts_the_others(segment, run) -> None:
    User.objects.bulk_create(
        User(email=f"u{number}@example.com", gender="FEMALE") for number in range(60)
    )

    lines = run(COMMAND, "Women", "--plan").out.splitlines()

    assert (len(lines), lines[-1]) == (52, "  … and 13 more")


def test_plan_is_applied_by_its_number(brevo, segment, run) -> None:
    run(COMMAND, "Women", "--plan")

    said = run(COMMAND, "--apply", str(SegmentExport.objects.get().pk), "--json")

    (found,) = told(said)
    assert (said.code, found["status"], found["added"]) == (0, "SUCCESS", 3)
    assert SegmentExport.objects.count() == 1


def test_plan_that_moved_is_not_applied(brevo, segment, run) -> None:
    run(COMMAND, "Women", "--plan")
    User.objects.filter(email_key="ada1@example.com").delete()

    said = run(COMMAND, "--apply", str(SegmentExport.objects.get().pk))

    assert (said.code, "1 of its lines no longer hold, and 0 are new" in said.out) == (1, True)
    assert brevo.members(segment.brevo_list_id) == set()


def test_plan_that_was_applied_cannot_be_applied_again(segment, run) -> None:
    run(COMMAND, "Women")

    said = run(COMMAND, "--apply", str(SegmentExport.objects.get().pk))

    assert (said.code, said.out, "plan anew" in said.err) == (1, "", True)


def test_plan_that_waits_is_released_by_approving_it(settings, segment, run) -> None:
    User.objects.bulk_create(
        User(email=f"u{number}@example.com", gender="FEMALE") for number in range(60)
    )
    run(COMMAND, "Women")
    User.objects.filter(email__startswith="u").delete()
    waiting = run(COMMAND, "Women", "--json")
    number = str(told(waiting)[0]["export_id"])
    refused = run(COMMAND, "--apply", number)
    approved = run(COMMAND, "--apply", number, "--approve", "--json")

    assert (waiting.code, told(waiting)[0]["status"]) == (3, "WAITING")
    assert (refused.code, "approve it first" in refused.err) == (1, True)
    assert (approved.code, told(approved)[0]["removed"]) == (0, 60)


def test_plan_under_review_is_no_failure_of_the_next_sync(run, segment) -> None:
    User.objects.bulk_create(
        User(email=f"u{number}@example.com", gender="FEMALE") for number in range(60)
    )
    run(COMMAND, "Women")
    User.objects.filter(email__startswith="u").delete()
    number = told(run(COMMAND, "Women", "--json"))[0]["export_id"]

    hourly = run(COMMAND, "Women", "--json")

    assert hourly.code == 3
    assert f"Sync {number} of this segment waits" in told(hourly)[0]["error_message"]


def test_command_says_what_it_waits_for(brevo, run, segment, settings, monkeypatch) -> None:
    monkeypatch.setattr("campaigns.sync.work.Run.pause", lambda run, _: run.beat())
    User.objects.bulk_create(User(email=f"u{n}@example.com", gender="FEMALE") for n in range(30))
    brevo.fault("import-stuck")

    said = run(COMMAND, "Women")

    assert "Women: sending, waits for Brevo to finish import" in said.err
    assert (said.code, "it says “queued”" in said.out) == (1, True)


def test_quiet_command_says_nothing_of_what_went_well(run, segment) -> None:
    said = run(COMMAND, "Women", "--quiet")

    assert (said.code, said.out, said.err) == (0, "", "")


def test_quiet_command_says_what_needs_somebody(brevo, run, segment) -> None:
    brevo.fault("key-revoked@GET /contacts/*")

    said = run(COMMAND, "Women", "--quiet")

    assert (said.code, "Make a new key in Brevo" in said.out) == (1, True)


# What goes wrong


def test_broken_segment_fails_and_the_others_are_synced(segment, men, run) -> None:
    broken = make_segment_unchecked(gender=[])

    said = run(COMMAND, str(broken.pk), "Women", "--json")

    refused, good = told(said)
    assert (said.code, list(refused), good["status"]) == (1, KEYS, "SUCCESS")
    assert (refused["status"], refused["users_count"], refused["export_id"]) == (
        "FAILED",
        None,
        None,
    )
    assert "is broken" in refused["error_message"]


def test_segment_that_is_being_synced_is_no_failure_and_says_by_what(segment, run) -> None:
    export = request_sync(segment)

    said = run(COMMAND, "Women", "--json")

    assert (said.code, f"export {export.pk}" in told(said)[0]["error_message"]) == (3, True)


def test_run_that_died_is_carried_on(segment, run) -> None:
    export = request_sync(segment)
    SegmentExport.objects.filter(pk=export.pk).update(
        status=ExportStatus.RUNNING, lease_owner="the dead", lease_until="2020-01-01T00:00Z"
    )

    (found,) = told(run(COMMAND, "Women", "--json"))

    assert (found["export_id"], found["status"], found["added"]) == (export.pk, "SUCCESS", 3)


def test_whom_brevo_refuses_makes_it_partial_and_exits_with_one(brevo, segment, run) -> None:
    make_user(gender=Gender.FEMALE, email='"ada;lovelace"@example.com')

    said = run(COMMAND, "Women")

    assert said.code == 1
    assert said.out.splitlines() == [
        "Women: Partly done. 4 mailable, 3 added, 0 updated, 0 removed, 1 refused.",
        "  Brevo refused 1 of the people: each line says why.",
    ]


@pytest.mark.parametrize("arguments", [["--json"], ["--plan"], []])
def test_missing_key_exits_with_two_and_names_the_variable(
    settings, segment, run, arguments
) -> None:
    settings.BREVO_API_KEY = ""

    said = run(COMMAND, "Women", *arguments)

    assert (said.code, said.out, "BREVO_API_KEY" in said.err) == (2, "", True)


@pytest.mark.parametrize(
    ("broken", "remedy"),
    [
        ({"BREVO_API_KEY": "wrong"}, "Make a new key in Brevo"),
        ({"BREVO_API_URL": "http://127.0.0.1:9"}, "Brevo cannot be reached"),
    ],
)
def test_brevo_that_cannot_be_used_fails_the_run_and_says_what_to_do(
    settings, segment, run, broken, remedy
) -> None:
    run_export(request_sync(segment).pk)
    for name, value in broken.items():
        setattr(settings, name, value)

    said = run(COMMAND, "Women", "--json")

    (found,) = told(said)
    assert (said.code, found["status"], remedy in found["error_message"]) == (1, "FAILED", True)
    assert found["brevo_list_id"] == segment.brevo_list_id


# As a process


@pytest.mark.django_db(transaction=True)
def test_process_exits_as_it_says_and_writes_nothing_but_json(brevo, segment) -> None:
    make_segment(name="Lost", brevo_list_id=77)

    def process(*words: str, **extra: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            manage(COMMAND, *words),
            env=environment(**extra),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    good = process("Women", "--json")
    bad = process("Nobody")
    keyless = process("Women", BREVO_API_KEY="")

    assert (good.returncode, json.loads(good.stdout)["added"], good.stderr) == (0, 3, "")
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.strip() == (
        "CommandError: There is no segment “Nobody”: give an id or the exact name."
    )
    assert (keyless.returncode, "BREVO_API_KEY" in keyless.stderr) == (2, True)
