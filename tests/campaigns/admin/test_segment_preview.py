"""Who is in a segment: paged by keyset, searched, sorted, sent as a file, and explained."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Consent
from accounts.models import User
from campaigns.admin import segment_people
from campaigns.models import Segment
from tests.factories import make_manager, make_property, make_segment, make_user

pytestmark = pytest.mark.django_db
PREVIEW = "admin:campaigns_segment_preview"


@pytest.fixture
def manager_client(client: Client) -> Client:
    client.force_login(make_manager())
    return client


@pytest.fixture
def segment() -> Segment:
    return make_segment(name="Nigeria", countries=["NG"], brevo_list_id=7)


@pytest.fixture
def _small_pages(monkeypatch) -> None:
    monkeypatch.setattr(segment_people, "PAGE", 2)


def seen(client: Client, segment: Segment, query: str = "") -> Any:
    return client.get(f"{reverse(PREVIEW, args=[segment.pk])}?{query}").context["page"]


def names(page: Any) -> list[str]:
    return [person.user.first_name for person in page.people]


def walk(client: Client, segment: Segment, query: str) -> list[list[str]]:
    pages, page = [], seen(client, segment, query)
    while page.people:
        pages.append(names(page))
        if not page.next:
            break
        page = seen(client, segment, page.next)
    return pages


def make_five() -> None:
    for name, email in (("A", "m@x.com"), ("B", "k@x.com"), ("C", "z@x.com"), ("D", "a@x.com")):
        make_user(country="NG", first_name=name, email=email)
    make_user(country="NG", first_name="E", email="q@x.com")
    make_user(country="GH", first_name="Elsewhere")


@pytest.mark.usefixtures("_small_pages")
@pytest.mark.parametrize(
    ("sort", "pages"),
    [
        ("id", [["A", "B"], ["C", "D"], ["E"]]),
        ("-id", [["E", "D"], ["C", "B"], ["A"]]),
        ("email", [["D", "B"], ["A", "E"], ["C"]]),
        ("joined", [["A", "B"], ["C", "D"], ["E"]]),
        ("-joined", [["E", "D"], ["C", "B"], ["A"]]),
        ("-email", [["C", "E"], ["A", "B"], ["D"]]),
    ],
)
def test_everybody_is_shown_once_in_the_order_asked_for(manager_client, segment, sort, pages):
    make_five()
    assert walk(manager_client, segment, f"sort={sort}") == pages


@pytest.mark.usefixtures("_small_pages")
def test_people_who_joined_at_one_moment_are_each_shown_once(manager_client, segment):
    make_five()
    User.objects.update(date_joined=make_manager().date_joined)
    assert walk(manager_client, segment, "sort=-joined") == [["E", "D"], ["C", "B"], ["A"]]


@pytest.mark.usefixtures("_small_pages")
def test_back_from_a_page_leads_to_the_one_before(manager_client, segment):
    make_five()
    second = seen(manager_client, segment, seen(manager_client, segment, "sort=email").next)
    assert names(seen(manager_client, segment, second.previous)) == ["D", "B"]


@pytest.mark.usefixtures("_small_pages")
def test_a_deep_page_is_read_from_its_place_not_counted_to(manager_client, segment):
    make_five()
    first = seen(manager_client, segment)
    with CaptureQueriesContext(connection) as queries:
        seen(manager_client, segment, first.next)
    of_people = [q["sql"] for q in queries if "country" in q["sql"] and "LIMIT" in q["sql"]]
    assert of_people
    assert not [sql for sql in of_people if "OFFSET" in sql or "COUNT(" in sql]


@pytest.mark.parametrize("place", ["", "x|y", "|", "1|99999999999999999999", "2026|3"])
def test_a_place_that_makes_no_sense_is_the_beginning(manager_client, segment, place):
    make_five()
    assert len(seen(manager_client, segment, f"sort=joined&after={place}").people) == 5


def test_search_finds_names_and_addresses_in_the_audience_alone(manager_client, segment):
    make_five()
    make_user(country="NG", first_name="Ngozi", last_name="Eze")
    make_user(country="GH", first_name="Ngozi")
    assert names(seen(manager_client, segment, "q=ngozi eze")) == ["Ngozi"]
    assert names(seen(manager_client, segment, "q=Z@X.com")) == ["C"]


def test_search_for_nobody_says_so(manager_client, segment):
    shown = manager_client.get(reverse(PREVIEW, args=[segment.pk]), {"q": "<b>"}).content.decode()
    assert "Nobody fits “&lt;b&gt;”" in shown


def test_each_person_is_mailable_or_the_reason_is_told(manager_client, segment):
    make_user(country="NG", marketing_consent=Consent.OPTED_OUT)
    make_user(country="NG")
    people = seen(manager_client, segment).people
    assert [person.why_not for person in people] == ["opted out of marketing", ""]


def test_the_last_known_size_is_told_with_its_age(manager_client, segment):
    url = reverse(PREVIEW, args=[segment.pk])
    assert "of them mailable" not in manager_client.get(url).content.decode()
    segment.audience_size, segment.mailable_size = 1204, 1100
    segment.counted_at = timezone.now() - timedelta(hours=3)
    segment.save()
    shown = manager_client.get(url).content.decode()
    assert "<strong>1,204</strong> people, 1,100 of them mailable, counted 3\xa0hours ago" in shown


def test_each_person_leads_to_the_page_that_tells_all_of_them(manager_client, segment):
    ada = make_user(country="NG", first_name="Ada")
    shown = manager_client.get(reverse(PREVIEW, args=[segment.pk])).content.decode()
    assert f'<a href="{reverse("admin:accounts_user_change", args=[ada.pk])}">Ada' in shown


def test_an_audience_of_nobody_says_so(manager_client, segment):
    shown = manager_client.get(reverse(PREVIEW, args=[segment.pk])).content.decode()
    assert "Nobody is in this segment now." in shown


def test_a_page_costs_the_same_however_many_people(
    manager_client, segment, django_assert_max_num_queries
):
    make_five()
    with django_assert_max_num_queries(4):  # session, user, segment, people
        seen(manager_client, segment)


def test_a_broken_segment_shows_nobody_and_how_to_mend_it(manager_client):
    home = make_property()
    segment = make_segment(properties=[home.pk], brevo_list_id=7)
    home.delete()
    make_user()
    shown = manager_client.get(reverse(PREVIEW, args=[segment.pk])).content.decode()
    assert "Nobody knows who is in this segment" in shown
    assert "Mend the segment" in shown


def test_several_segments_are_shown_each_by_its_tab(manager_client, segment):
    make_user(country="GH", first_name="Kofi")
    other = make_segment(name="Ghana", countries=["GH"], brevo_list_id=8)
    url = reverse("admin:campaigns_segment_previews")
    ids = f"{segment.pk},{other.pk}"
    response = manager_client.get(url, {"ids": ids, "show": other.pk})
    assert names(response.context["page"]) == ["Kofi"]
    assert f"show={segment.pk}" in response.content.decode()


def test_the_bulk_action_leads_to_the_preview_of_the_chosen(manager_client, segment):
    data = {"action": "preview_selected", "_selected_action": [segment.pk]}
    response = manager_client.post(reverse("admin:campaigns_segment_changelist"), data)
    assert response.url == f"{reverse('admin:campaigns_segment_previews')}?ids={segment.pk}"


def test_no_chosen_segment_leads_back_to_the_list(manager_client):
    response = manager_client.get(reverse("admin:campaigns_segment_previews"), {"ids": "x,12"})
    assert response.url == reverse("admin:campaigns_segment_changelist")


def rows(client: Client, segment: Segment, **query: str) -> list[dict[str, str]]:
    response = client.get(reverse("admin:campaigns_segment_csv", args=[segment.pk]), query)
    assert response["Content-Type"].startswith("text/csv")
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_the_file_holds_everybody_with_why_not(manager_client, segment):
    make_user(country="NG", first_name="Ada")
    make_user(country="NG", first_name="Bob", marketing_consent=Consent.OPTED_OUT)
    told = [
        (row["first_name"], row["mailable"], row["why_not"])
        for row in rows(manager_client, segment)
    ]
    assert told == [("Ada", "yes", ""), ("Bob", "no", "opted out of marketing")]


def test_the_file_holds_what_was_searched_for(manager_client, segment):
    make_five()
    assert [row["first_name"] for row in rows(manager_client, segment, q="k@")] == ["B"]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_a_name_that_is_a_formula_is_text_in_the_file(manager_client, segment, name):
    make_user(country="NG", first_name=name)
    assert rows(manager_client, segment)[0]["first_name"] == f"'{name}"


def test_the_file_of_a_broken_segment_leads_to_what_is_wrong(manager_client):
    home = make_property()
    segment = make_segment(properties=[home.pk], brevo_list_id=7)
    home.delete()
    response = manager_client.get(reverse("admin:campaigns_segment_csv", args=[segment.pk]))
    assert response.url == reverse(PREVIEW, args=[segment.pk])


def why(client: Client, segment: Segment, user: User, **headers: str) -> str:
    url = reverse("admin:campaigns_segment_why", args=[segment.pk, user.pk])
    return client.get(url, headers=headers).content.decode()


def test_why_somebody_is_in_is_told_by_criterion(manager_client, segment):
    ada = make_user(country="NG", first_name="Ada")
    shown = why(manager_client, segment, ada, **{"HX-Request": "true"})
    assert "✓ Ada lives in Nigeria" in shown
    assert "<html" not in shown


def test_why_is_a_page_of_its_own_without_javascript(manager_client, segment):
    ada = make_user(country="GH", first_name="Ada")
    shown = why(manager_client, segment, ada)
    assert "<html" in shown
    assert "✗ Ada lives in Ghana, not in Nigeria" in shown


def test_why_follows_into_a_group(manager_client):
    inner = [
        {"criterion": "countries", "any_of": ["NG"]},
        {"criterion": "gender", "none_of": ["MALE"]},
    ]
    group = {"match": "ANY", "conditions": inner}
    segment = make_segment(definition={"match": "ALL", "conditions": [group]})
    ada = make_user(country="GH", gender="FEMALE", first_name="Ada")
    shown = why(manager_client, segment, ada)
    assert "✓ Ada meets any of 2 conditions" in shown
    assert "✗ Ada lives in Ghana, not in Nigeria" in shown
    assert "✓ Ada is a woman" in shown


def test_why_of_somebody_who_is_not_there_is_not_found(manager_client, segment):
    url = reverse("admin:campaigns_segment_why", args=[segment.pk, 10**6])
    assert manager_client.get(url).status_code == 404


def test_the_preview_of_a_segment_that_is_not_there_is_not_found(manager_client):
    assert manager_client.get(reverse(PREVIEW, args=[12345])).status_code == 404


@pytest.mark.parametrize(
    "asked", [{"sort": "name"}, {"sort": "--id"}, {"sort": "-"}, {"q": "ada " * 11}]
)
def test_nobody_is_shown_for_what_the_page_does_not_know_and_it_says_so(
    manager_client, segment, asked
):
    make_five()
    response = manager_client.get(reverse(PREVIEW, args=[segment.pk]), asked)

    assert response.context["page"].people == []
    assert len(response.context["messages"]) == 1
    sent = manager_client.get(reverse("admin:campaigns_segment_csv", args=[segment.pk]), asked)
    assert len(b"".join(sent.streaming_content).splitlines()) == 1
