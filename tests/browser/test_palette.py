"""The palette and the suggestions under the search field, by keyboard and by hand."""

import re

import pytest
from playwright.sync_api import expect

from oegen.people import roles
from tests.support.builders import make_pipeline, make_user

HOSTILE = "<script>alert(1)</script> مشروع 🦅 kestrel"


@pytest.fixture
def signed_in(browser_page, sign_in, live_server):
    make_pipeline("Kestrelmoor", capacity_mw=40, rag_status="red")
    make_pipeline("Kestrelfield", rag_status="amber")
    make_pipeline(HOSTILE)
    sign_in(browser_page, make_user(roles.MANAGERS, "morgan"))
    browser_page.goto(f"{live_server.url}/pipelines/?sort=-project_name")
    return browser_page


@pytest.fixture
def palette(signed_in):
    signed_in.keyboard.press("Control+k")
    return signed_in.get_by_role("dialog", name="Find and do")


def test_ctrl_k_opens_it_and_enter_opens_what_is_chosen(signed_in, palette):
    page = signed_in
    box = palette.get_by_role("combobox")
    expect(box).to_be_focused()
    expect(palette.get_by_role("option", name="Dashboard", exact=True)).to_be_visible()
    page.keyboard.type("kestrel")
    options = palette.get_by_role("option")
    expect(options.first).to_have_text(re.compile(r"Kestrelfield\s*Pipeline\s*Design\s*A?\s*Amber"))
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(palette).to_contain_text(HOSTILE)
    page.keyboard.press("ArrowDown")
    expect(options.nth(2)).to_have_attribute("aria-selected", "false")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", options.nth(1).get_attribute("id"))
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Kestrelfield")
    expect(palette).to_be_hidden()


def test_enter_waits_for_what_was_typed_last(signed_in, palette):
    palette.get_by_role("option").first.wait_for()
    signed_in.keyboard.type("kestrlmoor")
    signed_in.keyboard.press("Enter")
    expect(signed_in.get_by_role("heading", level=1)).to_have_text("Kestrelmoor")


def test_escape_gives_the_focus_back(signed_in, palette):
    page = signed_in
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()
    search = page.get_by_role("searchbox", name="Search", exact=True)
    search.focus()
    page.keyboard.press("Control+k")
    page.keyboard.type("zzzz")
    expect(palette.get_by_role("status")).to_contain_text("Nothing has “zzzz” in it")
    page.keyboard.press("Escape")
    expect(search).to_be_focused()


def test_commands_act_on_the_page(signed_in, palette):
    page = signed_in
    page.keyboard.type("as of yesterday")
    palette.get_by_role("option", name=re.compile("^As of")).click()
    page.wait_for_url(re.compile(r"/pipelines/\?sort=-project_name&as_of=\d{4}-\d\d-\d\d$"))
    page.keyboard.press("Control+k")
    page.keyboard.type("red and overdue")
    option = palette.get_by_role("option", name="Pipelines: red, overdue")
    expect(option).to_have_attribute(
        "href", re.compile(r"^/pipelines/\?rag=red&rtb=overdue&as_of=")
    )
    page.get_by_role("combobox", name="Find a record").fill("dark")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(palette).to_be_hidden()


def test_the_field_of_the_page_suggests_too_and_enter_searches(signed_in):
    page = signed_in
    page.keyboard.press("/")
    box = page.get_by_role("combobox", name="Search everything")
    expect(box).to_have_attribute("aria-expanded", "false")
    page.keyboard.type("kestrelm")
    option = page.get_by_role("option", name="Kestrelmoor Pipeline")
    expect(option).to_have_attribute("aria-selected", "false")
    expect(box).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(option).to_be_hidden()
    page.keyboard.press("ArrowDown")
    expect(option).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/search/\?q=kestrelm$"))


def test_suggestions_fit_a_phone_and_open_by_touch(signed_in):
    page = signed_in
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("combobox", name="Search everything").fill("kestrel")
    option = page.get_by_role("option", name="Kestrelmoor Pipeline")
    option.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    option.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Kestrelmoor")


def test_a_failure_is_said(signed_in, palette):
    palette.get_by_role("option").first.wait_for()
    signed_in.route("**/search/suggest/**", lambda route: route.fulfill(status=500))
    signed_in.keyboard.type("kestrel")
    expect(palette.get_by_role("status")).to_contain_text("can’t be loaded")
    signed_in.keyboard.press("Enter")
    signed_in.wait_for_url(re.compile(r"/search/\?q=kestrel$"))
    signed_in.console.expect("500")
