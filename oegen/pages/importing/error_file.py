"""The imported file with its errors: the same rows and columns as a workbook, the wrong cells
marked, with a comment in each that says what would be right."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Any

from django.core.exceptions import BadRequest
from django.http import FileResponse, Http404, HttpResponseBase
from django.shortcuts import redirect
from django.views.generic import View

from oegen import jobs
from oegen.core.words import count
from oegen.exports.workbooks import new_workbook
from oegen.imports.tables.models import TableImport
from oegen.imports.tables.preview_file import WHOLE_ROW, PreviewFile, Section, opened
from oegen.imports.tables.reading import Flag, SourceRow, Table, UnreadableFileError
from oegen.imports.tables.reading.words import CLEAR, escape_word, left_out
from oegen.imports.tables.running import table_of
from oegen.jobs import files
from oegen.jobs.models import Job
from oegen.pages.importing.access import ImportMixin

if TYPE_CHECKING:
    import xlsxwriter

#: The number of rows from which the file is made by a job.
LONG = 1_000

#: The comments that a file has. Those of all further cells are on the sheet of errors only: a
#: spreadsheet draws each comment as a shape, and keeps all of them in memory.
MAX_COMMENTS = 5_000

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ERRORS = "What is wrong"
_DATA = "Data"
_HEADINGS = ("Row", "Record", "Column", "In the file", "What would be right")
_WIDTHS = (8, 32, 24, 32, 100)

#: Units of UTF-16 that a cell of XLSX takes, with room for its escapes.
_CELL = 32_000

#: What stands in cells without a value.
_FLAGGED = {
    Flag.CLEAR: CLEAR,
    Flag.LEFT_OUT: left_out("it stays as it is"),
    Flag.ERROR_VALUE: "#N/A",
}

Report = Callable[[int], object]


class ImportErrors(ImportMixin, View):
    """The file with its errors; ``?rows=wrong`` leaves out the rows that have none. A long one is
    made by a job."""

    def get(self, request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        rows = request.GET.get("rows", "all")
        if rows not in ("all", "wrong"):
            raise BadRequest("The file has all rows, or the wrong ones: rows=all or rows=wrong.")
        one = self.one
        if not (one.path.exists() and one.plan_path.exists()):
            raise Http404("The file is not kept any more: upload it again.")
        only_wrong = rows == "wrong"
        if one.result["rows"] < LONG:
            file = _make(one, only_wrong=only_wrong)
            return FileResponse(file, as_attachment=True, filename=_name(one), content_type=_XLSX)
        key = f"import-errors:{one.pk}:{rows}:{one.result['digest']}"
        job = Job.objects.unfinished().filter(key=key).first() or jobs.enqueue(
            "import-errors",
            person=request.user,
            key=key,
            title=f"{one.file_name} with its errors",
            import_id=str(one.pk),
            only_wrong=only_wrong,
        )
        return redirect(job)


@jobs.job_kind(
    "import-errors",
    "File with its errors",
    queue=jobs.LONG,
    max_attempts=3,
    kept_for=timedelta(days=2),
)
def make_error_file(context: jobs.Run, import_id: str, only_wrong: bool) -> str:
    one = TableImport.objects.filter(pk=import_id, person=context.job.person).first()
    if one is None or not (one.path.exists() and one.plan_path.exists()):
        raise jobs.JobFailedError("The file is not kept any more: upload it again.")
    total = one.result["rows"]
    target = files.path_of(context.job)

    def report(done: int) -> None:
        context.report(done, total, f"{done:,} of {total:,} rows")

    try:
        with _make(one, only_wrong=only_wrong, report=report) as made:
            size = _keep(made, target)
    except UnreadableFileError as error:
        raise jobs.JobFailedError(str(error)) from error
    context.job.result = {"file": _name(one), "content_type": _XLSX, "size": size}
    return f"{_name(one)} is ready."


def _keep(made: IO[bytes], target: Path) -> int:
    """Write the file whole or not at all; returns its size in bytes."""
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        while chunk := made.read(1 << 20):
            file.write(chunk)
    Path(file.name).replace(target)
    return target.stat().st_size


def _name(one: TableImport) -> str:
    return f"{PurePath(one.file_name).stem}-errors.xlsx"


def _make(one: TableImport, *, only_wrong: bool, report: Report = lambda done: None) -> IO[bytes]:
    """An open temporary file at its start, which is deleted when it is closed. The rows are read
    and written one by one, so that memory stays the same whatever their number."""
    table = table_of(one)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    book = new_workbook(file)
    with opened(one.plan_path) as preview:
        _Writer(book, table, preview).write(only_wrong, report)
    book.close()
    file.seek(0)
    return file


def _wrong_rows(preview: PreviewFile) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """What stands against each row, by the row's number, in the order of the file."""
    conflicts = (
        {
            **item,
            "heading": item["label"],
            "value": item["mine"],
            "message": f"Others changed this from “{item['base']}” to “{item['theirs']}” since "
            "the file was exported. Write the value that is to stay, or decide it in the preview.",
        }
        for item in preview.contents(Section.CONFLICTS)
    )
    by_number = itemgetter("number")
    merged = heapq.merge(preview.contents(Section.ERRORS), conflicts, key=by_number)
    for number, items in groupby(merged, by_number):
        yield number, list(items)


