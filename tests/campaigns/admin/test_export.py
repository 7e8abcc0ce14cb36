from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Consent, Gender
from campaigns.admin.sync_words import duration, took
from campaigns.enums import ExportStatus
from campaigns.models import SegmentExport
from tests.campaigns.admin.sync_steps import (
    make_export,
    page_of,
    text,
)
from tests.factories import (
    make_admin,
    make_agent,
    make_manager,
    make_segment,
    make_user,
)

pytestmark = pytest.mark.django_db

HISTORY = "admin:campaigns_segmentexport_changelist"


# Who may


@pytest.mark.parametrize("page", ["change", "csv", "compare"])
def test_pages_of_a_run_ask_for_the_permission_to_view(settings, client, manager, page) -> None:
    export = make_export()
    settings.ROLE_PERMISSIONS = {"MANAGER": ["campaigns.view_segment"]}

    assert client.get(page_of(export, page)).status_code == 403
    assert client.get(reverse(HISTORY)).status_code == 403


@pytest.mark.parametrize("make", [make_user, make_agent])
def test_clients_and_agents_see_no_run(client, make) -> None:
    client.force_login(make())

    assert client.get(page_of(make_export())).url.startswith(reverse("admin:login"))


@pytest.mark.parametrize("make", [make_manager, make_admin])
def test_history_cannot_be_changed_by_anybody(client, make) -> None:
    client.force_login(make())
    export = make_export()

    assert client.post(page_of(export), {"status": "FAILED"}).status_code == 405
    assert client.get(page_of(export, "delete")).status_code == 403
    assert client.get(reverse("admin:campaigns_segmentexport_add")).status_code == 403
    assert SegmentExport.objects.get().status == ExportStatus.SUCCESS


@pytest.mark.parametrize("wrong", ["999", "nonsense", "9" * 30])
def test_run_that_does_not_exist_is_not_found(client, manager, wrong) -> None:
    url = reverse("admin:campaigns_segmentexport_change", args=[wrong])

    assert client.get(url).status_code == 404


# The history


def test_history_says_who_when_what_and_how_it_ended(client, manager) -> None:
    make_export(
        exported_by=manager,
        users_count=1200,
        added=38,
        failed=2,
        status=ExportStatus.PARTIAL,
        started_at=timezone.now() - timedelta(seconds=75),
        finished_at=timezone.now(),
    )

    page = text(client.get(reverse(HISTORY)))

    for expected in ("Women", "Mary Manager", "Partly done", "1,200", "38 added, 2 refused"):
        assert expected in page
    assert "1 min 15 s" in page


def test_history_names_a_stalled_run(client, manager) -> None:
    make_export(status=ExportStatus.RUNNING, lease_until=timezone.now() - timedelta(minutes=1))

    assert "Stalled" in text(client.get(reverse(HISTORY)))


def test_history_does_not_take_an_unknown_plan_for_an_empty_one(client, manager) -> None:
    make_export(status=ExportStatus.QUEUED, planned_at=None)

    assert "not known yet" in text(client.get(reverse(HISTORY)))


def test_page_of_a_run_that_failed_early_does_not_promise_to_read_the_segment(
    client, manager
) -> None:
    early = make_export(status=ExportStatus.FAILED, planned_at=None)
    waiting = make_export(status=ExportStatus.QUEUED, planned_at=None)

    assert "unknown: the run ended before it was read" in text(client.get(page_of(early)))
    assert "Not read yet" in text(client.get(page_of(waiting)))


@pytest.mark.parametrize("number", [1, 20])
def test_history_costs_the_same_for_one_run_and_for_twenty(
    client, manager, django_assert_max_num_queries, number
) -> None:
    for i in range(number):
        make_export(exported_by=make_manager(), segment=make_segment(name=f"Segment {i}"))

    with django_assert_max_num_queries(7):
        assert client.get(reverse(HISTORY)).status_code == 200


def names(client, **asked) -> set[str]:
    results = client.get(reverse(HISTORY), asked).context["cl"].result_list
    return {export.segment_name for export in results}


def test_history_is_searched_by_the_segments_name(client, manager) -> None:
    make_export(segment_name="Lagos")
    make_export(segment_name="Abuja")

    assert names(client, q="lag") == {"Lagos"}


def test_history_is_filtered_by_state_segment_and_person(client, manager) -> None:
    segment, other = make_segment(name="Lagos"), make_manager()
    make_export(segment_name="Lagos", segment=segment, exported_by=manager)
    make_export(segment_name="Abuja", status=ExportStatus.FAILED, exported_by=other)

    assert names(client, status__exact="FAILED") == {"Abuja"}
    assert names(client, segment__id__exact=segment.pk) == {"Lagos"}
    assert names(client, by=other.pk) == {"Abuja"}
    assert names(client, by="nonsense") == set()


