"""What a manager meets when something is in the way."""

from unittest.mock import Mock

import pytest
from django.conf import settings as project
from django.db import DatabaseError
from django.urls import reverse
from playwright.sync_api import expect

from accounts.enums import Gender
from properties.models import Property
from tests.browser.shop import PALM_COURT, open_shop
from tests.browser.steps import add_condition, choose, expect_heading, follow, live, press
from tests.campaigns.sync.scenes import alter, make_segment_of_women, sync, women
from tests.factories import PASSWORD, make_manager, make_property, make_segment_unsaved

pytestmark = pytest.mark.django_db(transaction=True)

ADD = "/admin/campaigns/segment/add/"


@pytest.fixture
def desk(page, log_in):
    return log_in(page, make_manager())


def test_segment_that_brevo_refuses_is_not_saved_and_keeps_what_was_typed(desk, brevo) -> None:
    open_shop()
    brevo.fault("unknown-ip@POST /contacts/lists*1")

    desk.goto(ADD)
    desk.get_by_label("Name").fill("Women")
    desk.get_by_label("Description").fill("Everybody who is one")
    choose(desk, "Gender", "Female")
    press(desk, "Save")

    expect(desk.get_by_text("Nothing was saved.")).to_be_visible()
    expect(desk.get_by_text("Brevo says: “")).to_be_visible()
    expect(desk.get_by_label("Name")).to_have_value("Women")
    expect(desk.get_by_label("Description")).to_have_value("Everybody who is one")
    expect(live(desk)).to_contain_text("6 people")
    assert brevo.lists() == {}

    press(desk, "Save")
    expect(desk.get_by_text("was added successfully")).to_be_visible()
    assert list(brevo.lists().values()) == ["Women"]


def test_whoever_was_logged_out_goes_on_after_logging_in_elsewhere(desk, log_in, brevo) -> None:
    open_shop()
    desk.goto(ADD)
    desk.get_by_label("Name").fill("Women")
    add_condition(desk, "Gender")
    desk.context.clear_cookies(name=project.SESSION_COOKIE_NAME)
    choose(desk, "Gender", "Female")
    expect(live(desk)).to_contain_text("You were logged out. Log in again in another tab")
    press(desk, "Add group")
    builder = desk.locator("#segment-builder")
    expect(builder).to_contain_text("You were logged out. Log in again in another tab")
    expect(builder.locator(".select2-selection__choice")).to_contain_text("Female")

    with desk.expect_popup() as popup:
        live(desk).get_by_role("link", name="Log in again").click()
    other = popup.value
    make_manager(email="mara@example.com", password=PASSWORD)
    other.get_by_label("E-mail address").fill("mara@example.com")
    other.get_by_label("Password").fill(PASSWORD)
    press(other, "Log in")
    expect_heading(other, "Dashboard")
    other.close()
    desk.evaluate("window.dispatchEvent(new Event('focus'))")  # a test has no windows to go between
    press(desk, "Save")
    expect(desk.get_by_text("was added successfully")).to_be_visible()


def test_count_that_failed_is_unknown_until_it_is_counted_again(desk, monkeypatch) -> None:
    open_shop()

    desk.goto(ADD)
    with monkeypatch.context() as broken:
        broken.setattr("campaigns.admin.segment_live.sizes_of", Mock(side_effect=DatabaseError))
        choose(desk, "Gender", "Female")
        expect(live(desk)).to_contain_text("unknown people")
    press(desk, "Count again")
    expect(live(desk)).to_contain_text("6 people")


def test_broken_segment_says_what_vanished_and_can_be_mended(desk, brevo) -> None:
    gone, kept = make_property("Sold Out Towers"), make_property(PALM_COURT)
    segment = make_segment_unsaved(properties=[gone.pk, kept.pk])
    segment.save()
    Property.objects.filter(pk=gone.pk).delete()

    desk.goto(reverse("admin:campaigns_segment_change", args=[segment.pk]))
    banner = desk.get_by_role("alert")
    expect(banner).to_contain_text("This segment is broken")
    expect(banner).to_contain_text(f"Sold Out Towers (property {gone.pk}) no longer exists.")
    expect(live(desk)).to_contain_text("unknown people")
    vanished = desk.get_by_title(f"Sold Out Towers (property {gone.pk}, no longer exists)")
    vanished.locator(".select2-selection__choice__remove").click()
    desk.keyboard.press("Escape")
    expect(live(desk)).to_contain_text("0 people")
    press(desk, "Save and continue editing")

    expect(desk.get_by_text("was changed successfully")).to_be_visible()
    expect(desk.get_by_role("alert").get_by_text("broken")).to_have_count(0)


def test_plan_that_empties_much_of_a_list_waits_until_it_is_approved(desk, brevo) -> None:
    women(*range(50))
    segment = make_segment_of_women()
    done = sync(segment)
    alter(*range(20), gender=Gender.MALE)

    desk.goto(reverse("admin:campaigns_segmentexport_change", args=[done.pk]))
    press(desk, "Sync again")
    expect_heading(desk, "This is the plan: nothing has been sent yet")
    expect(desk.get_by_text("The brake is on.")).to_be_visible()
    expect(desk.get_by_text("The plan removes 20 of 50 people")).to_be_visible()
    assert len(brevo.members(segment.brevo_list_id)) == 50

    press(desk, "Approve and sync")
    expect_heading(desk, "Done: the list holds whom it should")
    assert len(brevo.members(segment.brevo_list_id)) == 30


def test_run_that_is_cancelled_stops_and_says_whom_it_left(desk, brevo, worker) -> None:
    women(*range(5))
    segment = make_segment_of_women()
    planned = sync(segment, plan_only=True)
    brevo.fault("slow=1@GET /*")

    desk.goto(reverse("admin:campaigns_segmentexport_change", args=[planned.pk]))
    press(desk, "Confirm")
    expect(desk.get_by_text("last sign of life")).to_be_visible()
    press(desk, "Cancel")

    expect_heading(desk, "Cancelled")
    expect(desk.get_by_role("link", name="5 not attempted")).to_be_visible()
    assert brevo.members(segment.brevo_list_id) == set()
    follow(desk, "Exports")
    expect(desk.get_by_role("row", name="Women")).to_contain_text("Cancelled")
