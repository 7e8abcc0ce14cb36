import csv
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from campaigns.enums import SuppressionReason, SuppressionSource
from campaigns.models import Suppression
from campaigns.sync import suppressing
from tests.factories import is_mailable, make_admin, make_manager, make_user

pytestmark = pytest.mark.django_db
LIST = "admin:campaigns_suppression_changelist"


@pytest.fixture
def manager(client) -> User:
    manager = make_manager(email="manager@example.com")
    client.force_login(manager)
    return manager


def suppress(email: str, **fields: Any) -> Suppression:
    return Suppression.objects.create(email=email, **fields)


def rows(client: Client, **query) -> list[str]:
    answer = client.get(reverse(LIST), query)
    assert answer.status_code == 200
    return [row.email for row in answer.context["cl"].result_list]


def add(client: Client, **fields) -> Any:
    return client.post(reverse("admin:campaigns_suppression_add"), fields)


def test_an_address_added_by_hand_says_by_whom_and_finds_its_person(client, manager) -> None:
    person = make_user(email="ada@example.com")
    add(client, email=" ADA@Example.com ", reason="COMPLAINED", note="by phone")
    added = Suppression.objects.get()
    assert (added.email, added.user, added.created_by) == ("ada@example.com", person, manager)
    assert (added.reason, added.source) == ("COMPLAINED", SuppressionSource.ADMIN)


def test_whoever_adds_an_address_is_told_what_that_does(client, manager) -> None:
    form = client.get(reverse("admin:campaigns_suppression_add")).content.decode()
    assert "taken off those it is on by their next sync" in form


def test_an_address_suppressed_already_is_refused_whatever_its_case(client, manager) -> None:
    suppress("ada@example.com")
    answer = add(client, email="ADA@example.com", reason="BY_HAND")
    assert answer.context["adminform"].form.errors.keys() == {"email"}


def test_complaint_added_for_an_address_that_bounced_follows_the_person(client, manager) -> None:
    person = make_user(email="ada@example.com")
    suppressing.suppress("ada@example.com", SuppressionReason.BOUNCED, SuppressionSource.WEBHOOK)
    answer = add(client, email="ADA@example.com", reason="COMPLAINED", note="by phone")
    assert answer.status_code == 302
    row = Suppression.objects.get()
    assert (row.reason, row.note, row.created_by) == ("COMPLAINED", "by phone", manager)
    assert row.reasons == {"COMPLAINED", "BOUNCED"}
    User.objects.filter(pk=person.pk).update(email="next@example.com")
    assert not is_mailable(User.objects.get(pk=person.pk))
    page = client.get(reverse("admin:campaigns_suppression_change", args=[row.pk]))
    assert "Bounced" in page.content.decode()


def test_address_that_can_be_no_address_is_refused_by_the_form(client, manager) -> None:
    answer = add(client, email='"a\x01b"@example.com', reason="BY_HAND")
    assert answer.context["adminform"].form.errors.keys() == {"email"}


def test_whoever_was_deleted_in_brevo_is_allowed_again_by_one_action(client, manager) -> None:
    for email, reason in [("a@b.org", "DELETED"), ("b@b.org", "DELETED"), ("c@b.org", "BY_HAND")]:
        suppress(email, reason=SuppressionReason(reason))
    b = Suppression.objects.get(email="b@b.org")
    suppressing.suppress(
        b.email, SuppressionReason.BLOCKLISTED, SuppressionSource.RECONCILIATION, note="flag"
    )
    chosen = {
        "action": "allow_again",
        "_selected_action": list(Suppression.objects.values_list("pk", flat=True)),
    }
    client.post(reverse(LIST), chosen)
    left = dict(Suppression.objects.values_list("email", "reason"))
    assert left == {"b@b.org": "BLOCKLISTED", "c@b.org": "BY_HAND"}
    assert Suppression.objects.get(email="b@b.org").note == "flag"


