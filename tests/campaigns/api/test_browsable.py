"""The API in a browser: for staff who are logged in to the admin."""

import re

import pytest
from django.test import Client

from campaigns.models import Segment
from tests.factories import make_user

pytestmark = pytest.mark.django_db
SEGMENTS = "/api/campaigns/segments/"
HTML = {"Accept": "text/html"}


@pytest.fixture
def browser(admin) -> Client:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(admin)
    return browser


def page_of(response) -> str:
    assert response.status_code == 200
    assert response["Content-Type"] == "text/html; charset=utf-8"
    return str(response.content.decode())


def test_pages_offer_forms_filters_and_pages(browser, segment):
    Segment.objects.bulk_create(Segment(name=f"S{i}", gender=["MALE"]) for i in range(30))

    page = page_of(browser.get(f"{SEGMENTS}?page_size=10", headers=HTML))

    assert 'name="traffic_sources"' in page
    assert re.search(r'<select name="state"', page)
    assert "page=2" in page


@pytest.mark.parametrize(
    "path",
    [
        "segments/{pk}/",
        "segments/{pk}/preview/",
        "segments/{pk}/exports/",
        "exports/",
        "suppressions/",
        "criteria/",
        "stats/",
    ],
)
def test_every_list_and_page_can_be_looked_at(browser, segment, path):
    for _ in range(3):
        make_user(gender="FEMALE")

    path = f"/api/campaigns/{path.format(pk=segment.pk)}"

    assert 'class="response-info"' in page_of(browser.get(path, headers=HTML))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("segments/preview/", 405),
        ("segments/{pk}/sync/", 405),
        ("segments/{pk}/preview/?page_size=0", 400),
        ("segments/{pk}/preview/?cursor=x", 400),
        ("segments/{pk}/preview.csv?format=api", 404),
        ("exports/404/changes/", 404),
    ],
)
def test_a_refusal_is_a_page_too(browser, segment, path, status):
    response = browser.get(f"/api/campaigns/{path.format(pk=segment.pk)}", headers=HTML)

    assert response.status_code == status


def test_filters_that_are_left_open_in_the_form_narrow_nothing(browser, segment):
    left_open = "search=&created_by=&match=&state=&gender=&properties=&ordering="

    assert segment.name in page_of(browser.get(f"{SEGMENTS}?{left_open}", headers=HTML))


def test_a_form_makes_a_segment_when_its_token_is_there(browser, brevo):
    page = page_of(browser.get(SEGMENTS, headers=HTML))
    [token] = set(re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page))
    form = {
        "csrfmiddlewaretoken": token,
        "name": "Women",
        "match": "ALL",
        "description": "",
        "gender": '["FEMALE"]',
        "properties": "[]",
        "countries": "[]",
        "states": "[]",
        "traffic_sources": "[]",
        "agents": "[]",
        "partners": "[]",
    }

    made = browser.post(SEGMENTS, form, headers=HTML)
    refused = browser.post(SEGMENTS, form | {"gender": "women"}, headers=HTML)

    assert made.status_code == 201
    assert Segment.objects.get().gender == ["FEMALE"]
    assert refused.status_code == 400
    assert "gender" in refused.content.decode()


def test_a_session_without_the_token_changes_nothing(browser, brevo):
    sent = {"name": "Women", "gender": ["FEMALE"]}

    response = browser.post(SEGMENTS, sent, content_type="application/json")

    assert response.status_code == 403
    assert response["Content-Type"] == "application/problem+json"
    assert not Segment.objects.exists()


def test_a_program_that_asks_for_nothing_gets_json(api):
    assert api.get(SEGMENTS)["Content-Type"] == "application/json"
    assert api.get(SEGMENTS, headers={"Accept": "*/*"})["Content-Type"] == "application/json"
