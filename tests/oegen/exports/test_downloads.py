"""Downloads: the rows, columns and order on screen, as numbers, dates and harmless text."""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from counterparties.models import Counterparty
from oegen.core.formulas import escape_formula
from oegen.models import ChangeSet
from pipelines.models import Pipeline
from tests.support.builders import make_contact, make_counterparty, make_facility, make_pipeline
from tests.support.downloads import body, cells_of, csv_rows, xlsx_cells, xlsx_file

TEXTS = [
    '=HYPERLINK("http://evil.example","Click")',
    "+44 20 7946 0000",
    "-1+1",
    "@SUM(A1)",
    "\tTab first",
    "\n=1+1",
    "＝1+1",
    "－1",
    "Wind;=1+1",
    "<script>alert(1)</script>",
    "' OR 1=1 --",
    'She said "quote, unquote"',
    "Two\nlines",
    "مرحبا بالعالم",
    "Wind 🌬️ and 日本語",
    "x" * 10_000,
]


def make_larch(strategy: str) -> None:
    """As older databases have it: the text is longer, or begins otherwise, than is taken today."""
    make_counterparty("Larch")
    QuerySet(Counterparty).update(strategy=strategy)


def test_file_has_the_rows_columns_and_order_of_the_list_over_all_its_pages(as_manager):
    for number in range(130):
        make_pipeline(f"Moor {number:03}", rag_status="red", capacity_mw=number)
    make_pipeline("Elsewhere", rag_status="green")
    query = {"rag": "red", "sort": "-capacity_mw", "columns": "capacity_mw,rag_status"}

    on_screen = []
    for page in (1, 2, 3):
        table = as_manager.get(reverse("pipelines"), {**query, "page": page}).context["table"]
        on_screen += [row.record.project_name for row in table.paginated_rows]
    rows = csv_rows(as_manager, "pipelines", **query)

    by_basis = ["Capacity, MWp DC", "Capacity, MW AC", "Storage, MWh"]
    version = (
        f"Version of pipelines at change set {ChangeSet.objects.count()}: rag=red&sort=-capacity_mw"
        "&status=open&columns=project_name,capacity_mw,rag_status"
    )
    assert rows[0] == ["Pipeline", "Capacity, MW/MWp", "RAG", *by_basis, version, "ID"]
    assert [row[0] for row in rows[1:]] == on_screen
    assert len(on_screen) == 130
    key = str(Pipeline.objects.get(project_name="Moor 129").pk)
    assert rows[1] == ["Moor 129", "129", "Red", "129", "", "", "1", key]
    cells = xlsx_cells(as_manager, "pipelines", **query)
    assert [cells[f"A{row}"][1] for row in range(2, 132)] == on_screen


def test_person_s_own_columns_are_downloaded(as_manager):
    moor = make_pipeline("Moor", rtb_date=date(2027, 3, 14))
    as_manager.post(reverse("pipelines"), {"do": "columns", "columns": ["rtb_date", "status"]})

    assert csv_rows(as_manager, "pipelines") == [
        [*("Pipeline", "RTB date", "Status"), csv_rows(as_manager, "pipelines")[0][3], "ID"],
        ["Moor", "2027-03-14", "Design", "1", str(moor.pk)],
    ]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text[:20]))
def test_any_text_comes_out_as_text(as_manager, text):
    make_larch(text)
    query = {"columns": "strategy"}

    row = csv_rows(as_manager, "counterparties", **query)[1]
    kind, cell = xlsx_cells(as_manager, "counterparties", **query)["B2"]

    is_formula = text[0] in "=+-@\t\r\n＝＋－＠'"
    assert row[:2] == ["Larch", f"'{text}" if is_formula else text.replace(";=", ";'=")]
    assert (kind, cell) == ("inlineStr", text)


@pytest.mark.parametrize(
    ("value", "reported"),
    [
        ("=1", "'=1"),
        ("\r=1", "'\r=1"),
        ("＋1;＠x", "'＋1;'＠x"),
        ("a=1", "a=1"),
        ("'a;'b", "''a;''b"),
        ("a; -1\n- b", "a; -1\n- b"),
        ("", ""),
        (Decimal("-5"), Decimal("-5")),
        (-5, -5),
        (None, None),
    ],
)
def test_only_texts_that_start_as_formulas_or_with_an_apostrophe_are_escaped(value, reported):
    assert escape_formula(value) == reported


def test_text_longer_than_a_cell_is_left_out_of_xlsx_and_whole_in_csv(as_manager):
    make_larch("y" * 40_000)
    query = {"columns": "strategy"}

    cell = xlsx_cells(as_manager, "counterparties", **query)["B2"][1]

    assert cell == "(left out: 40,000 characters, more than a cell of Excel takes)"
    assert len(csv_rows(as_manager, "counterparties", **query)[1][1]) == 40_000


