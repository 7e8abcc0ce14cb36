"""The content security policy blocks nothing that our own pages need: `watch` hears of it."""

import pytest
from playwright.sync_api import expect

from tests.factories import make_manager

pytestmark = pytest.mark.django_db(transaction=True)


def test_documentation_of_the_api_works_under_the_policy(page, log_in) -> None:
    log_in(page, make_manager()).goto("/api/docs/")

    expect(page.get_by_text("/api/campaigns/segments/", exact=True).first).to_be_visible()
    page.locator("button.authorize").first.click()
    expect(page.get_by_role("heading", name="Available authorizations")).to_be_visible()
