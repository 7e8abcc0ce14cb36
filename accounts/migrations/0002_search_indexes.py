"""Trigram indexes, so that "contains" stays fast among millions of people; PostgreSQL only.

Other databases search by plain LIKE, and so does a PostgreSQL that lacks the pg_trgm extension or
does not let us create it. To have the indexes there later: let an owner of the database run
CREATE EXTENSION pg_trgm, then ``migrate accounts 0001`` and ``migrate accounts``.
"""

from typing import Any

from django.apps.registry import Apps
from django.db import DatabaseError, migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# What Django compiles icontains to on PostgreSQL: UPPER(column::text) LIKE …
INDEX = "user_search"
COLUMNS = ("email", "first_name", "last_name", "phone_e164")


def create(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    connection = schema_editor.connection
    if connection.vendor != "postgresql" or not has_trigrams(connection):
        return
    expressions = ", ".join(f"UPPER({column}::text) gin_trgm_ops" for column in COLUMNS)
    drop(apps, schema_editor)  # what an interrupted attempt left is invalid
    schema_editor.execute(
        f"CREATE INDEX CONCURRENTLY {INDEX} ON accounts_user USING gin ({expressions})"
    )


def drop(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")


def has_trigrams(connection: Any) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'")
        if cursor.fetchone() is None:
            return False
        try:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except DatabaseError:  # this role may not
            return False
    return True


class Migration(migrations.Migration):
    atomic = False  # an index is built beside the traffic only outside a transaction

    dependencies = [("accounts", "0001_initial")]

    operations = [migrations.RunPython(create, drop)]
