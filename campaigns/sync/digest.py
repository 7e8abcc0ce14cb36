"""A digest of a set: the same members give the same digest, in whatever order they come."""

from hashlib import sha256
from typing import Any

from django.db import connection
from django.db.models import QuerySet

_HALF = 16  # hex digits
_HALVES = """
SELECT SUM(('x' || LEFT(mark, 16))::bit(64)::bigint), SUM(('x' || RIGHT(mark, 16))::bit(64)::bigint)
FROM ({marks}) told (mark)
"""


class SetDigest:
    """Adds up the SHA-256 of each member, so that nothing has to be sorted or kept."""

    _MODULUS = 1 << 256

    def __init__(self) -> None:
        self._sum = 0
        self.count = 0

    def add(self, member: str) -> None:
        self._sum += int.from_bytes(sha256(member.encode("utf-8", "replace")).digest(), "big")
        self.count += 1

    def hexdigest(self) -> str:
        return f"{self._sum % self._MODULUS:064x}"


def digest_of(marks: QuerySet[Any, str]) -> str:
    """Return a digest of a set of which a query yields the MD5 of each member, in hex.

    Both halves of them are added up: by PostgreSQL with several processors, for a million in half a
    second; elsewhere here, with the same result.
    """
    if connection.vendor == "postgresql":
        query, params = marks.query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(_HALVES.format(marks=query), params)
            sums = [int(half or 0) for half in cursor.fetchone() or ()]
    else:
        sums = [0, 0]
        for mark in marks.iterator(chunk_size=10_000):
            sums[0] += int(mark[:_HALF], 16)
            sums[1] += int(mark[_HALF:], 16)
    return "".join(f"{half % (1 << 64):016x}" for half in sums)
