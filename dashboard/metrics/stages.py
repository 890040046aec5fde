"""The time that projects stay in a stage and the results of stays, by effective days.

A stay begins on the effective day of the move into the stage and ends with the move to another
stage; time on hold is part of it. An ongoing stay, or one that ended because the project was
withdrawn, refused or sold, is a censored observation: only its minimum length is known, and leaving
it out would make every stage look quicker than it is (Kaplan and Meier, 1958, "Nonparametric
estimation from incomplete observations").
"""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.metrics.portfolio import Portfolio
from pipelines.models import Stage
from pipelines.stays import ENOUGH, Summary, summarize


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
    with portfolio.reading():
        keys = portfolio.selected_keys
        found = portfolio.stays_of_all.summaries if keys is None else summarize(portfolio.day, keys)
    summaries = [
        (stage, found.get(stage.code, Summary()))
        for stage in portfolio.stages
        if not stage.is_terminal
    ]
    return Stages(
        tuple(
            TimeInStage(
                stage, one.pipelines, one.stays, one.ongoing, one.median_days, one.usual_days
            )
            for stage, one in summaries
        ),
        tuple(
            Conversion(stage, one.pipelines, one.went_on, one.sold, one.ended)
            for stage, one in summaries
        ),
    )
