"""The pages in a real browser: sign in, see the charts drawn, click through to a record."""

from datetime import date

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from oegen.people import roles
from tests.support.browser_filters import choose
from tests.support.builders import (
    make_counterparty,
    make_information_point,
    make_pipeline,
    make_user,
)


@pytest.fixture
def reader():
    return make_user(roles.MANAGERS, "morgan", first_name="Morgan", last_name="Reid")


@pytest.fixture
def portfolio():
    lead = make_counterparty("Larch Power", country="GB")
    make_information_point("Panel prices fall", 80, 50)
    make_pipeline(
        "Rowan Down",
        technology="wind",
        capacity_mw=60,
        rag_status="green",
        rtb_date=date(2031, 1, 1),
        lead_developer=lead,
    )
    return make_pipeline(
        "Kestrel Moor",
        capacity_mw=40,
        rag_status="red",
        rag_comment="The grid offer is late.",
        lead_developer=lead,
    )


def has_ink(page: Page, canvas: str) -> bool:
    """Whether anything is drawn on the canvas at all."""
    return page.locator(canvas).evaluate(
        "canvas => canvas.getContext('2d')"
        ".getImageData(0, 0, canvas.width, canvas.height).data.some(value => value > 0)"
    )


def colour_count(page: Page, canvas: str, rgb: tuple[int, int, int]) -> int:
    return page.locator(canvas).evaluate(
        """(canvas, [r, g, b]) => {
            const d = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            let found = 0;
            for (let i = 0; i < d.length; i += 4)
                if (d[i] === r && d[i + 1] === g && d[i + 2] === b) found += 1;
            return found;
        }""",
        list(rgb),
    )


def test_reader_signs_in_sees_the_charts_and_opens_a_pipeline(
    browser_page, sign_in_by_form, reader, portfolio
):
    page = browser_page
    sign_in_by_form(page, reader)

    expect(page.get_by_role("heading", name="Portfolio today")).to_be_visible()
    tabs = {
        "Dates": ["rtb"],
        "Risks": ["scatter"],
        "Counterparties": ["holders"],
        "Capacity": ["walk", "growth", "technology"],
    }
    for tab, keys in tabs.items():
        page.get_by_role("navigation", name="Figures").get_by_role("link", name=tab).click()
        page.wait_for_url(lambda url, tab=tab: url.endswith(f"/?tab={tab.lower()}#tabs"))
        for key in keys:
            assert has_ink(page, f'[data-chart="{key}-data"] canvas'), key
    assert colour_count(page, '[data-chart="technology-data"] canvas', (0xE6, 0x9F, 0x00)) > 500

    page.get_by_role("link", name="2 open, 100 MW").click()
    page.wait_for_url(lambda url: url.endswith("/pipelines/?status=open"))
    page.get_by_role("link", name="Kestrel Moor").click()
    expect(page.get_by_role("heading", name="Kestrel Moor")).to_be_visible()
    expect(page.get_by_text("The grid offer is late.")).to_be_visible()


def test_chart_turns_into_its_table_and_its_figures_lead_on(
    browser_page, sign_in, reader, portfolio, live_server
):
    page = browser_page
    sign_in(page, reader)
    page.goto(f"{live_server.url}/?tab=capacity")
    card = page.locator('[data-chart="technology-data"]')
    table = card.get_by_role("table")
    expect(table).to_be_hidden()

    card.get_by_role("button", name="Show as table").click()

    expect(table).to_be_visible()
    expect(card.locator("canvas")).to_be_hidden()
    table.get_by_role("link", name="Solar").click()
    expect(page.locator(".totals")).to_contain_text("1 pipeline")
    expect(page.get_by_role("link", name="Kestrel Moor")).to_be_visible()


