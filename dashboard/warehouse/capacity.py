"""The table of what was open at the end of each day, computed from the tables of facts.

A row of each facility and day would be 400 times the facilities, so it has sums: by attributes of
the facility plain ones, by those of the project over distinct facilities of the highest values, as
the queries in ``sql/`` compute them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pyarrow as pa
from deltalake import QueryBuilder

from dashboard.warehouse import WarehouseError
from dashboard.warehouse.daily import Daily
from dashboard.warehouse.delta import Batches, Destination, is_written, open_table
from dashboard.warehouse.tables import (
    CAPACITY_DAILY,
    DAYS,
    FACTS_FACILITY,
    FACTS_PROJECT_FACILITY,
)

#: The days up to yesterday that are kept up; earlier ones stay as they are.
DAYS_KEPT = 400

#: Whose facilities are held in memory at a time.
DAYS_AT_ONCE = 10

#: The columns that rows are of, one at a time.
OF_FACILITIES = ("technology", "country")
OF_PROJECTS = ("stage", "rag_status", "rtb_bucket")

_MEASURES = ("capacity_mw", "storage_mwh", "net_mw", "gross_weighted_mw", "net_weighted_mw")
_SUMS = ", ".join(f"SUM({name}) AS {name}" for name in _MEASURES)
_HIGHEST = ", ".join(f"MAX(facts.{name}) AS {name}" for name in _MEASURES)
_THEN = "facts.valid_from < chosen.ends_at AND facts.valid_to >= chosen.ends_at"
_JOIN = f"JOIN chosen ON {_THEN}"

_HIGHEST_BY = {
    column: (
        f"SELECT chosen.day, facts.{column}, facts.facility_id, {_HIGHEST} "  # noqa: S608 - SQL of our own
        f"FROM facts_project_facility AS facts {_JOIN} "
        "WHERE facts.is_open AND facts.facility_id IS NOT NULL "
        f"GROUP BY chosen.day, facts.{column}, facts.facility_id"
    )
    for column in OF_PROJECTS
}


def daily() -> Daily:
    return Daily(CAPACITY_DAILY, DAYS_KEPT, DAYS_AT_ONCE, make=_batches)


def _batches(destination: Destination, days: Sequence[date], number: int) -> Batches:
    engine = QueryBuilder()
    for table in (DAYS, FACTS_FACILITY, FACTS_PROJECT_FACILITY):
        found = open_table(destination, table)
        if not is_written(found):
            raise WarehouseError(f"There is no table {table.name}: run warehouse_sync with --full.")
        engine.register(table.name, found)
    for query in _queries(days):
        for batch in pa.table(engine.execute(query).read_all()).to_batches():
            yield _with_number(batch, number)


def _queries(days: Sequence[date]) -> list[str]:
    chosen = ", ".join(f"DATE '{day}'" for day in days)
    of_days = f"SELECT day, ends_at FROM days WHERE day IN ({chosen})"  # noqa: S608 - SQL of our own
    facilities = f"facts_facility AS facts {_JOIN}"
    # A row also of a day on which nothing was open.
    queries = [_query("total", "''", f"chosen LEFT JOIN facts_facility AS facts ON {_THEN}")]
    queries += [_query(column, f"facts.{column}", facilities) for column in OF_FACILITIES]
    queries += [
        _query(column, column, f"({_HIGHEST_BY[column]}) AS highest") for column in OF_PROJECTS
    ]
    return [f"WITH chosen AS ({of_days}) {query}" for query in queries]


def _query(dimension: str, value: str, rows: str) -> str:
    return (
        f"SELECT day, '{dimension}' AS dimension, COALESCE({value}, '') AS value, "  # noqa: S608
        f"COUNT(facility_id) AS facilities, {_SUMS} FROM {rows} GROUP BY day, {value}"
    )


def _with_number(batch: pa.RecordBatch, number: int) -> pa.RecordBatch:
    schema = CAPACITY_DAILY.schema
    values = [batch.column(column.name).cast(column.type) for column in list(schema)[:-1]]
    numbers = pa.array([number] * batch.num_rows, pa.int64())
    return pa.record_batch([*values, numbers], schema=schema)
