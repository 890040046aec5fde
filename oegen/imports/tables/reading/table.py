"""A table as a file has it, whatever the format: columns, rows and what was noticed about them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar

from oegen.imports.tables.reading.marker import Marker

#: The value of a cell. CSV has texts only; numbers of XLSX are Decimal, with whole ones as they are
#: written (5, not 5.0). Line ends in texts are "\n".
Value = str | Decimal | date | datetime | bool


#: The distinct values of a column that are looked at.
SAMPLE = 2_000


class Flag(StrEnum):
    """What a cell is besides its value. Of the first kind only, the value counts."""

    #: The stored result of a formula.
    FORMULA = "formula"
    #: A formula whose file has no result; the cell has no value. An error.
    NO_RESULT = "no result"
    #: An error of the spreadsheet, such as #REF!; the cell has no value. An error.
    ERROR_VALUE = "error value"
    #: "(clear)": the field is to be emptied; the cell has no value.
    CLEAR = "clear"
    #: What our export wrote for a text that is too long for a cell of XLSX: the field is to be left
    #: as it is; the cell has no value.
    LEFT_OUT = "left out"


#: Why a cell with the flag can't be taken; its address comes first.
FLAG_ERRORS = MappingProxyType(
    {
        Flag.NO_RESULT: "the cell has a formula whose result is not in the file. Open the file in "
        "the program that made it, let it calculate and save it again, or write the value itself.",
        Flag.ERROR_VALUE: "the cell shows an error instead of a value, such as #REF! or #N/A. "
        "Correct its formula, or write the value itself.",
    }
)


@dataclass(frozen=True, slots=True)
class ColumnHead:
    """A column of a table. ``place`` is its index in ``SourceRow.cells``; ``name`` is its heading
    with white space squeezed, empty if it has none; ``letter`` is what a spreadsheet calls it."""

    place: int
    name: str
    letter: str

    def __str__(self) -> str:
        return f"“{self.name}” (column {self.letter})" if self.name else f"column {self.letter}"


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A row with values. ``number`` is that of its line in CSV, of its row in XLSX.

    ``cells`` are as many as the table has columns; a cell without a value, or of white space only,
    is None. ``flags`` are by the index of the cell. With an ``error``, the cells don't match the
    columns and are not to be used.
    """

    number: int
    cells: tuple[Value | None, ...]
    flags: Mapping[int, Flag] = field(default_factory=dict)
    error: str = ""


@dataclass(kw_only=True)
class Table(ABC):
    """A table of a file. It has been read once as a whole, so that all counts are known."""

    kind: ClassVar[str]

    #: The file's name as uploaded.
    name: str
    #: SHA-256 of the file, in hex digits.
    digest: str
    #: The names of all visible sheets, and of the one that was read; CSV has none.
    sheets: tuple[str, ...] = ()
    sheet: str = ""
    #: The cells of the rows above the header, without empty rows.
    rows_above: list[list[str]] = field(default_factory=list)
    #: The number of the header's line, or row.
    header_row: int = 1
    columns: list[ColumnHead] = field(default_factory=list)
    #: The number of rows with values below the header, and of those without.
    row_count: int = 0
    blank_rows: int = 0
    #: Sentences for the person who imports.
    remarks: list[str] = field(default_factory=list)
    #: If the file is an export of ours. Escaped texts in its cells are unescaped.
    marker: Marker | None = None

    @abstractmethod
    def rows(self) -> Iterator[SourceRow]:
        """The rows with values, in the order of the file; may be called again."""

    @abstractmethod
    def address(self, number: int, place: int) -> str:
        """Where a cell of the row with that number is, for a message."""

    def samples(self) -> list[list[Value]]:
        """The first distinct values of each column."""
        found: list[dict[Value, None]] = [{} for _ in self.columns]
        for row in self.rows():
            for values, value in zip(found, row.cells, strict=False):
                if value is not None and len(values) < SAMPLE:
                    values[value] = None
        return [list(values) for values in found]

    def flag_error(self, row: SourceRow, place: int) -> str:
        """The sentence if the cell's flag is an error, else empty."""
        message = FLAG_ERRORS.get(row.flags[place]) if place in row.flags else None
        return f"{self.address(row.number, place)}: {message}" if message else ""


def column_place(letters: str) -> int:
    """The index of the column with these letters."""
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1


def column_letter(place: int) -> str:
    """The letters of the column with that index: A, Z, AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
