"""The time that projects stay in a stage and the results of stays, by effective days.

A stay begins on the effective day of the move into the stage and ends with the move to another
stage; time on hold is part of it. An ongoing stay, or one that ended because the project was
withdrawn, refused or sold, is a censored observation: only its minimum length is known, and leaving
it out would make every stage look quicker than it is (Kaplan and Meier, 1958, "Nonparametric
estimation from incomplete observations").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from django.db import connection

from dashboard.metrics.portfolio import (
    Portfolio,
    days_between,
    fetch,
    new_table_name,
    temporary_table,
)
from dashboard.metrics.sums import Column
from pipelines.models import Stage
from pipelines.stays import stage_results_sql, stays_sql

#: The fewest decided projects for which a share is given.
ENOUGH = 10

#: The tolerance for shares computed in floating point.
ROUNDING = 1e-9


@dataclass(frozen=True)
class TimeInStage:
    """The number of ``stays`` of ``pipelines`` projects, of which ``ongoing`` are not over. Half of
    the stays end with a move to another stage within ``median_days``, 80 % within ``p80_days``;
    None while that is unknown."""

    stage: Stage
    pipelines: int
    stays: int
    ongoing: int
    median_days: int | None
    p80_days: int | None


@dataclass(frozen=True)
class Conversion:
    """The results of the projects that entered a stage: ``went_on`` to a later one, or before that
    ``sold`` or ``ended`` (withdrawn or refused). The others are undecided."""

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
        """The part of the decided projects that went on or were sold, 0 to 1; None if fewer than
        ``ENOUGH`` are decided. A sale is a success, because for some projects it is the aim."""
        if self.decided < ENOUGH:
            return None
        return (self.went_on + self.sold) / self.decided


@dataclass(frozen=True)
class Stages:
    time: tuple[TimeInStage, ...]
    conversion: tuple[Conversion, ...]


def stages(portfolio: Portfolio) -> Stages:
    """The metrics of each stage that is not terminal, in order, up to the portfolio's day."""
    table = new_table_name("stays")
    with portfolio.reading():
        ordered = list(Stage.objects.filter(is_terminal=False))
        selected, params = portfolio.facts(Column.ID)
        stays = f"SELECT * FROM ({stays_sql()}) AS stays WHERE pipeline_id IN ({selected})"
        with temporary_table(table, stays, params):
            return Stages(
                tuple(_times(table, ordered, portfolio.day)), tuple(_conversions(table, ordered))
            )


def _times(table: str, stages: Iterable[Stage], day: date) -> Iterator[TimeInStage]:
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
    for stage in stages:
        stage_lengths = lengths.get(stage.code, [])
        yield TimeInStage(
            stage,
            *numbers.get(stage.code, (0, 0, 0)),
            days_until(stage_lengths, 0.5),
            days_until(stage_lengths, 0.8),
        )


def _conversions(table: str, stages: Iterable[Stage]) -> Iterator[Conversion]:
    numbers = {
        stage: counts
        for stage, *counts in fetch(
            f"""
            SELECT stage, COUNT(*), SUM(went_on), SUM(sold), SUM(ended)
            FROM ({stage_results_sql(table)}) AS results GROUP BY stage
            """
        )
    }
    for stage in stages:
        yield Conversion(stage, *map(int, numbers.get(stage.code, (0, 0, 0, 0))))


@dataclass(frozen=True)
class Length:
    """A number of ``stays`` that lasted ``days`` so far; ``moved`` of them ended with a move."""

    days: int
    moved: int
    stays: int


def days_until(lengths: list[Length], share: float) -> int | None:
    """The days within which the share of stays has ended with a move, by the Kaplan–Meier estimate;
    None if the estimate does not reach it. ``lengths`` are distinct and in ascending order."""
    at_risk = sum(length.stays for length in lengths)
    staying = 1.0
    for length in lengths:
        staying *= 1 - length.moved / at_risk
        at_risk -= length.stays
        if 1 - staying >= share - ROUNDING:
            return length.days
    return None
