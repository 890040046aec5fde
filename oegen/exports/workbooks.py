"""Workbooks (XLSX), written in constant memory whatever their number of rows."""

from __future__ import annotations

import tempfile
from datetime import date, datetime
from itertools import zip_longest
from typing import IO, TYPE_CHECKING

from django.utils.text import capfirst

from oegen.exports.sheets import NAME_WIDTH, WIDTH, Sheet, export_value
from oegen.imports.tables.reading.words import escape_word, left_out

if TYPE_CHECKING:
    import xlsxwriter

#: The limits of XLSX for the text of a cell, which it counts in units of UTF-16, and for the name
#: of a sheet.
XLSX_TEXT = 32_767
SHEET_NAME = 31

#: The characters that XML has no place for and XLSX no escape.
_UNFIT = "\ufffe\uffff"

_LISTS = "Lists"

#: Rows below the last one whose cells have drop-downs, too.
_ROOM = 1_000

_GREY = {"font_color": "#6c757d", "bg_color": "#f1f3f5"}


def write_workbook(sheet: Sheet) -> IO[bytes]:
    """An open, unnamed temporary file at its start, which is deleted when it is closed."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    book = new_workbook(file)
    if sheet.marker:
        for name, text in sheet.marker.properties().items():
            book.set_custom_property(name, text)
    _Writer(book, sheet).write()
    book.close()
    file.seek(0)
    return file


def new_workbook(file: IO[bytes]) -> xlsxwriter.Workbook:
    """A workbook that is written row by row, in constant memory."""
    # Only here: it takes 2 MB, and most processes write none.
    import xlsxwriter

    return xlsxwriter.Workbook(file, {"constant_memory": True})


class _Writer:
    def __init__(self, book: xlsxwriter.Workbook, sheet: Sheet):
        self.book = book
        self.sheet = sheet
        self.formats = {
            date: book.add_format({"num_format": "yyyy-mm-dd", "align": "left"}),
            datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"}),
        }
        self.heading = book.add_format({"bold": True})
        self.fact = book.add_format({"text_wrap": True, "valign": "top"})
        self.grey = book.add_format(_GREY)
        self.grey_heading = book.add_format({"bold": True, **_GREY})

    def write(self) -> None:
        if self.sheet.facts:
            self._write_facts()
        page = self.book.add_worksheet(capfirst(self.sheet.title)[:SHEET_NAME])
        last = self._write_rows(page)
        self._write_lists(page, last)

    def _write_facts(self) -> None:
        sheet = self.sheet
        page = self.book.add_worksheet(sheet.facts_title)
        page.set_column(0, 0, NAME_WIDTH if sheet.blocks else 24)
        page.set_column(1, 8 if sheet.blocks else 1, WIDTH + 4 if sheet.blocks else 80)
        page.write_string(0, 0, capfirst(sheet.file_title or sheet.title), self.heading)
        number = 1
        for number, (label, value) in enumerate(sheet.facts, start=2):
            page.write_string(number, 0, label)
            wrapped = None if sheet.blocks else self.fact
            self._write_cell(page, number, 1, export_value(value), wrapped)
        for block in sheet.blocks:
            number += 2
            for place, text in enumerate((block.title, *block.headings)):
                page.write_string(number, place, text, self.heading)
            for row in block.rows:
                number += 1
                for place, value in enumerate(row):
                    self._write_cell(page, number, place, export_value(value))

    def _write_rows(self, page) -> int:
        """Returns the index of the last row."""
        page.freeze_panes(1, 1)
        columns = self.sheet.columns
        known = {
            text: self.book.add_format({"num_format": text})
            for text in {column.number_format for column in columns if column.number_format}
        }
        by_column = []
        for place, column in enumerate(columns):
            grey = self.grey if column.is_grey else None
            # Leave room for the filter button beside the heading.
            page.set_column(place, place, max(column.width, len(column.heading) + 4), grey)
            heading = self.grey_heading if column.is_grey else self.heading
            page.write_string(0, place, column.heading, heading)
            by_column.append(grey or known.get(column.number_format))
        number = 0
        for number, row in enumerate(self.sheet.rows, start=1):
            for place, value in enumerate(row):
                self._write_cell(page, number, place, value, by_column[place])
        page.autofilter(0, 0, number, len(columns) - 1)
        return number

    def _write_lists(self, page, last: int) -> None:
        """The choices of columns on a sheet of their own, to which their drop-downs refer: written
        into the drop-down itself, they could have 255 characters. Other values are questioned, not
        refused: an import asks what they are."""
        found = ((place, [*column.choices()]) for place, column in enumerate(self.sheet.columns))
        listed = {place: choices for place, choices in found if choices}
        if not listed:
            return
        from xlsxwriter.utility import xl_range_abs

        lists = self.book.add_worksheet(_LISTS)
        lists.set_column(0, len(listed) - 1, NAME_WIDTH)
        for place, target in enumerate(listed):
            heading = self.sheet.columns[target].heading
            lists.write_string(0, place, heading, self.heading)
        # In constant memory, cells are written row by row.
        for number, row in enumerate(zip_longest(*listed.values()), start=1):
            for place, choice in enumerate(row):
                self._write_cell(lists, number, place, choice)
        for place, (target, choices) in enumerate(listed.items()):
            cells = xl_range_abs(1, place, len(choices), place)
            page.data_validation(
                *(1, target, last + _ROOM, target),
                {
                    "validate": "list",
                    "source": f"={_LISTS}!{cells}",
                    "error_type": "warning",
                    "error_title": "Not in the list",
                    "error_message": f"The sheet “{_LISTS}” has the values that are known.",
                },
            )

    def _write_cell(self, page, row: int, column: int, value, number_format=None) -> None:
        if value is None or value == "":
            return
        if isinstance(value, date):
            page.write_datetime(row, column, value, self.formats[type(value)])
        elif isinstance(value, str):
            page.write_string(row, column, self._fitted(value), number_format)
        else:
            page.write_number(row, column, value, number_format)

    def _fitted(self, text: str) -> str:
        """The text, or what stands for it in a cell that can't hold it. A file for reading has as
        much of it as goes in."""
        if self.sheet.marker:
            text = escape_word(text)
        length = len(text)
        if length > XLSX_TEXT // 2:
            length += sum(char > "\uffff" for char in text)
        if self.sheet.marker and length > XLSX_TEXT:
            return left_out(f"{len(text):,} characters, more than a cell of Excel takes")
        if self.sheet.marker and any(char in text for char in _UNFIT):
            return left_out("it has a character that Excel can't keep")
        if length > XLSX_TEXT:
            units = text.encode("utf-16-le")[: 2 * (XLSX_TEXT - 1)]
            return f"{units.decode('utf-16-le', 'ignore')}…"
        return text
