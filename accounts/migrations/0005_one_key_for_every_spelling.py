"""Addresses and texts that differ in spelling alone get one key.

Reads the rows that are not plain ASCII, and writes those whose key changes. Of two people who
have one address now, the later keeps its data, with a note in its address that makes it unusable.
"""

from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from accounts.refolding import refold, refold_unique, unmark
from accounts.text import fold, fold_email, is_usable_email


def people(apps: Apps) -> Any:
    return apps.get_model("accounts", "User").objects.order_by()


def forwards(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    vendor = schema_editor.connection.vendor
    refold_unique(people(apps), "email_key", "email", fold_email, "person", vendor)
    refold(people(apps), {"email_is_usable": ("email", is_usable_email)}, vendor)
    texts = {f"{name}_key": (name, fold) for name in ("state", "referral_source")}
    refold(people(apps), texts, vendor)


def backwards(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    vendor = schema_editor.connection.vendor
    unmark(people(apps), "email")
    refold(people(apps), {"email_key": ("email", lambda text: text.strip().lower())}, vendor)
    refold(people(apps), {"email_is_usable": ("email", is_usable_email)}, vendor)
    texts = {f"{name}_key": (name, old_fold) for name in ("state", "referral_source")}
    refold(people(apps), texts, vendor)


def old_fold(text: str) -> str:
    return " ".join(text.split()).casefold()


class Migration(migrations.Migration):

    dependencies = [("accounts", "0004_spoken_names")]

    operations = [migrations.RunPython(forwards, backwards)]
