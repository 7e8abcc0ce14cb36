import csv
from urllib.parse import quote

import pytest

from accounts.enums import Consent, Gender
from accounts.models import User
from campaigns.models import Segment
from tests.campaigns.api.reading import fields, problem_of
from tests.factories import definition, make_property, make_user

pytestmark = pytest.mark.django_db
DRAFT = "/api/campaigns/segments/preview/"
WOMEN = {"gender": ["FEMALE"]}


def women(number: int) -> list[User]:
    return [make_user(gender=Gender.FEMALE, first_name=f"Ada {i}") for i in range(number)]


@pytest.fixture
def path(segment) -> str:
    return f"/api/campaigns/segments/{segment.pk}/preview/"


def ids(answer) -> list[int]:
    return [person["id"] for person in answer["results"]]


def test_preview_shows_who_matches_and_whether_they_may_be_mailed(api, path) -> None:
    chi = make_user(
        gender=Gender.FEMALE,
        first_name="Ada",
        last_name="Obi",
        email="Chi@example.com",
        phone="+234 803 123 4567",
        country="NG",
        state="Lagos",
        referral_source="Radio",
    )
    eve = make_user(gender=Gender.FEMALE, marketing_consent=Consent.OPTED_OUT)
    make_user(gender=Gender.MALE)

    answer = api.get(path).json()

    assert (answer["count"], answer["next"], answer["previous"]) == (2, None, None)
    assert answer["results"][0] == {
        "id": chi.pk,
        "name": "Ada Obi",
        "email": "Chi@example.com",
        "phone": "+234 803 123 4567",
        "gender": "FEMALE",
        "country": "NG",
        "state": "Lagos",
        "referral_source": "Radio",
        "mailable": True,
    }
    assert (answer["results"][1]["id"], answer["results"][1]["mailable"]) == (eve.pk, False)


def turned(ask, path) -> list[list[int]]:
    """Return the ids page by page, forwards and then backwards to the first page."""
    answer = ask(path)
    pages = [ids(answer)]
    for direction in ("next", "previous"):
        while answer[direction]:
            answer = ask(answer[direction])
            assert answer["count"] == 7
            pages.append(ids(answer))
    return pages


@pytest.mark.parametrize("saved", [True, False])
def test_pages_can_be_turned_there_and_back(api, path, saved) -> None:
    everybody = [user.pk for user in women(7)]

    def ask(url: str) -> dict[str, object]:
        response = api.get(url) if saved else api.post(url, WOMEN)
        answer: dict[str, object] = response.json()
        return answer

    pages = turned(ask, f"{path if saved else DRAFT}?page_size=3")

    first, second, third = everybody[:3], everybody[3:6], everybody[6:]
    assert pages == [first, second, third, second, first]


def test_a_deep_page_asks_as_little_as_the_first(api, path, django_assert_num_queries) -> None:
    women(7)
    following = api.get(f"{path}?page_size=2").json()["next"]

    with django_assert_num_queries(2):  # the segment, and the page: the count is carried along
        api.get(following)


@pytest.mark.parametrize("number", [1, 60])
def test_preview_costs_the_same_however_many_match(
    api, path, number, django_assert_num_queries
) -> None:
    women(number)

    with django_assert_num_queries(3):
        assert len(api.get(f"{path}?page_size=100").json()["results"]) == number


def test_a_cursor_of_another_definition_is_refused(api, path, segment) -> None:
    women(3)
    following = api.get(f"{path}?page_size=2").json()["next"]
    Segment.objects.filter(pk=segment.pk).update(definition=definition(gender=["MALE"]))

    assert fields(problem_of(api.get(following), 400)) == [("cursor", "invalid")]
    following = api.post(f"{DRAFT}?page_size=2", WOMEN).json()["next"]
    response = api.post(following, {"gender": ["MALE"]})
    assert fields(problem_of(response, 400)) == [("cursor", "invalid")]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page_size=0", "page_size"),
        ("page_size=101", "page_size"),
        ("page_size=-1", "page_size"),
        ("page_size=ten", "page_size"),
        ("page_size=", "page_size"),
        ("page_size=²", "page_size"),
        (f"page_size={'9' * 5000}", "page_size"),
        ("cursor=", "cursor"),
        ("cursor=abc", "cursor"),
        ("cursor=WzEsMiwzXQ:1abc:def", "cursor"),
        ("cursor=%00", "cursor"),
        ("page=2", "page"),
    ],
)
def test_a_page_that_cannot_be_meant_is_refused(api, path, query, field) -> None:
    assert fields(problem_of(api.get(f"{path}?{query}"), 400)) == [(field, "invalid")]


