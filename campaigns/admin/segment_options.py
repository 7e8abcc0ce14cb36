"""What the form of a segment offers to choose from, cheap at millions of people."""

from collections.abc import Iterable
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Min

from accounts.countries import flag
from accounts.models import User
from accounts.text import fold
from campaigns.audience.criteria import CRITERIA, Value
from campaigns.audience.criteria.values import Texts
from campaigns.audience.revisions import labels_of

Option = tuple[Value, str]

OFFERED = 50
_TEXTS_KEPT = 1000
_SPELLINGS_SHOWN = 200
_TEXTS_SECONDS = 15 * 60


def offered(key: str, text: str = "") -> list[Option]:
    """Return what fits what somebody typed: everything of a short list, else the first few."""
    criterion = CRITERIA[key]
    if isinstance(criterion.values, Texts):
        wanted = fold(text)
        known = _known_texts(criterion.values.column)
        found = [(spelling, n) for spelling, n in known if wanted in fold(spelling)]
        return [(spelling, f"{spelling} ({n:,})") for spelling, n in found[:OFFERED]]
    if criterion.kind == "object":
        return criterion.search(text.strip(), OFFERED)
    return [(value, _label(key, value, label)) for value, label in criterion.choices() or []]


def offered_at_once(key: str) -> list[Option]:
    """Return what a page shows before anybody typed: texts without their counts if need be."""
    values = CRITERIA[key].values
    if isinstance(values, Texts) and cache.get(_cached_as(values.column)) is None:
        return [(spelling, spelling) for spelling in _spellings(values.column)]
    return offered(key)


def chosen(key: str, values: Iterable[Any]) -> list[Option]:
    """Return the values themselves with their labels; one that vanished says so."""
    labels = labels_of(key, [value for value in values if isinstance(value, str | int)])
    ids = [value for value in labels if isinstance(value, int)]
    gone = CRITERIA[key].values.vanished(ids) if ids else {}
    return [
        (value, _gone(gone[value]) if value in gone else _label(key, value, label))
        for value, label in labels.items()
    ]


def _gone(told: str) -> str:
    """Turn “Property 17 no longer exists.” into “Property 17 (no longer exists)”."""
    return told.rstrip(".").replace(" no longer exists", " (no longer exists)")


def _label(key: str, value: Value, label: str) -> str:
    is_country = CRITERIA[key].kind == "country" and label != value
    return f"{flag(str(value))} {label}" if is_country else label


def _known_texts(column: str) -> list[tuple[str, int]]:
    """Return the texts that people carry, the most frequent first, with how many carry each.

    Grouped over the index of the folded column alone, which ends in the id, and kept a while.
    """
    known: list[tuple[str, int]] | None = cache.get(_cached_as(column))
    if known is None:
        key = f"{column}_key"
        groups = User.objects.exclude(**{key: ""}).order_by().values(key)
        counted = groups.annotate(people=Count("pk"), first=Min("pk")).order_by("-people", key)
        firsts = {row["first"]: row["people"] for row in counted[:_TEXTS_KEPT]}
        spellings = dict(User.objects.filter(pk__in=firsts).values_list("pk", column))
        known = [(spellings[pk], people) for pk, people in firsts.items() if pk in spellings]
        cache.set(_cached_as(column), known, _TEXTS_SECONDS)
    return known


def _cached_as(column: str) -> str:
    return f"campaigns.known_texts.{column}"


# From each text to the next greater one: as many looks into the index as there are texts.
_SPELLINGS = """
WITH RECURSIVE found (text, n) AS (
    SELECT (SELECT MIN({key}) FROM {users} WHERE {key} > ''), 1
    UNION ALL
    SELECT (SELECT MIN({key}) FROM {users} WHERE {key} > found.text), found.n + 1
    FROM found WHERE found.text IS NOT NULL AND found.n < %s
)
SELECT (SELECT {column} FROM {users} WHERE {key} = found.text ORDER BY id LIMIT 1)
FROM found WHERE found.text IS NOT NULL
"""


def _spellings(column: str) -> list[str]:
    """Return the texts that people carry, in their order, however many people there are."""
    users = connection.ops.quote_name(User._meta.db_table)
    sql = _SPELLINGS.format(users=users, column=column, key=f"{column}_key")
    with connection.cursor() as cursor:
        cursor.execute(sql, [_SPELLINGS_SHOWN])
        return [spelling for (spelling,) in cursor.fetchall()]
