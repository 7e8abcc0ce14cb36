"""No value in an address or a form, however odd, ends in a fault of ours."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client
from django.urls import reverse

from accounts.reading import day_begins, moment, whole_number
from campaigns.models import Segment, SegmentExport
from campaigns.models.flat import FLAT_NAMES
from sandbox.brevo.server import Sandbox
from tests.campaigns.admin import registry
from tests.factories import make_admin, make_user

pytestmark = pytest.mark.django_db

NULL = "%00"
ODD = [
    NULL,
    "%ED%A0%80",  # half a surrogate pair
    "9" * 30,
    "-9223372036854775809",
    "9" * 5000,
    "%C2%B2",  # a superscript is a digit to isdigit(), and none to int()
    "9999-12-31",
    "0001-01-01T00:00:00%2B05:00",
]
# What the pages of our own read from their address, beside the filters of lists.
ASKED = ("q", "ids", "show", "sort", "after", "before", "term", "with", "why", "since", "kind")


@pytest.fixture
def brevo(settings) -> Iterator[Sandbox]:
    with Sandbox() as server:
        settings.BREVO_API_URL, settings.BREVO_API_KEY = server.url, server.key
        yield server


@pytest.fixture
def boss(client, brevo) -> Client:
    registry.populate()
    client.force_login(make_admin())
    client.raise_request_exception = False
    return client


def faults(client: Client, urls: Iterable[str]) -> list[str]:
    answers = ((url[:150], client.get(url).status_code) for url in urls)
    return [url for url, status in answers if status >= HTTPStatus.INTERNAL_SERVER_ERROR]


def parameters_of(page: registry.Page, boss: Client) -> list[str]:
    shown = boss.get(page.url()).context["cl"]
    named = {name for spec in shown.filter_specs for name in spec.expected_parameters()}
    return sorted(named | {"q", "o", "p", "all", "e", "_to_field", "id__in", "pk"})


@pytest.mark.thorough
def test_every_list_of_the_admin_takes_any_value_of_any_parameter(boss) -> None:
    urls = [
        f"{page.url()}?{name}={value}"
        for page in registry.model_pages("changelist")
        for name in parameters_of(page, boss)
        for value in ODD
    ]
    assert faults(boss, urls) == []


@pytest.mark.thorough
def test_every_page_of_the_admin_takes_any_value_in_its_query(boss) -> None:
    urls = (
        f"{page.url()}?{name}={value}"
        for page in registry.pages()
        for name in ASKED
        for value in ODD
    )
    assert faults(boss, urls) == []


def test_every_page_of_the_admin_takes_any_value_in_its_path(boss) -> None:
    urls = (
        "/".join(value if part.isdigit() else part for part in page.url().split("/"))
        for page in registry.pages()
        if page.parameters
        for value in ODD
    )
    assert faults(boss, urls) == []


def test_every_list_of_the_api_takes_any_value_of_any_parameter(boss) -> None:
    segment, export = Segment.objects.get(), SegmentExport.objects.get()
    of_segment, of_export = f"segments/{segment.pk}/", f"exports/{export.pk}/"
    lists = ["segments/", "exports/", "suppressions/", "criteria/states/choices/"]
    lists += [f"{of_segment}{name}" for name in ("exports/", "members/", "preview/", "preview.csv")]
    lists += [f"{of_export}{name}" for name in ("changes/", "compare/", "changes.csv")]
    names = ["search", "ordering", "page", "page_size", "cursor", "format", "at", "against", "side"]
    names += ["created_by", "match", "state", "segment", "exported_by", "status", "plan_only"]
    names += ["kind", "outcome", "reason", *FLAT_NAMES]
    urls = (
        f"/api/campaigns/{path}?{name}={value}" for path in lists for name in names for value in ODD
    )
    assert faults(boss, urls) == []


def test_null_in_the_query_of_any_page_of_the_admin_is_refused(boss) -> None:
    pages = [page for page in registry.pages() if page.name != "logout"]
    answers = {page.name: boss.get(f"{page.url()}?q=a{NULL}b").status_code for page in pages}

    assert {name for name, status in answers.items() if status != HTTPStatus.BAD_REQUEST} == set()


def test_null_in_a_form_is_refused_and_the_page_says_that_nothing_was_changed(boss) -> None:
    user = make_user()

    answer = boss.post(
        reverse("admin:accounts_user_change", args=[user.pk]), {"first_name": "a\0b"}
    )

    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert "Nothing was changed." in answer.content.decode()


@pytest.mark.parametrize(
    "path",
    [
        "accounts/user/?id__in=1,9223372036854775808",
        "properties/enrollment/?agent__id__exact=9223372036854775808",
        "properties/enrollment/?enrolled_at__gt=0001-01-01T00:00:00%2B05:00",
        "campaigns/segmentexport/?by=999999999999999999999999999999",
        "campaigns/segmentexport/?exported_at_from=0001-01-01&exported_at_to=9999-12-31",
        "campaigns/segment/?creator=" + "9" * 5000,
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def test_list_with_a_filter_that_no_column_holds_is_shown_or_refused(
    boss, settings, path, zone
) -> None:
    settings.TIME_ZONE = zone

    assert boss.get(f"/admin/{path}").status_code in {HTTPStatus.OK, HTTPStatus.FOUND}


def test_action_for_an_id_that_is_none_does_nothing_and_says_so(boss) -> None:
    url = reverse("admin:accounts_user_changelist")
    chosen = {"action": "delete_selected", ACTION_CHECKBOX_NAME: ["1", "9" * 30], "index": "0"}

    answer = boss.post(url, chosen, follow=True)

    assert "Nothing was done: choose rows of the list." in answer.content.decode()


def test_numbers_and_moments_are_read_or_none() -> None:
    assert whole_number("٠١٢") == 12
    assert [whole_number(text) for text in ("", "-1", "²", "9" * 19, "1.5")] == [None] * 5
    assert moment("2026-01-01T00:00:00+01:00").isoformat() == "2025-12-31T23:00:00+00:00"
    assert [moment(text) for text in ("", "2026-01-01T00:00", "x")] == [None] * 3
    assert day_begins("x") is day_begins("2026-02-30") is None


def _deep(levels: int) -> str:
    return "[" * levels + "]" * levels


@pytest.mark.parametrize("levels", [60, 900, 990, 100_000])
@pytest.mark.parametrize("key", [{}, {"HTTP_IDEMPOTENCY_KEY": "once"}])
def test_body_that_is_nested_deeply_is_refused_by_every_kind_of_call(boss, levels, key) -> None:
    segment = Segment.objects.get()
    bodies = [_deep(levels), f'{{"name": "x", "genders": {_deep(levels)}}}', '{"a":' * levels]
    calls = [
        (boss.post, "/api/campaigns/segments/"),
        (boss.patch, f"/api/campaigns/segments/{segment.pk}/"),
        (boss.post, "/api/campaigns/segments/preview/"),
        (boss.post, "/api/token/"),
    ]
    for body in bodies:
        for call, path in calls:
            answer = call(path, body, content_type="application/json", **key)
            assert answer.status_code == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("levels", [60, 990, 5_000])
def test_form_of_the_api_with_a_value_that_is_nested_deeply_is_refused(boss, levels) -> None:
    answer = boss.post("/api/campaigns/segments/", {"name": "x", "genders": _deep(levels)})

    assert answer.status_code == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize(
    "path",
    [
        "accounts/user/add/",
        "accounts/partnership/add/",
        "properties/enrollment/add/",
        "properties/lead/add/",
    ],
)
@pytest.mark.parametrize("odd", [" ", "x", "9" * 30, "9" * 5000, "²", "-1", "1.5", "\u200b"])
def test_form_that_names_a_row_by_what_is_no_id_is_shown_again(boss, path, odd) -> None:
    names = ("user", "property", "agent", "client", "closed_by", "partner", "referred_by_partner")
    answer = boss.post(f"/admin/{path}", dict.fromkeys(names, odd))

    assert answer.status_code == HTTPStatus.OK


@pytest.mark.parametrize("odd", ["x", "9" * 30])
def test_person_referred_by_what_is_no_id_is_shown_again(boss, odd) -> None:
    url = reverse("admin:accounts_user_change", args=[make_user().pk])

    assert boss.post(url, {"referred_by_partner": odd}).status_code == HTTPStatus.OK
