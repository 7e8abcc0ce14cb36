from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps

from accounts.models import User
from tests.factories import make_user

pytestmark = pytest.mark.django_db

migration = import_module("accounts.migrations.0006_local_addresses")
EDITOR = SimpleNamespace(connection=SimpleNamespace(alias="default"))


def test_migration_corrects_stored_addresses_at_localhost_forward_and_backward() -> None:
    for email in ("john@localhost", "john@localhost.example", "john@example.com"):
        make_user(email=email)
    User.objects.update(email_is_usable=True)

    migration.refresh(apps, EDITOR)
    usable = set(User.objects.filter(email_is_usable=True).values_list("email", flat=True))
    migration.restore(apps, EDITOR)

    assert usable == {"john@localhost.example", "john@example.com"}
    assert User.objects.get(email="john@localhost").email_is_usable
