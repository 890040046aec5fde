"""Tables of XLSX files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
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
    column_heads,
    find_header,
    header_remarks,
)
from oegen.imports.tables.reading.limits import MAX_CELLS, MAX_ROWS
from oegen.imports.tables.reading.marker import LABEL, Marker
from oegen.imports.tables.reading.package import Package
from oegen.imports.tables.reading.sheet_scan import SheetScan, TooLargeError
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
)

#: Rows of the first sheet of our exports among which the marker is.
_ABOUT_ROWS = 200


@dataclass(kw_only=True)
class XLSXTable(Table):
    kind: ClassVar[str] = "xlsx"

    content: CalamineSheet
    scan: SheetScan = field(default_factory=SheetScan)

    def rows(self) -> Iterator[SourceRow]:
        for number, raw in self.filled_rows():
            if number > self.header_row:
                yield self._row(number, raw)

    def filled_rows(self) -> Iterator[tuple[int, list[Any]]]:
        """The number and the cells as they are parsed, from the first column with any, of each row
        with a value or a flag."""
        for place, raw in enumerate(self.content.iter_rows()):
            if place in self.scan.flags or any(_is_filled(value) for value in raw):
                yield place + 1, raw

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
        workbook = _open_workbook(path, package)
        about = sheets[0]
        scans: dict[str, SheetScan] = {}
        if marker is None and len(sheets) > 1:
            scans[about.name] = _scan(package, about)
            marker = _marker_of(_content(workbook, package, about), scans[about.name])
        chosen = _choose(package, sheets, sheet, scans, is_ours=marker is not None)
        scan = scans.get(chosen.name) or _scan(package, chosen)
        table = XLSXTable(
            name=name,
            digest=digest,
            sheets=tuple(one.name for one in sheets if not one.is_hidden),
            sheet=chosen.name,
            marker=marker,
            content=_content(workbook, package, chosen),
            scan=scan,
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


def _open_workbook(path: Path, package: Package) -> CalamineWorkbook:
    return _parsed(package, lambda: CalamineWorkbook.from_path(str(path)))


def _content(workbook: CalamineWorkbook, package: Package, sheet: SheetPart) -> CalamineSheet:
    return _parsed(package, lambda: workbook.get_sheet_by_name(sheet.name))


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


def _scan(package: Package, sheet: SheetPart) -> SheetScan:
    """Raises UnreadableFileError if the sheet is too large or no XML."""
    scan = SheetScan()
    place = f"the sheet “{sheet.name}”"
    try:
        scan.read(package.chunks(sheet.part))
    except expat.ExpatError as error:
        raise package.error(
            f"{place} can't be parsed ({error}). Open the file in Excel or LibreOffice and save it "
            "again."
        ) from error
    except TooLargeError as error:
        raise package.error(f"{place} has {error}. Divide it into several files.") from error
    if scan.area > MAX_CELLS:
        corner = f"{column_letter(scan.last[1])}{scan.last[0] + 1}"
        raise package.error(
            f"{place} reaches to cell {corner}, and no more than {MAX_CELLS:,} cells can be read. "
            "Delete what stands far from the table, or divide it into several files."
        )
    return scan


def _marker_of(about: CalamineSheet, scan: SheetScan) -> Marker | None:
    """The marker on the first sheet of an export of ours, from a program that drops properties."""
    if scan.first[1]:
        return None
    for row in islice(about.iter_rows(), _ABOUT_ROWS):
        if row[0] == LABEL and len(row) > 1 and isinstance(row[1], str):
            return Marker.parse(row[1])
    return None


def _choose(
    package: Package,
    sheets: Sequence[SheetPart],
    name: str,
    scans: dict[str, SheetScan],
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
        if sheet.name not in scans:
            scans[sheet.name] = _scan(package, sheet)
        if scans[sheet.name].area:
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
    while table.columns and not table.columns[-1].name and not values_in[table.columns[-1].place]:
        table.columns.pop()
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
    table.remarks += header_remarks(table.columns)
    table.remarks += [
        f"Column {column.letter} has no name, but values in "
        f"{count(values_in[column.place], 'row')}. Name it, or choose what it is."
        for column in unnamed
        if values_in[column.place]
    ]
