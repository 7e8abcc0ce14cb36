import json

import pytest

from accounts.enums import Gender
from accounts.models import User
from campaigns.brevo import BrevoClient
from campaigns.enums import ExportStatus
from campaigns.models import Segment, SegmentExport
from campaigns.sync.runs import request_sync, run_export
from tests.factories import make_segment, make_segment_unchecked, make_user

pytestmark = pytest.mark.django_db

COMMAND = "verify_segment"


@pytest.fixture
def segment(brevo) -> Segment:
    for number in range(3):
        make_user(gender=Gender.FEMALE, email=f"ada{number}@example.com")
    segment = make_segment(name="Women", brevo_list_id=None)
    run_export(request_sync(segment).pk)
    return segment


@pytest.fixture
def client(brevo) -> BrevoClient:
    return BrevoClient(brevo.key, base_url=brevo.url, requests_per_second=1000)


def told(run, *arguments) -> dict[str, object]:
    found = run(COMMAND, "Women", "--json", *arguments)
    return {**json.loads(found.out), "code": found.code}


def test_nothing_moved_after_a_sync(brevo, segment, run) -> None:
    brevo.clear_requests()

    said = run(COMMAND, "Women")

    assert said.code == 0
    assert said.out.splitlines() == [
        "Women: the list has not moved: 3 on it, 3 by our ledger.",
        "Women: the segment has not moved.",
    ]
    assert {method for method, _, _ in brevo.requests} == {"GET"}


def test_people_who_came_and_went_are_named(segment, run) -> None:
    make_user(gender=Gender.FEMALE, email="grace@example.com")
    User.objects.filter(email_key="ada0@example.com").delete()
    User.objects.filter(email_key="ada1@example.com").update(first_name="Augusta")

    said = run(COMMAND, str(segment.pk))

    plan = SegmentExport.objects.first()
    assert said.code == 1
    assert said.out.splitlines() == [
        "Women: the list has not moved: 3 on it, 3 by our ledger.",
        "Women: the segment moved.",
        "  1 would join: grace@example.com",
        "  1 would leave: ada0@example.com",
        "  1 have changed data: ada1@example.com",
        f"  Apply it with: manage.py sync_segment --apply {plan.pk}",
    ]
    assert plan.status == ExportStatus.PLANNED


def test_contact_that_was_taken_off_the_list_at_brevo_is_named(segment, client, run) -> None:
    client.remove_from_list(segment.brevo_list_id, ["ada2@example.com"])

    said = run(COMMAND, "Women")

    assert said.code == 1
    assert said.out.splitlines()[:2] == [
        "Women: the list moved: 2 on it, 3 by our ledger.",
        "  1 should be on it and are not: ada2@example.com",
    ]


def test_contact_that_came_back_after_we_took_it_off_is_named(brevo, segment, run) -> None:
    User.objects.filter(email_key="ada0@example.com").delete()
    run_export(request_sync(segment).pk)
    brevo.put_on_list(segment.brevo_list_id, "ada0@example.com")

    found = told(run)

    assert found["list"]["names"]["unexpected"] == ["ada0@example.com"]
    assert (found["moved"], found["code"]) == (True, 1)


def test_contact_put_there_by_others_moves_the_list_until_the_next_sync(
    brevo, segment, run
) -> None:
    brevo.put_on_list(segment.brevo_list_id, "by.hand@example.org")

    before = told(run)
    run_export(request_sync(segment).pk)
    after = told(run)

    assert (before["list"]["moved"], before["code"]) == (True, 1)
    assert before["list"]["names"]["held_by_others"] == ["by.hand@example.org"]
    assert (after["list"]["moved"], after["code"]) == (False, 0)


