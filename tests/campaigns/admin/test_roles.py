"""Who may do what in the admin: asked of every page and every action there is."""

from http import HTTPStatus
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.enums import Role
from tests.campaigns.admin import registry
from tests.campaigns.admin.registry import Page
from tests.factories import make_admin, make_manager, make_user

pytestmark = pytest.mark.django_db

LOGIN = "/admin/login/"
PUBLIC = {"login"}
REFUSED = {HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED}
OUTSIDE = [Role.AGENT, Role.PARTNER, Role.CLIENT]


@pytest.fixture(autouse=True)
def rows(brevo) -> None:
    registry.populate()
    brevo.clear_requests()


def enter(client: Client, user: Any) -> Client:
    client.force_login(user)
    client.raise_request_exception = True
    return client


def guarded() -> list[Page]:
    return [page for page in registry.pages() if page.name not in PUBLIC]


def request_of(user: Any) -> Any:
    request = RequestFactory().get("/admin/")
    request.user = user
    return request


def test_the_walk_meets_pages_of_every_kind() -> None:
    names = {page.name for page in registry.pages()}
    assert names > {
        "index",
        "accounts_user_segments",
        "auth_user_password_change",
        "campaigns_brevo_account",
        "campaigns_segment_changelist",
        "campaigns_suppression_process_import",
        "properties_lead_delete",
    }


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_is_sent_to_the_login_by_every_page(client, method) -> None:
    before = registry.everything()
    for page in guarded():
        answer = getattr(client, method)(page.url())
        assert answer.url.startswith(LOGIN) or page.name == "logout", page
    assert registry.everything() == before


@pytest.mark.parametrize("role", OUTSIDE)
@pytest.mark.parametrize("method", ["get", "post"])
def test_customers_and_agents_are_sent_away_by_every_page(client, role, method) -> None:
    enter(client, make_user(role=role))
    before = registry.everything()
    for page in guarded():
        if page.name != "logout":
            assert getattr(client, method)(page.url()).url.startswith(LOGIN), page
    assert registry.everything() == before


@pytest.mark.parametrize("role", OUTSIDE)
def test_customers_and_agents_cannot_log_in(client, role) -> None:
    make_user(email="them@example.com", role=role, password="their own secret")
    asked = {"username": "them@example.com", "password": "their own secret"}
    answer = client.post(reverse("admin:login"), asked)
    assert answer.status_code == HTTPStatus.OK
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("make", [make_admin, make_manager])
def test_getting_every_page_changes_nothing_here_or_at_brevo(client, make, brevo) -> None:
    enter(client, make())
    before = registry.everything()
    for page in registry.pages():
        if page.name != "logout":
            answer = client.get(page.url())
            assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, page
            if answer.streaming:
                b"".join(answer.streaming_content)
    assert registry.everything() == before
    assert {call.method for call in brevo.requests} <= {"GET"}


def test_every_page_with_a_guard_of_its_own_refuses_staff_without_permissions(
    client, settings
) -> None:
    settings.ROLE_PERMISSIONS = {"MANAGER": []}
    enter(client, make_manager())
    before = registry.everything()
    for page in registry.pages():
        if page.has_own_guard:
            answers = {client.get(page.url()).status_code, client.post(page.url()).status_code}
            assert answers <= REFUSED, page
            assert HTTPStatus.FORBIDDEN in answers, page
    assert registry.everything() == before


def test_staff_who_may_only_look_change_nothing_by_any_page(client, settings, brevo) -> None:
    settings.ROLE_PERMISSIONS = {"MANAGER": ["*.view_*"]}
    enter(client, make_manager())
    before = registry.without_sizes(registry.everything())
    for page in registry.pages():
        if page.has_own_guard:
            client.post(page.url(), {"post": "yes", "confirm": "yes", "apply": "yes"})
    assert registry.without_sizes(registry.everything()) == before
    assert {call.method for call in brevo.requests} <= {"GET"}


@pytest.mark.parametrize("verb", ["add", "change", "delete"])
def test_a_manager_adds_changes_and_deletes_nothing_outside_campaigns(client, verb) -> None:
    enter(client, make_manager())
    others = [p for p in registry.model_pages(verb) if not p.name.startswith("campaigns_")]
    assert others
    for page in others:
        assert client.post(page.url(), {"post": "yes"}).status_code in REFUSED, page


def test_a_manager_sees_every_list_and_every_row(client) -> None:
    enter(client, make_manager())
    for page in [*registry.model_pages("changelist"), *registry.model_pages("change")]:
        assert client.get(page.url()).status_code == HTTPStatus.OK, page


def test_a_manager_adds_segments_and_suppressions(client) -> None:
    enter(client, make_manager())
    for name in ("campaigns_segment_add", "campaigns_suppression_add"):
        assert client.get(reverse(f"admin:{name}")).status_code == HTTPStatus.OK


def test_every_action_names_its_permission() -> None:
    request = request_of(make_admin())
    for model_admin in admin.site._registry.values():
        for name, function in registry.actions(model_admin, request).items():
            allowed = getattr(function, "allowed_permissions", None)
            assert allowed, f"{name} of {model_admin} may be run by whoever sees the list"


def test_who_may_only_look_is_offered_no_action_that_does_more(client, settings) -> None:
    settings.ROLE_PERMISSIONS = {"MANAGER": ["*.view_*"]}
    request = request_of(make_manager())
    for model_admin in admin.site._registry.values():
        for name, function in model_admin.get_actions(request).items():
            each = function[0] if isinstance(function, tuple) else function.func
            assert set(each.allowed_permissions) <= {"view"}, name


def test_posting_every_action_without_permission_changes_nothing(client, settings, brevo) -> None:
    every = request_of(make_admin())
    names = {
        model: list(model_admin.get_actions(every))
        for model, model_admin in admin.site._registry.items()
    }
    settings.ROLE_PERMISSIONS = {"MANAGER": ["*.view_*"]}
    enter(client, make_manager())
    before = registry.without_sizes(registry.everything())
    for page in registry.model_pages("changelist"):
        chosen = [row.pk for row in page.model._default_manager.all()]
        for name in names[page.model]:
            data = {"action": name, "_selected_action": chosen, "post": "yes", "confirm": "yes"}
            client.post(page.url(), data)
    assert registry.without_sizes(registry.everything()) == before
    assert {call.method for call in brevo.requests} <= {"GET"}
