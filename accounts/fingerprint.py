"""A fingerprint of what other systems are told of a person, computed and kept by the database.

It can be compared for a million people without reading what it stands for, and no way of writing
a row can leave it behind. It guards against nobody; it only notices changes.
"""

from django.db.models import F, GeneratedField, TextField, UUIDField, Value
from django.db.models.functions import MD5, Cast, Concat

CONTACT_COLUMNS = ("first_name", "last_name", "phone_e164", "country", "state", "referral_source")
_SEPARATOR = "\x1f"  # ends each value: "Ann", "Lee" is not "An", "nLee"


def fingerprint_field() -> GeneratedField:
    """Return the field that is equal for people of whom all ``CONTACT_COLUMNS`` are equal."""
    parts = [part for name in CONTACT_COLUMNS for part in (F(name), Value(_SEPARATOR))]
    told = Concat(*parts, output_field=TextField())
    return GeneratedField(
        expression=Cast(MD5(told), UUIDField()), output_field=UUIDField(), db_persist=True
    )
