"""The map in a real browser: clusters, marks with letters, popups that lead to the records."""

from datetime import date

import pytest
from playwright.sync_api import Page, expect

from oegen.people import roles
from pipelines.models import Facility, PipelineFacility
from tests.support.builders import make_facility, make_pipeline, make_user
from tests.support.registers import ingest_repd

HOSTILE = "<img src=x onerror=alert(1)> مشروع 🌞"


@pytest.fixture
def portfolio():
    kestrel = make_pipeline("Kestrel Moor", rag_status="red")
    rowan = make_pipeline(HOSTILE, rag_status="green")
    for pipeline, name, technology, mw, latitude, longitude in (
        (kestrel, "Kestrel array", "solar", 400, 57, -4),
        (rowan, HOSTILE, "wind", 20, 40, -4),
        (rowan, "Near one", "wind", 10, 47, 10),
        (rowan, "Near two", "solar", 5, "47.001", "10.001"),
    ):
        facility = make_facility(
            name, technology, capacity_mw=mw, latitude=latitude, longitude=longitude
        )
        PipelineFacility.objects.create(pipeline=pipeline, facility=facility)
    return kestrel


@pytest.fixture
def show(browser_page, sign_in, live_server, portfolio):
    def show(query: str = "") -> Page:
        sign_in(browser_page, make_user(roles.MANAGERS, "morgan"))
        browser_page.goto(f"{live_server.url}/pipelines/map/{query}")
        browser_page.locator("[data-map][data-ready]").wait_for()
        return browser_page

    return show


def test_marks_have_letters_and_sizes_and_neighbours_gather(show):
    page = show()

    red = page.get_by_role("button", name="Kestrel array, Solar, 400 MWp, Red")
    green = page.get_by_role("button", name=f"{HOSTILE}, Wind, 20 MW, Green")
    expect(red).to_have_text("R")
    expect(green).to_have_text("G")
    assert red.bounding_box()["width"] > green.bounding_box()["width"]
    expect(page.locator(".map-cluster")).to_have_text("215 MW")
    expect(page.locator(".map-cluster")).to_have_attribute("title", "2 facilities, 15 MW, mixed")


def test_mark_opens_a_popup_that_leads_to_the_records(show, portfolio):
    page = show()

    mark = page.get_by_role("button", name="Kestrel array")
    mark.focus()
    page.keyboard.press("Enter")

    popup = page.locator(".leaflet-popup")
    expect(page.locator(".leaflet-pan-anim")).to_have_count(0)  # the map moves to make room for it
    expect(popup).to_contain_text("Solar, 400 MWp")
    expect(popup).to_contain_text("Red")
    facility = portfolio.facilities.get()
    expect(popup.get_by_role("link", name="Kestrel array")).to_have_attribute(
        "href", facility.get_absolute_url()
    )
    popup.get_by_role("link", name="Kestrel Moor").click()
    expect(page.get_by_role("heading", name="Kestrel Moor")).to_be_visible()


def test_hostile_name_is_text_in_the_popup(show):
    page = show()

    page.get_by_role("button", name=HOSTILE).click()

    expect(page.locator(".leaflet-popup").get_by_role("link", name=HOSTILE).first).to_be_visible()
    expect(page.locator(".leaflet-popup img")).to_have_count(0)


def test_filter_narrows_map_and_list_together(show):
    page = show("?rag=red")

    expect(page.locator("[data-map]")).to_have_attribute("data-ready", "1")
    expect(page.locator(".map-sites li")).to_have_count(1)
    page.get_by_role("link", name="Board", exact=True).click()
    page.wait_for_url(lambda url: url.endswith("/pipelines/board/?rag=red"))


@pytest.mark.heavy
def test_map_follows_what_is_typed_and_stays_the_same_map(show):
    page = show()
    page.evaluate("document.querySelector('.leaflet-map-pane').dataset.first = 'yes'")

    page.get_by_label("Search", exact=True).press_sequentially("kestrel", delay=20)

    expect(page.locator("[data-map]")).to_have_attribute("data-ready", "1")
    expect(page.get_by_role("button", name="Kestrel array")).to_be_visible()
    expect(page.locator(".map-cluster")).to_have_count(0)
    expect(page.locator(".totals")).to_contain_text("1 facility on the map")
    expect(page.locator("#said")).to_have_text("1 facility on the map")
    expect(page.locator(".leaflet-map-pane[data-first]")).to_have_count(1)

    page.get_by_label("Search", exact=True).fill("nothing of that name")
    expect(page.get_by_text("No facility with coordinates")).to_be_visible()
    expect(page.locator("[data-map]")).to_have_attribute("data-ready", "0")
    expect(page.locator(".map-dot.leaflet-marker-icon")).to_have_count(0)


