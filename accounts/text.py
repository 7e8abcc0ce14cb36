"""What counts as the same text, a mailable address and a dialable number."""

from functools import lru_cache
from typing import Any

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models


def squeeze(value: Any) -> str:
    """Trim a text and fold each run of white space inside it to one space."""
    return " ".join(str(value or "").split())


def fold(value: Any) -> str:
    """Return the text in the form in which two spellings of it are equal."""
    return squeeze(value).casefold()


def fold_email(value: Any) -> str:
    """Return an address as Brevo keeps it: trimmed, in small letters."""
    return str(value or "").strip().lower()


def is_usable_email(value: Any) -> bool:
    """True when a letter to this address could arrive at all."""
    try:
        validate_email(fold_email(value))
    except ValidationError:
        return False
    return True


@lru_cache(maxsize=4096)
def dialable(value: Any) -> str:
    """Return the number as E.164 when the phonenumbers library holds it valid, else ``""``."""
    try:
        number = phonenumbers.parse(str(value or ""))
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


class SqueezedCharField(models.CharField[str, str]):
    """A text without surrounding or doubled white space, however it is written or looked up."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return squeeze(value) if isinstance(value, str) else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001 -- Django's hook
        value = squeeze(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value
