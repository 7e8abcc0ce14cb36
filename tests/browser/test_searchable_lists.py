"""Searchable lists choose from the answer to what was typed, however late it comes."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from accounts.models import User
from tests.browser.shop import customer
from tests.browser.steps import add_condition, live
from tests.factories import make_admin, make_agent, make_manager, make_property

pytestmark = pytest.mark.django_db(transaction=True)

ADD = "/admin/campaigns/segment/add/"
MOMENT = 500  # milliseconds in which what must not happen would have happened


@pytest.fixture
def form(page: Page, log_in) -> Page:
    """The form of a new segment, with customers in three states."""
    for name, state in (("Ada", "Abuja"), ("Bisi", "Lagos"), ("Chidi", "Oyo")):
        customer(name, state=state)
    log_in(page, make_manager())
    page.goto(ADD)
    add_condition(page, "States")
    expect(page.locator(".seg-row-count")).to_have_text("")
    expect(live(page)).to_contain_text("still empty: States")
    return page


class Held:
    """Searches whose answers are held back until the test lets them go."""

    def __init__(self, page: Page, *, only: str = "") -> None:
        self._page, self._only, self._routes = page, only, []
        page.route(re.compile("/(options|autocomplete)/"), self._hold)

    def _hold(self, route: Route) -> None:
        term = parse_qs(urlsplit(route.request.url).query).get("term", [""])[0]
        if not term or (self._only and term != self._only):
            route.continue_()
        else:
            self._routes.append((term, route))

    def let_go(self, term: str) -> None:
        """Wait until this was asked for, then let its answer come."""
        while term not in (asked for asked, _ in self._routes):
            self._page.wait_for_timeout(50)
        for asked, route in self._routes:
            if asked == term:
                route.continue_()
        self._routes = [pair for pair in self._routes if pair[0] != term]


def box(page: Page, name: str) -> Locator:
    return page.get_by_role("searchbox", name=name, exact=True)


def values(page: Page, which: str) -> list[str]:
    return page.locator(f"select{which}").evaluate(
        "(select) => [...select.selectedOptions].map((option) => option.value)"
    )


def test_enter_waits_for_the_answer_to_what_was_typed(form) -> None:
    held = Held(form)

    box(form, "States").click()
    expect(form.locator(".select2-results__option", has_text="Oyo")).to_be_visible()
    form.keyboard.type("Lagos")
    form.keyboard.press("Enter")
    assert values(form, "[aria-label=States]") == []
    held.let_go("Lagos")
    expect(form.locator(".select2-selection__choice", has_text="Lagos")).to_be_visible()
    assert values(form, "[aria-label=States]") == ["Lagos"]
    expect(box(form, "States")).to_have_value("")


def test_rows_of_the_last_search_are_gone_while_the_next_is_under_way(form) -> None:
    held = Held(form)

    box(form, "States").click()
    rows = form.locator(".select2-results__option")
    expect(rows.filter(has_text="Oyo")).to_be_visible()
    form.keyboard.type("Lagos")
    assert rows.all_inner_texts() == ["Searching…"]
    held.let_go("Lagos")
    expect(rows).to_have_text(["Lagos (1)"])


def test_search_that_finds_nothing_chooses_nothing(form) -> None:
    held = Held(form)

    box(form, "States").click()
    form.keyboard.type("Nowhere")
    form.keyboard.press("Enter")
    held.let_go("Nowhere")
    expect(form.locator(".select2-results__option")).to_have_text(["No results found"])
    form.keyboard.press("Enter")
    assert values(form, "[aria-label=States]") == []


def test_leaving_before_the_answer_chooses_nothing_and_says_so(form) -> None:
    held = Held(form)

    box(form, "States").click()
    form.keyboard.type("Lagos")
    form.keyboard.press("Enter")
    form.keyboard.press("Tab")
    held.let_go("Lagos")
    expect(form.get_by_text("“Lagos” was typed, and nothing was chosen.")).to_be_visible()
    form.wait_for_timeout(MOMENT)
    assert values(form, "[aria-label=States]") == []

    box(form, "States").click()
    expect(form.get_by_text("nothing was chosen")).to_have_count(0)


def test_answer_that_comes_late_does_not_replace_a_newer_one(form) -> None:
    held = Held(form, only="Oyo")

    box(form, "States").click()
    with form.expect_request("**/options/states/?term=Oyo"):
        form.keyboard.type("Oyo")
    box(form, "States").fill("Lagos")
    form.keyboard.press("Enter")
    expect(form.locator(".select2-selection__choice", has_text="Lagos")).to_be_visible()
    held.let_go("Oyo")
    form.wait_for_timeout(MOMENT)
    assert values(form, "[aria-label=States]") == ["Lagos"]


def test_search_that_fails_says_so_and_chooses_nothing(form, watch) -> None:
    watch.allow("options")
    form.route("**/options/**", lambda route: route.abort())

    box(form, "States").click()
    form.keyboard.type("Lagos")
    form.keyboard.press("Enter")
    expect(form.get_by_text("The search failed: nothing was chosen.")).to_be_visible()
    assert values(form, "[aria-label=States]") == []

    form.unroute("**/options/**")
    form.keyboard.press("Enter")
    expect(form.locator(".select2-selection__choice", has_text="Lagos")).to_be_visible()


def test_session_that_ended_is_no_empty_answer(form) -> None:
    form.context.clear_cookies()

    box(form, "States").click()
    form.keyboard.type("Lagos")
    expect(form.get_by_text("The search failed: nothing was chosen.")).to_be_visible()


def test_text_under_composition_chooses_nothing(form) -> None:
    box(form, "States").click()
    form.keyboard.type("Lagos")
    expect(form.locator(".select2-results__option")).to_have_text(["Lagos (1)"])
    box(form, "States").evaluate(
        """(field) => {
            const enter = { key: "Enter", keyCode: 13, isComposing: true };
            const event = { ...enter, bubbles: true, cancelable: true };
            field.dispatchEvent(new KeyboardEvent("keydown", event));
        }"""
    )
    assert values(form, "[aria-label=States]") == []


def test_row_that_changed_under_the_mouse_is_not_chosen(form) -> None:
    box(form, "States").click()
    first = form.locator(".select2-results__option", has_text="Abuja")
    first.hover()
    form.mouse.down()
    box(form, "States").evaluate(
        """(field) => { field.value = "Lagos";
            field.dispatchEvent(new InputEvent("input", { bubbles: true })); }"""
    )
    expect(form.locator(".select2-results__option")).to_have_text(["Lagos (1)"])
    form.mouse.up()
    assert values(form, "[aria-label=States]") == []


def test_relation_waits_for_the_answer_to_what_was_typed(page, log_in) -> None:
    for name in ("Zoe", "Anna"):  # the newest is offered first
        make_agent(first_name=name, last_name="Obi")
    customer("Ada")
    make_property("Palm Court")
    log_in(page, make_admin())
    page.goto("/admin/properties/enrollment/add/")
    held = Held(page)

    page.locator(".field-agent .select2-selection").click()
    expect(page.locator(".select2-results__option", has_text="Anna")).to_be_visible()
    page.keyboard.type("Zoe")
    page.keyboard.press("Enter")
    assert values(page, "[name=agent]") in ([], [""])
    held.let_go("Zoe")
    expect(page.locator(".field-agent .select2-selection")).to_contain_text("Zoe Obi")
    assert values(page, "[name=agent]") == [str(User.objects.get(first_name="Zoe").pk)]
