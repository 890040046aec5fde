"""Reading a sheet's XML for what the parser of workbooks does not say: formulas and error values;
and how much memory the parser would need, which keeps the whole rectangle round the cells, and a
copy of a shared text for each cell that refers to it."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Sequence
from xml.parsers import expat

from oegen.imports.tables.reading.header import SAMPLE_ROWS
from oegen.imports.tables.reading.limits import MAX_COLUMNS, MAX_ROWS, MAX_SHARED
from oegen.imports.tables.reading.table import Flag, column_place

_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")


#: A cell that refers to a shared text.
_SHARED = "shared"

#: By the type of a cell.
_KINDS: dict[str, Flag | str] = {"e": Flag.ERROR_VALUE, "s": _SHARED}


class TooLargeError(Exception):
    """The sheet has more than can be read of what the message says."""


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _refuse_doctype(*declared: object) -> None:
    raise expat.ExpatError("a document type is declared")


def _parse(parser: expat.XMLParserType, chunks: Iterable[bytes]) -> None:
    for chunk in chunks:
        parser.Parse(chunk)
    parser.Parse(b"", True)


def _local(tag: str) -> str:
    """The name without a prefix, with which some programs write every name."""
    return tag.rpartition(":")[2] if ":" in tag else tag


def shared_lengths(chunks: Iterable[bytes]) -> Sequence[int]:
    """The lengths of the workbook's shared texts. Raises expat.ExpatError if it is no XML."""
    lengths = array("L")

    def start(tag: str, attributes: dict[str, str]) -> None:
        if _local(tag) == "si":
            lengths.append(0)

    def add(text: str) -> None:
        if lengths:
            lengths[-1] += len(text)

    parser = _parser()
    parser.StartElementHandler = start
    parser.CharacterDataHandler = add
    _parse(parser, chunks)
    return lengths


class SheetScan:
    """``flags`` are by the row's index and the column's. ``first`` and ``last`` are the corners, as
    indices of row and column, of the rectangle round all cells with a value or a formula;
    ``hidden_rows`` is the number of rows that a filter, or a person, hides."""

    def __init__(self, shared: Sequence[int] = ()) -> None:
        """``shared`` are the lengths of the workbook's shared texts."""
        self._shared = shared
        self._shared_size = 0
        self.flags: dict[int, dict[int, Flag]] = {}
        self.first, self.last = [0, 0], [-1, -1]
        self.row_count = self.hidden_rows = 0
        self._row = self._column = -1
        self._counted_row = -1
        self._places: dict[str, int] = {}
        #: What the open cell is, if its text matters: a formula, an error, or shared.
        self._text_of: Flag | str | None = None
        self._text: list[str] = []
        self._parser = _parser()
        self._parser.StartElementHandler = self._start

    @property
    def area(self) -> int:
        if self.last[0] < 0:
            return 0
        return (self.last[0] - self.first[0] + 1) * (self.last[1] - self.first[1] + 1)

    def read(self, chunks: Iterable[bytes]) -> None:
        """Raises expat.ExpatError if it is no XML, and TooLargeError."""
        _parse(self._parser, chunks)
        self._close_cell()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = _local(tag)
        if name == "c":
            self._close_cell()
            self._text_of = _KINDS.get(attributes.get("t", ""))
            self._column += 1
            if reference := attributes.get("r"):
                self._place(reference)
        elif name == "v" or name == "is":
            self._extend()
            if self._text_of is not None:
                self._parser.CharacterDataHandler = self._text.append
        elif name == "f":
            self._extend()
            if self._text_of is not Flag.ERROR_VALUE:
                self._text_of = Flag.FORMULA
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
                raise expat.ExpatError(f"there is no cell “{reference}”")
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

    def _close_cell(self) -> None:
        if self._text_of is None:
            return
        self._parser.CharacterDataHandler = None
        kind, self._text_of = self._text_of, None
        text = "".join(self._text).strip()
        self._text.clear()
        if not isinstance(kind, Flag):
            self._add_shared(text)
        elif kind is Flag.FORMULA and not text:
            self.flags.setdefault(self._row, {})[self._column] = Flag.NO_RESULT
        else:
            self.flags.setdefault(self._row, {})[self._column] = kind

    def _add_shared(self, text: str) -> None:
        if text.isdecimal() and int(text) < len(self._shared):
            self._shared_size += self._shared[int(text)]
            if self._shared_size > MAX_SHARED:
                raise TooLargeError(f"more than {MAX_SHARED // 1_000_000} million letters")