def test_history_is_filtered_by_days_both_included(client, manager) -> None:
    for day in (1, 2, 3):
        export = make_export(segment_name=f"Day {day}")
        late = datetime(2026, 5, day, 23, 59, tzinfo=UTC)
        SegmentExport.objects.filter(pk=export.pk).update(exported_at=late)

    days = {"exported_at_from": "2026-05-02", "exported_at_to": "2026-05-02"}
    assert names(client, **days) == {"Day 2"}


@pytest.mark.parametrize("end", ["from", "to"])
@pytest.mark.parametrize("wrong", ["2026-99-99", "soon", "2026-02-30", "<b>"])
def test_history_filtered_by_what_is_no_day_shows_nothing_and_says_so(
    client, manager, end, wrong
) -> None:
    make_export()
    response = client.get(reverse(HISTORY), {f"exported_at_{end}": wrong})

    assert list(response.context["cl"].result_list) == []
    (told,) = map(str, response.context["messages"])
    assert f"has no choice “{wrong}”: nothing is shown" in told


@pytest.mark.parametrize(
    "asked",
    [{"kind": "JION"}, {"outcome": "done"}, {"kind": "JOIN", "outcome": "x"}, {"q": "ada " * 11}],
)
def test_lines_asked_for_by_what_is_unknown_are_none_and_the_page_says_so(
    client, manager, synced, asked
) -> None:
    make_user(gender=Gender.FEMALE, first_name="Ada")
    export = synced()
    assert client.get(page_of(export)).context["page"].lines

    response = client.get(page_of(export), asked)
    assert not response.context["page"].lines
    assert len(response.context["messages"]) == 1
    sent = client.get(page_of(export, "csv"), asked)
    assert len(b"".join(sent.streaming_content).splitlines()) == 1


# The page of a run


def test_page_says_what_the_segment_asked_and_what_it_found(client, manager, synced) -> None:
    make_user(gender=Gender.FEMALE)
    make_user(gender=Gender.FEMALE, marketing_consent=Consent.OPTED_OUT)

    page = text(client.get(page_of(synced())))

    assert "Customers who are women." in page
    assert "opted out of marketing" in page
    assert "<dt>Audience</dt><dd>2</dd>" in page
    assert "<dt>Mailable</dt><dd>1</dd>" in page


def test_counts_nobody_knows_are_unknown_and_not_zero(client, manager) -> None:
    page = text(client.get(page_of(make_export(status=ExportStatus.FAILED, planned_at=None))))

    assert "<dt>Audience</dt><dd>unknown</dd>" in page
    assert "The run ended before it made a plan." in page
    assert "sync-tiles" not in page


def test_contacts_that_others_hold_are_named_in_the_proof(
    client, manager, brevo, segment, synced
) -> None:
    make_user(gender=Gender.FEMALE)
    segment.save()
    brevo.put_on_list(segment.brevo_list_id, "by.hand@example.org")

    page = text(client.get(page_of(synced())))

    assert "<li>by.hand@example.org</li>" in page
    assert "Put there by others: left alone: 1" in page


@pytest.mark.parametrize(
    ("level", "holds", "verdict"),
    [
        ("OFF", True, "The list was not read back."),
        ("COUNT", True, "nobody was compared by name"),
        ("FULL", False, "The list is not what it should be."),
    ],
)
def test_proof_claims_no_more_than_it_shows(client, manager, level, holds, verdict) -> None:
    numbers = dict.fromkeys(("on_list", "missing", "unexpected", "held_by_others"))
    at = timezone.now().isoformat()
    proof = {"level": level, "at": at, "expected": 3, "digest": "", "holds": holds, **numbers}

    assert verdict in text(client.get(page_of(make_export(proof=proof))))


def test_cleared_lines_are_explained(client, manager) -> None:
    page = text(client.get(page_of(make_export(joins=5, added=5))))

    assert "kept for 365 days" in page


# How long


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (12, "12 s"), (61, "1 min 1 s"), (3_700, "1 h 1 min")],
)
def test_duration_is_said_with_two_units_at_most(seconds, words) -> None:
    assert duration(seconds) == words


def test_time_that_a_plan_waited_for_a_person_is_not_work() -> None:
    planned = datetime(2026, 5, 1, 12, tzinfo=UTC)
    export = SegmentExport(
        started_at=planned - timedelta(seconds=3),
        planned_at=planned,
        rung_at=planned + timedelta(hours=2),
        finished_at=planned + timedelta(hours=2, seconds=17),
    )

    assert took(export) == "20 s"


def test_client_without_a_session_is_sent_to_the_login() -> None:
    assert Client().get(reverse(HISTORY)).url.startswith(reverse("admin:login"))
