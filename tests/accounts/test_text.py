# ruff: noqa: RUF001 -- characters that look alike are what is tested
import sys
import unicodedata

import phonenumbers
import pytest
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.models import User
from accounts.text import dialable, fold, fold_email, is_usable_email, squeeze

CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


@pytest.mark.parametrize(
    "phone",
    ["", None, "0803 123 4567", "12345", "+23480", "+2348031", "+999123456789", "call me", "+"],
)
def test_number_that_cannot_be_dialled_is_empty(phone) -> None:
    assert dialable(phone) == ""


@pytest.mark.parametrize(
    ("phone", "e164"),
    [
        ("+2348031234567", "+2348031234567"),
        ("+234 (803) 123-4567", "+2348031234567"),
        ("+234 0803 123 4567", "+2348031234567"),
        ("+44 7500 123456", "+447500123456"),
        ("+390612345678", "+390612345678"),
    ],
)
def test_valid_number_is_written_as_e164(phone, e164) -> None:
    assert dialable(phone) == e164


def numbers() -> list[str]:
    """Return every region's own example numbers: the library's idea of a hard case."""
    kinds = phonenumbers.PhoneNumberType.values()
    found = [
        phonenumbers.example_number_for_type(region, kind)
        for region in phonenumbers.SUPPORTED_REGIONS
        for kind in kinds
    ]
    return [f"+{n.country_code}{n.national_number}" for n in found if n]


def slowly(text) -> str:
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return ""
    valid = phonenumbers.is_valid_number(number)
    return phonenumbers.format_number(number, 0) if valid else ""


def test_numbers_of_every_region_are_read_as_the_library_reads_them() -> None:
    texts = sorted(set(numbers()))

    assert len(texts) > 800
    assert [t for t in texts if dialable(t) != slowly(t)] == []


@given(st.sampled_from(CODES), st.integers(min_value=0, max_value=10**12))
@example(7, 88001234567)
@example(52, 15512345678)
@example(1, 12125550123)
def test_any_number_is_read_as_the_library_reads_it(code, rest) -> None:
    text = f"+{code}{rest}"

    assert dialable(text) == slowly(text)


@given(st.text())
def test_squeeze_done_twice_changes_nothing_more(text) -> None:
    once = squeeze(text)

    assert squeeze(once) == once
    assert once.strip() == once
    assert "  " not in once


EVERY_CHARACTER = [
    char
    for char in map(chr, range(sys.maxunicode + 1))
    if unicodedata.category(char) not in {"Cn", "Co", "Cs"}  # assigned, and not for private use
]


@given(st.text())
def test_fold_done_twice_changes_nothing_more(text) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold(squeeze(text)) == fold(text)


def test_fold_of_any_character_done_twice_changes_nothing_more() -> None:
    assert [char for char in EVERY_CHARACTER if fold(fold(char)) != fold(char)] == []


def test_fold_makes_no_character_longer_than_three() -> None:
    assert [char for char in EVERY_CHARACTER if len(fold(char * 9)) > 27] == []


@given(st.text())
def test_fold_never_outgrows_the_column_of_its_text(text) -> None:
    assert len(fold(text)) <= 3 * len(text)


ADDRESSES = st.one_of(st.text(), st.emails(), st.tuples(st.text(), st.text()).map("@".join))


@given(ADDRESSES)
@example("a@İ\u0307.example")
@example("İ" * 242 + "@example.com")
@example("a@" + "bücher." * 30 + "example")
@example("a@xn--bücher.example")
def test_fold_email_done_twice_changes_nothing_more(text) -> None:
    assert fold_email(fold_email(text)) == fold_email(text)


@given(ADDRESSES)
@example("İ" * 242 + "@example.com")
@example("ﷺ" * 200 + "@example.com")
@example("a@" + "bücher." * 34 + "example")
def test_fold_email_fits_the_column_whenever_the_address_does(text) -> None:
    assert len(fold_email(text)) <= max(len(text), 254)


def test_fold_email_of_any_character_done_twice_changes_nothing_more() -> None:
    texts = [f"a{char}b@x{char}y.example" for char in EVERY_CHARACTER]

    assert [text for text in texts if fold_email(fold_email(text)) != fold_email(text)] == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("LAGOS", " lagos "),
        ("Akwa\t Ibom", "akwa ibom"),
        ("Akwa\u00a0\u2003Ibom", "akwa ibom"),
        ("Akwa\u3000\u2028Ibom", "akwa ibom"),
        ("Straße", "STRASSE"),
        ("Lagos", "La\u200bg\ufeffos\u200e"),
        ("Lagos", "\u202aLa\u2060gos\u202c\u00ad"),
        ("Ọ̀ṣun", unicodedata.normalize("NFD", "Ọ̀ṣun")),
        ("Café", "Cafe\u0301"),
        ("İzmir", "İZMİR"),
        ("İzmir", "izmir"),
        ("Diyarbakır", "DİYARBAKIR"),
        ("Ｌａｇｏｓ", "Lagos"),
        ("ﬁrst", "FIRST"),
        ("☂️", "☂"),
        ("می\u200cخواهم", "میخواهم"),
    ],
)
def test_fold_finds_two_spellings_equal(first, second) -> None:
    assert fold(first) == fold(second)


