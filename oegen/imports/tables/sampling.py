"""What is kept beside an uploaded file of its columns, so that its page need not read the file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from oegen.imports.tables.reading import SAMPLE, ColumnHead, Marker, SourceRow, Table, Value

#: The most cells of rows that are kept. Of a wide table these are fewer rows.
MAX_CELLS = 200_000


@dataclass(kw_only=True)
class SampledTable(Table):
    """A table with its counts, its first rows and the samples of its columns."""

    kind: ClassVar[str] = "sample"

    first_rows: list[tuple[int, list[Value | None]]] = field(default_factory=list)
    distinct: list[list[Value]] = field(default_factory=list)

    def rows(self) -> Iterator[SourceRow]:
        for number, cells in self.first_rows:
            yield SourceRow(number, tuple(cells))

    def samples(self) -> list[list[Value]]:
        return self.distinct

    def address(self, number: int, place: int) -> str:
        return f"{self.name}, row {number}, {self.columns[place]}"

    @classmethod
    def of(cls, table: Table) -> SampledTable:
        number = min(SAMPLE, MAX_CELLS // max(len(table.columns), 1))
        rows = islice((row for row in table.rows() if not row.error), number)
        return cls(
            name=table.name,
            digest=table.digest,
            sheets=table.sheets,
            sheet=table.sheet,
            rows_above=table.rows_above,
            header_row=table.header_row,
            columns=table.columns,
            row_count=table.row_count,
            blank_rows=table.blank_rows,
            remarks=table.remarks,
            marker=table.marker,
            first_rows=[(row.number, list(row.cells)) for row in rows],
            distinct=table.samples(),
        )

    def write(self, path: Path) -> None:
        contents = {one.name: getattr(self, one.name) for one in fields(self)}
        contents["columns"] = [asdict(one) for one in self.columns]
        contents["marker"] = str(self.marker or "")
        contents["first_rows"] = [(n, [*map(_encode, cells)]) for n, cells in self.first_rows]
        contents["distinct"] = [[*map(_encode, values)] for values in self.distinct]
        unfinished = path.with_suffix(".new")
        unfinished.write_text(json.dumps(contents, ensure_ascii=False), encoding="utf-8")
        unfinished.replace(path)

    @classmethod
    def read(cls, path: Path) -> SampledTable:
        """Raises FileNotFoundError."""
        contents = json.loads(path.read_text(encoding="utf-8"))
        contents["sheets"] = tuple(contents["sheets"])
        contents["columns"] = [ColumnHead(**one) for one in contents["columns"]]
        contents["marker"] = Marker.parse(contents["marker"])
        contents["first_rows"] = [(n, [*map(_decode, row)]) for n, row in contents["first_rows"]]
        contents["distinct"] = [[*map(_decode, values)] for values in contents["distinct"]]
        return cls(**contents)


def _encode(value: Value | None) -> Any:
    match value:
        case Decimal():
            return ["number", str(value)]
        case datetime():
            return ["moment", value.isoformat()]
        case date():
            return ["day", value.isoformat()]
    return value


_PARSERS: dict[str, Callable[[str], Value]] = {
    "number": Decimal,
    "moment": datetime.fromisoformat,
    "day": date.fromisoformat,
}


def _decode(value: Any) -> Value | None:
    if isinstance(value, list):
        kind, text = value
        return _PARSERS[kind](text)
    return value
