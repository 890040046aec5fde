"""Which column of a file is which field: matched, asked where it is not clear, and remembered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError

from oegen.core.words import count
from oegen.imports.tables import formats
from oegen.imports.tables.asking import LEAVE_OUT, About, Asked, Option
from oegen.imports.tables.headings import (
    bare_key,
    fields_by_name,
    heading_key,
    headings_of,
    question_about,
)
from oegen.imports.tables.kinds import ImportField, ImportKind
from oegen.imports.tables.lookups import Lookups
from oegen.imports.tables.reading import Table, Value
from oegen.imports.tables.readings import Reading, text_of
from oegen.imports.tables.values import Number, Reads, Several

#: The distinct values of a column that are looked at.
SAMPLE = 2_000

NO_READING = Reading()


@dataclass(frozen=True)
class MappedColumn:
    """A column that is read as a field. ``values`` maps texts of the file to ones that the field
    knows: “” leaves the field as it is, “-” leaves the row out."""

    heading: str
    field: str
    reading: Reading = NO_READING
    values: dict[str, str] = dataclass_field(default_factory=dict)


@dataclass(frozen=True)
class Mapping:
    """``constants`` are texts for all rows, by field. ``source`` is that of external references.
    Rows with the same value in the column ``grouping`` are one record."""

    columns: tuple[MappedColumn, ...] = ()
    left_out: tuple[str, ...] = ()
    constants: dict[str, str] = dataclass_field(default_factory=dict)
    source: str = ""
    grouping: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "columns": [
                {
                    "heading": one.heading,
                    "field": one.field,
                    "reading": one.reading.as_json(),
                    "values": one.values,
                }
                for one in self.columns
            ],
            "left_out": list(self.left_out),
            "constants": self.constants,
            "source": self.source,
            "grouping": self.grouping,
        }

    @classmethod
    def from_json(cls, contents: dict[str, Any]) -> Mapping:
        return cls(
            columns=tuple(
                MappedColumn(
                    one["heading"],
                    one["field"],
                    Reading.from_json(one.get("reading", {})),
                    dict(one.get("values", {})),
                )
                for one in contents.get("columns", [])
            ),
            left_out=tuple(contents.get("left_out", [])),
            constants=dict(contents.get("constants", {})),
            source=contents.get("source", ""),
            grouping=contents.get("grouping", ""),
        )


@dataclass(frozen=True)
class PlacedColumn:
    """A mapped column at its place in the file; ``place`` is None for a constant."""

    place: int | None
    heading: str
    field: ImportField
    reading: Reading
    values: dict[str, str]
    constant: str = ""


@dataclass(frozen=True)
class MatchedColumns:
    """The columns of a file by field. ``mapping`` is what to remember. ``questions`` have to be
    answered before rows can be planned; ``remarks`` say what is left out."""

    columns: tuple[PlacedColumn, ...]
    mapping: Mapping
    questions: tuple[Asked, ...]
    remarks: tuple[str, ...] = ()
    grouping_place: int | None = None


@dataclass
class _Matcher:
    table: Table
    kind: ImportKind
    known: Mapping
    choices: dict[str, str]
    samples: list[list[Value]]
    columns: list[PlacedColumn] = dataclass_field(default_factory=list)
    questions: list[Asked] = dataclass_field(default_factory=list)
    left_out: list[str] = dataclass_field(default_factory=list)
    remarks: list[str] = dataclass_field(default_factory=list)

    @cached_property
    def headings(self) -> list[str]:
        return headings_of(self.table)


def match_columns(
    table: Table, kind: ImportKind, known: Mapping, choices: dict[str, str]
) -> MatchedColumns:
    """Match the columns of the table to the fields of the kind.

    What ``known`` says comes first, then the names of the fields. Any other column with a name or
    values is a question, which ``choices`` may answer.
    """
    matcher = _Matcher(table, kind, known, choices, sample_columns(table))
    _place_columns(matcher)
    _add_constants(matcher)
    columns = _find_formats(matcher)
    grouping_place = _find_grouping(matcher)
    mapping = replace(
        known,
        columns=tuple(
            MappedColumn(one.heading, one.field.name, one.reading, one.values)
            for one in columns
            if one.place is not None
        ),
        left_out=tuple(dict.fromkeys([*known.left_out, *matcher.left_out])),
    )
    return MatchedColumns(
        tuple(columns),
        mapping,
        tuple(matcher.questions),
        tuple(matcher.remarks),
        grouping_place,
    )


def sample_columns(table: Table) -> list[list[Value]]:
    """The first distinct values of each column."""
    found: list[dict[Value, None]] = [{} for _ in table.columns]
    for row in table.rows():
        for values, value in zip(found, row.cells, strict=False):
            if value is not None and len(values) < SAMPLE:
                values[value] = None
    return [list(values) for values in found]


def _place_columns(matcher: _Matcher) -> None:
    table, kind, known = matcher.table, matcher.kind, matcher.known
    mapped: dict[str, list[MappedColumn]] = {}
    for one in known.columns:
        mapped.setdefault(heading_key(one.heading), []).append(one)
    left_out = {heading_key(heading) for heading in known.left_out}
    grouping = heading_key(known.grouping) if known.grouping else ""
    by_name = fields_by_name(kind)
    computed = {heading_key(heading) for heading in kind.computed} if table.marker else set()
    taken: set[str] = set(known.constants)
    seen: set[str] = set()
    for head, heading in zip(table.columns, matcher.headings, strict=True):
        key = heading_key(heading)
        if key in mapped:
            seen.add(key)
            for one in mapped[key]:
                if one.field not in kind.fields:
                    continue
                taken.add(one.field)
                values = dict(one.values)
                matcher.columns.append(
                    PlacedColumn(head.place, heading, kind.fields[one.field], one.reading, values)
                )
    for head, heading in zip(table.columns, matcher.headings, strict=True):
        key = heading_key(heading)
        if key in mapped or key == grouping or key in left_out:
            continue
        if key in computed:
            matcher.left_out.append(heading)
            continue
        if not head.name and not matcher.samples[head.place]:
            continue
        named = by_name.get(key) or by_name.get(bare_key(heading))
        placed = {one.field.name for one in matcher.columns}
        samples = matcher.samples[head.place]
        asked = question_about(kind, heading, samples, named=named, taken=placed)
        chosen = asked.answer(matcher.choices)
        if not chosen and named and named.name not in taken:
            chosen = named.name
        if chosen == LEAVE_OUT:
            matcher.left_out.append(heading)
        elif chosen and chosen not in taken:
            taken.add(chosen)
            matcher.columns.append(
                PlacedColumn(head.place, heading, kind.fields[chosen], NO_READING, {})
            )
        else:
            matcher.questions.append(asked)
    missing = [one for key, several in mapped.items() if key not in seen for one in several]
    for one in missing:
        label = kind.fields[one.field].label if one.field in kind.fields else one.field
        asked = Asked(
            key=f"missing:{one.heading}",
            about=About.COLUMN,
            text=f"The mapping reads the column “{one.heading}” as {label}, and the file has none "
            "of that name. Was it renamed?",
            options=(Option(LEAVE_OUT, "Import without it"),),
            heading=one.heading,
        )
        if not asked.answer(matcher.choices):
            matcher.questions.append(asked)


def _add_constants(matcher: _Matcher) -> None:
    for name, text in matcher.known.constants.items():
        if name in matcher.kind.fields:
            one = matcher.kind.fields[name]
            matcher.columns.append(PlacedColumn(None, "", one, NO_READING, {}, text))


def _find_formats(matcher: _Matcher) -> list[PlacedColumn]:
    """The columns with their readings; what can't be decided is asked."""
    is_ours = matcher.table.marker is not None
    found = []
    for column in matcher.columns:
        values = matcher.samples[column.place] if column.place is not None else [column.constant]
        result = formats.find(column.field, column.heading, values, column.reading, is_ours=is_ours)
        reading = result.reading
        for asked in result.questions:
            if answer := asked.answer(matcher.choices):
                reading = replace(reading, **{asked.key.partition(":")[0]: answer})
            else:
                matcher.questions.append(asked)
        found.append(replace(column, reading=reading))
    return _find_systems(matcher, found)


