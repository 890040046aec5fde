"""The metrics: functions of a ``portfolio``, a filtered set of pipelines at a moment, that return
dataclasses. Dashboard, digests and exports take their numbers from here only. Each metric runs a
fixed number of queries.
"""

from dashboard.metrics.attention import attention
from dashboard.metrics.baselines import baselines
from dashboard.metrics.changes import changes
from dashboard.metrics.forecast import growth
from dashboard.metrics.kept_changes import first_changes
from dashboard.metrics.movement import Walk, rag_moves, slippage, walk
from dashboard.metrics.overview import TABS, Overview, overview, overview_key
from dashboard.metrics.portfolio import Portfolio, portfolio
from dashboard.metrics.stages import stages
from dashboard.metrics.sums import Total
from dashboard.metrics.totals import (
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

__all__ = [
    "TABS",
    "Overview",
    "Portfolio",
    "Total",
    "Walk",
    "attention",
    "baselines",
    "by_counterparty",
    "by_information_point",
    "by_rag",
    "by_rtb_year",
    "by_status",
    "by_status_and_rag",
    "by_technology",
    "by_technology_and_status",
    "changes",
    "first_changes",
    "growth",
    "headline",
    "most_exposing",
    "overview",
    "overview_key",
    "portfolio",
    "rag_moves",
    "slippage",
    "stages",
    "walk",
]
