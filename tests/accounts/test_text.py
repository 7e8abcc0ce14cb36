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


@given(st.text())
def test_fold_done_twice_changes_nothing_more(text) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold(squeeze(text)) == fold(text)


@given(st.text())
def test_fold_email_done_twice_changes_nothing_more(text) -> None:
    assert fold_email(fold_email(text)) == fold_email(text)


@pytest.mark.parametrize(
    ("first", "second"), [("LAGOS", " lagos "), ("Akwa\t Ibom", "akwa ibom"), ("Straße", "STRASSE")]
)
def test_fold_finds_two_spellings_equal(first, second) -> None:
    assert fold(first) == fold(second)


def test_nothing_squeezes_to_an_empty_text() -> None:
    assert squeeze(None) == ""


@pytest.mark.parametrize(
    "address",
    ["", None, "ada", "ada@", "@example.com", "a..b@example.com", "a@@example.com", "a@example"],
)
def test_address_that_no_letter_can_reach_is_not_usable(address) -> None:
    assert not is_usable_email(address)


@pytest.mark.parametrize(
    "address", ["ada@example.com", " Ada.L+x@Example.ORG ", "a@bücher.example"]
)
def test_address_that_a_letter_can_reach_is_usable(address) -> None:
    assert is_usable_email(address)


@given(st.one_of(st.emails(), st.text(), st.text().map(lambda user: f"{user}@example.com")))
@example("a" * 308 + "@example.com")
@example("a" * 309 + "@example.com")
@example("a@" + "b" * 63 + ".example")
def test_usable_is_what_django_calls_valid(address) -> None:
    try:
        validate_email(fold_email(address))
        valid = True
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