def _find_systems(matcher: _Matcher, columns: list[PlacedColumn]) -> list[PlacedColumn]:
    """Set the system of each pair of coordinates on both columns."""
    for pair in coordinate_pairs(columns):
        x, y = pair
        known = x.reading.system or y.reading.system
        if not known:
            known, questions = formats.find_system(x.field, x.heading, _points(matcher.table, x, y))
            for asked in questions:
                known = asked.answer(matcher.choices)
                if not known:
                    matcher.questions.append(asked)
        for one in pair:
            columns[columns.index(one)] = replace(one, reading=replace(one.reading, system=known))
    return columns


def coordinate_pairs(columns: Iterable[PlacedColumn]) -> list[tuple[PlacedColumn, PlacedColumn]]:
    """The columns of longitude and latitude (or x and y), by part."""
    by_part: dict[str, dict[str, PlacedColumn]] = {}
    for one in columns:
        if isinstance(one.field.reads, Number) and one.field.reads.quantity == "°":
            by_part.setdefault(one.field.part, {})[one.field.stored_as] = one
    return [
        (pair["longitude"], pair["latitude"])
        for pair in by_part.values()
        if {"longitude", "latitude"} <= pair.keys()
    ]


def _points(table: Table, x: PlacedColumn, y: PlacedColumn) -> list[tuple[Decimal, Decimal]]:
    lookups = Lookups()
    points: list[tuple[Decimal, Decimal]] = []
    for row in table.rows():
        if x.place is None or y.place is None or len(points) >= SAMPLE:
            break
        pair = row.cells[x.place], row.cells[y.place]
        if pair[0] is None or pair[1] is None:
            continue
        try:
            points.append(
                (
                    x.field.reads.read(pair[0], x.reading, lookups),
                    y.field.reads.read(pair[1], y.reading, lookups),
                )
            )
        except ValidationError:
            continue  # The row's own error, when rows are planned.
    # From the whole file, because neighbours in it may be neighbours in the field.
    return points[:: max(1, len(points) // 400)]


def _find_grouping(matcher: _Matcher) -> int | None:
    heading = matcher.known.grouping
    if not heading:
        return None
    for head, found in zip(matcher.table.columns, matcher.headings, strict=True):
        if heading_key(found) == heading_key(heading):
            return head.place
    matcher.questions.append(
        Asked(
            key=f"missing:{heading}",
            about=About.COLUMN,
            text=f"The mapping groups rows by the column “{heading}”, and the file has none of "
            "that name. Give its new name in the mapping.",
            heading=heading,
        )
    )
    return None


@dataclass(frozen=True)
class UnknownValue:
    """A text of a column that the field does not know, to be mapped to one that it does."""

    field: ImportField
    heading: str
    text: str
    message: str


def unknown_values(table: Table, matched: MatchedColumns, lookups: Lookups) -> list[UnknownValue]:
    """The texts that are not in the vocabularies of their fields, nor mapped; for the mapping's
    page."""
    found = []
    samples = sample_columns(table)
    for column in matched.columns:
        if column.place is None or not _vocabulary_of(column.field.reads):
            continue
        for value in samples[column.place]:
            text = text_of(value)
            if text in column.values:
                continue
            try:
                column.field.reads.read(value, column.reading, lookups)
            except ValidationError as error:
                found.append(
                    UnknownValue(column.field, column.heading, text, " ".join(error.messages))
                )
    return found


def _vocabulary_of(reads: Reads) -> bool:
    return reads.has_vocabulary or (isinstance(reads, Several) and reads.one.has_vocabulary)


def describe(matched: MatchedColumns, kind: ImportKind) -> list[str]:
    """How each column is read, in a line each."""
    lines = []
    for one in matched.columns:
        how = ", ".join(one.reading.as_json().values())
        where = f"“{one.heading}”" if one.place is not None else f"“{one.constant}” for all rows"
        lines.append(f"{where} → {one.field.label}{f' ({how})' if how else ''}")
    if matched.mapping.left_out:
        lines.append(f"Left out: {count(len(matched.mapping.left_out), 'column')}.")
    return lines
