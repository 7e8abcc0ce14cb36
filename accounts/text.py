"""What counts as the same text, a mailable address and a dialable number."""

import re
from functools import cache, lru_cache
from typing import Any

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models

_LONGEST_ADDRESS = 320  # what validate_email allows
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


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
    address = fold_email(value)
    user, _, domain = address.rpartition("@")
    if len(address) > _LONGEST_ADDRESS or not validate_email.user_regex.match(user):
        return False
    return _is_usable_domain(domain)


@lru_cache(maxsize=4096)
def _is_usable_domain(domain: str) -> bool:
    # Many people share few domains, and the domain is most of the work.
    try:
        validate_email(f"somebody@{domain}")
    except ValidationError:
        return False
    return True


@lru_cache(maxsize=4096)
def dialable(value: Any) -> str:
    """Return the number as E.164 when the phonenumbers library holds it valid, else ``""``."""
    text = str(value or "")
    try:
        number = _read_e164(text) or phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _read_e164(text: str) -> phonenumbers.PhoneNumber | None:
    """Read a number that is written as E.164, in a tenth of the library's time.

    None for any other spelling, and where the library might take the first digits for a prefix.
    """
    if not _E164.fullmatch(text):
        return None
    for end in (2, 3, 4):
        code = int(text[1:end])
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code)
        if regions is None:
            continue
        prefix = _national_prefix(regions[0])
        if prefix is None or text[end] == "0" or prefix.match(text, end):
            return None
        return phonenumbers.PhoneNumber(country_code=code, national_number=int(text[end:]))
    return None


@cache
def _national_prefix(region: str) -> re.Pattern[str] | None:
    """Return what may stand before a national number there; None when nothing is known of it."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if metadata is None:
        return None
    return re.compile(metadata.national_prefix_for_parsing or r"(?!)")


class SqueezedCharField(models.CharField[str, str]):
    """A text without surrounding or doubled white space, however it is written or looked up."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return squeeze(value) if isinstance(value, str) else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001 -- Django's hook
        value = squeeze(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value
