"""What clients of three generators send for what they were not given, by each one's own rule.

openapi-python-client itself is run in test_generated_client.py. The other two need Java or Node, so
their rules are written out here, as their documentation and the code they generate have them.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from campaigns.models import Segment, Suppression
from campaigns.models.flat import FLAT_NAMES
from tests.factories import definition

SCHEMA = yaml.safe_load((Path(settings.BASE_DIR) / "docs" / "openapi.yaml").read_text())
SCHEMAS = SCHEMA["components"]["schemas"]

pytestmark = pytest.mark.django_db


def _writable(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: p for name, p in schema["properties"].items() if not p.get("readOnly")}


def openapi_python_client(schema: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Attributes begin as their default, else as UNSET; to_dict leaves out what is UNSET."""
    filled = {name: p["default"] for name, p in schema["properties"].items() if "default" in p}
    return filled | given


def openapi_generator_python(schema: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Optional fields begin as their default, else None; to_dict leaves out None and readOnly.

    A None that was set by hand is sent where the field is nullable.
    """
    fields = _writable(schema)
    values = {name: p.get("default") for name, p in fields.items()} | given
    return {
        name: value
        for name, value in values.items()
        if value is not None or (name in given and fields[name].get("nullable"))
    }


def openapi_typescript(schema: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """A property with a default is not optional (defaultNonNullable): callers must write it.

    JSON.stringify leaves out what is undefined.
    """
    demanded = {
        name: p["default"]
        for name, p in _writable(schema).items()
        if "default" in p and name not in schema.get("required", ())
    }
    return demanded | given


Generator = Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]
GENERATORS = (openapi_python_client, openapi_generator_python, openapi_typescript)


def body_of(path: str, method: str, generator: Generator, given: dict[str, Any]) -> Any:
    content = SCHEMA["paths"][path][method]["requestBody"]["content"]["application/json"]
    return generator(SCHEMAS[content["schema"]["$ref"].rpartition("/")[2]], given)


@pytest.fixture
def full(brevo) -> Segment:
    """A segment in which everything that the schema can hold without other rows has a value."""
    segment = Segment(
        name="Women",
        description="Kept",
        match="ANY",
        gender=["FEMALE"],
        countries=["NG"],
        states=["Lagos"],
        traffic_sources=["Radio"],
    )
    segment.save()
    return segment


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize(
    "given",
    [{"name": "Ladies"}, {"description": "New"}, {"match": "ALL"}, {"states": ["Oyo"]}, {}],
)
def test_a_patch_changes_what_was_given_and_nothing_else(api, full, generator, given) -> None:
    before = api.get(f"/api/campaigns/segments/{full.pk}/").json()
    path = "/api/campaigns/segments/{id}/"

    answer = api.patch(path.format(id=full.pk), body_of(path, "patch", generator, given))

    assert answer.status_code == 200
    after = api.get(path.format(id=full.pk)).json()
    moved = {"updated_at", "audience_size", "mailable_size", "counted_at", "definition"}
    assert {k: v for k, v in after.items() if k not in moved} == {
        k: v for k, v in (before | given).items() if k not in moved
    }
    assert after["definition"] == definition({k: after[k] for k in ("match", *FLAT_NAMES)})


@pytest.mark.parametrize("generator", GENERATORS)
def test_a_put_of_a_part_drops_nothing(api, full, generator) -> None:
    path = "/api/campaigns/segments/{id}/"
    body = body_of(path, "put", generator, {"name": "Men", "gender": ["MALE"]})
    before = api.get(path.format(id=full.pk)).json()

    assert api.put(path.format(id=full.pk), body).status_code == 400

    assert api.get(path.format(id=full.pk)).json() == before


@pytest.mark.parametrize("generator", GENERATORS)
def test_an_empty_patch_of_a_note_keeps_it(api, generator) -> None:
    row = Suppression.objects.create(email="a@example.com", note="Kept")
    path = "/api/campaigns/suppressions/{id}/"
    assert (
        api.patch(path.format(id=row.pk), body_of(path, "patch", generator, {})).status_code == 200
    )
    assert Suppression.objects.get().note == "Kept"


@pytest.mark.parametrize("generator", GENERATORS)
def test_every_generator_makes_a_segment(api, brevo, generator) -> None:
    path = "/api/campaigns/segments/"
    body = body_of(path, "post", generator, {"name": "Women", "gender": ["FEMALE"]})
    shown = api.post(path, body).json()
    assert (shown["match"], shown["description"], shown["states"]) == ("ALL", "", [])


ALLOWED = {"get": 200, "head": 200, "options": 200, "post": 405, "put": 400, "patch": 200}


@pytest.mark.parametrize("accept", ["application/problem+json", "application/problem+json; q=1"])
@pytest.mark.parametrize("method", [*ALLOWED, "delete"])
def test_a_client_that_accepts_problems_alone_is_served(api, full, method, accept) -> None:
    sent = {"data": {"description": "x"}} if method in {"put", "patch"} else {}
    call, headers = getattr(api, method), {"Accept": accept}

    answer = call(f"/api/campaigns/segments/{full.pk}/", headers=headers, **sent)
    missing = call("/api/campaigns/segments/404404/", headers=headers, **sent)

    assert answer.status_code == ALLOWED.get(method, 204)
    assert missing.status_code == {"post": 405, "options": 200}.get(method, 404)
    for each in (answer, missing):
        if each.status_code >= 400:
            assert each["Content-Type"] == "application/problem+json"


def test_such_a_client_downloads_files_and_makes_rows_too(api, full) -> None:
    accept = {"Accept": "application/problem+json"}
    file = api.get(f"/api/campaigns/segments/{full.pk}/preview.csv", headers=accept)
    assert (file.status_code, file["Content-Type"]) == (200, "text/csv; charset=utf-8")
    made = api.post("/api/campaigns/suppressions/", {"email": "a@example.com"}, headers=accept)
    assert (made.status_code, made["Content-Type"]) == (201, "application/json")
