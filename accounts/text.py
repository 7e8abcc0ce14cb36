"""What counts as the same text, a mailable address and a dialable number."""

import re
import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import idna
import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models

LONGEST_ADDRESS = 254
_KEPT = 4096  # many people share few states and few domains
_LONGEST_KEPT = 300
_LONGEST_LABEL = 63
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_JOINERS = re.compile(r"[\u200c\u200d]")
_JOINERS_AND_CONTROLS = re.compile(r"[\u200c\u200d\x01-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
# What takes no room on the screen: Unicode's Default_Ignorable_Code_Point, save the joiners.
_INVISIBLE = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_DOTTED_I = re.compile("i\u0307+")  # what İ becomes in small letters
_LONGEST_EQUIVALENT = 3
# All characters whose compatible form is longer lie here: ligatures that are whole sentences,
# months, numbers in brackets. To replace them would let a text outgrow its column.
_LONG_FORMS = re.compile(
    "(["
    + "".join(
        char
        for first, last in ((0x2000, 0x3400), (0xFD00, 0xFE00), (0x1F100, 0x1F300))
        for char in map(chr, range(first, last))
        if len(unicodedata.normalize("NFKC", char).casefold()) > _LONGEST_EQUIVALENT
    )
    + "])"
)


def squeeze(value: Any) -> str:
    """Trim a text and fold each run of white space inside it to one space."""
    return " ".join(str(value or "").split())


def fold(value: Any) -> str:
    """Return the text in the form in which two spellings of it are equal.

    Case, white space, invisible marks and the Unicode form do not count, nor does the dot that
    Turkish sets on its i or leaves out. Accents do. At most three times as long as the text, and
    only good to compare: never show it, and never store it in place of the text.
    """
    text = str(value or "")
    if _is_plain(text):
        return squeeze(text).casefold()
    return _folded(text) if len(text) <= _LONGEST_KEPT else _folded.__wrapped__(text)


def fold_unusual(value: Any) -> str:
    """Return the text folded, "" for one of printable ASCII, which a database can fold itself."""
    text = str(value or "")
    return "" if _is_plain(text) else fold(text)


def fold_email(value: Any) -> str:
    """Return the one form of an address, however it is spelt; it is also the one that is sent.

    Trimmed, in small letters, without invisible marks, full-width letters as ordinary ones, the
    domain in the ASCII form of IDNA. Read every address with this, Brevo's too. Never longer than
    the address, or than 254 characters: what would be is returned as it is, and is not usable.
    """
    text = str(value or "").strip()
    if _is_plain(text):
        return text.lower()
    folded = _folded_address(text)
    return folded if len(folded) <= LONGEST_ADDRESS else text


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


@lru_cache(maxsize=_KEPT)
def _folded(text: str) -> str:
    text = _JOINERS_AND_CONTROLS.sub("", text).replace("\u2800", " ")
    return _until_stable(text, _fold_once)


def _fold_once(text: str) -> str:
    return squeeze(_small(text)).replace("\u0131", "i")  # the i without a dot


def _folded_address(text: str) -> str:
    text = _until_stable(text, lambda it: _small(it, str.lower).strip())
    user, at, domain = text.rpartition("@")
    if not at:
        return _JOINERS.sub("", text)
    labels = [
        label if label.isascii() or len(label) > _LONGEST_LABEL else _ascii_label(label)
        for label in domain.replace("\u3002", ".").split(".")
    ]
    return f"{_JOINERS.sub('', user)}@{'.'.join(labels)}"


def _until_stable(text: str, change: Callable[[str], str]) -> str:
    """Repeat: what one step leaves may be composed or put in small letters by another."""
    while (changed := change(text)) != text:
        text = changed
    return text


def _small(text: str, lowered: Callable[[str], str] = str.casefold) -> str:
    """Return the text in small letters, in its compatible form, without invisible marks."""
    parts = _LONG_FORMS.split(_INVISIBLE.sub("", text))
    parts[::2] = [unicodedata.normalize("NFKC", part) for part in parts[::2]]
    return _DOTTED_I.sub("i", lowered("".join(parts)))


@lru_cache(maxsize=_KEPT)
def _ascii_label(label: str) -> str:
    """Return a part of a domain in ASCII; joiners stay where a script has need of them.

    Names that IDNA does not allow, such as those of emoji, are encoded all the same: registries
    gave some away.
    """
    for spelling in (label, _JOINERS.sub("", label)):
        if spelling.isascii():
            return spelling
        try:
            return idna.encode(spelling, uts46=True).decode()
        except UnicodeError:  # IDNAError is one
            continue
    return f"xn--{spelling.encode('punycode').decode()}" if spelling.isprintable() else spelling


def is_usable_email(value: Any) -> bool:
    """True when a letter to this address could arrive at all, from any other host."""
    address = fold_email(value)
    user, _, domain = address.rpartition("@")
    if len(address) > LONGEST_ADDRESS or not address.isascii():
        return False
    return bool(validate_email.user_regex.match(user)) and _is_usable_domain(domain)


@lru_cache(maxsize=4096)
def _is_usable_domain(domain: str) -> bool:
    # Many people share few domains, and the domain is most of the work. Django's validator takes
    # localhost.
    if "." not in domain:
        return False
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
