"""What happened to the pipelines between the end of one day and the end of another.

::

    with compare(select, start=date(2026, 3, 31)) as comparison:
        comparison.walk()

``select`` gives the filtered set of pipelines; it is asked once for each end, because a filter may
hold of a pipeline at one end only. What each pipeline and its facilities were at each end goes into
temporary tables, and everything else is worked out there by the database.

Capacities are of distinct facilities. One whose capacity nobody knows counts as none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db import connection
from django.db.models import Case, CharField, F, IntegerField, Value, When

from oegen import clock
from oegen.asof import as_of
from oegen.models import ChangeSet
from pipelines.choices import CapacityBasis, Outcome
from pipelines.models import Pipeline, PipelineFacility
from pipelines.querysets import PipelineQuerySet

ZERO = Decimal(0)

KEPT_SECONDS = 3600

#: How a pipeline stands at one end.
OPEN, HELD, COMPLETED, ENDED = "open", "held", "completed", "ended"

#: Part of what is open.
OVERDUE = "overdue"

#: The steps of a walk, in the order in which it is drawn. What comes in is positive.
STEPS = {
    "new": "New",
    "reopened": "Reopened",
    "off hold": "Off hold",
    "into filter": "Now in the filter",
    "revised": "Capacity revised",
    "on hold": "Put on hold",
    "completed": "Completed",
    "ended": "Withdrawn, refused or sold",
    "removed": "Removed",
    "out of filter": "No longer in the filter",
}


@dataclass(frozen=True)
class Megawatts:
    """A change of capacity, or a capacity, with the bases apart."""

    mwp_dc: Decimal = ZERO
    mw_ac: Decimal = ZERO

    @property
    def mw(self) -> Decimal:
        return self.mwp_dc + self.mw_ac

    def __add__(self, other: Megawatts) -> Megawatts:
        return Megawatts(self.mwp_dc + other.mwp_dc, self.mw_ac + other.mw_ac)


@dataclass(frozen=True)
class WalkStep:
    code: str
    label: str
    change: Megawatts
    facilities: int


@dataclass(frozen=True)
class Walk:
    """From the open capacity at the start to that at the end."""

    opening: Megawatts
    steps: tuple[WalkStep, ...]
    closing: Megawatts

    @property
    def residual(self) -> Decimal:
        """What the steps leave unexplained, in MW: always zero."""
        return sum((step.change.mw for step in self.steps), self.opening.mw) - self.closing.mw


@dataclass(frozen=True)
class RagMove:
    """Pipelines open at both ends, by their ratings there; "" is not rated. Capacity at the end."""

    start: str
    end: str
    pipelines: int
    capacity: Megawatts


@dataclass(frozen=True)
class Slip:
    """``days`` is positive for later. ``capacity_mw`` is the pipeline's at the end, mixed."""

    pipeline_id: UUID
    name: str
    start: date
    end: date
    days: int
    capacity_mw: Decimal


@dataclass(frozen=True)
class Slippage:
    """Of pipelines that are open at the end and have an RTB date at both ends.

    ``weighted_days`` is the mean of their slips, unchanged dates included, weighted by capacity;
    None when there is no capacity to weigh by.
    """

    slips: tuple[Slip, ...]
    pipelines: int
    weighted_days: Decimal | None


@dataclass(frozen=True)
class Ends:
    """The pipelines of one kind at the start and at the end."""

    pipelines: tuple[int, int]
    capacity: tuple[Megawatts, Megawatts]

    @property
    def change_mw(self) -> Decimal:
        start, end = self.capacity
        return end.mw - start.mw


@dataclass(frozen=True)
class Summary:
    """``ends`` is by OPEN, HELD, COMPLETED, ENDED and OVERDUE."""

    ends: dict[str, Ends]
    walk: Walk
    rag_moves: tuple[RagMove, ...]
    slippage: Slippage


