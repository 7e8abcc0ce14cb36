import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.test import Client, RequestFactory
from rest_framework.test import APIClient

from config import problems
from tests.factories import make_admin

SEGMENTS = "/api/campaigns/segments/"
MIDDLEWARE = "django.contrib.sessions.middleware.SessionMiddleware"
SECRET = "SELECT secret FROM keys WHERE key = 'xkeysib-1'"


@pytest.fixture
def api(db) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(make_admin())
    return client


def problem_of(response, status) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = json.loads(response.content)
    assert problem["status"] == status
    assert {"type", "title", "detail"} <= problem.keys()
    assert "Traceback" not in response.content.decode()
    assert "xkeysib" not in response.content.decode()
    return problem


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize(
    "path",
    ["nowhere/", "campaigns/", "campaigns/segments/x/", "token", "%00", "a%0Ab/", "%0A", "%FF"],
)
def test_an_unknown_path_is_a_problem(client, settings, debug, path):
    settings.DEBUG = debug

    problem_of(client.get(f"/api/{path}"), 404)
    problem_of(Client(enforce_csrf_checks=True).post(f"/api/{path}"), 404)


def test_an_unknown_path_without_its_slash_is_told_the_remedy(client):
    assert "/api/me/?" in problem_of(client.post("/api/me"), 404)["detail"]


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
def test_the_root_without_its_slash_is_told_the_remedy(client, settings, debug, method):
    settings.DEBUG = debug
    assert "/api/?" in problem_of(getattr(client, method)("/api"), 404)["detail"]


def test_asking_the_documentation_for_its_options_is_no_fault(client):
    problem_of(client.options("/api/docs/"), 405)


def test_a_method_that_is_not_offered_names_those_that_are(api):
    response = api.delete(SEGMENTS)

    problem_of(response, 405)
    assert response["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_a_format_that_is_not_offered_is_a_problem(api):
    problem_of(api.get(SEGMENTS, headers={"Accept": "image/png"}), 406)
    problem_of(api.get(f"{SEGMENTS}?format=xml"), 404)


def test_a_body_of_another_kind_is_a_problem(api):
    problem_of(api.post(SEGMENTS, "<a/>", content_type="application/xml"), 415)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", None),
        (b"", None),
        (b"nul", None),
        (b'\xff"', None),
        (b'\xef\xbb\xbf{"name": "x"}', None),
        (b"[" * 100_000, None),
        (b"NaN", None),
        (b'{"gender": [-Infinity]}', "gender"),
        (b'{"name": NaN}', "name"),
        (b'{"name": "a", "name": "b"}', "name"),
        (b'{"\\ud800": 1, "\\ud800": 2}', "\\ud800"),
        (b'{"properties": [' + b"9" * 5000 + b"]}", None),
        (b"12", "non_field_errors"),
        (b"null", "non_field_errors"),
    ],
)
def test_a_body_that_is_no_sound_json_is_refused(api, body, field):
    response = api.generic("POST", SEGMENTS, body, "application/json")

    problem = problem_of(response, 400)
    named = [error["field"] for error in problem.get("errors", [])]
    assert field is None or field in named


def test_a_body_that_is_too_large_is_refused(api, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    problem_of(api.post(SEGMENTS, {"name": "x" * 1000}, format="json"), 413)
    problem_of(api.post(SEGMENTS, {"name": "x" * 1000}, format="multipart"), 413)


def test_a_form_with_too_many_fields_is_refused(api, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 2

    problem_of(
        api.post(SEGMENTS, "a=1&b=2&c=3", content_type="application/x-www-form-urlencoded"), 400
    )


@pytest.mark.django_db
def test_nobody_is_challenged(client):
    response = client.get(SEGMENTS)

    problem_of(response, 401)
    assert response["WWW-Authenticate"].startswith("Bearer")


def raising(error) -> Any:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    return fail


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("error", [OperationalError(SECRET), InterfaceError(SECRET)])
def test_a_database_that_is_away_is_unavailable(api, settings, monkeypatch, debug, error):
    settings.DEBUG = debug
    monkeypatch.setattr("campaigns.api.views.others.stats", raising(error))

    response = api.get("/api/campaigns/stats/")

    problem_of(response, 503)
    assert response["Retry-After"] == "5"


@pytest.mark.parametrize("debug", [True, False])
def test_a_fault_of_ours_tells_nothing_and_is_logged(api, settings, monkeypatch, caplog, debug):
    settings.DEBUG = debug
    monkeypatch.setattr("campaigns.api.views.others.stats", raising(RuntimeError(SECRET)))

    problem_of(api.get("/api/campaigns/stats/"), 500)

    assert any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize(
    ("error", "status"), [(OperationalError(SECRET), 503), (RuntimeError(SECRET), 500)]
)
def test_a_fault_outside_of_the_views_is_a_problem_too(monkeypatch, error, status):
    monkeypatch.setattr(f"{MIDDLEWARE}.process_request", raising(error))

    response = Client(raise_request_exception=False).get(SEGMENTS)

    problem_of(response, status)


@pytest.mark.parametrize(
    ("handler", "error", "status"),
    [
        (problems.handler400, SuspiciousOperation(SECRET), 400),
        (problems.handler403, PermissionDenied(SECRET), 403),
    ],
)
def test_what_django_refuses_before_the_views_is_a_problem(handler, error, status):
    problem_of(handler(RequestFactory().get("/api/"), error), status)


@pytest.mark.parametrize(
    ("handler", "arguments", "status"),
    [
        (problems.handler400, [SuspiciousOperation()], 400),
        (problems.handler403, [PermissionDenied()], 403),
        (problems.handler404, [PermissionDenied()], 404),
        (problems.handler500, [], 500),
    ],
)
def test_pages_of_the_admin_keep_their_html_errors(handler, arguments, status):
    response = handler(RequestFactory().get("/admin/"), *arguments)

    assert response.status_code == status
    assert response["Content-Type"].startswith("text/html")


@pytest.mark.django_db
def test_the_front_page_leads_to_the_admin_and_the_api_to_its_documentation(client):
    assert client.get("/")["Location"] == "/admin/"
    assert client.get("/api/")["Location"] == "/api/docs/"
