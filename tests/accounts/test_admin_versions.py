"""Two people have the same page open: nobody undoes what they did not see."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.admin_base import FastAdmin
from accounts.admin_versions import VersionedForm
from accounts.enums import Consent, PartnershipStatus
from accounts.models import Partnership, User
from campaigns.models import Suppression
from properties.models import Enrollment, Property
from tests.factories import (
    make_admin,
    make_agent,
    make_enrollment,
    make_lead,
    make_partner,
    make_property,
    make_user,
)
from tests.pages import form_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(client) -> User:
    boss = make_admin(first_name="Bob", last_name="Boss")
    client.force_login(boss)
    return boss


def address_of(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def opened(client: Client, row: Any) -> dict[str, list[str]]:
    """Open the row's page and return its form as a browser would send it."""
    return form_of(client.get(address_of(row)))


def saved(client: Client, row: Any, form: dict[str, list[str]], **typed: str) -> Any:
    return client.post(address_of(row), form | {name: [value] for name, value in typed.items()})


def told(answer: Any) -> str:
    assert answer.status_code == 200, "the form should have come back"
    return " ".join(answer.context["adminform"].form.non_field_errors())


def test_an_old_form_does_not_undo_an_opt_out_and_names_it(client, boss) -> None:
    ada = make_user(marketing_consent=Consent.OPTED_IN)
    old = opened(client, ada)
    other = Client()
    other.force_login(make_admin(first_name="Mary", last_name="Obi"))
    assert saved(other, ada, opened(other, ada), marketing_consent="OPTED_OUT").status_code == 302

    answer = saved(client, ada, old, phone="+2348031234567")

    words = told(answer)
    assert "Nothing was saved: Mary Obi changed this person" in words
    assert "Marketing consent: “Opted in” became “Opted out”. This stays." in words
    ada.refresh_from_db()
    assert (ada.marketing_consent, ada.phone) == (Consent.OPTED_OUT, "")
    again = form_of(answer)
    assert (again["marketing_consent"], again["phone"]) == (["OPTED_OUT"], ["+2348031234567"])
    assert saved(client, ada, again).status_code == 302
    ada.refresh_from_db()
    assert (ada.marketing_consent, ada.phone) == (Consent.OPTED_OUT, "+2348031234567")


def test_an_old_form_is_refused_each_time_it_is_sent(client, boss) -> None:
    ada = make_user(marketing_consent=Consent.OPTED_IN)
    old = opened(client, ada)
    User.objects.update(marketing_consent=Consent.OPTED_OUT)
    for _ in range(2):
        assert "Opted out" in told(saved(client, ada, old, phone="+2348031234567"))
    assert User.objects.get(pk=ada.pk).marketing_consent == Consent.OPTED_OUT


def test_an_opt_in_is_not_saved_over_an_opt_out_of_the_same_time_even_on_the_second_try(
    client, boss
) -> None:
    ada = make_user(marketing_consent=Consent.UNKNOWN)
    old = opened(client, ada)
    User.objects.filter(pk=ada.pk).update(marketing_consent=Consent.OPTED_OUT)

    answer = saved(client, ada, old, marketing_consent="OPTED_IN")

    assert "This stays, and what you chose is dropped." in told(answer)
    assert saved(client, ada, form_of(answer)).status_code == 302
    assert User.objects.get(pk=ada.pk).marketing_consent == Consent.OPTED_OUT


def test_whoever_sees_the_opt_out_may_still_record_an_opt_in(client, boss) -> None:
    ada = make_user(marketing_consent=Consent.OPTED_OUT)
    answer = saved(client, ada, opened(client, ada), marketing_consent="OPTED_IN")
    assert answer.status_code == 302
    assert User.objects.get(pk=ada.pk).marketing_consent == Consent.OPTED_IN


