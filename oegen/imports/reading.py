"""CSV files as a stream of rows that know their place in the file."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from django.core.exceptions import ValidationError

#: Longest line taken; a longer one is a lost quote or no CSV at all.
LINE_LIMIT = 1_000_000
CELL_LIMIT = 500_000
DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


class UnreadableFileError(Exception):
    """A whole file can't be taken. The message is a sentence naming file, line and column."""


@dataclass
class Row:
    """One row: its cells as they stand, the same by column, and the line it starts on, as an
    editor or spreadsheet counts. ``data`` is what the row form made of it."""

    file: str
    line: int
    cells: list[str]
    values: dict[str, str] = field(default_factory=dict)
    fault: ValidationError | None = None
    data: dict = field(default_factory=dict)


class CSVFile:
    """A comma-separated file in UTF-8 whose first row names at least ``columns``.

    Opening it reads the header. Raises UnreadableFileError, then or while its rows are read.
    """

    def __init__(self, folder: Path, name: str, columns: Sequence[str]):
        self.name = name
        self.path = folder / name
        self.columns = list(columns)
        if not self.path.is_file():
            raise UnreadableFileError(
                f"{name}: there is no such file in the folder “{folder.name}”, so neither line "
                f"nor column to read. It should be there, with the columns {self._wanted()}."
            )
        with self.path.open("rb") as file:
            _, header = next(self._records(file), (1, None))
        self.header = self._checked_header(header)

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    @property
    def extra_columns(self) -> list[str]:
        return [name for name in self.header if name not in self.columns]

    def rows(self, on_bytes=lambda count: None) -> Iterator[Row]:
        """Every row but the header; ``on_bytes`` learns how many bytes each line took.

        A row of the wrong length comes with its ``fault``.
        """
        with self.path.open("rb") as file:
            for line, cells in islice(self._records(file, on_bytes), 1, None):
                row = Row(self.name, line, cells)
                if len(cells) == len(self.header):
                    row.values = dict(zip(self.header, cells, strict=True))
                else:
                    row.fault = self._wrong_length(len(cells))
                yield row

    def _wanted(self) -> str:
        return ", ".join(self.columns)

    def _lines(self, file: BinaryIO, on_bytes) -> Iterator[str]:
        number = 0
        while raw := file.readline(LINE_LIMIT):
            number += 1
            on_bytes(len(raw))
            if len(raw) == LINE_LIMIT:
                raise UnreadableFileError(
                    f"{self.name}, line {number}, column 1: the line is longer than "
                    f"{LINE_LIMIT:,} bytes. Each row should end with a line break."
                )
            try:
                line = raw.decode("utf-8")
            except UnicodeDecodeError as error:
                raise UnreadableFileError(
                    f"{self.name}, line {number}, column {error.start + 1}: the byte "
                    f"0x{raw[error.start]:02x} is not UTF-8. Save the file as “CSV UTF-8”."
                ) from error
            yield line.removeprefix("\ufeff") if number == 1 else line

    def _records(self, file: BinaryIO, on_bytes=lambda count: None):
        """(line, cells) of every record, blank lines left out."""
        csv.field_size_limit(CELL_LIMIT)
        reader = csv.reader(self._lines(file, on_bytes), strict=True)
        start = 1
        try:
            for cells in reader:
                if cells:
                    yield start, cells
                start = reader.line_num + 1
        except csv.Error as error:
            raise UnreadableFileError(
                f"{self.name}, line {start}, column 1: from here on the file can't be split into "
                f"cells ({error}). Look for a quote that is opened and never closed, or not "
                "doubled inside a quoted cell."
            ) from error

    def _checked_header(self, header: list[str] | None) -> list[str]:
        if header is None or not any(cell.strip() for cell in header):
            raise UnreadableFileError(
                f"{self.name}, line 1, column 1: the file is empty. Its first line should name "
                f"the columns {self._wanted()}."
            )
        header = [name.strip() for name in header]
        if len(header) == 1 and len(self.columns) > 1:
            for delimiter, word in DELIMITERS.items():
                if delimiter in header[0]:
                    raise UnreadableFileError(
                        f"{self.name}, line 1, column {header[0].index(delimiter) + 1}: the "
                        f"columns are separated by {word}. Save the file with commas between them."
                    )
        for name in self.columns:
            if name not in header:
                raise UnreadableFileError(
                    f"{self.name}, line 1: the column “{name}” is missing. The first line should "
                    f"name the columns {self._wanted()}."
                )
        for place, name in enumerate(header):
            if name in header[:place]:
                raise UnreadableFileError(
                    f"{self.name}, line 1: the column “{name}” is there twice. Remove one of them."
                )
        return header

    def _wrong_length(self, length: int) -> ValidationError:
        wanted = len(self.header)
        if length < wanted:
            return ValidationError(
                {
                    self.header[length]: f"The row has {length} cells, the first line {wanted}: "
                    f"from “{self.header[length]}” on there are none. Look for a lost comma."
                }
            )
        return ValidationError(
            {
                f"cell {wanted + 1}": f"The row has {length} cells, the first line {wanted}. "
                "Put double quotes round a text that contains a comma."
            }
        )
