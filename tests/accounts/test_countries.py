import pytest
from django.core.exceptions import ValidationError

from accounts.countries import country_choices, country_names, flag
from accounts.models import User


@pytest.mark.parametrize("code", ["XX", "xx", "NGA", "ß"])
def test_user_cannot_live_in_a_country_that_is_none(code) -> None:
    with pytest.raises(ValidationError, match="country"):
        User(email="ada@example.com", country=code).clean_fields()


def test_countries_are_named_in_order_of_their_names() -> None:
    names = list(country_names().values())

    assert names == sorted(names)
    assert country_names()["NG"] == "Nigeria"
    assert country_names()["TZ"] == "Tanzania"


def test_choices_hold_every_country_once() -> None:
    codes = [code for code, _ in country_choices()]

    assert len(codes) == len(set(codes)) == len(country_names())


@pytest.mark.parametrize("code", ["NG", "ng"])
def test_flag_spells_the_code_in_regional_letters(code) -> None:
    assert flag(code) == "🇳🇬"