def test_a_form_that_does_not_say_what_it_showed_cannot_undo_an_opt_out(client, boss) -> None:
    ada = make_user(marketing_consent=Consent.OPTED_OUT)
    form = opened(client, ada)
    del form["version"]

    answer = saved(client, ada, form, marketing_consent="OPTED_IN", phone="+2348031234567")

    assert "marketing_consent" in answer.context["adminform"].form.errors
    assert form_of(answer)["marketing_consent"] == ["OPTED_OUT"]
    assert User.objects.get(pk=ada.pk).marketing_consent == Consent.OPTED_OUT
    assert saved(client, ada, form, phone="+2348031234567").status_code == 302


@pytest.mark.parametrize("version", ["x", "a:b:c"])
def test_a_version_of_another_make_is_refused(client, boss, version) -> None:
    ada = make_user()
    answer = saved(client, ada, opened(client, ada) | {"version": [version]}, first_name="Eve")
    assert "reload it" in told(answer)
    assert User.objects.get(pk=ada.pk).first_name == ""


def test_what_both_changed_is_named_and_the_second_save_replaces_it(client, boss) -> None:
    ada = make_user(state="Lagos", first_name="Ada")
    old = opened(client, ada)
    User.objects.filter(pk=ada.pk).update(state="Oyo", last_name="Obi")

    answer = saved(client, ada, old, state="Kano")

    words = told(answer)
    assert "State: “Lagos” became “Oyo”. You chose something else" in words
    assert "Last name: “nothing” became “Obi”." in words
    assert saved(client, ada, form_of(answer)).status_code == 302
    ada = User.objects.get(pk=ada.pk)
    assert (ada.state, ada.state_key, ada.last_name) == ("Kano", "kano", "Obi")


def test_a_save_writes_only_what_the_form_changed(client, boss, monkeypatch) -> None:
    ada = make_user(first_name="Ada")
    form = opened(client, ada)
    written = []
    real = User.save

    def save(self, *args, **kwargs) -> None:
        real(self, *args, **kwargs)
        written.extend(self.saved_columns)

    monkeypatch.setattr(User, "save", save)
    saved(client, ada, form, first_name="Ife")
    assert sorted(written) == ["first_name", "updated_at"]


def test_saving_twice_by_a_double_click_is_no_conflict(client, boss) -> None:
    ada = make_user()
    form = opened(client, ada)
    for _ in range(2):
        assert saved(client, ada, form, first_name="Ife").status_code == 302
    assert LogEntry.objects.count() == 2


def test_a_slip_keeps_the_version_so_that_the_corrected_form_is_checked_too(client, boss) -> None:
    ada = make_user(marketing_consent=Consent.OPTED_IN)
    answer = saved(client, ada, opened(client, ada), email="no address")
    User.objects.filter(pk=ada.pk).update(marketing_consent=Consent.OPTED_OUT)
    answer = saved(client, ada, form_of(answer), email="ada@example.com")
    assert "Opted out" in told(answer)


def test_a_deleted_row_is_not_made_anew_by_an_old_form(client, boss) -> None:
    place = make_property()
    form = opened(client, place)
    Property.objects.all().delete()
    answer = saved(client, place, form, city="Lagos")
    assert answer.status_code == 302
    assert not Property.objects.exists()


def test_a_row_on_the_page_of_another_is_checked_too(client, boss) -> None:
    partner = make_partner()
    old = opened(client, partner)
    moment = timezone.now().replace(microsecond=5)
    Partnership.objects.update(status=PartnershipStatus.REJECTED, suspended_at=moment)

    answer = saved(client, partner, old, first_name="Pat")

    assert answer.status_code == 200
    (errors,) = answer.context["inline_admin_formsets"][0].formset.errors
    assert any("Status: “Approved” became “Rejected”." in text for text in errors["__all__"])
    assert User.objects.get(pk=partner.pk).first_name == ""
    again = form_of(answer)
    assert again["partnership-0-status"] == ["REJECTED"]
    assert saved(client, partner, again).status_code == 302
    partner = User.objects.get(pk=partner.pk)
    assert (partner.first_name, partner.partnership.status) == ("Pat", PartnershipStatus.REJECTED)
    assert partner.partnership.suspended_at == moment


