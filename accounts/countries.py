"""Countries as ISO 3166-1 names them."""

from functools import cache
from typing import Any

import pycountry
from django.db import models


@cache
def country_names() -> dict[str, str]:
    """Return {alpha-2 code: name}, by name."""
    pairs = [(c.alpha_2, getattr(c, "common_name", c.name)) for c in pycountry.countries]
    return dict(sorted(pairs, key=lambda pair: pair[1]))


def country_choices() -> list[tuple[str, str]]:
    return list(country_names().items())


def flag(code: str) -> str:
    """Return the flag of a two-letter country code as an emoji."""
    return "".join(chr(0x1F1E6 + ord(letter) - ord("A")) for letter in code.upper())


class CountryField(models.CharField[str, str]):
    """A two-letter code, in capitals however it is written or looked up."""

    def to_python(self, value: Any) -> Any:
        return _in_capitals(super().to_python(value))

    def get_prep_value(self, value: Any) -> Any:
        return _in_capitals(super().get_prep_value(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001 -- Django's hook
        value = _in_capitals(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value


def _in_capitals(value: Any) -> Any:
    """Leave other letters alone: "ß" in capitals is South Sudan."""
    return value.upper() if isinstance(value, str) and value.isascii() else value
