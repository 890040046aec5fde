"""Opening a file by its name, if its content is what the name says."""

from __future__ import annotations

import codecs
import hashlib
import zipfile
from pathlib import Path, PurePath

from oegen.imports.tables.reading.csv_table import open_csv
from oegen.imports.tables.reading.errors import UnreadableFileError
from oegen.imports.tables.reading.table import Table
from oegen.imports.tables.reading.xlsx_table import open_xlsx

TEXT_ENDINGS = (".csv", ".tsv", ".txt")
XLSX_ENDINGS = (".xlsx", ".xlsm")

_SAVE_AS = "Save the table as an Excel workbook (.xlsx) or as “CSV UTF-8” (.csv)."

#: The container of Excel's files before 2007, and of encrypted files since.
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def open_table(path: Path, name: str, *, sheet: str = "", header_row: int | None = None) -> Table:
    """The table of the file at ``path``, which was called ``name``.

    ``sheet`` is the name of a sheet of XLSX, by default the first with values; ``header_row`` is
    the number of the line, or row, that names the columns, by default found by itself. Raises
    UnreadableFileError with a sentence.
    """
    check_content(path, name)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if PurePath(name).suffix.lower() in XLSX_ENDINGS:
        return open_xlsx(path, name, digest, sheet, header_row)
    return open_csv(path, name, digest, header_row)


def check_content(path: Path, name: str) -> None:
    """Raise UnreadableFileError if the start of the file shows that it is none of these tables."""
    with path.open("rb") as file:
        start = file.read(4096)
    if not start:
        raise UnreadableFileError(f"{name}: the file is empty. {_SAVE_AS}")
    if problem := _content_problem(path, start, PurePath(name).suffix.lower()):
        raise UnreadableFileError(f"{name}: {problem}")


def _content_problem(path: Path, start: bytes, ending: str) -> str:
    """The sentence if the content can't be read as what the name says, else empty."""
    if start.startswith(_OLE):
        if _ENCRYPTED in path.read_bytes():
            return "the file is protected by a password. Save it without one."
        return f"the file is of Excel 97 to 2003 (.xls), which can't be read. {_SAVE_AS}"
    if start.startswith(b"%PDF"):
        return f"the file is a PDF document, no table. {_SAVE_AS}"
    shown = start.removeprefix(codecs.BOM_UTF8).lstrip()[:10].lower()
    if shown.startswith((b"<html", b"<!doctype", b"<table")):
        return f"the file is a web page, whatever its name says. {_SAVE_AS}"
    is_archive = zipfile.is_zipfile(path) or start.startswith(b"PK\x03\x04")
    if ending in TEXT_ENDINGS:
        if not is_archive:
            return ""
        return (
            f"the name says text ({ending}), but the file is a workbook or another archive. Name "
            "an Excel workbook .xlsx."
        )
    if ending in XLSX_ENDINGS:
        if is_archive:
            return ""
        return (
            f"the name says workbook ({ending}), but the file is none. If it is text with "
            "separators, name it .csv."
        )
    return (
        f"files that end in “{ending}” can't be read. {_SAVE_AS}"
        if ending
        else f"the name has no ending, such as .csv, that says what the file is. {_SAVE_AS}"
    )
