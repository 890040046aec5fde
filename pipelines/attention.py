"""The open pipelines that need attention, and why: the one definition for dashboard, lists, board,
downloads and digest. Read from the facts, so that it holds on any day.

``Reason.WORSENED`` and ``SLIPPED`` compare with the end of the same day a month before, and are of
pipelines that were open then, too. ``WAITING`` compares with all stays ever recorded in the stage
(pipelines.stays.Stays), holds included. ``ENDED`` and ``DIFFERS`` are what public registers said
otherwise (RegisterFinding). ``NOBODY`` counts once somebody is responsible for any
open pipeline, ``UNPROVEN`` once a gate of any is proven: until then nobody uses them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import RawSQL

from oegen.core import clock, sql
from oegen.core.compiled import compiled
from oegen.core.database import key_set
from pipelines.choices import RAG, SLIPPED_DAYS, UNCONFIRMED_DAYS, FindingKind, Reason
from pipelines.facts.days import of_today, write_for_any_day
from pipelines.facts.intervals import FOREVER
from pipelines.facts.spans import valid_at
from pipelines.gates import Gates, is_unproven
from pipelines.querysets.state import IS_OPEN, as_number, is_overdue, not_confirmed_since
from pipelines.stays import Stays, stays_of_all

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
    the pipelines that are ``waiting``, by the stays of the version ``stays``, and SQL for those
    that registers say have ``ended`` or ``differs`` from what they say."""

    names: bool
    proves: bool
    gates: Gates
    waiting: RawSQL
    stays: tuple[object, ...]
    ended: RawSQL
    differs: RawSQL

    @classmethod
    def load(cls, stays: Stays | None = None, *, counting: bool = True) -> Usage:
        """Without ``counting``, as if all fields were used. ``stays`` are those of all pipelines up
        to the day that is read, which are read unless given."""
        gates = Gates.load()
        # Asked beforehand: a part of the statement would be evaluated for each use of its result.
        names = not counting or bool(_some_responsible())
        proves = not counting or bool(_some_proven(gates))
        stays = stays or stays_of_all(clock.today())
        return cls(
            names,
            proves,
            gates,
            waiting=key_set(stays.waiting),
            stays=stays.version,
            ended=_with_findings(True, *_when()),
            differs=_with_findings(False, *_when()),
        )

    def version(self) -> tuple[object, ...]:
        """What changes when any of this does: a part of cache keys."""
        findings = apps.get_model("pipelines", "RegisterFinding").objects.version()
        return self.names, self.proves, self.gates.version, *self.stays, *findings


