"""The main job from the login to the proof, as a manager does it."""

import pytest
from playwright.sync_api import Locator, Page, expect

from accounts.enums import Consent
from accounts.models import User
from tests.browser.shop import PALM_COURT, open_shop
from tests.browser.steps import choose, expect_heading, follow, live, people_named, press
from tests.factories import PASSWORD, make_manager

pytestmark = pytest.mark.django_db(transaction=True)

ADA, BISI, EFE = "ada@example.com", "bisi@example.com", "efe@example.com"
DONE = "Done: the list holds whom it should"


def test_manager_describes_an_audience_and_keeps_its_list_equal_to_it(page, brevo, worker) -> None:
    open_shop()
    make_manager(email="mara@example.com", password=PASSWORD)

    log_in_with_a_password(page)
    describe_the_audience(page)
    ((list_id, name),) = brevo.lists().items()
    assert name == "Women of Palm Court"
    look_at_everybody(page)

    follow(page, "Sync…")
    press(page, "Make the plan")
    expect_heading(page, "This is the plan: nothing has been sent yet")
    assert people_named(page) == {ADA: "joins", BISI: "joins", EFE: "held back"}
    assert brevo.members(list_id) == set()

    brevo.fault("slow=3@GET /contacts/lists/**1")
    press(page, "Confirm")
    watch_the_run(page)
    brevo.clear_faults()
    run = page.url
    page.goto(brevo.page_url)
    follow(page, name)
    expect(page.get_by_text(ADA)).to_be_visible()
    expect(page.get_by_text(BISI)).to_be_visible()
    expect(page.get_by_text(EFE)).to_have_count(0)

    User.objects.filter(email=BISI).update(marketing_consent=Consent.OPTED_OUT)
    page.goto(run)
    press(page, "Sync again")
    page.wait_for_url(lambda url: url != run)
    expect_heading(page, "This is the plan: nothing has been sent yet")
    assert brevo.members(list_id) == {ADA, BISI}
    press(page, "Confirm")
    expect_heading(page, DONE)
    assert people_named(page) == {BISI: "leaves", EFE: "held back"}
    assert brevo.members(list_id) == {ADA}
    assert not brevo.contact(BISI)["emailBlacklisted"]


def log_in_with_a_password(page: Page) -> None:
    page.goto("/")
    page.get_by_label("E-mail address").fill("mara@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Log in")


def describe_the_audience(page: Page) -> None:
    """Build the segment criterion by criterion while the count moves, and save it."""
    follow(page, "Segments")
    follow(page, "Add segment")
    expect(live(page)).to_contain_text("Choose at least one criterion")
    page.get_by_label("Name").fill("Women of Palm Court")
    choose(page, "Gender", "Female")
    expect(live(page)).to_contain_text("6 people")
    choose(page, "Countries", "Nigeria")
    expect(live(page)).to_contain_text("5 people")
    choose(page, "States", "Lagos")
    expect(live(page)).to_contain_text("4 people")
    choose(page, "Properties", PALM_COURT, typed="palm")
    expect(live(page)).to_contain_text("3 people")

    said = "Customers who are women, live in Nigeria (Lagos) and are enrolled in Palm Court."
    expect(live(page).locator(".seg-sentence")).to_have_text(said)
    expect(live(page).locator(".seg-reasons")).to_contain_text("opted out of marketing1")
    expect(live(page).locator(".seg-people li")).to_have_count(3)
    press(page, "Save and continue editing")
    expect(page.get_by_text("was added successfully")).to_be_visible()


def look_at_everybody(page: Page) -> None:
    follow(page, "Preview")
    expect(page.get_by_role("row")).to_have_count(1 + 3)
    page.get_by_role("row", name=ADA).get_by_role("link", name="Why in?").click()
    expect(page.get_by_role("row", name=ADA)).to_contain_text("✓")
    follow(page, "Edit the segment")


def watch_the_run(page: Page) -> None:
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_text("last sign of life")).to_be_visible()
    expect_heading(page, DONE)
    proof = page.get_by_role("region", name="Proof")
    expect(proof).to_contain_text("The list was read back name by name and is what it should be.")


def test_women_in_lagos_who_bought_in_palm_court_are_synced_in_eight_clicks(
    page, log_in, brevo, worker
) -> None:
    """Of the mouse: names are typed, and Enter takes what was found."""
    open_shop()
    clicks = 0

    def click(locator: Locator) -> None:
        nonlocal clicks
        clicks += 1
        locator.click()

    def pick(criterion: str, value: str) -> None:
        click(page.locator(".seg-actions .seg-menu summary"))
        page.keyboard.type(criterion)
        page.keyboard.press("Enter")
        expect(page.get_by_role("searchbox", name=criterion, exact=True)).to_be_focused()
        page.keyboard.type(value.lower())
        highlighted = page.locator(".select2-results__option--highlighted")
        expect(highlighted).to_contain_text(value)
        page.keyboard.press("Enter")

    log_in(page, make_manager())
    page.goto("/admin/")
    click(page.get_by_role("link", name="Segments").first)
    click(page.get_by_role("link", name="Add segment").first)
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("Women of Palm Court")
    pick("Gender", "Female")
    pick("States", "Lagos")
    pick("Properties", PALM_COURT)
    click(page.get_by_role("button", name="Save and sync…"))
    expect_heading(page, "This is the plan: nothing has been sent yet")
    click(page.get_by_role("button", name="Confirm"))
    expect_heading(page, DONE)

    assert clicks <= 8
    (list_id,) = brevo.lists()
    assert brevo.members(list_id) == {ADA, BISI}
