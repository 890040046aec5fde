"""The figures of the dashboard: those that it says first, and those of each tab, computed
together and cached until records change."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from functools import cache as once
from typing import Any

from dashboard.metrics.attention import Attention, attention
from dashboard.metrics.baselines import Baselines, baselines
from dashboard.metrics.forecast import Growth, growth
from dashboard.metrics.moved import count_changes
from dashboard.metrics.movement import RagMove, Slippage, Walk, rag_moves, slippage, walk
from dashboard.metrics.portfolio import Portfolio, portfolio
from dashboard.metrics.stages import Stages, stages
from dashboard.metrics.sums import Total
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
    by_status_and_rag,
    by_technology,
    by_technology_and_status,
    headline,
    most_exposing,
)
from infopoints.models import InformationPoint
from infopoints.querysets import InformationPointQuerySet
from oegen.core.caching import keep
from pipelines.facts.kept import figures_version
from pipelines.querysets import ConditionsQuerySet

#: The number of information points in the list of the highest ratings.
TOP = 10


@dataclass(frozen=True)
class Answer:
    """How the pipelines are going. ``before`` is the headline at the end of the comparison day;
    ``rag_moves``, ``slippage`` and ``changes`` (the number of pipelines by kind of change) are
    since then. ``by_status_and_rag`` is of open pipelines."""

    headline: Headline
    before: Headline
    rag: tuple[RagGroup, ...]
    statuses: tuple[StatusGroup, ...]
    by_status_and_rag: dict[tuple[str, str], Total]
    stages: Stages
    rag_moves: tuple[RagMove, ...]
    slippage: Slippage
    changes: dict[str, int]
    attention: Attention


@dataclass(frozen=True)
class Dates:
    years: tuple[RtbGroup, ...]
    baselines: Baselines
    technologies: tuple[TechnologyGroup, ...]


@dataclass(frozen=True)
class Sizes:
    walk: Walk
    growth: tuple[Growth, ...]
    heat: Heat
    technologies: tuple[TechnologyGroup, ...]


@dataclass(frozen=True)
class Risks:
    """``point_counts`` has the impact, the likelihood and the number of all live information
    points, whatever pipelines they are about."""

    top_points: tuple[Exposure, ...]
    exposures: tuple[Exposure, ...]
    point_counts: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Counterparties:
    concentration: Concentration


@dataclass(frozen=True)
class Overview:
    """``tab`` is what ``TABS`` reads for it; empty where the answer has all it shows."""

    answer: Answer
    tab: Any


def overview(
    select: Callable[[], ConditionsQuerySet],
    since: date,
    tab: str,
    *,
    filters: str,
    version: tuple[object, ...] = (),
) -> Overview:
    """The figures of the pipelines that ``select`` returns, at the moment that the request reads,
    compared with the end of ``since``, and those of a tab, one of ``TABS``.

    ``filters`` is the part of the cache key that identifies the selection; empty if unfiltered.
    Both parts are cached as long as ``version`` is the same, by default ``overview_key``, up to
    ``CACHE_SECONDS``.
    """
    version = version or overview_key(since, filters=filters)
    with ExitStack() as portfolios:

        @once
        def both() -> tuple[Portfolio, Portfolio]:
            before = portfolios.enter_context(portfolio(select, since))
            return before, portfolios.enter_context(portfolio(select, before=before))

        return Overview(
            keep(lambda: _answer(*both(), filters), "answer", *version),
            keep(lambda: TABS[tab](*both(), filters), tab, *version),
        )


def overview_key(since: date, *, filters: str) -> tuple[object, ...]:
    """What the overview depends on, as a part of cache keys."""
    return since, figures_version(is_filtered=bool(filters)), filters


def _answer(before: Portfolio, now: Portfolio, filters: str) -> Answer:
    return Answer(
        # First, while nothing is made as of the page's day yet, if that is past.
        before=before.keep(headline, "headline"),
        headline=headline(now),
        rag=tuple(by_rag(now)),
        statuses=tuple(by_status(now)),
        by_status_and_rag=by_status_and_rag(now),
        stages=stages(now),
        rag_moves=tuple(rag_moves(now)),
        slippage=slippage(now),
        changes=count_changes(now),
        attention=attention(now),
    )


def _dates(before: Portfolio, now: Portfolio, filters: str) -> Dates:
    return Dates(tuple(by_rtb_year(now)), baselines(now), tuple(by_technology(now)))


def _sizes(before: Portfolio, now: Portfolio, filters: str) -> Sizes:
    return Sizes(
        walk(before, now),
        tuple(growth(now)),
        by_technology_and_status(now),
        tuple(by_technology(now)),
    )


def _risks(before: Portfolio, now: Portfolio, filters: str) -> Risks:
    return Risks(
        tuple(by_information_point(now, top_points())),
        tuple(most_exposing(now)),
        tuple(live_points().count_by_impact_and_likelihood()),
    )


def live_points() -> InformationPointQuerySet:
    """The live information points that were recorded by the day."""
    found: InformationPointQuerySet = InformationPoint.objects.recorded().live()
    return found


def top_points() -> list[InformationPoint]:
    """The live information points with the highest ratings."""
    return list(live_points().by_rating()[:TOP])


def _counterparties(before: Portfolio, now: Portfolio, filters: str) -> Counterparties:
    return Counterparties(by_counterparty(now))


#: What reads the figures of each tab that the answer does not have.
TABS: dict[str, Callable[[Portfolio, Portfolio, str], Any]] = {
    "health": lambda before, now, filters: (),
    "dates": _dates,
    "capacity": _sizes,
    "risks": _risks,
    "counterparties": _counterparties,
}
