"""A list as a file: every row of all pages, the shown columns in their order.

A text that a spreadsheet would take for a formula is escaped in CSV (oegen.formulas) and written
as a text cell, unchanged, in XLSX. Numbers and dates stay numbers and dates in both.
"""

import csv
import tempfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import chain

import xlsxwriter
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.text import slugify

from oegen import clock
from oegen.formulas import escape_formula
from oegen.models import SecurityEvent
from oegen.people.security import record_security_event
from oegen.slots import Slot
from oegen.tables import RecordTable

CSV = "csv"
XLSX = "xlsx"
KINDS = (CSV, XLSX)

#: Rows read from the database, and lines sent, at a time.
CHUNK = 1_000

#: The longest text that a cell of a spreadsheet can hold.
XLSX_TEXT = 32_767

BYTE_ORDER_MARK = "\ufeff"


def download(table: RecordTable, kind: str, list_title: str) -> HttpResponseBase:
    """``kind`` is CSV or XLSX. The file is named for the list and the day."""
    return rows_download(chain([table.headings()], _rows(table)), kind, list_title)


def rows_download(rows: Iterable[list], kind: str, title: str) -> HttpResponseBase:
    """As ``download``, of rows of ``stated`` values, headings first."""
    if kind == XLSX:
        record_security_event(SecurityEvent.Kind.EXPORT, details={"list": title, "file": kind})
        name = _file_name(title, kind)
        return FileResponse(_workbook(rows), as_attachment=True, filename=name)
    return csv_download(rows, title)


def csv_download(
    rows: Iterable[list], title: str, slot: Slot | None = None
) -> StreamingHttpResponse:
    """The rows, headings first, are sent as they come. The file is named for title and day. The
    ``slot`` is held until the answer is closed."""
    record_security_event(SecurityEvent.Kind.EXPORT, details={"list": title, "file": CSV})
    chunks = _csv_chunks(rows)
    if slot is not None:
        chunks = slot.held_for(chunks)
    response = StreamingHttpResponse(chunks, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{_file_name(title, CSV)}"'
    return response


def _file_name(title: str, kind: str) -> str:
    return f"{slugify(title)}-{clock.today():%Y-%m-%d}.{kind}"


def _rows(table: RecordTable) -> Iterator[list]:
    """The cells of each row, read in chunks."""
    for record in table.data.data.iterator(chunk_size=CHUNK):
        yield [stated(value) for value in table.told(record)]


def stated(value):
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


def _csv_chunks(rows: Iterable[list]) -> Iterator[str]:
    write = csv.writer(_Line()).writerow
    lines = [BYTE_ORDER_MARK]
    for row in rows:
        lines.append(write([escape_formula(value) for value in row]))
        if len(lines) >= CHUNK:
            yield "".join(lines)
            lines = []
    yield "".join(lines)


def _workbook(rows: Iterable[list]):
    """An open temporary file without a name: it is gone when the response closes it."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    book = xlsxwriter.Workbook(file, {"constant_memory": True})
    formats = {
        date: book.add_format({"num_format": "yyyy-mm-dd"}),
        datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
    }
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 1)
    heading = book.add_format({"bold": True})
    rows = iter(rows)
    for column, text in enumerate(next(rows)):
        sheet.set_column(column, column, 36 if column == 0 else 18)
        sheet.write_string(0, column, text, heading)
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            _write(sheet, number, column, value, formats)
    book.close()
    file.seek(0)
    return file


def _write(sheet, row: int, column: int, value, formats: dict) -> None:
    if value is None:
        return
    if isinstance(value, date):
        sheet.write_datetime(row, column, value, formats[type(value)])
    elif isinstance(value, str):
        if len(value) > XLSX_TEXT:
            value = f"{value[: XLSX_TEXT - 1]}…"
        sheet.write_string(row, column, value)
    else:
        sheet.write_number(row, column, value)
