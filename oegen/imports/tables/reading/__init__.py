"""Tables of files as other programs save them: CSV and XLSX, with the header found, values as the
file has them, and the marker of our own exports."""

from oegen.imports.tables.reading.errors import UnreadableFileError
from oegen.imports.tables.reading.marker import ID_HEADING, VERSION_HEADING, Marker
from oegen.imports.tables.reading.opening import check_content, open_table
from oegen.imports.tables.reading.table import (
    SAMPLE,
    ColumnHead,
    Flag,
    SourceRow,
    Table,
    Value,
    column_letter,
)
from oegen.imports.tables.reading.words import CLEAR

__all__ = [
    "CLEAR",
    "ID_HEADING",
    "SAMPLE",
    "VERSION_HEADING",
    "ColumnHead",
    "Flag",
    "Marker",
    "SourceRow",
    "Table",
    "UnreadableFileError",
    "Value",
    "check_content",
    "column_letter",
    "open_table",
]
