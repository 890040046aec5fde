"""Downloads of lists: the rows of all pages, with the shown columns.

A text that a spreadsheet would evaluate as a formula is escaped in CSV (oegen.core.formulas) and
written unchanged as a text cell in XLSX. Numbers and dates keep their types.
"""

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from itertools import chain, islice
from typing import Any

import xlsxwriter
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.text import capfirst, slugify

from oegen.core import clock
from oegen.core.formulas import escape_formulas
from oegen.people.models import SecurityEvent
from oegen.people.security import record_security_event

CSV = "csv"
XLSX = "xlsx"
KINDS = (CSV, XLSX)

#: The number of rows that are read and sent at a time.
CHUNK = 1_000

#: The limits of XLSX for the text of a cell and the name of a sheet.
XLSX_TEXT = 32_767
SHEET_NAME = 31

BYTE_ORDER_MARK = "\ufeff"

#: Widths of columns, in characters.
NAME_WIDTH, WIDTH, TEXT_WIDTH, DAY_WIDTH, MOMENT_WIDTH, NUMBER_WIDTH = 36, 18, 48, 12, 19, 14
ID_WIDTH = 38


@dataclass(frozen=True)
class FileColumn:
    """A column of a file. ``number_format`` applies in spreadsheets."""

    heading: str
    width: int = WIDTH
    number_format: str = ""


@dataclass(frozen=True)
class Block:
    """A small table below the facts of a sheet. Its first column has texts."""

    title: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Any]]


@dataclass(frozen=True)
class Sheet:
    """The content of a file: rows of ``export_value`` values, and ``facts`` about them, which XLSX
    has on a separate sheet, with the ``blocks``."""

    title: str
    columns: Sequence[FileColumn]
    rows: Iterable[Sequence[Any]]
    facts: Sequence[tuple[str, Any]] = ()
    facts_title: str = "About this file"
    blocks: Sequence[Block] = ()
    #: The name of the file, if it is not the title.
    file_title: str = ""


def number_format(unit: str = "", places: int = 0) -> str:
    """The format for at least ``places`` and at most three decimals, with the unit."""
    decimals = f".{'0' * places}{'#' * (3 - places)}" if places else ""
    suffix = f'" {unit}"' if unit else ""
    return f"#,##0{decimals}{suffix}"


def download(sheet: Sheet, kind: str) -> HttpResponseBase:
    """The response with the file; ``kind`` is CSV or XLSX. A CSV file is streamed."""
    record_security_event(
        SecurityEvent.Kind.EXPORT, details={"list": sheet.file_title or sheet.title, "file": kind}
    )
    name = f"{slugify(sheet.file_title or sheet.title)}-{clock.today():%Y-%m-%d}.{kind}"
    if kind == XLSX:
        return FileResponse(_workbook(sheet), as_attachment=True, filename=name)
    response = StreamingHttpResponse(_csv_chunks(sheet), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def export_value(value):
    """The value for a cell: times in the site's zone, naive; decimals without trailing zeros;
    other types as text."""
    if isinstance(value, datetime):
        return timezone.localtime(value).replace(tzinfo=None, microsecond=0)
    if isinstance(value, Decimal):
        return value.normalize() + 0
    if value is None or isinstance(value, int | float | date):
        return value
    return str(value)


#: The types that ``export_value`` returns unchanged.
_PLAIN_TYPES = frozenset({str, int, float, bool, date, type(None)})


def export_values(values: Sequence[Any]) -> Sequence[Any]:
    """``export_value`` of each value of a column; most columns need no conversion."""
    return values if _PLAIN_TYPES.issuperset(map(type, values)) else [*map(export_value, values)]


def _csv_chunks(sheet: Sheet) -> Iterator[str]:
    rows = chain([[column.heading for column in sheet.columns]], sheet.rows)
    mark = BYTE_ORDER_MARK
    while chunk := list(islice(rows, CHUNK)):
        columns = [escape_formulas(values) for values in zip(*chunk, strict=True)]
        lines = StringIO()
        csv.writer(lines).writerows(zip(*columns, strict=True))
        yield mark + lines.getvalue()
        mark = ""


def _workbook(sheet: Sheet):
    """An open, unnamed temporary file, which is deleted when the response closes it."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    book = xlsxwriter.Workbook(file, {"constant_memory": True})
    formats = {
        date: book.add_format({"num_format": "yyyy-mm-dd", "align": "left"}),
        datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"}),
    }
    heading = book.add_format({"bold": True})
    if sheet.facts:
        _write_facts(book.add_worksheet(sheet.facts_title), sheet, formats, heading)
    _write_rows(book, sheet, formats, heading)
    book.close()
    file.seek(0)
    return file


def _write_facts(page, sheet: Sheet, formats: dict, heading) -> None:
    page.set_column(0, 0, NAME_WIDTH if sheet.blocks else 24)
    page.set_column(1, 8 if sheet.blocks else 1, WIDTH + 4 if sheet.blocks else 80)
    page.write_string(0, 0, capfirst(sheet.file_title or sheet.title), heading)
    number = 1
    for number, (label, value) in enumerate(sheet.facts, start=2):
        page.write_string(number, 0, label)
        _write(page, number, 1, export_value(value), formats)
    for block in sheet.blocks:
        number += 2
        for place, text in enumerate((block.title, *block.headings)):
            page.write_string(number, place, text, heading)
        for row in block.rows:
            number += 1
            for place, value in enumerate(row):
                _write(page, number, place, export_value(value), formats)


def _write_rows(book, sheet: Sheet, formats: dict, heading) -> None:
    page = book.add_worksheet(capfirst(sheet.title)[:SHEET_NAME])
    page.freeze_panes(1, 1)
    known = {
        text: book.add_format({"num_format": text})
        for text in {column.number_format for column in sheet.columns if column.number_format}
    }
    by_column = []
    for place, column in enumerate(sheet.columns):
        # Leave room for the filter button beside the heading.
        page.set_column(place, place, max(column.width, len(column.heading) + 4))
        page.write_string(0, place, column.heading, heading)
        by_column.append(known.get(column.number_format))
    number = 0
    for number, row in enumerate(sheet.rows, start=1):
        for place, value in enumerate(row):
            _write(page, number, place, value, formats, by_column[place])
    page.autofilter(0, 0, number, len(sheet.columns) - 1)


def _write(page, row: int, column: int, value, formats: dict, number_format=None) -> None:
    if value is None or value == "":
        return
    if isinstance(value, date):
        page.write_datetime(row, column, value, formats[type(value)])
    elif isinstance(value, str):
        if len(value) > XLSX_TEXT:
            value = f"{value[: XLSX_TEXT - 1]}…"
        page.write_string(row, column, value)
    else:
        page.write_number(row, column, value, number_format)
