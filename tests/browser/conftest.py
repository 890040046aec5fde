"""Real Chromium against the live server.

Set CHROMIUM to the program's path where it has an unusual name. Without Chromium these tests are
skipped with one line saying so; with REQUIRE_BROWSER=1 that is a failure.
"""

import os

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page

from tests.support.builders import PASSWORD
from tests.support.chromium import REMEDY, find_chromium, is_required

# Playwright's synchronous API runs an event loop in the test's thread, which Django takes for
# asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

#: What Chromium need not do here. The switch takes the place of Playwright's own, whose features
#: come first; those behind them start processes that no test looks at: two for the address bar of
#: each window, and one that waits for the next site.
DISABLED_FEATURES = [
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "SpareRendererForSitePerProcess",
]


def pytest_collection_modifyitems(config, items):
    here = [item for item in items if "tests/browser/" in item.nodeid]
    for item in here:
        item.add_marker(pytest.mark.browser)
        if find_chromium() is None and not is_required():
            item.add_marker(pytest.mark.skip(reason="no Chromium"))


@pytest.fixture(autouse=True)
def what_the_server_reads_is_committed(transactional_db):
    pass


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    chromium = find_chromium()
    if chromium is None:
        pytest.fail(f"REQUIRE_BROWSER=1, but there is no Chromium: {REMEDY}")
    return {
        **browser_type_launch_args,
        "executable_path": chromium,
        "args": [
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            f"--disable-features={','.join(DISABLED_FEATURES)}",
        ],
    }


class ConsoleWatch:
    """Collects a page's console errors, page errors and violations of the content policy."""

    def __init__(self, page: Page):
        self.errors: list[str] = []
        page.on(
            "console",
            lambda message: self.add(message.text) if message.type == "error" else None,
        )
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def add(self, text: str) -> None:
        """Typing on gives up the request that is under way, which htmx logs as two errors: a
        failed one is another, "htmx:sendError", and an error status "htmx:responseError"."""
        event, _, target = text.partition(", ")
        ended = f"htmx:afterRequest, {target}"
        if event == "htmx:sendAbort" and ended in self.errors:
            self.errors.remove(ended)
        else:
            self.errors.append(text)

    def expect(self, text: str) -> None:
        """Remove the errors with that text from the list; there must be one."""
        assert any(text in error for error in self.errors), self.errors
        self.errors = [error for error in self.errors if text not in error]


@pytest.fixture
def browser_page(page: Page, live_server):
    """A page, signed out, on the live server; a console error fails the test at its end."""
    watch = ConsoleWatch(page)
    page.console = watch
    page.set_default_timeout(10_000)
    yield page
    assert watch.errors == []


@pytest.fixture
def sign_in(live_server):
    """sign_in(page, user): sets the session cookie, without the sign-in page."""

    def sign_in(page: Page, user) -> None:
        client = Client()
        client.force_login(user)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}
        page.context.add_cookies([cookie])

    return sign_in


@pytest.fixture
def sign_in_by_form(live_server):
    """sign_in_by_form(page, user): through the sign-in page, as a person would."""

    def sign_in_by_form(page: Page, user) -> None:
        page.goto(f"{live_server.url}/login/")
        page.get_by_label("Username").fill(user.username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/login/" not in url)

    return sign_in_by_form
