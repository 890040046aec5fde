"""The content of a file, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from oegen.imports.tables.reading import Marker

#: The number of rows that are read and sent at a time.
CHUNK = 1_000

#: Widths of columns, in characters.
NAME_WIDTH, WIDTH, TEXT_WIDTH, DAY_WIDTH, MOMENT_WIDTH, NUMBER_WIDTH = 36, 18, 48, 12, 19, 14
ID_WIDTH = 38


@dataclass(frozen=True)
class FileColumn:
    """A column of a file. ``number_format`` applies in spreadsheets, and so do ``choices``, which
    returns the values of the cells' drop-downs; ``is_grey`` says that it is not for editing."""

    heading: str
    width: int = WIDTH
    number_format: str = ""
    choices: Callable[[], Iterable[str]] = list
    is_grey: bool = False


@dataclass(frozen=True)
class Block:
    """A small table below the facts of a sheet. Its first column has texts."""

    title: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Any]]


@dataclass(frozen=True)
class Sheet:
    """The content of a file: rows of ``export_value`` values, and ``facts`` about them, which XLSX
    has on a separate sheet, with the ``blocks``."""

    title: str
    columns: Sequence[FileColumn]
    rows: Iterable[Sequence[Any]]
    facts: Sequence[tuple[str, Any]] = ()
    facts_title: str = "About this file"
    blocks: Sequence[Block] = ()
    #: The name of the file, if it is not the title.
    file_title: str = ""
    #: For a file that can be imported again; one of its columns is that of versions.
    marker: Marker | None = None


def number_format(unit: str = "", places: int = 0) -> str:
    """The format for at least ``places`` and at most three decimals, with the unit."""
    decimals = f".{'0' * places}{'#' * (3 - places)}" if places else ""
    suffix = f'" {unit}"' if unit else ""
    return f"#,##0{decimals}{suffix}"


def export_value(value):
    """The value for a cell: times in the site's zone, naive; decimals without trailing zeros;
    other types as text."""
    if isinstance(value, datetime):
        return timezone.localtime(value).replace(tzinfo=None, microsecond=0)
    if isinstance(value, Decimal):
        return value.normalize() + 0
    if value is None or isinstance(value, int | float | date):
        return value
    return str(value)


#: The types that ``export_value`` returns unchanged.
_PLAIN_TYPES = frozenset({str, int, float, bool, date, type(None)})


def export_values(values: Sequence[Any]) -> Sequence[Any]:
    """``export_value`` of each value of a column; most columns need no conversion."""
    return values if _PLAIN_TYPES.issuperset(map(type, values)) else [*map(export_value, values)]
