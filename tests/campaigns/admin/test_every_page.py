from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client

from tests.campaigns.admin import registry
from tests.factories import make_admin

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(client, brevo) -> Client:
    registry.populate()
    client.force_login(make_admin())
    return client


def shown(client: Client, url: str, **query: Any) -> str:
    answer = client.get(url, query)
    assert answer.status_code == HTTPStatus.OK, url
    return answer.content.decode()


def test_every_list_can_be_searched(boss) -> None:
    for page in registry.model_pages("changelist"):
        assert (
            str(page.model._meta.verbose_name_plural).lower()
            in shown(boss, page.url(), q="ada 1").lower()
        )


def test_every_form_opens_for_a_new_row_and_for_one_that_is_there(boss) -> None:
    for page in registry.model_pages("change"):
        shown(boss, page.url())
    for page in registry.model_pages("add"):
        answer = boss.get(page.url())
        assert answer.status_code in {HTTPStatus.OK, HTTPStatus.FORBIDDEN}, page


def test_every_list_counts_no_further_than_its_cap(boss) -> None:
    for page in registry.model_pages("changelist"):
        if page.name.startswith("django_tasks"):
            continue
        changelist = boss.get(page.url()).context["cl"]
        assert hasattr(changelist.paginator, "COUNTED_UP_TO"), page
        assert not changelist.model_admin.show_full_result_count, page
