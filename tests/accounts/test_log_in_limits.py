"""Wrong passwords are counted before they are tried: at every door, for all processes together."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from accounts import log_in_limits
from accounts.log_in_limits import LimitedBackend, TooManyLogIns, machine_of
from accounts.models import KnownMachine, LogInCount
from tests.factories import PASSWORD, make_admin

HOME, ELSEWHERE = "192.0.2.1", "198.51.100.9"


@pytest.fixture
def ada(db) -> Any:
    return make_admin(email="ada@example.com", password=PASSWORD)


def by_page(password=PASSWORD, *, machine=HOME, email="ada@example.com") -> Any:
    data = {"username": email, "password": password}
    return Client(REMOTE_ADDR=machine).post("/admin/login/", data)


def by_api(password=PASSWORD, *, machine=HOME, email="ada@example.com") -> Any:
    data = {"email": email, "password": password}
    return Client(REMOTE_ADDR=machine).post("/api/token/", data, content_type="application/json")


def guess(door, times, **where: Any) -> None:
    for _ in range(times):
        assert door("wrong", **where).status_code in {200, 401}


@pytest.mark.parametrize("door", [by_page, by_api])
def test_ten_wrong_passwords_a_minute_are_tried_for_one_person(ada, door) -> None:
    guess(door, 10)

    refused = door()

    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 60


def test_doors_count_together(ada) -> None:
    guess(by_page, 5)
    guess(by_api, 5)

    assert {by_page().status_code, by_api().status_code} == {429}


def test_page_says_how_long_to_wait(ada) -> None:
    guess(by_page, 10)

    page = by_page().content.decode()

    assert "Too many attempts to log in failed. Try again in" in page


def test_limit_ends_after_a_minute(ada) -> None:
    guess(by_api, 10)
    LogInCount.objects.update(since=timezone.now() - timedelta(minutes=1))

    assert by_api().status_code == 200


def test_right_password_is_not_counted(ada) -> None:
    assert {by_api().status_code for _ in range(15)} == {200}
    guess(by_api, 10)
    assert by_api().status_code == 429


def test_stranger_who_guesses_elsewhere_keeps_nobody_out_at_a_machine_they_use(ada) -> None:
    assert by_api(machine=HOME).status_code == 200
    guess(by_api, 10, machine=ELSEWHERE)

    assert by_api(machine=ELSEWHERE).status_code == 429
    assert by_api(machine="203.0.113.5").status_code == 429
    assert by_api(machine=HOME).status_code == 200
    assert by_page(machine=HOME).status_code == 302


def test_machine_that_is_known_has_a_limit_of_its_own(ada) -> None:
    assert by_api(machine=HOME).status_code == 200
    guess(by_api, 10, machine=HOME)

    assert by_api(machine=HOME).status_code == 429


def test_machine_that_was_not_used_for_long_is_known_no_longer(ada) -> None:
    by_api(machine=HOME)
    KnownMachine.objects.update(last_used_at=timezone.now() - timedelta(days=91))
    guess(by_api, 10, machine=ELSEWHERE)

    assert by_api(machine=HOME).status_code == 429


def test_one_machine_may_not_try_many_people(ada) -> None:
    for number in range(60):
        by_api("wrong", email=f"guess{number}@example.com")

    assert by_api().status_code == 429
    assert by_api(machine=ELSEWHERE).status_code == 200


def test_refused_attempt_counts_for_nobody(ada) -> None:
    guess(by_api, 10)
    for _ in range(100):
        by_api("wrong")

    assert by_api("wrong", email="grace@example.com").status_code == 401


def test_refusal_is_logged_without_an_address(ada, caplog) -> None:
    guess(by_api, 10)
    with caplog.at_level(logging.WARNING, logger=log_in_limits.__name__):
        by_api()

    [record] = [one for one in caplog.records if one.name == log_in_limits.__name__]
    assert "too many failed" in record.getMessage()
    assert "ada@" not in record.getMessage()
    assert HOME not in record.getMessage()


def test_counts_of_yesterday_are_cleared_away(ada) -> None:
    by_api("wrong")
    LogInCount.objects.update(since=timezone.now() - timedelta(days=2))

    by_api("wrong", machine=ELSEWHERE, email="grace@example.com")

    assert LogInCount.objects.count() == 2


def test_shell_counts_nothing(ada) -> None:
    backend = LimitedBackend()
    for _ in range(20):
        assert backend.authenticate(None, "ada@example.com", "wrong") is None

    assert backend.authenticate(None, "ada@example.com", PASSWORD) == ada


@pytest.mark.parametrize(
    ("address", "machine"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("unix:", "unix:"),
    ],
)
def test_machine_is_an_address_or_a_network_of_one_place(address, machine) -> None:
    request = HttpRequest()
    request.META["REMOTE_ADDR"] = address

    assert machine_of(request) == machine


@pytest.mark.django_db(transaction=True)
def test_attempts_at_once_are_tried_no_more_often_than_the_limit_allows(monkeypatch) -> None:
    make_admin(email="ada@example.com", password=PASSWORD)
    tried: list[str] = []
    check = "django.contrib.auth.backends.ModelBackend.authenticate"
    monkeypatch.setattr(check, lambda *args, **kwargs: tried.append("x"))
    together = Barrier(8)

    def attempt(_: int) -> int:
        request = HttpRequest()
        request.META["REMOTE_ADDR"] = HOME
        together.wait()
        refused = 0
        try:
            for _ in range(5):
                try:
                    LimitedBackend().authenticate(request, "ada@example.com", "wrong")
                except TooManyLogIns:
                    refused += 1
        finally:
            connection.close()
        return refused

    with ThreadPoolExecutor(8) as threads:
        refused = sum(threads.map(attempt, range(8)))

    assert (len(tried), refused) == (10, 30)


def test_old_password_of_somebody_who_is_logged_in_is_guessed_no_more_often(ada) -> None:
    client = Client(REMOTE_ADDR=HOME)
    client.force_login(ada)

    def change(old: str) -> Any:
        new = {"new_password1": "another battery", "new_password2": "another battery"}
        return client.post("/admin/password_change/", {"old_password": old, **new})

    assert {change(f"wrong {n}").status_code for n in range(10)} == {200}
    refused = change(PASSWORD)
    assert refused.status_code == 429
    assert "Too many attempts to log in failed" in refused.content.decode()

    LogInCount.objects.all().delete()
    assert "entered incorrectly" in change("wrong").content.decode()
    assert change(PASSWORD).status_code == 302
    ada.refresh_from_db()
    assert ada.check_password("another battery")
    assert client.get("/admin/").status_code == 200
