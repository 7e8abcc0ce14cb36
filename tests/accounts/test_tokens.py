"""Refresh tokens of one log-in end together: by log-out, and when one comes back after its use."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts.models import TokenFamily
from tests.factories import PASSWORD, make_admin

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> APIClient:
    make_admin(email="ada@example.com", password=PASSWORD)
    return APIClient()


def send(client, path, body) -> Any:
    return client.post(f"/api/token/{path}", body, format="json")


def log_in(client) -> str:
    answer = send(client, "", {"email": "ada@example.com", "password": PASSWORD})
    return str(answer.json()["refresh"])


def refresh(client, token) -> Any:
    return send(client, "refresh/", {"refresh": token})


def a_minute_passes() -> None:
    BlacklistedToken.objects.update(blacklisted_at=timezone.now() - timedelta(seconds=61))


def test_token_that_comes_back_after_its_use_ends_every_token_of_its_log_in(client) -> None:
    stolen = log_in(client)
    newest = refresh(client, stolen).json()["refresh"]
    a_minute_passes()

    assert refresh(client, stolen).status_code == 401

    ended = refresh(client, newest)
    assert ended.status_code == 401
    assert "was ended: log in again" in ended.json()["detail"]


def test_token_that_is_used_twice_at_once_ends_nothing(client) -> None:
    first = log_in(client)
    newest = refresh(client, first).json()["refresh"]

    assert refresh(client, first).status_code == 401
    assert refresh(client, newest).status_code == 200


def test_other_log_in_of_the_same_person_goes_on(client) -> None:
    one, other = log_in(client), log_in(client)

    assert send(client, "revoke/", {"refresh": one}).status_code == 204
    assert refresh(client, one).status_code == 401
    assert refresh(client, other).status_code == 200


def test_log_out_ends_the_tokens_that_came_of_the_log_in(client) -> None:
    first = log_in(client)
    newest = refresh(client, first).json()["refresh"]

    assert send(client, "revoke/", {"refresh": first}).status_code == 204
    assert send(client, "revoke/", {"refresh": first}).status_code == 204
    assert refresh(client, newest).status_code == 401


@pytest.mark.parametrize("token", ["x", "a.b.c"])
def test_what_is_no_refresh_token_ends_nothing(client, token) -> None:
    log_in(client)

    assert send(client, "revoke/", {"refresh": token}).status_code == 401
    access = str(AccessToken.for_user(make_admin()))
    assert send(client, "revoke/", {"refresh": access}).status_code == 401
    assert not TokenFamily.objects.exclude(ended_at=None).exists()


def test_token_of_before_there_were_families_is_taken_into_one(client) -> None:
    old = RefreshToken.for_user(make_admin())

    newest = refresh(client, str(old)).json()["refresh"]

    assert send(client, "revoke/", {"refresh": newest}).status_code == 204
    assert refresh(client, newest).status_code == 401


def test_tokens_are_kept_by_no_cache(client) -> None:
    answer = send(client, "", {"email": "ada@example.com", "password": PASSWORD})

    assert answer["Cache-Control"] == "no-store"
