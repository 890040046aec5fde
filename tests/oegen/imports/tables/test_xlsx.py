"""Tables of workbooks, as programs save them, and those that are made to do harm."""

import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import xlsxwriter

from oegen.imports.tables.reading import Flag, UnreadableFileError, open_table
from oegen.imports.tables.reading import package as package_module
from oegen.imports.tables.reading import sheet_scan as scan_module
from oegen.imports.tables.reading import xlsx_table as xlsx_module
from tests.support.workbooks import write_raw_workbook

HEADER = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>Name</t></is></c>'
    '<c r="B1" t="inlineStr"><is><t>Size</t></is></c></row>'
)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "upload"


def read(path: Path, name: str = "towns.xlsx", **options):
    return open_table(path, name, **options)


def test_values_have_their_types_wherever_the_table_stands(path):
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("Towns")
    sheet.write_string(0, 1, "Towns of 2026")
    sheet.write_row(2, 1, ["Name", "Size", "Day", "Moment", "Open", "Share", "Code", "Hour"])
    sheet.write_row(3, 1, ["A\r\nB", 5, 46000, 46000.5, True, 0.1, "007", 0.5])
    for column, text in ((3, "[$-407]dd.mm.yyyy"), (4, "[$-409]m/d/yy h:mm AM/PM"), (8, "hh:mm")):
        sheet.write_number(3, column, sheet.table[3][column].number, book.add_format(
            {"num_format": text}))  # fmt: skip
    sheet.write_number(5, 2, 12.5, book.add_format({"num_format": '#,##0.0 "MWd"'}))
    sheet.write_string(5, 9, "no heading")
    sheet.set_row(5, None, None, {"hidden": True})
    book.close()

    table = read(path)
    first, second = table.rows()

    assert (table.rows_above, table.header_row) == ([["", "Towns of 2026", *[""] * 8]], 3)
    assert [head.letter for head in table.columns] == list("ABCDEFGHIJ")
    noon = datetime.fromisoformat("2025-12-09 12:00")
    assert first.cells == (
        *(None, "A\nB", Decimal("5"), date(2025, 12, 9), noon),
        *(True, Decimal("0.1"), "007", "12:00:00", None),
    )
    assert str(first.cells[2]) == "5"
    assert (second.number, second.cells[2]) == (6, Decimal("12.5"))
    assert (table.row_count, table.blank_rows) == (2, 1)
    assert table.remarks == [
        "The sheet has 1 hidden row, by a filter or by hand; they are read as the others are.",
        "Column J has no name, but values in 1 row. Name it, or choose what it is.",
    ]


def test_formulas_are_marked_and_those_without_a_result_are_errors_with_their_address(path):
    rows = (
        '<row r="2"><c r="A2" t="str"><f>"x"</f><v>x</v></c><c r="B2"><f>1+1</f><v>2</v></c></row>'
        '<row r="3"><c r="A3"><f>A1</f></c><c r="B3"><f>1</f><v></v></c></row>'
        '<row><c t="e"><f>A0</f><v>#REF!</v></c><c><v>7</v></c></row>'
    )
    table = read(write_raw_workbook(path, HEADER + rows))
    first, second, third = table.rows()

    assert (first.cells, set(first.flags.values())) == (("x", Decimal(2)), {Flag.FORMULA})
    assert second.cells == (None, None)
    assert table.flag_error(second, 1).startswith(
        "towns.xlsx, sheet “Data”, cell B3: the cell has a formula whose result is not in the file."
    )
    assert (third.cells, third.flags) == ((None, Decimal(7)), {0: Flag.ERROR_VALUE})
    assert table.flag_error(third, 0).startswith("towns.xlsx, sheet “Data”, cell A4: the cell show")
    assert table.flag_error(first, 0) == ""
    assert table.remarks == [
        "2 cells are formulas. The results were read that the file was saved with."
    ]


def test_names_with_a_prefix_are_read(path):
    write_raw_workbook(path, "")
    prefixed = (
        '<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<x:sheetData><x:row><x:c t="inlineStr"><x:is><x:t>Name</x:t></x:is></x:c></x:row>'
        "<x:row><x:c><x:f>1</x:f><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>"
    )
    write_raw_workbook(path, "", **{"xl/worksheets/sheet1.xml": prefixed})
    [row] = read(path).rows()
    assert (row.cells, row.flags) == ((Decimal(1),), {0: Flag.FORMULA})


def test_first_sheet_with_values_is_read_or_the_chosen_one(path):
    book = xlsxwriter.Workbook(path)
    for name in ("Empty", "One", "Two"):
        sheet = book.add_worksheet(name)
        if name != "Empty":
            sheet.write_column(0, 0, ["Name", name])
    book.add_worksheet("Hidden").hide()
    book.close()

    table = read(path)
    assert (table.sheet, table.sheets) == ("One", ("Empty", "One", "Two"))
    assert table.remarks == ["The sheet “One” was read. There are others: “Empty”, “Two”."]
    assert [row.cells for row in read(path, sheet="Two").rows()] == [("Two",)]
    for name in ("Hidden", "Three"):
        with pytest.raises(UnreadableFileError, match=f"there is no sheet “{name}”. Choose one of"):
            read(path, sheet=name)
    with pytest.raises(UnreadableFileError, match="sheet “One”, row 7: the row is empty"):
        read(path, header_row=7)


