"""All figures of the dashboard, computed together and cached until records change."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from dashboard.metrics.changes import count_changes
from dashboard.metrics.forecast import Growth, growth
from dashboard.metrics.kept import keep, table_version
from dashboard.metrics.movement import RagMove, Slippage, Walk, rag_moves, slippage, walk
from dashboard.metrics.portfolio import Portfolio, portfolio
from dashboard.metrics.stages import Stages, stages
from dashboard.metrics.totals import (
    Concentration,
    Exposure,
    Headline,
    Heat,
    RagGroup,
    RtbGroup,
    StatusGroup,
    TechnologyGroup,
    by_counterparty,
    by_information_point,
    by_rag,
    by_rtb_year,
    by_status,
    by_technology,
    by_technology_and_status,
    headline,
    most_exposing,
)
from infopoints.models import InformationPoint
from oegen import asof
from oegen.core import clock
from pipelines.models import Stage, StageTransition
from pipelines.querysets import PipelineQuerySet

#: The number of information points in the list of the highest ratings.
TOP = 10


@dataclass(frozen=True)
class Overview:
    """``before`` is the headline at the end of the comparison day; ``walk``, ``rag_moves``,
    ``slippage`` and ``changes`` (the number of pipelines by kind of change) are since then.
    ``point_counts`` has the impact, the likelihood and the number of all live information points,
    whatever pipelines they are about."""

    headline: Headline
    before: Headline
    walk: Walk
    rag_moves: tuple[RagMove, ...]
    slippage: Slippage
    changes: dict[str, int]
    rag: tuple[RagGroup, ...]
    statuses: tuple[StatusGroup, ...]
    technologies: tuple[TechnologyGroup, ...]
    heat: Heat
    years: tuple[RtbGroup, ...]
    growth: tuple[Growth, ...]
    stages: Stages
    concentration: Concentration
    top_points: tuple[Exposure, ...]
    exposures: tuple[Exposure, ...]
    point_counts: tuple[tuple[int, int, int], ...]


def overview(select: Callable[[], PipelineQuerySet], since: date, *, filters: str) -> Overview:
    """The figures of the pipelines that ``select`` returns, at the moment that the request reads,
    compared with the end of ``since``.

    ``filters`` is the part of the cache key that identifies the selection; empty if unfiltered. The
    result is cached until the next change set about a business record, the next day or for
    ``CACHE_SECONDS``.
    """
    key = overview_key(since, filters=filters)
    return keep(lambda: _overview(select, since, filters), "overview", *key)


def overview_key(since: date, *, filters: str) -> tuple[object, ...]:
    """What the overview depends on, as a part of cache keys."""
    return since, asof.data_version(), filters


def _overview(select: Callable[[], PipelineQuerySet], since: date, filters: str) -> Overview:
    with portfolio(select, since) as before, portfolio(select, before=before) as now:
        highest = list(InformationPoint.objects.recorded().live().by_rating()[:TOP])
        return Overview(
            headline=headline(now),
            before=headline(before),
            walk=walk(before, now),
            rag_moves=tuple(rag_moves(now)),
            slippage=slippage(now),
            changes=count_changes(before, now),
            rag=tuple(by_rag(now)),
            statuses=tuple(by_status(now)),
            technologies=tuple(by_technology(now)),
            heat=by_technology_and_status(now),
            years=tuple(by_rtb_year(now)),
            growth=tuple(growth(now)),
            stages=stages(now) if filters else _stages_of_all(now),
            concentration=by_counterparty(now),
            top_points=tuple(by_information_point(now, highest)),
            exposures=tuple(most_exposing(now)),
            point_counts=tuple(
                InformationPoint.objects.recorded().live().count_by_impact_and_likelihood()
            ),
        )


def _stages_of_all(now: Portfolio) -> Stages:
    """The stages of all pipelines, which most change sets do not change: computing them takes a
    quarter of the page's time."""
    tables = [*table_version(StageTransition), *table_version(Stage)]
    return keep(lambda: stages(now), "stages", clock.past_day(), clock.today(), *tables)


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or the last day of that month."""
    year, month = divmod(12 * day.year + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def a_month_before(day: date) -> date:
    return months_before(day, 1)
