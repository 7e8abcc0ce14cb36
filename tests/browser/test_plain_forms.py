"""The main job for whoever has no scripts, or no mouse."""

import pytest
from playwright.sync_api import Page, expect

from campaigns.models import Segment
from tests.browser.shop import PALM_COURT, open_shop
from tests.browser.steps import add_condition, expect_heading, follow, live, press
from tests.factories import PASSWORD, make_manager, make_segment

pytestmark = pytest.mark.django_db(transaction=True)

ADD = "/admin/campaigns/segment/add/"
MANY_STEPS = 60


def test_main_job_is_done_without_scripts(open_browser, brevo) -> None:
    open_shop()
    make_manager(email="mara@example.com", password=PASSWORD)
    page = open_browser(java_script_enabled=False).new_page()

    page.goto(ADD)
    page.get_by_label("E-mail address").fill("mara@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Log in")
    page.get_by_label("Name").fill("Women of Palm Court")
    add_condition(page, "Gender")
    page.get_by_label("Gender", exact=True).select_option("Female")
    add_condition(page, "Properties")
    page.get_by_label("Properties", exact=True).select_option(PALM_COURT)
    press(page, "Save and continue editing")
    expect(page.get_by_text("was added successfully")).to_be_visible()

    follow(page, "Sync…")
    press(page, "Make the plan")
    expect_heading(page, "This is the plan: nothing has been sent yet")
    press(page, "Confirm")
    expect_heading(page, "Done: the list holds whom it should")
    (list_id,) = brevo.lists()
    names = ("ada", "bisi", "dami")
    assert brevo.members(list_id) == {f"{name}@example.com" for name in names}


def test_list_is_filtered_and_counted_without_scripts(open_browser, log_in, brevo) -> None:
    open_shop()
    make_segment(name="Women", gender=["FEMALE"])
    make_segment(name="Ghana", countries=["GH"])
    page = log_in(open_browser(java_script_enabled=False).new_page(), make_manager())

    page.goto("/admin/campaigns/segment/")
    page.locator("select[name=criterion]").select_option("gender")
    page.get_by_role("button", name="Apply Filters").click()
    expect(page.get_by_role("link", name="Women", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Ghana", exact=True)).to_have_count(0)

    page.locator("input[name=_selected_action]").check()
    page.locator("select[name=action]").select_option(label="Count now")
    press(page, "Run")
    expect(page.get_by_text("Counted 1 segment.")).to_be_visible()


def test_segment_is_made_with_the_keyboard_alone(page, log_in, brevo) -> None:
    open_shop()
    log_in(page, make_manager())

    page.goto(ADD)
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("Women or Ghana")
    add_by_typing(page, "gen", "Gender")
    pick_by_typing(page, "Female")
    add_by_typing(page, "coun", "Countries")
    pick_by_typing(page, "Ghana")
    tab_to(page, "Customers must match")
    page.keyboard.press("ArrowDown")
    expect(live(page)).to_contain_text("6 people")
    tab_to(page, "Save")
    page.keyboard.press("Enter")

    expect(page.get_by_text("was added successfully")).to_be_visible()
    segment = Segment.objects.get()
    asked = (segment.name, segment.match, segment.gender, segment.countries)
    assert asked == ("Women or Ghana", "ANY", ["FEMALE"], ["GH"])


def test_enter_takes_what_begins_as_typed_sooner_than_what_holds_it(page, log_in, brevo) -> None:
    log_in(page, make_manager())

    page.goto(ADD)
    add_by_typing(page, "coun", "Countries")
    page.keyboard.type("ger")
    offered = page.locator(".select2-results__option")
    expect(offered.first).to_contain_text("Germany")
    expect(page.locator(".select2-results__option--highlighted")).to_contain_text("Germany")
    expect(offered).to_contain_text(["Germany", "Algeria", "Niger", "Nigeria"])


def test_filters_open_take_and_close_with_the_keyboard_alone(page, log_in, brevo) -> None:
    log_in(page, make_manager())
    make_segment(name="Women", gender=["FEMALE"])
    make_segment(name="Ghana", countries=["GH"])

    page.goto("/admin/campaigns/segment/")
    tab_to(page, "Filters")
    page.keyboard.press("Enter")
    filters = page.locator("#changelist-filter")
    expect(filters.locator(":focus")).to_be_visible()
    page.keyboard.press("Escape")
    expect(filters).to_be_hidden()
    expect(page.get_by_role("button", name="Filters")).to_be_focused()


def test_menu_of_the_account_opens_with_the_keyboard_alone(page, log_in) -> None:
    log_in(page, make_manager(email="mara@example.com"))

    page.goto("/admin/")
    page.keyboard.press("Shift+Tab")
    while "mara@example.com" not in page.locator(":focus").inner_text():
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("nav:has(#logout-form) :focus")).to_be_visible()
    tab_to(page, "Log out")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Logged out")).to_be_visible()


def add_by_typing(page: Page, typed: str, criterion: str) -> None:
    """Add a condition and be in its list: Enter opens the menu and takes what it found."""
    tab_to(page, "Add condition")
    page.keyboard.press("Enter")
    expect(page.get_by_role("searchbox", name="Search conditions")).to_be_focused()
    page.keyboard.type(typed)
    page.keyboard.press("Enter")
    expect(page.get_by_role("searchbox", name=criterion, exact=True)).to_be_focused()


def pick_by_typing(page: Page, option: str) -> None:
    page.keyboard.type(option.lower())
    expect(page.locator(".select2-results__option--highlighted")).to_contain_text(option)
    page.keyboard.press("Enter")


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what is called so has the focus, and can be seen to have it."""
    for _ in range(MANY_STEPS):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        words = focused.aria_snapshot() if focused.count() else ""
        if name in words.split('"') or words.endswith(f": {name}"):
            expect(focused).to_be_in_viewport()
            return
    raise AssertionError(f"{name} was not reached in {MANY_STEPS} steps.")
