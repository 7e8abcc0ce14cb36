"""A real Chromium on a real server: clicks, and whatever went wrong behind them.

A page that logs an error to the console, asks for something that is not there or talks to another
machine fails its test, whatever the test looked at; ``watch.allow(...)`` names what is meant to be.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any

import pytest
from django.conf import settings as project
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from accounts.models import User
from sandbox.brevo.server import Sandbox
from tests.browser.watch import Watch
from tests.elsewhere import environment, manage

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
DESK = {"width": 1366, "height": 900}  # at 1280 newer themes fold the sidebar away
PATIENCE = 60_000  # milliseconds for anything to appear; a busy machine takes some


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Tell with a failure what the pages looked like."""
    report = yield
    if report.failed and report.when == "call":
        browsers = getattr(item, "_browsers", [])
        for page in [page for browser in browsers for page in browser.pages]:
            report.sections.append((page.url, page.locator("body").aria_snapshot()))
    return report


@pytest.fixture(scope="package")
def chromium() -> str:
    """The path of a Chromium; without one the tests are skipped, and fail where CI counts on it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        told = "There is no Chromium on this machine: install the package “chromium”."
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(told)
    return found


@pytest.fixture(scope="package")
def browser(chromium) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, which Django takes for asynchronous code.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def live_server(django_db_setup, live_server) -> Any:
    """The server, made when the database has its name: it would take it for one in memory."""
    return live_server


@pytest.fixture
def brevo(settings) -> Iterator[Sandbox]:
    """A Brevo of the test's own, that the project is configured for."""
    with Sandbox() as server:
        settings.BREVO_API_URL = server.url
        settings.BREVO_API_KEY = server.key
        yield server


@pytest.fixture
def worker(settings, brevo, transactional_db) -> Iterator[None]:
    """Have the runs carried on by a worker process, as in a real installation."""
    settings.TASKS_BACKEND = "database"
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    command = manage("worker", "--interval", "0.2")
    worker = Popen(command, env=environment(TASKS_BACKEND="database"), stdout=DEVNULL)
    yield
    worker.kill()
    worker.wait()


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    watch.complain()


@pytest.fixture
def open_browser(
    request, browser, live_server, brevo, watch
) -> Iterator[Callable[..., BrowserContext]]:
    """Open a visitor's browser, as ``browser.new_context`` takes it, on the server of the test."""
    opened: list[BrowserContext] = []
    request.node._browsers = opened

    def open_one(**how: Any) -> BrowserContext:
        how = {"viewport": DESK, "base_url": live_server.url} | how
        context = browser.new_context(**how)
        context.set_default_timeout(PATIENCE)
        watch.over(context)
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()


@pytest.fixture
def page(open_browser) -> Page:
    """A page at a desk, with nobody logged in."""
    return open_browser().new_page()


@pytest.fixture
def log_in(live_server) -> Callable[[Page, User], Page]:
    """Let a page be somebody's who has logged in."""

    def log_in(page: Page, user: User) -> Page:
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = project.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        cookie = {"name": project.SESSION_COOKIE_NAME, "value": session.session_key}
        page.context.add_cookies([cookie | {"url": live_server.url}])
        return page

    return log_in
