from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.admin_base import CappedPaginator
from accounts.enums import Consent, Role
from accounts.models import Partnership, User
from tests.factories import PASSWORD, make_admin, make_manager, make_partner, make_user

pytestmark = pytest.mark.django_db
LIST = "admin:accounts_user_changelist"


@pytest.fixture
def boss(client) -> User:
    boss = make_admin(email="boss@example.com")
    client.force_login(boss)
    return boss


def page(client: Client, name: str, *args, **query) -> Any:
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == 200
    return answer


def change(client: Client, user: User, **fields) -> Any:
    """Post the user's form with these fields changed."""
    url = reverse("admin:accounts_user_change", args=[user.pk])
    form = client.get(url).context["adminform"].form
    data = {key: form.get_initial_for_field(field, key) for key, field in form.fields.items()}
    data = {key: value for key, value in data.items() if value not in (None, False, "")}
    return client.post(url, data | fields)


def found(answer) -> list[str]:
    return [user.email for user in answer.context["cl"].result_list]


def test_an_admin_logs_in_with_the_e_mail_address_whatever_its_case(client) -> None:
    make_admin(email="Boss@Example.com", password=PASSWORD)
    answer = client.post(
        reverse("admin:login"), {"username": "bOSS@example.COM", "password": PASSWORD}
    )
    assert answer.url == reverse("admin:index")


@pytest.mark.parametrize("word", ["ADA", "lovelace", "ada lovelace", "ADA@engine", "2348031"])
def test_people_are_found_by_name_e_mail_and_phone(client, boss, word) -> None:
    make_user(
        first_name="Ada", last_name="Lovelace", email="ada@engine.example", phone="+2348031234567"
    )
    make_user(first_name="Charles", last_name="Babbage")
    assert found(page(client, LIST, q=word)) == ["ada@engine.example"]


def test_a_word_of_two_letters_is_found_at_the_beginning_only(client, boss) -> None:
    make_user(email="a@example.com", last_name="Obi")
    make_user(email="b@example.com", last_name="Kobina")
    assert found(page(client, LIST, q="ob")) == ["a@example.com"]
    assert found(page(client, LIST, q="obi")) == ["b@example.com", "a@example.com"]


def test_people_are_filtered_by_state_and_source_whatever_the_case(client, boss) -> None:
    make_user(email="in@example.com", state="Lagos", referral_source="Word of mouth")
    make_user(state="Lagos", referral_source="Radio")
    make_user(state="Ogun", referral_source="Word of mouth")
    answer = page(client, LIST, state="  lagos", referral_source="WORD of mouth")
    assert found(answer) == ["in@example.com"]


def test_people_are_filtered_by_when_they_joined(client, boss) -> None:
    old = make_user()
    User.objects.filter(pk=old.pk).update(date_joined=timezone.now() - timedelta(days=8))
    assert found(page(client, LIST, joined_within="7")) == [boss.email]
    assert len(found(page(client, LIST, joined_within="30"))) == 2
    assert found(page(client, LIST, joined_within="nonsense")) == []


def test_the_list_costs_the_same_for_one_and_for_many(
    client, boss, django_assert_num_queries
) -> None:
    def queries() -> int:
        with django_assert_num_queries(4) as asked:  # session, viewer, count, rows
            page(client, LIST)
        return len(asked)

    few = queries()
    for _ in range(5):
        make_partner(referred_by_partner=boss)
    assert queries() == few


def test_a_list_longer_than_the_cap_is_not_counted_and_says_so(client, boss, monkeypatch) -> None:
    monkeypatch.setattr(CappedPaginator, "COUNTED_UP_TO", 3)
    for _ in range(3):
        make_user()
    answer = page(client, LIST)
    assert answer.context["cl"].result_count == 3
    assert "3+ people" in answer.content.decode()


def test_a_list_as_long_as_the_cap_is_counted_exactly(client, boss, monkeypatch) -> None:
    monkeypatch.setattr(CappedPaginator, "COUNTED_UP_TO", 3)
    make_user()
    make_user()
    assert "3 people" in page(client, LIST).content.decode()


