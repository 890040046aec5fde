"""A snapshot of a filtered set of pipelines, the input of every metric.

::

    with portfolio(select) as now:
        headline(now)

``select`` gives the filtered pipelines. It is called while the portfolio is built, as of ``day``
if one is given, because a filter can match other pipelines on other days. What the metrics need is
copied from the facts (pipelines.facts) into one temporary table, so that all of them read the same
snapshot.

Counts are of pipelines. Capacities are of distinct facilities: one that several pipelines share
counts once in each total and once in each group, so groups may add up to more than their total.
Where the pipelines of such a facility differ in ownership, probability or their product, the
highest counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import count
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When

from oegen.asof import as_of
from oegen.core import clock
from pipelines.choices import UNCONFIRMED_DAYS, CapacityBasis
from pipelines.facts.querysets import fact_probability
from pipelines.models import Fact
from pipelines.querysets import (
    OPEN,
    WHOLE,
    Capacity,
    Megawatts,
    PipelineQuerySet,
    is_overdue,
    is_sold_ready,
    mw_of,
    not_confirmed_since,
    part_of,
    rtb_bucket_of,
    state_of,
    status_of,
)

#: A row, or the parameters, of raw SQL.
Values = tuple[Any, ...]

NO_CAPACITY = Capacity()
NO_MEGAWATTS = Megawatts()


class Column(StrEnum):
    """The columns of a portfolio's table: one row per pipeline and facility; a pipeline without
    facilities has one row. Booleans are 0 or 1, because SQLite and PostgreSQL differ in theirs."""

    ID = "id"
    NAME = "name"
    #: A stage's code.
    STAGE = "stage"
    #: Values of pipelines.querysets.status_of and state_of.
    STATUS = "status"
    STATE = "state"
    #: "" is unrated.
    RAG = "rag"
    RTB_DATE = "rtb_date"
    RTB_BUCKET = "rtb_bucket"
    OVERDUE = "overdue"
    SOLD_READY = "sold_ready"
    UNCONFIRMED = "unconfirmed"
    #: Ownership and probability, in hundredths of a percent.
    OWNERSHIP = "ownership"
    PROBABILITY = "probability"
    #: 0 for pipelines outside the filter.
    IN_FILTER = "in_filter"
    FACILITY = "facility_id"
    TECHNOLOGY = "technology_id"
    #: A CapacityBasis.
    BASIS = "basis"
    #: 1 where the capacity is MW AC of storage.
    IS_STORAGE = "is_storage"
    KW = "kw"
    KWH = "kwh"
    #: 1 in one row of each pipeline, and of each pipeline and technology; else 0.
    FIRST_ROW = "first_row"
    FIRST_ROW_OF_TECHNOLOGY = "first_row_of_technology"
    #: 1 where the facility belongs to several pipelines.
    SHARED = "shared"
    #: Values in the ``before`` portfolio; null where the pipeline is not in it.
    WAS_STAGE = "was_stage"
    WAS_STATUS = "was_status"
    WAS_STATE = "was_state"
    WAS_RAG = "was_rag"
    WAS_RTB_DATE = "was_rtb_date"


#: The columns allowed for grouping and in conditions.
KEYS = (
    Column.STATUS,
    Column.STATE,
    Column.RAG,
    Column.RTB_BUCKET,
    Column.TECHNOLOGY,
    Column.OVERDUE,
    Column.UNCONFIRMED,
    Column.WAS_STATE,
    Column.WAS_RAG,
)


class Condition(StrEnum):
    """Conditions on rows of a portfolio's table, over ``KEYS`` alone."""

    IS_OPEN = f"{Column.STATE} = '{OPEN}'"
    WAS_OPEN = f"{Column.WAS_STATE} = '{OPEN}'"
    IS_OVERDUE = f"{Column.OVERDUE} = 1"
    IS_UNCONFIRMED = f"{Column.UNCONFIRMED} = 1"
    HAS_TECHNOLOGY = f"{Column.TECHNOLOGY} IS NOT NULL"


#: The columns that a portfolio takes from the one before.
_COMPARED = (Column.STAGE, Column.STATUS, Column.STATE, Column.RAG, Column.RTB_DATE)

#: No rows, with the types of those columns, where there is no portfolio before.
_NO_PORTFOLIO = (
    "SELECT pipeline_id AS id, project_name AS stage, project_name AS status,"
    " project_name AS state, project_name AS rag, rtb_date"
    f" FROM {Fact._meta.db_table} WHERE 1 = 0"
)

