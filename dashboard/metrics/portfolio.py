"""A filtered set of pipelines at a moment, the input of every metric.

::

    with portfolio(select) as now:
        headline(now)

``select`` gives the filtered pipelines. It is called while the portfolio is built, as of ``day``
if one is given, because a filter can match other pipelines on other days.

What is needed is read from the facts (pipelines.facts): their sums, once, into memory; and for
metrics of change, only the pipelines that are not the same ``before``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import count
from typing import Any, TypeVar, cast

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Q

from dashboard.metrics.fact_rows import (
    EVERYTHING,
    Span,
    begun_since,
    ended_since,
    select_facts,
    valid_at,
)
from dashboard.metrics.kept import facts_version
from dashboard.metrics.sums import (
    KEYS,
    Adder,
    Column,
    Condition,
    Numbers,
    SharedRow,
    SumRow,
    Sums,
    Total,
)
from oegen import audit
from oegen.asof import as_of
from oegen.core import clock
from oegen.core.caching import keep
from oegen.core.sql import Values, fetch, run
from pipelines.facts.intervals import FOREVER
from pipelines.models import Fact, Stage, Technology
from pipelines.querysets import PipelineQuerySet, part_of

T = TypeVar("T")

#: The columns of the tables of a comparison.
COMPARED = (
    *(Column.ID, Column.NAME, Column.STAGE, Column.STATUS, Column.STATE, Column.RAG),
    *(Column.RTB_DATE, Column.OWNERSHIP, Column.PROBABILITY, Column.IN_FILTER, Column.FACILITY),
    *(Column.TECHNOLOGY, Column.BASIS, Column.IS_STORAGE, Column.KW, Column.KWH),
    *(Column.FIRST_ROW, Column.SHARED),
)

#: Of those, the columns that the later table also has of the earlier one, with this prefix; null
#: where the pipeline did not exist.
WAS = "was_"
_EARLIER = (Column.STAGE, Column.STATUS, Column.STATE, Column.RAG, Column.RTB_DATE)

#: The columns of facts that totals need, as in ``SharedRow``, and ``SHARED``.
LINKED = (
    *(Column.FIRST_ROW, Column.BASIS, Column.ID, Column.FACILITY, Column.IS_STORAGE),
    *(Column.KW, Column.KWH, Column.OWNERSHIP, Column.PROBABILITY, Column.SHARED),
)

#: The columns that plans of PostgreSQL depend on: to analyse all would take longer than to fill.
_ANALYSED = (Column.ID, Column.FACILITY, Column.IN_FILTER, Column.STATE)

_table_numbers = count(1)


@dataclass(frozen=True)
class Comparison:
    """The pipelines of a portfolio that are not the same in the one before, or share a facility
    with one that is not: temporary tables of their facts at both ends, with the columns of
    ``COMPARED``. ``later`` also has those of the other end, named ``was_…``.

    In filter or not: a pipeline is also included where only the filter matches it differently.
    """

    earlier: str
    later: str


@dataclass(frozen=True)
class Portfolio:
    """The pipelines at the end of ``day``, which is today for the present."""

    day: date
    #: The past day that the facts are of, if it is not that of the request.
    _own_day: date | None
    #: Where their intervals are cut; None for the present.
    _moment: datetime | None
    #: A table with the ids of the filtered pipelines; empty if unfiltered.
    selected: str
    #: The moment of the facts that are kept: its own or, for the present, this morning.
    _kept_until: datetime
    _before: Portfolio | None
    #: Drops the temporary tables.
    _tables: ExitStack

    @cached_property
    def comparison(self) -> Comparison:
        """Raises ValueError unless the portfolio was built with ``before``."""
        if self._before is None:
            raise ValueError("A metric of change needs a portfolio built with before=.")
        return _compare(self._before, self, self._tables)

    @cached_property
    def _version(self) -> tuple[object, ...] | None:
        """The version of the facts that are kept; None where the pipelines are filtered, because
        filters read more than facts."""
        return None if self.selected else facts_version(self.day, self._kept_until)

    @cached_property
    def sums(self) -> Sums:
        _ = self._version
        with self.reading():
            return _sums_of(self)

    def total(self, *where: Condition) -> Total:
        return self.sums.totals_by(where=where).get((), Total())

    def totals_by(self, *keys: Column, where: Iterable[Condition] = ()) -> dict[Values, Total]:
        """See ``Sums.totals_by``."""
        return self.sums.totals_by(*keys, where=where)

    def keep(self, compute: Callable[[Portfolio], T], kind: str) -> T:
        """The result of ``compute``; of a past day, that of all pipelines is cached."""
        if self._version is None or not self._moment:
            return compute(self)
        return keep(lambda: compute(self), kind, *self._version)

    def version_of(self, *columns: Column, where: Q) -> tuple[object, ...] | None:
        """A part of a cache key: what changes when these columns of the facts that meet the
        condition do; None where the pipelines are filtered.

        For the present, it is what was kept this morning and the facts that differ since.
        """
        if self._version is None or self._moment:
            return self._version
        begun, ended = (
            Counter(fetch(*self.facts(*columns, where=where, span=span)))
            for span in (begun_since(self._kept_until), ended_since(self._kept_until))
        )
        return (*self._version, *sorted(map(repr, ((begun - ended), (ended - begun)))))

    def reading(self) -> AbstractContextManager[None]:
        """Read the day of the portfolio, for the SQL of ``facts``."""
        return as_of(self._own_day) if self._own_day else nullcontext()

    def facts(
        self, *columns: Column, where: Q = EVERYTHING, span: Span | None = None
    ) -> tuple[str, Values]:
        """SQL, with parameters, that selects these columns of the filtered pipelines' facts.

        ``where`` is a further condition on ``Fact``. ``span`` are other times than the moment of
        the portfolio.
        """
        return select_facts(
            span or valid_at(self._moment), *columns, where=where, among=self.selected
        )


@contextmanager
def portfolio(
    select: Callable[[], PipelineQuerySet],
    day: date | None = None,
    *,
    before: Portfolio | None = None,
) -> Iterator[Portfolio]:
    """The portfolio at the end of ``day``, by default at the moment that the request reads. Metrics
    of change require the portfolio ``before``, of an earlier day."""
    with ExitStack() as tables:
        with as_of(day) if day else nullcontext():
            past = clock.past_day()
            moment = clock.end_of(past) if past else None
            kept_until = moment or clock.days_ago(0)
            selected = _selected_table(select(), tables)
            found = Portfolio(
                day or clock.today(),
                _own_day=day,
                _moment=moment,
                selected=selected,
                _kept_until=kept_until,
                _before=before,
                _tables=tables,
            )
            if selected:
                # Not later, because the tables as of that day would be made again.
                vars(found).update(sums=_sums_of(found))
        yield found


def _selected_table(selected: PipelineQuerySet, tables: ExitStack) -> str:
    """The name of a temporary table of the ids; empty if nothing is filtered."""
    if not selected.query.has_filters():
        return ""
    try:
        sql, params = selected.order_by().values("id").query.sql_with_params()
    except EmptyResultSet:
        sql, params = f"SELECT pipeline_id AS id FROM {Fact._meta.db_table} WHERE 1 = 0", ()
    ids = new_table_name("selected")
    tables.enter_context(
        temporary_table(ids, f"SELECT DISTINCT id FROM ({sql}) AS selected", params)
    )
    _analyse(ids, Column.ID)
    return ids


def _sums_of(found: Portfolio) -> Sums:
    """The sums of the filtered pipelines. Of all pipelines, those of a past day are kept; those of
    the present are the ones of this morning, kept, with what was written since."""
    if found._version is None:
        return _read_sums(found)
    until = found._kept_until
    known = keep(lambda: _read_sums(found, valid_at(until)).prepared(), "sums", *found._version)
    if found._moment:
        return known
    begun, ended = _read_sums(found, begun_since(until)), _read_sums(found, ended_since(until))
    return known - ended + begun


def _read_sums(found: Portfolio, span: Span | None = None) -> Sums:
    names = (*KEYS, Column.BASIS)
    rows, params = found.facts(
        *names,
        *(Column.FIRST_ROW, Column.FIRST_ROW_OF_TECHNOLOGY, Column.FACILITY, Column.KW),
        *(Column.KWH, Column.IS_STORAGE, Column.OWNERSHIP, Column.PROBABILITY),
        where=Q(is_shared=False),
        span=span,
    )
    grouped = f"""
        SELECT {_as_keys(names)}, SUM(first_row), SUM(first_row_of_technology), {sums_of_facts()}
        FROM ({rows} {once_each()}) AS facts GROUP BY {", ".join(names)}
    """
    columns = (*KEYS, *LINKED[:-1], Column.FIRST_ROW_OF_TECHNOLOGY)
    rows, shared_params = found.facts(*columns, where=Q(is_shared=True), span=span)
    shared = f"SELECT {_as_keys(columns)} FROM ({rows}) AS facts"
    width = len(KEYS)
    return Sums(
        tuple(
            SumRow(row[:width], basis, first_rows, of_technology, numbers_from(numbers))
            for row in fetch(grouped, params)
            for basis, first_rows, of_technology, *numbers in [row[width:]]
        ),
        tuple(SharedRow(row[:width], *row[width:]) for row in fetch(shared, shared_params)),
    )


def _as_keys(columns: Iterable[Column]) -> str:
    """SQL that selects the columns, with keys as text, as SQLite has them: objects take long to
    make, to store and to compare."""
    keys = (Column.ID, Column.FACILITY, Column.TECHNOLOGY)
    return ", ".join(f"CAST({one} AS VARCHAR(36))" if one in keys else one for one in columns)


def _compare(before: Portfolio, now: Portfolio, tables: ExitStack) -> Comparison:
    name = new_table_name("portfolio")
    result = Comparison(f"{name}_earlier", f"{name}_later")
    among = ""
    vocabulary_changed = _vocabulary_changed(before, now)
    if not vocabulary_changed and bool(before.selected) == bool(now.selected):
        among = f"{name}_compared"
        tables.enter_context(temporary_table(among, *_compared_ids(before, now)))
        _analyse(among, Column.ID)
    was = ", ".join(f"was.{column} AS {WAS}{column}" for column in _EARLIER)
    with now.reading():
        with before.reading() if vocabulary_changed else clock.override_day(before.day):
            rows, params = _compared_rows(before, among)
            tables.enter_context(temporary_table(result.earlier, rows, params))
        _index(result.earlier)
        rows, params = _compared_rows(now, among)
        joined = f"""
            SELECT facts.*, {was} FROM ({rows}) AS facts
            LEFT JOIN {result.earlier} AS was ON was.id = facts.id AND was.first_row = 1
        """
        tables.enter_context(temporary_table(result.later, joined, params))
    _index(result.later)
    return result


def _index(table: str) -> None:
    run(f"CREATE INDEX {table}_id ON {table} (id)")
    _analyse(table, *_ANALYSED)


def _analyse(table: str, *columns: Column) -> None:
    """PostgreSQL has no statistics of a temporary table until it is analysed."""
    if connection.vendor == "postgresql":
        run(f"ANALYZE {table} ({', '.join(columns)})")


def _compared_rows(end: Portfolio, among: str) -> tuple[str, Values]:
    span = valid_at(end._moment)
    return select_facts(span, *COMPARED, among=among, in_filter=end.selected)


def _vocabulary_changed(before: Portfolio, now: Portfolio) -> bool:
    """Whether a stage or technology was changed in between, other than by the set-up."""
    for model in (Stage, Technology):
        written = audit.history_model(model).objects.exclude(
            change_set__source=audit.Source.MIGRATION
        )
        if now._moment:
            written = written.filter(history_date__lt=now._moment)
        if written.filter(history_date__gte=before._moment).exists():
            return True
    return False


def _compared_ids(before: Portfolio, now: Portfolio) -> tuple[str, Values]:
    """SQL, with parameters, that selects the ids of the pipelines of a Comparison."""
    since, until = before._moment, now._moment or FOREVER
    adapt = connection.ops.adapt_datetimefield_value
    facts = Fact._meta.db_table
    changed = f"""
        SELECT pipeline_id AS id FROM {facts} WHERE valid_from >= %s AND valid_from < %s
        UNION SELECT pipeline_id FROM {facts} WHERE valid_until >= %s AND valid_until < %s
    """
    if before.selected:
        one, other = (f"SELECT id FROM {end.selected}" for end in (before, now))
        for first, second in ((one, other), (other, one)):
            changed += f" UNION SELECT id FROM ({first} EXCEPT {second}) AS differing"
    return (
        f"""
        WITH changed AS MATERIALIZED ({changed})
        SELECT id FROM changed UNION SELECT pipeline_id FROM {facts}
        WHERE is_shared AND facility_id IN (
            SELECT facility_id FROM {facts}
            WHERE is_shared AND pipeline_id IN (SELECT id FROM changed)
        )
        """,
        (adapt(since), adapt(until)) * 2,
    )


def totals_by_link(facts: str, links: str, key: str, *, params: Values = ()) -> dict[Any, Total]:
    """The total of each group of pipelines by the column ``key`` of the SQL ``links``, which
    selects unique rows of ``pipeline_id`` and ``key``.

    ``facts`` is SQL that selects the columns ``LINKED``; ``params`` are those of it and then those
    of the links.
    """
    linked = f"FROM ({facts}) AS facts JOIN ({links}) AS links ON links.pipeline_id = facts.id"
    # A shared facility counts once in each group, with the highest of its shares.
    facilities = f"""
        SELECT key, MAX(basis) AS basis, facility_id, 0 AS first_row, MAX(is_storage) AS is_storage,
            MAX(kw) AS kw, MAX(kwh) AS kwh, MAX(ownership) AS ownership,
            MAX(probability) AS probability, MAX(ownership * probability) AS product
        FROM (SELECT links.{key} AS key, facts.* {linked} WHERE shared = 1) AS shared_rows
        GROUP BY key, facility_id
        UNION ALL
        SELECT links.{key}, basis, facility_id, first_row, is_storage, kw, kwh, ownership,
            probability, ownership * probability
        {linked} WHERE shared = 0
        UNION ALL
        SELECT links.{key}, basis, NULL, first_row, NULL, NULL, NULL, NULL, NULL, NULL
        {linked} WHERE shared = 1
    """
    sums = Adder()
    for value, basis, pipelines, *numbers in fetch(
        f"""
        SELECT key, basis, SUM(first_row), {sums_of_facts("product")}
        FROM ({facilities}) AS facilities GROUP BY key, basis
        """,
        params * 3,
    ):
        sums.add((value,), basis, int(pipelines), numbers_from(numbers))
    return {value: total for (value,), total in sums.totals().items()}


def numbers_from(row: Iterable[Any]) -> Numbers:
    """The results of ``sums_of_facts``. PostgreSQL adds up to decimals, SQLite to floats."""
    return cast(Numbers, tuple([int(number or 0) for number in row]))


def sums_of_facts(product: str = "ownership * probability") -> str:
    """SQL for ``Numbers``."""
    return f"""
        COUNT(facility_id), COUNT(kw), SUM(kw), SUM(kwh),
        SUM(CASE WHEN is_storage = 1 THEN kw END),
        SUM({part_of("kw", "ownership")}), SUM({part_of("kw", "probability")}),
        SUM({part_of("kw", product)}),
        SUM(CASE WHEN probability IS NOT NULL THEN kw END)
    """


def once_each() -> str:
    """SQL at the end of a subquery that has each of its expressions evaluated once, though the
    outer query uses it several times."""
    return "OFFSET 0" if connection.vendor == "postgresql" else ""


def new_table_name(kind: str) -> str:
    return f"{kind}_{next(_table_numbers)}"


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
