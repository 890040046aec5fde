"""Downloads of lists as CSV and XLSX. Imports ``imports`` (for what an import has to find in
them), ``people``, ``audit`` and ``core``."""

from oegen.exports.files import CSV, KINDS, XLSX, download
from oegen.exports.reading import FileValue, LinkedRows, file_rows
from oegen.exports.sheets import (
    CHUNK,
    DAY_WIDTH,
    ID_WIDTH,
    MOMENT_WIDTH,
    NAME_WIDTH,
    NUMBER_WIDTH,
    TEXT_WIDTH,
    WIDTH,
    Block,
    FileColumn,
    Sheet,
    export_value,
    number_format,
)

__all__ = [
    "CHUNK",
    "CSV",
    "DAY_WIDTH",
    "ID_WIDTH",
    "KINDS",
    "MOMENT_WIDTH",
    "NAME_WIDTH",
    "NUMBER_WIDTH",
    "TEXT_WIDTH",
    "WIDTH",
    "XLSX",
    "Block",
    "FileColumn",
    "FileValue",
    "LinkedRows",
    "Sheet",
    "download",
    "export_value",
    "file_rows",
    "number_format",
]
