"""What the form shows while it is edited: counted once, unknown rather than zero."""

from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.enums import Consent
from campaigns.admin.segment_live import SAMPLE
from campaigns.models import Segment, Suppression
from tests.factories import make_enrollment, make_manager, make_property, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager_client(client: Client) -> Client:
    client.force_login(make_manager())
    return client


def live(client: Client, **fields: Any) -> str:
    response = client.post(reverse("admin:campaigns_segment_live"), {"match": "ALL"} | fields)
    assert response.status_code == 200
    return response.content.decode()


def sample(client: Client, **fields: Any) -> str:
    return client.post(
        reverse("admin:campaigns_segment_sample"), {"match": "ALL"} | fields
    ).content.decode()


def test_an_empty_definition_says_what_to_do_and_counts_nobody(manager_client):
    make_user()
    shown = live(manager_client)
    assert "Choose at least one criterion" in shown
    assert "people" not in shown


def test_a_definition_shows_its_sentence_and_its_size(manager_client):
    make_user(country="NG")
    make_user(country="NG")
    shown = live(manager_client, countries=["NG"])
    assert "Customers who live in Nigeria." in shown
    assert "<strong>2</strong> people" in shown


def test_an_audience_of_nobody_is_zero_not_unknown(manager_client):
    shown = live(manager_client, countries=["NG"])
    assert "<strong>0</strong> people" in shown
    assert "unknown" not in shown


def test_who_is_held_back_is_told_by_reason(manager_client):
    make_user(country="NG")
    make_user(country="NG", marketing_consent=Consent.OPTED_OUT)
    make_user(country="NG", email="nowhere")
    Suppression.objects.create(email=make_user(country="NG").email)
    shown = live(manager_client, countries=["NG"])
    assert "<dt>mailable</dt><dd>1</dd>" in shown
    assert "<dt>opted out of marketing</dt><dd>1</dd>" in shown
    assert "<dt>the e-mail address cannot be used</dt><dd>1</dd>" in shown
    assert "<dt>the address is suppressed</dt><dd>1</dd>" in shown


def test_total_and_reasons_are_counted_by_one_aggregate_query(manager_client):
    make_user(country="NG")
    with CaptureQueriesContext(connection) as queries:
        live(manager_client, countries=["NG"])
    assert len([query for query in queries if "COUNT(" in query["sql"]]) == 1
    assert len(queries) <= 5  # the session, its user, a savepoint and its release beside it


def test_a_broken_definition_names_what_vanished_and_how_to_mend_it(manager_client):
    home = make_property("Palm")
    gone = home.pk
    home.delete()
    shown = live(manager_client, properties=[gone])
    assert f"Palm (property {gone}) no longer exists." in shown
    assert "Remove it, or choose another" in shown
    assert "<strong>unknown</strong> people" in shown


def test_a_count_that_fails_is_unknown_not_zero(manager_client, monkeypatch):
    def fail(*_: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr("campaigns.admin.segment_live.sizes_of", fail)
    shown = live(manager_client, countries=["NG"])
    assert "<strong>unknown</strong> people" in shown
    assert "The count failed" in shown


def test_ten_people_are_shown_with_why_the_others_are_not_mailed(manager_client):
    home = make_property()
    for number in range(SAMPLE + 2):
        make_enrollment(user=make_user(first_name=f"Ada{number}"), property=home)
    shown = sample(manager_client, properties=[home.pk])
    assert shown.count("<li>") == SAMPLE
    assert shown.count("mailable") == SAMPLE


def test_somebody_held_back_is_shown_with_the_reason(manager_client):
    make_user(country="NG", first_name="Ada", marketing_consent=Consent.OPTED_OUT)
    shown = sample(manager_client, countries=["NG"])
    assert "Ada" in shown
    assert "opted out of marketing" in shown


def test_a_sample_that_fails_is_unknown(manager_client, monkeypatch):
    def fail(self: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr("campaigns.admin.segment_live.audience", fail)
    assert "unknown at the moment" in sample(manager_client, countries=["NG"])


def test_the_sample_costs_one_query_beside_the_login(manager_client, django_assert_num_queries):
    for _ in range(5):
        make_user(country="NG")
    with django_assert_num_queries(3):
        sample(manager_client, countries=["NG"])


def test_names_of_people_are_escaped(manager_client):
    make_user(country="NG", first_name="<b>Ada</b>")
    assert "<b>Ada" not in sample(manager_client, countries=["NG"])


def test_nothing_is_saved_by_looking(manager_client):
    live(manager_client, countries=["NG"], name="Lagos")
    assert not Segment.objects.exists()
