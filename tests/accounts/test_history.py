from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from accounts.history import CHANGE, DELETION, changed_by, log_action
from tests.factories import make_admin, make_property

pytestmark = pytest.mark.django_db


def test_what_was_written_is_shown_by_the_history_of_the_row(client) -> None:
    ada, place = make_admin(first_name="Ada"), make_property("Palm Court")
    log_action(ada, place, CHANGE, "Changed city.")
    client.force_login(ada)
    page = client.get(reverse("admin:properties_property_history", args=[place.pk]))
    assert "Changed city." in page.content.decode()


def test_a_deletion_keeps_the_name_of_what_was_deleted() -> None:
    log_action(make_admin(), make_property("Palm Court"), DELETION)
    assert LogEntry.objects.get().object_repr == "Palm Court"


def test_those_who_changed_a_row_since_a_moment_are_named_once() -> None:
    ada, bob, place = make_admin(first_name="Ada"), make_admin(first_name="Bob"), make_property()
    start = timezone.now() - timedelta(minutes=1)
    for who in (ada, bob, ada):
        log_action(who, place, CHANGE)
    log_action(make_admin(first_name="Eve"), make_property(), CHANGE)
    assert changed_by(place, start) == ["Ada", "Bob"]
    assert changed_by(place, timezone.now() + timedelta(minutes=1)) == []
