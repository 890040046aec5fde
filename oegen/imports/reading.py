"""CSV files, read as a stream of rows with their line numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from django.core.exceptions import ValidationError

from oegen.imports.tables.reading import UnreadableFileError, text


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
        line, header = next(self._records(), (1, None))
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
        for line, cells in islice(self._records(on_bytes), 1, None):
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

    def _records(self, on_bytes=lambda count: None):
        """(line, cells) of every record; empty lines are skipped."""
        found = text.lines(self.path, self.name, text.marked_encoding(self.path), on_bytes)
        delimiter, found, before = text.split_separator_line(found)
        return text.records(found, self.name, delimiter or ",", before)

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
            for delimiter, word in text.DELIMITERS.items():
                if delimiter != "," and delimiter in header[0]:
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
