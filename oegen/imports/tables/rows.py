"""The rows of a file as values of the fields of a kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.exceptions import ValidationError

from oegen.imports.tables.asking import LEAVE_OUT, Asked
from oegen.imports.tables.formats import to_degrees
from oegen.imports.tables.kinds import ImportField
from oegen.imports.tables.lookups import Lookups, UnknownNameError
from oegen.imports.tables.mapping import MatchedColumns, PlacedColumn, coordinate_pairs
from oegen.imports.tables.plans import Origin, Problem, RowPlan, RowState
from oegen.imports.tables.reading import Flag, SourceRow, Table, Value
from oegen.imports.tables.readings import SYSTEMS, WGS84, text_of

#: How many values of a column are kept, so that one which is repeated is read once.
MAX_READ = 2_000


class _Clear:
    """The value of a cell that says “(clear)”."""

    def __repr__(self) -> str:
        return "CLEAR"


CLEAR = _Clear()


@dataclass(slots=True)
class RowValues:
    """``values`` are by field; a field without one is left as it is. ``failed`` are the messages of
    cells that can't be read, until it is known that they say what is there already; ``unknown``
    the questions about them, if names are unknown that could be added."""

    plan: RowPlan
    values: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, tuple[Asked, ...]] = field(default_factory=dict)
    group: str = ""
    is_left_out: bool = False

    @property
    def number(self) -> int:
        return self.plan.number

    def has(self, name: str) -> bool:
        return name in self.values or name in self.failed

    def drop(self, names: Iterable[str]) -> None:
        for name in names:
            self.values.pop(name, None)
            self.failed.pop(name, None)


def _questions(error: ValidationError) -> tuple[Asked, ...]:
    """The questions that answer the whole error; none if a part of it has no answer."""
    parts = getattr(error, "error_list", [error])
    questions = [one.asked for one in parts if isinstance(one, UnknownNameError)]
    return tuple(questions) if len(questions) == len(parts) else ()


class RowReader:
    """Reads rows. A value that a column repeats is read once."""

    def __init__(self, table: Table, matched: MatchedColumns, lookups: Lookups):
        self.table = table
        self.matched = matched
        self.lookups = lookups
        self.by_field = {column.field.name: column for column in matched.columns}
        self._pairs = [
            pair
            for pair in coordinate_pairs(matched.columns)
            if pair[0].reading.system not in ("", WGS84)
        ]
        self._read: dict[str, dict[Value, tuple[Any, str, tuple[Asked, ...]]]] = {
            column.field.name: {} for column in matched.columns
        }
        #: Cells that were read from the result of a formula, and capacities that are measured
        #: otherwise than the technology's: these are left out.
        self.formulas = 0
        self.other_basis = 0

    def rows(self) -> Iterator[RowValues]:
        for source in self.table.rows():
            row = RowValues(RowPlan(source.number))
            if source.error:
                row.plan.problems.append(Problem(None, "", "", source.error))
            else:
                self._fill(row, source)
            yield row

    def origin(self, row: RowValues, one: ImportField) -> Origin:
        column = self.by_field.get(one.name)
        if column is None:
            return Origin(row.number, None, one.label, "")
        heading = column.heading or one.label
        return Origin(row.number, column.place, heading, row.texts.get(one.name, ""))

    def refuse(self, row: RowValues, one: ImportField, message: str) -> None:
        where = self.origin(row, one)
        row.plan.problems.append(Problem(where.place, where.heading, where.text, message))

    def settle_failures(self, row: RowValues) -> None:
        """Refuse the cells that can't be read, or ask about them."""
        for name, message in row.failed.items():
            if not (asked := row.unknown.get(name)):
                self.refuse(row, self.by_field[name].field, message)
            for one in asked or ():
                if one.answer(self.lookups.choices) == LEAVE_OUT:
                    row.plan.state = RowState.LEFT_OUT
                else:
                    row.plan.asked.append(replace(one, row=row.number))
        row.failed.clear()

    def _fill(self, row: RowValues, source: SourceRow) -> None:
        for column in self.matched.columns:
            name = column.field.name
            if column.place is None:
                self._take(row, column, column.constant)
                continue
            if flag := source.flags.get(column.place):
                if flag == Flag.CLEAR:
                    row.values[name], row.texts[name] = CLEAR, "(clear)"
                    continue
                if message := self.table.flag_error(source, column.place):
                    row.failed[name] = message
                    continue
                self.formulas += flag == Flag.FORMULA
            value = source.cells[column.place]
            if value is not None:
                self._take(row, column, value)
        place = self.matched.grouping_place
        if place is not None and (value := source.cells[place]) is not None:
            row.group = text_of(value)
        for pair in self._pairs:
            self._to_degrees(row, *pair)

    def _take(self, row: RowValues, column: PlacedColumn, value: Value) -> None:
        name = column.field.name
        text = text_of(value)
        row.texts[name] = text
        if column.values and (mapped := column.values.get(text)) is not None:
            if mapped == LEAVE_OUT:
                row.is_left_out = True
            if mapped in ("", LEAVE_OUT):
                return
            value = mapped
        known = self._read[name]
        if value not in known:
            if len(known) >= MAX_READ:
                known.clear()
            try:
                known[value] = column.field.reads.read(value, column.reading, self.lookups), "", ()
            except ValidationError as error:
                known[value] = None, " ".join(error.messages), _questions(error)
        found, message, asked = known[value]
        if message:
            row.failed[name] = message
            row.unknown[name] = asked
        else:
            row.values[name] = found

    def _to_degrees(self, row: RowValues, x: PlacedColumn, y: PlacedColumn) -> None:
        names = x.field.name, y.field.name
        east: Any = row.values.get(names[0])
        north: Any = row.values.get(names[1])
        if east in (None, CLEAR) or north in (None, CLEAR):
            for name, other in (names, names[::-1]):
                if row.values.get(name) not in (None, CLEAR) and not row.has(other):
                    row.failed[name] = (
                        "The other coordinate is empty, and a point of a grid needs both: give it, "
                        "or clear this one."
                    )
                    row.values.pop(name)
            return
        point = to_degrees(east, north, x.reading.system)
        if point is None:
            for name in names:
                row.values.pop(name)
            row.failed[names[0]] = (
                f"{row.texts[names[0]]}, {row.texts[names[1]]} lies outside of "
                f"{SYSTEMS[x.reading.system]}. Correct the two coordinates, or clear them."
            )
            return
        row.values |= dict(zip(names, point, strict=True))
