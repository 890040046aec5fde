"""Downloads of lists: the rows of all pages, with the shown columns.

A text that a spreadsheet would evaluate as a formula is escaped in CSV (oegen.core.formulas) and
written unchanged as a text cell in XLSX. Numbers and dates keep their types. A file with a marker
can be imported again: oegen.imports.tables.reading has from it what was written.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import chain, islice
from typing import Any

from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.text import slugify

from oegen.core import clock
from oegen.core.formulas import escape_formulas
from oegen.exports.sheets import CHUNK, Sheet
from oegen.exports.workbooks import write_workbook
from oegen.imports.tables.reading import VERSION_HEADING
from oegen.imports.tables.reading.words import escape_words
from oegen.people.models import SecurityEvent
from oegen.people.security import record_security_event

CSV = "csv"
XLSX = "xlsx"
KINDS = (CSV, XLSX)

BYTE_ORDER_MARK = "\ufeff"


def download(sheet: Sheet, kind: str) -> HttpResponseBase:
    """The response with the file; ``kind`` is CSV or XLSX. A CSV file is streamed."""
    record_security_event(
        SecurityEvent.Kind.EXPORT, details={"list": sheet.file_title or sheet.title, "file": kind}
    )
    name = f"{slugify(sheet.file_title or sheet.title)}-{clock.today():%Y-%m-%d}.{kind}"
    if kind == XLSX:
        return FileResponse(write_workbook(sheet), as_attachment=True, filename=name)
    response = StreamingHttpResponse(csv_chunks(sheet), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def csv_chunks(sheet: Sheet) -> Iterator[str]:
    headings = [column.heading for column in sheet.columns]
    if sheet.marker:
        headings[headings.index(VERSION_HEADING)] = str(sheet.marker)
    rows = chain([headings], sheet.rows)
    mark = BYTE_ORDER_MARK
    while chunk := list(islice(rows, CHUNK)):
        columns: Iterable[Sequence[Any]] = zip(*chunk, strict=True)
        if sheet.marker:
            columns = map(escape_words, columns)
        columns = [escape_formulas(values) for values in columns]
        lines = StringIO()
        csv.writer(lines).writerows(zip(*columns, strict=True))
        yield mark + lines.getvalue()
        mark = ""
