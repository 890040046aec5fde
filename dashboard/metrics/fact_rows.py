"""SQL that selects facts, with the columns that the metrics read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, Case, F, Q
from django.db.models.expressions import Combinable, RawSQL

from dashboard.metrics.columns import KEYS, Column
from oegen.core import clock
from oegen.core.sql import Values, year_of
from pipelines.choices import UNCONFIRMED_DAYS, CapacityBasis
from pipelines.facts.days import of_today, write_for_any_day
from pipelines.facts.querysets import fact_probability, valid_own_chance
from pipelines.facts.spans import Span
from pipelines.models import Fact
from pipelines.querysets import (
    as_number,
    is_overdue,
    is_sold_ready,
    not_confirmed_since,
    part_of,
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


def as_keys(columns: Iterable[Column]) -> str:
    """SQL that selects the columns, with keys as text, as SQLite has them: objects take long to
    make, to store and to compare."""
    keys = (Column.ID, Column.FACILITY, Column.TECHNOLOGY)
    return ", ".join(f"CAST({one} AS VARCHAR(36))" if one in keys else one for one in columns)


def added_up(span: Span, among: str = "", keys: tuple[Column, ...] = KEYS) -> tuple[str, Values]:
    """SQL, with parameters, with a row for the facts with equal ``keys``, of ``KEYS``, and basis:
    these, the numbers of pipelines, of pipelines by technology, and ``Numbers``. ``among`` is as
    above. Facts of shared facilities are left out.

    Facts are first grouped by what is stored, and only these groups, which are few, joined with
    stages and technologies: with 100,000 facts, that takes a quarter of the time.
    """
    facts, day_params = _stored_sql(connection.vendor)
    groups, group_params = _groups_sql(keys, connection.vendor)
    stored = "stage_id, technology_id, on_hold, outcome"
    if Column.RAG in keys:
        stored += ", rag_status"
    year = f"{year_of('rtb_date')}, " if Column.RTB_BUCKET in keys else ""
    wanted = f"AND pipeline_id IN (SELECT id FROM {among})" if among else ""
    return (
        f"""
        WITH {_GROUPS} AS (
            SELECT {stored},
                MIN(rtb_date) AS rtb_date, MIN(rag_confirmed_at) AS rag_confirmed_at,
                MIN(chance) AS own_chance, CAST(NULL AS DATE) AS own_chance_until,
                COUNT(CASE WHEN is_first THEN 1 END) AS pipelines,
                COUNT(CASE WHEN is_first_of_technology THEN 1 END) AS of_technology,
                COUNT(facility_id) AS facilities, COUNT(kw) AS known,
                SUM(kw) AS kw, SUM(kwh) AS kwh, SUM({part_of("kw", "owned")}) AS net,
                SUM({part_of("kw", "chance")}) AS weighted,
                SUM({part_of("kw", "owned * chance")}) AS net_weighted
            FROM ({facts}) AS facts
            -- Not "NOT is_shared", for which PostgreSQL would search the index again and again.
            WHERE {span.sql} AND is_shared IS NOT TRUE {wanted}
            GROUP BY {stored}, {year}is_late, is_stale, chance IS NULL
        )
        SELECT {as_keys(keys)}, basis, SUM(pipelines), SUM(of_technology),
            SUM(facilities), SUM(known), SUM(kw), SUM(kwh),
            SUM(CASE WHEN is_storage = 1 THEN kw END), SUM(net),
            SUM(COALESCE(weighted, {part_of("kw", "probability")})),
            SUM(COALESCE(net_weighted, net * probability)),
            SUM(CASE WHEN probability IS NOT NULL THEN kw END)
        FROM ({groups}) AS groups GROUP BY {", ".join(keys)}, basis
        """,
        (*of_today(day_params), *span.params, *of_today(group_params)),
    )


_FACTS = f'"{Fact._meta.db_table}"'

#: The groups of facts in the SQL of ``added_up``.
_GROUPS = "fact_groups"

#: Their columns that are no fields of facts.
_NUMBERS = (
    *("pipelines", "of_technology", "facilities", "known", "net", "weighted", "net_weighted"),
)


@lru_cache(maxsize=2)
def _stored_sql(vendor: str) -> tuple[str, Values]:
    """SQL that selects what groups of facts are made of: columns that are stored, the pipeline's
    own ``chance`` where it is valid, and what decides about dates."""
    return write_for_any_day(
        lambda: (
            Fact.objects.order_by()
            .annotate(
                chance=Case(valid_own_chance()),
                is_late=as_number(Q(rtb_date__lt=clock.today())),
                is_stale=as_number(
                    Q(rag_confirmed_at=None)
                    | Q(rag_confirmed_at__lt=clock.days_ago(UNCONFIRMED_DAYS))
                ),
            )
            .values(
                *("valid_from", "valid_until", "pipeline_id", "facility_id", "stage_id"),
                *("technology_id", "on_hold", "outcome", "rag_status", "rag_confirmed_at"),
                *("rtb_date", "kw", "kwh", "owned", "is_first", "is_first_of_technology"),
                *("is_shared", "chance", "is_late", "is_stale"),
            )
            .query.sql_with_params()
        )
    )


@lru_cache(maxsize=4)
def _groups_sql(keys: tuple[Column, ...], vendor: str) -> tuple[str, Values]:
    """SQL that selects the groups as if they were facts, with these keys."""
    numbers = {name: RawSQL(f"{_FACTS}.{name}", (), BigIntegerField()) for name in _NUMBERS}  # noqa: S611

    def write() -> tuple[str, Values]:
        columns = (*keys, Column.BASIS, Column.IS_STORAGE, Column.PROBABILITY)
        named = {one: _EXPRESSIONS[one]() for one in columns if one in _EXPRESSIONS}
        rows = Fact.objects.order_by().annotate(**named, **numbers)
        rows = rows.values("technology_id", "kw", "kwh", *named, *numbers)
        sql, params = rows.query.sql_with_params()
        return sql.replace(f"FROM {_FACTS}", f"FROM {_GROUPS} AS {_FACTS}"), params

    return write_for_any_day(write)


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
