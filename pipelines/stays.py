"""The stays of pipelines in stages, computed in SQL from their transitions by effective date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

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


# How long stays last -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Length:
    """A number of ``stays`` that lasted ``days`` so far; ``moved`` of them ended with a move."""

    days: int
    moved: int
    stays: int


def lengths(stays: str, day: date) -> dict[str, list[Length]]:
    """The lengths of the stays in a table with the columns of ``stays_sql`` up to the day, by the
    stage's code, in ascending order."""
    until = f"COALESCE(until, {sql.date_literal(day)})"
    found: dict[str, list[Length]] = {}
    for stage, *length in sql.fetch(
        f"""
        SELECT stage, days, SUM(moved), COUNT(*) FROM (
            SELECT stage, moved, {sql.days_between("began", until)} AS days FROM {stays} AS stays
        ) AS lasting GROUP BY stage, days ORDER BY stage, days
        """  # noqa: S608 - no user input
    ):
        found.setdefault(stage, []).append(Length(*map(int, length)))
    return found


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


def usual_days(day: date) -> dict[str, int]:
    """The days within which four fifths of all stays in a stage end with a move, by the stage's
    code; without the stages of which fewer than ``ENOUGH`` stays ended so, because those say
    little. Cached until a transition is written.
    """
    models = (apps.get_model("pipelines", name) for name in ("StageTransition", "Stage"))
    versions = [part for model in models for part in audit.table_version(model)]
    return keep(lambda: _usual_days(day), "usual days", day, clock.past_moment(), *versions)


def _usual_days(day: date) -> dict[str, int]:
    found = {}
    for stage, stays in lengths(f"({stays_sql()})", day).items():
        days = days_until(stays, FOUR_FIFTHS)
        if days is not None and sum(stay.moved for stay in stays) >= ENOUGH:
            found[stage] = days
    return found