@pytest.mark.parametrize(
    ("first", "second"), [("Ogun", "Ọgun"), ("Café", "Cafe"), ("Lagos", "La gos"), ("a", "\u0430")]
)
def test_fold_keeps_two_texts_apart(first, second) -> None:
    assert fold(first) != fold(second)


@pytest.mark.parametrize("text", ["\u200b", "\ufeff \u200e", "\u00ad", "\u3164", "\u2800"])
def test_text_of_invisible_marks_folds_to_nothing(text) -> None:
    assert fold(text) == ""


@pytest.mark.parametrize(
    "spelling",
    [
        "John@Example.com",
        "john\u200b@example.com",
        "john@exam\u200bple.com",
        "jo\u00adhn@exam\u00adple.com",
        "\ufeffjohn@example.com\u200e",
        "john\ufe0f@example.com",
        "jo\u200dhn@exam\u200cple.com",
        "john＠example.com",
        "ｊｏｈｎ@ｅｘａｍｐｌｅ。com",
    ],
)
def test_address_is_the_same_in_any_spelling(spelling) -> None:
    assert fold_email(spelling) == "john@example.com"


@pytest.mark.parametrize(
    ("spelling", "sent"),
    [
        ("info@bücher.example", "info@xn--bcher-kva.example"),
        ("INFO@BÜCHER.example", "info@xn--bcher-kva.example"),
        ("info@bu\u0308cher.example", "info@xn--bcher-kva.example"),
        ("info@XN--BCHER-KVA.EXAMPLE", "info@xn--bcher-kva.example"),
        ("info@straße.example", "info@xn--strae-oqa.example"),
        ("info@i❤️.example", "info@xn--i-7iq.example"),
        ("info@İzmir.example", "info@izmir.example"),
        ("İnfo@example.com", "info@example.com"),
    ],
)
def test_domain_has_one_form_which_every_server_takes(spelling, sent) -> None:
    assert fold_email(spelling) == sent
    assert is_usable_email(spelling)


def test_joiner_stays_in_a_domain_whose_script_needs_it() -> None:
    with_joiner, without = "a@نامه\u200cای.example", "a@نامهای.example"

    assert fold_email(with_joiner) != fold_email(without)
    assert fold_email(with_joiner).isascii()


@pytest.mark.parametrize(
    "address", ["ö@example.com", "ı@example.com", "a@" + "ü" * 64 + ".example"]
)
def test_address_that_has_no_form_in_ascii_is_not_usable(address) -> None:
    assert not is_usable_email(address)


def test_nothing_squeezes_to_an_empty_text() -> None:
    assert squeeze(None) == ""


@pytest.mark.parametrize(
    "address",
    [
        "",
        None,
        "ada",
        "ada@",
        "@example.com",
        "a..b@example.com",
        "a@@example.com",
        "a@example",
        "a@localhost",
    ],
)
def test_address_that_no_letter_can_reach_is_not_usable(address) -> None:
    assert not is_usable_email(address)


@pytest.mark.parametrize(
    "address", ["ada@example.com", " Ada.L+x@Example.ORG ", "a@bücher.example"]
)
def test_address_that_a_letter_can_reach_is_usable(address) -> None:
    assert is_usable_email(address)


@given(st.one_of(st.emails(), st.text(), st.text().map(lambda user: f"{user}@example.com")))
@example("a" * 242 + "@example.com")
@example("a" * 243 + "@example.com")
@example("a@" + "b" * 63 + ".example")
@example("a@localhost")
def test_usable_is_what_django_calls_valid_with_a_dot_and_a_column_holds(address) -> None:
    folded = fold_email(address)
    try:
        validate_email(folded)
        has_dot = "." in folded.rpartition("@")[2]
        valid = has_dot and folded.isascii() and len(folded) <= 254
    except ValidationError:
        valid = False

    assert is_usable_email(address) == valid


@pytest.mark.django_db
def test_squeezed_text_is_found_by_any_spacing() -> None:
    User.objects.create(email="ada@example.com", state="  Akwa   Ibom ")

    assert User.objects.get(state=" Akwa  Ibom").state == "Akwa Ibom"


def test_saved_object_holds_the_squeezed_text_at_once(db) -> None:
    user = User.objects.create(email="ada@example.com", referral_source=" Walk  in ")

    assert user.referral_source == "Walk in"
