"""The base of every import of CSV files: reading, row forms, rejects, summary, old audits.

An application's ``imports.py`` says what a row of its file means (``Importer``); a management
command puts the importers together around one ``ImportRun``.
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
    shown,
    text,
    whole_number,
)
from oegen.imports.importer import (
    Importer,
    ImportRun,
    PastRow,
    Writes,
    changed_fields,
    check_fields,
    check_past_fields,
    check_record,
)
from oegen.imports.past import AuditFile, Past
from oegen.imports.reading import CSVFile, Row, UnreadableFileError
from oegen.imports.report import FileReport

__all__ = [
    "AuditFile",
    "CSVFile",
    "Cell",
    "FileReport",
    "ImportRun",
    "Importer",
    "Past",
    "PastRow",
    "Row",
    "RowForm",
    "UnreadableFileError",
    "Writes",
    "changed_fields",
    "check_fields",
    "check_past_fields",
    "check_record",
    "day",
    "derived_id",
    "identifier",
    "moment",
    "number",
    "one_line",
    "shown",
    "text",
    "whole_number",
]
