"""What happened to the pipelines between two days: metrics of a portfolio before and one now. Each
side applies the filter as of its own day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import connection

from dashboard.metrics.portfolio import (
    Column,
    Condition,
    Portfolio,
    Total,
    date_of,
    days_between,
    fetch,
    uuid_of,
)
from oegen import audit
from oegen.asof import table
from oegen.core import clock
from pipelines.choices import CapacityBasis, Outcome
from pipelines.models import Pipeline
from pipelines.querysets import DONE, ENDED, HELD, OPEN, ZERO, Megawatts, mw_of

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
    """From the open capacity at the start to that at the end, each with the part of its MW AC that
    is storage."""

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
    """Pipelines open on both days, grouped by rating at each ("" is unrated). ``total`` uses their
    current capacity."""

    start: str
    end: str
    total: Total


@dataclass(frozen=True)
class Slip:
    """``days`` is positive for later. ``capacity_mw`` is the pipeline's now, mixed."""

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


def walk(before: Portfolio, now: Portfolio) -> Walk:
    """The MW walk. Each facility that is open on only one of the two days is in exactly one step,
    chosen by the status of its pipelines on the other day; if they differ, the first of: completed,
    held, sold, ended, outside the filter. A facility in no pipeline on the other day is new,
    restored or removed."""
    found = {
        step: (number, Megawatts(mw_of(dc), mw_of(ac)), mw_of(stored))
        for step, number, dc, ac, stored in fetch(
            f"""
            {step_rows(before, now)}
            SELECT step, COUNT(*), SUM(dc), SUM(ac), SUM(stored) FROM steps GROUP BY step
            """
        )
    }
    nothing = 0, Megawatts(), ZERO
    opening, closing = (end.total(Condition.IS_OPEN).capacity for end in (before, now))
    return Walk(
        opening=Megawatts(opening.mwp_dc, opening.mw_ac),
        steps=tuple(
            WalkStep(code, label, *found.get(code, nothing)) for code, label in STEPS.items()
        ),
        closing=Megawatts(closing.mwp_dc, closing.mw_ac),
        opening_storage_mw=opening.storage_mw,
        closing_storage_mw=closing.storage_mw,
    )


def step_rows(before: Portfolio, now: Portfolio) -> str:
    """SQL whose ``steps`` has a row for each facility and step, with its change in kW.

    For speed it reads only facilities with a row that differs between the two.
    """
    same = " AND ".join(f"ours.{name} = theirs.{name}" for name in ("id", "facility_id"))
    alike = " AND ".join(
        f"COALESCE(ours.{name}, {nothing}) = COALESCE(theirs.{name}, {nothing})"
        for name, nothing in (("chosen", "0"), ("state", "''"), ("basis", "''"), ("kw", "0"))
    )
    differing = " UNION ALL ".join(
        f"""
        SELECT ours.facility_id FROM {ours.table} AS ours
        LEFT JOIN {theirs.table} AS theirs ON {same}
        WHERE ours.facility_id IS NOT NULL AND (theirs.id IS NULL OR NOT ({alike}))
        """
        for ours, theirs in ((before, now), (now, before))
    )
    sides = ",\n".join(
        f"""
        {name} AS MATERIALIZED (
            SELECT facility_id,
                COALESCE(MAX(CASE WHEN basis = '{CapacityBasis.DC}' THEN kw END), 0) AS dc,
                COALESCE(MAX(CASE WHEN basis = '{CapacityBasis.AC}' THEN kw END), 0) AS ac,
                COALESCE(MAX(CASE WHEN stored = 1 THEN kw END), 0) AS stored,
                MAX(CASE WHEN chosen = 1 AND state = '{OPEN}' THEN 1 ELSE 0 END) AS counts,
                MAX(CASE WHEN chosen = 1 AND state = '{DONE}' THEN 1 ELSE 0 END) AS completed,
                MAX(CASE WHEN chosen = 1 AND state = '{HELD}' THEN 1 ELSE 0 END) AS held,
                MAX(CASE WHEN chosen = 1 AND status = '{Outcome.SOLD}' THEN 1 ELSE 0 END) AS sold,
                MAX(CASE WHEN chosen = 1 AND state = '{ENDED}' THEN 1 ELSE 0 END) AS ended,
                MAX(CASE WHEN chosen = 0 THEN 1 ELSE 0 END) AS elsewhere,
                MAX(CASE WHEN chosen = 1 AND state = '{OPEN}' AND id IN (SELECT id FROM restored)
                    THEN 1 ELSE 0 END) AS restored
            FROM {end.table} WHERE facility_id IN (SELECT facility_id FROM differing)
            GROUP BY facility_id
        )"""
        for name, end in (("a", before), ("b", now))
    )
    return f"""
        WITH differing AS MATERIALIZED ({differing}),
        restored AS MATERIALIZED ({restored_sql(before, now)}),
        {sides},
        steps AS (
            SELECT 'revised' AS step, b.facility_id, b.dc - a.dc AS dc, b.ac - a.ac AS ac,
                b.stored - a.stored AS stored
            FROM b JOIN a ON a.facility_id = b.facility_id
            WHERE a.counts = 1 AND b.counts = 1 AND (a.dc <> b.dc OR a.ac <> b.ac)
            UNION ALL
            SELECT CASE WHEN b.completed = 1 THEN 'completed' WHEN b.held = 1 THEN 'on hold'
                WHEN b.sold = 1 THEN 'sold' WHEN b.ended = 1 THEN 'ended'
                WHEN b.elsewhere = 1 THEN 'out of filter' ELSE 'removed' END,
                a.facility_id, -a.dc, -a.ac, -a.stored
            FROM a LEFT JOIN b ON b.facility_id = a.facility_id
            WHERE a.counts = 1 AND COALESCE(b.counts, 0) = 0
            UNION ALL
            SELECT CASE WHEN a.held = 1 THEN 'off hold'
                WHEN a.completed = 1 OR a.ended = 1 THEN 'reopened'
                WHEN a.elsewhere = 1 THEN 'into filter'
                WHEN b.restored = 1 THEN 'restored' ELSE 'new' END,
                b.facility_id, b.dc, b.ac, b.stored
            FROM b LEFT JOIN a ON a.facility_id = b.facility_id
            WHERE b.counts = 1 AND COALESCE(a.counts, 0) = 0
        )
    """


