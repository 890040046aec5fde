"""Every page of the site in a real browser, the admin included: none is forgotten.

The pages are the routes that answer an administrator, by the table in tests/test_permissions.py,
which covers every route.
"""

import pytest
from playwright.sync_api import Page

from counterparties.models import Contact, Counterparty
from infopoints.models import InformationPoint
from pipelines.models import Facility, Pipeline
from tests.addresses import address_of
from tests.builders import make_portfolio
from tests.test_permissions import ROLES, TABLE

SCREENS = [("dark", 1440), ("light", 390)]

HOSTILE = '<script>alert(1)</script>\' OR 1=1 -- =HYPERLINK("x") \u202eevil\u202c 🌬️' + "x" * 60

ANSWERED = sorted(
    route
    for route, answers in TABLE.items()
    if "GET" in answers and answers["GET"][ROLES.index("Administrators")] == 200
)


class NetworkWatch:
    """Collects the requests of a page that failed, or were answered with an error."""

    def __init__(self, page: Page):
        self.failures: list[str] = []
        page.on(
            "requestfailed",
            # A browser drops what it was still fetching when it is sent to another page.
            lambda request: (
                self.failures.append(f"{request.failure} {request.url}")
                if request.failure != "net::ERR_ABORTED"
                else None
            ),
        )
        page.on(
            "response",
            lambda answer: (
                self.failures.append(f"{answer.status} {answer.url}")
                if answer.status >= 400
                else None
            ),
        )


# Charts and maps follow a new size a moment later. The content policy keeps Playwright's own
# wait_for_function out.
FITS = """() => new Promise(resolve => {
    const root = document.documentElement;
    const end = performance.now() + 3000;
    const look = () => {
        const fits = root.scrollWidth <= root.clientWidth;
        if (fits || performance.now() > end) resolve(fits);
        else requestAnimationFrame(look);
    };
    look();
})"""


def faults_of(page: Page) -> list[str]:
    """What every page must have and this one lacks, on a phone in light and at a desk in dark:
    first on that on which the page before was left, which is half the drawing."""
    faults = []
    if not page.title().strip(" ·|"):
        faults.append("it has no title")
    if (count := page.locator("h1").count()) != 1:
        faults.append(f"it has {count} first headings")
    shown = page.viewport_size["width"]
    for scheme, width in sorted(SCREENS, key=lambda screen: screen[1] != shown):
        if width != page.viewport_size["width"]:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 844})
        if not page.evaluate(FITS):
            faults.append(f"it is wider than a screen of {width}")
    return faults


def look_at(page: Page, site: str, addresses: list[str]) -> dict[str, list[str]]:
    """What is wrong with these pages, by address."""
    network = NetworkWatch(page)
    wrong = {}
    for address in addresses:
        page.goto(f"{site}{address}", wait_until="load")
        faults = faults_of(page) + page.console.errors + network.failures
        page.console.errors, network.failures = [], []
        if faults:
            wrong[address] = faults
    return wrong


@pytest.fixture
def records(administrator):
    """One of every kind, with names that do harm to a page that trusts them."""
    records = make_portfolio(administrator)
    for model in (Counterparty, Contact, Facility, Pipeline, InformationPoint):
        setattr(records[model], model.SEARCH_FIELDS[0], HOSTILE)
        records[model].save()
    return records


@pytest.fixture
def pages_of(administrator, records, client):
    """A function of routes that gives the addresses of those that are pages, not data."""
    client.force_login(administrator)

    def is_page(address: str) -> bool:
        return client.get(address)["Content-Type"].startswith("text/html")

    return lambda routes: [
        address for route in routes if is_page(address := address_of(route, records))
    ]


@pytest.fixture
def signed_in(browser_page, sign_in, administrator):
    sign_in(browser_page, administrator)
    return browser_page


def test_every_page_of_the_site_is_whole(signed_in, live_server, pages_of):
    routes = [route for route in ANSWERED if not route.startswith("admin/")]

    assert look_at(signed_in, live_server.url, pages_of(routes)) == {}


def test_every_page_of_the_admin_is_whole(signed_in, live_server, pages_of):
    routes = [route for route in ANSWERED if route.startswith("admin/")]

    assert look_at(signed_in, live_server.url, pages_of(routes)) == {}


def test_sign_in_page_is_whole(browser_page, live_server):
    assert look_at(browser_page, live_server.url, ["/login/"]) == {}
