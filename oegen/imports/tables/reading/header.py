"""Finding the row that names the columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from oegen.core.words import count
from oegen.imports.tables.reading.marker import ID_HEADING, VERSION_HEADING, Marker
from oegen.imports.tables.reading.table import ColumnHead, Value, column_letter

#: The rows with values among which the header is.
SAMPLE_ROWS = 50

#: The part of the fullest row's cells that a header fills, and the part of these that are names.
_FILLED, _NAMES = 0.6, 0.5

#: Numbers, amounts and dates.
_FIGURE = re.compile(r"[\d\s.,:/%€$£+\-−'T()]+Z?")


def find_header(sample: Sequence[Sequence[Value | None]]) -> int:
    """The index of the row that names the columns: that of our exports, else the first that is
    nearly as full as the fullest and has different names in most cells; else the fullest."""
    for place, cells in enumerate(sample):
        if find_marker(cells) or {ID_HEADING, VERSION_HEADING} <= set(cells):
            return place
    counts = [sum(cell is not None for cell in cells) for cells in sample]
    fullest = max(counts)
    for place, cells in enumerate(sample):
        if counts[place] >= _FILLED * fullest and _holds_names(cells):
            return place
    return counts.index(fullest)


def find_marker(cells: Sequence[Value | None]) -> Marker | None:
    return Marker.first(cell for cell in cells if isinstance(cell, str))


def column_heads(cells: Sequence[Value | None]) -> list[ColumnHead]:
    return [
        ColumnHead(place, _column_name(cell), column_letter(place))
        for place, cell in enumerate(cells)
    ]


def close_columns(columns: list[ColumnHead], values_in: Counter[int]) -> list[str]:
    """Leave out the last columns that have neither a name nor a value, and say in sentences what
    is wrong with the others. ``values_in`` is, by place, the number of rows with a value in a
    column without a name."""
    unnamed = [column for column in columns if not column.name]
    while columns and not columns[-1].name and not values_in[columns[-1].place]:
        columns.pop()
    return [
        *_repeated_names(columns),
        *(
            f"Column {column.letter} has no name, but values in "
            f"{count(values_in[column.place], 'row')}. Name it, or choose what it is."
            for column in unnamed
            if values_in[column.place]
        ),
    ]


def _repeated_names(columns: Sequence[ColumnHead]) -> list[str]:
    by_name: dict[str, list[str]] = {}
    for column in columns:
        if column.name:
            by_name.setdefault(column.name.casefold(), []).append(str(column))
    return [
        f"{len(heads)} columns have the same name: {', '.join(heads)}. Import one of them, or give "
        "them different names."
        for heads in by_name.values()
        if len(heads) > 1
    ]


def _column_name(cell: Value | None) -> str:
    if cell is None:
        return ""
    name = " ".join(str(cell).replace("\u200b", "").replace("\ufeff", "").split())
    return VERSION_HEADING if Marker.parse(name) else name


def _holds_names(cells: Sequence[Value | None]) -> bool:
    filled = [cell for cell in cells if cell is not None]
    names = {cell for cell in filled if isinstance(cell, str) and not _FIGURE.fullmatch(cell)}
    return bool(filled) and len(names) >= _NAMES * len(filled)
