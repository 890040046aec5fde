"""Metric views of Databricks, YAML specification 1.1.

A metric view is grouped by whatever a query asks, so a measure has to be one expression that is
right for every group: the sum over distinct facilities of the maximum is taken over the sorted set
of facilities and values.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from dashboard.warehouse.registers import REGISTER_PROJECTS
from dashboard.warehouse.semantic.measures import MEASURES, Kind, Measure
from dashboard.warehouse.semantic.register_measures import REGISTER_MEASURES, RegisterMeasure
from dashboard.warehouse.semantic.sql import condition, source
from dashboard.warehouse.tables import FACTS_HOLDER, FACTS_PROJECT_FACILITY, Table

VERSION = 1.1

#: The tables that a view is written of.
TABLES = (FACTS_PROJECT_FACILITY, FACTS_HOLDER)

#: Columns that say when a row holds: ``day`` stands for them.
_INTERVAL = ("valid_from", "valid_to")

#: Of all columns that are summed, without loss; a total may have two digits more.
_VALUE, _TOTAL = "DECIMAL(28, 11)", "DECIMAL(30, 11)"

_SUM_OF_MAXIMA = (
    "AGGREGATE("
    "ARRAY_SORT(COLLECT_SET(NAMED_STRUCT("
    "'facility', facility_id, 'value', CAST(COALESCE({column}, 0) AS {value}))){filter}), "
    "NAMED_STRUCT('facility', '', 'value', CAST(0 AS {value}), 'total', CAST(0 AS {total})), "
    "(before, entry) -> NAMED_STRUCT("
    "'facility', entry.facility, 'value', entry.value, 'total', CAST(before.total + entry.value - "
    "CASE WHEN entry.facility = before.facility THEN before.value ELSE CAST(0 AS {value}) END "
    "AS {total})), "
    "result -> result.total)"
)


def metric_view(table: Table, schema: str) -> dict[str, Any]:
    """The view over that table; ``schema`` is where its tables are, such as ``main.oegen``."""
    measures = [one for one in MEASURES.values() if one.table is table]
    conditions = [one for measure in measures for one in measure.conditions]
    return {
        "version": VERSION,
        "comment": f"{table.comment} Choose one day, or group by day.",
        "source": source(table, conditions, f"{schema}." if schema else ""),
        "dimensions": [
            {
                "name": "day",
                "expr": "day",
                "comment": "The day at whose end in London the figures are.",
            },
            *_dimensions(table),
        ],
        "measures": [_measure(one) for one in measures],
    }


def register_view(schema: str) -> dict[str, Any]:
    """The view over the projects of public registers; without a day."""
    return {
        "version": VERSION,
        "comment": f"{REGISTER_PROJECTS.comment} Measures are of the newest edition of each.",
        "source": f"{schema}.{REGISTER_PROJECTS.name}",
        "dimensions": _dimensions(REGISTER_PROJECTS),
        "measures": [_measure(one) for one in REGISTER_MEASURES.values()],
    }


def _dimensions(table: Table) -> list[dict[str, Any]]:
    return [
        {"name": column.name, "expr": column.name, "comment": column.comment}
        for column in table.columns
        if column.name not in _INTERVAL and not pa.types.is_decimal(column.type)
    ]


def _measure(measure: Measure | RegisterMeasure) -> dict[str, Any]:
    return {
        "name": measure.name,
        "expr": expression(measure),
        "display_name": measure.title,
        "comment": f"{measure.description} Unit: {measure.unit}.",
        "format": {
            "type": "number",
            "decimal_places": {"type": "exact", "places": measure.decimals},
            "hide_group_separator": False,
        },
    }


def expression(measure: Measure | RegisterMeasure) -> str:
    """The measure over the columns of the view's source, in Spark SQL."""
    conditions = " AND ".join(condition(one, of_source=True) for one in measure.conditions)
    wanted = f" FILTER (WHERE {conditions})" if conditions else ""
    match measure.kind:
        case Kind.COUNT:
            return f"COUNT(DISTINCT {measure.column}){wanted}"
        case Kind.SUM:
            return f"SUM({measure.column}){wanted}"
        case Kind.SUM_OF_MAXIMA:
            return _SUM_OF_MAXIMA.format(
                column=measure.column, filter=wanted, value=_VALUE, total=_TOTAL
            )