#: The columns that plans of PostgreSQL depend on: to analyse all would take longer than to fill.
_ANALYSED = (Column.ID, Column.FACILITY, Column.IN_FILTER, Column.STATE, Column.SHARED)

#: Aggregates over the facilities that belong to one pipeline only.
_UNSHARED = f"""
    COUNT(facility_id) FILTER (WHERE shared = 0) AS facilities,
    COUNT(kw) FILTER (WHERE shared = 0) AS known,
    SUM(kw) FILTER (WHERE shared = 0) AS kw,
    SUM(kwh) FILTER (WHERE shared = 0) AS kwh,
    SUM(kw) FILTER (WHERE shared = 0 AND is_storage = 1) AS storage_kw,
    SUM({part_of("kw", "ownership")}) FILTER (WHERE shared = 0) AS net,
    SUM({part_of("kw", "probability")}) FILTER (WHERE shared = 0) AS weighted,
    SUM({part_of("kw", "ownership * probability")}) FILTER (WHERE shared = 0) AS net_weighted,
    SUM(kw) FILTER (WHERE shared = 0 AND probability IS NOT NULL) AS with_probability
"""

_table_numbers = count(1)


@dataclass(frozen=True)
class Total:
    """A number of pipelines, and the capacity of all their facilities together.

    ``net`` is capacity × ownership. ``weighted`` is capacity × probability, gross;
    ``net_weighted`` is capacity × ownership × probability. ``with_probability`` is the part of
    the capacity that has a probability.
    """

    pipelines: int = 0
    capacity: Capacity = NO_CAPACITY
    net: Megawatts = NO_MEGAWATTS
    weighted: Megawatts = NO_MEGAWATTS
    net_weighted: Megawatts = NO_MEGAWATTS
    with_probability: Megawatts = NO_MEGAWATTS

    def __add__(self, other: Total) -> Total:
        return Total(
            self.pipelines + other.pipelines,
            self.capacity + other.capacity,
            self.net + other.net,
            self.weighted + other.weighted,
            self.net_weighted + other.net_weighted,
            self.with_probability + other.with_probability,
        )

    @property
    def share_with_probability(self) -> Decimal | None:
        """The part of the MW that has a probability, 0 to 1; None if there are no MW."""
        return self.with_probability.mw / self.capacity.mw if self.capacity.mw else None


@dataclass(frozen=True)
class Portfolio:
    """The temporary tables of a portfolio: ``table`` has the columns of ``Column``. They hold the
    state at the end of ``day``, which is today for the present."""

    table: str
    day: date

    @property
    def sums(self) -> str:
        """The table of sums by ``KEYS``: the number of pipelines, and the capacity of facilities
        that belong to one pipeline only, which are most."""
        return f"{self.table}_sums"

    @property
    def shared(self) -> str:
        """The table with the rows of facilities that belong to several pipelines."""
        return f"{self.table}_shared"

    def total(self, *where: Condition) -> Total:
        return self._totals_by(("1",), where).get((1,), Total())

    def totals_by(self, *keys: Column, where: Iterable[Condition] = ()) -> dict[Values, Total]:
        """The total of each group of the filtered pipelines by the values of ``keys``, which are
        ``KEYS``. A condition on the technology requires ``Column.TECHNOLOGY`` in them."""
        return self._totals_by(keys, where)

    def _totals_by(self, keys: tuple[str, ...], where: Iterable[Condition]) -> dict[Values, Total]:
        condition = _all_of(where)
        added = f"""
            SELECT {_as_keys(keys)}, basis, {_pipelines_by(keys)} AS pipelines, facilities, known,
                kw, kwh, storage_kw, net, weighted, net_weighted, with_probability
            FROM {self.sums} WHERE {condition}
        """
        return _totals(keys, added, f"FROM {self.shared} WHERE {condition}")

    def totals_by_link(
        self, key: str, *, links: str, where: Iterable[Condition] = (), params: Values = ()
    ) -> dict[Any, Total]:
        """The total of each group by the column ``key`` of the SQL ``links``, which selects unique
        rows of ``pipeline_id`` and ``key``."""
        rows = f"""
            FROM {self.table} AS facts JOIN ({links}) AS links ON links.pipeline_id = facts.id
            WHERE facts.in_filter = 1 AND {_all_of(where)}
        """
        column = f"links.{key}"
        added = f"""
            SELECT {column} AS key0, basis, SUM(first_row) AS pipelines, {_UNSHARED}
            {rows} GROUP BY {column}, basis
        """
        totals = _totals((column,), added, f"{rows} AND shared = 1", params * 2)
        return {value: total for (value,), total in totals.items()}


