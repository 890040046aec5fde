"""The pipelines of a portfolio beside how they were in another one, as temporary tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, cast
from uuid import UUID

from django.db import connection

from dashboard.metrics.columns import Column
from dashboard.metrics.fact_rows import select_facts
from dashboard.metrics.tables import analyse, new_table_name, temporary_table
from oegen import asof
from oegen.core import clock
from oegen.core.database import key_set
from oegen.core.sql import Values, adapted, fetch, run, uuid_of
from pipelines.facts.intervals import FOREVER
from pipelines.facts.spans import valid_at
from pipelines.models import Fact, Stage, Technology

if TYPE_CHECKING:
    from dashboard.metrics.portfolio import Portfolio

#: The columns of the tables of a comparison.
COMPARED = (
    *(Column.ID, Column.NAME, Column.STAGE, Column.STATUS, Column.STATE, Column.RAG),
    *(Column.RTB_DATE, Column.OWNERSHIP, Column.PROBABILITY, Column.IN_FILTER, Column.FACILITY),
    *(Column.TECHNOLOGY, Column.BASIS, Column.IS_STORAGE, Column.KW, Column.KWH),
    *(Column.FIRST_ROW, Column.SHARED),
)

#: The columns that plans of PostgreSQL depend on: to analyse all would take longer than to fill.
_ANALYSED = (Column.ID, Column.FACILITY, Column.IN_FILTER, Column.STATE)


@dataclass(frozen=True)
class Comparison:
    """The pipelines of a portfolio that are not the same in the one before, or share a facility
    with one that is not: temporary tables of their facts at both ends, with the columns of
    ``COMPARED``.

    In filter or not: a pipeline is also included where only the filter matches it differently. One
    that is outside it at both ends is included only for the facilities that it has of others.

    ``later`` can be of several portfolios, which its column ``place`` counts from 0.
    ``name`` is what the names of tables made from these begin with.
    """

    name: str
    earlier: str
    later: str

    def of_end(self, place: int) -> Comparison:
        rows = f"(SELECT * FROM {self.later} WHERE place = {place})"
        return Comparison(f"{self.name}_{place}", self.earlier, rows)

    @property
    def new(self) -> str:
        """SQL for the ids of the pipelines that are at the later end alone."""
        return f"SELECT id FROM {self.later} AS ends EXCEPT SELECT id FROM {self.earlier}"


def compare(
    before: Portfolio,
    ends: Sequence[Portfolio],
    tables: ExitStack,
    only: Collection[UUID] | None = None,
) -> Comparison:
    name, now = new_table_name("portfolio"), ends[-1]
    earlier, later, among = f"{name}_earlier", f"{name}_later", ""
    vocabulary_changed = is_vocabulary_changed(before, now)
    ids: tuple[str, Values] | None = None
    if only is not None:
        keys = key_set(only)
        ids = f"WITH keys (id) AS ({keys.sql}) SELECT id FROM keys", tuple(keys.params)
    elif not vocabulary_changed and bool(before.selected) == bool(now.selected):
        ids = _compared_ids(before, now)
    if ids:
        among = f"{name}_compared"
        tables.enter_context(temporary_table(among, *ids))
        analyse(among, Column.ID)
    with now.reading():
        with before.reading() if vocabulary_changed else clock.override_day(before.day):
            rows, params = _compared_rows(before, among)
            tables.enter_context(temporary_table(earlier, rows, params))
        if only is None:
            _prepare(earlier)
        parts, params = zip(*(_compared_rows(end, among) for end in ends), strict=True)
        rows = " UNION ALL ".join(
            f"SELECT {place} AS place, facts.* FROM ({part}) AS facts"
            for place, part in enumerate(parts)
        )
        tables.enter_context(temporary_table(later, rows, tuple(chain(*params))))
        if only is None:
            _prepare(later)
    return Comparison(name, earlier, later)


def _prepare(table: str) -> None:
    """For joins by id: PostgreSQL hashes the rows, SQLite looks them up one by one."""
    if connection.vendor == "sqlite":
        run(f"CREATE INDEX {table}_id ON {table} (id)")
    analyse(table, *_ANALYSED)


def _compared_rows(end: Portfolio, among: str) -> tuple[str, Values]:
    span = valid_at(end.moment)
    return select_facts(span, *COMPARED, among=among, in_filter=end.selected)


def is_vocabulary_changed(before: Portfolio, now: Portfolio) -> bool:
    """Whether a stage or technology was changed in between, other than by the set-up."""
    since, until = cast("datetime", before.moment), clock.end_of(now.day)
    return now.once(
        "vocabulary changed", lambda: asof.is_written([Stage, Technology], since, until)
    )


class Anew(NamedTuple):
    """Comparisons of the same pipelines: of them as they are kept, and as they are."""

    kept: Comparison
    current: Comparison


def compare_anew(now: Portfolio, keys: Collection[UUID]) -> Anew:
    found = now.compare([now.kept, now], keys)
    return Anew(found.of_end(0), found.of_end(1))


def compare_kept(now: Portfolio) -> Comparison:
    """The comparison of the portfolio as it is kept."""
    found: Comparison = now.once("kept comparison", lambda: now.compare([now.kept]))
    return found


def differing_and_linked(before: Portfolio, now: Portfolio) -> list[UUID] | None:
    """The pipelines that are not as they are kept, with those that have a facility of theirs, be it
    at the other end. All others are as they are kept, and so are their facilities, which others
    may share. None where nothing is kept, or a stage or technology was changed in between."""
    found: list[UUID] | None = now.once("linked", lambda: _differing_and_linked(before, now))
    return found


def _differing_and_linked(before: Portfolio, now: Portfolio) -> list[UUID] | None:
    keys = now.differing
    if keys is None or is_vocabulary_changed(before, now):
        return None
    if not keys:
        return []
    own, facts = key_set(keys), Fact._meta.db_table
    changed, moments = _changed_facts(before, now)
    linked = fetch(
        f"""
        WITH own (id) AS ({own.sql}),
        theirs AS MATERIALIZED (
            SELECT facility_id FROM {facts} WHERE pipeline_id IN (SELECT id FROM own)
        )
        SELECT id FROM own
        UNION SELECT id FROM ({changed}) AS changed
        WHERE facility_id IN (SELECT facility_id FROM theirs)
        UNION SELECT pipeline_id FROM {facts}
        WHERE is_shared AND facility_id IN (SELECT facility_id FROM theirs)
        """,
        (*own.params, *moments),
    )
    return [uuid_of(key) for (key,) in linked]


def _changed_facts(before: Portfolio, now: Portfolio) -> tuple[str, Values]:
    """SQL, with parameters, that selects the pipelines and facilities whose facts began or ended in
    between."""
    facts, since = Fact._meta.db_table, cast("datetime", before.moment)
    return (
        f"""
        SELECT pipeline_id AS id, facility_id FROM {facts}
        WHERE valid_from >= %s AND valid_from < %s
        UNION SELECT pipeline_id, facility_id FROM {facts}
        WHERE valid_until >= %s AND valid_until < %s
        """,
        adapted(since, now.moment or FOREVER) * 2,
    )


def _compared_ids(before: Portfolio, now: Portfolio) -> tuple[str, Values]:
    """SQL, with parameters, that selects the ids of the pipelines of a Comparison."""
    facts = Fact._meta.db_table
    changed, moments = _changed_facts(before, now)
    found, others = "SELECT DISTINCT id FROM changed", ""
    if before.selected:
        found = f"""
            SELECT id FROM (
                SELECT id FROM {before.selected} UNION ALL SELECT id FROM {now.selected}
            ) AS ends
            GROUP BY id HAVING COUNT(*) = 1 OR id IN (SELECT id FROM changed)
        """
        # Those outside the filter that had a facility of theirs at the other end.
        others = """
            UNION SELECT id FROM changed WHERE facility_id IN (
                SELECT facility_id FROM changed WHERE id IN (SELECT id FROM found)
            )
        """
    return (
        f"""
        WITH changed AS MATERIALIZED ({changed}),
        found AS MATERIALIZED ({found})
        SELECT id FROM found {others} UNION SELECT pipeline_id FROM {facts}
        WHERE is_shared AND facility_id IN (
            SELECT facility_id FROM {facts}
            WHERE is_shared AND pipeline_id IN (SELECT id FROM found)
        )
        """,
        moments,
    )
