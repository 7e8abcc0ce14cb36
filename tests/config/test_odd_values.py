"""No value in an address or a form, however odd, ends in a fault of ours."""

from collections.abc import Iterator

import pytest
from django.test import Client

from tests.campaigns.admin import registry
from tests.factories import make_admin

pytestmark = pytest.mark.django_db

DIGITS = "9" * 30
ODD = [
    "%00",
    "a%00b",
    "%ED%A0%80",  # half a surrogate pair
    "%FF%FE",
    DIGITS,
    f"-{DIGITS}",
    "9223372036854775808",
    "9" * 5000,
    "%D9%A1%D9%A2",  # Arabic digits
    "%C2%B2",  # a superscript, which is a digit to isdigit()
    "1.5",
    "1e5",
    "NaN",
    "Infinity",
    "null",
    "-1",
    "0",
    "",
    "%20",
    "x" * 3000,
    "%25s%25(x)s",
    "'\"`;--",
    "\\",
    "%5C%5C%25_",
    "9999-12-31",
    "0001-01-01",
    "10000-01-01",
    "2026-02-30",
    "0001-01-01T00:00:00%2B05:00",
    "9999-12-31T23:59:59-05:00",
    "2026-01-01T00:00:00",
    "1,2,3",
    f"{DIGITS},1",
    "%E2%80%8B%EF%BB%BF",
    "%F0%9F%98%80",
]


@pytest.fixture
def boss(client, brevo) -> Client:
    registry.populate()
    client.force_login(make_admin())
    client.raise_request_exception = False
    return client


@pytest.fixture
def brevo(settings):
    from sandbox.server import Sandbox

    with Sandbox() as server:
        settings.BREVO_API_URL, settings.BREVO_API_KEY = server.url, server.key
        yield server


def faults(client: Client, urls: Iterator[str]) -> list[str]:
    answers = ((url, client.get(url).status_code) for url in urls)
    return [f"{status} {url[:150]}" for url, status in answers if status >= 500]


def parameters_of(page: registry.Page, boss: Client) -> set[str]:
    shown = boss.get(page.url()).context["cl"]
    named = {name for spec in shown.filter_specs for name in spec.expected_parameters()}
    fields = {field.name for field in page.model._meta.concrete_fields}
    lookups = {f"{name}{lookup}" for name in fields for lookup in ("__exact", "__in", "__gt")}
    return named | {"q", "o", "p", "all", "e", "_facets", "_popup", "_to_field", "pk"} | lookups


def test_every_list_of_the_admin_takes_any_value_of_any_parameter(boss) -> None:
    found = []
    for page in registry.model_pages("changelist"):
        names = sorted(parameters_of(page, boss))
        urls = (f"{page.url()}?{name}={value}" for name in names for value in ODD)
        found += faults(boss, urls)
    assert found == []


def test_every_page_of_the_admin_takes_any_value_in_its_path(boss) -> None:
    found = []
    for page in registry.pages():
        if not page.parameters:
            continue
        url = page.url()
        for value in ODD:
            if value:
                parts = [value if part.isdigit() else part for part in url.split("/")]
                found += faults(boss, iter(["/".join(parts)]))
    assert found == []


def test_every_page_of_the_admin_takes_any_query(boss) -> None:
    names = [
        "q",
        "ids",
        "show",
        "sort",
        "after",
        "before",
        "term",
        "app_label",
        "model_name",
        "field_name",
        "kind",
        "outcome",
        "with",
        "against",
        "id",
        "page",
        "next",
        "e",
        "of",
        "to",
    ]
    urls = (
        f"{page.url()}?{name}={value}"
        for page in registry.pages()
        for name in names
        for value in ODD
    )
    assert faults(boss, urls) == []
