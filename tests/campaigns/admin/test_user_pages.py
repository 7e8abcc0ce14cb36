from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Consent, Gender, Role
from accounts.models import User
from campaigns.enums import ChangeKind, ExportStatus, Outcome, SuppressionReason
from campaigns.models import ExportChange, ListMember, Segment, SegmentExport, Suppression
from tests.campaigns.sync.scenes import sync
from tests.factories import definition, make_manager, make_segment, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def manager(client) -> User:
    manager = make_manager()
    client.force_login(manager)
    return manager


@pytest.fixture
def segment(brevo) -> Segment:
    return make_segment(name="Women", gender=[Gender.FEMALE])


def panel(client: Client, name: str, user: User, **query: Any) -> str:
    answer = client.get(reverse(f"admin:accounts_user_{name}", args=[user.pk]), query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_page_of_a_user_offers_the_panels_and_the_page_of_nobody_does_not(client) -> None:
    user = make_user()
    page = client.get(reverse("admin:accounts_user_change", args=[user.pk])).content.decode()
    for name in ("mailing", "segments", "lists", "runs"):
        assert reverse(f"admin:accounts_user_{name}", args=[user.pk]) in page


def test_the_segments_of_a_person_are_told_with_the_reason(client, segment) -> None:
    woman, man = make_user(gender=Gender.FEMALE), make_user(gender=Gender.MALE)
    assert "Is in</h3> <ul> <li" in panel(client, "segments", woman)
    assert "matches: " in panel(client, "segments", woman, why=segment.pk)
    assert "does not match: " in panel(client, "segments", man, why=segment.pk)


def test_the_reason_follows_into_a_group(client) -> None:
    group = {"match": "ANY", "conditions": [{"criterion": "gender", "any_of": ["FEMALE"]}]}
    segment = make_segment(definition={"match": "ALL", "conditions": [group]})
    shown = panel(client, "segments", make_user(gender=Gender.FEMALE), why=segment.pk)
    assert "meets any of 1 conditions" not in shown
    assert "meets any of 1 condition." in shown
    assert "is a woman." in shown


def test_a_broken_segment_is_named_with_what_is_wrong(client, segment) -> None:
    Segment.objects.filter(pk=segment.pk).update(
        definition=definition(gender=[], properties=[4711])
    )
    user = make_user()
    assert "Nobody knows" in panel(client, "segments", user)
    assert "4711" in panel(client, "segments", user, why=segment.pk)


def test_why_of_a_segment_that_is_gone_is_not_found(client) -> None:
    url = reverse("admin:accounts_user_segments", args=[make_user().pk])
    assert client.get(url, {"why": "99"}).status_code == 404


def test_a_mailable_person_is_told_from_one_who_is_held_back(client) -> None:
    assert "Mailable" in panel(client, "mailing", make_user())
    opted_out = make_user(marketing_consent=Consent.OPTED_OUT)
    assert "opted out of marketing" in panel(client, "mailing", opted_out)


@pytest.mark.parametrize("fields", [{"role": Role.AGENT}, {"is_active": False}])
def test_nobody_but_an_active_customer_is_called_mailable(client, fields) -> None:
    shown = panel(client, "mailing", make_user(**fields))
    assert "Never mailed" in shown
    assert "Mailable" not in shown


def test_a_suppression_of_the_address_or_of_the_person_is_shown(client) -> None:
    user = make_user(email="old@example.com")
    Suppression.objects.create(email="old@example.com", reason=SuppressionReason.COMPLAINED)
    User.objects.filter(pk=user.pk).update(email="new@example.com", email_key="new@example.com")
    Suppression.objects.create(email="stranger@example.com")
    shown = panel(client, "mailing", user)
    assert "old@example.com" in shown
    assert "the address is suppressed" in shown
    assert "stranger@example.com" not in shown


def test_lists_show_the_stays_that_are_and_that_were(client, segment) -> None:
    user, now = make_user(), timezone.now()
    stay = {"user": user, "fingerprint": "0" * 32, "added_at": now, "added_by": 1}
    ListMember.objects.create(segment=segment, email="a@example.com", **stay)
    ended = {"removed_at": now, "removed_by": 2}
    ListMember.objects.create(segment_id=4711, email="b@example.com", **stay, **ended)
    shown = panel(client, "lists", user)
    assert "Women" in shown
    assert "On the list" in shown
    assert "a segment that was deleted" in shown


def test_runs_show_what_was_planned_and_what_came_of_it(client) -> None:
    user = make_user()
    export = SegmentExport.objects.create(segment_name="Women", status=ExportStatus.PARTIAL)
    line = {"export": export, "user": user, "email": user.email, "kind": ChangeKind.JOIN}
    ExportChange.objects.create(**line, outcome=Outcome.REFUSED, message="Invalid phone number")
    shown = panel(client, "runs", user)
    assert "joins" in shown
    assert "Refused by Brevo: Invalid phone number" in shown


@pytest.mark.parametrize(("name", "queries"), [("lists", 5), ("runs", 4)])
def test_a_panel_costs_the_same_for_one_line_and_for_many(
    client, name, queries, django_assert_num_queries
) -> None:
    user, now = make_user(), timezone.now()

    def grow(times: int) -> None:
        for number in range(times):
            export = SegmentExport.objects.create(segment_name="Women")
            kind = ChangeKind.JOIN
            ExportChange.objects.create(export=export, user=user, email="a@b.com", kind=kind)
            stay = {"added_at": now, "added_by": export.pk, "removed_at": now}
            ListMember.objects.create(
                segment_id=number, user=user, email="a@b.com", fingerprint="0" * 32, **stay
            )

    grow(1)
    with django_assert_num_queries(queries):  # session, viewer, person, and its own
        panel(client, name, user)
    grow(5)
    with django_assert_num_queries(queries):
        panel(client, name, user)


def test_a_panel_of_nobody_is_not_found_and_cannot_be_posted_to(client) -> None:
    url = reverse("admin:accounts_user_lists", args=[4711])
    assert client.get(url).status_code == 404
    assert client.post(url).status_code == 405


def test_who_lacks_the_permission_sees_no_panel(client, settings) -> None:
    settings.ROLE_PERMISSIONS = {"MANAGER": ["accounts.view_user"]}
    user = make_user()
    page = client.get(reverse("admin:accounts_user_change", args=[user.pk]))
    assert page.context["panels"] == []
    url = reverse("admin:accounts_user_segments", args=[user.pk])
    assert client.get(url).status_code == 403


def test_stay_shows_brevo_s_id_and_its_other_address(client, brevo, segment) -> None:
    ada = make_user(gender=Gender.FEMALE)
    sync(segment)
    brevo.correct_address(ada.email, "ada.new@example.com")
    run = sync(segment)
    Suppression.objects.create(email="ada.new@example.com")

    shown = panel(client, "lists", ada)
    proof = client.get(reverse("admin:campaigns_segmentexport_change", args=[run.pk]))

    assert "at Brevo: ada.new@example.com" in shown
    assert f"Brevo contact {brevo.contact('ada.new@example.com')['id']}" in shown
    assert f"{ada.email} → ada.new@example.com" in proof.content.decode()
    assert "ada.new@example.com" in panel(client, "mailing", ada)
