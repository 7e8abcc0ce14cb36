"""Every page of the admin by the rules of axe-core, in light and in dark, and on a phone."""

from collections.abc import Callable, Iterable
from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page

from accounts.enums import Gender
from accounts.models import User
from campaigns.enums import ExportStatus, Phase
from campaigns.models import SegmentExport
from tests.browser.axe import violations
from tests.browser.conftest import DESK
from tests.campaigns.admin import registry
from tests.campaigns.sync.scenes import alter, make_segment_of_women, sync, women
from tests.factories import make_admin, make_property, make_segment, make_segment_unchecked

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = {"width": 375, "height": 812}
# Colours are all that the dark theme changes.
IN_THE_DARK = ("color-contrast",)
AT_REST = "() => !document.querySelector('.htmx-request')"
STILL = "*, *::before, *::after { transition: none !important; animation: none !important; }"
# Scripts of the page lay it out anew for another width: it has two seconds for that.
TOO_WIDE = """async () => {
    for (let frame = 0; ; frame += 1) {
        const root = document.documentElement;
        const beyond = root.scrollWidth - root.clientWidth;
        if (beyond <= 0 || frame > 120) return beyond;
        await new Promise(requestAnimationFrame);
    }
}"""


@pytest.fixture
def boss(brevo) -> User:
    """An admin in an installation where every page has something to show."""
    registry.populate()
    return make_admin(first_name="Bola", email="bola@example.com")


@pytest.fixture
def look_at(page, log_in, boss) -> Callable[[Iterable[str]], None]:
    """Look at pages as an admin, and fail when one of them has a fault."""
    log_in(page, boss)

    def look_at(addresses: Iterable[str]) -> None:
        found = {address: told for address in addresses if (told := faults_of(page, address))}
        report = (f"{address}\n  {told}" for address, each in found.items() for told in each)
        assert not found, "\n".join(report)

    return look_at


def faults_of(page: Page, address: str) -> list[str]:
    page.set_viewport_size(DESK)
    page.goto(address)
    page.wait_for_function(AT_REST)
    page.add_style_tag(content=STILL)
    light = [f"light: {each}" for each in violations(page)]
    page.evaluate("document.documentElement.classList.add('dark')")
    dark = [f"dark: {each}" for each in violations(page, rules=IN_THE_DARK)]
    page.set_viewport_size(PHONE)
    beyond = page.evaluate(TOO_WIDE)
    wide = [f"phone: the page is {beyond} px wider than its window"] if beyond else []
    print(f"{address:60} {len(light)} in light, {len(dark)} in dark, {beyond} px too wide")
    return [*light, *dark, *wide]


@pytest.mark.parametrize("area", ["accounts", "campaigns", "others"])
def test_page_of_the_admin_has_no_serious_fault(area, look_at, client, boss) -> None:
    client.force_login(boss)

    look_at(page.url() for page in registry.pages() if is_of(area, page) and opens(client, page))


def is_of(area: str, page: registry.Page) -> bool:
    """Sort the pages into areas; nothing leads to Django's histories, which are in none."""
    own = page.route.split("/")[1]
    if page.name.endswith("_history"):
        return False
    return area == own if own in {"accounts", "campaigns"} else area == "others"


def opens(client: Client, page: registry.Page) -> bool:
    """Tell pages from fragments of them, from files, and from what is no page to open."""
    answer = client.get(page.url())
    is_html = answer.headers.get("content-type", "").startswith("text/html")
    return answer.status_code == HTTPStatus.OK and is_html and b"<html" in answer.content


def test_login_has_no_serious_fault(page) -> None:
    assert not faults_of(page, reverse("admin:login"))


def test_page_of_a_run_in_any_state_has_no_serious_fault(look_at, brevo) -> None:
    women(*range(60))
    segment = make_segment_of_women()
    done = sync(segment)
    alter(*range(30), gender=Gender.MALE)
    waiting = sync(segment)
    brevo.fault("import-partly=3")
    partly = sync(make_segment_of_women("Refused"))
    brevo.clear_faults()
    planned = sync(make_segment_of_women("Planned"), plan_only=True)
    at_work = SegmentExport.objects.create(
        segment=segment, segment_name="At work", status=ExportStatus.RUNNING, phase=Phase.SEND
    )
    runs = [done, waiting, partly, planned, at_work]
    states = [ExportStatus(run.status).name for run in runs]
    assert states == ["SUCCESS", "WAITING", "PARTIAL", "PLANNED", "RUNNING"]

    together = f"?exports={waiting.pk},{partly.pk},{planned.pk}"
    look_at(
        [
            *(reverse("admin:campaigns_segmentexport_change", args=[run.pk]) for run in runs),
            reverse("admin:campaigns_segmentexport_compare", args=[waiting.pk]),
            reverse("admin:campaigns_sync_together") + together,
        ]
    )


def test_page_that_says_what_follows_has_no_serious_fault(look_at, brevo) -> None:
    palm = make_property("Palm Court")
    make_segment(properties=[palm.pk])
    look_at([reverse("admin:properties_property_delete", args=[palm.pk])])


def test_page_of_a_broken_segment_has_no_serious_fault(look_at, brevo) -> None:
    broken = make_segment_unchecked(properties=[999_999], gender=[])

    look_at(
        [
            reverse("admin:campaigns_segment_change", args=[broken.pk]),
            reverse("admin:campaigns_segment_preview", args=[broken.pk]),
            reverse("admin:campaigns_sync_plan") + f"?ids={broken.pk}",
            reverse("admin:campaigns_segment_changelist"),
            reverse("admin:index"),
        ]
    )