def test_a_broken_segment_shows_nobody_and_says_why(api, path, segment) -> None:
    Segment.objects.filter(pk=segment.pk).update(definition=definition(properties=[4711]))
    women(1)

    problem = problem_of(api.get(path), 409)

    assert problem["type"] == "urn:problem:segment-broken"
    assert [error["message"] for error in problem["errors"]] == ["Property 4711 no longer exists."]
    assert api.get(path.replace("preview/", "preview.csv")).status_code == 409


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({}, ("non_field_errors", "no_criteria")),
        ({"gender": []}, ("non_field_errors", "no_criteria")),
        ({"gender": ["X"]}, ("gender", "invalid")),
        ({"properties": [4711]}, ("properties", "gone")),
        ({"match": "NONE", "gender": ["MALE"]}, ("match", "invalid")),
        ({"sex": ["MALE"]}, ("sex", "unknown")),
        ({"gender": ["MALE"], "name": 1}, ("name", "invalid")),
        ({"gender": ["MALE"], "name": "a\x00b"}, ("name", "invalid_characters")),
        ({"gender": ["MALE"], "description": []}, ("description", "invalid")),
        ([], ("non_field_errors", "invalid")),
        ("text", ("non_field_errors", "invalid")),
    ],
)
def test_criteria_that_could_not_be_saved_cannot_be_previewed(api, sent, wrong) -> None:
    assert fields(problem_of(api.post(DRAFT, sent), 400)) == [wrong]


def test_what_a_segment_is_made_of_can_be_previewed_first(api, segment) -> None:
    women(2)
    palm = make_property()

    same_name = {"name": segment.name, "description": "…", "match": "ANY", "properties": [palm.pk]}

    assert api.post(DRAFT, WOMEN | same_name).json()["count"] == 2
    assert api.post(DRAFT, WOMEN | {"name": ""}).json()["count"] == 2


def rows_of(response) -> list[list[str]]:
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(response.getvalue().decode().splitlines()))


def test_csv_holds_everybody_and_nothing_a_spreadsheet_would_execute(api, path, segment) -> None:
    make_user(
        gender=Gender.FEMALE,
        first_name="=HYPERLINK(1)",
        phone="+2348031234567",
        state="@SUM(1)",
        referral_source="-2+3",
        email="+evil@example.com",
    )
    make_user(gender=Gender.FEMALE, phone="+1+cmd|' /C calc'!A0")
    women(600)

    response = api.get(path.replace("preview/", "preview.csv"), headers={"Accept": "text/csv"})

    header, first, second, *rest = rows_of(response)
    assert header == [
        *("id", "name", "email", "phone", "gender", "country", "state"),
        *("referral_source", "mailable"),
    ]
    assert first[1:] == [
        "'=HYPERLINK(1)",
        "'+evil@example.com",
        "+2348031234567",
        *("FEMALE", "", "'@SUM(1)", "'-2+3", "True"),
    ]
    assert second[3] == "'+1+cmd|' /C calc'!A0"
    assert len(rest) == 600
    assert response["Content-Disposition"] == f'attachment; filename="segment-{segment.pk}.csv"'


def test_csv_of_a_segment_that_is_not_there_is_a_problem(api) -> None:
    path = "/api/campaigns/segments/404404/preview.csv"

    problem_of(api.get(path, headers={"Accept": "text/csv"}), 404)


