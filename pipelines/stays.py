"""The stays of projects in stages, worked out from their transitions in effective time."""

from __future__ import annotations

from django.apps import apps

from oegen import asof
from pipelines.choices import Outcome

#: What became of a project that entered a stage.
ENTERED, WENT_ON, SOLD, ENDED = "entered", "on", "sold", "ended"
UNDECIDED, THERE = "undecided", "there"

#: The places of outcomes.
_GIVEN_UP, _SOLD = -1, -2


def stays_sql() -> str:
    """SQL with a row for each stay of a project in a stage: ``pipeline_id``, ``stage`` (its code),
    ``began``, ``until`` (null while it goes on), and as 0 or 1: ``moved``, that it ended with a
    move to another stage, ``went_on``, that the project reached a later stage afterwards, ``sold``,
    that it did not and was sold, and ``ended``, that it did not and was withdrawn or refused.
    Holds don't interrupt a stay.
    """
    transitions, stages = (
        asof.table(apps.get_model("pipelines", name)) for name in ("StageTransition", "Stage")
    )
    # A place is a stage's order, which no other stage has, or below zero for an outcome.
    return f"""
        SELECT pipeline_id, code AS stage, began, until,
            CASE WHEN next_place >= 0 THEN 1 ELSE 0 END AS moved,
            CASE WHEN highest > place THEN 1 ELSE 0 END AS went_on,
            CASE WHEN last_place = {_SOLD} AND highest = place THEN 1 ELSE 0 END AS sold,
            CASE WHEN last_place = {_GIVEN_UP} AND highest = place THEN 1 ELSE 0 END AS ended
        FROM (
            SELECT pipeline_id, place, effective_on AS began,
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
                            WHEN outcome = '{Outcome.SOLD}' THEN {_SOLD}
                            ELSE {_GIVEN_UP} END AS place
                    FROM {transitions} AS transitions
                    JOIN {stages} AS stages ON stages.id = stage_id
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
    """  # noqa: S608 - a word of our own


_CONDITIONS = {
    ENTERED: "",
    WENT_ON: "AND went_on = 1",
    SOLD: "AND sold = 1",
    ENDED: "AND ended = 1",
    UNDECIDED: "AND went_on = 0 AND sold = 0 AND ended = 0",
    THERE: "AND stays_on = 1",
}


def ways(stays: str = "") -> str:
    """SQL with a row for each project and stage it ever entered, by what became of it there and
    whether it is there, from the table ``stays``, or from all stays."""
    return f"""
        SELECT pipeline_id, stage, MAX(went_on) AS went_on,
            CASE WHEN MAX(went_on) = 0 THEN MAX(sold) ELSE 0 END AS sold,
            CASE WHEN MAX(went_on) = 0 THEN MAX(ended) ELSE 0 END AS ended,
            MAX(CASE WHEN until IS NULL THEN 1 ELSE 0 END) AS stays_on
        FROM {stays or f"({stays_sql()})"} AS stays GROUP BY pipeline_id, stage
    """  # noqa: S608


def pipelines_of_way(way: str) -> str:
    """SQL for the ids of the projects that became of a stage what ``way`` says; its one parameter
    is the stage's code."""
    return f"SELECT pipeline_id FROM ({ways()}) AS ways WHERE stage = %s {_CONDITIONS[way]}"  # noqa: S608
