import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import Client

from accounts.checks import check_demo_logins, check_files
from accounts.demo_logins import DEMO_PASSWORD
from tests.factories import PASSWORD, make_admin

pytestmark = pytest.mark.django_db


def log_in(email="admin@example.com", password=DEMO_PASSWORD) -> int:
    data = {"username": email, "password": password}
    return Client().post("/admin/login/", data).status_code


@pytest.mark.parametrize(("debug", "status"), [(True, 302), (False, 200)])
def test_public_password_opens_a_demo_alone(settings, debug, status) -> None:
    settings.DEBUG = debug
    make_admin(email="admin@example.com", password=DEMO_PASSWORD)

    assert log_in() == status


def test_other_passwords_open_what_they_did(settings) -> None:
    settings.DEBUG = False
    make_admin(email="admin@example.com", password=PASSWORD)

    assert log_in(password=PASSWORD) == 302


def test_deployment_check_names_people_with_the_public_password() -> None:
    make_admin(email="admin@example.com", password=DEMO_PASSWORD)
    make_admin(email="manager@example.com", password=PASSWORD)

    [found] = check_demo_logins()

    assert "admin@example.com have a password that is public" in found.msg
    with pytest.raises(SystemCheckError, match="password that is public"):
        call_command("check", deploy=True)


def test_deployment_check_says_nothing_of_a_database_of_ones_own() -> None:
    make_admin(email="admin@example.com", password=PASSWORD)

    assert check_demo_logins() == []


@pytest.mark.parametrize(("mode", "found"), [(0o644, 1), (0o600, 0)])
def test_deployment_check_names_files_that_others_can_read(settings, tmp_path, mode, found) -> None:
    settings.BASE_DIR = tmp_path
    (tmp_path / ".env").touch()
    (tmp_path / ".env").chmod(mode)

    assert len([one for one in check_files() if one.msg.startswith(".env")]) == found
