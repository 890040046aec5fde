"""A file is uploaded and its columns are named, in a real browser: by the keyboard, on a phone."""

import pytest
from playwright.sync_api import expect

from oegen.imports.tables.models import TableImport
from tests.browser.test_every_page import faults_of

pytestmark = pytest.mark.heavy

HOSTILE = "<img src=x onerror=alert(1)> مرحبا"
FILE = (
    f"{HOSTILE};Capacity;RTB date;Technology\n"
    f"Oak;12,5;03/04/2027;Sun power\nElm;7;05/04/2027;{HOSTILE}\n"
)


@pytest.fixture
def page(browser_page, sign_in, portfolio_manager, settings, tmp_path):
    settings.IMPORT_FILES_DIR = tmp_path / "imports"
    sign_in(browser_page, portfolio_manager)
    return browser_page


def test_columns_are_named_by_the_keyboard_and_nothing_is_lost(page, live_server, tmp_path):
    path = tmp_path / "projects.csv"
    path.write_text(FILE, encoding="utf-8")
    page.goto(f"{live_server.url}/import/?kind=pipelines")
    assert faults_of(page) == []
    expect(page.get_by_label("What its rows are")).to_have_value("kind:pipelines")
    page.get_by_label("File", exact=True).set_input_files(path)
    page.get_by_role("button", name="Read the columns").click()

    expect(page.get_by_text("3 of 4 columns still have a question.")).to_be_visible()
    assert faults_of(page) == []
    page.get_by_label("Source of the external references").fill("REPD")
    first = page.locator("#field-0")
    first.focus()
    with page.expect_response(lambda answer: "/columns/" in answer.url):
        page.keyboard.type("Pipeline")
    expect(page.get_by_text("2 of 4 columns still have a question.")).to_be_visible()
    expect(first).to_be_focused()
    expect(page.get_by_label("Source of the external references")).to_have_value("REPD")
    page.get_by_label("Unit").select_option("kW")
    expect(page.get_by_text("12,5 is read as 0.013 MW")).to_be_visible()

    page.get_by_role("button", name="Make the preview").click()
    expect(page.get_by_label("Order of days of “RTB date”")).to_be_focused()
    page.get_by_label("Order of days of “RTB date”").select_option("dmy")
    expect(page.get_by_text("03/04/2027 is read as 3 Apr 2027")).to_be_visible()
    page.get_by_label("What “Sun power” is").select_option(label="Solar")
    expect(page.get_by_text("1 not known here")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Make the preview").click()
    one = TableImport.objects.get()
    page.wait_for_url(f"**/import/{one.pk}/")
    readings = {column["field"]: column["reading"] for column in one.mapping["columns"]}
    assert readings["rtb_date"] == {"order": "dmy"}
    assert readings["facility.capacity_mw"]["unit"] == "kW"
