"""Files as spreadsheets save them: what surrounds the values makes no difference."""

import pytest

from oegen.imports import CSVFile, UnreadableFileError

NAME = "things.csv"

#: Every way of writing the same two rows.
SAME = {
    "plain": b"ID,Name\n1,Acme\n2,Beta\n",
    "no last line end": b"ID,Name\n1,Acme\n2,Beta",
    "Windows": b"ID,Name\r\n1,Acme\r\n2,Beta\r\n",
    "lone CR": b"ID,Name\r1,Acme\r2,Beta\r",
    "UTF-8 mark": b"\xef\xbb\xbfID,Name\n1,Acme\n2,Beta\n",
    "UTF-16 little": "\ufeffID,Name\r\n1,Acme\r\n2,Beta\r\n".encode("utf-16-le"),
    "UTF-16 big": "\ufeffID,Name\r\n1,Acme\r\n2,Beta\r\n".encode("utf-16-be"),
    "sep=;": b"sep=;\r\nID;Name\r\n1;Acme\r\n2;Beta\r\n",
    "sep=,": b"SEP=,\nID,Name\n1,Acme\n2,Beta\n",
    "sep=tab after a mark": b'\xef\xbb\xbf"sep=\t"\nID\tName\n1\tAcme\n2\tBeta\n',
    "other case": b"id,NAME\n1,Acme\n2,Beta\n",
    "columns without a name": b"ID,Name,,\n1,Acme,,\n2,Beta, \n",
    "one of them in between": b"ID,,Name\n1,,Acme\n2,,Beta\n",
    "more separators than columns": b"ID,Name\n1,Acme,,\n2,Beta\n",
    "rows of separators": b"ID,Name\n,\n1,Acme\n , ,\n2,Beta\n,\n",
}


@pytest.fixture
def read(tmp_path):
    def read(content: bytes) -> CSVFile:
        (tmp_path / NAME).write_bytes(content)
        return CSVFile(tmp_path, NAME, ["ID", "Name"])

    return read


@pytest.mark.parametrize("content", SAME.values(), ids=SAME)
def test_the_same_values_are_read(read, content):
    file = read(content)
    rows = list(file.rows())
    assert [row.values for row in rows] == [
        {"ID": "1", "Name": "Acme"},
        {"ID": "2", "Name": "Beta"},
    ]
    assert not any(row.error for row in rows)
    assert file.extra_columns == []
    assert file.blank_rows == (3 if content == SAME["rows of separators"] else 0)


def test_rows_know_their_line_whatever_the_line_ends_and_the_pieces_they_are_read_in(
    read, monkeypatch
):
    text = 'sep=;\r\nID;Name\r\n;\r\n1;"two\r\nlines"\r\n\r\n2;é\r\n'
    monkeypatch.setattr("oegen.imports.tables.reading.text.CHUNK", 3)
    for content in (text.encode(), text.replace("\r\n", "\r").encode("utf-16")):
        rows = list(read(content).rows())
        assert [(row.line, row.values["ID"]) for row in rows] == [(4, "1"), (7, "2")]


@pytest.mark.parametrize(
    ("content", "place", "sentence"),
    [
        (b"ID,Name,,\n1,Acme,,x\n", "cell 4", "its column has no name in the first line"),
        (b"ID,,Name\n1,x,Acme\n", "cell 2", "Name the column, or empty the cell."),
        (b"ID,Name\n1,Acme,,x\n", "cell 4", "Put double quotes round a text"),
        (b"ID,Name,\n1\n", "Name", "Look for a lost comma."),
    ],
)
def test_a_value_that_no_column_takes_is_a_fault_of_its_row(read, content, place, sentence):
    [row] = read(content).rows()
    [(column, [message])] = row.error.message_dict.items()
    assert (column, row.values) == (place, {})
    assert sentence in message


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"ID,Name,id\n", "line 1: the column “ID” is there twice"),
        (b"sep=;\nID,Name\n", "line 2: the column “ID” is missing"),
        (b"ID,Name\n1,Acme\n2,S\xf8n\n", "line 3, column 4: the byte 0xf8 is not UTF-8."),
        (b"ID,Name\r1,Acme\r2,S\xf8n\r", "line 3, column 4: the byte 0xf8 is not UTF-8."),
        ("ID,Name\n1,é".encode("utf-16")[:-1], "line 2, column 3: the byte 0xe9 is not UTF-16."),
    ],
)
def test_what_cannot_be_read_is_refused_at_its_place(read, content, sentence):
    with pytest.raises(UnreadableFileError) as caught:
        list(read(content).rows())
    assert str(caught.value).startswith(f"{NAME}, {sentence}")
