"""Accessibility of a page, as axe-core sees it; a package carries the script, no page loads it."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

GRAVE = ("serious", "critical")


@dataclass(frozen=True)
class Violation:
    """A rule that is broken, and where."""

    rule: str
    impact: str
    told: str
    places: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.rule} ({self.impact}): {self.told}\n  " + "\n  ".join(self.places)


@cache
def _script() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def violations(
    page: Page, *, within: str | None = None, rules: tuple[str, ...] = ()
) -> list[Violation]:
    """Return the serious and critical violations of what the page shows now.

    ``within`` is a selector that narrows the look to a part of the page, ``rules`` names the only
    rules to go by.
    """
    # Evaluated instead of added as a tag: a content security policy has no say in it.
    page.evaluate(_script())
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = list(rules)
    look = "([within, options]) => axe.run(within || document, options)"
    found: dict[str, Any] = page.evaluate(look, [within, options])
    return [_read(each) for each in found["violations"] if each["impact"] in GRAVE]


def _read(found: dict[str, Any]) -> Violation:
    places = tuple(" ".join(map(str, node["target"])) for node in found["nodes"])
    return Violation(found["id"], found["impact"], found["help"], places)
