"""What the columns page shows: each column with its examples, the field that it is, how it is read,
and what is still to be answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from django.core.exceptions import ValidationError
from django.utils.text import capfirst

from oegen.core.words import plain
from oegen.imports.tables.asking import LEAVE_OUT, Asked
from oegen.imports.tables.formats import to_degrees
from oegen.imports.tables.headings import heading_key
from oegen.imports.tables.kinds import ID, REFERENCE, VERSION, ImportKind
from oegen.imports.tables.lookups import Lookups
from oegen.imports.tables.mapping import (
    Mapping,
    MatchedColumns,
    PlacedColumn,
    column_names,
    coordinate_pairs,
    read_points,
)
from oegen.imports.tables.reading import ColumnHead, Value
from oegen.imports.tables.readings import (
    COMMA,
    DMY,
    MDY,
    POINT,
    SYSTEMS,
    UNITS,
    WGS84,
    YMD,
    text_of,
)
from oegen.imports.tables.sampling import SampledTable
from oegen.imports.tables.values import Number, Text
from oegen.imports.tables.vocabularies import unknown_values, vocabulary_of
from oegen.pages.importing.drafts import UNDECIDED

#: The columns that the page can show. With the values to be mapped, a form has to stay below the
#: 1,000 fields that the server takes.
MAX_COLUMNS = 200

#: The examples of a column, the values that are tried, and the characters of each that are shown.
EXAMPLES, TRIED, SHOWN = 3, 200, 60

#: The values of a column that are offered to be mapped.
MAX_VALUES = 30

LABELS = {
    "order": "Order of days",
    "decimal": "Decimal sign",
    "unit": "Unit",
    "system": "Coordinates",
    "basis": "Measured",
}

_OPTIONS = {
    "order": [
        (DMY, "Day first: 31.12.2027"),
        (MDY, "Month first: 12/31/2027"),
        (YMD, "Year first: 2027-12-31"),
    ],
    "decimal": [(POINT, "Point: 1,234.5"), (COMMA, "Comma: 1.234,5")],
    "system": list(SYSTEMS.items()),
    "basis": [("", "As each technology counts"), ("dc", "DC"), ("ac", "AC")],
}


@dataclass
class FormatControl:
    """How a column is read, in one respect. ``error`` is the question, if it is open."""

    name: str
    label: str
    options: list[tuple[str, str]]
    value: str
    error: str = ""


@dataclass
class ValueControl:
    """A text of the file for which the field has no value, and what it is mapped to."""

    text: str
    value: str
    message: str = ""


@dataclass
class Vocabulary:
    """The values of a column that are mapped or have to be. ``more`` are not shown."""

    field: str
    label: str
    heading: str
    options: list[tuple[str, str]]
    values: list[ValueControl]
    more: int = 0

    @property
    def open(self) -> int:
        return sum(one.value == UNDECIDED for one in self.values)


@dataclass
class ColumnLine:
    """A column of the file. ``chosen`` are the fields that it is, LEAVE_OUT, or an empty text if
    that is to be answered."""

    head: ColumnHead
    name: str
    examples: list[str]
    chosen: list[str]
    error: str = ""
    suggested: list[tuple[str, str]] = field(default_factory=list)
    note: str = ""
    formats: list[FormatControl] = field(default_factory=list)
    read_as: list[tuple[str, str]] = field(default_factory=list)
    problem: str = ""

    @property
    def is_open(self) -> bool:
        return bool(self.error or any(one.error for one in self.formats))


class ColumnsShown:
    """The state of the page for the mapping as it stands."""

    def __init__(
        self, table: SampledTable, kind: ImportKind, mapping: Mapping, matched: MatchedColumns
    ):
        self.table = table
        self.kind = kind
        self.mapping = mapping
        self.matched = matched
        self.lookups = Lookups(mapping.source)
        self._asked = {one.key: one for one in matched.questions}
        self._pairs = coordinate_pairs(matched.columns)

    @cached_property
    def lines(self) -> list[ColumnLine]:
        return list(self._lines())

    @property
    def open_lines(self) -> list[ColumnLine]:
        return [one for one in self.lines if one.is_open]

    @property
    def unnamed(self) -> list[str]:
        """The names of the columns of which nobody has said yet what they are."""
        return [one.name for one in self.lines if f"column:{one.name}" in self._asked]

    @cached_property
    def groups(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """All fields with their labels: those of the kind's record, of each part, and those that
        identify the record."""
        keys = (ID, VERSION, REFERENCE)
        own = [one for one in self.kind.fields.values() if not one.part and one.name not in keys]
        found = [(capfirst(str(self.kind.model._meta.verbose_name)), own)]
        for part in self.kind.parts:
            found.append(
                (part.label, [one for one in self.kind.fields.values() if one.part == part.name])
            )
        found.append(("Which record it is", [self.kind.fields[key] for key in keys]))
        return [(label, [(one.name, one.label) for one in several]) for label, several in found]

    @cached_property
    def missing(self) -> list[Asked]:
        """The columns of the mapping that the file lacks."""
        grouping = f"missing:{self.mapping.grouping}"
        return [
            one
            for key, one in self._asked.items()
            if key.startswith("missing:") and key != grouping
        ]

    @property
    def grouping_error(self) -> str:
        asked = self._asked.get(f"missing:{self.mapping.grouping}")
        return asked.text if asked and self.mapping.grouping else ""

    @property
    def source_error(self) -> str:
        return self._asked["source"].text if "source" in self._asked else ""

    @cached_property
    def constants(self) -> list[tuple[str, str, str]]:
        """The field, the text and what is wrong with it, of each value for all rows."""
        found = []
        for one in self.matched.columns:
            if one.place is None:
                _, message = self._read(one, one.constant)
                found.append((one.field.name, one.constant, message))
        return found

    @property
    def is_complete(self) -> bool:
        return not self.matched.questions and not any(error for _, _, error in self.constants)

    # Columns -----------------------------------------------------------------------------------

    def _lines(self) -> Iterator[ColumnLine]:
        placed: dict[int, list[PlacedColumn]] = {}
        for one in self.matched.columns:
            if one.place is not None:
                placed.setdefault(one.place, []).append(one)
        drafted: dict[str, list[str]] = {}
        for mapped in self.mapping.columns:
            drafted.setdefault(heading_key(mapped.heading), []).append(mapped.field)
        left_out = {heading_key(one) for one in self.matched.mapping.left_out}
        grouping = heading_key(self.mapping.grouping) if self.mapping.grouping else ""
        names = column_names(self.table.columns)
        for head, name in zip(self.table.columns, names, strict=True):
            values = self.table.distinct[head.place]
            if not (head.name or values):
                continue
            key = heading_key(name)
            columns = placed.get(head.place, [])
            repeated = self._asked.get(f"repeated:{name}")
            chosen = [one.field.name for one in columns]
            if repeated:
                chosen = drafted.get(key, [])
            elif not chosen:
                chosen = [LEAVE_OUT] if key in left_out else [""]
            line = ColumnLine(head, name, [*map(_shown, values[:EXAMPLES])], chosen)
            self._mark(line, repeated or self._asked.get(f"column:{name}"))
            if key == grouping:
                line.note = "Groups the rows."
            for one in columns:
                self._describe(line, one, values)
            yield line

    def _mark(self, line: ColumnLine, asked: Asked | None) -> None:
        if asked is None:
            return
        is_new = asked.key.startswith("column:")
        line.error = "Choose what it is, or leave it out." if is_new else asked.text
        line.suggested = [(one.value, one.label) for one in asked.options if one.is_likely]

    def _describe(self, line: ColumnLine, column: PlacedColumn, values: list[Value]) -> None:
        line.formats += self._formats(column, values)
        if isinstance(column.field.reads, Text):
            return
        read, failed = [], []
        for value in values[:TRIED]:
            text, message = self._read(column, value)
            if not message:
                read.append((_shown(value), text))
            elif text_of(value) not in column.values:
                failed.append(message)
        if column.reading.system in ("", WGS84):
            line.read_as += read[:1]
        else:
            line.read_as += self._converted(column)
        if failed and vocabulary_of(column.field.reads) is None:
            tried = min(len(values), TRIED)
            line.problem = f"{len(failed):,} of {tried:,} different values can't be read: "
            line.problem += failed[0]

    def _read(self, column: PlacedColumn, value: Value) -> tuple[str, str]:
        """What the value is read as, or why it can't be."""
        reads = column.field.reads
        try:
            found = reads.show(reads.read(value, column.reading, self.lookups))
        except ValidationError as error:
            return "", " ".join(error.messages)
        unit = reads.quantity if isinstance(reads, Number) else ""
        return f"{found} {unit}".strip(), ""

    def _converted(self, column: PlacedColumn) -> Iterable[tuple[str, str]]:
        """The first point of a grid, of its first column, in degrees."""
        for x, y in self._pairs:
            if column is x:
                for (east, north), numbers in read_points(self.table, x, y):
                    point = to_degrees(*numbers, x.reading.system)
                    read = (
                        f"{plain(point[1])}°N, {plain(point[0])}°E" if point else "no point of it"
                    )
                    return [(f"{_shown(east)}, {_shown(north)}", read)]
        return []

    # How a column is read ------------------------------------------------------------------------

    def _formats(self, column: PlacedColumn, values: list[Value]) -> Iterator[FormatControl]:
        reads = column.field.reads
        texts = [value for value in values if isinstance(value, str)]
        for name in reads.formats:
            asked = self._asked.get(f"{name}:{column.field.name}")
            value = getattr(column.reading, name)
            if name == "system":
                asked, is_needed = self._asked_about_system(column, asked)
            elif name == "order":
                is_needed = any(not text[:5].rstrip("-").isdecimal() for text in texts)
            elif name == "decimal":
                is_needed = any("," in text or "." in text for text in texts)
            else:
                is_needed = True
            if is_needed or asked:
                yield self._control(name, column, value, asked)
        if isinstance(reads, Number) and reads.quantity == "MW":
            yield self._control("basis", column, column.reading.basis, None)

    def _asked_about_system(
        self, column: PlacedColumn, asked: Asked | None
    ) -> tuple[Asked | None, bool]:
        """The system of a pair is chosen once, at its first column."""
        is_first = any(column is x for x, _ in self._pairs)
        return (asked, True) if is_first else (None, False)

    def _control(
        self, name: str, column: PlacedColumn, value: str, asked: Asked | None
    ) -> FormatControl:
        if asked:
            options = [(one.value, one.label) for one in asked.options]
        elif name == "unit" and isinstance(column.field.reads, Number):
            options = [(unit, unit) for unit in UNITS[column.field.reads.quantity]]
        else:
            options = _OPTIONS[name]
        error = asked.text.partition("): ")[2] or asked.text if asked else ""
        return FormatControl(f"{name}:{column.field.name}", LABELS[name], options, value, error)

    # Values --------------------------------------------------------------------------------------

    @cached_property
    def vocabularies(self) -> list[Vocabulary]:
        unknown: dict[str, list[ValueControl]] = {}
        for one in unknown_values(self.table, self.matched, self.lookups):
            values = unknown.setdefault(one.field.name, [])
            values.append(ValueControl(one.text, UNDECIDED, one.message))
        found = []
        for column in self.matched.columns:
            reads = vocabulary_of(column.field.reads)
            if column.place is None or reads is None:
                continue
            here = {text_of(value) for value in self.table.distinct[column.place]}
            options = reads.options(self.lookups)
            known = {code for code, _ in options} | {"", LEAVE_OUT}
            mapped = [
                ValueControl(text, value if value in known else UNDECIDED)
                for text, value in column.values.items()
                if text in here
            ]
            values = [*unknown.get(column.field.name, []), *mapped]
            if values:
                found.append(
                    Vocabulary(
                        column.field.name,
                        column.field.label,
                        column.heading,
                        options,
                        values[:MAX_VALUES],
                        len(values[MAX_VALUES:]),
                    )
                )
        return found


def _shown(value: Value) -> str:
    text = text_of(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