@contextmanager
def compare(
    select: Callable[[], PipelineQuerySet], *, start: date, end: date | None = None
) -> Iterator[Comparison]:
    """``end`` defaults to now. The tables are dropped at the end of the block."""
    made: list[str] = []
    try:
        for side, day in (("a", start), ("b", end)):
            with as_of(day) if day else nullcontext():
                for name, rows in (
                    (f"compared_pipelines_{side}", _pipelines(select())),
                    (f"compared_parts_{side}", _parts()),
                ):
                    sql, params = rows.query.sql_with_params()
                    with connection.cursor() as cursor:
                        cursor.execute(f"CREATE TEMPORARY TABLE {name} AS {sql}", params)
                    made.append(name)
        yield Comparison()
    finally:
        with connection.cursor() as cursor:
            for name in made:
                cursor.execute(f"DROP TABLE {name}")


def summary_of(select: Callable[[], PipelineQuerySet], start: date) -> Summary:
    """Everything about what happened from ``start`` to the day that is being looked at.

    For now it is kept until somebody writes: then ``select`` must be the same for all callers.
    """
    if clock.past_day():
        with compare(select, start=start) as comparison:
            return comparison.summary()
    newest = ChangeSet.objects.order_by("-number").values_list("seal", flat=True).first()
    key = f"comparison:{start}:{clock.today()}:{newest}"
    summary = cache.get(key)
    if summary is None:
        with compare(select, start=start) as comparison:
            summary = comparison.summary()
        cache.set(key, summary, timeout=KEPT_SECONDS)
    return summary


def a_month_before(day: date) -> date:
    """The same day of the month before, or its last."""
    last = day.replace(day=1) - timedelta(days=1)
    return last.replace(day=min(day.day, last.day))


def _pipelines(chosen: PipelineQuerySet):
    """Every pipeline, with how it stands and whether the filter holds of it."""
    state = Case(
        When(stage__is_terminal=True, outcome=Outcome.ACTIVE, then=Value(COMPLETED)),
        When(on_hold=True, outcome=Outcome.ACTIVE, then=Value(HELD)),
        When(outcome=Outcome.ACTIVE, then=Value(OPEN)),
        default=Value(ENDED),
        output_field=CharField(),
    )
    matches = Case(
        When(pk__in=chosen.order_by().values("pk"), then=Value(1)),
        default=Value(0),
        output_field=IntegerField(),
    )
    return (
        Pipeline.objects.order_by()
        .with_overdue()
        .annotate(state=state, matches=matches)
        .annotate(
            overdue=Case(
                When(is_overdue=True, then=Value(1)),
                default=Value(0),
                output_field=IntegerField(),
            )
        )
        .values("id", "project_name", "rag_status", "rtb_date", "state", "matches", "overdue")
    )


def _parts():
    return PipelineFacility.objects.order_by().values(
        "pipeline_id",
        "facility_id",
        capacity_mw=F("facility__capacity_mw"),
        capacity_basis=F("facility__technology__capacity_basis"),
    )


_SIDES = """
    {side} AS (
        SELECT facility_id, MAX(capacity_mw) AS mw, MAX(capacity_basis) AS basis,
            MAX(CASE WHEN matches = 1 AND state = 'open' THEN 1 ELSE 0 END) AS counts,
            MAX(CASE WHEN matches = 1 AND state = 'completed' THEN 1 ELSE 0 END) AS completed,
            MAX(CASE WHEN matches = 1 AND state = 'held' THEN 1 ELSE 0 END) AS held,
            MAX(CASE WHEN matches = 1 AND state = 'ended' THEN 1 ELSE 0 END) AS ended,
            MAX(CASE WHEN matches = 0 THEN 1 ELSE 0 END) AS elsewhere
        FROM compared_parts_{side} AS parts
        JOIN compared_pipelines_{side} AS pipelines ON pipelines.id = parts.pipeline_id
        GROUP BY facility_id
    )
"""

