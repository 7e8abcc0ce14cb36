"""Who may do what with segments, asked of each page and each action."""

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.enums import Role
from campaigns.models import Segment
from tests.factories import make_admin, make_manager, make_segment, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def segment() -> Segment:
    return make_segment(brevo_list_id=7)


def pages(segment: Segment, person: int = 0) -> list[tuple[str, str]]:
    name = "admin:campaigns_segment"
    one = [segment.pk]
    return [
        ("GET", reverse(f"{name}_changelist")),
        ("GET", reverse(f"{name}_add")),
        ("GET", reverse(f"{name}_change", args=one)),
        ("GET", reverse(f"{name}_delete", args=one)),
        ("GET", reverse(f"{name}_preview", args=one)),
        ("GET", reverse(f"{name}_previews") + f"?ids={segment.pk}"),
        ("GET", reverse(f"{name}_csv", args=one)),
        ("GET", reverse(f"{name}_why", args=[segment.pk, person])),
        ("GET", reverse(f"{name}_options", args=["countries"])),
        ("POST", reverse(f"{name}_live")),
        ("POST", reverse(f"{name}_sample")),
    ]


@pytest.mark.parametrize("role", [Role.CLIENT, Role.AGENT, Role.PARTNER])
def test_who_is_no_staff_is_asked_to_log_in_everywhere(client: Client, segment, role):
    client.force_login(make_user(role=role))
    for method, url in pages(segment):
        response = client.generic(method, url)
        assert (response.status_code, url) == (302, url)
        assert response.url.startswith("/admin/login/")


@pytest.mark.parametrize("maker", [make_admin, make_manager])
def test_staff_see_every_page(client: Client, segment, maker):
    person = maker()
    client.force_login(person)
    for method, url in pages(segment, person.pk):
        assert (client.generic(method, url).status_code, url) == (200, url)


def test_staff_without_the_permission_are_refused_everywhere(client: Client, segment, settings):
    settings.ROLE_PERMISSIONS = {Role.MANAGER: ["accounts.view_user"]}
    client.force_login(make_manager())
    for method, url in pages(segment):
        assert (client.generic(method, url).status_code, url) == (403, url)


def test_who_may_only_look_is_offered_only_what_looks(client: Client, settings):
    settings.ROLE_PERMISSIONS = {Role.MANAGER: ["campaigns.view_segment"]}
    request = RequestFactory().get("/")
    request.user = make_manager()
    offered = admin.site.get_model_admin(Segment).get_actions(request)
    assert sorted(offered) == ["count_now", "preview_selected"]


def test_who_may_only_look_sees_the_form_without_its_lists(client: Client, segment, settings):
    settings.ROLE_PERMISSIONS = {Role.MANAGER: ["campaigns.view_segment"]}
    client.force_login(make_manager())
    response = client.get(reverse("admin:campaigns_segment_change", args=[segment.pk]))
    assert 'name="_save"' not in response.content.decode()
    assert "segment-live" not in response.content.decode()
    assert "Customers who are women." in response.content.decode()


def test_who_may_only_look_cannot_delete_by_posting(client: Client, segment, settings):
    settings.ROLE_PERMISSIONS = {Role.MANAGER: ["campaigns.view_segment"]}
    client.force_login(make_manager())
    data = {"action": "delete_selected", "_selected_action": [segment.pk], "post": "yes"}
    client.post(reverse("admin:campaigns_segment_changelist"), data)
    assert Segment.objects.exists()


def test_what_counts_by_post_is_not_answered_by_get(client: Client):
    client.force_login(make_manager())
    for page in ("live", "sample"):
        assert client.get(reverse(f"admin:campaigns_segment_{page}")).status_code == 405


def test_looking_at_pages_changes_nothing(client: Client, segment):
    client.force_login(make_manager())
    before = Segment.objects.values().get()
    for method, url in pages(segment):
        client.generic(method, url)
    assert Segment.objects.values().get() == before


def test_the_sidebar_offers_segments_to_who_may_see_them(client: Client, settings):
    client.force_login(make_manager())
    index = reverse("admin:index")
    link = f'href="{reverse("admin:campaigns_segment_changelist")}"'
    assert link in client.get(index).content.decode()
    settings.ROLE_PERMISSIONS = {}
    assert link not in client.get(index).content.decode()