def test_bar_leads_to_the_list_behind_it(browser_page, sign_in, reader, portfolio, live_server):
    page = browser_page
    sign_in(page, reader)
    page.goto(f"{live_server.url}/?tab=capacity")
    canvas = page.locator('[data-chart="technology-data"] canvas')
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()

    # The first of two bars, a little right of where the labels end.
    canvas.click(position={"x": 120, "y": box["height"] / 4})

    page.wait_for_url(lambda url: url.endswith("/pipelines/?status=open&technology=solar"))


def test_filters_draw_the_dashboard_anew_and_the_map_is_fetched_when_seen(
    browser_page, sign_in, reader, portfolio, live_server
):
    page = browser_page
    facility = portfolio.facilities.get()
    facility.latitude, facility.longitude = 57, -4
    facility.save()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    sign_in(page, reader)
    page.goto(f"{live_server.url}/?compare=2026-01-01&tab=capacity")
    expect(page.locator('[data-chart="growth-data"] canvas')).to_be_visible()
    assert not any("leaflet.js" in url for url in asked)

    choose(page, "technology", "Solar")

    page.wait_for_url(
        lambda url: url.endswith("/?technology=solar&compare=2026-01-01&tab=capacity")
    )
    expect(page.locator(".answer-line").first).to_contain_text("1 open, 40.0 MWp")
    assert has_ink(page, '[data-chart="technology-data"] canvas')
    assert colour_count(page, '[data-chart="technology-data"] canvas', (0x00, 0x72, 0xB2)) == 0

    page.locator("#map").scroll_into_view_if_needed()
    expect(page.locator("#map")).to_have_attribute("data-ready", "1")
    choose(page, "rag", "Green")
    expect(page.get_by_text("No pipeline matches these filters.")).to_be_visible()
    page.get_by_role("link", name="Clear all filters").click()
    expect(page.locator(".answer-line").first).to_contain_text("2 open, 100 MW.")


@pytest.mark.heavy
def test_growth_shows_the_technology_that_is_chosen(
    browser_page, sign_in, reader, portfolio, live_server
):
    page = browser_page
    portfolio.rtb_date = date(2040, 3, 1)
    portfolio.save()
    sign_in(page, reader)
    page.goto(f"{live_server.url}/?tab=capacity")
    card = page.locator('[data-chart="growth-data"]')
    expect(card.locator("[data-chart-finding]")).to_contain_text("100.0 MW more are scheduled")

    card.get_by_role("button", name="Wind").click()

    expect(card.get_by_role("button", name="Wind")).to_have_attribute("aria-pressed", "true")
    expect(card.locator("[data-chart-finding]")).to_contain_text("60.0 MW more are scheduled")
    assert colour_count(page, '[data-chart="growth-data"] canvas', (0x00, 0x72, 0xB2)) > 100


def test_theme_is_chosen_kept_and_shared_with_the_charts(
    browser_page, sign_in, reader, portfolio, live_server
):
    page = browser_page
    sign_in(page, reader)
    page.goto(f"{live_server.url}/?tab=capacity")
    canvas = '[data-chart="technology-data"] canvas'
    assert page.locator("html").get_attribute("data-bs-theme") == "light"

    page.get_by_text("Morgan Reid").first.click()
    page.get_by_label("Dark").check()

    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    assert colour_count(page, canvas, (0xF2, 0xB5, 0x30)) > 500, "solar in its dark colour"
    assert page.evaluate("localStorage.getItem('theme')") == "dark"
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


@pytest.mark.heavy
def test_dark_page_is_printed_on_white(browser_page, sign_in, reader, portfolio, live_server):
    page = browser_page
    page.emulate_media(color_scheme="dark")
    sign_in(page, reader)
    page.goto(f"{live_server.url}/?tab=capacity")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")

    page.emulate_media(media="print")

    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    canvas = '[data-chart="technology-data"] canvas'
    assert colour_count(page, canvas, (0xE6, 0x9F, 0x00)) > 500, "solar in its light colour"
    expect(page.locator("header.topbar")).to_be_hidden()


