# ruff: noqa: RUF001 -- letters that look alike are what is tested
"""What is typed into a search box finds the same rows on every database, at every door."""

from typing import Any

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import User
from accounts.searching import matching, search
from accounts.text import fold
from campaigns.models import ExportChange, Segment, SegmentExport, Suppression
from properties.models import Property
from tests.factories import make_admin, make_property, make_user

pytestmark = pytest.mark.django_db

COLUMNS = ("email", "first_name", "last_name", "phone_e164")
TYPED = [
    ("Émile", "émile"),
    ("Émile", "ÉMILE"),
    ("Émile", "E\u0301MILE"),
    ("E\u0301mile", "émi"),
    ("Öztürk", "öztürk"),
    ("ÖZTÜRK", "türk"),
    ("İzmir", "izmir"),
    ("Izmir", "İZMİR"),
    ("Diyarbakır", "DİYARBAKIR"),
    ("Straße", "STRASSE"),
    ("Ọ̀ṣun", "ọ̀ṣUN"),
    ("Łódź", "łÓDŹ"),
    ("Ada\u200bm", "adam"),
    ("Adam", "ad\u200bam"),
    ("Ёлка", "ёлка"),
    ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ("李小龍", "李小龍"),
    ("李小龍", "李"),
    ("Ｊｏｈｎ", "john"),
    ("O'Neil", "o'neil"),
    ("100% sure", "100%"),
    ("under_score", "r_s"),
]


@pytest.fixture
def admin(client) -> Any:
    client.force_login(make_admin())
    return client


@pytest.fixture
def api() -> APIClient:
    client = APIClient()
    client.force_authenticate(make_admin())
    return client


def shown(client: Any, model: str, **asked: str) -> list[Any]:
    answer = client.get(reverse(f"admin:{model}_changelist"), asked)
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)


@pytest.mark.parametrize(("name", "typed"), TYPED)
def test_person_is_found_by_a_name_in_any_spelling(admin, name, typed) -> None:
    make_user(first_name="Somebody", last_name="Else")
    user = make_user(last_name=name)

    assert shown(admin, "accounts_user", q=typed) == [user]


@pytest.mark.parametrize(("name", "typed"), TYPED)
def test_segment_is_found_by_its_name_and_its_description_at_both_doors(
    admin, api, name, typed
) -> None:
    one, two = Segment(name=f"a {name}", gender=["FEMALE"]), Segment(name="b", gender=["FEMALE"])
    two.description = f"for {name}"
    Segment.objects.bulk_create([one, two, Segment(name="c", gender=["FEMALE"])])

    assert shown(admin, "campaigns_segment", q=typed) == [one, two]
    found = api.get("/api/campaigns/segments/", {"search": typed}).json()["results"]
    assert [each["name"] for each in found] == [one.name, two.name]


@pytest.mark.parametrize(("name", "typed"), TYPED)
def test_property_and_run_are_found_by_their_names(admin, name, typed) -> None:
    named, placed = make_property(name=f"a {name}"), make_property(name="b", city=name)
    make_property(name="c", city="d")
    export = SegmentExport.objects.create(segment_name=name)
    SegmentExport.objects.create(segment_name="another")

    assert shown(admin, "properties_property", q=typed) == [named, placed]
    assert shown(admin, "campaigns_segmentexport", q=typed) == [export]


@pytest.mark.parametrize(("name", "typed"), TYPED)
def test_line_of_a_run_is_found_by_the_name_of_its_person(api, name, typed) -> None:
    export = SegmentExport.objects.create(segment_name="Women")
    for person in (make_user(first_name=name), make_user(first_name="Nobody")):
        line = {"email": person.email_key, "user": person, "kind": "JOIN"}
        ExportChange.objects.create(export=export, **line)

    path = f"/api/campaigns/exports/{export.pk}/changes/"
    assert api.get(path, {"search": typed}).json()["count"] == 1


@pytest.mark.parametrize(
    "typed", ["bücher", "BÜCHER.example", "info@bücher", "xn--bcher-kva", "INFO@xn--"]
)
def test_suppression_of_an_international_address_is_found_in_either_form(admin, api, typed) -> None:
    row = Suppression.objects.create(email="info@bücher.example")
    Suppression.objects.create(email="other@example.com")

    assert shown(admin, "campaigns_suppression", q=typed) == [row]
    found = api.get("/api/campaigns/suppressions/", {"search": typed}).json()
    assert found["count"] == 1


