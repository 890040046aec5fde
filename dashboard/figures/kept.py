"""Figures of filtered pipelines, cached as those of the dashboard are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from dashboard import metrics
from dashboard.charts import Lists
from dashboard.figures.figure import Figure, Finding, read_figure
from dashboard.views import selection_of
from oegen.core.caching import keep
from oegen.models import User
from pipelines.querysets import ConditionsQuerySet


def read_kept(
    figure: Figure,
    select: Callable[[], ConditionsQuerySet],
    since: date,
    filters: dict[str, list[str]],
    reader: User,
) -> tuple[Finding, Finding | None]:
    """``read_figure`` of what ``select`` returns, which is known by the filters and the reader."""
    version = metrics.overview_key(since, filters=selection_of(filters, reader))
    return keep(
        lambda: read_figure(figure, select, since, Lists(filters)), "figure", figure.name, *version
    )
