"""The lists in a real browser: filter as one types, chips, columns, files, saved views."""

import csv
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import expect

from oegen.models import SavedView
from oegen.people import roles
from tests.support.browser_filters import choose
from tests.support.builders import make_counterparty, make_pipeline, make_user

HOSTILE = '=HYPERLINK("http://evil.example") <script>alert(1)</script> مرحبا 🔥'


@pytest.fixture
def reader():
    return make_user(roles.MANAGERS, "morgan", first_name="Morgan", last_name="Reid")


@pytest.fixture
def pipelines():
    lead = make_counterparty("Larch Power", country="GB")
    make_pipeline("Kestrel Moor", capacity_mw=40, rag_status="red", lead_developer=lead)
    make_pipeline("Kestrel Down", capacity_mw=90, technology="wind", rag_status="green")
    make_pipeline(HOSTILE, capacity_mw=7, rag_comment="x" * 10_000)


@pytest.fixture
def list_page(browser_page, sign_in, reader, pipelines, live_server):
    sign_in(browser_page, reader)
    browser_page.goto(f"{live_server.url}/pipelines/")
    return browser_page


def test_typing_filters_in_place_and_keeps_the_cursor(list_page):
    page = list_page
    page.evaluate("window.untouched = true")
    search = page.locator("#id_q")

    search.press_sequentially("kestrel", delay=20)

    page.wait_for_url(lambda url: url.endswith("/pipelines/?q=kestrel"))
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(search).to_be_focused()
    search.press_sequentially(" moor", delay=20)
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator(".totals")).to_contain_text("40.0")
    expect(page.locator("#said")).to_have_text("1 pipeline")
    assert page.evaluate("window.untouched"), "the page was not loaded again"


def test_back_leads_to_the_filters_before(list_page):
    page = list_page
    choose(page, "rag", "Red")
    page.wait_for_url(lambda url: url.endswith("?rag=red"))
    expect(page.locator("tbody tr")).to_have_count(1)

    page.go_back()

    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator("#id_rag_shown")).to_have_text("Any RAG")


@pytest.mark.heavy
def test_back_goes_by_what_was_asked_for_and_not_by_letters(list_page):
    page = list_page
    choose(page, "rag", "Red")
    page.wait_for_url(lambda url: url.endswith("?rag=red"))
    search = page.locator("#id_q")
    for text in ("k", "ke", "kestrel"):
        search.press_sequentially(text[len(search.input_value()) :])
        page.wait_for_url(lambda url, text=text: url.endswith(f"?q={text}&rag=red"))
    choose(page, "status", "Design")
    page.wait_for_url(lambda url: "status=design" in url)
    search.press("End")
    search.press_sequentially(" moor")
    page.wait_for_url(lambda url: "q=kestrel%20moor" in url)

    addresses = []
    for _ in range(4):
        # htmx has no page of that address kept: it loads it.
        with page.expect_event("load"):
            page.evaluate("history.back()")
        addresses.append(page.url.partition("?")[2])

    assert addresses == ["q=kestrel&status=design&rag=red", "q=kestrel&rag=red", "rag=red", ""]


def test_choices_are_ticked_by_keyboard_counted_and_left_out(list_page):
    page = list_page
    control = page.locator("#id_technology")
    rows = page.locator("tbody tr")

    control.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(control.locator('[data-count="solar"]')).to_have_text("2")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.wait_for_url(lambda url: url.endswith("?technology=solar"))
    expect(rows).to_have_count(2)
    control.get_by_label("not Solar", exact=True).check()

    page.wait_for_url(lambda url: url.endswith("?technology__not=solar"))
    expect(control.get_by_label("Solar", exact=True)).not_to_be_checked()
    expect(control.locator("summary")).to_have_text("not Solar")
    expect(rows).to_have_count(1)
    page.keyboard.press("Escape")
    expect(control.get_by_label("Solar", exact=True)).to_be_hidden()


@pytest.mark.heavy
def test_names_are_suggested_while_one_types(list_page):
    page = list_page
    field = page.locator("#id_counterparty")
    field.press_sequentially("larch", delay=20)

    suggested = page.locator("#names-of-counterparty option")
    expect(suggested).to_have_count(1)
    expect(suggested).to_have_attribute("value", "Larch Power")
    field.fill("Larch Power")
    expect(page.locator("tbody tr")).to_have_count(1)


@pytest.mark.heavy
def test_wrong_value_is_reported_while_typing_and_the_sentence_goes(list_page):
    page = list_page
    page.get_by_text("More filters").click()
    capacity = page.get_by_label("Capacity from, MW")

    capacity.fill("lots")
    expect(page.get_by_text("Give a number in digits, such as 50.")).to_be_visible()
    expect(capacity).to_have_attribute("aria-invalid", "true")
    capacity.fill("41")

    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_text("Give a number in digits, such as 50.")).to_be_hidden()
    expect(capacity).not_to_have_attribute("aria-invalid", "true")


