"""CSV files, read as a stream of rows with their line numbers."""

import codecs
import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from django.core.exceptions import ValidationError

#: The longest line: a longer one has an unclosed quote or is not CSV.
LINE_LIMIT = 1_000_000
CELL_LIMIT = 500_000
DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}

#: Bytes read at a time.
CHUNK = 1 << 16

#: Line endings: CRLF, LF, or CR. A "\r" at the end of a chunk may be the first half of CRLF.
_LINE_END = re.compile(r"\r\n|\n|\r(?!\Z)")

#: Excel's optional first line, which names the separator.
_SEPARATOR_LINE = re.compile(r'"?sep=([^"\r\n])"?\s*', re.IGNORECASE)


class UnreadableFileError(Exception):
    """A file can't be read at all. The message names file, line and column."""


@dataclass
class Row:
    """A row: its raw cells, the same by column, and the number of its first line. ``data`` is the
    cleaned data of the row form."""

    file: str
    line: int
    cells: list[str]
    values: dict[str, str] = field(default_factory=dict)
    error: ValidationError | None = None
    data: dict = field(default_factory=dict)


class CSVFile:
    """A file of comma-separated values whose first row names at least ``columns``.

    The encoding is UTF-8, or UTF-16 with a byte order mark; a first line "sep=;" sets another
    separator. Column names are case-insensitive, and a column without a name must be empty. Rows
    without values are skipped and counted in ``blank_rows``.

    The constructor reads the header. It and ``rows`` raise UnreadableFileError.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        columns: Sequence[str],
        advice: Mapping[str, str] | None = None,
    ):
        """``advice``: for the columns of older layouts, a hint for the error message."""
        self.name = name
        self.advice = advice or {}
        self.path = folder / name
        self.columns = list(columns)
        self.blank_rows = 0
        if not self.path.is_file():
            raise UnreadableFileError(
                f"{name}: there is no such file in the folder “{folder.name}”, so neither line "
                f"nor column to read. It should be there, with the columns {self._column_list()}."
            )
        with self.path.open("rb") as file:
            line, header = next(self._records(file), (1, None))
        self.header = self._checked_header(line, header)

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    @property
    def extra_columns(self) -> list[str]:
        return [name for name in self.header if name and name not in self.columns]

    def rows(self, on_bytes=lambda count: None) -> Iterator[Row]:
        """The rows that have values, without the header. ``on_bytes`` is called with the number of
        bytes read.

        A row that does not match the header has a ``error``.
        """
        self.blank_rows = 0
        with self.path.open("rb") as file:
            for line, cells in islice(self._records(file, on_bytes), 1, None):
                if not any(cell.strip() for cell in cells):
                    self.blank_rows += 1
                    continue
                row = Row(self.name, line, cells, error=self._shape_error(cells))
                if not row.error:
                    named = zip(self.header, cells, strict=False)
                    row.values = {name: cell for name, cell in named if name}
                yield row

    def _column_list(self) -> str:
        return ", ".join(self.columns)

    def _lines(self, file: BinaryIO, on_bytes) -> Iterator[str]:
        """The lines, including line endings. Decoded here, so that errors name line and column."""
        marks = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        encoding = "utf-16" if file.read(2) in marks else "utf-8-sig"
        file.seek(0)
        decoder = codecs.getincrementaldecoder(encoding)()
        number, rest, is_end = 0, "", False
        while not is_end:
            data = file.read(CHUNK)
            is_end = not data
            on_bytes(len(data))
            try:
                text = rest + decoder.decode(data, final=is_end)
            except UnicodeDecodeError as error:
                before = rest + error.object[: error.start].decode(error.encoding)
                raise self._decoding_error(error, number, before) from error
            start = 0
            for found in _LINE_END.finditer(text):
                number += 1
                yield self._checked_line(number, text[start : found.end()])
                start = found.end()
            rest = self._checked_line(number + 1, text[start:])
        if rest:
            yield rest

    def _checked_line(self, number: int, line: str) -> str:
        if len(line) >= LINE_LIMIT:
            raise UnreadableFileError(
                f"{self.name}, line {number}, column 1: the line is longer than "
                f"{LINE_LIMIT:,} bytes. Each row should end with a line break."
            )
        return line

    def _decoding_error(
        self, error: UnicodeDecodeError, number: int, before: str
    ) -> UnreadableFileError:
        """``number`` lines were read; ``before`` is the text between them and the error."""
        lines = re.split(r"\r\n|\r|\n", before)
        standard = "UTF-16" if error.encoding.startswith("utf-16") else "UTF-8"
        return UnreadableFileError(
            f"{self.name}, line {number + len(lines)}, column {len(lines[-1]) + 1}: the byte "
            f"0x{error.object[error.start]:02x} is not {standard}. Save the file as “CSV UTF-8”."
        )

    def _records(self, file: BinaryIO, on_bytes=lambda count: None):
        """(line, cells) of every record; empty lines are skipped."""
        csv.field_size_limit(CELL_LIMIT)
        lines = self._lines(file, on_bytes)
        first = next(lines, "")
        separator = _SEPARATOR_LINE.fullmatch(first)
        lines_before = 1 if separator else 0
        reader = csv.reader(
            lines if separator else chain([first], lines),
            delimiter=separator[1] if separator else ",",
            strict=True,
        )
        start = lines_before + 1
        try:
            for cells in reader:
                if cells:
                    yield start, cells
                start = lines_before + reader.line_num + 1
        except csv.Error as error:
            raise UnreadableFileError(
                f"{self.name}, line {start}, column 1: from here on the file can't be split into "
                f"cells ({error}). Look for a quote that is opened and never closed, or not "
                "doubled inside a quoted cell."
            ) from error

    def _checked_header(self, line: int, header: list[str] | None) -> list[str]:
        """The column names, spelled as in ``columns``; empty for a column without a name."""
        if header is None or not any(cell.strip() for cell in header):
            raise UnreadableFileError(
                f"{self.name}, line {line}, column 1: the file is empty. Its first line should "
                f"name the columns {self._column_list()}."
            )
        known = {name.casefold(): name for name in self.columns}
        header = [known.get(name.casefold(), name) for name in map(str.strip, header)]
        if len(header) == 1 and len(self.columns) > 1:
            for delimiter, word in DELIMITERS.items():
                if delimiter in header[0]:
                    raise UnreadableFileError(
                        f"{self.name}, line {line}, column {header[0].index(delimiter) + 1}: the "
                        f"columns are separated by {word}. Save the file with commas between them."
                    )
        for name in self.columns:
            if name not in header:
                advice = next((self.advice[old] for old in header if old in self.advice), "")
                raise UnreadableFileError(
                    f"{self.name}, line {line}: the column “{name}” is missing. The first line "
                    f"should name the columns {self._column_list()}. {advice}".rstrip()
                )
        for index, name in enumerate(header):
            if name and name in header[:index]:
                raise UnreadableFileError(
                    f"{self.name}, line {line}: the column “{name}” is there twice. Remove one of "
                    "them."
                )
        return header

    def _shape_error(self, cells: list[str]) -> ValidationError | None:
        """The error if the row does not match the header, else None."""
        expected = len(self.header)
        if missing := next(filter(None, self.header[len(cells) :]), None):
            return ValidationError(
                {
                    missing: f"The row has {len(cells)} cells, the first line {expected}: "
                    f"from “{missing}” on there are none. Look for a lost comma."
                }
            )
        for number, cell in enumerate(cells, start=1):
            if not cell.strip() or (number <= expected and self.header[number - 1]):
                continue
            if number > expected:
                sentence = (
                    f"The row has {len(cells)} cells, the first line {expected}. "
                    "Put double quotes round a text that contains a comma."
                )
            else:
                sentence = (
                    "The cell has a value, but its column has no name in the first line. "
                    "Name the column, or empty the cell."
                )
            return ValidationError({f"cell {number}": sentence})
        return None
