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
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from itertools import chain, groupby
from operator import attrgetter, neg
from typing import Any, TypeVar, cast
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db.models import Q

from dashboard.metrics.columns import KEYS, STATE_KEYS, Column, Condition
from dashboard.metrics.comparison import Comparison, compare
from dashboard.metrics.fact_rows import EVERYTHING, added_up, as_keys, select_facts
from dashboard.metrics.sums import Adder, Members, Numbers, SharedRow, SumRow, Sums, Total
from dashboard.metrics.tables import analyse, new_table_name, temporary_table
from oegen.asof import as_of
from oegen.core import clock, packed_keys
from oegen.core.caching import hold, keep
from oegen.core.database import key_set
from oegen.core.sql import Values, fetch, fetch_each, fetch_in_parts, joined
from pipelines import vocabulary
from pipelines.facts.kept import Baseline, baseline, facts_version
from pipelines.facts.spans import Span, begun_since, ended_since, valid_at
from pipelines.models import Fact, Stage
from pipelines.querysets import ConditionsQuerySet, part_of
from pipelines.stays import Stays, stays_of_all

T = TypeVar("T")

#: Fetches the rows of SQL with parameters.
Fetch = Callable[[str, Values], Iterator[Values]]

#: The columns of facts that totals need, as in ``SharedRow``, and ``SHARED``.
LINKED = (
    *(Column.FIRST_ROW, Column.BASIS, Column.ID, Column.FACILITY, Column.IS_STORAGE),
    *(Column.KW, Column.KWH, Column.OWNERSHIP, Column.PROBABILITY, Column.SHARED),
)


