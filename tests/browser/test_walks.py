"""The rows of the demo walked through in a browser, for each of the three kinds of record that the
demo is about: create, view all, edit as a table, view one, search, download.
"""

import csv
import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_admin import choose, save
from tests.support.builders import make_counterparty, make_information_point, make_pipeline
from tests.support.downloads import SPACE

REASON = "Agreed with the team"


@dataclass(frozen=True)
class Walk:
    """One kind of record: ``name`` is the new one's, ``typed`` finds it and not ``other``."""

    path: str
    add: str
    name: str
    other: str
    typed: str
    #: A field of the admin's table, its new value, and how pages tell that.
    field: str
    value: str
    shown_text: str


WALKS = {
    "pipelines": Walk(
        "/pipelines/",
        "Add pipeline",
        "Kettleby Solar",
        "Rowan Down",
        "kettle",
        "rag_comment",
        "The grid offer came in time",
        "The grid offer came in time",
    ),
    "counterparties": Walk(
        "/counterparties/",
        "Add counterparty",
        "Åse Kraft",
        "Larch Power",
        "ase",
        "strategy",
        "Batteries near data centres",
        "Batteries near data centres",
    ),
    "infopoints": Walk(
        "/infopoints/",
        "Add information point",
        "Panel prices fall again",
        "Grid queue reform",
        "panel",
        "likelihood",
        "90",
        "90",
    ),
}


@pytest.fixture(
    params=[
        "pipelines",
        *(pytest.param(name, marks=pytest.mark.heavy) for name in ("counterparties", "infopoints")),
    ]
)
def walk(request) -> Walk:
    return WALKS[request.param]


@pytest.fixture
def others():
    """A record of each kind that is there already."""
    make_pipeline("Rowan Down", technology="wind", capacity_mw=60, rag_status="green")
    make_counterparty("Larch Power", strategy="Wind in the north")
    make_information_point("Grid queue reform", 40, 30)


def fill_in(page: Page, walk: Walk) -> None:
    """The least that the form of the admin asks for, and a little more."""
    match walk.path:
        case "/pipelines/":
            page.get_by_label("Project name").fill(walk.name)
            choose(page, page, "stage", "Design")
            page.locator("#id_rag_status").select_option(label="Amber")
            page.get_by_label("RAG comment").fill("The grid offer is late")
        case "/counterparties/":
            page.locator("#id_name").fill(walk.name)
            page.get_by_label("Strategy").fill("Solar in the south")
        case "/infopoints/":
            page.get_by_label("Title").fill(walk.name)
            page.get_by_label("Impact").fill("70")
            page.get_by_label("Likelihood").fill("60")


def names_on_screen(page: Page) -> list[str]:
    return [name.strip() for name in page.locator("#results tbody th").all_inner_texts()]


def download(page: Page, kind: str) -> bytes:
    page.locator("summary", has_text="Download").click()
    with page.expect_download() as caught:
        page.get_by_role("link", name=kind).click()
    page.keyboard.press("Escape")
    return Path(caught.value.path()).read_bytes()


