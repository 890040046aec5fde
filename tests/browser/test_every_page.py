"""Every page of the site in a real browser, the admin included: none is forgotten.

The pages are the routes that answer an administrator, by the table in tests/permissions, which
covers every route.
"""

import pytest
from django.conf import settings
from playwright.sync_api import Page

from counterparties.models import Contact, Counterparty
from infopoints.models import InformationPoint
from pipelines.models import Facility, Pipeline
from tests.permissions.test_permissions import HEAVY, ROLES, TABLE
from tests.support.addresses import address_of
from tests.support.builders import make_portfolio

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


#: axe-core, for these tests only: no page loads it.
AXE = (settings.NODE_MODULES / "axe-core" / "axe.min.js").read_text()

#: WCAG 2.2 A and AA, and what is good practice beside it. No rule is switched off.
ALL_RULES = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}

#: The rules whose answer depends on the colours or on the width of the window.
RULES_OF_LOOKS = {
    "type": "rule",
    "values": [
        "button-name",
        "color-contrast",
        "link-in-text-block",
        "link-name",
        "scrollable-region-focusable",
        "target-size",
    ],
}

RUN_AXE = """rules => axe
    .run(document, { runOnly: rules, resultTypes: ["violations"], preload: false })
    .then(found => found.violations.flatMap(rule => rule.nodes.slice(0, 3).map(
        node => `${rule.id}: ${node.target.join(" ")} ${node.html.slice(0, 120)}`)))"""


def barriers_of(page: Page, rules: dict) -> list[str]:
    """What axe finds in the page as it is shown."""
    return page.evaluate(RUN_AXE, rules)


def faults_of(page: Page, screens: list[tuple[str, int]] = SCREENS) -> list[str]:
    """The faults of a page on a phone in the light theme and on a desktop in the dark theme. The
    first is the one in which the previous page ended, which saves half of the rendering."""
    faults = []
    page.evaluate(AXE)
    rules = ALL_RULES
    if not page.title().strip(" ·|"):
        faults.append("it has no title")
    if (count := page.locator("h1").count()) != 1:
        faults.append(f"it has {count} first headings")
    shown = page.viewport_size["width"]
    for scheme, width in sorted(screens, key=lambda screen: screen[1] != shown):
        if width != page.viewport_size["width"]:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.set_viewport_size({"width": width, "height": 844})
        if not page.evaluate(FITS):
            faults.append(f"it is wider than a screen of {width}")
        faults += [f"{scheme}, {width}: {barrier}" for barrier in barriers_of(page, rules)]
        rules = RULES_OF_LOOKS
    return faults


def look_at(page: Page, site: str, addresses: list[str], screens=SCREENS) -> list[str]:
    """The faults of these pages, with their addresses."""
    network = NetworkWatch(page)
    wrong = []
    for address in addresses:
        page.goto(f"{site}{address}", wait_until="load")
        faults = faults_of(page, screens) + page.console.errors + network.failures
        page.console.errors, network.failures = [], []
        wrong += [f"{address} {fault}" for fault in faults]
    return wrong


@pytest.fixture
def records(administrator):
    """A record of every model, with names that contain markup and script."""
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
        answer = client.get(address)
        # What a script puts into a page is HTML, too.
        return answer["Content-Type"].startswith("text/html") and "<!doctype" in answer.text[:99]

    return lambda routes: [
        address for route in routes if is_page(address := address_of(route, records))
    ]


@pytest.fixture
def signed_in(browser_page, sign_in, administrator):
    browser_page.emulate_media(color_scheme="light", reduced_motion="reduce")
    sign_in(browser_page, administrator)
    return browser_page


def test_every_page_of_the_site_is_whole(signed_in, live_server, pages_of, is_full):
    """In ``make test`` on a phone alone. What answers programs is no page."""
    routes = [route for route in ANSWERED if not route.startswith(("admin/", "api/"))]

    screens = SCREENS if is_full else SCREENS[1:]
    wrong = look_at(signed_in, live_server.url, pages_of(routes), screens)
    assert not wrong, "\n".join(wrong)


def test_every_page_of_the_admin_is_whole(signed_in, live_server, pages_of, is_full):
    """In ``make test`` on the desktop alone: its pages are of few kinds."""
    routes = [route for route in ANSWERED if route.startswith("admin/")]
    if not is_full:
        routes = [route for route in routes if route not in HEAVY]

    screens = SCREENS if is_full else SCREENS[:1]
    wrong = look_at(signed_in, live_server.url, pages_of(routes), screens)
    assert not wrong, "\n".join(wrong)


def test_messages_of_every_kind_can_be_read_in_both_themes(signed_in, live_server):
    page = signed_in
    page.goto(f"{live_server.url}/me/alerts/")
    page.get_by_role("button", name="Keep this").click()
    page.locator("main > .alert-success").wait_for()
    page.evaluate(
        """() => {
            const message = document.querySelector("main > .alert");
            for (const kind of ["info", "warning", "danger"]) {
                const other = message.cloneNode(true);
                other.className = `alert alert-${kind}`;
                other.insertAdjacentHTML("beforeend", ' See <a href="/">the dashboard</a>.');
                message.after(other);
            }
        }"""
    )
    page.evaluate(AXE)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert barriers_of(page, RULES_OF_LOOKS) == [], scheme


@pytest.mark.heavy
def test_the_palette_is_whole(signed_in, live_server, records):
    page = signed_in
    page.goto(f"{live_server.url}/")
    page.keyboard.press("Control+k")
    page.evaluate(AXE)
    for text in ("", "script", "add", "as of yesterday", "zzzz"):
        page.get_by_role("combobox", name="Find a record").fill(text)
        page.wait_for_timeout(400)
        for scheme, width in SCREENS:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.set_viewport_size({"width": width, "height": 844})
            assert barriers_of(page, ALL_RULES) == [], (text, scheme)
            assert page.evaluate(FITS)


def test_sign_in_page_is_whole(browser_page, live_server):
    wrong = look_at(browser_page, live_server.url, ["/login/"])
    assert not wrong, "\n".join(wrong)
