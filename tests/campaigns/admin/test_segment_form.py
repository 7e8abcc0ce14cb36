"""The form of a segment: what it offers, keeps, refuses, and shows of the past."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from campaigns.audience.revisions import recorded
from campaigns.brevo import BrevoClient
from campaigns.models import Segment, SegmentExport, SegmentRevision
from sandbox.brevo.server import Sandbox
from tests.factories import (
    definition,
    make_agent,
    make_manager,
    make_partner,
    make_property,
    make_segment,
    make_user,
)
from tests.pages import form_of

pytestmark = pytest.mark.django_db
ADD = "admin:campaigns_segment_add"
CHANGE = "admin:campaigns_segment_change"


@pytest.fixture
def manager_client(client: Client) -> Client:
    client.force_login(make_manager(first_name="Mia"))
    return client


def typed(**fields: Any) -> dict[str, Any]:
    return {"name": "Lagos", "match": "ALL", "countries": ["NG"]} | fields


def change(client: Client, segment: Segment, **fields: Any) -> Any:
    return client.post(reverse(CHANGE, args=[segment.pk]), typed(**fields))


def lists_at(brevo: Sandbox) -> list[str]:
    client = BrevoClient(brevo.key, base_url=brevo.url)
    folder = client.ensure_folder("Campaign Segments")
    return [found.name for found in client.lists(folder)]


def test_a_new_segment_has_its_creator_its_list_its_sizes_and_a_revision(manager_client, brevo):
    make_user(country="NG")
    response = manager_client.post(reverse(ADD), typed())
    assert response.status_code == 302
    segment = Segment.objects.get()
    assert segment.created_by.first_name == "Mia"
    assert segment.audience_size == 1
    assert lists_at(brevo) == ["Lagos"]
    assert segment.revisions.get().changed_by == segment.created_by


def test_each_criterion_is_kept_as_the_audience_reads_it(manager_client, brevo):
    home, agent, partner = make_property(), make_agent(), make_partner()
    many = {
        "match": "ANY",
        "gender": ["FEMALE"],
        "properties": [str(home.pk)],
        "states": ["Lagos"],
        "traffic_sources": ["Instagram"],
        "agents": [str(agent.pk)],
        "partners": [str(partner.pk)],
    }
    manager_client.post(reverse(ADD), typed(**many))
    ids = {"properties": [home.pk], "agents": [agent.pk], "partners": [partner.pk]}
    assert Segment.objects.get().definition == definition(many | ids | {"countries": ["NG"]})


def test_without_a_criterion_nothing_is_saved_and_the_form_says_what_to_do(manager_client, brevo):
    response = manager_client.post(reverse(ADD), typed(countries=[]))
    assert "Choose at least one criterion" in response.content.decode()
    assert not Segment.objects.exists()
    assert lists_at(brevo) == []


def test_a_taken_name_is_said_once_at_its_field(manager_client, brevo):
    make_segment(name="lagos", brevo_list_id=7)
    form = manager_client.post(reverse(ADD), typed()).context["adminform"].form
    assert list(form.errors) == ["name"]
    assert len(form.errors["name"]) == 1


def test_a_value_that_is_no_value_is_refused_at_its_field(manager_client, brevo):
    response = manager_client.post(reverse(ADD), typed(countries=["NG", "XX"]))
    form = response.context["adminform"].form
    assert list(form.errors) == ["definition"]
    assert "XX" in form.errors["definition"][0]


def test_what_brevo_refuses_is_shown_with_its_words_and_nothing_is_saved(manager_client, brevo):
    brevo.faults.add("key-revoked@POST /contacts/lists")
    response = manager_client.post(reverse(ADD), typed(description="Typed by hand"))
    shown = response.content.decode()
    assert response.status_code == 200
    assert "Nothing was saved." in shown
    assert "Brevo says: “" in shown
    assert "Make a new key in Brevo" in shown
    assert not Segment.objects.exists()
    assert not SegmentRevision.objects.exists()


def test_what_was_typed_is_kept_when_brevo_refuses(manager_client, brevo):
    brevo.faults.add("key-revoked@POST /contacts/lists")
    response = manager_client.post(reverse(ADD), typed(description="Typed by hand"))
    shown = response.content.decode()
    assert "Typed by hand" in shown
    assert '<option value="NG" selected>' in shown


def test_a_rename_that_brevo_refuses_leaves_the_old_name(manager_client, brevo):
    manager_client.post(reverse(ADD), typed())
    brevo.faults.add("key-revoked@PUT /contacts/lists/*")
    response = change(manager_client, Segment.objects.get(), name="Abuja")
    assert "Nothing was saved." in response.content.decode()
    assert Segment.objects.get().name == "Lagos"


def test_a_segment_and_its_list_stay_together_when_what_follows_the_save_fails(
    manager_client, brevo, monkeypatch
):
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("campaigns.admin.segment.SegmentAdmin.log_addition", fail)
    with pytest.raises(RuntimeError):
        manager_client.post(reverse(ADD), typed())
    assert [segment.name for segment in Segment.objects.all()] == lists_at(brevo) == ["Lagos"]


def test_a_new_list_is_taken_back_when_the_save_fails(manager_client, brevo, monkeypatch):
    def fail(**_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(SegmentRevision.objects, "create", fail)
    with pytest.raises(RuntimeError):
        manager_client.post(reverse(ADD), typed())
    assert not Segment.objects.exists()
    assert lists_at(brevo) == []


def test_a_value_that_vanished_stays_in_its_list_to_be_removed(manager_client):
    palm, sea = make_property("Palm"), make_property("Sea")
    segment = make_segment(properties=[palm.pk, sea.pk], brevo_list_id=7)
    gone = palm.pk
    palm.delete()
    shown = manager_client.get(reverse(CHANGE, args=[segment.pk])).content.decode()
    option = f'<option value="{gone}" selected>Palm (property {gone}, no longer exists)</option>'
    assert option in shown
    assert f'<option value="{sea.pk}" selected>Sea</option>' in shown


def test_an_agent_who_is_none_any_more_stays_in_the_list_with_what_became_of_them(manager_client):
    agent = make_agent(first_name="Ngozi", last_name="Eze")
    segment = make_segment(agents=[agent.pk], brevo_list_id=7)
    agent.role = "CLIENT"
    agent.save()
    shown = manager_client.get(reverse(CHANGE, args=[segment.pk])).content.decode()
    assert f"Ngozi Eze (agent {agent.pk}) is no agent any more</option>" in shown


def test_a_broken_segment_shows_each_problem_and_how_to_mend_it(manager_client):
    palm = make_property("Palm")
    segment = make_segment(properties=[palm.pk], brevo_list_id=7)
    gone = palm.pk
    palm.delete()
    shown = manager_client.get(reverse(CHANGE, args=[segment.pk])).content.decode()
    assert "This segment is broken" in shown
    assert f"<li>Palm (property {gone}) no longer exists.</li>" in shown
    assert "Remove what no longer exists" in shown


def test_a_sound_segment_shows_no_banner(manager_client):
    segment = make_segment(brevo_list_id=7)
    shown = manager_client.get(reverse(CHANGE, args=[segment.pk])).content.decode()
    assert "This segment is broken" not in shown


def test_saving_what_vanished_is_refused_with_the_remedy(manager_client, brevo):
    palm = make_property("Palm")
    segment = make_segment(properties=[palm.pk], brevo_list_id=7)
    gone = str(palm.pk)
    palm.delete()
    form = change(manager_client, segment, properties=[gone]).context["adminform"].form
    assert "Remove it or choose another." in form.errors["definition"][0]


def test_history_tells_changes_people_and_who(manager_client, client):
    make_user(country="GH")
    segment = make_segment(name="Lagos", countries=["NG"], brevo_list_id=7)
    change(manager_client, segment, countries=["NG", "GH"])
    shown = manager_client.get(reverse(CHANGE, args=[segment.pk])).content.decode()
    assert "Countries: Nigeria → Nigeria, Ghana" in shown
    assert "+1 −0 people" in shown  # noqa: RUF001 -- a minus sign
    assert "by Mia" in shown


def test_a_page_with_a_long_history_costs_the_queries_of_a_short_one(
    manager_client, django_assert_max_num_queries
):
    segment = make_segment(countries=["NG"], brevo_list_id=7)
    for country in ("GH", "KE", "ZA", "NG", "GH", "KE"):
        with recorded(segment, by=make_manager()):
            segment.countries = [country]
            segment.save()
    with django_assert_max_num_queries(12):
        manager_client.get(reverse(CHANGE, args=[segment.pk]))


def options(client: Client, key: str, term: str = "") -> list[str]:
    response = client.get(reverse("admin:campaigns_segment_options", args=[key]), {"term": term})
    assert response.status_code == 200
    return [option["text"] for option in response.json()["results"]]


def test_states_are_offered_with_how_many_people_have_each(manager_client):
    for state in ("Lagos", "LAGOS", "lagos", "Kano"):
        make_user(state=state)
    assert options(manager_client, "states") == ["Lagos (3)", "Kano (1)"]
    assert options(manager_client, "states", "KA") == ["Kano (1)"]


def test_a_state_is_offered_as_soon_as_somebody_has_it(manager_client):
    make_user(state="Lagos")
    assert options(manager_client, "states") == ["Lagos (1)"]
    make_user(state="Ogun")
    assert options(manager_client, "states") == ["Lagos (1)", "Ogun (1)"]


def test_a_source_that_few_have_among_very_many_is_offered(manager_client):
    User.objects.bulk_create(
        User(email=f"{n}@example.com", referral_source=f"src{n:04}") for n in range(1200)
    )
    make_user(referral_source="Zebra")
    make_user(referral_source="src1")
    assert options(manager_client, "traffic_sources", "zebra") == ["Zebra (1)"]
    assert options(manager_client, "traffic_sources", "SRC1")[0] == "src1 (1)"
    assert len(options(manager_client, "traffic_sources")) == 50


def test_texts_are_searched_word_for_word_and_not_as_patterns(manager_client):
    make_user(referral_source="50% off")
    make_user(referral_source="50 off")
    assert options(manager_client, "traffic_sources", "0%") == ["50% off (1)"]
    assert options(manager_client, "traffic_sources", "0_") == []


def with_row(client: Client, criterion: str) -> str:
    """Return the page as it is without scripts after “Add condition”."""
    sent = {"builder": "1", "name": "Typed", "_builder": f"add:{criterion}"}
    return client.post(reverse(ADD), sent).content.decode()


def test_the_page_offers_the_states_there_are_without_counting_people(manager_client):
    for state in ("Lagos", "LAGOS", "Kano", "", "Ondo"):
        make_user(state=state)
    with CaptureQueriesContext(connection) as queries:
        shown = with_row(manager_client, "states")
    states = re.findall(r'<option value="(Lagos|LAGOS|Kano|Ondo|)">', shown)
    assert states == ["Kano", "Lagos", "Ondo"]
    assert not [query for query in queries if "GROUP BY" in query["sql"]]


def test_the_page_offers_no_state_where_nobody_has_one(manager_client):
    shown = with_row(manager_client, "states")
    assert re.search(r'<select name="row-1-value"[^>]*>\s*</select>', shown)


def test_agents_are_found_by_name_and_customers_are_not(manager_client):
    make_agent(first_name="Ngozi", last_name="Eze", email="ngozi@example.com")
    make_user(first_name="Ngozi")
    assert options(manager_client, "agents", "ngo") == ["Ngozi Eze (ngozi@example.com)"]


def test_an_unknown_list_offers_nothing(manager_client):
    assert options(manager_client, "shoe_sizes") == []


def test_countries_are_offered_by_name_with_their_flag(manager_client):
    shown = with_row(manager_client, "countries")
    assert '<option value="NG">🇳🇬 Nigeria</option>' in shown


def test_the_lists_are_plain_selects_for_who_has_no_javascript(manager_client):
    make_property("Palm Court")
    shown = with_row(manager_client, "properties")
    assert shown.count("<select ") == 3  # with those of ALL or ANY, and of the operator
    assert ">Palm Court</option>" in shown
    assert "campaigns/admin.css" in shown  # shows the page without a script


def test_an_old_form_does_not_undo_what_somebody_else_changed(manager_client, brevo):
    segment = make_segment(name="Lagos", countries=["NG"], states=["Lagos"])
    address = reverse(CHANGE, args=[segment.pk])
    old = form_of(manager_client.get(address))
    Segment.objects.update(
        definition=definition(states=["Oyo"]), description="Theirs", brevo_list_id=4711
    )

    answer = manager_client.post(address, old | {"row-1-value": ["NG", "GH"]})

    told = " ".join(answer.context["adminform"].form.non_field_errors())
    assert "became “Customers who live in Oyo.”. You chose something else" in told
    assert "Description: “nothing” became “Theirs”." in told
    assert Segment.objects.get().states == ["Oyo"]
    again = form_of(answer)
    assert (again["row-2-value"], again["row-1-value"]) == (["Lagos"], ["NG", "GH"])
    assert manager_client.post(address, again).status_code == 302
    segment = Segment.objects.get()
    assert (segment.states, segment.description) == (["Lagos"], "Theirs")
    assert (set(segment.countries), segment.brevo_list_id) == ({"NG", "GH"}, 4711)
    assert SegmentRevision.objects.latest("pk").changes.keys() == {"definition"}


def test_a_criterion_that_both_changed_is_shown_in_words(manager_client, brevo):
    segment = make_segment(name="Lagos", countries=["NG"])
    address = reverse(CHANGE, args=[segment.pk])
    old = form_of(manager_client.get(address))
    Segment.objects.update(definition=definition(countries=["GH"]))

    answer = manager_client.post(address, old | {"row-1-value": ["NG", "TG"]})

    told = " ".join(answer.context["adminform"].form.non_field_errors())
    assert "in Nigeria.” became “Customers who live in Ghana.”. You chose something" in told
    assert sorted(form_of(answer)["row-1-value"]) == ["NG", "TG"]


POSTED_AND_KEPT = [
    ("traffic_sources", "007"),
    ("traffic_sources", "\u0660\u0660\u0667"),
    ("agents", "007"),
    ("agents", "\u0661\u0662\u0661"),
    ("agents", "9" * 5000),
    ("properties", "²"),
    ("partners", "-1"),
    ("agents", " 1"),
    ("gender", "female"),
]


@pytest.mark.parametrize(("key", "value"), POSTED_AND_KEPT)
def test_a_form_that_is_shown_again_holds_what_was_posted(manager_client, key, value):
    make_agent()
    response = manager_client.post(reverse(ADD), typed(**{"name": "", key: [value]}))
    assert response.status_code == 200
    options = re.findall(r'<option value="([^"]*)" selected>', response.content.decode())
    assert sorted(options) == sorted([value, "NG", "ALL", "any_of", "any_of"])


@pytest.mark.parametrize("value", ["007", "\u0661\u0662\u0661", "9" * 5000, "²", "-1", " 1", "1.0"])
@pytest.mark.parametrize("key", ["agents", "properties", "partners"])
def test_what_is_no_id_is_refused_by_form_and_live_count_alike(manager_client, key, value):
    form = manager_client.post(reverse(ADD), typed(**{key: [value]})).context["adminform"].form
    assert "is not the id of a" in form.errors["definition"][0]
    live = reverse("admin:campaigns_segment_live")
    answer = manager_client.post(live, typed(**{key: [value]})).context["answer"]
    assert answer.problems == list(form.errors["definition"])
    assert answer.sizes is None


def test_a_source_of_digits_survives_a_slip_elsewhere_in_the_form(manager_client, brevo):
    make_user(referral_source="007")
    slip = typed(name="", traffic_sources=["007"])
    shown = manager_client.post(reverse(ADD), slip).content.decode()
    (kept,) = re.findall(r'<option value="(0*7)" selected>', shown)
    manager_client.post(reverse(ADD), slip | {"name": "Bonds", "traffic_sources": [kept]})
    assert Segment.objects.get().traffic_sources == ["007"]


def test_save_and_sync_leads_to_the_plan_of_what_was_saved(manager_client, brevo):
    make_user(country="NG")
    response = manager_client.post(reverse(ADD), typed(_save_and_sync="1"))
    plan = SegmentExport.objects.get()
    assert response["Location"] == reverse("admin:campaigns_segmentexport_change", args=[plan.pk])
    assert (plan.segment, plan.plan_only) == (Segment.objects.get(), True)


@pytest.mark.parametrize("fault", ["key-revoked@POST /contacts/lists", ""])
def test_save_and_sync_plans_nothing_that_was_not_saved(manager_client, brevo, fault):
    if fault:
        brevo.faults.add(fault)
    fields = typed(_save_and_sync="1") | ({} if fault else {"countries": ["XX"]})
    assert manager_client.post(reverse(ADD), fields).status_code == 200
    assert not SegmentExport.objects.exists()
