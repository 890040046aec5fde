"""SQL that selects facts, with the columns that the metrics read."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import F, Q
from django.db.models.expressions import Combinable

from dashboard.metrics.sums import Column
from oegen.core import clock
from oegen.core.sql import Values
from pipelines.choices import UNCONFIRMED_DAYS, CapacityBasis
from pipelines.facts.days import of_today, write_for_any_day
from pipelines.facts.querysets import fact_probability
from pipelines.facts.spans import Span
from pipelines.models import Fact
from pipelines.querysets import (
    as_number,
    is_overdue,
    is_sold_ready,
    not_confirmed_since,
    rtb_bucket_of,
    state_of,
    status_of,
)

#: A condition that all facts meet.
EVERYTHING = Q()


def select_facts(
    span: Span, *columns: Column, where: Q = EVERYTHING, among: str = "", in_filter: str = ""
) -> tuple[str, Values]:
    """SQL, with parameters, that selects these columns of the facts in the span.

    ``where`` is a further condition on ``Fact``. ``among`` and ``in_filter`` name tables of
    pipelines' ids; empty means all: the first limits the facts, the other is what
    ``Column.IN_FILTER`` says.
    """
    sql, params = _facts_sql(columns, where, connection.vendor)
    condition = span.sql
    if among:
        condition += f" AND pipeline_id IN (SELECT id FROM {among})"
    marked = f"CASE WHEN pipeline_id IN (SELECT id FROM {in_filter}) THEN 1 ELSE 0 END"
    own = {Column.IN_FILTER: f"{marked if in_filter else 1} AS in_filter"}
    selected = ", ".join(own.get(column, str(column)) for column in columns)
    return f"SELECT {selected} FROM ({sql}) AS facts WHERE {condition}", of_today(
        params
    ) + span.params


@lru_cache(maxsize=200)
def _facts_sql(columns: tuple[Column, ...], where: Q, vendor: str) -> tuple[str, Values]:
    """SQL for the columns of all facts and for the times at which they are valid."""
    return write_for_any_day(lambda: _write_facts_sql(columns, where))


def _write_facts_sql(columns: tuple[Column, ...], where: Q) -> tuple[str, Values]:
    named: dict[str, Any] = {
        column: _EXPRESSIONS[column]() for column in columns if column in _EXPRESSIONS
    }
    # Names that hide columns of the model have to come last.
    hiding = {name: named.pop(name) for name in (Column.ID, Column.STAGE) if name in named}
    stored = [str(column) for column in columns if column in _STORED]
    rows = Fact.objects.order_by().filter(where).annotate(**named)
    rows = rows.values("pipeline_id", "valid_from", "valid_until", *stored, *named)
    sql, params = rows.annotate(**hiding).query.sql_with_params()
    return sql, params


#: What is stored in facts under the name of the column.
_STORED = (Column.RTB_DATE, Column.FACILITY, Column.TECHNOLOGY, Column.KW, Column.KWH)


#: The others. Functions, because some depend on the day.
_EXPRESSIONS: dict[Column, Callable[[], Combinable]] = {
    Column.ID: lambda: F("pipeline_id"),
    Column.NAME: lambda: F("project_name"),
    Column.STAGE: lambda: F("stage__code"),
    Column.STATUS: status_of,
    Column.STATE: state_of,
    Column.RAG: lambda: F("rag_status"),
    Column.RTB_BUCKET: rtb_bucket_of,
    Column.OVERDUE: lambda: as_number(is_overdue()),
    Column.SOLD_READY: lambda: as_number(is_sold_ready("sold_on")),
    Column.UNCONFIRMED: lambda: as_number(not_confirmed_since(clock.days_ago(UNCONFIRMED_DAYS))),
    Column.OWNERSHIP: lambda: F("owned"),
    Column.PROBABILITY: fact_probability,
    Column.BASIS: lambda: F("technology__capacity_basis"),
    Column.IS_STORAGE: lambda: as_number(
        Q(technology__is_storage=True, technology__capacity_basis=CapacityBasis.AC)
    ),
    Column.FIRST_ROW: lambda: as_number(Q(is_first=True)),
    Column.FIRST_ROW_OF_TECHNOLOGY: lambda: as_number(Q(is_first_of_technology=True)),
    Column.SHARED: lambda: as_number(Q(is_shared=True)),
}
