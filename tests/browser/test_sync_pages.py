"""A sync by keyboard, in a browser that is closed meanwhile, by somebody who clicks twice."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from campaigns.models import SegmentExport
from tests.browser.steps import expect_heading
from tests.browser.test_plain_forms import tab_to
from tests.campaigns.sync.scenes import make_segment_of_women, plan, women
from tests.factories import make_manager

pytestmark = pytest.mark.django_db(transaction=True)

PLANNED = "This is the plan: nothing has been sent yet"
DONE = "Done: the list holds whom it should"


def page_of(export: SegmentExport) -> str:
    return reverse("admin:campaigns_segmentexport_change", args=[export.pk])


def test_segment_is_synced_with_the_keyboard_alone(page, log_in, brevo) -> None:
    women(1, 2)
    segment = make_segment_of_women()
    log_in(page, make_manager())

    page.goto(f"{reverse('admin:campaigns_sync_plan')}?ids={segment.pk}")
    tab_to(page, "Make the plan")
    page.keyboard.press("Enter")
    expect_heading(page, PLANNED)
    tab_to(page, "Confirm")
    page.keyboard.press("Enter")

    expect_heading(page, DONE)
    assert len(brevo.members(segment.brevo_list_id)) == 2


def test_run_goes_on_while_its_browser_is_closed(open_browser, log_in, brevo, worker) -> None:
    women(1, 2)
    segment, manager = make_segment_of_women(), make_manager()
    address = page_of(plan(segment))
    brevo.fault("slow=1@GET /*")

    first = log_in(open_browser().new_page(), manager)
    first.goto(address)
    first.get_by_role("button", name="Confirm").dblclick()
    expect(first.get_by_role("progressbar")).to_be_visible()
    first.context.close()
    second = log_in(open_browser().new_page(), manager)
    second.goto(address)

    expect_heading(second, DONE)
    expect(second.get_by_role("region", name="Proof")).to_be_visible()
    assert len(brevo.members(segment.brevo_list_id)) == 2
    assert SegmentExport.objects.count() == 1


def test_session_that_ended_costs_a_login_and_no_plan(page, log_in, brevo) -> None:
    women(1)
    manager = make_manager(email="mara@example.com", password="her own secret")
    planned = plan(make_segment_of_women())
    log_in(page, manager)

    page.goto(page_of(planned))
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("E-mail address").fill("mara@example.com")
    page.get_by_label("Password").fill("her own secret")
    page.get_by_role("button", name="Log in").click()

    expect_heading(page, PLANNED)
    planned.refresh_from_db()
    assert planned.status == "PLANNED"
