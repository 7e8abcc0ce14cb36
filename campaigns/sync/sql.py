"""Set operations that the ORM has no words for."""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Model


def table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def execute(sql: str, params: Sequence[Any]) -> int:
    """Run one statement and return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


def analyze(model: type[Model]) -> None:
    """Tell PostgreSQL's planner about rows that were just added by the thousand.

    Without it the same reading took 22 s instead of 5 s for 430,000 rows.
    """
    if connection.vendor == "postgresql":
        execute(f"ANALYZE {table(model)}", ())
