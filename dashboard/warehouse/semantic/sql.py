"""Measures in SQL that runs unchanged in Databricks, Spark, DuckDB and the engine of the check."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from dashboard.warehouse.semantic.measures import (
    Condition,
    Is,
    IsKnown,
    IsOlder,
    Kind,
    Measure,
)
from dashboard.warehouse.semantic.register_measures import RegisterMeasure
from dashboard.warehouse.tables import Table

#: The column of ``source`` with the end of the day that is so many days earlier.
EARLIER_END = "ends_days_before_{days}"


def query(
    measure: Measure, day: date, by: Sequence[str] = (), where: Sequence[Condition] = ()
) -> str:
    """The measure at the end of the day, in groups by these columns: rows of them and ``value``."""
    if measure.kind is not Kind.SUM_OF_MAXIMA:
        value = f"COUNT(DISTINCT facts.{measure.column})"
        if measure.kind is Kind.SUM:
            value = f"SUM(facts.{measure.column})"
        return _grouped(measure, day, by, where, f"{value} AS value", [])
    inner = _grouped(
        *(measure, day, by, where),
        f"MAX(facts.{measure.column}) AS value",
        ["facility_id"],
    )
    columns = "".join(f"grouped.{column}, " for column in by)
    indented = inner.replace("\n", "\n    ")
    text = f"SELECT {columns}SUM(grouped.value) AS value\nFROM (\n    {indented}\n) AS grouped"
    if by:
        text += f"\nGROUP BY {columns.rstrip(', ')}"
    return text


def register_query(measure: RegisterMeasure, by: Sequence[str] = ()) -> str:
    """The measure of the newest editions, in groups by these columns: rows of them and ``value``.

    No day is chosen: what a register said on earlier days is in the table of editions.
    """
    value = f"SUM({measure.column})"
    if measure.kind is Kind.COUNT:
        value = f"COUNT(DISTINCT {measure.column})"
    columns = ", ".join(by)
    text = (
        f"SELECT {columns}{', ' if columns else ''}{value} AS value\n"
        f"FROM {measure.table.name}\n"
        f"WHERE {' AND '.join(map(condition, measure.conditions))}"
    )
    return f"{text}\nGROUP BY {columns}" if columns else text


def _grouped(
    measure: Measure,
    day: date,
    by: Sequence[str],
    where: Sequence[Condition],
    value: str,
    more: Sequence[str],
) -> str:
    columns = ", ".join(f"facts.{column}" for column in (*by, *more))
    conditions = (*measure.conditions, *where)
    all_of = [f"days.day = DATE '{day}'", *(condition(one, "facts.") for one in conditions)]
    text = (
        f"SELECT {columns}{', ' if columns else ''}{value}\n"
        f"FROM {measure.table.name} AS facts\n{_joins(conditions)}\n"
        f"WHERE {' AND '.join(all_of)}"
    )
    return f"{text}\nGROUP BY {columns}" if columns else text


def source(table: Table, conditions: Sequence[Condition], schema: str = "") -> str:
    """Each row of the table on each day on which it holds, with what conditions compare with."""
    names = map(_earlier, _days(conditions))
    columns = "".join(f", {name}.ends_at AS {name}" for name in names)
    return (
        f"SELECT days.day, facts.*{columns}\n"
        f"FROM {schema}{table.name} AS facts\n{_joins(conditions, schema)}"
    )


def condition(one: Condition, prefix: str = "", *, of_source: bool = False) -> str:
    """``of_source``: over the columns of ``source``."""
    column = f"{prefix}{one.column}"
    match one:
        case Is(value=True):
            return column
        case Is(value=False):
            return f"NOT {column}"
        case Is(value=value):
            return f"{column} = '{value}'"
        case IsKnown(known=known):
            return f"{column} IS {'NOT ' if known else ''}NULL"
        case IsOlder(days=days):
            end = _earlier(days) if of_source else f"{_earlier(days)}.ends_at"
            return f"({column} IS NULL OR {column} < {end})"


def _earlier(days: int) -> str:
    return EARLIER_END.format(days=days)


def _days(conditions: Sequence[Condition]) -> list[int]:
    return sorted({one.days for one in conditions if isinstance(one, IsOlder)})


def _joins(conditions: Sequence[Condition], schema: str = "") -> str:
    text = (
        f"JOIN {schema}days AS days\n"
        "    ON facts.valid_from < days.ends_at AND facts.valid_to >= days.ends_at"
    )
    for days in _days(conditions):
        # What was confirmed on the first of 61 days was not confirmed for more than 60.
        text += (
            f"\nJOIN {schema}days AS {_earlier(days)}\n    ON {_earlier(days)}.day = "
            f"CAST(days.day - INTERVAL '{days + 1}' DAY AS DATE)"
        )
    return text