def test_map_that_cannot_be_loaded_says_so_and_keeps_its_list(browser_page, sign_in, live_server):
    page = browser_page
    pipeline = make_pipeline()
    PipelineFacility.objects.create(
        pipeline=pipeline, facility=make_facility("Plant", latitude=50, longitude=1)
    )
    sign_in(page, make_user(roles.MANAGERS, "morgan"))
    page.route("**/map/data/**", lambda route: route.fulfill(status=503))

    page.goto(f"{live_server.url}/pipelines/map/")

    expect(page.get_by_text("The facilities could not be loaded (503).")).to_be_visible()
    expect(page.get_by_role("link", name="Plant")).to_be_visible()
    page.console.expect("503")


@pytest.mark.heavy
@pytest.mark.parametrize("width", [390, 1440])
def test_map_is_no_wider_than_the_screen(show, width):
    page = show()

    page.set_viewport_size({"width": width, "height": 800})

    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.heavy
def test_large_portfolio_is_asked_for_where_the_map_is(show, portfolio, monkeypatch):
    """Groups split as the map comes nearer, until they are facilities with their popups."""
    monkeypatch.setattr("pipelines.map.MAX_SITES", 2)
    neighbour = Facility.objects.get(name="Near two")
    neighbour.latitude = "46.8"
    neighbour.save()
    page = show()
    answered = []
    page.on("response", lambda answer: answered.append(answer.url))

    group = page.locator(".map-cluster", has_text="15 MW")
    expect(group).to_have_attribute("title", "2 facilities, 15 MW, mixed")
    expect(page.get_by_role("button", name="Kestrel array")).to_have_text("R")
    group.focus()
    page.keyboard.press("Enter")

    near = page.get_by_role("button", name="Near one, Wind, 10 MW, Green")
    expect(near).to_be_visible()
    expect(page.locator("[data-map]")).to_have_attribute("aria-busy", "false")
    assert any("/map/data/" in url and "bounds=" in url for url in answered)
    near.click()
    expect(page.locator(".leaflet-popup").get_by_role("link", name="Near one")).to_be_visible()
    expect(page.locator("[data-map]")).to_have_attribute("data-ready", "4")


@pytest.mark.heavy
def test_switch_shows_projects_of_registers_under_our_facilities(show):
    ingest_repd(date(2025, 1, 31), {}, {"Ref ID": "102", "Site Name": HOSTILE})
    page = show()
    projects = page.locator("[data-map] .rounded-1.leaflet-marker-icon")
    expect(projects).to_have_count(0)

    page.get_by_role("switch", name="Projects of public registers").check()
    page.wait_for_url(lambda url: url.endswith("?beside=registers&beside_outcome=active"))
    expect(projects).to_have_count(1)
    expect(projects).to_have_attribute("title", "2 projects of registers, 80 MW")
    expect(page.get_by_text("Open Government Licence v3.0").first).to_be_visible()
    page.get_by_label("Outcome of registers").select_option("built")
    expect(projects).to_have_count(0)
    page.get_by_label("Outcome of registers").select_option("active")
    projects.focus()
    page.keyboard.press("Enter")
    project = page.get_by_role("button", name=f"{HOSTILE}, Solar, 40 MW, Application Submitted")
    project.focus()
    page.keyboard.press("Enter")
    popup = page.locator(".leaflet-popup")
    expect(popup).to_contain_text("Larch Energy Ltd, REPD")
    expect(popup).to_contain_text("km from our Kestrel array")

    page.get_by_role("switch", name="Projects of public registers").uncheck()
    page.wait_for_url(lambda url: url.endswith("/pipelines/map/"))
    expect(projects).to_have_count(0)
