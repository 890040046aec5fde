"""A list as a file: every row of all pages, the shown columns in their order.

A text that a spreadsheet would take for a formula is escaped in CSV (oegen.core.formulas) and
written as a text cell, unchanged, in XLSX. Numbers and dates stay numbers and dates in both.
"""

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.text import capfirst, slugify

from oegen.core import clock
from oegen.core.formulas import escape_formula
from oegen.core.slots import Slot
from oegen.people.models import SecurityEvent
from oegen.people.security import record_security_event

CSV = "csv"
XLSX = "xlsx"
KINDS = (CSV, XLSX)

#: Rows read from the database, and lines sent, at a time.
CHUNK = 1_000

#: The longest text that a cell of a spreadsheet can hold, and the longest name of a sheet.
XLSX_TEXT = 32_767
SHEET_NAME = 31

BYTE_ORDER_MARK = "\ufeff"

#: Widths of columns, in characters.
NAME_WIDTH, WIDTH, TEXT_WIDTH, DAY_WIDTH, MOMENT_WIDTH, NUMBER_WIDTH = 36, 18, 48, 12, 19, 14
ID_WIDTH = 38


@dataclass(frozen=True)
class FileColumn:
    """A column of a file. Spreadsheets show its numbers by ``number_format``."""

    heading: str
    width: int = WIDTH
    number_format: str = ""


@dataclass(frozen=True)
class Sheet:
    """What a file holds: rows of ``export_value`` values, and ``facts``, which say what they are
    and stand on a sheet of their own where the file has sheets."""

    title: str
    columns: Sequence[FileColumn]
    rows: Iterable[list]
    facts: Sequence[tuple[str, Any]] = ()


def number_format(unit: str = "", places: int = 0) -> str:
    """At least so many decimals, and the others that there are up to three."""
    decimals = f".{'0' * places}{'#' * (3 - places)}" if places else ""
    suffix = f'" {unit}"' if unit else ""
    return f"#,##0{decimals}{suffix}"


def download(sheet: Sheet, kind: str, slot: Slot | None = None) -> HttpResponseBase:
    """``kind`` is CSV or XLSX. The file is named for the title and the day. A CSV file is sent as
    its rows come, and its ``slot`` is held until the answer is closed."""
    record_security_event(SecurityEvent.Kind.EXPORT, details={"list": sheet.title, "file": kind})
    name = f"{slugify(sheet.title)}-{clock.today():%Y-%m-%d}.{kind}"
    if kind == XLSX:
        return FileResponse(_workbook(sheet), as_attachment=True, filename=name)
    chunks = _csv_chunks(sheet)
    if slot is not None:
        chunks = slot.held_for(chunks)
    response = StreamingHttpResponse(chunks, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def export_value(value):
    """Times as the site's, without a zone; figures without zeros that nobody wrote."""
    if isinstance(value, datetime):
        return timezone.localtime(value).replace(tzinfo=None, microsecond=0)
    if isinstance(value, Decimal):
        return value.normalize() + 0
    if value is None or isinstance(value, int | float | date):
        return value
    return str(value)


class _Line:
    """What csv.writer writes to: it hands each line back."""

    def write(self, line: str) -> str:
        return line


def _csv_chunks(sheet: Sheet) -> Iterator[str]:
    write = csv.writer(_Line()).writerow
    lines = [BYTE_ORDER_MARK, write([escape_formula(column.heading) for column in sheet.columns])]
    for row in sheet.rows:
        lines.append(write([escape_formula(value) for value in row]))
        if len(lines) >= CHUNK:
            yield "".join(lines)
            lines = []
    yield "".join(lines)


def _workbook(sheet: Sheet):
    """An open temporary file without a name: it is gone when the response closes it."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    book = xlsxwriter.Workbook(file, {"constant_memory": True})
    formats = {
        date: book.add_format({"num_format": "yyyy-mm-dd", "align": "left"}),
        datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"}),
    }
    heading = book.add_format({"bold": True})
    if sheet.facts:
        _write_facts(book.add_worksheet("About this file"), sheet, formats, heading)
    _write_rows(book, sheet, formats, heading)
    book.close()
    file.seek(0)
    return file


def _write_facts(page, sheet: Sheet, formats: dict, heading) -> None:
    page.set_column(0, 0, 24)
    page.set_column(1, 1, 80)
    page.write_string(0, 0, capfirst(sheet.title), heading)
    for number, (label, value) in enumerate(sheet.facts, start=2):
        page.write_string(number, 0, label)
        _write(page, number, 1, export_value(value), formats)


def _write_rows(book, sheet: Sheet, formats: dict, heading) -> None:
    page = book.add_worksheet(capfirst(sheet.title)[:SHEET_NAME])
    page.freeze_panes(1, 1)
    known = {
        text: book.add_format({"num_format": text})
        for text in {column.number_format for column in sheet.columns if column.number_format}
    }
    by_column = []
    for place, column in enumerate(sheet.columns):
        # Room for the heading beside the button of its filter.
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