def restored_sql(before: Portfolio, now: Portfolio) -> str:
    """SQL for the ids of the pipelines that exist ``now``, did not exist ``before``, but have older
    history rows: they were removed and restored."""
    since = connection.ops.adapt_datetimefield_value(clock.end_of(before.day))
    history = table(audit.history_model(Pipeline))
    return f"""
        SELECT DISTINCT ours.id FROM {now.table} AS ours
        WHERE NOT EXISTS (SELECT 1 FROM {before.table} AS theirs WHERE theirs.id = ours.id)
            AND EXISTS (
                SELECT 1 FROM {history} AS earlier
                WHERE earlier.id = ours.id AND earlier.history_date < '{since}'
            )
    """


def rag_moves(now: Portfolio) -> list[RagMove]:
    """One for each pair of ratings that occurs. ``now`` must be built with ``before=``."""
    totals = now.totals_by(
        Column.WAS_RAG, Column.RAG, where=[Condition.IS_OPEN, Condition.WAS_OPEN]
    )
    return [RagMove(was, rag, total) for (was, rag), total in totals.items()]


def slippage(now: Portfolio, limit: int = 10) -> Slippage:
    """``now`` must be built with ``before=``, which fills its ``was_`` columns."""
    days = days_between("was_rtb_date", "rtb_date")
    is_open = Condition.IS_OPEN
    dated = f"""
        FROM {now.table} WHERE chosen = 1 AND {Condition.WAS_OPEN}
            AND was_rtb_date IS NOT NULL AND rtb_date IS NOT NULL
    """
    [(pipelines, slipped, later, left, kw, days_kw)] = fetch(
        f"""
        SELECT SUM(once) FILTER (WHERE {is_open}),
            SUM(once) FILTER (WHERE {is_open} AND rtb_date <> was_rtb_date),
            SUM(once) FILTER (WHERE {is_open} AND rtb_date > was_rtb_date),
            SUM(once) FILTER (WHERE NOT ({is_open}) AND rtb_date > was_rtb_date),
            SUM(kw) FILTER (WHERE {is_open}),
            SUM({days} * 1.0 * kw) FILTER (WHERE {is_open})
        {dated}
        """
    )
    worst = fetch(
        f"""
        SELECT id, name, was_rtb_date, rtb_date, {days} AS days, SUM(kw) {dated}
            AND {is_open} AND rtb_date <> was_rtb_date
        GROUP BY id, name, was_rtb_date, rtb_date ORDER BY days DESC, name, id LIMIT {limit}
        """
    )
    return Slippage(
        slips=tuple(
            Slip(uuid_of(key), name, date_of(was), date_of(is_now), int(days), mw_of(kw))
            for key, name, was, is_now, days, kw in worst
        ),
        slipped=int(slipped or 0),
        later=int(later or 0),
        left=int(left or 0),
        pipelines=int(pipelines or 0),
        weighted_days=Decimal(days_kw) / Decimal(kw) if kw else None,
    )
