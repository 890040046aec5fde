"""Downloads of lists as CSV and XLSX. Imports ``people``, ``audit`` and ``core``."""

from oegen.exports.files import (
    CHUNK,
    CSV,
    DAY_WIDTH,
    ID_WIDTH,
    KINDS,
    MOMENT_WIDTH,
    NAME_WIDTH,
    NUMBER_WIDTH,
    TEXT_WIDTH,
    WIDTH,
    XLSX,
    FileColumn,
    Sheet,
    download,
    export_value,
    number_format,
)
from oegen.exports.reading import FileValue, LinkedRows, file_rows

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
    "FileColumn",
    "FileValue",
    "LinkedRows",
    "Sheet",
    "download",
    "export_value",
    "file_rows",
    "number_format",
]