def test_contact_with_another_address_at_brevo_is_named(brevo, segment, run) -> None:
    brevo.correct_address("ada2@example.com", "ada.new@example.com")
    corrected = "ada2@example.com → ada.new@example.com"

    said = run(COMMAND, "Women")

    assert said.out.splitlines()[:2] == [
        "Women: the list moved: 3 on it, 3 by our ledger.",
        f"  1 have another address at Brevo: correct it here or there: {corrected}",
    ]


def test_counting_sees_a_list_that_shrank_without_naming_anybody(segment, client, run) -> None:
    assert told(run, "--level", "count")["moved"] is False
    client.remove_from_list(segment.brevo_list_id, ["ada2@example.com"])

    found = told(run, "--level", "count")

    assert found["moved"] is True
    assert (found["list"]["on_list"], found["list"]["names"]) == (2, {})


def test_counts_of_two_runs_are_compared_when_both_only_counted(
    settings, brevo, segment, run
) -> None:
    settings.CAMPAIGNS_VERIFY_UP_TO = 0
    run_export(request_sync(segment).pk)
    brevo.put_on_list(segment.brevo_list_id, "by.hand@example.org")

    assert told(run)["list"]["moved"] is True


def test_list_that_is_gone_moved(segment, client, run) -> None:
    client.delete_list(segment.brevo_list_id)

    said = run(COMMAND, "Women")

    assert said.code == 1
    assert said.out.splitlines()[:2] == [
        "Women: the list is gone from Brevo, a sync makes a new one: 0 on it, 3 by our ledger.",
        "  3 should be on it and are not",
    ]
    assert told(run)["list"]["gone"] is True


def test_list_that_is_gone_moved_even_when_nobody_was_on_it(brevo, client, run) -> None:
    client.delete_list(make_segment(name="Women", brevo_list_id=None).brevo_list_id)

    assert told(run)["list"]["moved"] is True


def test_twenty_are_named_and_the_others_counted(segment, run) -> None:
    for number in range(25):
        make_user(gender=Gender.FEMALE, email=f"new{number:02}@example.com")

    said = run(COMMAND, "Women")

    assert "  25 would join: new00@example.com, " in said.out
    assert said.out.count("new") == 20
    assert " and 5 more\n" in said.out


def test_segment_that_was_never_synced_moved(brevo, run) -> None:
    make_user(gender=Gender.FEMALE)
    make_segment(name="Women", brevo_list_id=None)

    found = told(run)

    assert (found["list"]["moved"], found["segment"]["JOIN"], found["code"]) == (False, 1, 1)


def test_broken_segment_is_not_known_and_the_others_are_told(segment, run) -> None:
    Segment.objects.filter(pk=make_segment_unchecked(gender=[]).pk).update(name="Lost")

    said = run(COMMAND, "--all")

    assert said.code == 1
    assert "Lost: not known. Segment “Lost” is broken" in said.out
    assert "Women: the segment has not moved." in said.out


def test_brevo_out_of_order_is_not_known(monkeypatch, brevo, segment, run) -> None:
    monkeypatch.setattr(BrevoClient, "LONGEST_BACKOFF", 0.0)
    brevo.fault("html@GET /contacts/lists/*")

    found = told(run)

    assert (found["moved"], found["code"]) == (None, 1)
    assert "cannot be read" in found["error_message"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["Nobody"], "There is no segment “Nobody”"),
        (["99999999999999999999999"], "There is no segment"),
        ([], "Name the segments, or say --all."),
        (["1", "--all"], "Name the segments, or say --all."),
    ],
)
def test_bad_usage_is_one_sentence(run, arguments, why) -> None:
    said = run(COMMAND, *arguments)

    assert (said.code, said.out) == (2, "")
    assert why in said.err


@pytest.mark.parametrize("key", ["", "wrong"])
def test_unusable_key_is_one_sentence(settings, segment, run, key) -> None:
    settings.BREVO_API_KEY = key

    said = run(COMMAND, "Women")

    assert (said.code, said.out) == (2, "")
    assert "BREVO_API_KEY" in said.err