def test_chip_takes_its_filter_away(list_page):
    page = list_page
    choose(page, "technology", "Wind, kind not given")
    expect(page.locator(".chip-text")).to_have_text(["Open, all stages", "Wind, kind not given"])

    page.get_by_role("link", name="Remove the filter Technology").click()

    page.wait_for_url(lambda url: url.endswith("/pipelines/"))
    expect(page.locator("tbody tr")).to_have_count(3)


@pytest.mark.heavy
def test_columns_are_chosen_and_ordered_by_keyboard(list_page):
    page = list_page
    page.locator("summary", has_text="Columns").focus()
    page.keyboard.press("Enter")
    page.get_by_label("RAG", exact=True).last.focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Move Status down").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Show these").press("Enter")

    heads = page.locator("thead th")
    expect(heads).to_have_text(
        ["Pipeline", "Capacity, MW/MWp", "Technologies", "Status", "RTB date", "Lead developer"]
    )
    page.locator("summary", has_text="Columns").click()
    page.get_by_role("button", name="Back to the usual columns").click()
    expect(heads.nth(2)).to_have_text("Status")


def test_download_is_what_is_on_screen(list_page):
    page = list_page
    page.get_by_role("link", name="Capacity, MW/MWp").click()
    page.wait_for_url(lambda url: "sort=-capacity_mw" in url)
    on_screen = page.locator("tbody th").all_inner_texts()
    page.locator("summary", has_text="Download").click()
    with page.expect_download() as caught:
        page.get_by_role("link", name="CSV").click()

    text = Path(caught.value.path()).read_text("utf-8-sig")
    rows = list(csv.reader(text.splitlines()))
    assert on_screen == ["Kestrel Down", "Kestrel Moor", HOSTILE]
    assert [row[0] for row in rows[1:]] == ["Kestrel Down", "Kestrel Moor", f"'{HOSTILE}"]
    with page.expect_download() as caught:
        page.get_by_role("link", name="Excel (XLSX)").click()
    assert caught.value.suggested_filename.endswith(".xlsx")


def test_view_is_saved_opened_renamed_and_removed(list_page, live_server):
    page = list_page
    choose(page, "rag", "Red")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("summary", has_text="Views").click()
    page.get_by_label("Save this view as").fill("Red ones")
    page.get_by_role("button", name="Save this view").click()
    expect(page.locator(".view-name")).to_have_text("Red ones")

    page.goto(f"{live_server.url}/pipelines/")
    page.locator("summary", has_text="Views").click()
    page.locator(".dropdown-item", has_text="Red ones").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("#id_rag_shown")).to_have_text("Red")

    page.locator("summary", has=page.locator(".view-name")).click()
    page.locator("summary", has_text="Rename, share or remove Red ones").click()
    page.get_by_label("Name", exact=True).fill("Reds")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".view-name")).to_have_text("Reds")
    page.locator("summary", has=page.locator(".view-name")).click()
    page.locator("summary", has_text="Rename, share or remove Reds").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("The view “Reds” is removed.")).to_be_visible()
    assert not SavedView.objects.exists()


@pytest.mark.heavy
def test_filters_work_without_javascript(browser, live_server, reader, pipelines):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{live_server.url}/login/")
    page.get_by_label("Username").fill("morgan")
    page.get_by_label("Password").fill("correct horse battery staple")
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{live_server.url}/pipelines/")

    page.locator("#id_q").fill("moor")
    page.get_by_role("button", name="Filter", exact=True).click()

    expect(page.locator("tbody tr")).to_have_count(1)
    context.close()


@pytest.mark.heavy
def test_session_that_ended_leads_to_the_sign_in_page(list_page):
    page = list_page
    page.context.clear_cookies()

    page.locator("#id_q").press_sequentially("moor", delay=20)

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_on_a_phone_a_row_shows_what_matters_without_scrolling(
    browser_page, sign_in, manager, live_server
):
    page = browser_page
    page.set_viewport_size({"width": 390, "height": 844})
    make_pipeline(
        "Kestrel Moor Extension Two",
        stage="commissioning",
        capacity_mw=1234,
        rag_status="amber",
        rtb_date=date(2031, 3, 14),
        lead_developer=make_counterparty("Larch Power"),
    )
    sign_in(page, manager)
    page.goto(f"{live_server.url}/pipelines/")

    row = page.locator("tbody tr")
    for text in ("Kestrel Moor Extension Two", "1,234.0", "Commissioning", "Amber", "14 Mar 2031"):
        box = row.get_by_text(text).first.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390, text
        assert box["y"] + box["height"] < 700, text
    expect(page.locator("#id_status")).to_be_hidden()
    page.get_by_role("button", name="Filters").click()
    expect(page.locator("#id_status")).to_be_visible()


@pytest.mark.heavy
def test_j_and_k_walk_the_rows_and_enter_opens_one(list_page):
    page = list_page
    rows = page.locator("tbody th a")
    for key, row in [("j", 0), ("j", 1), ("k", 0)]:
        page.keyboard.press(key)
        expect(rows.nth(row)).to_be_focused()
    name = rows.first.inner_text()

    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text(name)
