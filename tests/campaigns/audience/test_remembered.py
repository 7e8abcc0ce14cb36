"""A broken segment names what it lacks, whoever deleted it and however."""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType

from accounts.models import User
from campaigns.audience.definition import problems
from campaigns.audience.explain import sentence
from campaigns.models import KnownName
from properties.models import Property
from tests.factories import (
    make_admin,
    make_agent,
    make_partner,
    make_property,
    make_segment,
    make_user,
)

pytestmark = pytest.mark.django_db


def test_a_deleted_property_keeps_its_last_name() -> None:
    palm = make_property("Palm")
    segment, pk = make_segment(properties=[palm.pk]), palm.pk
    palm.name = "Palm Court"
    palm.save()

    palm.delete()

    assert problems(segment) == [f"Palm Court (property {pk}) no longer exists."]
    assert sentence(segment) == "Customers who are enrolled in Palm Court (gone)."


def test_deleted_agents_and_partners_keep_their_names() -> None:
    agent, partner = make_agent(first_name="Ngozi"), make_partner(email="paul@example.com")
    segment = make_segment(agents=[agent.pk], partners=[partner.pk])
    ids = agent.pk, partner.pk

    User.objects.filter(pk__in=ids).delete()

    assert problems(segment) == [
        f"Ngozi (agent {ids[0]}) no longer exists.",
        f"paul@example.com (partner {ids[1]}) no longer exists.",
    ]


def test_a_row_that_is_deleted_behind_our_back_has_the_name_of_the_last_save() -> None:
    palm = make_property("Palm Court")
    segment, pk = make_segment(properties=[palm.pk]), palm.pk

    Property.objects.filter(pk=pk)._raw_delete("default")

    assert problems(segment) == [f"Palm Court (property {pk}) no longer exists."]


def test_a_rename_behind_our_back_is_noticed_when_the_row_is_deleted() -> None:
    palm = make_property("Palm")
    segment, pk = make_segment(properties=[palm.pk]), palm.pk
    Property.objects.update(name="Palm Court")

    Property.objects.get().delete()

    assert problems(segment) == [f"Palm Court (property {pk}) no longer exists."]


def test_customers_come_and_go_without_a_word() -> None:
    customer = make_user()
    customer.first_name = "Ada"
    customer.save()
    User.objects.filter(pk=customer.pk).delete()
    assert not KnownName.objects.exists()


class AppsWithOldSegments:
    """The apps, with segments that have a column for each list, as there were at the time."""

    def __init__(self, segments: list[dict[str, Any]]) -> None:
        self.segments = SimpleNamespace(objects=SimpleNamespace(values=lambda *_: segments))

    def get_model(self, app: str, name: str) -> Any:
        return self.segments if name == "Segment" else apps.get_model(app, name)


def test_the_migration_learns_the_names_of_what_exists_and_of_what_was_deleted() -> None:
    palm, gone = make_property("Palm Court"), make_property("Old Mill")
    agent = make_agent(email="ngozi@example.com")
    segment = make_segment(properties=[palm.pk, gone.pk], agents=[agent.pk])
    LogEntry.objects.create(
        user=make_admin(),
        content_type=ContentType.objects.get_for_model(Property),
        object_id=str(gone.pk),
        object_repr="Old Mill",
        action_flag=DELETION,
    )
    gone_pk = gone.pk
    gone.delete()
    KnownName.objects.all().delete()
    old = {"properties": [palm.pk, gone_pk], "agents": [agent.pk], "partners": {"not": "a list"}}

    migration = import_module("campaigns.migrations.0013_known_names")
    migration.remember(AppsWithOldSegments([old]), None)

    names = set(KnownName.objects.values_list("kind", "name"))
    assert names == {
        ("property", "Palm Court"),
        ("property", "Old Mill"),
        ("user", "ngozi@example.com"),
    }
    assert problems(segment)[0].startswith("Old Mill (property ")
