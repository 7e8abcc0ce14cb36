"""A form is sent once, however often somebody clicks."""

import pytest
from playwright.sync_api import expect

from properties.models import Property
from tests.factories import make_admin

pytestmark = pytest.mark.django_db(transaction=True)


def test_save_is_clicked_twice_and_sent_once(page, log_in) -> None:
    sent: list[str] = []
    log_in(page, make_admin())
    page.goto("/admin/properties/property/add/")
    page.on("request", lambda request: sent.append(request.method))

    page.get_by_label("Name").fill("Palm Court")
    page.get_by_role("button", name="Save", exact=True).dblclick()

    expect(page.get_by_text("was added successfully")).to_be_visible()
    assert sent.count("POST") == 1
    assert Property.objects.count() == 1


def test_form_that_is_shown_again_can_be_sent_again(page, log_in) -> None:
    log_in(page, make_admin())
    page.goto("/admin/properties/property/add/")
    save = page.get_by_role("button", name="Save", exact=True)

    save.click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    expect(save).to_be_enabled()
    page.get_by_label("Name").fill("Palm Court")
    save.click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
