"""The stays of pipelines in stages, computed in SQL from their transitions by effective date."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple
from uuid import UUID

from django.apps import apps

from oegen import asof, audit
from oegen.core import clock, sql
from oegen.core.caching import keep
from pipelines.choices import Outcome

#: The fewest observations from which a share or a usual time is given.
ENOUGH = 10

FOUR_FIFTHS = 0.8

#: The tolerance for shares computed in floating point.
ROUNDING = 1e-9

#: Results of a stage: entered at all; reached a later stage; sold, withdrawn or refused without
#: reaching one; none of these; in the stage now.
ENTERED, WENT_ON, SOLD, ENDED = "entered", "on", "sold", "ended"
UNDECIDED, THERE = "undecided", "there"

#: The ``place`` of outcomes.
_ENDED_PLACE, _SOLD_PLACE = -1, -2


def stays_sql(where: str = "") -> str:
    """SQL with a row for each stay of a pipeline in a stage. Holds don't interrupt a stay.
    ``where`` is a WHERE clause on ``pipeline_id``; by default all pipelines' are read.

    Columns: ``transition_id`` (the move that began it), ``pipeline_id``, ``stage`` (its code),
    ``began``, ``until`` (null if it is not over);
    and as 0 or 1: ``moved`` (the stay ended with a move to another stage), ``went_on`` (the
    pipeline reached a later stage afterwards), ``sold`` and ``ended`` (it did not, and was sold, or
    withdrawn or refused).
    """
    transitions, stages = (
        asof.table(apps.get_model("pipelines", name)) for name in ("StageTransition", "Stage")
    )
    # ``place`` is the stage's order, which is unique, or below zero for an outcome.
    return f"""
        SELECT transition_id, pipeline_id, code AS stage, began, until,
            CASE WHEN next_place >= 0 THEN 1 ELSE 0 END AS moved,
            CASE WHEN highest > place THEN 1 ELSE 0 END AS went_on,
            CASE WHEN last_place = {_SOLD_PLACE} AND highest = place THEN 1 ELSE 0 END AS sold,
            CASE WHEN last_place = {_ENDED_PLACE} AND highest = place THEN 1 ELSE 0 END AS ended
        FROM (
            SELECT id AS transition_id, pipeline_id, place, effective_on AS began,
                LAG(effective_on) OVER backwards AS until,
                LAG(place) OVER backwards AS next_place,
                MAX(place) OVER backwards AS highest,
                FIRST_VALUE(place) OVER backwards AS last_place
            FROM (
                SELECT id, pipeline_id, effective_on, recorded_at, place,
                    LAG(place) OVER (
                        PARTITION BY pipeline_id ORDER BY effective_on, recorded_at, id
                    ) AS earlier
                FROM (
                    SELECT transitions.id, pipeline_id, effective_on, recorded_at,
                        CASE WHEN outcome = '{Outcome.ACTIVE}' THEN "order"
                            WHEN outcome = '{Outcome.SOLD}' THEN {_SOLD_PLACE}
                            ELSE {_ENDED_PLACE} END AS place
                    FROM {transitions} AS transitions
                    JOIN {stages} AS stages ON stages.id = stage_id
                    {where}
                ) AS transitions
            ) AS moves
            WHERE earlier IS NULL OR place <> earlier
            WINDOW backwards AS (
                PARTITION BY pipeline_id ORDER BY effective_on DESC, recorded_at DESC, id DESC
                ROWS UNBOUNDED PRECEDING
            )
        ) AS stays
        JOIN {stages} AS stages ON stages."order" = place
        WHERE place >= 0
    """  # noqa: S608 - no user input


_CONDITIONS = {
    ENTERED: "",
    WENT_ON: "AND went_on = 1",
    SOLD: "AND sold = 1",
    ENDED: "AND ended = 1",
    UNDECIDED: "AND went_on = 0 AND sold = 0 AND ended = 0",
    THERE: "AND stays_on = 1",
}


def stage_results_sql(stays: str = "") -> str:
    """SQL with a row for each pipeline and stage that it ever entered, with its results there as 0
    or 1: ``went_on``, ``sold``, ``ended``, ``stays_on`` (it is in the stage now). ``stays`` names a
    table with the columns of ``stays_sql``."""
    return f"""
        SELECT pipeline_id, stage, MAX(went_on) AS went_on,
            CASE WHEN MAX(went_on) = 0 THEN MAX(sold) ELSE 0 END AS sold,
            CASE WHEN MAX(went_on) = 0 THEN MAX(ended) ELSE 0 END AS ended,
            MAX(CASE WHEN until IS NULL THEN 1 ELSE 0 END) AS stays_on
        FROM {stays or f"({stays_sql()})"} AS stays GROUP BY pipeline_id, stage
    """  # noqa: S608


def pipelines_with_result_sql(result: str) -> str:
    """SQL selecting the ids of pipelines with this result in a stage, whose code is its one
    parameter."""
    return f"""
        SELECT pipeline_id FROM ({stage_results_sql()}) AS results
        WHERE stage = %s {_CONDITIONS[result]}
    """  # noqa: S608


# How stays went ----------------------------------------------------------------------------------


class Length(NamedTuple):
    """A number of ``stays`` that lasted ``days`` so far; ``moved`` of them ended with a move."""

    days: int
    moved: int
    stays: int


@dataclass(frozen=True)
class Summary:
    """The stays in a stage: of ``pipelines``, ``ongoing`` of them not over and ``moved`` ended with
    a move. ``median_days`` and ``usual_days``: within which half and four fifths end so, None while
    unknown. ``went_on``, ``sold`` and ``ended`` are numbers of pipelines with that result."""

    pipelines: int = 0
    stays: int = 0
    ongoing: int = 0
    moved: int = 0
    median_days: int | None = None
    usual_days: int | None = None
    went_on: int = 0
    sold: int = 0
    ended: int = 0


@dataclass(frozen=True)
class Stays:
    """The stays by the stage's code.

    ``waiting`` are the pipelines that are in a stage for more than the usual days: those within
    which four fifths of all stays in it end with a move. None in stages of which fewer than
    ``ENOUGH`` stays ended so, because those say little. ``version`` changes when a stay does: a
    part of cache keys.
    """

    summaries: dict[str, Summary]
    waiting: list[UUID]
    version: tuple[object, ...] = ()


def summarize(day: date, only: str = "") -> dict[str, Summary]:
    """The stays up to the day, by the stage's code. ``only`` names a table with the ids of the
    pipelines wanted; by default those of all are summarized."""
    if only:
        return _read(day, f"WHERE pipeline_id IN (SELECT id FROM {only})").summaries  # noqa: S608
    return stays_of_all(day).summaries


def stays_of_all(day: date) -> Stays:
    """The stays of all pipelines up to the day, cached until a transition or a stage is written."""
    models = (apps.get_model("pipelines", name) for name in ("StageTransition", "Stage"))
    version = (day, clock.past_moment(), *audit.table_version(*models))
    return keep(lambda: replace(_read(day), version=version), "stays", *version)


def _read(day: date, where: str = "") -> Stays:
    until = f"COALESCE(until, {sql.date_literal(day)})"
    lengths: dict[str, list[Length]] = defaultdict(list)
    still: Counter[str] = Counter()
    results: dict[str, list[int]] = {}
    #: The ids of the pipelines whose stays are not over, by stage and days so far.
    ongoing: list[tuple[str, int, str]] = []
    for stage, days, keys, *numbers in sql.fetch(
        f"""
        WITH stays AS MATERIALIZED ({stays_sql(where)})
        SELECT stage, {sql.days_between("began", until)} AS days,
            {sql.joined("pipeline_id")} FILTER (WHERE until IS NULL),
            SUM(moved), COUNT(*), COUNT(*) - COUNT(until), NULL FROM stays GROUP BY 1, 2
        UNION ALL
        SELECT stage, NULL, NULL, COUNT(*), SUM(went_on), SUM(sold), SUM(ended)
        FROM ({stage_results_sql("stays")}) AS results GROUP BY stage
        """  # noqa: S608 - no user input
    ):
        if days is None:
            results[stage] = list(map(int, numbers))
            continue
        moved, stays, not_over = map(int, numbers[:3])
        lengths[stage].append(Length(int(days), moved, stays))
        still[stage] += not_over
        if keys:
            ongoing.append((stage, int(days), keys))
    for of_stage in lengths.values():
        # Not in SQL: PostgreSQL would sort all stays by the stages' codes.
        of_stage.sort()
    summaries = {
        stage: Summary(
            pipelines,
            stays=sum(length.stays for length in lengths[stage]),
            ongoing=still[stage],
            moved=sum(length.moved for length in lengths[stage]),
            median_days=days_until(lengths[stage], 0.5),
            usual_days=days_until(lengths[stage], FOUR_FIFTHS),
            went_on=went_on,
            sold=sold,
            ended=ended,
        )
        for stage, (pipelines, went_on, sold, ended) in results.items()
    }
    usual = {
        stage: one.usual_days
        for stage, one in summaries.items()
        if one.usual_days is not None and one.moved >= ENOUGH
    }
    return Stays(
        summaries,
        [
            sql.uuid_of(key)
            for stage, days, keys in ongoing
            if stage in usual and days > usual[stage]
            for key in keys.split()
        ],
    )


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