@dataclass(frozen=True)
class Portfolio:
    """The pipelines at the end of ``day``, which is today for the present."""

    day: date
    #: The past day that the facts are of, if it is not that of the request.
    _own_day: date | None
    #: Where the intervals of the facts are cut; None for the present.
    moment: datetime | None
    #: A table with the ids of the filtered pipelines; empty if unfiltered.
    selected: str
    _before: Portfolio | None
    #: Drops the temporary tables.
    _tables: ExitStack

    @cached_property
    def _results(self) -> dict[str, Any]:
        return {}

    def once(self, name: str, compute: Callable[[], T]) -> T:
        """The result of ``compute``, which several metrics need, under that name."""
        if name not in self._results:
            self._results[name] = compute()
        found: T = self._results[name]
        return found

    @property
    def before(self) -> Portfolio:
        """The portfolio of the earlier day. Raises ValueError without one."""
        if self._before is None:
            raise ValueError("A metric of change needs a portfolio built with before=.")
        return self._before

    @cached_property
    def unfiltered(self) -> Portfolio:
        """All pipelines at the same moment."""
        return replace(self, selected="", _before=None) if self.selected else self

    @cached_property
    def selected_keys(self) -> frozenset[bytes] | None:
        """The keys of the filtered pipelines; None if unfiltered."""
        if not self.selected:
            return None
        [(keys,)] = fetch(f"SELECT {joined(Column.ID)} FROM {self.selected}")
        return frozenset(packed_keys.each(packed_keys.pack(keys or "")))

    @property
    def stages(self) -> list[Stage]:
        """All stages as they were, in order."""
        with self.reading():
            return self.once("stages", vocabulary.stages)

    @property
    def stays_of_all(self) -> Stays:
        """Those of all pipelines up to the day, which is being read."""
        return self.once("stays of all", lambda: stays_of_all(self.day))

    @cached_property
    def comparison(self) -> Comparison:
        return self.compare([self])

    def compare(
        self, ends: Sequence[Portfolio], only: Collection[UUID] | None = None
    ) -> Comparison:
        """The comparison of the ``ends``, which are this portfolio or its ``kept``, with the
        portfolio before; of these pipelines ``only``, whether they changed or not."""
        return compare(self.before, ends, self._tables, only)

    @cached_property
    def _baseline(self) -> Baseline:
        """Of a past day, all up to then is kept."""
        return Baseline(self.moment, []) if self.moment else baseline()

    @cached_property
    def kept(self) -> Portfolio:
        """The same pipelines as the facts that are kept have them, on the portfolio's day."""
        return replace(self, moment=self._baseline.until)

    @cached_property
    def differing(self) -> list[UUID] | None:
        """The pipelines whose facts are not those that are kept; None where nothing is, because
        pipelines are filtered, the day is past or too many differ."""
        if self._version is None or self.moment or (self._before and self._before.selected):
            return None
        return self._baseline.differing

    def keep_baseline(self, compute: Callable[[Portfolio], T], kind: str, *conditions: object) -> T:
        """The result of ``compute`` for ``kept``, cached; it depends on its facts and the
        ``conditions``. Not where ``differing`` is None."""
        return keep(lambda: compute(self.kept), kind, *(self._version or ()), *conditions)

    @cached_property
    def _version(self) -> tuple[object, ...] | None:
        """The version of the facts that are kept; None where the pipelines are filtered, because
        filters read more than facts."""
        return None if self.selected else facts_version(self.day, self._baseline.until)

    @cached_property
    def sums(self) -> Sums:
        _ = self._version
        with self.reading():
            return _sums_of(self)

    @cached_property
    def sums_by_state(self) -> Sums:
        """Those by ``STATE_KEYS`` alone, if it is a portfolio of another day, of which little more
        than totals is asked: they take half the time."""
        if not self._own_day:
            return self.sums
        with self.reading():
            return _read_totals(self, STATE_KEYS)

    @cached_property
    def kept_sums(self) -> Sums:
        """Those of ``kept``, of all pipelines, for totals alone."""
        version = self._version or ()
        return hold(lambda: _read_totals(self.kept, fetch=fetch_in_parts), "sums", *version)

    def shared_facilities(self) -> Iterator[Members]:
        return _read_facilities(self, fetch=fetch_in_parts)

    @cached_property
    def written_facilities(self) -> list[tuple[Members, Members]]:
        """The rows of each shared facility of ``differing`` pipelines: those that are kept, and
        those of now."""
        if not self.differing:
            return []
        own = key_set(self.differing)
        theirs = f"SELECT facility_id FROM {Fact._meta.db_table} WHERE pipeline_id IN ({own.sql})"
        condition = f"facility_id IN ({theirs})"
        then, now = (
            {
                members[0].facility: members
                for members in _read_facilities(found, condition, tuple(own.params))
            }
            for found in (self.kept, self)
        )
        return [(then.get(key, ()), now.get(key, ())) for key in then.keys() | now.keys()]

    def total(self, *where: Condition) -> Total:
        def compute(found: Portfolio) -> Total:
            return found.sums_by_state.totals_by(where=where).get((), Total())

        return self.keep(compute, f"total {sorted(one.name for one in where)}")

    def totals_by(self, *keys: Column, where: Iterable[Condition] = ()) -> dict[Values, Total]:
        """See ``Sums.totals_by``."""
        return self.sums.totals_by(*keys, where=where)

    def keep(self, compute: Callable[[Portfolio], T], kind: str) -> T:
        """The result of ``compute``; of a past day, that of all pipelines is cached."""
        if self._version is None or not self.moment:
            return compute(self)
        return keep(lambda: compute(self), kind, *self._version)

    def version_of(self, *columns: Column, where: Q) -> tuple[object, ...] | None:
        """A part of a cache key: what changes when these columns of the facts that meet the
        condition do; None where the pipelines are filtered.

        For the present, it is what is kept and the facts that differ since.
        """
        if self._version is None or self.moment:
            return self._version
        begun, ended = (
            Counter(fetch(*self.facts(*columns, where=where, span=span)))
            for span in (begun_since(self._baseline.until), ended_since(self._baseline.until))
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
            span or valid_at(self.moment), *columns, where=where, among=self.selected
        )