def test_the_address_and_the_reason_stay_as_they_are_and_the_note_may_change(
    client, manager
) -> None:
    kept = suppress("ada@example.com", reason=SuppressionReason.UNSUBSCRIBED)
    url = reverse("admin:campaigns_suppression_change", args=[kept.pk])
    client.post(url, {"email": "eve@example.com", "reason": "BOUNCED", "note": "asked again"})
    kept.refresh_from_db()
    assert (kept.email, kept.reason, kept.note) == (
        "ada@example.com",
        "UNSUBSCRIBED",
        "asked again",
    )


def test_suppressions_are_found_by_part_of_the_address_and_by_reason(client, manager) -> None:
    suppress("ada@example.com", reason=SuppressionReason.BOUNCED)
    suppress("ben@example.com")
    assert rows(client, q="ADA@") == ["ada@example.com"]
    assert rows(client, reason__exact="BOUNCED") == ["ada@example.com"]
    assert rows(client, reason__exact="COMPLAINED") == []


def test_the_list_costs_the_same_for_one_and_for_many(
    client, manager, django_assert_num_queries
) -> None:
    def fill(start: int, stop: int) -> None:
        for number in range(start, stop):
            email = f"{number}@example.com"
            suppress(email, user=make_user(email=email), created_by=make_admin())

    fill(0, 1)
    with django_assert_num_queries(4):  # session, viewer, count, rows
        rows(client)
    fill(1, 5)
    with django_assert_num_queries(4):
        rows(client)


def test_the_export_holds_what_the_list_shows(client, manager) -> None:
    suppress("ada@example.com", reason=SuppressionReason.BOUNCED, created_by=manager)
    suppress("ben@example.com", note="=1+1")
    answer = client.get(reverse("admin:campaigns_suppression_export"), {"q": "ada"})
    (row,) = csv.DictReader(answer.getvalue().decode("utf-8-sig").splitlines())
    assert (row["email"], row["reason"], row["created_by"]) == (
        "ada@example.com",
        "BOUNCED",
        "manager@example.com",
    )
    everything = client.get(reverse("admin:campaigns_suppression_export")).getvalue().decode()
    assert "'=1+1" in everything


def test_an_export_with_a_filter_that_does_not_exist_leads_back_to_the_list(
    client, manager
) -> None:
    answer = client.get(reverse("admin:campaigns_suppression_export"), {"nonsense": "1"})
    assert answer.url == reverse(LIST)


def test_deleting_warns_that_brevos_own_block_remains(client, manager) -> None:
    doomed = suppress("ada@example.com")
    url = reverse("admin:campaigns_suppression_delete", args=[doomed.pk])
    assert "Brevo's own block" in client.get(url).content.decode()
    chosen = {"action": "delete_selected", "_selected_action": [doomed.pk]}
    assert "Brevo's own block" in client.post(reverse(LIST), chosen).content.decode()
    client.post(url, {"post": "yes"})
    assert not Suppression.objects.exists()


def test_who_may_not_delete_is_offered_no_deletion(client, settings, manager) -> None:
    settings.ROLE_PERMISSIONS = {"MANAGER": ["campaigns.view_suppression"]}
    kept = suppress("ada@example.com")
    url = reverse("admin:campaigns_suppression_delete", args=[kept.pk])
    assert client.post(url, {"post": "yes"}).status_code == 403
    client.post(reverse(LIST), {"action": "delete_selected", "_selected_action": [kept.pk]})
    assert Suppression.objects.exists()


@pytest.mark.parametrize("typed", ["\uff41da@example.com", "ada@exa\u200bmple.com", " ADA@x.com"])
def test_address_is_read_before_it_is_judged_as_in_the_api(client, typed) -> None:
    client.force_login(make_manager())
    page = reverse("admin:campaigns_suppression_add")

    assert client.post(page, {"email": typed, "reason": "BY_HAND", "note": ""}).status_code == 302
    assert Suppression.objects.get().email in {"ada@example.com", "ada@x.com"}
