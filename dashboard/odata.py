"""The figures of the dashboard as an entity set: each number a row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from django.db import connection

from dashboard import metrics
from dashboard.charts import Lists
from dashboard.figures import FIGURES
from dashboard.figures.figure import Parts, Source
from oegen.api.odata import types
from oegen.api.odata.sets import Column, EntitySet, of_subquery, register
from oegen.core import clock
from oegen.core.caching import keep
from oegen.core.sql import Values
from pipelines.models import Pipeline

#: Numbers that say what a row is of.
DIMENSIONS = frozenset({"rtb_year"})

_DECIMAL = re.compile(r"-?[0-9]+\.[0-9]+", re.ASCII)

#: The columns with the types of PostgreSQL.
_COLUMNS = {
    "figure": "text",
    "row_number": "integer",
    "measure": "text",
    "title": "text",
    "unit": "text",
    "label": "text",
    "dimensions": "text",
    "value": "numeric",
}


def numbers() -> list[tuple[Any, ...]]:
    """The values of ``_COLUMNS`` for each number of each figure of all projects, compared with a
    month before. Cached as the dashboard is."""
    since = clock.a_month_before(clock.today())
    version = metrics.overview_key(since, filters="")
    return keep(lambda: _read_numbers(since), "figures as numbers", *version)


def _read_numbers(since) -> list[tuple[Any, ...]]:
    select = Pipeline.objects.all
    found: list[tuple[Any, ...]] = []
    with (
        metrics.portfolio(select, since) as before,
        metrics.portfolio(select, before=before) as now,
    ):
        source = Source(now, before, since, Lists({}), select)
        for figure in FIGURES.values():
            finding = figure.read(source)
            whole = {"value": finding.value, **finding.parts}
            for place, row in enumerate([whole, *(finding.rows or [])]):
                label, dimensions, values = _parted(row)
                found += [
                    (figure.name, place, name, figure.title, figure.unit, label, dimensions, value)
                    for name, value in values
                ]
    return found


def _parted(row: Parts) -> tuple[str, str, list[tuple[str, str]]]:
    """A row's label, what it is of, and its numbers by name."""
    values = [(name, str(value)) for name, value in row.items() if _is_number(name, value)]
    names = {name for name, _ in values}
    dimensions = "; ".join(_dimensions(row, names))
    return str(row.get("label") or dimensions), dimensions, values


def _is_number(name: str, value: Any) -> bool:
    if name in DIMENSIONS or isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, str) and bool(_DECIMAL.fullmatch(value)))


def _dimensions(row: Parts, numbers: set[str]) -> Iterator[str]:
    for name, value in row.items():
        if name in numbers or name == "label" or name.endswith("url") or value in (None, ""):
            continue
        if isinstance(value, list):
            value = ", ".join(map(str, value))
        yield f"{name}={str(value).lower() if isinstance(value, bool) else value}"


def _numbers_sql(*, personal: bool) -> tuple[str, Values]:
    rows = json.dumps(numbers())
    if connection.vendor == "postgresql":
        columns = ", ".join(
            f"CAST(entry ->> {place} AS {kind}) AS {name}"
            for place, (name, kind) in enumerate(_COLUMNS.items())
        )
        return f"SELECT {columns} FROM jsonb_array_elements(%s::jsonb) AS entry", (rows,)  # noqa: S608
    columns = ", ".join(
        f"CAST(json_extract(value, '$[{place}]') AS REAL) AS {name}"
        if kind == "numeric"
        else f"json_extract(value, '$[{place}]') AS {name}"
        for place, (name, kind) in enumerate(_COLUMNS.items())
    )
    return f"SELECT {columns} FROM json_each(%s)", (rows,)  # noqa: S608


register(
    EntitySet(
        "Metrics",
        "Metric",
        "The figures of the dashboard for all projects, medians too: each number a row. A figure "
        "of a change compares with a month before.",
        (
            Column("figure", types.STRING, "The figure, such as open-capacity."),
            Column(
                "row_number",
                types.INTEGER,
                "0: the figure itself. Otherwise the row of its table, from 1.",
            ),
            Column(
                "measure",
                types.STRING,
                "“value” is the figure; others have their unit in the name, such as median_days.",
            ),
            Column("title", types.STRING, "What the figure is called."),
            Column("unit", types.STRING, "The unit of the measure “value”."),
            Column("label", types.STRING, "What the row is of, in words; empty of row 0."),
            Column("dimensions", types.STRING, "The same as codes, such as status=design."),
            Column("value", types.decimal(7), "The number. Don’t add up different figures."),
        ),
        of_subquery(_numbers_sql),
        key=("figure", "row_number", "measure"),
        is_in_sql=False,
    )
)
