"""The base of CSV imports: reading files, parsing cells, rejected rows and a summary.

Imports ``audit`` and ``core``.
"""

from oegen.imports.cells import (
    Cell,
    RowForm,
    day,
    derived_id,
    identifier,
    moment,
    number,
    one_line,
    quote,
    text,
    whole_number,
)
from oegen.imports.reading import CSVFile, Row
from oegen.imports.report import FileReport
from oegen.imports.tables.reading import UnreadableFileError

__all__ = [
    "CSVFile",
    "Cell",
    "FileReport",
    "Row",
    "RowForm",
    "UnreadableFileError",
    "day",
    "derived_id",
    "identifier",
    "moment",
    "number",
    "one_line",
    "quote",
    "text",
    "whole_number",
]