def test_numbers_are_numbers_and_dates_are_dates_in_xlsx(as_manager):
    make_pipeline("Moor", capacity_mw=Decimal("194.432"), rtb_date=date(2027, 3, 14))
    file = xlsx_file(as_manager, "pipelines", columns="capacity_mw,rtb_date,modified_at,cod_date")
    cells = cells_of(file, "sheet2")

    assert cells["B2"] == ("n", "194.432")
    assert "#,##0.0##&quot; MWp&quot;" in file.read("xl/styles.xml").decode()
    assert cells["C2"] == ("n", str((date(2027, 3, 14) - date(1899, 12, 30)).days))
    assert float(cells["D2"][1]) > (timezone.localdate() - date(1899, 12, 31)).days
    assert "E2" not in cells, "nothing known is an empty cell"


@pytest.mark.parametrize(
    ("name", "file_name"),
    [("pipelines", "pipelines"), ("infopoints", "information-points"), ("contacts", "contacts")],
)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_file_is_named_for_the_list_and_the_day(as_manager, name, file_name, kind):
    response = as_manager.get(reverse(name), {"download": kind})

    body(response)
    name = re.search(r'filename="([^"]+)"', response["Content-Disposition"])[1]
    assert name == f"{file_name}-{timezone.localdate():%Y-%m-%d}.{kind}"


def test_links_are_described_in_words(as_manager):
    make_pipeline(
        "Moor", capacity_mw=3, technology="wind", lead_developer=make_counterparty("Larch")
    )
    columns = "technologies,counterparties,facilities"

    assert csv_rows(as_manager, "pipelines", columns=columns)[1][:-2] == [
        "Moor",
        "Wind",
        "Larch (Lead developer)",
        "Moor",
    ]


def test_wrong_filter_gives_the_page_with_its_sentence_and_no_file(as_manager):
    response = as_manager.get(reverse("pipelines"), {"download": "csv", "rag": "pink"})

    assert response["Content-Type"].startswith("text/html")
    assert "There is no “pink” here" in response.content.decode()


def test_download_needs_a_login(client, db):
    response = client.get(reverse("contacts"), {"download": "csv"})

    assert response.status_code == 302


def test_file_is_read_in_chunks(as_manager, django_assert_max_num_queries):
    for number in range(3):
        make_facility(f"Site {number}")
        make_contact(f"Person {number}")

    for name in ("facilities", "contacts"):
        with django_assert_max_num_queries(15):
            assert len(csv_rows(as_manager, name)) == 4


def test_xlsx_names_its_sheets_has_filter_buttons_and_says_what_it_holds(as_manager, manager):
    facility = make_facility("Shared", technology="bess", capacity_mw=50, storage_mwh=100)
    for name in ("Alpha", "Bravo"):
        pipeline = make_pipeline(name, rag_status="red", capacity_mw=Decimal("10.5"))
        pipeline.facility_links.create(facility=facility)
    make_pipeline("Sold", rag_status="red", outcome="sold", capacity_mw=7)
    query = {"rag": "red", "columns": "capacity_mw"}
    as_manager.post(f"{reverse('pipelines')}?rag=red&columns=capacity_mw", SAVE)

    file = xlsx_file(as_manager, "pipelines", **query)

    names = re.findall(r'<sheet name="([^"]+)"', file.read("xl/workbook.xml").decode())
    assert names == ["About this file", "Pipelines"]
    assert b'<autoFilter ref="A1:G3"/>' in file.read("xl/worksheets/sheet2.xml")
    rows = cells_of(file, "sheet2")
    assert [rows[f"{column}2"][1] for column in "BCDE"] == ["60.5", "10.5", "50", "100"]
    about = {text: place for place, (_, text) in cells_of(file, "sheet1").items()}
    reported = {
        label: cells_of(file, "sheet1")[place.replace("A", "B")][1]
        for label, place in about.items()
        if place.startswith("A") and place != "A1"
    }
    assert reported.pop("Address").endswith("/pipelines/?rag=red&columns=capacity_mw")
    assert float(reported.pop("Made at")) > 46_000
    assert reported.pop("Import").startswith("Change cells, and import the file.")
    assert reported.pop("OEGen export").endswith("&columns=project_name,capacity_mw&view=Reds")
    assert reported.pop("Counted").startswith("each facility once")
    assert reported == {
        "As of": "now",
        "Made by": str(manager),
        "View": "Reds",
        "Filter: Status": "Open, all stages",
        "Filter: RAG": "Red",
        "Pipelines": "2",
        "Capacity, MWp DC": "21",
        "Capacity, MW AC": "50",
        "Of which storage, MW": "50",
        "Together, MW, mixed": "71",
        "Storage, MWh": "100",
        "Facilities": "3",
        "Without a figure": "0",
        "Change set": str(ChangeSet.objects.count()),
    }


SAVE = {"do": "save-view", "name": "Reds"}


def test_facilities_have_a_column_for_each_basis(as_manager):
    make_facility("Battery", technology="bess", capacity_mw=50, storage_mwh=100)
    make_facility("Panels", capacity_mw=20)

    heads, battery, panels = csv_rows(as_manager, "facilities", columns="capacity_mw,storage_mwh")

    assert heads[:-2] == [
        "Facility",
        "Capacity, MW/MWp",
        "Storage, MWh",
        "Capacity, MWp DC",
        "Capacity, MW AC",
    ]
    assert battery[:-2] == ["Battery", "50", "100", "", "50"]
    assert panels[:-2] == ["Panels", "20", "", "20", ""]
