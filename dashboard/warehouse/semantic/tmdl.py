"""A semantic model of Power BI in TMDL: one level of indentation is a tab, expressions stand one
level deeper than the properties of their object."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa

from counterparties.models import Counterparty
from dashboard.warehouse.columns import Column
from dashboard.warehouse.registers import REGISTER_EDITIONS, REGISTER_PROJECTS
from dashboard.warehouse.semantic import dax
from dashboard.warehouse.semantic.measures import MEASURES, Measure
from dashboard.warehouse.semantic.register_measures import REGISTER_MEASURES
from dashboard.warehouse.tables import (
    DAYS,
    FACTS_HOLDER,
    FACTS_PROJECT_FACILITY,
    METRIC_VALUES_DAILY,
    STAGE_STAYS,
    Table,
    current_table,
)
from pipelines.models import Facility, Pipeline
from pipelines.registers.models import Edition, Match, Register

#: Of semantic models that Power BI Desktop and the service read.
COMPATIBILITY_LEVEL = 1567

#: A decimal of Power BI has four places: columns with more are floating point numbers.
_FIXED_PLACES = 4

_PLAIN_NAME = re.compile(r"\w+", re.ASCII)


class Relation(NamedTuple):
    """From a column of many rows to one of distinct values."""

    table: str
    column: str
    to_table: str
    to_column: str


def tables() -> list[Table]:
    return [
        DAYS,
        FACTS_PROJECT_FACILITY,
        FACTS_HOLDER,
        STAGE_STAYS,
        METRIC_VALUES_DAILY,
        *map(current_table, (Pipeline, Facility, Counterparty)),
        *(REGISTER_PROJECTS, REGISTER_EDITIONS),
        *map(current_table, (Register, Edition, Match)),
    ]


#: Facts hold over intervals, so what ties them to a day stands in the measures.
RELATIONS = (
    Relation(FACTS_PROJECT_FACILITY.name, "pipeline_id", "current_pipeline", "id"),
    Relation(FACTS_PROJECT_FACILITY.name, "facility_id", "current_facility", "id"),
    Relation(FACTS_HOLDER.name, "facility_id", "current_facility", "id"),
    Relation(FACTS_HOLDER.name, "holder_id", "current_counterparty", "id"),
    Relation(STAGE_STAYS.name, "pipeline_id", "current_pipeline", "id"),
    Relation(METRIC_VALUES_DAILY.name, "day", DAYS.name, "day"),
    Relation(REGISTER_PROJECTS.name, "register", "current_register", "code"),
    Relation(REGISTER_EDITIONS.name, "project_id", REGISTER_PROJECTS.name, "id"),
    Relation(REGISTER_EDITIONS.name, "edition_id", "current_edition", "id"),
    # A match is with a record of one of the three.
    Relation("current_match", "project_id", REGISTER_PROJECTS.name, "id"),
    Relation("current_match", "object_id", "current_pipeline", "id"),
    Relation("current_match", "object_id", "current_facility", "id"),
    Relation("current_match", "object_id", "current_counterparty", "id"),
)


def model_files(schema: str, note: str) -> Iterator[tuple[str, str]]:
    """The path and text of each file of the model; ``note`` is in the descriptions of the model,
    its tables and the function that reads them."""
    catalog, _, name = schema.rpartition(".")
    yield "database.tmdl", f"database OEGen\n\tcompatibilityLevel: {COMPATIBILITY_LEVEL}\n"
    yield "model.tmdl", _model(note)
    yield "expressions.tmdl", _expressions(catalog, name, note)
    yield "relationships.tmdl", "\n".join(map(_relation, RELATIONS))
    for table in tables():
        yield f"tables/{table.name}.tmdl", _table(table, note)


def _model(note: str) -> str:
    lines = [
        *_description(note, 0),
        "model OEGen",
        "\tculture: en-GB",
        "\tdefaultPowerBIDataSourceVersion: powerBI_V3",
        "\tdiscourageImplicitMeasures",
        "\tsourceQueryCulture: en-GB",
        "",
        *(f"ref table {table.name}" for table in tables()),
    ]
    return "\n".join(lines) + "\n"


def _expressions(catalog: str, schema: str, note: str) -> str:
    lines: list[str] = []
    for name, value, what in (
        ("Host", "adb-0000000000000000.0.azuredatabricks.net", "The host of the SQL warehouse."),
        ("HttpPath", "/sql/1.0/warehouses/0000000000000000", "The path of the SQL warehouse."),
        ("Catalog", catalog, "The catalog of the tables."),
        ("Schema", schema, "The schema of the tables."),
    ):
        lines += _description(what, 0)
        meta = '[IsParameterQuery=true, Type="Text", IsParameterQueryRequired=true]'
        lines += [f'expression {name} = "{value}" meta {meta}', ""]
    lines += _description(f"What reads a table: for another source, change this alone. {note}", 0)
    lines.append("expression ReadTable =")
    lines += _expression(
        """\
(name as text) as table =>
let
    Options = [Catalog = null, Database = null, EnableAutomaticProxyDiscovery = null],
    Source = Databricks.Catalogs(Host, HttpPath, Options),
    InCatalog = Source{[Name = Catalog, Kind = "Database"]}[Data],
    InSchema = InCatalog{[Name = Schema, Kind = "Schema"]}[Data],
    Found = InSchema{[Name = name, Kind = "Table"]}[Data]