@pytest.mark.parametrize(
    "typed",
    [
        "0803 123 4567",
        "08031234567",
        "+234 803 123 4567",
        "+234 (0)803 123-4567",
        "00234 803 123 4567",
        "803-123-4567",
        "8031234567",
        "+2348031234567",
        "1234567",
        "٠٨٠٣١٢٣٤٥٦٧",
    ],
)
def test_phone_is_found_in_any_local_spelling(admin, typed) -> None:
    make_user(phone="+2348039999999")
    user = make_user(phone="+2348031234567")

    assert shown(admin, "accounts_user", q=typed) == [user]


def test_every_word_must_be_found_and_nothing_typed_finds_everybody(admin) -> None:
    ada = make_user(first_name="Ada", last_name="Öztürk")
    make_user(first_name="Ada", last_name="Obi")

    assert shown(admin, "accounts_user", q="öztürk ADA") == [ada]
    assert len(shown(admin, "accounts_user", q="\u200b")) == 3


@pytest.mark.parametrize("typed", ["word " * 1900, "x" * 201, "a b c d e f g h i j k"])
def test_search_for_too_much_is_refused_in_a_sentence(admin, api, typed) -> None:
    told = "Search for 10 words and 200 characters at most."

    page = admin.get(reverse("admin:accounts_user_changelist"), {"q": typed})
    assert told in page.content.decode()
    assert list(page.context["cl"].result_list) == []
    answer = api.get("/api/campaigns/segments/", {"search": typed})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"] == told


def test_lists_are_sorted_alike_whatever_the_case_at_both_doors(admin, api) -> None:
    names = ["apple", "Banana", "Zebra", "élan", "Ömer"]
    Segment.objects.bulk_create(Segment(name=name, gender=["FEMALE"]) for name in reversed(names))
    for name in reversed(names):
        make_property(name=name)

    assert [str(each) for each in shown(admin, "campaigns_segment")] == names
    assert [str(each) for each in shown(admin, "properties_property")] == names
    for ordering in ("", "name"):
        found = api.get(f"/api/campaigns/segments/?ordering={ordering}".removesuffix("?ordering="))
        assert [each["name"] for each in found.json()["results"]] == names
    assert [str(each) for each in shown(admin, "campaigns_segment", o="-1")] == names[::-1]


@pytest.mark.parametrize(("sign", "expected"), [("", [1, 2, None]), ("-", [2, 1, None])])
def test_unknown_size_is_last_in_both_directions_at_both_doors(admin, api, sign, expected) -> None:
    for size in (None, 2, 1):
        Segment.objects.bulk_create(
            [Segment(name=f"Size {size}", gender=["MALE"], mailable_size=size, audience_size=size)]
        )

    for column in ("mailable_size", "audience_size"):
        found = api.get(f"/api/campaigns/segments/?ordering={sign}{column}").json()["results"]
        assert [each[column] for each in found] == expected
    on_page = shown(admin, "campaigns_segment", o=f"{sign}2")
    assert [each.audience_size for each in on_page] == expected


def test_property_with_the_name_of_another_in_another_spelling_is_refused(admin) -> None:
    make_property(name="Palm Court")

    answer = admin.post(
        reverse("admin:properties_property_add"), {"name": "PALM  court\u200b", "city": ""}
    )

    assert answer.context["adminform"].form.errors["name"] == [
        "A property named “Palm Court” exists already: choose another name."
    ]
    assert Property.objects.count() == 1


@pytest.mark.parametrize("model", [User, Property])
def test_country_in_small_letters_is_kept_and_found_in_capitals(model) -> None:
    fields = {"email": "ada@example.com"} if model is User else {"name": "Palm Court"}
    row = model.objects.create(country="ng", **fields)

    assert row.country == "NG"
    assert model.objects.filter(country="ng").update(country="gh") == 1
    assert model.objects.get().country == "GH"
    row.country = "ng"
    row.clean_fields(exclude={"password", "email_key"})
    assert row.country == "NG"


LETTERS = "aAeÉéİıisſßŒœΣςσ\u0301\u200bＫK李"


@given(name=st.text(LETTERS, max_size=6), typed=st.text(LETTERS, min_size=1, max_size=3))
def test_database_finds_what_python_finds(name, typed) -> None:
    User.objects.all().delete()
    make_user(email="1@2.example", last_name=name)
    wanted = fold(typed)
    found = search(User.objects.all(), typed, ("last_name",)).exists()

    at = str.__contains__ if len(wanted) > 2 else str.startswith
    expected = at(fold(name), wanted)
    assert found == expected, (ascii(name), ascii(typed))


def test_word_of_marks_alone_narrows_nothing() -> None:
    make_user()

    assert search(User.objects.all(), "\u200b \ufeff", COLUMNS).count() == 1
    assert not User.objects.filter(matching("nobody", COLUMNS)).exists()
