"""Tables of CSV files, as programs save them and people change them."""

import pytest

from oegen.imports.tables.reading import Flag, UnreadableFileError, open_table
from oegen.imports.tables.reading import csv_table as csv_module

TEXT = "Name,Town\nKästner,Zürich\nBeta,Köln\n"

#: Every way of writing the same two rows, with the line of the header.
SAME = {
    "UTF-8": (TEXT.encode(), 1),
    "UTF-8 with a mark": (TEXT.encode("utf-8-sig"), 1),
    "UTF-16 with a mark": (TEXT.encode("utf-16"), 1),
    "UTF-16 little": (TEXT.encode("utf-16-le"), 1),
    "UTF-16 big": (TEXT.encode("utf-16-be"), 1),
    "Windows-1252": (TEXT.encode("cp1252"), 1),
    "Windows line ends": (TEXT.replace("\n", "\r\n").encode(), 1),
    "lone CR": (TEXT.replace("\n", "\r").encode(), 1),
    "semicolons": (TEXT.replace(",", ";").encode(), 1),
    "tabs": (TEXT.replace(",", "\t").encode(), 1),
    "bars": (TEXT.replace(",", "|").encode(), 1),
    "sep=": (b"sep=;\r\n" + TEXT.replace(",", ";").encode(), 2),
    "a separator of its own": (b"sep=:\n" + TEXT.replace(",", ":").encode(), 2),
    "quotes": ('"Name";"Town"\n"Kästner";"Zürich"\n"Beta";"Köln"'.encode(), 1),
    "rows above": (f"Towns,\nas of 2026-03-01,\n\n{TEXT}".encode(), 4),
    "rows of separators": (b"Name,Town\n,\n" + TEXT.encode().partition(b"\n")[2] + b" ,\t\n", 1),
    "empty columns at the end": (TEXT.replace("\n", ",, \n").encode(), 1),
    "heading with white space": (TEXT.replace("Name", "\tName\u00a0").encode(), 1),
}


@pytest.fixture
def read(tmp_path):
    def read(content: bytes, name: str = "towns.csv", **options):
        path = tmp_path / "upload"
        path.write_bytes(content)
        return open_table(path, name, **options)

    return read


@pytest.mark.parametrize(("content", "header_row"), SAME.values(), ids=SAME)
def test_the_same_rows_are_read(read, content, header_row):
    table = read(content)

    assert [head.name for head in table.columns] == ["Name", "Town"]
    assert [row.cells for row in table.rows()] == [("Kästner", "Zürich"), ("Beta", "Köln")]
    assert [row.cells for row in table.rows()] == [("Kästner", "Zürich"), ("Beta", "Köln")]
    assert (table.header_row, table.row_count) == (header_row, 2)
    assert table.blank_rows == (2 if b"\n,\n" in content else 0)
    assert bool(table.remarks) == (content == TEXT.encode("cp1252"))


def test_rows_above_the_header_are_shown_and_another_header_may_be_chosen(read):
    content = b"Report of towns,,\nby the office,,\nName,Town,\nBeta,Rome,\n"
    table = read(content)
    assert table.rows_above == [["Report of towns", "", ""], ["by the office", "", ""]]
    assert [row.number for row in table.rows()] == [4]

    other = read(content, header_row=4)
    assert [head.name for head in other.columns] == ["Beta", "Rome"]
    assert (other.row_count, len(other.rows_above)) == (0, 3)
    with pytest.raises(UnreadableFileError, match="line 9: no row with values begins there"):
        read(content, header_row=9)


LOST = "a letter was lost when the file was made. Correct it in the file."
SAME_NAME = "Import one of them, or give them different names."


def test_what_is_doubtful_is_a_remark_or_an_error_of_its_row(read):
    table = read(
        "Name,,Name,Town\nA,x,,b\nB,,,Gro\ufffdburg\nC,,,d,e\nD\nE,,,(Clear)\n".encode(),
    )

    assert table.remarks == [
        f"1 row holds the character “�”: {LOST}",
        f"2 columns have the same name: “Name” (column A), “Name” (column C). {SAME_NAME}",
        "Column B has no name, but values in 1 row. Name it, or choose what it is.",
    ]
    first, _, longer, shorter, cleared = table.rows()
    assert first.cells == ("A", "x", None, "b")
    assert longer.error.startswith("The row has 5 cells, the header 4. Put double quotes round")
    assert "from “Name” (column C) on there are none" in shorter.error
    assert (cleared.cells[3], cleared.flags) == (None, {3: Flag.CLEAR})
    assert table.address(cleared.number, 3) == "towns.csv, line 6, “Town” (column D)"


def test_apostrophes_of_other_programs_stay(read):
    [row] = read(b"Name,Town\n'=1+1,''\n").rows()
    assert row.cells == ("'=1+1", "''")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", b"", "a.csv: the file is empty."),
        ("a.csv", b" \n,,\n", "a.csv, line 1: the file is empty. Its first row should name"),
        ("a.csv", b"PK\x03\x04rest", "a.csv: the name says text (.csv), but the file is a work"),
        ("a.csv", b"%PDF-1.7", "a.csv: the file is a PDF document"),
        ("a.csv", b"\xef\xbb\xbf\n<!DOCTYPE html>", "a.csv: the file is a web page"),
        ("a.csv", b"Name\n\xff\xfe\x00\x01", "a.csv, line 2: the file holds null bytes"),
        ("a.csv", b"Name\n\x81\xe4\n", "a.csv, line 2, column 1: the byte 0x81 is not Windows"),
        ("a.csv", "ä,ö\nü\n".encode() + b"\xfc\n", "a.csv, line 3, column 1: the byte 0xfc is not"),
        ("a.csv", b'Name,Town\nA,"b\nC,d\n', "a.csv, line 2, column 1: from here on the file"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "a.xls: the file is of Excel 97 to 20"),
        ("a.ods", b"PK\x03\x04", "a.ods: files that end in “.ods” can't be read. Save the table"),
        ("towns", b"Name", "towns: the name has no ending"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(read, name, content, sentence):
    with pytest.raises(UnreadableFileError) as caught:
        list(read(content, name).rows())
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ("MAX_ROWS", "line 3: the table has more than 1 rows"),
        ("MAX_COLUMNS", "line 1: the row has 2 columns"),
        ("MAX_UNPACKED", "the file has more than 0 MB"),
    ],
)
def test_too_large_a_file_is_refused(read, monkeypatch, limit, sentence):
    monkeypatch.setattr(csv_module, limit, 1)
    with pytest.raises(UnreadableFileError, match=sentence):
        read(TEXT.encode())
