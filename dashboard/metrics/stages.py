"""How long projects stay in a stage and what becomes of them there, in effective time.

A stay begins on the day that a move into the stage took effect and ends with the move to another
stage; time on hold is part of it. A stay that is still going on, or ended because the project was
withdrawn, refused or sold, is counted for as long as it is known to have lasted: it says "longer
than", and leaving it out would make every stage look quicker than it is (Kaplan and Meier, 1958,
"Nonparametric estimation from incomplete observations").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from django.db import connection

from dashboard.metrics.portfolio import Portfolio, days_between, fetch, temporary_table
from pipelines.models import Stage
from pipelines.stays import stage_results_sql, stays_sql

#: Shares of fewer projects than this say more about chance than about the stage.
ENOUGH = 10

#: What a share worked out in floating point may miss.
ROUNDING = 1e-9


@dataclass(frozen=True)
class TimeInStage:
    """``stays`` by ``pipelines`` projects, ``ongoing`` of them not over. ``median_days`` and
    ``p80_days``: within so many days half, or four fifths, have moved to another stage; None
    while that is unknown."""

    stage: Stage
    pipelines: int
    stays: int
    ongoing: int
    median_days: int | None
    p80_days: int | None


@dataclass(frozen=True)
class Conversion:
    """What became of the projects that entered a stage: ``went_on`` to a later one, or before that
    ``sold``, or ``ended``, which is withdrawn or refused; or nothing yet."""

    stage: Stage
    entered: int
    went_on: int
    sold: int
    ended: int

    @property
    def decided(self) -> int:
        return self.went_on + self.sold + self.ended

    @property
    def undecided(self) -> int:
        return self.entered - self.decided

    @property
    def share(self) -> float | None:
        """What went on or was sold, of those decided, 0 to 1; None where these are fewer than
        ``ENOUGH``. A sale is no failure: for some projects it is the aim."""
        if self.decided < ENOUGH:
            return None
        return (self.went_on + self.sold) / self.decided


@dataclass(frozen=True)
class Stages:
    time: tuple[TimeInStage, ...]
    conversion: tuple[Conversion, ...]


def stages(portfolio: Portfolio) -> Stages:
    """For each stage of the pipeline in order, up to the portfolio's day."""
    table = f"{portfolio.table}_stays"
    selected = f"SELECT id FROM {portfolio.table} WHERE in_filter = 1"
    known = Stage.objects.filter(is_terminal=False)
    theirs = f"SELECT * FROM ({stays_sql()}) AS stays WHERE pipeline_id IN ({selected})"
    with temporary_table(table, theirs):
        return Stages(tuple(_times(table, known, portfolio.day)), tuple(_conversions(table, known)))


def _times(table: str, known: Iterable[Stage], day: date) -> Iterator[TimeInStage]:
    lengths: dict[str, list[Length]] = {}
    today = f"CAST('{day}' AS DATE)" if connection.vendor == "postgresql" else f"'{day}'"
    for stage, *length in fetch(
        f"""
        SELECT stage, days, SUM(moved), COUNT(*) FROM (
            SELECT stage, moved, {days_between("began", f"COALESCE(until, {today})")} AS days
            FROM {table}
        ) AS lasting GROUP BY stage, days ORDER BY stage, days
        """
    ):
        lengths.setdefault(stage, []).append(Length(*map(int, length)))
    numbers = {
        stage: (pipelines, stays, ongoing)
        for stage, pipelines, stays, ongoing in fetch(
            f"""
            SELECT stage, COUNT(DISTINCT pipeline_id), COUNT(*), COUNT(*) - COUNT(until)
            FROM {table} GROUP BY stage
            """
        )
    }
    for stage in known:
        those = lengths.get(stage.code, [])
        yield TimeInStage(
            stage,
            *numbers.get(stage.code, (0, 0, 0)),
            days_until(those, 0.5),
            days_until(those, 0.8),
        )


def _conversions(table: str, known: Iterable[Stage]) -> Iterator[Conversion]:
    numbers = {
        stage: counts
        for stage, *counts in fetch(
            f"""
            SELECT stage, COUNT(*), SUM(went_on), SUM(sold), SUM(ended)
            FROM ({stage_results_sql(table)}) AS ways GROUP BY stage
            """
        )
    }
    for stage in known:
        yield Conversion(stage, *map(int, numbers.get(stage.code, (0, 0, 0, 0))))


@dataclass(frozen=True)
class Length:
    """So many ``stays`` lasted or have lasted ``days``; ``moved`` of them ended with a move."""

    days: int
    moved: int
    stays: int


def days_until(lengths: list[Length], share: float) -> int | None:
    """The first day by which at least that share has moved on, by the Kaplan–Meier estimate; None
    if it never gets there. ``lengths`` are in order of their days, each once."""
    at_risk = sum(length.stays for length in lengths)
    staying = 1.0
    for length in lengths:
        staying *= 1 - length.moved / at_risk
        at_risk -= length.stays
        if 1 - staying >= share - ROUNDING:
            return length.days
    return None
