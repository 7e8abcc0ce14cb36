"""What people do again and again, in the words they would use."""

import re

from playwright.sync_api import Locator, Page, expect


def add_condition(page: Page, criterion: str) -> None:
    """Add a condition at the top by the menu, and wait until its row is there."""
    rows = page.locator(".seg-row")
    before = rows.count()
    page.locator(".seg-actions .seg-menu summary").click()
    page.locator(".seg-actions").get_by_role("button", name=criterion, exact=True).click()
    expect(rows).to_have_count(before + 1)


def choose(page: Page, criterion: str, option: str, *, typed: str = "") -> None:
    """Pick a value of a criterion from its searchable list, adding a condition if there is none."""
    if not page.locator(f"select[aria-label='{criterion}']").count():
        add_condition(page, criterion)
    page.get_by_role("searchbox", name=criterion, exact=True).click()
    page.keyboard.type(typed or option)
    page.locator(".select2-results__option", has_text=option).first.click()
    page.keyboard.press("Escape")


def live(page: Page) -> Locator:
    """Return the panel that tells whom the form describes."""
    return page.locator("#segment-live")


def press(page: Page, button: str) -> None:
    page.get_by_role("button", name=_saying(button)).click()


def follow(page: Page, link: str) -> None:
    page.get_by_role("link", name=_saying(link)).first.click()


def _saying(words: str) -> re.Pattern[str]:
    """Match a whole label; the theme's icons are letters to whoever does not see them."""
    return re.compile(rf"^(\w+ )?{re.escape(words)}( \w+)?$")


def expect_heading(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", name=words)).to_be_visible()


def people_named(page: Page) -> dict[str, str]:
    """Return {e-mail: what is said of it} of the people that a run's page names."""
    lines = page.locator("#people ~ table tbody tr")
    expect(lines.first).to_be_visible()
    return {
        row.locator("td").nth(0).inner_text(): row.locator("td").nth(2).inner_text()
        for row in lines.all()
    }
