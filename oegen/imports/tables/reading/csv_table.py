"""Tables of CSV files, read as streams."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import ClassVar

from oegen.core.formulas import unescape_formula
from oegen.core.words import count
from oegen.imports.tables.reading import text
from oegen.imports.tables.reading.errors import UnreadableFileError
from oegen.imports.tables.reading.header import (
    SAMPLE_ROWS,
    close_columns,
    column_heads,
    find_header,
    find_marker,
)
from oegen.imports.tables.reading.limits import MAX_COLUMNS, MAX_ROWS, MAX_UNPACKED
from oegen.imports.tables.reading.table import SourceRow, Table, Value
from oegen.imports.tables.reading.words import plain_text, read_text, unescape_word

_EMPTY = "the file is empty. Its first row should name the columns."


@dataclass(kw_only=True)
class CSVTable(Table):
    kind: ClassVar[str] = "csv"

    path: Path
    encoding: str
    delimiter: str

    def rows(self) -> Iterator[SourceRow]:
        width = len(self.columns)
        for line, cells in self._records():
            if line <= self.header_row or not any(map(str.strip, cells)):
                continue
            if error := self._shape_error(cells):
                yield SourceRow(line, (None,) * width, error=error)
                continue
            yield self._row(line, cells[:width])

    def address(self, number: int, place: int) -> str:
        return f"{self.name}, line {number}, {self.columns[place]}"

    def _row(self, line: int, cells: Sequence[str]) -> SourceRow:
        flags = {}
        values: list[Value | None] = []
        for place, cell in enumerate(cells):
            value, flag = read_text(cell, is_ours=self.marker is not None)
            if flag:
                flags[place] = flag
            elif value and self.marker:
                value = plain_text(unescape_word(unescape_formula(value)))
            values.append(value)
        # The last columns may have no name, and no cell in this row.
        values += [None] * (len(self.columns) - len(values))
        return SourceRow(line, tuple(values), flags)

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        found = text.lines(self.path, self.name, self.encoding)
        _, found, before = text.split_separator_line(found)
        return text.records(found, self.name, self.delimiter, before)

    def _shape_error(self, cells: Sequence[str]) -> str:
        """The sentence if the row does not match the header, else empty."""
        width = len(self.columns)
        start = f"The row has {count(len(cells), 'cell')}, the header {width}"
        missing = next((head for head in self.columns[len(cells) :] if head.name), None)
        if missing:
            return f"{start}: from {missing} on there are none. Look for a lost separator."
        if any(map(str.strip, cells[width:])):
            return (
                f"{start}. Put double quotes round a text that contains "
                f"{text.DELIMITERS.get(self.delimiter, 'separators')}."
            )
        return ""


def open_csv(path: Path, name: str, digest: str, header_row: int | None) -> CSVTable:
    if path.stat().st_size > MAX_UNPACKED:
        raise UnreadableFileError(
            f"{name}: the file has more than {MAX_UNPACKED // 1_000_000} MB. Divide it into "
            "several."
        )
    encoding = text.find_encoding(path, name)
    delimiter, found, _ = text.split_separator_line(text.lines(path, name, encoding))
    table = CSVTable(
        name=name,
        digest=digest,
        path=path,
        encoding=encoding,
        delimiter=delimiter or text.find_delimiter(found),
    )
    _read_header(table, header_row)
    _count_rows(table)
    return table


def _read_header(table: CSVTable, header_row: int | None) -> None:
    filled = (
        (line, [plain_text(cell) for cell in cells])
        for line, cells in table._records()
        if any(map(str.strip, cells))
    )
    if header_row is None:
        sample = list(islice(filled, SAMPLE_ROWS))
        if not sample:
            raise UnreadableFileError(f"{table.name}, line 1: {_EMPTY}")
        place = find_header([cells for _, cells in sample])
    else:
        sample = [(line, cells) for line, cells in filled if line <= header_row]
        place = len(sample) - 1
        if not sample or sample[place][0] != header_row:
            raise UnreadableFileError(
                f"{table.name}, line {header_row}: no row with values begins there. Choose "
                "the line that names the columns."
            )
    table.header_row, cells = sample[place]
    table.rows_above = [[cell or "" for cell in above] for _, above in sample[:place]]
    table.marker = find_marker(cells)
    if len(cells) > MAX_COLUMNS:
        raise UnreadableFileError(
            f"{table.name}, line {table.header_row}: the row has {len(cells):,} columns, and no "
            f"more than {MAX_COLUMNS:,} can be read. Leave out those that are not to be imported."
        )
    table.columns = column_heads(cells)


def _count_rows(table: CSVTable) -> None:
    unnamed = [column for column in table.columns if not column.name]
    values_in: Counter[int] = Counter()
    damaged = 0
    for line, cells in table._records():
        if line <= table.header_row:
            continue
        if not any(map(str.strip, cells)):
            table.blank_rows += 1
            continue
        table.row_count += 1
        if table.row_count > MAX_ROWS:
            raise UnreadableFileError(
                f"{table.name}, line {line}: the table has more than {MAX_ROWS:,} rows. Divide it "
                "into several files."
            )
        values_in.update(head.place for head in unnamed if "".join(cells[head.place :][:1]).strip())
        damaged += any("\ufffd" in cell for cell in cells)
    if table.encoding == "cp1252":
        table.remarks.append(
            "The file is not UTF-8; its letters were read as Windows-1252. Look whether names with "
            "accents are right."
        )
    if damaged:
        table.remarks.append(
            f"{count(damaged, 'row')} {'holds' if damaged == 1 else 'hold'} the character “�”: a "
            "letter was lost when the file was made. Correct it in the file."
        )
    table.remarks += close_columns(table.columns, values_in)
