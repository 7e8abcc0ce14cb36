"""The trigram index for names with letters beyond ASCII, by the rules of 0002_search_indexes."""

from importlib import import_module

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

INDEX = "user_folded_search"
COLUMNS = ("first_name_folded", "last_name_folded")
has_trigrams = import_module("accounts.migrations.0002_search_indexes").has_trigrams


def create(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    connection = schema_editor.connection
    if connection.vendor != "postgresql" or not has_trigrams(connection):
        return
    drop(apps, schema_editor)  # what an interrupted attempt left is invalid
    columns = ", ".join(f"({column}::text) gin_trgm_ops" for column in COLUMNS)
    schema_editor.execute(
        f"CREATE INDEX CONCURRENTLY {INDEX} ON accounts_user USING gin ({columns})"
    )


def drop(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")


class Migration(migrations.Migration):
    atomic = False  # an index is built beside the traffic only outside a transaction

    dependencies = [("accounts", "0008_one_rule_for_searching")]

    operations = [migrations.RunPython(create, drop)]
