from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts.enums import Role
from tests.factories import PASSWORD, make_admin, make_user

pytestmark = pytest.mark.django_db
ME = "/api/me/"


@pytest.fixture(autouse=True)
def no_failures_yet() -> None:
    cache.clear()


@pytest.fixture
def client() -> APIClient:
    client = APIClient()
    client.default_format = "json"
    return client


def log_in(client, email="ada@example.com", password=PASSWORD, **headers: Any) -> Any:
    return client.post("/api/token/", {"email": email, "password": password}, headers=headers)


def ask_who_i_am(client, access) -> Any:
    return client.get(ME, headers={"Authorization": f"Bearer {access}"})


def problem_of(response, status) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status
    return problem


def test_log_in_gives_tokens_that_open_the_api(client) -> None:
    ada = make_admin(email="ada@example.com", first_name="Ada", password=PASSWORD)

    tokens = log_in(client).json()

    shown = ask_who_i_am(client, tokens["access"]).json()
    assert (shown["id"], shown["name"], shown["role"]) == (ada.pk, "Ada", "ADMIN")
    assert "campaigns.sync_segment" in shown["permissions"]


def test_profile_of_a_manager_names_what_the_role_grants_alone(client) -> None:
    make_user(role=Role.MANAGER, email="ada@example.com", password=PASSWORD)

    granted = ask_who_i_am(client, log_in(client).json()["access"]).json()["permissions"]

    assert {"campaigns.sync_segment", "accounts.view_user"} <= set(granted)
    assert "accounts.change_user" not in granted


@pytest.mark.parametrize("email", ["ADA@Example.com", " ada@example.com "])
def test_log_in_takes_the_address_in_any_case(client, email) -> None:
    make_admin(email="Ada@example.com", password=PASSWORD)

    assert log_in(client, email).status_code == 200


@pytest.mark.parametrize(
    ("email", "password"),
    [("ada@example.com", "wrong"), ("nobody@example.com", PASSWORD), ("off@example.com", PASSWORD)],
)
def test_log_in_refuses_a_wrong_password_an_unknown_and_an_inactive_user_alike(
    client, email, password
) -> None:
    make_admin(email="ada@example.com", password=PASSWORD)
    make_admin(email="off@example.com", password=PASSWORD, is_active=False)

    response = log_in(client, email, password)

    problem = problem_of(response, 401)
    assert problem["detail"] == "No active account has this e-mail address and password."
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"password": "x"}, "email"),
        ({"email": "a@b.c"}, "password"),
        ({"email": ["a"], "password": "x"}, "email"),
        ({"email": "a\x00@b.c", "password": "x"}, "email"),
        ({"email": "a@b.c", "password": "\x00"}, "password"),
        ({"email": "a@b.c", "password": "x" * 5000}, "password"),
        ({"email": None, "password": "x"}, "email"),
        ({"email": "a@b.c", "password": "x", "username": "a"}, "username"),
    ],
)
def test_log_in_names_the_field_that_is_wrong(client, sent, field) -> None:
    problem = problem_of(client.post("/api/token/", sent), 400)

    assert [error["field"] for error in problem["errors"]] == [field]


def test_failed_log_ins_of_one_address_are_slowed_down_whatever_its_case(client) -> None:
    make_admin(email="ada@example.com", password=PASSWORD)
    for _ in range(10):
        problem_of(log_in(client, "Ada@example.com", "wrong"), 401)

    response = log_in(client)

    problem_of(response, 429)
    assert 0 < int(response["Retry-After"]) <= 60
    make_admin(email="grace@example.com", password=PASSWORD)
    assert log_in(client, "grace@example.com").status_code == 200


def test_failed_log_ins_from_one_machine_are_slowed_down_whatever_it_claims(client) -> None:
    make_admin(email="ada@example.com", password=PASSWORD)
    for number in range(60):
        headers = {"X-Forwarded-For": f"10.0.0.{number}"}
        problem_of(log_in(client, f"guess{number}@example.com", "x", **headers), 401)

    problem_of(log_in(client), 429)


def test_log_ins_that_succeed_are_not_slowed_down(client) -> None:
    make_admin(email="ada@example.com", password=PASSWORD)

    assert {log_in(client).status_code for _ in range(30)} == {200}


def test_a_refresh_token_is_good_for_one_pair(client) -> None:
    make_admin(email="ada@example.com", password=PASSWORD)
    first = log_in(client).json()

    second = client.post("/api/token/refresh/", {"refresh": first["refresh"]})
    again = client.post("/api/token/refresh/", {"refresh": first["refresh"]})

    assert ask_who_i_am(client, second.json()["access"]).status_code == 200
    problem_of(again, 401)
    assert (
        client.post("/api/token/refresh/", {"refresh": second.json()["refresh"]}).status_code == 200
    )


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\x00", "💥", 5, None, ["x"]])
def test_what_is_no_refresh_token_is_refused(client, token) -> None:
    response = client.post("/api/token/refresh/", {"refresh": token})

    assert response.status_code in {400, 401}
    problem_of(response, response.status_code)


def test_an_access_token_refreshes_nothing(client) -> None:
    ada = make_admin()

    token = str(AccessToken.for_user(ada))

    problem_of(client.post("/api/token/refresh/", {"refresh": token}), 401)


def test_an_access_token_lives_fifteen_minutes() -> None:
    assert AccessToken.for_user(make_admin()).lifetime == timedelta(minutes=15)


def gone(user) -> None:
    user.delete()


def inactive(user) -> None:
    user.is_active = False
    user.save()


def given_another_password(user) -> None:
    user.set_password("another one")
    user.save()


@pytest.mark.parametrize("happens", [gone, inactive, given_another_password])
def test_tokens_end_with_the_account_and_its_password(client, happens) -> None:
    ada = make_admin(password=PASSWORD)
    refresh = RefreshToken.for_user(ada)

    happens(ada)

    problem_of(ask_who_i_am(client, refresh.access_token), 401)
    problem_of(client.post("/api/token/refresh/", {"refresh": str(refresh)}), 401)
