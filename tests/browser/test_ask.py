"""The panel of questions, by keyboard and by hand."""

import re

import pytest
from playwright.sync_api import expect

from dashboard.models import AskedQuestion
from oegen.people import roles
from tests.browser.test_every_page import ALL_RULES, AXE, FITS, RULES_OF_LOOKS, barriers_of
from tests.support.builders import make_pipeline, make_user

HOSTILE = "<img src=x onerror=alert(1)> مشروع 🦅 Kestrelwood"


@pytest.fixture
def signed_in(browser_page, sign_in, live_server):
    make_pipeline("Kestrelmoor", technology="solar", capacity_mw=40, rag_status="red")
    make_pipeline("Kestrelfield", technology="onshore-wind", capacity_mw=25, rag_status="amber")
    make_pipeline(HOSTILE, technology="bess", capacity_mw=900, rag_status="green")
    sign_in(browser_page, make_user(roles.MANAGERS, "morgan"))
    browser_page.goto(f"{live_server.url}/pipelines/")
    return browser_page


@pytest.fixture
def panel(signed_in):
    signed_in.keyboard.press("a")
    return signed_in.get_by_role("dialog", name="Ask about this page")


def test_it_is_asked_and_answers_by_keyboard(signed_in, panel):
    page = signed_in
    box = panel.get_by_role("textbox", name="Your question")
    expect(box).to_be_focused()
    page.keyboard.type("open MW by technology")
    page.keyboard.press("Enter")
    expect(panel.get_by_role("img", name="BESS 900 MW")).to_be_visible()
    expect(panel.get_by_role("status")).to_contain_text("965 MW in all")
    expect(box).to_be_focused()
    expect(box).to_have_value("")
    panel.get_by_role("button", name="Show as table").click()
    expect(panel.get_by_role("link", name="40.0 MW").first).to_be_visible()

    # What the question was read as can be changed; Escape closes its choices first.
    chip = panel.get_by_text("by technology, change")
    chip.click()
    page.keyboard.press("Escape")
    expect(panel).to_be_visible()
    chip.click()
    panel.get_by_role("link", name="RAG", exact=True).click()
    expect(panel.get_by_text("by RAG, change")).to_be_visible()
    expect(panel.get_by_role("img", name=re.compile("Red 40.0 MW"))).to_be_visible()

    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_the_conversation_stays_until_it_is_cleared(signed_in, panel, live_server):
    page = signed_in
    panel.get_by_role("link", name="Biggest five projects").click()
    expect(panel.get_by_text(HOSTILE).first).to_be_visible()
    panel.get_by_role("button", name="This answer helps").click()
    expect(panel.get_by_role("button", name="This answer helps")).to_have_attribute(
        "aria-pressed", "true"
    )
    assert AskedQuestion.objects.get().thumbs == "up"
    panel.get_by_role("link", name="Open as a list").click()
    page.wait_for_url(re.compile("/pipelines/.*sort=-capacity_mw"))

    page.goto(f"{live_server.url}/counterparties/")
    page.get_by_role("link", name="Ask about this page").click()
    expect(panel.get_by_role("heading", name="Biggest five projects")).to_be_visible()
    panel.get_by_role("button", name="Clear").click()
    expect(panel.get_by_role("heading", name="Biggest five projects")).to_have_count(0)


def test_ctrl_k_asks_and_a_button_briefs(signed_in, panel, live_server):
    page = signed_in
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("how many MW are red")
    page.get_by_role("option", name="Ask: how many MW are red").click()
    expect(panel.get_by_text("40.0 MW").first).to_be_visible()
    page.goto(f"{live_server.url}/")
    page.get_by_role("link", name="Brief me").click()
    expect(panel.get_by_role("heading", name="What comes next")).to_be_visible()


def test_it_says_when_the_answer_breaks_off(signed_in, panel, live_server):
    page = signed_in
    page.route("**/ask/answer/", lambda route: route.abort())
    page.keyboard.type("how many MW are red")
    page.keyboard.press("Enter")
    expect(panel.get_by_text("The server can’t be reached.").first).to_be_visible()
    page.unroute("**/ask/answer/")
    page.route(
        "**/ask/answer/",
        lambda route: route.fulfill(body='{"place": "body", "html": "<p>Half</p>"}\n{"pla'),
    )
    page.keyboard.type("how many MW are red")
    page.keyboard.press("Enter")
    expect(panel.get_by_text("The answer broke off.").first).to_be_visible()
    page.console.expect("Failed to load resource")


def test_it_has_no_barriers(signed_in, panel):
    page = signed_in
    for question in ("biggest five projects", "open MW by technology", "zebras", "Brief me"):
        page.keyboard.type(question)
        page.keyboard.press("Enter")
        expect(panel.get_by_role("button", name="Ask", exact=True)).to_be_visible()
        expect(panel.get_by_role("link", name="Link to this answer").last).to_be_visible()
    page.evaluate(AXE)
    rules = ALL_RULES
    for scheme, width in (("light", 1440), ("dark", 390)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 844})
        assert barriers_of(page, rules) == [], scheme
        assert page.evaluate(FITS)
        rules = RULES_OF_LOOKS