_WALK = f"""
    WITH {_SIDES.format(side="a")}, {_SIDES.format(side="b")}
    SELECT step, SUM(CASE WHEN basis = 'dc' THEN mw END), SUM(CASE WHEN basis = 'ac' THEN mw END),
        COUNT(DISTINCT facility_id) FROM (
        SELECT 'opening' AS step, basis, mw, facility_id FROM a WHERE counts = 1
        UNION ALL
        SELECT 'closing', basis, mw, facility_id FROM b WHERE counts = 1
        UNION ALL
        SELECT 'revised', b.basis, b.mw, b.facility_id
        FROM b JOIN a ON a.facility_id = b.facility_id WHERE a.counts = 1 AND b.counts = 1
            AND (COALESCE(a.mw, 0) <> COALESCE(b.mw, 0) OR a.basis <> b.basis)
        UNION ALL
        SELECT 'revised', a.basis, -a.mw, a.facility_id
        FROM b JOIN a ON a.facility_id = b.facility_id WHERE a.counts = 1 AND b.counts = 1
            AND (COALESCE(a.mw, 0) <> COALESCE(b.mw, 0) OR a.basis <> b.basis)
        UNION ALL
        SELECT CASE WHEN b.completed = 1 THEN 'completed' WHEN b.held = 1 THEN 'on hold'
            WHEN b.ended = 1 THEN 'ended' WHEN b.elsewhere = 1 THEN 'out of filter'
            ELSE 'removed' END, a.basis, -a.mw, a.facility_id
        FROM a LEFT JOIN b ON b.facility_id = a.facility_id
        WHERE a.counts = 1 AND COALESCE(b.counts, 0) = 0
        UNION ALL
        SELECT CASE WHEN a.held = 1 THEN 'off hold'
            WHEN a.completed = 1 OR a.ended = 1 THEN 'reopened'
            WHEN a.elsewhere = 1 THEN 'into filter' ELSE 'new' END, b.basis, b.mw, b.facility_id
        FROM b LEFT JOIN a ON a.facility_id = b.facility_id
        WHERE b.counts = 1 AND COALESCE(a.counts, 0) = 0
    ) AS steps GROUP BY step
"""  # noqa: S608 - names of our own tables

_KINDS = """
    WITH kinds AS (
        SELECT id, state AS kind FROM compared_pipelines_{side} WHERE matches = 1
        UNION ALL
        SELECT id, 'overdue' FROM compared_pipelines_{side} WHERE matches = 1 AND overdue = 1
    )
"""

_COUNTS = f"{_KINDS} SELECT kind, COUNT(*) FROM kinds GROUP BY kind"  # noqa: S608

_CAPACITIES = f"""
    {_KINDS}
    SELECT kind, basis, SUM(mw) FROM (
        SELECT DISTINCT kind, facility_id, capacity_basis AS basis, capacity_mw AS mw
        FROM kinds JOIN compared_parts_{{side}} AS parts ON parts.pipeline_id = kinds.id
    ) AS facilities GROUP BY kind, basis
"""  # noqa: S608

_OPEN_AT_BOTH = """
    FROM compared_pipelines_a AS a JOIN compared_pipelines_b AS b ON b.id = a.id
    WHERE a.state = 'open' AND b.state = 'open' AND (a.matches = 1 OR b.matches = 1)
"""

_RAG_COUNTS = f"""
    SELECT a.rag_status, b.rag_status, COUNT(*) {_OPEN_AT_BOTH}
    GROUP BY a.rag_status, b.rag_status
"""

_RAG_CAPACITIES = f"""
    SELECT was, is_now, basis, SUM(mw) FROM (
        SELECT DISTINCT both_ends.was, both_ends.is_now, parts.facility_id,
            parts.capacity_basis AS basis, parts.capacity_mw AS mw
        FROM (SELECT b.id, a.rag_status AS was, b.rag_status AS is_now {_OPEN_AT_BOTH})
            AS both_ends
        JOIN compared_parts_b AS parts ON parts.pipeline_id = both_ends.id
    ) AS facilities GROUP BY was, is_now, basis
"""  # noqa: S608

