"""Before something is deleted or demoted, the page says what follows, and asks."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import PartnershipStatus, Role
from accounts.models import Partnership, User
from campaigns.models import ListMember, Segment
from properties.models import Property
from tests.factories import (
    make_admin,
    make_agent,
    make_enrollment,
    make_lead,
    make_partner,
    make_property,
    make_segment,
    make_user,
)
from tests.pages import form_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(client: Client) -> User:
    boss = make_admin(first_name="Boss")
    client.force_login(boss)
    return boss


def put_on_list(segment: Segment, *people: User) -> None:
    ListMember.objects.bulk_create(
        ListMember(
            segment=segment,
            user=person,
            email=person.email_key,
            fingerprint=person.contact_fingerprint,
            added_at=timezone.now(),
            added_by=1,
        )
        for person in User.objects.filter(pk__in=[person.pk for person in people])
    )


def told(response: Any) -> list[str]:
    """Return what the page says would follow, each as one line."""
    lists = re.compile(r'<ul class="foreseen-list">(.*?)</ul>', re.DOTALL)
    found = lists.findall(response.content.decode())
    items = [item for part in found for item in re.findall(r"<li>(.*?)</li>", part, re.DOTALL)]
    return [" ".join(re.sub(r"<[^>]+>", " ", item).split()) for item in items]


def address(row: Any, step: str) -> str:
    opts = row._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_{step}", args=[row.pk])


def delete_selected(client: Client, *rows: Any) -> Any:
    opts = rows[0]._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
    data = {"action": "delete_selected", "_selected_action": [row.pk for row in rows]}
    return client.post(url, data)


def breaks(name: str) -> str:
    return f"The segment “{name}” breaks: it is neither counted nor synced until somebody mends it."


def save(client: Client, row: Any, **fields: Any) -> Any:
    url = address(row, "change")
    return client.post(url, form_of(client.get(url)) | fields)


def test_deleting_a_property_names_the_segments_and_the_people_who_leave_other_lists(
    client, boss
) -> None:
    palm, sea, agent = make_property("Palm Court"), make_property("Sea View"), make_agent()
    people = [make_user(first_name=f"P{n:02}") for n in range(12)]
    stays = make_user(first_name="Stays")
    for person in people[:11]:
        make_enrollment(user=person, property=palm, agent=agent)
    make_lead(client=people[11], property=palm, closed_by=agent)
    for home in (palm, sea):
        make_enrollment(user=stays, property=home, agent=agent)
    named = make_segment(name="Palm people", properties=[palm.pk])
    served = make_segment(name="Served by Ngozi", agents=[agent.pk])
    make_segment(name="Sea people", properties=[sea.pk])
    put_on_list(served, *people, stays)
    put_on_list(named, *people)

    names = ", ".join(f"P{n:02}" for n in range(10))
    expected = [
        f"{breaks('Palm people')} Its list stays as it is, with 12 people.",
        f"12 people leave the list of “Served by Ngozi” with its next sync: {names} and 2 more",
    ]
    assert told(client.get(address(palm, "delete"))) == expected
    assert told(delete_selected(client, palm)) == expected
    client.post(address(palm, "delete"), {"post": "yes"})
    assert not Property.objects.filter(pk=palm.pk).exists()


def test_deleting_what_nobody_relies_on_says_nothing(client, boss) -> None:
    make_segment(gender=["FEMALE"])
    assert told(client.get(address(make_property(), "delete"))) == []
    assert told(client.get(address(make_user(), "delete"))) == []


@pytest.mark.parametrize("many", [False, True])
def test_deleting_an_agent_a_partner_or_a_customer_says_what_follows(client, boss, many) -> None:
    agent, partner, ada = make_agent(), make_partner(), make_user(first_name="Ada")
    make_segment(name="Served", agents=[agent.pk])
    make_segment(name="Referred", partners=[partner.pk])
    women = make_segment(name="Women")
    put_on_list(women, ada, partner)

    if many:
        page = delete_selected(client, agent, partner, ada)
        leaves = "2 people leave the list of “Women” with its next sync:"
        assert told(page)[:2] == [breaks("Referred"), breaks("Served")]
        assert told(page)[2].startswith(leaves)
    else:
        assert told(client.get(address(agent, "delete"))) == [breaks("Served")]
        assert told(client.get(address(partner, "delete")))[0] == breaks("Referred")
        leaves = "1 person leaves the list of “Women” with its next sync: Ada"
        assert told(client.get(address(ada, "delete"))) == [leaves]


def test_an_agent_is_demoted_only_when_what_follows_was_read(client, boss) -> None:
    agent = make_agent()
    make_segment(name="Served", agents=[agent.pk])

    page = save(client, agent, role="CLIENT")

    assert page.status_code == 200
    assert told(page) == [breaks("Served")]
    assert "Nothing was saved yet" in page.content.decode()
    agent.refresh_from_db()
    assert agent.role == Role.AGENT
    kept = form_of(page)
    assert kept["role"] in ("CLIENT", ["CLIENT"])
    digest = page.context["adminform"].form.consequences_digest
    assert client.post(address(agent, "change"), kept | {"foreseen": digest}).status_code == 302
    agent.refresh_from_db()
    assert agent.role == Role.CLIENT


def test_what_was_read_of_other_consequences_is_not_enough(client, boss) -> None:
    agent = make_agent()
    make_segment(name="Served", agents=[agent.pk])
    old = save(client, agent, role="CLIENT").context["adminform"].form.consequences_digest
    make_segment(name="Also served", agents=[agent.pk])

    page = save(client, agent, role="CLIENT", foreseen=old)

    assert told(page) == [breaks("Also served"), breaks("Served")]
    agent.refresh_from_db()
    assert agent.role == Role.AGENT


def test_switching_a_customer_off_names_the_lists_they_leave(client, boss) -> None:
    ada = make_user(first_name="Ada", is_active=True)
    put_on_list(make_segment(name="Women"), ada)
    url = address(ada, "change")
    data = form_of(client.get(url))
    data.pop("is_active", None)

    page = client.post(url, data)

    assert told(page) == ["1 person leaves the list of “Women” with its next sync: Ada"]
    ada.refresh_from_db()
    assert ada.is_active


@pytest.mark.parametrize(
    "fields",
    [
        {"status": PartnershipStatus.REJECTED.value},
        {"suspended_at_0": "2026-01-01", "suspended_at_1": "10:00:00"},
    ],
)
def test_a_partnership_is_rejected_or_suspended_only_when_what_follows_was_read(
    client, boss, fields
) -> None:
    partnership = make_partner().partnership
    make_segment(name="Referred", partners=[partnership.partner_id])

    page = save(client, partnership, **fields)

    assert told(page) == [breaks("Referred")]
    assert Partnership.objects.get().status == PartnershipStatus.APPROVED
    assert Partnership.objects.get().suspended_at is None
    digest = page.context["adminform"].form.consequences_digest
    again = client.post(
        address(partnership, "change"), form_of(page) | fields | {"foreseen": digest}
    )
    assert again.status_code == 302


def test_a_partnership_on_the_page_of_its_person_asks_too(client, boss) -> None:
    partner = make_partner()
    make_segment(name="Referred", partners=[partner.pk])

    page = save(client, partner, **{"partnership-0-status": "REJECTED"})

    assert told(page) == [breaks("Referred")]
    assert Partnership.objects.get().status == PartnershipStatus.APPROVED


def test_a_change_that_nothing_relies_on_is_saved_at_once(client, boss) -> None:
    agent = make_agent()
    make_segment(name="Served", agents=[agent.pk])
    put_on_list(make_segment(name="Women"), ada := make_user(first_name="Ada"))

    assert save(client, agent, phone="+2348031234567").status_code == 302
    assert save(client, ada, first_name="Adaeze").status_code == 302
    assert save(client, make_partner().partnership, status="REJECTED").status_code == 302


def test_deleting_a_partnership_names_the_segments(client, boss) -> None:
    partnership = make_partner().partnership
    make_segment(name="Referred", partners=[partnership.partner_id])
    assert told(client.get(address(partnership, "delete"))) == [breaks("Referred")]


def test_whoever_has_changed_something_is_switched_off_and_not_deleted(client, boss) -> None:
    colleague = make_admin(first_name="Carla")
    LogEntry.objects.create(user=colleague, action_flag=1, object_repr="x", object_id="1")

    for page in (client.get(address(colleague, "delete")), delete_selected(client, colleague)):
        assert "switch them off instead" in page.content.decode()
    client.post(address(colleague, "delete"), {"post": "yes"})
    data = {"action": "delete_selected", "_selected_action": [colleague.pk], "post": "yes"}
    client.post(reverse("admin:accounts_user_changelist"), data)

    assert User.objects.filter(pk=colleague.pk).exists()
    assert LogEntry.objects.filter(user=colleague).exists()


def test_a_shell_cannot_delete_whoever_has_changed_something_but_the_history_itself() -> None:
    colleague, other = make_admin(first_name="Carla"), make_user()
    LogEntry.objects.create(user=colleague, action_flag=1, object_repr="x", object_id="1")

    with pytest.raises(ProtectedError, match="switch them off instead"), transaction.atomic():
        colleague.delete()
    with pytest.raises(ProtectedError), transaction.atomic():
        User.objects.filter(pk__in=[colleague.pk, other.pk]).delete()
    assert User.objects.filter(pk__in=[colleague.pk, other.pk]).count() == 2

    LogEntry.objects.all().delete()
    colleague.delete()
    assert not User.objects.filter(first_name="Carla").exists()


@pytest.mark.parametrize("many", [False, True])
def test_a_deletion_is_not_done_while_it_has_consequences_that_no_page_has_shown(
    client, boss, many
) -> None:
    palm = make_property("Palm Court")

    def confirm() -> Any:
        if not many:
            return client.post(address(palm, "delete"), {"post": "yes"})
        data = {"action": "delete_selected", "_selected_action": [palm.pk], "post": "yes"}
        return client.post(reverse("admin:properties_property_changelist"), data)

    assert told(client.get(address(palm, "delete"))) == []
    make_segment(name="Palm people", properties=[palm.pk])

    assert told(confirm()) == [breaks("Palm people")]
    assert Property.objects.filter(pk=palm.pk).exists()
    assert confirm().status_code == 302
    assert not Property.objects.filter(pk=palm.pk).exists()
