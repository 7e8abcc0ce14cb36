"""The list of segments: what its rows tell, how it is narrowed down, what it may cost."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from campaigns.admin.segment_columns import sparkline
from campaigns.admin.segment_rows import RUNS_SHOWN, rows_of
from campaigns.enums import ExportStatus
from campaigns.models import Segment, SegmentExport
from tests.factories import make_manager, make_property, make_segment, make_user

pytestmark = pytest.mark.django_db
LIST = "admin:campaigns_segment_changelist"


@pytest.fixture
def manager_client(client: Client) -> Client:
    client.force_login(make_manager())
    return client


def make_listed(**fields) -> Segment:
    return make_segment(**{"brevo_list_id": Segment.objects.count() + 1} | fields)


def make_run(segment: Segment, status=ExportStatus.SUCCESS, **fields) -> SegmentExport:
    facts = {"definition": segment.definition, "segment_name": segment.name} | fields
    return SegmentExport.objects.create(segment=segment, status=status, **facts)


def page(client: Client, **query) -> str:
    response = client.get(reverse(LIST), query)
    assert response.status_code == 200
    return response.content.decode()


def names(client: Client, **query) -> list[str]:
    return [segment.name for segment in client.get(reverse(LIST), query).context["cl"].result_list]


def test_a_segment_never_counted_is_of_unknown_size_not_zero(manager_client) -> None:
    make_listed()
    shown = page(manager_client)
    assert "never counted" in shown
    assert '<span class="seg-unknown">unknown</span>' in shown


def test_a_counted_segment_shows_its_sizes_with_their_age(manager_client) -> None:
    counted_at = timezone.now() - timedelta(hours=3)
    make_listed(audience_size=1204, mailable_size=1100, counted_at=counted_at)
    shown = page(manager_client)
    assert "1,204" in shown
    assert "1,100 mailable, counted 3\xa0hours ago" in shown


def count(client: Client, segment: Segment) -> str:
    response = client.post(reverse("admin:campaigns_segment_count", args=[segment.pk]))
    assert response.status_code == 200
    return response.content.decode()


def test_a_row_is_counted_by_itself_when_somebody_asks(manager_client) -> None:
    make_user(country="NG")
    segment = make_listed(countries=["NG"])
    assert reverse("admin:campaigns_segment_count", args=[segment.pk]) in page(manager_client)
    shown = count(manager_client, segment)
    assert '<strong class="seg-number">1</strong>' in shown
    assert "1 mailable, counted now" in shown
    segment.refresh_from_db()
    assert segment.audience_size == 1


def test_a_row_that_cannot_be_counted_says_so_and_keeps_what_was_known(manager_client) -> None:
    gone = make_property()
    sizes = {"audience_size": 7, "mailable_size": 6, "counted_at": timezone.now()}
    segment = make_listed(properties=[gone.pk], **sizes)
    gone.delete()
    shown = count(manager_client, segment)
    assert "Not counted" in shown
    assert '<strong class="seg-number">7</strong>' in shown


def test_the_list_holds_what_the_last_run_that_changed_it_left(manager_client) -> None:
    segment = make_listed()
    make_run(segment, list_count_before=100, added=20, removed=5)
    make_run(segment, ExportStatus.PLANNED)
    assert rows_of([segment])[segment.pk].listed[0] == 115


def test_the_list_is_unknown_when_no_run_tells(manager_client) -> None:
    segment = make_listed()
    make_run(segment, ExportStatus.FAILED)
    assert rows_of([segment])[segment.pk].listed is None


def test_the_trend_is_of_the_last_runs_of_each_segment_the_oldest_first() -> None:
    first, second = make_listed(), make_listed()
    for count in range(RUNS_SHOWN + 3):
        make_run(first, users_count=count)
        make_run(second, users_count=100 + count)
    rows = rows_of([first, second])
    assert rows[first.pk].trend == list(range(3, RUNS_SHOWN + 3))
    assert rows[second.pk].trend[-1] == 100 + RUNS_SHOWN + 2


def test_a_trend_of_one_run_is_no_line() -> None:
    assert sparkline([5]) == ""


def test_a_steady_trend_is_a_line_within_the_picture() -> None:
    assert 'points="0.0,18.0 36.0,18.0 72.0,18.0"' in sparkline([7, 7, 7])


@pytest.mark.parametrize(
    ("status", "step"),
    [
        (ExportStatus.QUEUED, "Watch the run"),
        (ExportStatus.PLANNED, "Look at the plan"),
        (ExportStatus.WAITING, "Approve the plan"),
        (ExportStatus.PARTIAL, "See who was refused"),
        (ExportStatus.FAILED, "See what failed"),
        (ExportStatus.SUCCESS, "Sync"),
    ],
)
def test_the_next_step_follows_from_the_last_run(status, step) -> None:
    segment = make_listed()
    make_run(segment, status)
    assert rows_of([segment])[segment.pk].next_step.words == step


def test_the_next_step_of_a_segment_never_synced_is_its_first_sync() -> None:
    segment = make_listed()
    assert rows_of([segment])[segment.pk].next_step.words == "Sync for the first time"


def test_the_next_step_after_an_edit_is_to_sync_the_change() -> None:
    segment = make_listed()
    make_run(segment, definition={"match": "ALL", "countries": ["GH"]})
    words = rows_of([segment])[segment.pk].next_step.words
    assert words == "Sync: the criteria have changed"


def test_the_next_step_of_a_broken_segment_is_to_mend_what_vanished(manager_client) -> None:
    home = make_property("Palm")
    make_listed(properties=[home.pk])
    gone = home.pk
    home.delete()
    assert f"Mend: Palm (property {gone}) no longer exists." in page(manager_client)


def test_a_full_page_costs_the_queries_of_a_page_of_one(manager_client) -> None:
    def add() -> None:
        home = make_property()
        segment = make_listed(properties=[home.pk], created_by=make_manager())
        make_run(segment, users_count=3)

    add()
    manager_client.get(reverse(LIST))  # what is cached by the first page is cached
    with CaptureQueriesContext(connection) as one:
        page(manager_client)
    for _ in range(49):
        add()
    with CaptureQueriesContext(connection) as fifty:
        page(manager_client)
    assert len(fifty) == len(one)


def test_the_page_counts_no_audience(manager_client) -> None:
    make_listed()
    with CaptureQueriesContext(connection) as queries:
        page(manager_client)
    of_people = [q["sql"] for q in queries if 'FROM "accounts_user"' in q["sql"]]
    assert not [sql for sql in of_people if "COUNT(" in sql]


def test_search_finds_names_and_descriptions(manager_client) -> None:
    make_listed(name="Summer party")
    make_listed(name="Winter", description="for the party of the year")
    make_listed(name="Spring")
    assert names(manager_client, q="party") == ["Summer party", "Winter"]


def test_filter_by_the_state_of_the_last_run(manager_client) -> None:
    failed, done, _ = make_listed(name="F"), make_listed(name="D"), make_listed(name="N")
    make_run(failed, ExportStatus.SUCCESS)
    make_run(failed, ExportStatus.FAILED)
    make_run(done, ExportStatus.SUCCESS)
    assert names(manager_client, state="FAILED") == ["F"]
    assert names(manager_client, state="SUCCESS") == ["D"]
    assert names(manager_client, state="NEVER") == ["N"]


def test_filter_by_broken(manager_client) -> None:
    home = make_property()
    make_listed(name="Broken", properties=[home.pk])
    make_listed(name="Sound")
    home.delete()
    assert names(manager_client, state="BROKEN") == ["Broken"]


def test_filter_by_a_criterion_that_is_used(manager_client) -> None:
    make_listed(name="Places", countries=["NG"])
    make_listed(name="Women", gender=["FEMALE"])
    assert names(manager_client, criterion="countries") == ["Places"]


def test_filter_by_a_property_even_one_that_is_gone(manager_client) -> None:
    palm, sea = make_property("Palm"), make_property("Sea")
    make_listed(name="Palm people", properties=[palm.pk])
    make_listed(name="Sea people", properties=[sea.pk])
    gone = palm.pk
    palm.delete()
    assert names(manager_client, property=gone) == ["Palm people"]
    assert f"Palm (property {gone}, no longer exists)" in page(manager_client)


def test_filter_by_creator(manager_client) -> None:
    ada = make_manager(first_name="Ada")
    make_listed(name="Hers", created_by=ada)
    make_listed(name="Nobody's")
    assert names(manager_client, creator=ada.pk) == ["Hers"]


def test_a_filter_of_nonsense_shows_nothing(manager_client) -> None:
    make_listed(name="Here")
    make_listed(name="There", created_by=make_manager())
    assert names(manager_client, creator="x", state="z", criterion="w") == []


def run_action(client: Client, action: str, *segments: Segment) -> Any:
    data = {"action": action, "_selected_action": [segment.pk for segment in segments]}
    return client.post(reverse(LIST), data, follow=True)


def test_count_now_keeps_the_sizes_with_their_age(manager_client) -> None:
    make_user(country="NG")
    segment = make_listed(countries=["NG"])
    response = run_action(manager_client, "count_now", segment)
    segment.refresh_from_db()
    assert (segment.audience_size, segment.mailable_size) == (1, 1)
    assert segment.counted_at is not None
    assert "Counted 1 segment." in response.content.decode()


def test_count_now_of_a_broken_segment_stays_unknown_and_says_so(manager_client) -> None:
    home = make_property()
    segment = make_listed(name="Palm", properties=[home.pk])
    home.delete()
    response = run_action(manager_client, "count_now", segment)
    segment.refresh_from_db()
    assert segment.audience_size is None
    assert "Not counted" in response.content.decode()
    assert "Palm" in response.content.decode()