def attention_sql(
    only: RawSQL | None = None,
    *,
    among: str = "",
    pipeline: str = "",
    usage: Usage | None = None,
    at: datetime | None = None,
) -> tuple[str, sql.Values]:
    """SQL, with parameters, with a row for each open pipeline: ``pipeline_id``, ``name``, ``stage``
    (its code), ``rag``, ``rtb``, ``responsible`` (a user's key), ``kw`` (null if unknown) and, by
    ``Reason.column``, 0 or 1.

    ``only`` selects the ids of the pipelines wanted, if these are few; ``among`` names a table of
    many ids; ``pipeline`` is SQL for the id of the only one wanted, such as a column of an outer
    query. ``at``: as the pipelines were at that moment, judged on the day that is read.
    """
    usage = usage or Usage.load()
    facts, params = _facts_sql(usage.gates, usage.proves, connection.vendor)
    params = of_today(params)
    moment = at or clock.past_moment()
    then = clock.end_of(clock.a_month_before(clock.today()))
    valid_now, now_params = valid_at(moment)
    valid_then, then_params = valid_at(then)
    [until] = sql.adapted(moment or FOREVER)
    wanted, wanted_then, wanted_params = "", "", ()
    if among:
        # Not then: PostgreSQL would look up the facts of each of the many.
        wanted = f"AND pipeline_id IN (SELECT id FROM {among})"  # noqa: S608
    elif only:
        wanted, wanted_params = f"AND pipeline_id IN ({only.sql})", tuple(only.params)
    elif pipeline:
        wanted = f"AND pipeline_id = {pipeline}"
    if not among:
        wanted_then = wanted
    nobody = "now.responsible IS NULL" if usage.names else "1 = 0"
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
            {_is_among(usage.ended)} AS ended,
            {_is_among(waiting)} AS waiting,
            {_is_among(usage.differs)} AS differs
        FROM (
            SELECT pipeline_id, SUM(kw) AS kw, MAX(project_name) AS name,
                MAX(stage_code) AS stage_code, MAX(rag_status) AS rag, MAX(rtb_date) AS rtb,
                MAX(responsible_id) AS responsible, MAX(overdue) AS overdue,
                MAX(missed) AS missed, MAX(unproven) AS unproven, MAX(unconfirmed) AS unconfirmed
            FROM ({facts}) AS facts WHERE {valid_now} AND is_open <> 0 {wanted} GROUP BY pipeline_id
        ) AS now
        -- Only those that are not the same at both moments.
        LEFT JOIN (
            SELECT pipeline_id, rag_status, rtb_date FROM ({facts}) AS facts
            WHERE {valid_then} AND valid_until < %s AND is_open <> 0 AND is_first <> 0 {wanted_then}
        ) AS was ON was.pipeline_id = now.pipeline_id
        """,  # noqa: S608 - no user input
        (
            *(*usage.ended.params, *waiting.params, *usage.differs.params),
            *(*params, *now_params, *wanted_params),
            *(*params, *then_params, until, *wanted_params),
        ),
    )


@compiled
def _some_responsible() -> QuerySet[Any]:
    facts = _facts(clock.past_moment()).filter(responsible_id__isnull=False)
    return facts.order_by().values_list("pk")[:1]


@compiled
def _some_proven(gates: Gates) -> QuerySet[Any]:
    facts = _facts(clock.past_moment()).filter(gates.any_proven())
    return facts.order_by().values_list("pk")[:1]


def _when() -> tuple[object, ...]:
    """What the SQL of findings depends on beside their kind."""
    return clock.past_moment(), clock.today(), connection.vendor


@lru_cache(maxsize=20)
def _with_findings(ended: bool, *when: object) -> RawSQL:
    """SQL for the keys of the pipelines of which registers say that they ended, or else something
    other than we do."""
    is_end = Q(kind=FindingKind.ENDED)
    findings = apps.get_model("pipelines", "RegisterFinding").objects.now()
    findings = findings.filter(is_end if ended else ~is_end)
    return RawSQL(*findings.order_by().values("pipeline_id").query.sql_with_params())  # noqa: S611


def _is_among(keys: RawSQL) -> str:
    return f"CASE WHEN now.pipeline_id IN ({keys.sql}) THEN 1 ELSE 0 END"


@lru_cache(maxsize=10)
def _facts_sql(gates: Gates, proves: bool, vendor: str) -> tuple[str, sql.Values]:
    """SQL that selects all facts, ever, with what reasons are made of.

    ``is_open`` and ``is_first`` are numbers to filter by: of conditions on columns at the end of an
    index, PostgreSQL makes many searches of it, which takes longer than to read the day's facts.
    """
    return write_for_any_day(lambda: _write_facts_sql(gates, proves))


def _write_facts_sql(gates: Gates, proves: bool) -> tuple[str, sql.Values]:
    confirmed = clock.days_ago(UNCONFIRMED_DAYS)
    unproven = is_unproven(gates) if proves else Q(pk__in=[])
    facts = apps.get_model("pipelines", "Fact").objects.order_by()
    found: tuple[str, sql.Values] = (
        facts.values(
            *("pipeline_id", "valid_from", "valid_until", "kw", "project_name"),
            *("rag_status", "rtb_date", "responsible_id"),
        )
        .annotate(
            is_open=as_number(IS_OPEN),
            is_first=as_number(Q(is_first=True)),
            stage_code=F("stage__code"),
            overdue=as_number(is_overdue()),
            missed=as_number(Q(milestone_due__lt=clock.today())),
            unproven=as_number(unproven),
            # What was never rated has a reason of its own.
            unconfirmed=as_number(not_confirmed_since(confirmed) & ~Q(rag_status="")),
        )
        .query.sql_with_params()
    )
    return found


def _facts(moment: datetime | None) -> QuerySet[Any]:
    facts = apps.get_model("pipelines", "Fact").objects
    return facts.at(moment).filter(IS_OPEN).order_by()