class _Writer:
    def __init__(self, book: xlsxwriter.Workbook, table: Table, preview: PreviewFile):
        self.book = book
        self.table = table
        self.preview = preview
        self.is_ours = table.marker is not None
        self.comments = 0
        title = table.sheet or _DATA
        self.page = book.add_worksheet(_DATA if title.casefold() == _ERRORS.casefold() else title)
        self.errors = book.add_worksheet(_ERRORS)
        self.error_row = 0
        self.bold = book.add_format({"bold": True})
        self.day_formats = ("yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss")
        marked = {"bg_color": "#fde2e0", "font_color": "#b42318"}
        self.formats = {
            (is_wrong, pattern): book.add_format(
                (marked if is_wrong else {}) | ({"num_format": pattern} if pattern else {})
            )
            for is_wrong in (False, True)
            for pattern in ("", *self.day_formats)
        }

    def write(self, only_wrong: bool, report: Report) -> None:
        table = self.table
        if table.marker:
            for name, text in table.marker.properties().items():
                self.book.set_custom_property(name, text)
        self._write_head()
        wrong = _wrong_rows(self.preview)
        number, problems = next(wrong, (0, []))
        target = table.header_row
        for place, row in enumerate(table.rows()):
            if place % 500 == 0:
                report(place)
            found: list[dict[str, Any]] = []
            if row.number == number:
                found = problems
                number, problems = next(wrong, (0, []))
            if only_wrong and not found:
                continue
            target = target + 1 if only_wrong else row.number
            self._write_row(target - 1, row, found)
            self._write_errors(target, found)
        last = max(target - 1, table.header_row)
        self.page.autofilter(table.header_row - 1, 0, last, len(table.columns) - 1)

    def _write_head(self) -> None:
        table, totals = self.table, self.preview.totals()
        for place, above in enumerate(table.rows_above[: table.header_row - 1]):
            for column, text in enumerate(above):
                self._write_cell(self.page, place, column, text)
        for head in table.columns:
            self.page.set_column(head.place, head.place, min(max(len(head.name) + 4, 12), 48))
            self.page.write_string(table.header_row - 1, head.place, head.name, self.bold)
        self.page.freeze_panes(table.header_row, 0)
        errors = count(totals[Section.ERRORS], "error")
        conflicts = count(totals[Section.CONFLICTS], "conflict")
        said = f"{table.name}: {errors} and {conflicts}. Correct the marked cells on the first "
        self.errors.write_string(
            0, 0, f"{said}sheet, save the file and upload it again.", self.bold
        )
        for column, (heading, width) in enumerate(zip(_HEADINGS, _WIDTHS, strict=True)):
            self.errors.set_column(column, column, width)
            self.errors.write_string(2, column, heading, self.bold)
        self.errors.freeze_panes(3, 0)
        self.error_row = 2

    def _write_row(self, target: int, row: SourceRow, found: list[dict[str, Any]]) -> None:
        comments: dict[int, list[str]] = {}
        for one in found:
            place = one["place"] if one["place"] is not None else 0
            comments.setdefault(place, []).append(one["message"])
        for place, value in enumerate(row.cells):
            shown = self._shown(value, row.flags.get(place))
            self._write_cell(self.page, target, place, shown, is_wrong=place in comments)
        for place, messages in comments.items():
            if self.comments < MAX_COMMENTS:
                self.comments += 1
                text = "\n".join(messages)[:1_000]
                self.page.write_comment(target, place, text, {"x_scale": 2.5, "y_scale": 1.5})

    def _shown(self, value: Any, flag: Flag | None) -> Any:
        """The value as the file had it, so that it is read again as it was."""
        if value is not None:
            return escape_word(value) if self.is_ours and isinstance(value, str) else value
        return _FLAGGED.get(flag) if flag else None

    def _write_errors(self, target: int, found: list[dict[str, Any]]) -> None:
        for one in found:
            self.error_row += 1
            texts = (one["name"], one["heading"] or WHOLE_ROW, one["value"], one["message"])
            self.errors.write_number(self.error_row, 0, target)
            for column, text in enumerate(texts, start=1):
                self._write_cell(self.errors, self.error_row, column, text)

    def _write_cell(self, page, row: int, column: int, value: Any, *, is_wrong=False) -> None:
        if isinstance(value, datetime | date):
            pattern = self.day_formats[isinstance(value, datetime)]
            page.write_datetime(row, column, value, self.formats[is_wrong, pattern])
            return
        plain = self.formats[True, ""] if is_wrong else None
        if isinstance(value, bool):
            page.write_boolean(row, column, value, plain)
        elif isinstance(value, Decimal):
            page.write_number(row, column, value, plain)
        elif value:
            page.write_string(row, column, _fitted(str(value)), plain)
        elif is_wrong:
            page.write_blank(row, column, None, plain)


def _fitted(text: str) -> str:
    """The text without what XML has no place for, cut to what a cell takes."""
    text = text.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
    units = text.encode("utf-16-le")
    return text if len(units) <= 2 * _CELL else units[: 2 * _CELL].decode("utf-16-le", "ignore")
