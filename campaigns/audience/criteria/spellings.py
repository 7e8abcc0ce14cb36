"""The texts that customers have in a column: always current, and quick among millions of people."""

from django.db import connection

from accounts.enums import CUSTOMER_ROLES
from accounts.models import User
from accounts.text import fold

COUNTED_UP_TO = 10_000
_MOST_READ = 50_000
_ESCAPED = str.maketrans({char: f"\\{char}" for char in "\\%_"})

# From each text to the next greater one: as many looks into the index as there are texts, and no
# more than it takes to fill the answer.
_SEARCH = """
WITH RECURSIVE known (text, n) AS (
    SELECT (SELECT MIN({key}) FROM {users} WHERE {key} > ''), 1
    UNION ALL
    SELECT (SELECT MIN({key}) FROM {users} WHERE {key} > known.text), known.n + 1
    FROM known WHERE known.text IS NOT NULL AND known.n < {most}
), fitting (spelling) AS (
    SELECT {spelling} FROM known WHERE known.text LIKE %s ESCAPE '\\'
)
SELECT spelling FROM fitting WHERE spelling IS NOT NULL LIMIT %s
"""
_SPELLING = """(
    SELECT {column} FROM {users} WHERE {key} = {text} AND is_active AND role IN ({roles})
    ORDER BY id LIMIT 1
)"""
_COUNT = """
SELECT COUNT(*) FROM (
    SELECT 1 FROM {users} WHERE {key} = %s AND is_active AND role IN ({roles}) LIMIT {most}
) counted
"""


def search(column: str, text: str, limit: int) -> list[str]:
    """Return up to ``limit`` texts that hold ``text``, each in its first spelling.

    The text itself comes first when customers have it, then the others in their order. Of a column
    with more than 50,000 texts the later ones are found by their full text alone.
    """
    key = fold(text)
    exact = _run(f"SELECT {_SPELLING}", column, [key], text="%s") if key else []
    found = _run(_SEARCH, column, [f"%{key.translate(_ESCAPED)}%", limit], text="known.text")
    return list(dict.fromkeys(filter(None, [*exact, *found])))[:limit]


def count(column: str, text: str) -> int:
    """Count the customers who have the text, up to one more than ``COUNTED_UP_TO``."""
    (people,) = _run(_COUNT, column, [fold(text)], most=COUNTED_UP_TO + 1)
    return int(people)


def _run(sql: str, column: str, params: list[str | int], **names: object) -> list[str]:
    parts: dict[str, object] = {
        "users": connection.ops.quote_name(User._meta.db_table),
        "column": column,
        "key": f"{column}_key",
        "roles": ", ".join(f"'{role.value}'" for role in CUSTOMER_ROLES),
        "most": _MOST_READ,
        **names,
    }
    sql = sql.replace("{spelling}", _SPELLING).format(**parts)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [value for (value,) in cursor.fetchall()]