def test_macros_are_left_out_and_this_is_said(path):
    write_raw_workbook(path, HEADER, **{"xl/vbaProject.bin": "macros"})
    assert read(path, "towns.xlsm").remarks == [
        "The workbook has macros. They were neither run nor read; only the values were."
    ]


def test_cell_far_away_is_refused_before_the_parser_asks_for_its_memory(path):
    write_raw_workbook(path, f'{HEADER}<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
    with pytest.raises(UnreadableFileError, match="reaches to cell XFD1048576"):
        read(path)


@pytest.mark.parametrize(
    ("rows", "others", "sentence"),
    [
        ('<row><c r="a1"><v>1</v></c></row>', {}, "there is no cell “a1”"),
        ('<row><c r="XFE1"><v>1</v></c></row>', {}, "“Data” has more than 16,384 columns"),
        ("<row><c><v>1</v></row>", {}, "can't be parsed"),
        ("", {}, "the workbook is empty"),
        (
            HEADER,
            {"xl/workbook.xml": '<!DOCTYPE x [<!ENTITY a "b">]><workbook>&a;</workbook>'},
            "a document type is declared",
        ),
        (HEADER, {"XL/workbook.xml": "<workbook/>"}, "two parts of the workbook have the same"),
        (HEADER, {"_rels/.rels": "<Relationships/>"}, "the archive is no Excel workbook"),
        (HEADER, {"media": "a" * 2_000_000}, "times as large unpacked"),
    ],
)
def test_damaged_and_harmful_workbooks_are_refused(path, rows, others, sentence):
    with pytest.raises(UnreadableFileError, match=sentence) as caught:
        read(write_raw_workbook(path, rows, **others))
    assert str(caught.value).startswith("towns.xlsx: ")


def test_directory_that_understates_a_size_is_refused(path):
    write_raw_workbook(path, HEADER + "<row><c><v>1</v></c></row>" * 100)
    content = path.read_bytes()
    with zipfile.ZipFile(path) as file:
        size = file.getinfo("xl/worksheets/sheet1.xml").file_size
    path.write_bytes(content.replace(size.to_bytes(4, "little"), (9).to_bytes(4, "little")))
    with pytest.raises(UnreadableFileError, match="is not as its directory says"):
        read(path)


def test_encrypted_workbooks_are_refused(path):
    write_raw_workbook(path, HEADER)
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match="protected by a password"):
        read(path)
    name = "EncryptedPackage".encode("utf-16-le")
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + name)
    with pytest.raises(UnreadableFileError, match="protected by a password"):
        read(path)


@pytest.mark.parametrize(
    ("module", "limit", "sentence"),
    [
        (package_module, "MAX_UNPACKED", "MB unpacked"),
        (scan_module, "MAX_ROWS", "has more than 1 rows"),
        (xlsx_module, "MAX_ROWS", "the table has more than 1 rows"),
        (xlsx_module, "MAX_CELLS", "reaches to cell B200"),
    ],
)
def test_too_large_a_workbook_is_refused(path, monkeypatch, module, limit, sentence):
    monkeypatch.setattr(module, limit, 1)
    rows = "".join(f'<row r="{n}"><c r="B{n}"><v>1</v></c></row>' for n in range(2, 201))
    with pytest.raises(UnreadableFileError, match=sentence):
        read(write_raw_workbook(path, HEADER + rows))


def test_text_that_many_cells_share_counts_for_each_of_them(path, monkeypatch):
    book = xlsxwriter.Workbook(path)
    book.add_worksheet().write_column(0, 0, ["Name", *["x" * 1_000] * 10])
    book.close()
    assert read(path).row_count == 10
    monkeypatch.setattr(scan_module, "MAX_SHARED", 10_003)
    with pytest.raises(UnreadableFileError, match="“Sheet1” has more than 0 million letters"):
        read(path)


def test_duration_beyond_measure_is_refused_with_its_row(path):
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    sheet.write_string(0, 0, "Name")
    sheet.write_number(1, 0, 1e10, book.add_format({"num_format": "[h]:mm"}))
    book.close()
    with pytest.raises(UnreadableFileError, match="sheet “Sheet1”, row 2: a duration is longer"):
        read(path)


def test_text_named_as_a_workbook_is_refused(path):
    path.write_bytes(b"Name,Size\n")
    with pytest.raises(UnreadableFileError, match=r"the name says workbook \(.xlsx\), but"):
        read(path)