def csv_table(raw: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def xlsx_table(raw: bytes) -> list[list[str]]:
    """The non-empty cells by row, from the second sheet; the first describes the file."""
    sheet = zipfile.ZipFile(io.BytesIO(raw)).read("xl/worksheets/sheet2.xml")
    rows = ElementTree.fromstring(sheet).iterfind(".//s:row", SPACE)  # noqa: S314 - ours
    return [
        [
            "".join(cell.itertext())
            for cell in row.iterfind("s:c", SPACE)
            if "".join(cell.itertext())
        ]
        for row in rows
    ]


def test_portfolio_manager_creates_edits_finds_and_downloads(
    browser_page, sign_in_by_form, portfolio_manager, others, live_server, walk
):
    page = browser_page
    sign_in_by_form(page, portfolio_manager)
    page.get_by_role("navigation", name="Sections").locator(f"a[href='{walk.path}']").click()

    # Create, look at it, and come back.
    page.get_by_role("link", name=walk.add).click()
    fill_in(page, walk)
    save(page)
    expect(page.get_by_role("status").filter(has_text=walk.name)).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text(walk.name)
    page.get_by_role("link", name="Back to where you were").click()
    page.wait_for_url(lambda url: url.endswith(walk.path))

    # View all, and filter while typing.
    expect(page.locator("#results tbody tr")).to_have_count(2)
    assert set(names_on_screen(page)) == {walk.name, walk.other}
    page.locator("#id_q").press_sequentially(walk.typed, delay=20)
    expect(page.locator("#results tbody tr")).to_have_count(1)
    page.wait_for_url(lambda url: url.endswith(f"?q={walk.typed}"))
    assert names_on_screen(page) == [walk.name]

    # View one.
    page.locator("#results").get_by_role("link", name=walk.name).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(walk.name)
    record_url = page.url

    # Edit as a table, with a reason.
    model = {
        "/pipelines/": "pipelines/pipeline",
        "/counterparties/": "counterparties/counterparty",
        "/infopoints/": "infopoints/informationpoint",
    }[walk.path]
    page.goto(f"{live_server.url}/admin/{model}/")
    row = page.locator("#result_list tbody tr", has_text=walk.name)
    row.locator(f"[name$={walk.field}]").fill(walk.value)
    page.locator("[name=change_reason]").fill(REASON)
    save(page)
    expect(page.locator(".messagelist")).to_contain_text("changed successfully")
    page.goto(record_url)
    expect(page.locator("main")).to_contain_text(walk.shown_text)
    expect(page.locator("main")).to_contain_text(REASON)

    # Search from the top of any page.
    page.keyboard.press("/")
    page.keyboard.type(walk.name.lower())
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/search/\?q="))
    page.locator(".hit").get_by_role("link", name=walk.name).first.click()
    expect(page).to_have_url(record_url)

    # Download what is on screen, with a column of one's choice.
    page.goto(f"{live_server.url}{walk.path}?columns={walk.field},modified_at")
    heads = [head.strip() for head in page.locator("#results thead th").all_inner_texts()]
    names = names_on_screen(page)
    as_csv = csv_table(download(page, "CSV"))
    as_xlsx = xlsx_table(download(page, "Excel (XLSX)"))
    for table in (as_csv, as_xlsx):
        *shown, version, key = table[0]
        assert [head.casefold() for head in shown] == [head.casefold() for head in heads]
        assert (version[:7], key) == ("Version", "ID")
        assert [line[0] for line in table[1:]] == names
        new = table[1 + names.index(walk.name)]
        assert new[1] == walk.shown_text
        assert record_url.endswith(f"/{new[-1]}/"), "its id leads from the file to its page"


def test_manager_sees_everything_and_no_way_to_edit(
    browser_page, sign_in_by_form, manager, others, live_server, walk
):
    page = browser_page
    sign_in_by_form(page, manager)
    page.get_by_role("navigation", name="Sections").locator(f"a[href='{walk.path}']").click()
    expect(page.locator("#results tbody tr")).to_have_count(1)
    assert csv_table(download(page, "CSV"))[1][0] == walk.other

    page.locator("#results").get_by_role("link", name=walk.other).click()

    expect(page.get_by_role("heading", level=1)).to_contain_text(walk.other)
    for address in (page.url, f"{live_server.url}{walk.path}"):
        page.goto(address)
        expect(page.locator("a[href*='/admin/']")).to_have_count(0)
        # A filter that is set can be taken away by everybody.
        ways = re.compile("^(Add|Edit|Remove(?! the filter ))")
        expect(page.get_by_role("link", name=ways)).to_have_count(0)
        expect(page.get_by_label("Add a comment")).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type(walk.other.split()[0])
    page.keyboard.press("Enter")
    expect(page.locator(".hit").get_by_role("link", name=walk.other).first).to_be_visible()