def _all_of(conditions: Iterable[Condition]) -> str:
    return " AND ".join(conditions) or "1 = 1"


def _totals(
    keys: tuple[str, ...], added: str, shared: str, params: Values = ()
) -> dict[Values, Total]:
    """Add the sums that ``added`` selects and the rows of ``shared`` facilities, which count once
    in each group."""
    names = ", ".join(f"key{index}" for index in range(len(keys)))
    sums = f"""
        WITH shared_rows AS (
            SELECT {_as_keys(keys)}, facility_id, basis, is_storage, kw, kwh, ownership, probability
            {shared}
        ),
        shared_sums AS (
            SELECT {names}, MAX(basis) AS basis, 0 AS pipelines, 1 AS facilities,
                CASE WHEN MAX(kw) IS NULL THEN 0 ELSE 1 END AS known,
                MAX(kw) AS kw, MAX(kwh) AS kwh, CASE WHEN MAX(is_storage) = 1 THEN MAX(kw) END,
                {part_of("MAX(kw)", "MAX(ownership)")}, {part_of("MAX(kw)", "MAX(probability)")},
                {part_of("MAX(kw)", "MAX(ownership * probability)")},
                CASE WHEN MAX(probability) IS NOT NULL THEN MAX(kw) END
            FROM shared_rows GROUP BY {names}, facility_id
        ),
        parts AS ({added} UNION ALL SELECT * FROM shared_sums)
        SELECT {names}, basis, SUM(pipelines), SUM(facilities), SUM(known), SUM(kw), SUM(kwh),
            SUM(storage_kw), SUM(net), SUM(weighted), SUM(net_weighted), SUM(with_probability)
        FROM parts GROUP BY {names}, basis
    """
    width = len(keys)
    totals: dict[Values, Total] = {}
    for row in fetch(sums, params):
        key = row[:width]
        totals[key] = totals.get(key, Total()) + _total(*row[width:])
    return totals


def _pipelines_by(keys: tuple[str, ...]) -> str:
    """The column of the sums that counts pipelines once in each group by the keys."""
    return "pipelines_of_technology" if Column.TECHNOLOGY in keys else "pipelines"


@contextmanager
def portfolio(
    select: Callable[[], PipelineQuerySet],
    day: date | None = None,
    *,
    before: Portfolio | None = None,
) -> Iterator[Portfolio]:
    """The portfolio at the end of ``day``, by default at the moment that the request reads. Metrics
    of change require the portfolio ``before``."""
    result = Portfolio(f"portfolio_{next(_table_numbers)}", day or clock.today())
    with ExitStack() as tables:
        with as_of(day) if day else nullcontext():
            past = clock.past_day()
            rows = _rows(select(), clock.end_of(past) if past else None)
            sql, params = rows.query.sql_with_params()
            tables.enter_context(temporary_table(result.table, _facts(sql, before), params))
        run(f"CREATE INDEX {result.table}_id ON {result.table} (id)")
        if connection.vendor == "postgresql":
            # PostgreSQL has no statistics of a temporary table until it is analysed.
            run(f"ANALYZE {result.table} ({', '.join(_ANALYSED)})")
        shared = f"SELECT * FROM {result.table} WHERE in_filter = 1 AND shared = 1"
        tables.enter_context(temporary_table(result.shared, shared))
        tables.enter_context(temporary_table(result.sums, _sums_of(result)))
        yield result


@contextmanager
def temporary_table(name: str, select: str, params: Values = ()) -> Iterator[None]:
    run(f"CREATE TEMPORARY TABLE {name} AS {select}", params)
    try:
        yield
    except BaseException:
        # A rollback drops the table; on PostgreSQL, DROP in a failed transaction would hide the
        # error that made it fail.
        if not connection.in_atomic_block:
            run(f"DROP TABLE {name}")
        raise
    run(f"DROP TABLE {name}")