def test_a_user_is_added_without_a_password_who_never_logs_in(client, boss) -> None:
    answer = client.post(
        reverse("admin:accounts_user_add"),
        {
            "email": "new@example.com",
            "role": Role.CLIENT,
            "marketing_consent": Consent.OPTED_IN,
            "usable_password": "false",
        },
    )
    added = User.objects.get(email="new@example.com")
    assert answer.url == reverse("admin:accounts_user_change", args=[added.pk])
    assert not added.has_usable_password()


def test_a_user_is_added_with_a_password_that_works_and_is_not_stored(client, boss) -> None:
    fields = {"email": "m@example.com", "role": Role.MANAGER, "marketing_consent": "UNKNOWN"}
    secrets = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    client.post(reverse("admin:accounts_user_add"), fields | secrets)
    added = User.objects.get(email="m@example.com")
    assert added.check_password(PASSWORD)
    assert PASSWORD not in added.password


def test_a_weak_password_is_refused(client, boss) -> None:
    fields = {"email": "m@example.com", "role": Role.MANAGER, "marketing_consent": "UNKNOWN"}
    secrets = {"usable_password": "true", "password1": "12345", "password2": "12345"}
    answer = client.post(reverse("admin:accounts_user_add"), fields | secrets)
    assert "password2" in answer.context["adminform"].form.errors
    assert not User.objects.filter(email="m@example.com").exists()


def test_an_address_taken_in_another_case_is_reported_at_the_address(client, boss) -> None:
    make_user(email="taken@example.com")
    answer = change(client, make_user(), email="TAKEN@example.com")
    assert answer.context["adminform"].form.errors == {
        "email": ["A user with this e-mail address exists already."]
    }


def test_a_change_is_saved_through_the_model(client, boss) -> None:
    user = make_user()
    answer = change(
        client, user, state="  Lagos   Island ", country="NG", phone="+234 803 123 4567"
    )
    assert answer.status_code == 302
    user.refresh_from_db()
    assert (user.state, user.state_key, user.phone_e164) == (
        "Lagos Island",
        "lagos island",
        "+2348031234567",
    )


def test_nobody_takes_their_own_access_away(client, boss) -> None:
    answer = change(client, boss, role=Role.CLIENT, is_active="")
    assert answer.context["adminform"].form.errors.keys() == {"role", "is_active"}
    assert client.get(reverse("admin:accounts_user_delete", args=[boss.pk])).status_code == 403


def test_a_password_is_changed_on_a_page_of_its_own(client, boss) -> None:
    user = make_user()
    url = reverse("admin:auth_user_password_change", args=[user.pk])
    assert client.get(url).status_code == 200
    client.post(url, {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD})
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_a_manager_sees_a_user_but_no_hash_and_changes_nothing(client) -> None:
    client.force_login(make_manager())
    user = make_user(password=PASSWORD, first_name="Ada")
    url = reverse("admin:accounts_user_change", args=[user.pk])
    assert "md5" not in client.get(url).content.decode()
    assert client.post(url, {"first_name": "Eve"}).status_code == 403
    user.refresh_from_db()
    assert user.first_name == "Ada"


def test_a_partner_has_the_partnership_on_the_same_page(client, boss) -> None:
    partner = make_partner()
    inlines = page(client, "admin:accounts_user_change", partner.pk).context
    assert [each.opts.model for each in inlines["inline_admin_formsets"]] == [Partnership]
    inlines = page(client, "admin:accounts_user_change", make_user().pk).context
    assert inlines["inline_admin_formsets"] == []


def test_pages_that_show_login_tokens_are_not_there() -> None:
    registered = {model._meta.label for model in admin.site._registry}
    assert registered.isdisjoint(
        {"token_blacklist.OutstandingToken", "token_blacklist.BlacklistedToken", "auth.Group"}
    )