in
    Found""",
        0,
    )
    return "\n".join(lines) + "\n"


def _relation(relation: Relation) -> str:
    return (
        f"relationship {relation.table}_{relation.column}_{relation.to_table}\n"
        f"\tfromColumn: {relation.table}.{relation.column}\n"
        f"\ttoColumn: {relation.to_table}.{relation.to_column}\n"
    )


def _table(table: Table, note: str) -> str:
    lines = [*_description(f"{table.comment} {note}", 0), f"table {table.name}"]
    if table is DAYS:
        lines.append("\tdataCategory: Time")
    lines.append("")
    for measure in MEASURES.values():
        if measure.table is table:
            lines += _measure(
                *(measure.title, f"{measure.description} Unit: {measure.unit}."),
                *(dax.expression(measure), _number_format(measure.decimals), _folder(measure)),
            )
    for one in REGISTER_MEASURES.values():
        if one.table is table:
            lines += _measure(
                *(one.title, f"{one.description} Unit: {one.unit}."),
                *(dax.register_expression(one), _number_format(one.decimals), "Registers"),
            )
    if table is DAYS:
        about = "The last of the days that are chosen; today in UTC without any."
        lines += _measure(dax.AS_OF_DAY, about, dax.AS_OF_DAY_EXPRESSION, "yyyy-mm-dd")
        about = "The instant at which that day ends in London, in UTC."
        lines += _measure(dax.AS_OF, about, dax.AS_OF_EXPRESSION, "yyyy-mm-dd hh:nn:ss")
    if table is METRIC_VALUES_DAILY:
        about = (
            "The product's own value of the one figure that is chosen, at the end of the day, for "
            "all projects: to reconcile with."
        )
        lines += _measure("Reported value", about, dax.REPORTED, _number_format(3))
    keys = {relation.to_column for relation in RELATIONS if relation.to_table == table.name}
    foreign = {relation.column for relation in RELATIONS if relation.table == table.name}
    for column in table.columns:
        lines += _column(column, is_key=column.name in keys, is_foreign=column.name in foreign)
    lines += [
        f"\tpartition {table.name} = m",
        "\t\tmode: import",
        "\t\tsource =",
        *_expression(f'let\n    Found = ReadTable("{table.name}")\nin\n    Found', 2),
    ]
    return "\n".join(lines) + "\n"


def _measure(
    name: str, about: str, expression: str, format_: str, folder: str = ""
) -> Iterator[str]:
    yield from _description(about, 1)
    yield f"\tmeasure {quoted(name)} ="
    yield from _expression(expression, 1)
    yield f"\t\tformatString: {format_}"
    if folder:
        yield f"\t\tdisplayFolder: {folder}"
    yield ""


def _folder(measure: Measure) -> str:
    return "Projects" if measure.name.endswith("_pipelines") else "Capacity"


def _column(column: Column, *, is_key: bool, is_foreign: bool) -> Iterator[str]:
    yield from _description(column.comment, 1)
    yield f"\tcolumn {quoted(column.name)}"
    kind, format_ = data_type(column.type)
    yield f"\t\tdataType: {kind}"
    if format_:
        yield f"\t\tformatString: {format_}"
    if is_key:
        yield "\t\tisKey"
    # What is added up wrongly by itself is read through the measures.
    if is_foreign or pa.types.is_decimal(column.type):
        yield "\t\tisHidden"
    yield "\t\tsummarizeBy: none"
    yield f"\t\tsourceColumn: {column.name}"
    yield ""


def data_type(type_: pa.DataType) -> tuple[str, str]:
    """Power BI's type and format; empty: the format is that of the type."""
    if pa.types.is_decimal(type_):
        kind = "decimal" if type_.scale <= _FIXED_PLACES else "double"
        return kind, _number_format(type_.scale)
    if pa.types.is_timestamp(type_):
        return "dateTime", "yyyy-mm-dd hh:nn:ss"
    if pa.types.is_date(type_):
        return "dateTime", "yyyy-mm-dd"
    if pa.types.is_integer(type_):
        return "int64", "0"
    if pa.types.is_boolean(type_):
        return "boolean", ""
    return "string", ""


def _number_format(places: int) -> str:
    return f"#,##0.{'0' * places}" if places else "#,##0"


def _description(text: str, level: int) -> list[str]:
    return [f"{_tabs(level)}/// {line}" for line in text.splitlines() or [""]]


def _expression(text: str, level: int) -> list[str]:
    """Lines under an object at that level, deeper than its properties."""
    lines = []
    for line in text.splitlines():
        stripped = line.lstrip(" ")
        deeper = (len(line) - len(stripped)) // 4
        lines.append(f"{_tabs(level + 2 + deeper)}{stripped}" if stripped else "")
    return lines


def _tabs(level: int) -> str:
    return "\t" * level


def quoted(name: str) -> str:
    """The name as TMDL writes it."""
    if _PLAIN_NAME.fullmatch(name):
        return name
    escaped = name.replace("'", "''")
    return f"'{escaped}'"
