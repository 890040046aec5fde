"""The open pipelines that need attention, and why: the one definition for dashboard, lists, board,
downloads and digest. Read from the facts, so that it holds on any day.

``Reason.WORSENED`` and ``SLIPPED`` compare with the end of the same day a month before, and are of
pipelines that were open then, too. ``WAITING`` compares with all stays ever recorded in the stage
(pipelines.stays.usual_days), holds included. ``NOBODY`` counts once somebody is responsible for any
open pipeline, ``UNPROVEN`` once a gate of any is proven: until then nobody uses them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Max, Q, QuerySet, Sum
from django.db.models.expressions import RawSQL

from oegen.core import clock, sql
from oegen.core.database import key_set
from pipelines import stays
from pipelines.choices import RAG, SLIPPED_DAYS, UNCONFIRMED_DAYS, Reason
from pipelines.facts.intervals import FOREVER
from pipelines.gates import Gates, is_unproven
from pipelines.querysets.state import IS_OPEN, as_number, is_overdue, not_confirmed_since

#: SQL with the codes of the reasons of a row of ``attention_sql``, each followed by a space.
REASONS = " || ".join(
    f"CASE WHEN {reason.column} = 1 THEN '{reason} ' ELSE '' END" for reason in Reason
)


def has_any(reasons: Iterable[Reason]) -> str:
    """SQL for whether a row of ``attention_sql`` has one of the reasons."""
    return " OR ".join(f"{reason.column} = 1" for reason in reasons)


@dataclass(frozen=True)
class Usage:
    """What reasons depend on beside the facts of a pipeline: whether fields are used at all
    (``names``: somebody is responsible for a pipeline; ``proves``: a gate is proven), the gates,
    and the pipelines that are ``waiting``."""

    names: bool
    proves: bool
    gates: Gates
    waiting: RawSQL

    @classmethod
    def load(cls, *, counting: bool = True) -> Usage:
        """Without ``counting``, as if all fields were used."""
        facts, gates = _facts(clock.past_moment()), Gates.load()
        # Asked beforehand: a part of the statement would be evaluated for each use of its result.
        names = not counting or facts.filter(responsible_id__isnull=False).exists()
        proves = not counting or facts.filter(gates.any_proven()).exists()
        return cls(names, proves, gates, key_set(stays.waiting(clock.today())))

    def version(self) -> tuple[object, ...]:
        """What changes when any of this does: a part of cache keys."""
        return self.names, self.proves, self.gates.version, clock.today(), *stays.stays_version()


def attention_sql(
    only: RawSQL | None = None,
    *,
    pipeline: str = "",
    usage: Usage | None = None,
    at: datetime | None = None,
) -> tuple[str, sql.Values]:
    """SQL, with parameters, with a row for each open pipeline: ``pipeline_id``, ``name``, ``stage``
    (its code), ``rag``, ``rtb``, ``responsible`` (a user's key), ``kw`` (null if unknown) and, by
    ``Reason.column``, 0 or 1.

    ``only`` selects the ids of the pipelines wanted; ``pipeline`` is SQL for the id of the only one
    wanted, such as a column of an outer query. ``at``: as the pipelines were at that moment, judged
    on the day that is read.
    """
    one = Q(pipeline_id=RawSQL(pipeline, ())) if pipeline else Q()  # noqa: S611
    wanted = Q(pipeline_id__in=only) if only else one
    moment = at or clock.past_moment()
    then = clock.end_of(clock.a_month_before(clock.today()))
    usage = usage or Usage.load()
    unproven = is_unproven(usage.gates) if usage.proves else Q(pk__in=[])
    now, now_params = _now(moment, wanted, unproven)
    nobody = "now.responsible IS NULL" if usage.names else "1 = 0"
    was, was_params = _was(then, moment, wanted)
    waiting = usage.waiting
    return (
        f"""
        SELECT now.pipeline_id, now.name, now.stage_code AS stage, now.rag, now.rtb,
            now.responsible, now.kw,
            CASE WHEN now.rag = '{RAG.RED}' THEN 1 ELSE 0 END AS red,
            CASE WHEN now.rag = '{RAG.RED}' AND was.rag_status IN ('{RAG.AMBER}', '{RAG.GREEN}')
                OR now.rag = '{RAG.AMBER}' AND was.rag_status = '{RAG.GREEN}'
                THEN 1 ELSE 0 END AS worsened,
            now.overdue,
            CASE WHEN {sql.days_between("was.rtb_date", "now.rtb")} > {SLIPPED_DAYS}
                THEN 1 ELSE 0 END AS slipped,
            now.missed,
            CASE WHEN now.rag = '' THEN 1 ELSE 0 END AS unrated,
            now.unconfirmed,
            CASE WHEN now.rtb IS NULL THEN 1 ELSE 0 END AS no_rtb_date,
            CASE WHEN now.kw IS NULL THEN 1 ELSE 0 END AS no_capacity,
            CASE WHEN {nobody} THEN 1 ELSE 0 END AS nobody,
            now.unproven,
            CASE WHEN now.pipeline_id IN ({waiting.sql}) THEN 1 ELSE 0 END AS waiting
        FROM ({now}) AS now LEFT JOIN ({was}) AS was ON was.pipeline_id = now.pipeline_id
        """,  # noqa: S608 - no user input
        (*waiting.params, *now_params, *was_params),
    )


def _now(moment: datetime | None, wanted: Q, unproven: Q) -> tuple[str, sql.Values]:
    """The open pipelines at that moment; None for the present. ``unproven`` is the condition for
    ``Reason.UNPROVEN``."""
    confirmed = clock.days_ago(UNCONFIRMED_DAYS)
    rows = _facts(moment).filter(wanted).values("pipeline_id")
    found: tuple[str, sql.Values] = rows.annotate(
        kw=Sum("kw"),
        name=Max("project_name"),
        stage_code=Max("stage__code"),
        rag=Max("rag_status"),
        rtb=Max("rtb_date"),
        responsible=Max("responsible_id"),
        overdue=Max(as_number(is_overdue())),
        missed=Max(as_number(Q(milestone_due__lt=clock.today()))),
        unproven=Max(as_number(unproven)),
        # What was never rated has a reason of its own.
        unconfirmed=Max(as_number(not_confirmed_since(confirmed) & ~Q(rag_status=""))),
    ).query.sql_with_params()
    return found


def _was(then: datetime, moment: datetime | None, wanted: Q) -> tuple[str, sql.Values]:
    """How the pipelines were ``then`` whose facts are not the same at ``moment``."""
    rows = _facts(then).filter(wanted, is_first=True, valid_until__lt=moment or FOREVER)
    rows = rows.values("pipeline_id", "rag_status", "rtb_date")
    found: tuple[str, sql.Values] = rows.query.sql_with_params()
    return found


def _facts(moment: datetime | None) -> QuerySet[Any]:
    facts = apps.get_model("pipelines", "Fact").objects
    return facts.at(moment).filter(IS_OPEN).order_by()
