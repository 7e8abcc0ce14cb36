"""The schema: sound, described, committed; and the pages that show it."""

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command

COMMITTED = Path(settings.BASE_DIR) / "docs" / "openapi.yaml"
REGENERATE = "make schema"


@pytest.fixture(scope="module")
def written() -> str:
    out = StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=out)
    return out.getvalue()


@pytest.fixture(scope="module")
def operations(written) -> dict[str, Any]:
    paths = yaml.safe_load(written)["paths"]
    return {
        f"{method.upper()} {path}": operation
        for path, calls in paths.items()
        for method, operation in calls.items()
    }


def test_the_committed_schema_is_that_of_the_code(written):
    assert written.strip() == COMMITTED.read_text().strip(), (
        f"The API is not as docs/openapi.yaml says. If that is meant, run {REGENERATE}"
    )


def test_every_call_is_described_with_its_answers_and_an_example_of_each(operations):
    assert len(operations) >= 30
    for name, operation in operations.items():
        assert operation["summary"], name
        assert operation["description"], name
        assert operation["tags"] in (["Campaigns"], ["Accounts"]), name
        assert {"200", "201", "204"} & operation["responses"].keys(), name
        for status, response in operation["responses"].items():
            for media_type, content in response.get("content", {}).items():
                is_problem = int(status) >= 400
                assert (media_type == "application/problem+json") is is_problem, name
                assert content["schema"], name
                assert content.get("examples") or media_type == "text/csv", (name, status)


def test_every_call_of_campaigns_needs_a_token_and_says_how_it_refuses(operations):
    for name, operation in operations.items():
        if operation["tags"] == ["Campaigns"]:
            assert operation["security"] == [{"JWT-auth": []}], name
            assert {"401", "403"} <= operation["responses"].keys(), name


@pytest.mark.parametrize(
    ("call", "statuses"),
    [
        ("POST /api/campaigns/segments/", {"201", "400", "502"}),
        ("POST /api/campaigns/segments/{id}/sync/", {"200", "202", "404", "409", "502"}),
        ("DELETE /api/campaigns/segments/{id}/", {"204", "404", "502"}),
        ("POST /api/token/", {"200", "400", "401", "429"}),
    ],
)
def test_a_call_names_the_statuses_of_the_contract(operations, call, statuses):
    assert statuses <= operations[call]["responses"].keys()


def test_whoever_reads_the_documentation_loads_nothing_from_elsewhere(client):
    page = client.get("/api/docs/")
    schema = client.get("/api/schema/")

    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.content.decode())
    assert loaded
    assert all(address.startswith("/static/") for address in loaded), loaded
    assert schema.status_code == 200
    assert b"openapi: 3.0" in schema.content


def test_every_parameter_that_a_call_names_is_known_to_it_and_no_other(operations, api):
    for name, operation in operations.items():
        method, path = name.split()
        if operation["tags"] != ["Campaigns"]:
            continue
        named = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query"]
        query = "&".join(f"{parameter}=~" for parameter in [*named, "no_such_parameter"])

        somewhere = re.sub(r"{\w+}", "1", path)
        problem = api.generic(method, f"{somewhere}?{query}", "{}", "application/json").json()

        assert problem["errors"] == [
            {
                "field": "no_such_parameter",
                "code": "unknown",
                "message": "There is no such parameter.",
            }
        ], name
