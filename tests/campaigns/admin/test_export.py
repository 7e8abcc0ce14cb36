import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Consent, Gender
from accounts.models import User
from campaigns.admin.sync_csv import harmless
from campaigns.admin.sync_lines import PAGE
from campaigns.admin.sync_words import duration, took
from campaigns.enums import ChangeKind, ExportStatus, Outcome
from campaigns.models import ExportChange, Segment, SegmentExport
from campaigns.sync.runs import request_sync, run_export
from tests.factories import (
    make_admin,
    make_agent,
    make_manager,
    make_segment,
    make_segment_unsaved,
    make_user,
)

pytestmark = pytest.mark.django_db

HISTORY = "admin:campaigns_segmentexport_changelist"


def page_of(export: SegmentExport, page: str = "change") -> str:
    return reverse(f"admin:campaigns_segmentexport_{page}", args=[export.pk])


def text(response) -> str:
    return " ".join(response.content.decode().split())


@pytest.fixture
def manager(client) -> User:
    user = make_manager(first_name="Mary", last_name="Manager")
    client.force_login(user)
    return user


@pytest.fixture
def segment() -> Segment:
    return make_segment_unsaved(name="Women", gender=[Gender.FEMALE.value])


@pytest.fixture
def synced(brevo, segment):
    """Return a function that syncs the segment once."""

    def sync() -> SegmentExport:
        segment.save()
        return run_export(request_sync(segment).pk)

    return sync


def make_export(**fields) -> SegmentExport:
    given = {"segment_name": "Women", "status": ExportStatus.SUCCESS, "planned_at": timezone.now()}
    return SegmentExport.objects.create(**(given | fields))


def make_lines(export: SegmentExport, number: int, **fields) -> None:
    given = {"kind": ChangeKind.JOIN, "outcome": Outcome.DONE}
    ExportChange.objects.bulk_create(
        ExportChange(**({"export": export, "email": f"p{i:03}@example.com"} | given | fields))
        for i in range(number)
    )


def shown(response) -> list[str]:
    return [line.email for line in response.context["page"].lines]


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
    assert names(client, by="nonsense") == {"Lagos", "Abuja"}


def test_history_is_filtered_by_days_both_included(client, manager) -> None:
    for day in (1, 2, 3):
        export = make_export(segment_name=f"Day {day}")
        late = datetime(2026, 5, day, 23, 59, tzinfo=UTC)
        SegmentExport.objects.filter(pk=export.pk).update(exported_at=late)

    days = {"exported_at_from": "2026-05-02", "exported_at_to": "2026-05-02"}
    assert names(client, **days) == {"Day 2"}
    assert len(names(client, exported_at_from="2026-99-99", exported_at_to="soon")) == 3


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


def test_line_of_a_deleted_person_is_still_there(client, manager) -> None:
    export, person = make_export(), make_user(email="gone@example.com")
    make_lines(export, 1, email="gone@example.com", user_id=person.pk)
    person.delete()

    page = text(client.get(page_of(export)))

    assert "gone@example.com" in page
    assert "deleted person" in page


def test_cleared_lines_are_explained(client, manager) -> None:
    page = text(client.get(page_of(make_export(joins=5, added=5))))

    assert "kept for 365 days" in page


@pytest.mark.parametrize("number", [1, 40])
def test_page_costs_the_same_for_one_person_and_for_forty(
    client, manager, django_assert_max_num_queries, number
) -> None:
    export = make_export(definition={"match": "ALL", "gender": ["FEMALE"]})
    for _ in range(number):
        person = make_user(first_name="Ada")
        make_lines(export, 1, email=person.email, user_id=person.pk)

    with django_assert_max_num_queries(8):
        assert len(shown(client.get(page_of(export)))) == number


def test_people_are_found_by_address_and_by_name(client, manager) -> None:
    export = make_export()
    ada = make_user(first_name="Ada", last_name="Lovelace", email="countess@example.com")
    make_lines(export, 1, email=ada.email, user_id=ada.pk)
    make_lines(export, 3)

    for words in ("COUNTESS", "ada love", "lovelace ada"):
        assert shown(client.get(page_of(export), {"q": words})) == [ada.email]
    assert shown(client.get(page_of(export), {"q": "ada nobody"})) == []


def test_people_are_filtered_by_kind_and_outcome(client, manager) -> None:
    export = make_export()
    make_lines(export, 1, email="joins@example.com")
    make_lines(export, 1, email="leaves@example.com", kind=ChangeKind.LEAVE)
    make_lines(export, 1, email="refused@example.com", outcome=Outcome.REFUSED)

    asked = client.get(page_of(export), {"kind": "LEAVE"})
    assert shown(asked) == ["leaves@example.com"]
    assert 'aria-current="true"' in text(asked)
    assert shown(client.get(page_of(export), {"outcome": "REFUSED"})) == ["refused@example.com"]
    assert len(shown(client.get(page_of(export), {"kind": "X", "outcome": "Y"}))) == 3


def test_nobody_fitting_says_what_to_do(client, manager) -> None:
    export = make_export()
    make_lines(export, 1)

    assert "Nobody fits" in text(client.get(page_of(export), {"q": "xyz"}))