def test_choosing_a_filter_lists_at_once_and_leaves_a_clean_address(
    browser_page, sign_in, reader, portfolio, live_server
):
    page = browser_page
    sign_in(page, reader)
    page.goto(f"{live_server.url}/pipelines/")

    choose(page, "technology", "Solar")

    page.wait_for_url(lambda url: url.endswith("/pipelines/?technology=solar"))
    expect(page.locator("tbody tr")).to_have_count(1)
    page.go_back()
    expect(page.locator("tbody tr")).to_have_count(2)


@pytest.mark.heavy
@pytest.mark.parametrize("width", [390, 1440])
def test_no_page_is_wider_than_the_screen(
    browser_page, sign_in, reader, portfolio, live_server, width
):
    page = browser_page
    page.set_viewport_size({"width": width, "height": 800})
    sign_in(page, reader)
    addresses = ["/", "/pipelines/", "/facilities/", "/counterparties/", "/infopoints/"]
    addresses += [portfolio.get_absolute_url(), portfolio.facilities.get().get_absolute_url()]
    addresses += [portfolio.counterparties.get().get_absolute_url()]
    for address in addresses:
        page.goto(f"{live_server.url}{address}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_phone_has_the_figures_first_and_the_most_used_sections_at_the_bottom(
    browser_page, sign_in, reader, portfolio, live_server
):
    page = browser_page
    page.set_viewport_size({"width": 390, "height": 800})
    sign_in(page, reader)
    page.goto(live_server.url)
    technology = page.locator("#id_technology")
    expect(technology).to_be_hidden()
    assert page.locator(".answer-line").first.bounding_box()["y"] < 300
    filters = page.get_by_role("button", name="Filters")
    expect(filters).to_have_text("Filters")
    filters.click()
    choose(page, "technology", "Solar")
    expect(filters).to_have_text("Filters 1 set")
    expect(filters).to_have_attribute("aria-expanded", "true")
    page.reload()
    expect(filters).to_have_text("Filters 1 set")
    expect(technology).to_be_hidden()
    page.get_by_role("navigation", name="Most used sections").get_by_text("Pipelines").click()

    page.wait_for_url(lambda url: url.endswith("/pipelines/"))
    expect(page.get_by_role("navigation", name="Sections", exact=True)).to_be_hidden()


@pytest.mark.parametrize("name", ["pipelines", "changes", "history", "removed-records", "audit"])
def test_phone_folds_the_filters_away_and_shows_the_first_row(
    browser_page, sign_in, reader, portfolio, live_server, name
):
    make_pipeline("Gone").delete()
    arguments = ["pipeline", portfolio.pk] if name == "history" else []
    address = reverse(name, args=arguments)
    page = browser_page
    page.set_viewport_size({"width": 390, "height": 800})
    sign_in(page, reader)
    page.goto(f"{live_server.url}{address}")

    filters = page.get_by_role("button", name="Filters")
    expect(filters).to_have_attribute("aria-expanded", "false")
    expect(page.get_by_role("search", name="Filters")).to_be_hidden()
    first = page.locator("#results").locator("tbody tr, .history-entry, .change-line").first
    assert first.bounding_box()["y"] < 800 - 56, first.bounding_box()

    filters.click()
    expect(page.get_by_role("search", name="Filters")).to_be_visible()


def test_after_signing_out_from_the_menu_going_back_shows_nothing_and_no_choice_is_lost(
    browser_page, sign_in, reader, portfolio, live_server
):
    page = browser_page
    sign_in(page, reader)
    page.goto(f"{live_server.url}/pipelines/")
    page.goto(live_server.url)
    page.evaluate("localStorage.setItem('theme', 'dark')")

    page.get_by_text("Morgan Reid").first.click()
    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.evaluate("localStorage.getItem('theme')") == "dark"


@pytest.mark.heavy
def test_keyboard_reaches_the_content_past_the_navigation(
    browser_page, sign_in, reader, portfolio, live_server
):
    page = browser_page
    sign_in(page, reader)
    page.goto(live_server.url)

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    expect(page.get_by_role("button", name="Filters")).to_be_focused()
