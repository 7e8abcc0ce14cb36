"""Deleting segments takes their Brevo lists; what Brevo refuses to let go stays."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.models import ListMember, Segment
from sandbox.brevo.server import Sandbox
from tests.factories import make_manager, make_segment, make_segment_unsaved

pytestmark = pytest.mark.django_db
LIST = "admin:campaigns_segment_changelist"
DELETE = "admin:campaigns_segment_delete"


@pytest.fixture
def manager_client(client: Client) -> Client:
    client.force_login(make_manager())
    return client


def make_mirrored(brevo: Sandbox, name: str) -> Segment:
    segment = make_segment_unsaved(name=name)
    segment.save()
    return segment


def delete_chosen(client: Client, *segments: Segment, **more: str) -> Any:
    chosen = {"action": "delete_selected", "_selected_action": [each.pk for each in segments]}
    return client.post(reverse(LIST), chosen | more, follow=True)


def test_the_confirmation_says_what_happens_to_the_list(manager_client):
    segment = make_segment(name="Lagos", brevo_list_id=71)
    shown = manager_client.get(reverse(DELETE, args=[segment.pk])).content.decode()
    assert "The Brevo list is deleted too" in shown
    assert "“Lagos” is mirrored by list 71." in shown
    assert Segment.objects.exists()


def test_the_confirmation_does_not_list_the_ledger(manager_client, django_assert_max_num_queries):
    segment = make_segment(brevo_list_id=71)
    for number in range(3):
        ListMember.objects.create(
            segment=segment,
            email=f"{number}@example.com",
            fingerprint="00000000-0000-0000-0000-000000000000",
            added_at=timezone.now(),
            added_by=1,
        )
    with django_assert_max_num_queries(4):
        shown = manager_client.get(reverse(DELETE, args=[segment.pk])).content.decode()
    assert "0@example.com" not in shown


def test_a_confirmed_deletion_takes_the_list_too(manager_client, brevo):
    segment = make_mirrored(brevo, "Lagos")
    manager_client.post(reverse(DELETE, args=[segment.pk]), {"post": "yes"})
    assert not Segment.objects.exists()


def test_a_segment_that_brevo_refuses_to_let_go_stays_and_the_page_says_why(manager_client, brevo):
    segment = make_mirrored(brevo, "Lagos")
    brevo.faults.add("key-revoked@DELETE /contacts/lists/*")
    url = reverse(DELETE, args=[segment.pk])
    response = manager_client.post(url, {"post": "yes"}, follow=True)
    assert Segment.objects.filter(pk=segment.pk).exists()
    assert "The segment stays." in response.content.decode()
    assert "Make a new key in Brevo" in response.content.decode()


@pytest.fixture
def elsewhere(brevo, settings) -> Iterator[Segment]:
    """A segment whose list is in another account than that of the configured key."""
    segment = make_mirrored(brevo, "Lagos")
    with Sandbox(organization="another") as other:
        settings.BREVO_API_URL = other.url
        yield segment


@pytest.mark.parametrize("in_bulk", [True, False])
def test_a_segment_whose_list_is_in_another_account_stays_until_the_list_is_released(
    manager_client, brevo, elsewhere, in_bulk
):
    def delete() -> str:
        if in_bulk:
            return delete_chosen(manager_client, elsewhere, post="yes").content.decode()
        url = reverse(DELETE, args=[elsewhere.pk])
        return manager_client.post(url, {"post": "yes"}, follow=True).content.decode()

    assert "is in the Brevo account “Stand-in for Brevo” (0000" in delete()
    assert Segment.objects.exists()

    chosen = {"action": "release_lists", "_selected_action": [elsewhere.pk]}
    shown = manager_client.post(reverse(LIST), chosen, follow=True).content.decode()
    assert "which stays as it is in Stand-in for Brevo" in shown

    assert "List 1 “Lagos” in Stand-in for Brevo stays as it is." in delete()
    assert not Segment.objects.exists()
    assert brevo.lists() == {1: "Lagos"}


def test_a_list_in_another_account_is_not_renamed_and_the_form_says_why(manager_client, elsewhere):
    url = reverse("admin:campaigns_segment_change", args=[elsewhere.pk])
    form = manager_client.get(url).context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    values |= {"name": "Abuja", "definition": json.dumps(values["definition"])}
    data = {k: v for k, v in values.items() if v not in (None, [])}

    shown = manager_client.post(url, data).content.decode()

    assert "Nothing was saved." in shown
    assert "BREVO_API_KEY is a key of" in shown
    assert Segment.objects.get().name == "Lagos"


def test_bulk_deletion_asks_first(manager_client):
    segment = make_segment(name="Lagos", brevo_list_id=71)
    shown = delete_chosen(manager_client, segment).content.decode()
    assert "The Brevo list is deleted too" in shown
    assert "Lagos (Brevo list 71)" in shown
    assert Segment.objects.exists()


def test_bulk_deletion_says_how_many_went(manager_client, brevo):
    first, second = make_mirrored(brevo, "Lagos"), make_mirrored(brevo, "Abuja")
    response = delete_chosen(manager_client, first, second, post="yes")
    assert not Segment.objects.exists()
    assert "Deleted 2 segments, with the Brevo lists." in response.content.decode()


def test_in_bulk_only_those_that_brevo_refuses_to_let_go_stay(manager_client, brevo):
    lagos, abuja = make_mirrored(brevo, "Lagos"), make_mirrored(brevo, "Abuja")
    brevo.faults.add(f"key-revoked@DELETE /contacts/lists/{lagos.brevo_list_id}")
    shown = delete_chosen(manager_client, abuja, lagos, post="yes").content.decode()
    assert [segment.name for segment in Segment.objects.all()] == ["Lagos"]
    assert "Segment “Lagos” stays." in shown
    assert "Deleted 1 segment, with the Brevo lists." in shown