@contextmanager
def portfolio(
    select: Callable[[], ConditionsQuerySet],
    day: date | None = None,
    *,
    before: Portfolio | None = None,
) -> Iterator[Portfolio]:
    """The portfolio at the end of ``day``, by default at the moment that the request reads. Metrics
    of change require the portfolio ``before``, of an earlier day."""
    with ExitStack() as tables:
        with as_of(day) if day else nullcontext():
            past = clock.past_day()
            selected = _selected_table(select(), tables)
            found = Portfolio(
                day or clock.today(),
                _own_day=day,
                moment=clock.end_of(past) if past else None,
                selected=selected,
                _before=before,
                _tables=tables,
            )
            if selected and day:
                # Not later, because the tables as of that day would be made again.
                vars(found).update(sums_by_state=_read_totals(found, STATE_KEYS))
        yield found


def _selected_table(selected: ConditionsQuerySet, tables: ExitStack) -> str:
    """The name of a temporary table of the ids; empty if nothing is filtered."""
    if not selected.query.has_filters():
        return ""
    try:
        sql, params = selected.pipeline_keys().query.sql_with_params()
    except EmptyResultSet:
        sql, params = f"SELECT pipeline_id FROM {Fact._meta.db_table} WHERE 1 = 0", ()
    ids = new_table_name("selected")
    named = f"WITH selected (id) AS ({sql}) SELECT id FROM selected"
    tables.enter_context(temporary_table(ids, named, params))
    analyse(ids, Column.ID)
    return ids


def _sums_of(found: Portfolio) -> Sums:
    """The sums of the filtered pipelines. Those of all at present are those of the baseline, which
    are held, with what was written since."""
    if found.differing is None:
        return _read_sums(found)
    until = found._baseline.until
    ended, begun = (_read_rows(found, span) for span in (ended_since(until), begun_since(until)))
    rows = chain(map(neg, ended), begun)
    return found.kept_sums.changed(rows, found.written_facilities)


def _read_sums(found: Portfolio) -> Sums:
    rows = tuple(_read_rows(found, valid_at(found.moment)))
    return Sums(rows, tuple(_read_facilities(found)))


def _read_totals(
    found: Portfolio, keys: tuple[Column, ...] = KEYS, fetch: Fetch = fetch_each
) -> Sums:
    rows = _read_rows(found, valid_at(found.moment), keys)
    return Sums.for_totals(rows, _read_facilities(found, keys=keys, fetch=fetch), keys)


def _read_rows(found: Portfolio, span: Span, keys: tuple[Column, ...] = KEYS) -> Iterator[SumRow]:
    width = len(keys)
    for row in fetch_each(*added_up(span, found.selected, keys)):
        basis, pipelines, of_technology, *numbers = row[width:]
        counts = int(pipelines), int(of_technology)
        yield SumRow(row[:width], basis, *counts, numbers_from(numbers))


def _read_facilities(
    found: Portfolio,
    where: str = "",
    params: Values = (),
    *,
    keys: tuple[Column, ...] = KEYS,
    fetch: Fetch = fetch_each,
) -> Iterator[Members]:
    """The shared facilities of which rows meet a further condition in SQL, by default all."""
    width, columns = len(keys), (*keys, *LINKED[:-1], Column.FIRST_ROW_OF_TECHNOLOGY)
    facts, facts_params = found.facts(*columns, where=Q(is_shared=True))
    condition = f"WHERE {where}" if where else ""
    rows = fetch(
        f"SELECT {as_keys(columns)} FROM ({facts}) AS facts {condition} ORDER BY facts.facility_id",
        facts_params + params,
    )
    # One object for equal keys, of which there are thousands.
    known: dict[Values, Values] = {}
    shared = (SharedRow(known.setdefault(key := row[:width], key), *row[width:]) for row in rows)
    for _, members in groupby(shared, attrgetter("facility")):
        yield tuple(members)


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