def test_a_row_on_the_page_of_another_that_is_gone_is_said_to_be(client, boss) -> None:
    partner = make_partner()
    old = opened(client, partner)
    Partnership.objects.all().delete()

    page = saved(client, partner, old, **{"partnership-0-status": "REJECTED"})

    assert page.status_code == 200
    assert "It was deleted after you opened this page. Reload" in page.content.decode()
    assert not Partnership.objects.exists()


CASES: dict[str, Any] = {
    "user": (make_user, {"email": "new@example.com"}, {"first_name": "Ife"}),
    "partnership": (
        lambda: make_partner().partnership,
        {"status": PartnershipStatus.REJECTED},
        {"suspended_at_0": "2026-01-01", "suspended_at_1": "10:00:00"},
    ),
    "property": (make_property, {"name": "Palm Court"}, {"city": "Ibadan"}),
    "enrollment": (make_enrollment, {"status": "CANCELLED"}, {"amount": "5"}),
    "lead": (
        lambda: make_lead(closed_by=make_agent()),
        {"closed_by": None},
        {"status": "RESERVED"},
    ),
}


@pytest.mark.parametrize("kind", CASES)
def test_every_form_refuses_to_save_over_what_it_did_not_show(client, boss, kind) -> None:
    make, theirs, mine = CASES[kind]
    row = make()
    old = opened(client, row)
    type(row).objects.filter(pk=row.pk).update(**theirs)

    answer = saved(client, row, old, **mine)

    assert "Nothing was saved" in told(answer)
    assert saved(client, row, form_of(answer)).status_code == 302
    (name, value), fresh = theirs.popitem(), type(row).objects.get(pk=row.pk)
    assert getattr(fresh, name) == value


@pytest.mark.parametrize("kind", CASES)
def test_a_form_that_changes_nothing_is_never_stale_by_itself(client, boss, kind) -> None:
    row = CASES[kind][0]()
    before = type(row).objects.values().get(pk=row.pk)
    assert saved(client, row, opened(client, row)).status_code == 302
    assert type(row).objects.values().get(pk=row.pk) == before


def test_a_note_is_not_saved_over_another_note(client, boss) -> None:
    row = Suppression.objects.create(email="a@example.com")
    old = opened(client, row)
    Suppression.objects.update(note="Theirs", reason="COMPLAINED")
    assert "Note: “nothing” became “Theirs”. You chose" in told(
        saved(client, row, old, note="Mine")
    )


def test_every_page_that_saves_rows_checks_them() -> None:
    for model_admin in admin.site._registry.values():
        if not model_admin.__class__.__module__.startswith(("accounts", "properties", "campaigns")):
            continue
        assert isinstance(model_admin, FastAdmin)
        assert not model_admin.list_editable, "rows saved from a list are not checked"
        assert all(issubclass(inline.form, VersionedForm) for inline in model_admin.inlines)


def test_an_enrolment_keeps_the_moment_that_the_form_rounds(client, boss) -> None:
    row = make_enrollment(enrolled_at=timezone.now().replace(microsecond=123))
    saved(client, row, opened(client, row), amount="12.50")
    assert Enrollment.objects.get().enrolled_at.microsecond == 123


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite writes one thing at a time")
def test_the_row_is_locked_from_the_check_to_the_save(client, boss) -> None:
    ada = make_user()
    form = opened(client, ada)
    with CaptureQueriesContext(connection) as asked:
        saved(client, ada, form, first_name="Ife")
    queries = [query["sql"] for query in asked.captured_queries]
    (lock,) = [i for i, sql in enumerate(queries) if "FOR NO KEY UPDATE" in sql]
    (write,) = [i for i, sql in enumerate(queries) if sql.startswith('UPDATE "accounts_user"')]
    assert lock < write
    assert not any("COMMIT" in sql or "RELEASE" in sql for sql in queries[lock:write])
