"""What Brevo is told of a person, and the fingerprint of it, both computed by the database."""

from typing import Any

from django.db.models import F, TextField, UUIDField, Value
from django.db.models.functions import MD5, Cast, Concat

# Our names for what is sent, and the columns; the gateway knows what an account calls them.
SENT_COLUMNS = {
    "first_name": "first_name",
    "last_name": "last_name",
    "phone": "phone_e164",
    "country": "country",
    "state": "state",
    "referral_source": "referral_source",
}
_SEPARATOR = Value("\x1f")


def fingerprint(prefix: str = "") -> Cast:
    """Return the expression that is equal for equal data sent; ``prefix`` leads to the user."""
    parts: list[Any] = []
    for column in SENT_COLUMNS.values():
        parts += [F(f"{prefix}{column}"), _SEPARATOR]
    return Cast(MD5(Concat(*parts, output_field=TextField())), UUIDField())
