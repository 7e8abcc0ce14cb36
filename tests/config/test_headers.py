import pytest
from django.test import Client

from config.headers import POLICY
from tests.factories import make_admin


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/admin/", "/admin/accounts/user/", "/api/campaigns/segments/", "/api/me/", "/api/no/"]
)
def test_people_are_kept_out_of_caches_and_foreign_scripts_out_of_pages(path) -> None:
    client = Client()
    client.force_login(make_admin())

    answer = client.get(path)

    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Security-Policy"] == POLICY


@pytest.mark.django_db
def test_page_to_log_in_has_the_policy_too() -> None:
    assert Client().get("/admin/login/")["Content-Security-Policy"] == POLICY


def test_policy_runs_no_script_that_stands_in_a_page() -> None:
    scripts = next(part for part in POLICY.split("; ") if part.startswith("script-src"))

    assert "'unsafe-inline'" not in scripts
