"""Radio buttons and boxes to tick are switched by a click on them or their words, and no other."""

import pytest
from playwright.sync_api import Page

from tests.factories import make_admin, make_partner, make_property, make_user

pytestmark = pytest.mark.django_db(transaction=True)

# The words of each label, and how much wider the label is than its words and its button; the
# theme's button to delete a row is a square with a picture.
EMPTY_SPACE = """() => {
    const shown = (label) => label.checkVisibility() && !label.querySelector(".delete");
    const space = (label) => {
        const range = document.createRange();
        range.selectNodeContents(label);
        return label.getBoundingClientRect().right - range.getBoundingClientRect().right;
    };
    const choices = [...document.querySelectorAll("[type=radio], [type=checkbox]")];
    const labels = choices.flatMap((choice) => [...choice.labels]).filter(shown);
    return labels.map((label) => [label.textContent.trim(), space(label)]);
}"""


@pytest.mark.parametrize(
    "address",
    [
        "/admin/campaigns/segment/add/",
        "/admin/campaigns/segment/",
        "/admin/campaigns/suppression/import/",
        "/admin/accounts/user/add/",
        "/admin/accounts/user/{pk}/change/",
        "/admin/properties/property/",
    ],
)
def test_no_label_of_a_choice_is_wider_than_its_words(page: Page, log_in, address) -> None:
    make_user()
    make_property()
    log_in(page, make_admin())
    page.goto(address.format(pk=make_partner().pk))

    labels = page.evaluate(EMPTY_SPACE)
    assert [words for words, space in labels if space > 2] == []
