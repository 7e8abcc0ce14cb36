"""The schema: sound, described, committed; and the pages that show it."""

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command

from campaigns.sync.verify import Proof

COMMITTED = Path(settings.BASE_DIR) / "docs" / "openapi.yaml"
REGENERATE = "make schema"
RESOURCES = ("segments", "syncs", "suppressions", "criteria", "figures")
TAGS = [*(f"Campaigns: {resource}" for resource in RESOURCES), "Accounts"]


@pytest.fixture(scope="module")
def written() -> str:
    out = StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=out)
    return out.getvalue()


@pytest.fixture(scope="module")
def schema(written) -> Any:
    return yaml.safe_load(written)


@pytest.fixture(scope="module")
def operations(schema) -> dict[str, Any]:
    paths = schema["paths"]
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
        assert operation["tags"] in ([tag] for tag in TAGS), name
        assert {"200", "201", "204"} & operation["responses"].keys(), name
        for status, response in operation["responses"].items():
            for media_type, content in response.get("content", {}).items():
                is_problem = int(status) >= 400
                assert (media_type == "application/problem+json") is is_problem, name
                assert content["schema"], name
                assert content.get("examples") or media_type == "text/csv", (name, status)


def test_every_call_of_campaigns_needs_a_token_and_says_how_it_refuses(operations):
    for name, operation in operations.items():
        if operation["tags"] != ["Accounts"]:
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


def bodies(operations, *methods: str) -> set[str]:
    """Return the names of the schemas that calls of these methods take."""
    return {
        content["schema"]["$ref"].rpartition("/")[2]
        for call, operation in operations.items()
        if call.split()[0] in methods
        for content in operation.get("requestBody", {}).get("content", {}).values()
    }


def test_what_changes_a_row_has_no_defaults_that_a_client_would_send_unasked(schema, operations):
    changing = bodies(operations, "PUT", "PATCH")
    patched = {name for name in schema["components"]["schemas"] if name.startswith("Patched")}
    assert changing | patched == {"SegmentRequest", "PatchedSegmentRequest", "PatchedNoteRequest"}
    for name in changing | patched:
        for field, described in schema["components"]["schemas"][name]["properties"].items():
            assert "default" not in described, (name, field)


def test_bodies_say_that_unknown_fields_are_refused(schema, operations):
    named = bodies(operations, "POST", "PUT", "PATCH")
    assert named
    for name in named:
        assert schema["components"]["schemas"][name]["additionalProperties"] is False, name


def test_ids_and_counts_are_64_bits_wide(schema):
    def integers(node: Any) -> Any:
        if isinstance(node, list):
            node = dict(enumerate(node))
        if isinstance(node, dict):
            if node.get("type") == "integer":
                yield node
            for key, each in node.items():
                if key not in {"example", "examples"}:
                    yield from integers(each)

    found = list(integers(schema))
    assert len(found) > 100
    for each in found:
        assert each.get("format") == "int64" or each["maximum"] < 2**31, each


def test_every_call_says_what_happens_without_a_database_and_with_too_long_a_body(operations):
    for name, operation in operations.items():
        assert "503" in operation["responses"], name
        assert "413" in operation["responses"] or "requestBody" not in operation, name


def test_what_is_made_and_what_is_queued_says_where_it_is(operations):
    for name, operation in operations.items():
        for status in {"201", "202"} & operation["responses"].keys():
            assert "Location" in operation["responses"][status]["headers"], (name, status)


def test_what_can_be_lost_has_a_tag_and_a_condition(operations):
    for path in ("/api/campaigns/segments/{id}/", "/api/campaigns/suppressions/{id}/"):
        assert "ETag" in operations[f"GET {path}"]["responses"]["200"]["headers"]
        for method in ("PUT", "PATCH", "DELETE"):
            if operation := operations.get(f"{method} {path}"):
                headers = {each["name"] for each in operation["parameters"]}
                assert "If-Match" in headers
                assert {"412", "428"} <= operation["responses"].keys()


def test_a_proof_is_described_and_may_hold_more(schema):
    proof = schema["components"]["schemas"]["Proof"]
    stored = Proof("FULL", "2026-05-04T09:31:00+00:00", 42, 3).as_json()
    assert stored.keys() >= proof["properties"].keys() - {"names"}
    assert "required" not in proof
    assert "additionalProperties" not in proof


def test_each_resource_has_a_tag_under_campaigns(schema):
    assert [tag["name"] for tag in schema["tags"]] == TAGS
    groups = {group["name"]: group["tags"] for group in schema["x-tagGroups"]}
    assert groups == {"Campaigns": TAGS[:-1], "Accounts": TAGS[-1:]}


def test_the_documentation_keeps_the_token_when_it_is_loaded_again(client):
    page = client.get("/api/docs/?script=").content.decode()
    assert re.search(r'"persistAuthorization"\s*:\s*true', page)


def test_whoever_reads_the_documentation_loads_nothing_from_elsewhere(client):
    page = client.get("/api/docs/")
    schema = client.get("/api/schema/")

    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.content.decode())
    assert loaded
    assert all(address.startswith(("/static/", "/api/docs/")) for address in loaded), loaded
    assert schema.status_code == 200
    assert b"openapi: 3.0" in schema.content


def test_every_parameter_that_a_call_names_is_known_to_it_and_no_other(operations, api):
    for name, operation in operations.items():
        method, path = name.split()
        if operation["tags"] == ["Accounts"]:
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
