"""Tables of XLSX files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar
from xml.parsers import expat

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from oegen.core.words import count
from oegen.imports.tables.reading.errors import UnreadableFileError
from oegen.imports.tables.reading.header import (
    SAMPLE_ROWS,
    close_columns,
    column_heads,
    find_header,
)
from oegen.imports.tables.reading.limits import MAX_CELLS, MAX_ROWS
from oegen.imports.tables.reading.marker import LABEL, Marker
from oegen.imports.tables.reading.package import Package
from oegen.imports.tables.reading.sheet_scan import SheetScan, TooLargeError, shared_lengths
from oegen.imports.tables.reading.table import (
    Flag,
    SourceRow,
    Table,
    Value,
    column_letter,
)
from oegen.imports.tables.reading.words import plain_text, read_text, unescape_word
from oegen.imports.tables.reading.workbook import (
    SheetPart,
    has_macros,
    read_properties,
    read_sheets,
    shared_strings,
)

#: The most rows that the first sheet of our exports has.
_ABOUT_ROWS = 200


@dataclass(kw_only=True)
class XLSXTable(Table):
    kind: ClassVar[str] = "xlsx"

    content: CalamineSheet
    scan: SheetScan

    def rows(self) -> Iterator[SourceRow]:
        for number, raw in self.filled_rows():
            if number > self.header_row:
                yield self._row(number, raw)

    def filled_rows(self) -> Iterator[tuple[int, list[Any]]]:
        """The number and the cells as they are parsed, from the first column with any, of each row
        with a value or a flag."""
        number = 0
        try:
            for number, raw in enumerate(self.content.iter_rows(), start=1):
                if number - 1 in self.scan.flags or any(_is_filled(value) for value in raw):
                    yield number, raw
        except OverflowError as error:
            raise UnreadableFileError(
                f"{self.name}, sheet “{self.sheet}”, row {number + 1}: a duration is longer than "
                "can be read. Write the number itself, or correct it."
            ) from error

    def address(self, number: int, place: int) -> str:
        return f"{self.name}, sheet “{self.sheet}”, cell {column_letter(place)}{number}"

    def _row(self, number: int, raw: Sequence[Any]) -> SourceRow:
        flags = dict(self.scan.flags.get(number - 1, {}))
        values: list[Value | None] = [None] * self.scan.first[1]
        is_ours = self.marker is not None
        for place, value in enumerate(raw, start=len(values)):
            if isinstance(value, str):
                text, flag = read_text(value, is_ours=is_ours)
                if flag and place not in flags:
                    flags[place] = flag
                elif text and is_ours:
                    text = unescape_word(text)
                values.append(text)
            else:
                values.append(_value(value))
        width = len(self.columns)
        values += [None] * (width - len(values))
        return SourceRow(number, tuple(values[:width]), flags)


def _is_filled(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else True


def _value(value: Any) -> Value:
    """The parser gives every number as a float, and a date without a time as a date."""
    if isinstance(value, bool | datetime | date):
        return value
    if isinstance(value, int | float):
        return Decimal(int(value)) if float(value).is_integer() else Decimal(repr(value))
    if isinstance(value, time | timedelta):
        return str(value)
    raise TypeError(f"The parser of workbooks returned {value!r}.")


def open_xlsx(path: Path, name: str, digest: str, sheet: str, header_row: int | None) -> XLSXTable:
    with Package(path, name) as package:
        sheets = read_sheets(package)
        marker = Marker.from_properties(read_properties(package))
        scans = _Scans(package, path)
        if marker is None and len(sheets) > 1:
            marker = _marker_on(sheets[0], scans)
        chosen = _choose(package, sheets, sheet, scans, is_ours=marker is not None)
        table = XLSXTable(
            name=name,
            digest=digest,
            sheets=tuple(one.name for one in sheets if not one.is_hidden),
            sheet=chosen.name,
            marker=marker,
            content=scans.content(chosen),
            scan=scans.scan(chosen),
        )
        if has_macros(package):
            table.remarks.append(
                "The workbook has macros. They were neither run nor read; only the values were."
            )
    if len(table.sheets) > 1 and not sheet and marker is None:
        others = ", ".join(f"“{one}”" for one in table.sheets if one != table.sheet)
        table.remarks.append(f"The sheet “{table.sheet}” was read. There are others: {others}.")
    _read_header(table, header_row)
    _count_rows(table)
    return table


class _Scans:
    """The sheets of a workbook, each scanned before it is parsed for the first time. Raises
    UnreadableFileError if a sheet is too large or no XML."""

    def __init__(self, package: Package, path: Path):
        self._package = package
        self._shared: Sequence[int] = ()
        self._known: dict[str, SheetScan] = {}
        if part := shared_strings(package):
            with self._parsing("the texts of the workbook"):
                self._shared = shared_lengths(package.chunks(part))
        self._workbook = _parsed(package, lambda: CalamineWorkbook.from_path(str(path)))

    def scan(self, sheet: SheetPart) -> SheetScan:
        if sheet.name not in self._known:
            self._known[sheet.name] = self._scan(sheet)
        return self._known[sheet.name]

    def content(self, sheet: SheetPart) -> CalamineSheet:
        self.scan(sheet)
        return _parsed(self._package, lambda: self._workbook.get_sheet_by_name(sheet.name))

    def _scan(self, sheet: SheetPart) -> SheetScan:
        scan = SheetScan(self._shared)
        place = f"the sheet “{sheet.name}”"
        with self._parsing(place):
            scan.read(self._package.chunks(sheet.part))
        if scan.area > MAX_CELLS:
            corner = f"{column_letter(scan.last[1])}{scan.last[0] + 1}"
            raise self._package.error(
                f"{place} reaches to cell {corner}, and no more than {MAX_CELLS:,} cells can be "
                "read. Delete what stands far from the table, or divide it into several files."
            )
        return scan

    @contextmanager
    def _parsing(self, place: str) -> Iterator[None]:
        try:
            yield
        except expat.ExpatError as error:
            raise self._package.error(
                f"{place} can't be parsed ({error}). Open the file in Excel or LibreOffice and "
                "save it again."
            ) from error
        except TooLargeError as error:
            raise self._package.error(
                f"{place} has {error}. Divide it into several files."
            ) from error


def _parsed(package: Package, parse):
    try:
        return parse()
    except BaseException as error:
        # The parser's own assertions are no subclass of Exception, and can't be imported.
        if not isinstance(error, CalamineError | OSError | ValueError) and (
            type(error).__name__ != "PanicException"
        ):
            raise
        raise package.error(
            f"the workbook can't be parsed ({error}). Open it in Excel or LibreOffice and save it "
            "again."
        ) from error


def _marker_on(about: SheetPart, scans: _Scans) -> Marker | None:
    """The marker on the first sheet of an export of ours, from a program that drops properties."""
    scan = scans.scan(about)
    if scan.first[1] or not 0 < scan.row_count <= _ABOUT_ROWS:
        return None
    for row in scans.content(about).iter_rows():
        if row[0] == LABEL and len(row) > 1 and isinstance(row[1], str):
            return Marker.parse(row[1])
    return None


def _choose(
    package: Package,
    sheets: Sequence[SheetPart],
    name: str,
    scans: _Scans,
    *,
    is_ours: bool,
) -> SheetPart:
    """The sheet of that name, else the first visible one with values; in our exports, after the
    first sheet. Raises UnreadableFileError."""
    visible = [sheet for sheet in sheets if not sheet.is_hidden]
    if name:
        found = next((sheet for sheet in visible if sheet.name == name), None)
        if found is None:
            names = ", ".join(f"“{sheet.name}”" for sheet in visible)
            raise package.error(f"there is no sheet “{name}”. Choose one of {names}.")
        return found
    if is_ours and len(visible) > 1:
        visible = visible[1:]
    for sheet in visible:
        if scans.scan(sheet).area:
            return sheet
    raise package.error("the workbook is empty. A row of a sheet should name the columns.")


def _read_header(table: XLSXTable, header_row: int | None) -> None:
    filled = ((number, _header_cells(table, raw)) for number, raw in table.filled_rows())
    if header_row is None:
        sample = list(islice(filled, SAMPLE_ROWS))
        if not sample:
            raise UnreadableFileError(
                f"{table.name}: the sheet “{table.sheet}” is empty. A row should name the columns."
            )
        place = find_header([cells for _, cells in sample])
    else:
        sample = [(number, cells) for number, cells in filled if number <= header_row]
        place = len(sample) - 1
        if not sample or sample[place][0] != header_row:
            raise UnreadableFileError(
                f"{table.name}, sheet “{table.sheet}”, row {header_row}: the row is empty. Choose "
                "the one that names the columns."
            )
    table.header_row, cells = sample[place]
    table.rows_above = [
        ["" if cell is None else str(cell) for cell in above] for _, above in sample[:place]
    ]
    table.columns = column_heads(cells)


def _header_cells(table: XLSXTable, raw: Sequence[Any]) -> list[Value | None]:
    """All cells of the row up to the sheet's last column."""
    return [None] * table.scan.first[1] + [
        plain_text(value) if isinstance(value, str) else _value(value) for value in raw
    ]