def _facts(rows: str, before: Portfolio | None) -> str:
    """SQL for the columns of ``Column``, from the SQL ``rows`` and the portfolio ``before``."""
    was = _NO_PORTFOLIO
    if before:
        was = f"SELECT id, {', '.join(_COMPARED)} FROM {before.table} WHERE first_row = 1"
    compared = ", ".join(f"was.{column} AS was_{column}" for column in _COMPARED)
    return f"""
        WITH facts AS ({rows}), was AS ({was}),
        compared AS (SELECT facts.*, {compared} FROM facts LEFT JOIN was ON was.id = facts.id)
        SELECT {", ".join(Column)} FROM compared
    """


def _sums_of(source: Portfolio) -> str:
    keys = ", ".join(KEYS)
    return f"""
        SELECT {keys}, basis, SUM(first_row) AS pipelines,
            SUM(first_row_of_technology) AS pipelines_of_technology,
            {_UNSHARED}
        FROM {source.table} WHERE in_filter = 1 GROUP BY {keys}, basis
    """


def _as_keys(keys: tuple[str, ...]) -> str:
    return ", ".join(f"{key} AS key{index}" for index, key in enumerate(keys))


def _rows(selected: PipelineQuerySet, moment: datetime | None) -> QuerySet[Fact, dict[str, Any]]:
    """The facts of all pipelines at the moment, because the MW walk also needs those outside the
    filter."""
    unfiltered = not selected.query.has_filters()
    unconfirmed_since = clock.days_ago(UNCONFIRMED_DAYS)
    is_stored = Q(technology__is_storage=True, technology__capacity_basis=CapacityBasis.AC)
    columns = {
        "state": state_of(),
        "status": status_of(),
        "rtb_bucket": rtb_bucket_of(),
        "overdue": _as_number(is_overdue()),
        "sold_ready": _as_number(is_sold_ready("sold_on")),
        "unconfirmed": _as_number(not_confirmed_since(unconfirmed_since)),
        "ownership": F("owned"),
        "probability": fact_probability(),
        "in_filter": _as_number(
            Q() if unfiltered else Q(pipeline_id__in=selected.order_by().values("pk"))
        ),
        "basis": F("technology__capacity_basis"),
        "is_storage": _as_number(is_stored),
        "first_row": _as_number(Q(is_first=True)),
        "first_row_of_technology": _as_number(Q(is_first_of_technology=True)),
        "shared": _as_number(Q(is_shared=True)),
    }
    fields = ("rtb_date", "facility_id", "technology_id", "kw", "kwh")
    rows: QuerySet[Fact, dict[str, Any]] = (
        Fact.objects.at(moment)
        .order_by()
        .annotate(**columns)
        .values(*columns, *fields)
        # Last, because these names hide columns of the model.
        .annotate(
            id=F("pipeline_id"),
            name=F("project_name"),
            stage=F("stage__code"),
            rag=F("rag_status"),
        )
    )
    return rows


def _as_number(condition: Q) -> Value | Case:
    """1 where the condition holds, else 0: SQLite and PostgreSQL differ in their booleans."""
    if not condition:
        return Value(1, output_field=IntegerField())
    return Case(When(condition, then=Value(1)), default=Value(0), output_field=IntegerField())


def _total(basis: str, *sums: Any) -> Total:
    pipelines, facilities, known, kw, kwh, storage_kw, *shares = sums
    net, weighted, net_weighted, with_probability = shares
    return Total(
        int(pipelines),
        Capacity.of(
            basis,
            mw_of(kw),
            storage_mwh=mw_of(kwh),
            facilities=int(facilities),
            facilities_without_capacity=int(facilities - known),
            storage_mw=mw_of(storage_kw),
        ),
        megawatts(basis, net, WHOLE),
        megawatts(basis, weighted, WHOLE),
        megawatts(basis, net_weighted, WHOLE * WHOLE),
        megawatts(basis, with_probability),
    )


def fetch(sql: str, params: Values = ()) -> list[Values]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        rows: list[Values] = cursor.fetchall()
        return rows


def run(sql: str, params: Values = ()) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)


def days_between(start: str, end: str) -> str:
    """SQL for the days from one date to another, as a number."""
    if connection.vendor == "postgresql":
        return f"({end} - {start})"
    return f"CAST(julianday({end}) - julianday({start}) AS INTEGER)"


def megawatts(basis: str, kw: Any, parts: int = 1) -> Megawatts:
    return Megawatts.of(basis, mw_of(kw, parts))


def date_of(value: date | str) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def uuid_of(value: UUID | str) -> UUID:
    return UUID(value) if isinstance(value, str) else value
