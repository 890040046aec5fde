"""Downloads are read back as they were written: what an import of an unchanged file stands on."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.urls import reverse
from django_countries import countries
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from oegen.core.formulas import escape_formula, unescape_formula
from oegen.exports import FileColumn, Sheet, number_format
from oegen.exports.files import csv_chunks
from oegen.exports.workbooks import write_workbook
from oegen.imports.tables.reading import Flag, Marker, open_table
from oegen.imports.tables.reading.marker import LABEL
from oegen.models import ChangeSet
from pipelines.models import Pipeline, Technology
from tests.support.builders import (
    make_contact,
    make_counterparty,
    make_facility,
    make_information_point,
    make_milestone,
    make_pipeline,
)
from tests.support.downloads import body, cells_of, xlsx_file
from tests.support.workbooks import save_with_libreoffice

#: Characters that no field stores are left out: nulls and halves of pairs.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
AWKWARD = [
    *("=1+1", "'=1+1", "'", "''a", "a;=1", "a;'b", "007", "1/2", "1e5", "#N/A", "TRUE"),
    *("(clear)", "'(Clear)", " (clear)", "(left out: x)", "_x0041_", "sep=;", "Name,Town"),
    *("a\r\nb", "a\rb", " lead", "tab\t", "e\u0301", "🌬️", "\ufeff", "\u2028x", "\x01", "\n"),
]
COLUMNS = [
    FileColumn("Text"),
    FileColumn("Day"),
    FileColumn("Capacity", number_format=number_format("MW", 1)),
    FileColumn("Choice", choices=lambda: ["One", "Zwölf"]),
    FileColumn("Version", is_grey=True),
    FileColumn("ID", is_grey=True),
]
MARKER = Marker(
    kind="pipelines",
    change_set=1234,
    columns=("project_name", "rtb_date"),
    filters=(("status", "open"), ("q", "ä & b: =;")),
    view="My “view”",
    day=date(2026, 3, 4),
)


def write(path: Path, texts: list[str], marker: Marker | None = MARKER) -> None:
    """A download with a row for each text."""
    rows = [
        (text, date(2027, 3, 14), Decimal("194.432"), "One", 7, f"id {number}")
        for number, text in enumerate(texts)
    ]
    facts = [("Made by", "Ann"), (LABEL, str(marker))]
    sheet = Sheet("things", COLUMNS, rows, facts, marker=marker)
    if path.suffix == ".csv":
        path.write_text("".join(csv_chunks(sheet)), encoding="utf-8", newline="")
    else:
        with write_workbook(sheet) as file:
            path.write_bytes(file.read())


def expected(text: str) -> str | None:
    return text.replace("\r\n", "\n").replace("\r", "\n") if text.strip() else None


@settings(deadline=None)
@given(TEXTS)
@example("a;'=1")
def test_every_text_is_had_back_from_its_escaped_form(text):
    assert unescape_formula(escape_formula(text)) == text


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(texts=st.lists(TEXTS, min_size=1, max_size=20))
@example(texts=AWKWARD)
def test_what_was_written_is_read_back(tmp_path, kind, texts):
    path = tmp_path / f"things.{kind}"
    write(path, texts)

    table = open_table(path, path.name)
    rows = list(table.rows())

    assert table.marker == MARKER
    assert [head.name for head in table.columns] == [column.heading for column in COLUMNS]
    assert table.remarks == []
    assert [row.cells[5] for row in rows] == [f"id {number}" for number in range(len(texts))]
    for row, text in zip(rows, texts, strict=True):
        if kind == "xlsx" and ("\ufffe" in text or "\uffff" in text):
            assert (row.cells[0], row.flags) == (None, {0: Flag.LEFT_OUT})
        else:
            assert (row.cells[0], row.flags) == (expected(text), {})


def test_text_too_long_for_a_cell_is_marked_as_left_out(tmp_path):
    path = tmp_path / "things.xlsx"
    write(path, ["x" * 32_767, "x" * 32_768, "🌬" * 16_384])

    fits, *others = open_table(path, path.name).rows()
    assert (len(fits.cells[0]), fits.flags) == (32_767, {})
    assert [(row.cells[0], row.flags) for row in others] == [(None, {0: Flag.LEFT_OUT})] * 2


def test_marker_is_found_on_the_first_sheet_by_programs_that_drop_properties(tmp_path, monkeypatch):
    path = tmp_path / "things.xlsx"
    monkeypatch.setattr(Marker, "properties", lambda self: {})
    write(path, ["'(clear)"])

    table = open_table(path, path.name)
    assert (table.marker, table.sheet) == (MARKER, "Things")
    assert [row.cells[0] for row in table.rows()] == ["'(clear)"]


@pytest.fixture
def portfolio(db):
    larch = make_counterparty("Larch", aliases="Larch; Ltd\nL", country="GB")
    make_contact("'Ann", aliases="=Annie")
    make_facility("Battery", technology="bess", capacity_mw=Decimal("50.125"), storage_mwh=100)
    day = date(2027, 3, 14)
    moor = make_pipeline("Moor", rtb_date=day, lead_developer=larch, next_step="(clear)")
    make_milestone(pipeline=moor, forecast_on=date(2027, 1, 2))
    make_information_point("Grid", description="a\nb")


#: A text of each list that is escaped, or of several lines.
LISTS = {
    "pipelines": "(clear)",
    "facilities": "Battery",
    "counterparties": "Larch; Ltd\nL",
    "contacts": "'Ann",
    "infopoints": "a\nb",
    "milestones": "Moor",
}


@pytest.mark.parametrize("name", LISTS)
def test_both_files_of_every_list_hold_the_same_with_version_and_id(
    as_manager, portfolio, tmp_path, name
):
    shown = as_manager.get(reverse(name)).context["table"]
    model, columns = shown.data.data.model, tuple(shown.base_columns)
    tables = []
    for kind in ("csv", "xlsx"):
        query = {"download": kind, "columns": ",".join(columns)}
        path = tmp_path / f"list.{kind}"
        path.write_bytes(body(as_manager.get(reverse(name), query)))
        tables.append(open_table(path, path.name))
    as_csv, as_xlsx = tables

    assert as_csv.marker == as_xlsx.marker
    assert as_csv.marker.kind == name
    assert as_csv.marker.change_set == ChangeSet.objects.count()
    assert as_csv.marker.columns == columns
    assert as_csv.columns == as_xlsx.columns
    versions = {}
    for one, other in zip(as_csv.rows(), as_xlsx.rows(), strict=True):
        texts = [None if value is None else str(value) for value in other.cells]
        assert (list(one.cells), one.flags) == (texts, other.flags)
        versions[one.cells[-1]] = int(one.cells[-2])
    found = model.objects.in_bulk(versions)
    assert {str(key): record.version for key, record in found.items()} == versions
    assert LISTS[name] in {cell for row in as_csv.rows() for cell in row.cells}


def test_file_of_a_past_day_has_the_versions_of_that_day(as_manager, portfolio, tmp_path):
    path = tmp_path / "list.csv"
    query = {"download": "csv", "as_of": "2020-01-01"}
    path.write_bytes(body(as_manager.get(reverse("pipelines"), query)))

    table = open_table(path, path.name)
    assert (table.marker.day, table.marker.change_set) == (date(2020, 1, 1), 0)
    assert (table.row_count, Pipeline.objects.count()) == (0, 1)


def test_vocabularies_are_drop_downs(as_manager, portfolio):
    file = xlsx_file(as_manager, "facilities")
    rules = file.read("xl/worksheets/sheet2.xml").decode()
    lists = cells_of(file, "sheet3")

    technologies = list(Technology.objects.values_list("name", flat=True))
    assert lists["A1"][1] == "Technology"
    assert [lists[f"A{row}"][1] for row in range(2, len(technologies) + 2)] == technologies
    assert lists["B2"][1] == "Afghanistan"
    assert re.findall(r'sqref="([^"]+)"><formula1>([^<]+)', rules) == [
        ("C2:C1002", f"Lists!$A$2:$A${len(technologies) + 1}"),
        ("E2:E1002", f"Lists!$B$2:$B${len(countries) + 1}"),
    ]


@pytest.mark.heavy
def test_workbook_opened_and_saved_by_libreoffice_is_read_as_before(tmp_path):
    path = tmp_path / "things.xlsx"
    write(path, [*AWKWARD, "x" * 32_767, "x" * 32_768])
    before = open_table(path, path.name)

    after = open_table(save_with_libreoffice(path, tmp_path), path.name)

    assert (after.marker, after.sheets, after.columns) == (MARKER, before.sheets, before.columns)
    assert list(after.rows()) == list(before.rows())