def _count_rows(table: XLSXTable) -> None:
    first = table.scan.first[1]
    unnamed = [column for column in table.columns if not column.name]
    values_in: Counter[int] = Counter()
    formulas = last = 0
    for number, raw in table.filled_rows():
        if number <= table.header_row:
            continue
        table.row_count += 1
        last = number
        flags = table.scan.flags.get(number - 1, {})
        formulas += sum(flag is Flag.FORMULA for flag in flags.values())
        values_in.update(
            head.place
            for head in unnamed
            if head.place in flags or (head.place >= first and _is_filled(raw[head.place - first]))
        )
    if table.row_count > MAX_ROWS:
        raise UnreadableFileError(
            f"{table.name}, sheet “{table.sheet}”: the table has more than {MAX_ROWS:,} rows. "
            "Divide it into several files."
        )
    table.blank_rows = max(last - table.header_row, 0) - table.row_count
    if table.scan.hidden_rows:
        hidden = count(table.scan.hidden_rows, "hidden row")
        table.remarks.append(
            f"The sheet has {hidden}, by a filter or by hand; they are read as the others are."
        )
    if formulas:
        table.remarks.append(
            f"{count(formulas, 'cell')} {'is a formula' if formulas == 1 else 'are formulas'}. The "
            "results were read that the file was saved with."
        )
    table.remarks += close_columns(table.columns, values_in)
