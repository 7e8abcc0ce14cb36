"""Addresses at localhost count as unusable: no other host delivers to them."""

from typing import Any

from django.apps.registry import Apps
from django.db import migrations

# The only domain without a dot that ever counted as usable.
LOCAL = {"email_key__endswith": "@localhost"}


def refresh(apps: Apps, schema_editor: Any) -> None:
    people = apps.get_model("accounts", "User").objects.using(schema_editor.connection.alias)
    people.filter(**LOCAL, email_is_usable=True).update(email_is_usable=False)


def restore(apps: Apps, schema_editor: Any) -> None:
    people = apps.get_model("accounts", "User").objects.using(schema_editor.connection.alias)
    people.filter(**LOCAL).update(email_is_usable=True)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_one_key_for_every_spelling")]

    operations = [migrations.RunPython(refresh, restore)]
