"""Stays in stages and milestones as entity sets."""

from __future__ import annotations

from django.db.models import F

from oegen import asof
from oegen.api.odata import types
from oegen.api.odata.sets import (
    Column,
    EntitySet,
    bookkeeping,
    fields,
    of_queryset,
    of_subquery,
    person_name,
    register,
    truth,
)
from oegen.audit import NOT_YET_ENTERED
from oegen.core import clock
from oegen.core.sql import Values, days_between
from pipelines.models import Milestone, Pipeline, Stage
from pipelines.querysets.milestone import HAS_HAPPENED
from pipelines.stays import stays_sql


def _stays(*, personal: bool) -> tuple[str, Values]:
    truths = ", ".join(f"{name} = 1 AS {name}" for name in ("moved", "went_on", "sold", "ended"))
    sql = f"""
        SELECT transition_id, pipeline_id, project_name, stage, stages.name AS stage_name,
            stages."order" AS stage_order, began AS began_on, until AS until_on,
            {days_between("began", "COALESCE(until, %s)")} AS days, {truths}
        FROM ({stays_sql()}) AS stays
        JOIN {asof.table(Stage)} AS stages ON stages.code = stage
        JOIN {asof.table(Pipeline)} AS pipelines ON pipelines.id = pipeline_id
        WHERE pipelines.version <> {NOT_YET_ENTERED}
    """  # noqa: S608 - no user input
    return sql, (clock.today(),)


register(
    EntitySet(
        "StageStays",
        "StageStay",
        "A row for each stay of a project in a stage. Holds don't interrupt a stay.",
        (
            Column("transition_id", types.GUID, "The id of the move that began it."),
            Column("pipeline_id", types.GUID, "The project's id."),
            Column("project_name", types.STRING, "The project."),
            Column("stage", types.STRING, "The stage's code."),
            Column("stage_name", types.STRING, "The stage's name."),
            Column("stage_order", types.LONG, "To sort stages by."),
            Column("began_on", types.DATE, "Its first day."),
            Column("until_on", types.DATE, "The day it ended; null while it lasts.", "", True),
            Column("days", types.LONG, "How long it lasted, or lasts so far, in days."),
            Column("moved", types.BOOLEAN, "It ended with a move to another stage."),
            Column("went_on", types.BOOLEAN, "The project reached a later stage afterwards."),
            Column("sold", types.BOOLEAN, "It did not, and was sold."),
            Column("ended", types.BOOLEAN, "It did not, and was withdrawn or refused."),
        ),
        of_subquery(_stays),
        key=("transition_id",),
    )
)

register(
    EntitySet(
        "Milestones",
        "Milestone",
        "When events of projects were planned, are expected or took place.",
        (
            *fields(Milestone, id="The milestone's id.", pipeline="The project's id."),
            Column("project_name", types.STRING, "The project.", "pipeline__project_name"),
            Column("kind", types.STRING, "The code of what happens.", "kind__code"),
            Column("kind_name", types.STRING, "What happens.", "kind__name"),
            Column(
                "day",
                types.DATE,
                "When it happened or is expected: of RTB and COD, the project's dates.",
                lambda: F("day"),
                is_nullable=True,
            ),
            Column(
                "state",
                types.STRING,
                "One of missed, ahead, done, none (no day); empty of projects that are not open "
                "and whose day has passed.",
                "state",
            ),
            truth("has_happened", lambda: HAS_HAPPENED, "It has happened."),
            *fields(
                Milestone,
                "baseline_on",
                "forecast_on",
                "actual_on",
                "evidence_url",
                "evidence_note",
            ),
            *fields(Milestone, confirmed_by="The number of who confirmed it last."),
            person_name("confirmed_by_name", "confirmed_by", "Who confirmed it last."),
            *bookkeeping(Milestone),
        ),
        of_queryset(lambda: Milestone.objects.recorded().with_day()),
    )
)
