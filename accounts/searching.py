"""How people are searched for, wherever that is."""

from collections.abc import Iterable
from functools import reduce
from operator import or_

from django.db.models import Q

PEOPLE = ("email", "first_name", "last_name", "phone_e164")
SHORTEST_PART = 3


def words_q(text: str, fields: Iterable[str]) -> Q:
    """Match rows that hold every word of the text in any of these text columns.

    A word of one or two letters is found at the beginning only: the index that makes this fast
    among millions holds parts of three letters and beginnings.
    """
    found, columns = Q(), list(fields)
    for word in text.split():
        lookup = "istartswith" if len(word) < SHORTEST_PART else "icontains"
        found &= reduce(or_, (Q(**{f"{column}__{lookup}": word}) for column in columns))
    return found