def test_paging_forth_and_back_shows_everybody_once_across_kinds(client, manager) -> None:
    export = make_export()
    make_lines(export, PAGE - 10, kind=ChangeKind.LEAVE)
    make_lines(export, PAGE + 20, kind=ChangeKind.JOIN)
    make_lines(export, 5, kind=ChangeKind.HELD_BACK)
    pages, address = [], "?"
    while address:
        response = client.get(page_of(export) + address)
        pages.append([line.pk for line in response.context["page"].lines])
        address, last = response.context["page"].next, address

    seen = [pk for page in pages for pk in page]
    assert [len(page) for page in pages] == [PAGE, PAGE, 15]
    assert len(set(seen)) == 2 * PAGE + 15
    back = client.get(page_of(export) + last).context["page"].previous
    response = client.get(page_of(export) + back)
    assert [line.pk for line in response.context["page"].lines] == pages[1]
    first = client.get(page_of(export) + response.context["page"].previous)
    assert [line.pk for line in first.context["page"].lines] == pages[0]
    assert first.context["page"].previous == ""


@pytest.mark.parametrize("cursor", ["nonsense", "JOIN-", "JOIN-x", "X-1", "JOIN-" + "9" * 40])
def test_cursor_that_makes_no_sense_shows_the_first_page(client, manager, cursor) -> None:
    export = make_export()
    make_lines(export, 2)

    assert len(shown(client.get(page_of(export), {"after": cursor}))) == 2


def test_page_of_a_plan_shows_no_outcome(client, manager) -> None:
    export = make_export(status=ExportStatus.PLANNED)
    make_lines(export, 1, outcome=Outcome.PENDING)

    page = text(client.get(page_of(export)))

    assert "Who would be touched" in page
    assert "Not attempted yet" not in page


# CSV


def rows(response) -> list[list[str]]:
    told = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(told)))


def test_csv_holds_everybody_that_the_page_would_show(client, manager) -> None:
    export = make_export()
    make_lines(export, PAGE + 7)
    make_lines(export, 1, email="leaves@example.com", kind=ChangeKind.LEAVE)

    response = client.get(page_of(export, "csv"), {"kind": "JOIN"})

    header, *lines = rows(response)
    assert header[0] == "e-mail"
    assert len(lines) == PAGE + 7
    assert response["Content-Disposition"] == f'attachment; filename="export-{export.pk}.csv"'


def test_csv_is_no_formula_for_a_spreadsheet(client, manager) -> None:
    export = make_export()
    person = make_user(first_name="=HYPERLINK(1)", last_name="@SUM(A1)")
    make_lines(export, 1, user_id=person.pk, message="+1")

    [_, line] = rows(client.get(page_of(export, "csv")))

    assert line[1:3] == ["'=HYPERLINK(1)", "'@SUM(A1)"]
    assert line[-1] == "'+1"


@pytest.mark.parametrize("value", ["=1", "+1", "-1", "@x", "\tx", "\rx", "\nx"])
def test_text_that_begins_like_a_formula_is_quoted(value) -> None:
    assert harmless(value) == f"'{value}"


@pytest.mark.parametrize("value", ["", "Ada", "a=1", 12])
def test_other_text_is_left_alone(value) -> None:
    assert harmless(value) == str(value)


# Two runs compared


def test_runs_are_compared_with_the_one_before_unless_told_otherwise(
    client, manager, synced
) -> None:
    ada = make_user(gender=Gender.FEMALE, first_name="Ada", email="ada@example.com")
    first = synced()
    make_user(gender=Gender.FEMALE, email="beth@example.com")
    second = synced()
    User.objects.filter(pk=ada.pk).update(is_active=False)
    third = synced()

    came = client.get(page_of(second, "compare"))
    went = client.get(page_of(third, "compare"), {"with": first.pk, "side": "left"})

    assert came.context["chosen"] == first
    assert "beth@example.com" in text(came)
    assert (came.context["joined_count"], came.context["left_count"]) == (1, 0)
    assert "ada@example.com" in text(went)
    assert "data changed" in text(went)


def test_comparison_opens_on_whoever_left_when_nobody_joined(client, manager, synced) -> None:
    ada = make_user(gender=Gender.FEMALE, email="ada@example.com")
    synced()
    User.objects.filter(pk=ada.pk).update(is_active=False)

    response = client.get(page_of(synced(), "compare"))

    assert response.context["side"] == "left"
    assert "ada@example.com" in text(response)


def test_changed_definition_is_shown_with_both_in_words(client, manager, segment, synced) -> None:
    first = synced()
    segment.gender = [Gender.MALE.value]
    second = synced()

    page = text(client.get(page_of(second, "compare"), {"with": first.pk}))

    assert "The definition changed." in page
    assert "Customers who are women." in page
    assert "Customers who are men." in page


def test_only_run_of_a_segment_has_nothing_to_be_compared_with(client, manager, synced) -> None:
    assert "Nothing to compare with" in text(client.get(page_of(synced(), "compare")))


def test_run_of_a_deleted_segment_has_nothing_to_be_compared_with(client, manager) -> None:
    page = text(client.get(page_of(make_export(), "compare")))

    assert "The segment was deleted" in page


def test_difference_is_paged(client, manager, synced) -> None:
    first = synced()
    for _ in range(PAGE + 3):
        make_user(gender=Gender.FEMALE)
    second = synced()

    one = client.get(page_of(second, "compare"), {"with": first.pk})
    two = client.get(page_of(second, "compare"), {"with": first.pk, "after": one.context["next"]})

    assert (len(one.context["moves"]), len(two.context["moves"])) == (PAGE, 3)
    assert "First page" in text(two)


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
