"""What was done through the API stands in the history that the admin shows."""

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.urls import reverse

from campaigns.models import Suppression

SEGMENTS = "/api/campaigns/segments/"
SUPPRESSIONS = "/api/campaigns/suppressions/"

pytestmark = pytest.mark.django_db


def entries() -> list[tuple[int, str, str]]:
    found = LogEntry.objects.order_by("pk")
    return [(each.action_flag, each.object_repr, each.change_message) for each in found]


def test_who_made_changed_and_deleted_a_segment_is_kept(api, admin, brevo) -> None:
    pk = api.post(SEGMENTS, {"name": "Women", "gender": ["FEMALE"]}).json()["id"]
    path = f"{SEGMENTS}{pk}/"
    api.patch(path, {"name": "Ladies", "states": ["Lagos"]})
    api.patch(path, {"name": "Ladies"})
    assert api.delete(path).status_code == 204

    assert entries() == [
        (ADDITION, "Women", "Made through the API."),
        (CHANGE, "Ladies", "Changed name and definition through the API."),
        (DELETION, "Ladies", "Deleted through the API."),
    ]
    assert {each.user for each in LogEntry.objects.all()} == {admin}
    assert {each.object_id for each in LogEntry.objects.all()} == {str(pk)}


def test_the_same_holds_for_suppressions(api) -> None:
    path = api.post(SUPPRESSIONS, {"email": "a@example.com"})["Location"]
    api.post(SUPPRESSIONS, {"email": "a@example.com", "reason": "COMPLAINED"})
    api.patch(path, {"note": "Called."})
    api.delete(path)
    assert [(flag, message) for flag, _, message in entries()] == [
        (ADDITION, "Made through the API."),
        (CHANGE, "Added a reason through the API."),
        (CHANGE, "Changed note through the API."),
        (DELETION, "Deleted through the API."),
    ]


def test_the_admin_shows_what_the_api_did(api, admin, client, segment) -> None:
    api.patch(f"{SEGMENTS}{segment.pk}/", {"description": "x"})
    client.force_login(admin)
    page = client.get(reverse("admin:campaigns_segment_history", args=[segment.pk]))
    assert "Changed description through the API." in page.content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_deletion_that_brevo_refuses_leaves_no_trace(api, brevo, segment) -> None:
    brevo.fault("key-revoked@DELETE /contacts/lists/*")
    assert api.delete(f"{SEGMENTS}{segment.pk}/").status_code == 502
    assert entries() == []


def test_a_refused_write_leaves_no_trace(api, segment) -> None:
    api.patch(f"{SEGMENTS}{segment.pk}/", {"match": "SOME"})
    api.post(SUPPRESSIONS, {"email": "x"})
    assert entries() == []
    assert not Suppression.objects.exists()


def test_a_repeated_request_is_written_down_once(api, brevo) -> None:
    for _ in range(2):
        draft = {"name": "Women", "gender": ["FEMALE"]}
        api.post(SEGMENTS, draft, headers={"Idempotency-Key": "k"})
    assert len(entries()) == 1
