"""Metrics of the changes between two days, from a portfolio ``before`` and one ``now``. Each
applies the filter as of its own day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from operator import add, sub
from uuid import UUID

from dashboard.metrics.columns import Column, Condition, values_of
from dashboard.metrics.comparison import (
    Anew,
    Comparison,
    compare_anew,
    compare_kept,
    differing_and_linked,
)
from dashboard.metrics.moved import kept_moved, moved, restored_sql
from dashboard.metrics.portfolio import Portfolio
from dashboard.metrics.sums import Adder, Members, SharedRow, Total
from oegen.core.sql import Values, fetch
from pipelines.choices import CapacityBasis, Outcome
from pipelines.querysets import DONE, ENDED, HELD, NO_DATE, OPEN, ZERO, Megawatts, mw_of

#: The steps of a walk, in the order in which it is drawn. Additions are positive.
STEPS = {
    "new": "New",
    "restored": "Restored",
    "reopened": "Reopened",
    "off hold": "Off hold",
    "into filter": "Now in the filter",
    "revised": "Capacity revised",
    "on hold": "Put on hold",
    "completed": "Completed",
    "sold": "Sold",
    "ended": "Withdrawn or refused",
    "removed": "Removed",
    "out of filter": "No longer in the filter",
}


@dataclass(frozen=True)
class WalkStep:
    """``storage_mw`` is the part of the change in MW AC that is storage."""

    code: str
    label: str
    facilities: int
    change: Megawatts
    storage_mw: Decimal = ZERO


@dataclass(frozen=True)
class Walk:
    """The steps from the open capacity at the start to that at the end. ``opening_storage_mw`` and
    ``closing_storage_mw`` are the parts of the MW AC that are storage."""

    opening: Megawatts
    steps: tuple[WalkStep, ...]
    closing: Megawatts
    opening_storage_mw: Decimal = ZERO
    closing_storage_mw: Decimal = ZERO

    @property
    def residual(self) -> Decimal:
        """Opening plus steps minus closing, in MW: always 0."""
        return sum((step.change.mw for step in self.steps), self.opening.mw) - self.closing.mw


@dataclass(frozen=True)
class RagMove:
    """The pipelines open on both days that were rated ``start`` and are rated ``end`` ("" is
    unrated), with their capacity now."""

    start: str
    end: str
    total: Total


@dataclass(frozen=True)
class Slip:
    """A change of an RTB date by ``days``, positive for later. ``capacity_mw`` is the pipeline's
    capacity now, in mixed MW."""

    pipeline_id: UUID
    name: str
    start: date
    end: date
    days: int
    capacity_mw: Decimal


@dataclass(frozen=True)
class Slippage:
    """The slippage of the ``pipelines`` that are open, with an RTB date, at both ends.

    ``slipped`` is the number of pipelines whose date changed, ``later`` the number of those with a
    later date; ``slips`` are the top ones, largest delay first. ``weighted_days`` is the mean over
    all ``pipelines``, unchanged dates included, weighted by capacity; None without capacity. A
    facility of several pipelines counts in each. ``left`` is the number of pipelines whose date
    moved to later and that are no longer open.
    """

    slips: tuple[Slip, ...]
    slipped: int
    later: int
    left: int
    pipelines: int
    weighted_days: Decimal | None


def walk(before: Portfolio, now: Portfolio, anew: Anew | None = None) -> Walk:
    """The MW walk. Each facility that is open on only one of the two days is in exactly one step,
    chosen by the status of its pipelines on the other day; if they differ, the first of: completed,
    held, sold, ended, outside the filter. A facility in no pipeline on the other day is new,
    restored or removed.

    ``anew`` are the pipelines of ``differing_and_linked``, and maybe others, if they were compared
    already.
    """
    sums = _steps(before, now, anew)
    opening, closing = (end.total(Condition.IS_OPEN).capacity for end in (before, now))
    return Walk(
        opening=Megawatts(opening.mwp_dc, opening.mw_ac),
        steps=tuple(
            WalkStep(code, label, number, Megawatts(mw_of(dc), mw_of(ac)), mw_of(storage))
            for code, label in STEPS.items()
            for number, dc, ac, storage in [sums.get(code, (0,) * 4)]
        ),
        closing=Megawatts(closing.mwp_dc, closing.mw_ac),
        opening_storage_mw=opening.storage_mw,
        closing_storage_mw=closing.storage_mw,
    )


def _steps(before: Portfolio, now: Portfolio, anew: Anew | None) -> dict[str, tuple[int, ...]]:
    """By code, the number of facilities and the changes in kW: DC, AC, and of that storage."""
    keys = differing_and_linked(before, now)
    if keys is None:
        return _read_steps(now, now.comparison)
    known = now.keep_baseline(lambda _: _read_steps(now, compare_kept(now)), "steps", before.day)
    steps = dict(known)
    if keys:
        for ends, operator in zip(anew or compare_anew(now, keys), (sub, add), strict=True):
            for step, own in _read_steps(now, ends).items():
                steps[step] = tuple(map(operator, steps.get(step, (0,) * len(own)), own))
    return steps


def _read_steps(now: Portfolio, ends: Comparison) -> dict[str, tuple[int, ...]]:
    rows = fetch(
        f"""
        {step_rows(now, ends)}
        SELECT step, COUNT(*), SUM(dc), SUM(ac), SUM(storage) FROM steps GROUP BY step
        """
    )
    return {step: tuple(map(int, numbers)) for step, *numbers in rows}


def step_rows(now: Portfolio, ends: Comparison) -> str:
    """SQL with a CTE ``steps``: a row for each facility and step, with the change in kW.

    For speed it reads only facilities with a row that differs between the two ends.
    """
    earlier, later = ends.earlier, ends.later
    same_row = " AND ".join(f"side.{name} = other.{name}" for name in ("id", "facility_id"))
    same_values = " AND ".join(
        f"COALESCE(side.{name}, {default}) = COALESCE(other.{name}, {default})"
        for name, default in (("in_filter", "0"), ("state", "''"), ("basis", "''"), ("kw", "0"))
    )
    differing = " UNION ALL ".join(
        f"""
        SELECT side.facility_id FROM {side} AS side
        LEFT JOIN {other} AS other ON {same_row}
        WHERE side.facility_id IS NOT NULL AND (other.id IS NULL OR NOT ({same_values}))
        """
        for side, other in ((earlier, later), (later, earlier))
    )
    sides = ",\n".join(
        f"""
        {name} AS MATERIALIZED (
            SELECT facility_id,
                COALESCE(MAX(CASE WHEN basis = '{CapacityBasis.DC}' THEN kw END), 0) AS dc,
                COALESCE(MAX(CASE WHEN basis = '{CapacityBasis.AC}' THEN kw END), 0) AS ac,
                COALESCE(MAX(CASE WHEN is_storage = 1 THEN kw END), 0) AS storage,
                MAX(CASE WHEN in_filter = 1 AND state = '{OPEN}' THEN 1 ELSE 0 END) AS is_open,
                MAX(CASE WHEN in_filter = 1 AND state = '{DONE}' THEN 1 ELSE 0 END) AS completed,
                MAX(CASE WHEN in_filter = 1 AND state = '{HELD}' THEN 1 ELSE 0 END) AS held,
                MAX(CASE WHEN in_filter = 1 AND status = '{Outcome.SOLD}' THEN 1 ELSE 0 END)
                    AS sold,
                MAX(CASE WHEN in_filter = 1 AND state = '{ENDED}' THEN 1 ELSE 0 END) AS ended,
                MAX(CASE WHEN in_filter = 0 THEN 1 ELSE 0 END) AS outside_filter,
                MAX(CASE WHEN in_filter = 1 AND state = '{OPEN}' AND id IN (SELECT id FROM restored)
                    THEN 1 ELSE 0 END) AS restored
            FROM {end} AS ends WHERE facility_id IN (SELECT facility_id FROM differing)
            GROUP BY facility_id
        )"""
        for name, end in (("earlier", earlier), ("later", later))
    )
    return f"""
        WITH differing AS MATERIALIZED ({differing}),
        restored AS MATERIALIZED ({restored_sql(now, ends.new)}),
        {sides},
        steps AS (
            SELECT 'revised' AS step, later.facility_id, later.dc - earlier.dc AS dc,
                later.ac - earlier.ac AS ac, later.storage - earlier.storage AS storage
            FROM later JOIN earlier ON earlier.facility_id = later.facility_id
            WHERE earlier.is_open = 1 AND later.is_open = 1
                AND (earlier.dc <> later.dc OR earlier.ac <> later.ac)
            UNION ALL
            SELECT CASE WHEN later.completed = 1 THEN 'completed'
                WHEN later.held = 1 THEN 'on hold' WHEN later.sold = 1 THEN 'sold'
                WHEN later.ended = 1 THEN 'ended'
                WHEN later.outside_filter = 1 THEN 'out of filter' ELSE 'removed' END,
                earlier.facility_id, -earlier.dc, -earlier.ac, -earlier.storage
            FROM earlier LEFT JOIN later ON later.facility_id = earlier.facility_id
            WHERE earlier.is_open = 1 AND COALESCE(later.is_open, 0) = 0
            UNION ALL
            SELECT CASE WHEN earlier.held = 1 THEN 'off hold'
                WHEN earlier.completed = 1 OR earlier.ended = 1 THEN 'reopened'
                WHEN earlier.outside_filter = 1 THEN 'into filter'
                WHEN later.restored = 1 THEN 'restored' ELSE 'new' END,
                later.facility_id, later.dc, later.ac, later.storage
            FROM later LEFT JOIN earlier ON earlier.facility_id = later.facility_id
            WHERE later.is_open = 1 AND COALESCE(earlier.is_open, 0) = 0
        )
    """


#: Ratings before of no pipeline.
_NONE: Mapping[str, str | None] = {}


def rag_moves(now: Portfolio) -> list[RagMove]:
    """A move for each pair of ratings that occurs. ``now`` must be built with ``before=``.

    A pipeline that did not move has the rating that it had.
    """
    found = moved(now)
    sums = now.sums.added_by(Column.RAG, Column.RAG, where=[Condition.IS_OPEN])
    for (rag, was_state, was_rag, basis), (pipelines, *own) in found.rated.items():
        sums.add((rag, rag), basis, pipelines, own, sign=-1)
        if was_state == OPEN:
            sums.add((was_rag, rag), basis, pipelines, own)
    sums.extend(_moves_of_shared(now))
    totals = sums.totals()
    return [RagMove(was, rag, total) for (was, rag), total in totals.items() if total.pipelines]


def _moves_of_shared(now: Portfolio) -> Adder:
    """What has to be added for the shared facilities of pipelines that moved, which are counted as
    if these had the ratings that they have now."""
    if now.differing is None:
        return _moves_of(now.sums.facilities, moved(now).were_rated)
    known, found = kept_moved(now).were_rated, moved(now).were_rated
    result: Adder = now.keep_baseline(
        lambda kept: _moves_of(kept.shared_facilities(), known).added_up(),
        *("moves of shared", now.before.day),
    ).added_up()
    written = now.written_facilities
    result.extend(_moves_of((then for then, _ in written), known), sign=-1)
    result.extend(_moves_of((here for _, here in written), found))
    return result


def _moves_of(facilities: Iterable[Members], were_rated: Mapping[str, str | None]) -> Adder:
    result = Adder()
    for members in facilities:
        if any(row.pipeline in were_rated for row in members):
            result.add_facility([(_move(row), row) for row in members], sign=-1)
            result.add_facility([(_move(row, were_rated), row) for row in members])
    return result


def _move(row: SharedRow, were_rated: Mapping[str, str | None] = _NONE) -> Values | None:
    """The group of the row; None where the pipeline was not open at both ends."""
    state, rag = _STATE_AND_RAG(row.keys)
    was_rag = were_rated.get(row.pipeline, rag)
    return (was_rag, rag) if state == OPEN and was_rag is not None else None


def slippage(now: Portfolio, limit: int = 10) -> Slippage:
    """The changed RTB dates, at most ``KEPT_SLIPS`` of them. ``now`` must be built with
    ``before=``."""
    found = moved(now)
    pipelines, kw = _open_and_dated(now)
    kw -= found.numbers["undated kw"]
    return Slippage(
        slips=tuple(
            Slip(UUID(row.key), row.name, row.start, row.end, row.days, mw_of(row.kw))
            for row in found.slips[:limit]
        ),
        slipped=found.numbers["slipped"],
        later=found.numbers["later"],
        left=found.numbers["left"],
        pipelines=pipelines - found.numbers["undated"],
        weighted_days=Decimal(found.numbers["days kw"]) / Decimal(kw) if kw else None,
    )


def _open_and_dated(now: Portfolio) -> tuple[int, int]:
    """The number of pipelines that are open, with an RTB date, and the kW of their facilities; a
    facility of several counts in each."""
    sums = now.sums.added_by(Column.RTB_BUCKET, where=[Condition.IS_OPEN], distinct=False)
    dated = [
        (number, kw) for (bucket,), _, number, (_, _, kw, *_) in sums.rows() if bucket != NO_DATE
    ]
    return sum(number for number, _ in dated), sum(kw for _, kw in dated)


_STATE_AND_RAG = values_of((Column.STATE, Column.RAG))
