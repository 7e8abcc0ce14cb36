from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from properties.enums import LeadStatus
from properties.models import Enrollment, Property
from tests.factories import (
    make_admin,
    make_agent,
    make_enrollment,
    make_lead,
    make_manager,
    make_property,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def boss(client) -> None:
    client.force_login(make_admin())


def rows(client: Client, model: str, **query) -> list[Any]:
    answer = client.get(reverse(f"admin:properties_{model}_changelist"), query)
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)


def test_enrolments_are_found_by_customer_property_agent_and_status(client) -> None:
    agent = make_agent()
    wanted = make_enrollment(user=make_user(first_name="Ada", last_name="Obi"), agent=agent)
    make_enrollment(agent=agent)
    make_enrollment(user=make_user(first_name="Ada", last_name="Eze"))
    by_agent = {"agent__id__exact": agent.pk}
    assert rows(client, "enrollment", q="ada obi") == [wanted]
    assert rows(client, "enrollment", q="ada", **by_agent) == [wanted]
    assert rows(client, "enrollment", property__id__exact=wanted.property_id) == [wanted]
    assert rows(client, "enrollment", status__exact="CANCELLED") == []


def test_leads_are_found_by_client_and_who_closed_them(client) -> None:
    agent = make_agent()
    wanted = make_lead(client=make_user(email="ada@example.com"), closed_by=agent)
    make_lead(client=make_user(email="ben@example.com"))
    assert rows(client, "lead", q="ADA@") == [wanted]
    assert rows(client, "lead", closed_by__id__exact=agent.pk) == [wanted]


@pytest.mark.parametrize("model", ["enrollment", "lead", "property"])
def test_a_list_costs_the_same_for_one_row_and_for_many(
    client, model, django_assert_num_queries
) -> None:
    def grow(times: int) -> None:
        for _ in range(times):
            make_enrollment(agent=make_agent())
            make_lead(closed_by=make_agent())

    asked = 5 if model == "property" else 4  # session, viewer, count, rows, and used countries
    grow(1)
    with django_assert_num_queries(asked):
        rows(client, model)
    grow(4)
    with django_assert_num_queries(asked):
        rows(client, model)


def test_properties_are_filtered_by_country_and_shown_with_its_name(client) -> None:
    wanted = make_property("Palm Court", country="NG")
    make_property("Harbour View", country="GH")
    answer = client.get(reverse("admin:properties_property_changelist"), {"country": "NG"})
    assert list(answer.context["cl"].result_list) == [wanted]
    assert "🇳🇬 Nigeria" in answer.content.decode()


def test_a_property_gets_a_country_by_its_name_and_no_invented_one(client) -> None:
    url = reverse("admin:properties_property_add")
    assert '<option value="NG">Nigeria</option>' in client.get(url).content.decode()
    refused = client.post(url, {"name": "A", "country": "XX"})
    assert refused.context["adminform"].form.errors.keys() == {"country"}
    client.post(url, {"name": " Palm   Court ", "country": "NG"})
    assert Property.objects.get().name == "Palm Court"


def test_deleting_a_property_names_no_more_than_the_number_of_what_goes_too(client) -> None:
    doomed = make_property()
    for _ in range(3):
        make_enrollment(property=doomed)
    kept = make_enrollment()
    url = reverse("admin:properties_property_delete", args=[doomed.pk])
    shown = client.get(url)
    assert dict(shown.context["model_count"]) == {"properties": "1", "enrolments": "3"}
    assert client.post(url, {"post": "yes"}).status_code == 302
    assert list(Enrollment.objects.all()) == [kept]


def test_a_manager_looks_at_properties_and_changes_none(client) -> None:
    client.force_login(make_manager())
    palm_court = make_property("Palm Court")
    url = reverse("admin:properties_property_change", args=[palm_court.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, {"name": "Mine"}).status_code == 403
    assert client.get(reverse("admin:properties_property_add")).status_code == 403


def test_the_field_for_an_agent_offers_agents_only(client) -> None:
    agent = make_agent(first_name="Ada")
    make_user(first_name="Ada")
    source = {"app_label": "properties", "model_name": "enrollment", "field_name": "agent"}
    answer = client.get(reverse("admin:autocomplete"), {"term": "ada", **source})
    assert [each["id"] for each in answer.json()["results"]] == [str(agent.pk)]


def test_dates_are_told_in_one_way_that_no_country_misreads(client) -> None:
    moment = datetime(2026, 3, 2, 15, 4, tzinfo=UTC)
    make_lead(closed_at=moment, status=LeadStatus.CLOSED)
    shown = client.get(reverse("admin:properties_lead_changelist")).content.decode()
    assert "2 Mar 2026, 15:04" in shown


def test_an_empty_list_is_told_from_one_where_nothing_fits(client) -> None:
    url = reverse("admin:properties_enrollment_changelist")
    assert "No enrolments yet" in client.get(url).content.decode()
    make_enrollment()
    assert "Nothing was found for “&lt;b&gt;”." in client.get(url, {"q": "<b>"}).content.decode()
    filtered = client.get(url, {"status__exact": "CANCELLED"}).content.decode()
    assert "The filters leave nothing." in filtered
    assert "No enrolments yet" not in filtered


def test_who_may_not_add_is_not_offered_to(client) -> None:
    client.force_login(make_manager())
    shown = client.get(reverse("admin:properties_enrollment_changelist")).content.decode()
    assert "No enrolments yet" in shown
    assert "Add enrolment" not in shown