def test_somebody_deactivated_is_previewed_no_more(api, path) -> None:
    [ada] = women(1)
    User.objects.filter(pk=ada.pk).update(is_active=False)

    assert api.get(path).json()["count"] == 0


def test_why_somebody_is_in_and_whether_they_may_be_mailed_is_told(api, path) -> None:
    eve = make_user(gender=Gender.FEMALE, marketing_consent=Consent.OPTED_OUT)
    bob = make_user(gender=Gender.MALE)

    told = {
        user.pk: api.get(path.replace("preview/", f"why/{user.pk}/")).json() for user in (eve, bob)
    }

    assert (told[eve.pk]["is_in"], told[eve.pk]["held_back"]) == (True, "OPTED_OUT")
    assert (told[bob.pk]["is_in"], told[bob.pk]["held_back"]) == (False, "")
    assert told[bob.pk]["sentence"].startswith("Customers who")
    [answer] = told[bob.pk]["answers"]
    assert (answer["key"], answer["matched"]) == ("gender", False)


def test_why_in_a_broken_segment_or_of_nobody_is_refused(api, path, segment) -> None:
    why = path.replace("preview/", "why/{}/")
    problem_of(api.get(why.format(404404)), 404)
    Segment.objects.filter(pk=segment.pk).update(definition=definition(properties=[4711]))

    problem_of(api.get(why.format(make_user().pk)), 409)


@pytest.mark.parametrize("search", ["ngozi", "EZE", "ngozi eze", "eze@", "+23480312", "ng"])
def test_a_preview_is_searched_by_name_e_mail_and_phone(api, path, search) -> None:
    found = make_user(
        gender=Gender.FEMALE,
        first_name="Ngozi",
        last_name="Eze",
        email="eze@example.com",
        phone="+234 803 123 4567",
    )
    women(2)
    make_user(gender=Gender.MALE, first_name="Ngozi", last_name="Eze")

    saved = api.get(path, {"search": search})
    draft = api.post(f"{DRAFT}?search={quote(search)}", WOMEN)
    for answer in (saved, draft):
        assert (answer.json()["count"], ids(answer.json())) == (1, [found.pk])


def test_the_pages_of_a_searched_preview_stay_searched(api, path) -> None:
    women(3)
    make_user(gender=Gender.FEMALE, first_name="Eve")
    first = api.get(path, {"search": "ada", "page_size": 2}).json()
    second = api.get(first["next"]).json()
    assert [first["count"], len(first["results"]), len(second["results"])] == [3, 2, 1]


def test_why_is_asked_by_e_mail_in_any_case(api, path, segment) -> None:
    eve = make_user(gender=Gender.FEMALE, email="Eve@example.com", marketing_consent="OPTED_OUT")
    why = path.replace("preview/", "why/")

    shown = api.get(why, {"email": " eVE@Example.com "}).json()

    assert shown == api.get(f"{why}{eve.pk}/").json()
    assert (shown["user"], shown["is_in"], shown["held_back"]) == (eve.pk, True, "OPTED_OUT")
    assert shown["on_list"] is False


def test_why_by_e_mail_says_who_is_on_the_list_under_an_address_of_before(
    api, path, segment
) -> None:
    ada = make_user(gender=Gender.FEMALE, email="old@example.com")
    api.post(path.replace("preview/", "sync/"), {})
    User.objects.filter(pk=ada.pk).update(email="new@example.com")

    for email in ("old@example.com", "new@example.com"):
        shown = api.get(path.replace("preview/", "why/"), {"email": email}).json()
        assert (shown["user"], shown["on_list"]) == (ada.pk, True)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 400),
        ({"email": ""}, 400),
        ({"email": "x\x00"}, 400),
        ({"email": "x" * 400}, 400),
        ({"email": "nobody@example.com"}, 404),
        ({"mail": "a@example.com"}, 400),
    ],
)
def test_why_by_e_mail_refuses_what_names_nobody(api, path, query, status) -> None:
    problem_of(api.get(path.replace("preview/", "why/"), query), status)
