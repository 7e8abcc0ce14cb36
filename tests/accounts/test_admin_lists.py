"""Lists keep what they were narrowed by, and say what they do not understand."""

import re
from html import unescape

import pytest
from django.contrib import admin
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from accounts.enums import Role
from accounts.models import User
from tests.factories import make_admin, make_property, make_segment, make_user

pytestmark = pytest.mark.django_db
PEOPLE = "/admin/accounts/user/"
LISTS = [
    reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    for model in admin.site._registry
]


@pytest.fixture
def admin_client(client: Client) -> Client:
    client.force_login(make_admin(first_name="Ada"))
    return client


def told(response) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def hidden(response) -> dict[str, str]:
    """Return the hidden fields of the form that applies filters."""
    form = response.content.decode().split('id="filter-form"')[1].split("</form>")[0]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return {name: unescape(value) for name, value in found}


def names(response) -> set[str]:
    return {str(row) for row in response.context["cl"].result_list}


def test_filter_applied_from_a_later_page_goes_to_the_first_and_keeps_the_rest(admin_client):
    User.objects.bulk_create(User(email=f"{n}@example.com", gender="FEMALE") for n in range(70))
    page = admin_client.get(PEOPLE, {"p": "3", "q": "example", "o": "2", "gender__exact": "FEMALE"})
    kept = hidden(page)
    assert kept == {"q": "example", "o": "2"}

    applied = admin_client.get(PEOPLE, kept | {"gender__exact": "FEMALE", "role__exact": "CLIENT"})
    assert applied.status_code == 200
    assert applied.context["cl"].page_num == 1
    assert applied.context["cl"].result_count == 70


@pytest.mark.parametrize("address", LISTS)
def test_page_that_is_no_more_is_the_first_with_the_filters_kept(admin_client, address):
    response = admin_client.get(address, {"p": "8", "q": "zzz"})
    assert response.status_code == 200
    assert response.context["cl"].page_num == 1
    assert response.context["cl"].query == "zzz"


@pytest.mark.parametrize("address", LISTS)
def test_filter_that_does_not_exist_is_named(admin_client, address):
    response = admin_client.get(address, {"colour": "red"}, follow=True)
    assert told(response) == ["The filters “colour=red” cannot be used here: everything is shown."]


@pytest.mark.parametrize(
    ("address", "query", "title"),
    [
        (PEOPLE, {"role__exact": "KING"}, "role"),
        (PEOPLE, {"joined_within": "8"}, "joined"),
        ("/admin/campaigns/segment/", {"state": "GREAT"}, "state of the last run"),
        ("/admin/campaigns/segment/", {"criterion": "shoes"}, "criterion used"),
        ("/admin/campaigns/segment/", {"creator": "٣"}, "creator"),
        ("/admin/campaigns/segment/", {"creator": "9" * 5000}, "creator"),
        ("/admin/campaigns/segment/", {"property": "77"}, "property"),
        ("/admin/properties/property/", {"country": "Nigeria"}, "country"),
        ("/admin/campaigns/suppression/", {"reason__exact": "BORED"}, "reason"),
    ],
)
def test_value_that_a_filter_does_not_know_shows_nothing_and_says_so(
    admin_client, address, query, title
):
    make_user()
    make_property(country="NG")
    make_segment(created_by=make_user())
    response = admin_client.get(address, query)
    (value,) = query.values()
    assert names(response) == set()
    (words,) = told(response)
    assert words.startswith(f"The filter “{title}” has no choice “{value[:60]}”: nothing is shown.")


def test_values_that_filters_know_are_not_complained_of(admin_client):
    make_user(first_name="Bisi", role=Role.CLIENT, state="Lagos")
    query = {"role__exact": "CLIENT", "joined_within": "7", "state": "lagos"}
    response = admin_client.get(PEOPLE, query)
    assert names(response) == {"Bisi"}
    assert told(response) == []


@pytest.mark.parametrize("action", ["count_now", "preview_selected", "delete_selected"])
@pytest.mark.parametrize(("address", "gone"), [("?q=lagos", 1), ("", 0), ("?q=nobody", 2)])
def test_action_for_rows_that_left_the_list_meanwhile_does_nothing_and_says_so(
    admin_client, action, address, gone
):
    rows = [make_segment(name="Lagos"), make_segment(name="Abuja")]
    chosen = {"action": action, "_selected_action": [row.pk for row in rows], "index": "0"}
    response = admin_client.post(f"/admin/campaigns/segment/{address}", chosen)

    said = [words for words in told(response) if words.startswith("Nothing was done")]
    assert len(said) == bool(gone)
    assert not gone or f"{gone} of the 2 rows" in said[0]
