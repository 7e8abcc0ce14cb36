"""Countries as ISO 3166-1 names them."""

from functools import cache

import pycountry


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
