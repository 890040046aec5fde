"""Reading a sheet's XML for what the parser of workbooks does not say: formulas and error values;
and how far its cells reach, since the parser keeps the whole rectangle in memory."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.parsers import expat

from oegen.imports.tables.reading.header import SAMPLE_ROWS
from oegen.imports.tables.reading.limits import MAX_COLUMNS, MAX_ROWS
from oegen.imports.tables.reading.table import Flag, column_place

_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")


class TooLargeError(Exception):
    """The sheet has more columns or rows than can be read. The message begins with its place."""


class SheetScan:
    """``flags`` are by the row's index and the column's. ``first`` and ``last`` are the corners, as
    indices of row and column, of the rectangle round all cells with a value or a formula; ``hidden_rows`` is a number."""

    def __init__(self) -> None:
        self.flags: dict[int, dict[int, Flag]] = {}
        self.first, self.last = [0, 0], [-1, -1]
        self.row_count = self.hidden_rows = 0
        self._row = self._column = -1
        self._counted_row = -1
        self._places: dict[str, int] = {}
        #: Whether the open cell is an error, has a formula, a value.
        self._is_error = self._has_formula = self._has_value = False
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype

    @property
    def area(self) -> int:
        if self.last[0] < 0:
            return 0
        return (self.last[0] - self.first[0] + 1) * (self.last[1] - self.first[1] + 1)

    def read(self, chunks: Iterable[bytes]) -> None:
        """Raises expat.ExpatError if it is no XML, and TooLargeError."""
        for chunk in chunks:
            self._parser.Parse(chunk)
        self._parser.Parse(b"", True)
        self._close_cell()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        # Some programs write every name with a prefix.
        name = tag.rpartition(":")[2] if ":" in tag else tag
        if name == "c":
            self._close_cell()
            self._is_error = attributes.get("t") == "e"
            self._column += 1
            if reference := attributes.get("r"):
                self._place(reference)
        elif name == "v" or name == "is":
            self._extend()
            if self._has_formula or self._is_error:
                self._parser.CharacterDataHandler = self._value
        elif name == "f":
            self._extend()
            self._has_formula = True
        elif name == "row":
            self._close_cell()
            self._column = -1
            number = attributes.get("r", "")
            self.hidden_rows += attributes.get("hidden") in ("1", "true")
            self._row = int(number) - 1 if number.isdecimal() else self._row + 1

    def _place(self, reference: str) -> None:
        letters = reference.rstrip("0123456789")
        place = self._places.get(letters)
        if place is None:
            if not _REFERENCE.fullmatch(reference):
                return
            place = self._places[letters] = column_place(letters)
        self._column = place
        self._row = int(reference[len(letters) :]) - 1

    def _extend(self) -> None:
        row, column = self._row, self._column
        first, last = self.first, self.last
        if row != self._counted_row:
            if last[0] < 0:
                first[:] = row, column
            self._counted_row = row
            self.row_count += 1
            first[0], last[0] = min(first[0], row), max(last[0], row)
            # The header and what is above it are no rows of the table.
            if self.row_count > MAX_ROWS + SAMPLE_ROWS:
                raise TooLargeError(f"more than {MAX_ROWS:,} rows")
        if column < first[1]:
            first[1] = column
        if column > last[1]:
            last[1] = column
            if column >= MAX_COLUMNS:
                raise TooLargeError(f"more than {MAX_COLUMNS:,} columns")

    def _value(self, text: str) -> None:
        self._has_value = True
        self._parser.CharacterDataHandler = None

    def _close_cell(self) -> None:
        if not (self._has_formula or self._is_error):
            return
        self._parser.CharacterDataHandler = None
        if self._is_error:
            flag = Flag.ERROR_VALUE
        else:
            flag = Flag.FORMULA if self._has_value else Flag.NO_RESULT
        self.flags.setdefault(self._row, {})[self._column] = flag
        self._is_error = self._has_formula = self._has_value = False

    def _refuse_doctype(self, *declared: object) -> None:
        raise expat.ExpatError("a document type is declared")
