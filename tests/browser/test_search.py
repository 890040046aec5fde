"""Search in a real browser: from any page, as one types, by keyboard, and on a phone."""

import re

import pytest
from playwright.sync_api import expect

from oegen.models import Comment
from oegen.people import roles
from tests.support.builders import make_counterparty, make_pipeline, make_user

HOSTILE = "<script>alert(1)</script> مشروع 🦅 kestrel"


@pytest.fixture
def signed_in(browser_page, sign_in_by_form):
    pipeline = make_pipeline("Kestrel Moor", rag_status="red", rag_comment="The grid is late.")
    make_pipeline(HOSTILE)
    make_counterparty("Ærø Strøm", aliases="Kestrel Holdings")
    Comment.objects.create(subject=pipeline, text="Spoke to the council ".ljust(10_000, "x"))
    sign_in_by_form(browser_page, make_user(roles.MANAGERS, "morgan"))
    return browser_page


def test_the_slash_key_goes_to_the_box_and_enter_to_the_results(signed_in):
    page = signed_in
    page.keyboard.press("/")
    box = page.get_by_role("combobox", name="Search everything")
    expect(box).to_be_focused()
    page.keyboard.type("kestrel moor")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/search/\?q=kestrel(\+|%20)moor"))
    expect(page.locator(".hit")).to_have_count(1)
    expect(page.locator(".hit mark").first).to_have_text("Kestrel")
    page.get_by_role("link", name="Kestrel Moor").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Kestrel Moor")


def test_results_come_as_one_types_and_the_address_follows(signed_in, live_server):
    page = signed_in
    page.goto(f"{live_server.url}/search/")
    box = page.get_by_role("searchbox", name="Search everything")
    expect(box).to_be_focused()
    page.keyboard.type("AERO")
    expect(page.locator(".hit mark")).to_have_text(["Ærø"])
    expect(page.get_by_role("status")).to_contain_text("1 result for “AERO”")
    expect(page).to_have_url(re.compile(r"/search/\?q=AERO$"))
    box.fill("kestrel")
    expect(page.locator(".hit")).to_have_count(3)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/pipelines/"))
    page.go_back()
    expect(page.get_by_role("searchbox", name="Search everything")).to_have_value("kestrel")
    expect(page.locator(".hit")).to_have_count(3)


def test_hostile_and_endless_text_is_shown_as_text(signed_in, live_server):
    page = signed_in
    page.goto(f"{live_server.url}/search/?q=script")
    expect(page.locator(".hit-name")).to_have_text([HOSTILE])
    page.get_by_role("searchbox", name="Search everything").fill("council xxx")
    expect(page.locator(".hit-place")).to_contain_text(["Spoke to the council"])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_on_a_phone_every_section_and_search_can_be_reached(signed_in, live_server):
    page = signed_in
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}/changes/")
    expect(page.get_by_role("combobox", name="Search everything")).to_be_visible()
    page.locator("summary").filter(has_text="menu").click()
    menu = page.get_by_role("navigation", name="All sections")
    for name in (
        "Dashboard",
        "Pipelines",
        "Counterparties",
        "Contacts",
        "Facilities",
        "Information points",
        "Changes",
    ):
        expect(menu.get_by_role("link", name=name)).to_be_visible()
    page.keyboard.press("Escape")
    bar = page.get_by_role("navigation", name="Most used sections")
    bar.get_by_role("link", name="Changes").click()
    page.wait_for_url(re.compile(r"/changes/$"))
    expect(bar.get_by_role("link", name="Changes")).to_have_attribute("aria-current", "page")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_sections_are_named_in_their_order(signed_in):
    links = signed_in.get_by_role("navigation", name="Sections").get_by_role("link")
    expect(links).to_have_text(
        [
            "Dashboard",
            "Pipelines",
            "Counterparties",
            "Contacts",
            "Facilities",
            "Information points",
            "Competitors",
            "Changes",
        ]
    )
