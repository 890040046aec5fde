"""The net changes of each pipeline between two moments: its state at the start compared with its
state at the end, and the last write in between.

A pipeline is included if it matches the filter at the end, a removed one if it did at the start. It
has a line for each kind of change. For a step of the MW walk, the pipelines of that step are
included with all their lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, cast
from uuid import UUID

from dashboard.metrics.columns import Condition
from dashboard.metrics.comparison import Anew, Comparison
from dashboard.metrics.kinds import AT_BOTH_ENDS, KINDS, MOVES
from dashboard.metrics.last_writes import LastWrite, last_writes
from dashboard.metrics.moved import restored_sql
from dashboard.metrics.movement import STEPS, WalkStep, step_rows
from dashboard.metrics.moves import effective_days
from dashboard.metrics.portfolio import Portfolio, totals_by_link
from dashboard.metrics.sums import Total
from dashboard.metrics.tables import temporary_table
from oegen.core import clock
from oegen.core.sql import Values, date_of, days_between, fetch, uuid_of
from pipelines.choices import CapacityBasis
from pipelines.querysets import Capacity, Megawatts, mw_of

#: The steps that take capacity away. Their pipelines are read at the start.
LEAVING = ("on hold", "completed", "sold", "ended", "removed", "out of filter")


@dataclass(frozen=True)
class PipelineState:
    """A pipeline at the start or the end. ``status`` and ``state`` are those of PipelineQuerySet,
    ``stage`` is a code. ``capacity`` is that of all its facilities, None if none is known."""

    name: str
    stage: str
    status: str
    state: str
    rag: str
    rtb_date: date | None
    capacity: Capacity | None


@dataclass(frozen=True)
class Change:
    """A change of one kind. ``was`` is None for a new pipeline, ``now`` for a removed one. ``days``
    is the delay of the RTB date, None unless there is one at both ends. ``last_write`` is None if
    the pipeline itself was not written, but its stage or technology."""

    kind: str
    pipeline_id: UUID
    days: int | None
    was: PipelineState | None
    now: PipelineState | None
    last_write: LastWrite | None
    #: The effective day of a change of status.
    effective_on: date | None = None

    @property
    def shown_state(self) -> PipelineState:
        """The state at the end or, for a removed pipeline, at the start."""
        # At least one of them is set.
        return cast(PipelineState, self.now or self.was)


@dataclass(frozen=True)
class StepPipeline:
    """A pipeline of a step of the walk. ``change`` is that of its facilities in that step."""

    pipeline_id: UUID
    name: str
    facilities: int
    change: Megawatts
    changes: tuple[Change, ...]


_STATE_COLUMNS = (
    "name",
    "stage",
    "status",
    "state",
    "rag",
    "rtb_date",
    "dc",
    "ac",
    "kwh",
    "storage_kw",
)


@dataclass(frozen=True)
class Changes:
    """The lines: a temporary table with a row for each pipeline and kind. Its columns are
    ``kind``, ``place`` (the rank in the kind), ``id``, ``days`` and the ``_STATE_COLUMNS`` of both
    ends."""

    before: Portfolio
    now: Portfolio
    ends: Comparison
    step: str = ""
    #: Where not all pipelines are compared, those that are.
    anew: Anew | None = None

    @property
    def table(self) -> str:
        return f"{self.ends.name}_lines"

    @property
    def step_table(self) -> str:
        """The table of the pipelines of the step, with the facilities of the step."""
        return f"{self.ends.name}_step"

    def totals(self) -> dict[str, Total]:
        """The total of each kind that occurs, in order, by the state at the end; for removed
        pipelines, at the start."""
        lines = f"SELECT id AS pipeline_id, kind FROM {self.table} WHERE kind"
        earlier, later = (
            f"SELECT * FROM {table} AS ends WHERE in_filter = 1"
            for table in (self.ends.earlier, self.ends.later)
        )
        found = totals_by_link(later, f"{lines} <> 'removed'", "kind")
        found |= totals_by_link(earlier, f"{lines} = 'removed'", "kind")
        return {kind: found[kind] for kind in KINDS if kind in found}

    def pipelines(self) -> int:
        [(number,)] = fetch(f"SELECT COUNT(DISTINCT id) FROM {self.table}")
        return int(number)

    def first(self, limit: int) -> dict[str, list[Change]]:
        """The first ``limit`` changes of each kind."""
        found = defaultdict(list)
        for change in self._changes(f"place <= {limit}"):
            found[change.kind].append(change)
        return found

    def of_kind(self, kind: str, start: int, limit: int) -> list[Change]:
        """The changes of a kind in ``KINDS``: slips by delay, others by capacity, descending."""
        return self._changes(f"kind = '{kind}' AND place > {start} AND place <= {start + limit}")

    def step_total(self) -> WalkStep:
        """The step of the walk, added up from the facilities of its pipelines."""
        [(number, dc, ac, storage)] = fetch(
            f"""
            SELECT COUNT(*), SUM(dc), SUM(ac), SUM(storage)
            FROM (SELECT DISTINCT facility_id, dc, ac, storage FROM {self.step_table}) AS found
            """
        )
        change = _megawatts(dc, ac)
        return WalkStep(self.step, STEPS[self.step], number, change, mw_of(storage or 0))

    def step_pipeline_count(self) -> int:
        [(number,)] = fetch(f"SELECT COUNT(DISTINCT pipeline_id) FROM {self.step_table}")
        return int(number)

    def step_pipelines(self, start: int, limit: int) -> list[StepPipeline]:
        """The pipelines of the step, the largest change first."""
        page = f"""
            SELECT pipeline_id, name, COUNT(*) AS facilities, SUM(dc) AS dc, SUM(ac) AS ac
            FROM {self.step_table} GROUP BY pipeline_id, name
            ORDER BY ABS(SUM(dc) + SUM(ac)) DESC, name, pipeline_id LIMIT {limit} OFFSET {start}
        """
        changes = defaultdict(list)
        for change in self._changes(f"id IN (SELECT pipeline_id FROM ({page}) AS page)"):
            changes[change.pipeline_id].append(change)
        return [
            StepPipeline(
                key := uuid_of(raw_key), name, number, _megawatts(dc, ac), tuple(changes[key])
            )
            for raw_key, name, number, dc, ac in fetch(page)
        ]

    def _changes(self, where: str) -> list[Change]:
        """The lines that ``where`` selects, read in a fixed number of queries."""
        columns = ", ".join([*(f"was_{name}" for name in _STATE_COLUMNS), *_STATE_COLUMNS])
        rows = fetch(
            f"SELECT kind, id, days, {columns} FROM {self.table} WHERE {where} ORDER BY place, id"
        )
        written = self._last_writes(rows) if rows else {}
        moved = {uuid_of(row[1]) for row in rows if row[0] in MOVES}
        effective = effective_days(moved, clock.end_of(self.now.day)) if moved else {}
        width = len(_STATE_COLUMNS)
        order = list(KINDS)
        rows.sort(key=lambda row: order.index(row[0]))
        return [
            Change(
                kind,
                key := uuid_of(raw_key),
                None if days is None else int(days),
                _state_from(values[:width]),
                _state_from(values[width:]),
                next(
                    (written[key, what] for what in KINDS[kind].aspects if (key, what) in written),
                    None,
                ),
                effective.get(key) if kind in MOVES else None,
            )
            for kind, raw_key, days, *values in rows
        ]

    def _last_writes(self, lines: list[Values]) -> dict[tuple[UUID, str], LastWrite]:
        """The last writes of the pipelines of the lines: kind, id, …."""
        return last_writes(
            {uuid_of(key) for _, key, *_ in lines},
            self.ends.later,
            clock.end_of(self.before.day),
            clock.end_of(self.now.day),
            with_basis=any(kind == "basis" for kind, *_ in lines),
        )


def _megawatts(dc: Any, ac: Any) -> Megawatts:
    return Megawatts(mw_of(dc), mw_of(ac))


def _state_from(values: list[Any]) -> PipelineState | None:
    name, stage, status, state, rag, rtb_date, dc, ac, kwh, storage_kw = values
    if state is None:
        return None
    capacity = None
    if dc is not None or ac is not None:
        capacity = Capacity(mw_of(dc), mw_of(ac), mw_of(kwh), storage_mw=mw_of(storage_kw))
    return PipelineState(
        name, stage, status, state, rag, date_of(rtb_date) if rtb_date else None, capacity
    )


@contextmanager
def changes(before: Portfolio, now: Portfolio, *, step: str = "") -> Iterator[Changes]:
    """The changes of the filtered pipelines; with ``step``, a code of movement.STEPS, those of the
    pipelines of that step, whether or not they match the filter at the end."""
    if not step:
        with changes_between(before, now, now.comparison) as result:
            yield result
        return
    result = Changes(before, now, now.comparison, step)
    in_step = f"SELECT pipeline_id FROM {result.step_table}"
    selection = f"COALESCE(later.id, earlier.id) IN ({in_step})"
    with (
        temporary_table(result.step_table, _step_sql(result)),
        temporary_table(result.table, _lines_sql(result, selection)),
    ):
        yield result


@contextmanager
def changes_between(before: Portfolio, now: Portfolio, ends: Comparison) -> Iterator[Changes]:
    """The changes of the filtered pipelines among those compared, between these ``ends``."""
    result = Changes(before, now, ends)
    selection = "COALESCE(later.in_filter, earlier.in_filter) = 1"
    with temporary_table(result.table, _lines_sql(result, selection)):
        yield result


def _step_sql(result: Changes) -> str:
    end = result.ends.earlier if result.step in LEAVING else result.ends.later
    return f"""
        {step_rows(result.now, result.ends)}
        SELECT ends.id AS pipeline_id, ends.name, steps.facility_id, steps.dc, steps.ac,
            steps.storage
        FROM steps JOIN {end} AS ends ON ends.facility_id = steps.facility_id
        WHERE steps.step = '{result.step}' AND ends.in_filter = 1 AND {Condition.IS_OPEN.sql}
    """


def _lines_sql(result: Changes, selection: str) -> str:
    both_ends = ", ".join(
        f"earlier.{name} AS was_{name}, later.{name} AS {name}" for name in ("id", *_STATE_COLUMNS)
    )
    conditions = {
        code: kind.condition
        if code in ("new", "restored", "removed")
        else f"{AT_BOTH_ENDS} AND ({kind.condition})"
        for code, kind in KINDS.items()
    }
    kinds = " UNION ALL ".join(
        f"SELECT '{code}' AS kind, changed.* FROM changed WHERE {condition}"
        for code, condition in conditions.items()
    )
    both_ends += ", later.dc_then, later.ac_then"
    columns = ", ".join(f"was_{name}, {name}" for name in _STATE_COLUMNS)
    return f"""
        WITH bases AS MATERIALIZED (
            SELECT technology_id, MAX(basis) AS basis FROM {result.ends.earlier}
            WHERE technology_id IS NOT NULL GROUP BY technology_id
        ),
        restored AS MATERIALIZED ({restored_sql(result.now, result.ends.new)}),
        earlier AS MATERIALIZED ({_states_sql(result.ends.earlier)}),
        later AS MATERIALIZED ({_states_sql(result.ends.later)}),
        pairs AS (
            SELECT {both_ends}, CASE WHEN later.id IN (SELECT id FROM restored)
                THEN 1 ELSE 0 END AS restored
            FROM later LEFT JOIN earlier ON earlier.id = later.id WHERE {selection}
            UNION ALL
            SELECT {both_ends}, 0 FROM earlier LEFT JOIN later ON later.id = earlier.id
            WHERE later.id IS NULL AND {selection}
        ),
        changed AS MATERIALIZED (SELECT * FROM pairs WHERE ({") OR (".join(conditions.values())})),
        found AS (
            SELECT kinds.*, COALESCE(id, was_id) AS key,
                {days_between("was_rtb_date", "rtb_date")} AS days,
                COALESCE(dc, 0) + COALESCE(ac, 0) + CASE WHEN kind = 'removed'
                    THEN COALESCE(was_dc, 0) + COALESCE(was_ac, 0) ELSE 0 END AS kw
            FROM ({kinds}) AS kinds
        )
        SELECT kind, key AS id, days, {columns}, ROW_NUMBER() OVER (
            PARTITION BY kind
            ORDER BY CASE WHEN kind = 'slipped' THEN days END DESC, kw DESC,
                COALESCE(name, was_name), key
        ) AS place
        FROM found
    """


def _states_sql(end: str) -> str:
    # Floats add whole numbers exactly, and on PostgreSQL in half the time.
    kw, kwh = (f"CAST({one} AS DOUBLE PRECISION)" for one in ("kw", "kwh"))
    same = ", ".join(
        f"MAX({name}) AS {name}"
        for name in ("name", "stage", "status", "state", "rag", "rtb_date", "in_filter")
    )
    sums = ", ".join(
        f"SUM(CASE WHEN {basis} = '{value}' THEN {kw} END) AS {name}{suffix}"
        for basis, suffix in (
            ("ends.basis", ""),
            ("COALESCE(bases.basis, ends.basis)", "_then"),
        )
        for name, value in (("dc", CapacityBasis.DC), ("ac", CapacityBasis.AC))
    )
    return f"""
        SELECT id, {same}, {sums}, SUM({kwh}) AS kwh,
            SUM(CASE WHEN is_storage = 1 THEN {kw} END) AS storage_kw
        FROM {end} AS ends LEFT JOIN bases ON bases.technology_id = ends.technology_id
        GROUP BY id
    """