_DATED_AT_BOTH = """
    FROM compared_pipelines_b AS b JOIN compared_pipelines_a AS a ON a.id = b.id
    LEFT JOIN (
        SELECT pipeline_id, SUM(capacity_mw) AS mw FROM compared_parts_b GROUP BY pipeline_id
    ) AS capacities ON capacities.pipeline_id = b.id
    WHERE b.state = 'open' AND b.matches = 1
        AND a.rtb_date IS NOT NULL AND b.rtb_date IS NOT NULL
"""

_SLIPS = f"""
    SELECT b.id, b.project_name, a.rtb_date, b.rtb_date, mw {_DATED_AT_BOTH}
    AND a.rtb_date <> b.rtb_date
"""

_DATED = f"SELECT COUNT(*), SUM(mw) {_DATED_AT_BOTH}"


class Comparison:
    """The questions to an open comparison, see ``compare``."""

    def summary(self) -> Summary:
        return Summary(self.ends(), self.walk(), tuple(self.rag_moves()), self.slippage())

    def ends(self) -> dict[str, Ends]:
        counts, capacities = [], []
        for side in ("a", "b"):
            counts.append(dict(_rows(_COUNTS.format(side=side))))
            sums: dict[str, Megawatts] = {}
            for kind, basis, mw in _rows(_CAPACITIES.format(side=side)):
                sums[kind] = sums.get(kind, Megawatts()) + _megawatts(basis, mw)
            capacities.append(sums)
        return {
            kind: Ends(
                tuple(count.get(kind, 0) for count in counts),
                tuple(sums.get(kind, Megawatts()) for sums in capacities),
            )
            for kind in (OPEN, HELD, COMPLETED, ENDED, OVERDUE)
        }

    def walk(self) -> Walk:
        """The MW walk. Each facility that counts at one end only is in one step, by how its
        pipelines stand at the other: completed before held before ended before outside the
        filter; one that is in no pipeline there is new, or removed."""
        parts, facilities = {}, {}
        for step, dc, ac, number in _rows(_WALK):
            parts[step] = Megawatts(_decimal(dc), _decimal(ac))
            facilities[step] = number
        return Walk(
            opening=parts.get("opening", Megawatts()),
            steps=tuple(
                WalkStep(code, label, parts.get(code, Megawatts()), facilities.get(code, 0))
                for code, label in STEPS.items()
            ),
            closing=parts.get("closing", Megawatts()),
        )

    def rag_moves(self) -> list[RagMove]:
        """One for each pair of ratings that occurs."""
        capacities: dict[tuple[str, str], Megawatts] = {}
        for start, end, basis, mw in _rows(_RAG_CAPACITIES):
            known = capacities.get((start, end), Megawatts())
            capacities[start, end] = known + _megawatts(basis, mw)
        return [
            RagMove(start, end, number, capacities.get((start, end), Megawatts()))
            for start, end, number in _rows(_RAG_COUNTS)
        ]

    def slippage(self) -> Slippage:
        """The slips, worst first; only pipelines whose date changed are read."""
        slips = []
        for key, name, start, end, mw in _rows(_SLIPS):
            start, end = _date(start), _date(end)
            slips.append(Slip(_uuid(key), name, start, end, (end - start).days, _decimal(mw)))
        slips.sort(key=lambda slip: (-slip.days, slip.name))
        [(number, weight)] = _rows(_DATED)
        weight = _decimal(weight)
        slipped = sum((slip.days * slip.capacity_mw for slip in slips), ZERO)
        return Slippage(tuple(slips), number, slipped / weight if weight else None)


def _rows(sql: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def _decimal(value: Any) -> Decimal:
    """SQLite adds decimals as floating point; rounding to what is stored takes the noise out."""
    return round(Decimal(value or 0), 3)


def _megawatts(basis: str, mw: Any) -> Megawatts:
    figure = _decimal(mw)
    return Megawatts(mwp_dc=figure) if basis == CapacityBasis.DC else Megawatts(mw_ac=figure)


def _date(value: date | str) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
