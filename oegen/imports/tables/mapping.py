"""Which column of a file is which field: matched, asked where it is not clear, and remembered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from decimal import Decimal
from itertools import islice
from typing import Any

from django.core.exceptions import ValidationError

from oegen.imports.tables import formats
from oegen.imports.tables.asking import LEAVE_OUT, About, Asked, Option
from oegen.imports.tables.headings import (
    fields_by_name,
    heading_key,
    question_about_column,
)
from oegen.imports.tables.kinds import REFERENCE, ImportField, ImportKind
from oegen.imports.tables.lookups import Lookups
from oegen.imports.tables.reading import SAMPLE, ColumnHead, Table, Value
from oegen.imports.tables.readings import Reading
from oegen.imports.tables.values import Number

NO_READING = Reading()

#: A unit at the end of a heading: “Capacity (MW)”, “Storage, MWh”.
_UNIT_AT_END = re.compile(r"(\s*[(\[][^)\]]*[)\]]|\s*,[^,]*)\s*$")


def column_names(columns: Sequence[ColumnHead]) -> list[str]:
    """A name for each column that no other one has, by which a mapping knows it: the heading; if an
    earlier column has the same, with the letter; “column D” without one."""
    seen: set[str] = set()
    names = []
    for head in columns:
        name = head.name or f"column {head.letter}"
        if heading_key(name) in seen:
            name = f"{name} (column {head.letter})"
        seen.add(heading_key(name))
        names.append(name)
    return names


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


def match_columns(
    table: Table, kind: ImportKind, known: Mapping, choices: dict[str, str]
) -> MatchedColumns:
    """Match the columns of the table to the fields of the kind.

    What ``known`` says comes first, then the names of the fields. Any other column with a name or
    values is a question, which ``choices`` may answer.
    """
    matcher = _Matcher(table, kind, known, choices, table.samples())
    _place_columns(matcher)
    _add_constants(matcher)
    columns = _find_formats(matcher)
    grouping_place = _find_grouping(matcher)
    _ask_for_source(matcher)
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
    placed: set[int] = set()
    names = column_names(table.columns)
    for head, name in zip(table.columns, names, strict=True):
        for one in mapped.get(heading_key(name), ()):
            seen.add(heading_key(name))
            if one.field not in kind.fields:
                continue
            placed.add(head.place)
            if one.field in taken:
                matcher.questions.append(_repeated(name, kind.fields[one.field], matcher))
                continue
            taken.add(one.field)
            values = dict(one.values)
            matcher.columns.append(
                PlacedColumn(head.place, name, kind.fields[one.field], one.reading, values)
            )
    for head, name in zip(table.columns, names, strict=True):
        key = heading_key(name)
        if head.place in placed or key == grouping or key in left_out:
            continue
        if key in computed:
            matcher.left_out.append(name)
            continue
        if not head.name and not matcher.samples[head.place]:
            continue
        named = by_name.get(key) or by_name.get(heading_key(_UNIT_AT_END.sub("", head.name)))
        taken_so_far = {one.field.name for one in matcher.columns}
        asked = question_about_column(kind, name, matcher.samples[head.place], taken_so_far)
        chosen = asked.answer(matcher.choices)
        if not chosen and named and named.name not in taken:
            chosen = named.name
        if chosen == LEAVE_OUT:
            matcher.left_out.append(name)
        elif chosen and chosen not in taken:
            taken.add(chosen)
            matcher.columns.append(
                PlacedColumn(head.place, name, kind.fields[chosen], NO_READING, {})
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


def _repeated(name: str, one: ImportField, matcher: _Matcher) -> Asked:
    other = next((column for column in matcher.columns if column.field == one), None)
    where = f"the column “{other.heading}”" if other else "the value for all rows"
    return Asked(
        key=f"repeated:{name}",
        about=About.COLUMN,
        text=f"{one.label} is read from {where} already. Leave out “{name}”, or the other.",
        heading=name,
    )


def _add_constants(matcher: _Matcher) -> None:
    for name, text in matcher.known.constants.items():
        if name in matcher.kind.fields:
            one = matcher.kind.fields[name]
            matcher.columns.append(PlacedColumn(None, "", one, NO_READING, {}, text))


def _find_formats(matcher: _Matcher) -> list[PlacedColumn]:
    """The columns with their readings; what can't be decided is asked. Constants are read as they
    stand: days with the year first, numbers with a decimal point in the field's unit."""
    is_ours = matcher.table.marker is not None
    found = []
    for column in matcher.columns:
        if column.place is None:
            found.append(column)
            continue
        values = matcher.samples[column.place]
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


def read_points(
    table: Table, x: PlacedColumn, y: PlacedColumn
) -> Iterator[tuple[tuple[Value, Value], tuple[Decimal, Decimal]]]:
    """The cells of a pair of coordinates and what they are read as, without those that can't be:
    these are errors of their rows."""
    if x.place is None or y.place is None:
        return
    lookups = Lookups()
    for row in table.rows():
        east, north = row.cells[x.place], row.cells[y.place]
        if east is None or north is None:
            continue
        try:
            numbers = (
                x.field.reads.read(east, x.reading, lookups),
                y.field.reads.read(north, y.reading, lookups),
            )
        except ValidationError:
            continue
        yield (east, north), numbers


def _points(table: Table, x: PlacedColumn, y: PlacedColumn) -> list[tuple[Decimal, Decimal]]:
    points = [point for _, point in islice(read_points(table, x, y), SAMPLE)]
    # From the whole file, because neighbours in it may be neighbours in the field.
    return points[:: max(1, len(points) // 400)]


def _find_grouping(matcher: _Matcher) -> int | None:
    heading = matcher.known.grouping
    if not heading:
        return None
    columns = matcher.table.columns
    for head, name in zip(columns, column_names(columns), strict=True):
        if heading_key(name) == heading_key(heading):
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


def _ask_for_source(matcher: _Matcher) -> None:
    references = [one for one in matcher.columns if one.field.name.rpartition(".")[2] == REFERENCE]
    if references and not matcher.known.source:
        matcher.questions.append(
            Asked(
                key="source",
                about=About.COLUMN,
                text="Which source do the external references come from? Name it in the mapping, "
                "such as REPD.",
                heading=references[0].heading,
            )
        )
