"""The dashboard while a long write is under way: it shows what was true when that began, and says
so, because all figures would have to be computed anew after each of its parts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.dispatch import receiver
from django.http import QueryDict
from django.utils import timezone

from dashboard import metrics
from oegen.audit.long_writes import long_write_since
from oegen.audit.signals import long_write_begins, long_write_ends
from oegen.core import clock
from oegen.core.caching import keep
from pipelines.filtered import comparison_day
from pipelines.models import Pipeline

#: The tab that the dashboard shows first.
FIRST_TAB = next(iter(metrics.TABS))


def held_version(
    since: date, tab: str, *, filters: str, began: datetime | None = None
) -> tuple[object, ...]:
    """A part of cache keys for figures of that tab that are held until the long write ends that
    ``began`` then, by default the one that is under way; empty if none is."""
    began = began or long_write_since()
    if began is None:
        return ()
    return "held", began, clock.past_day(), clock.today(), since, tab, filters


def held_at(version: tuple[object, ...]) -> datetime:
    """When the figures with this version were first asked for. Call it before they are computed."""
    return keep(timezone.now, "held at", *version)


@receiver(long_write_begins)
def hold(began: datetime, **kwargs: Any) -> None:
    """Compute what the dashboard shows first, so that nobody has to wait for it meanwhile."""
    since, _ = comparison_day(QueryDict())
    version = held_version(since, FIRST_TAB, filters="", began=began)
    held_at(version)
    _prepare(since, version)


@receiver(long_write_ends)
def go_on(**kwargs: Any) -> None:
    """Compute the same from what was written, for the first page afterwards."""
    since, _ = comparison_day(QueryDict())
    _prepare(since)


def _prepare(since: date, version: tuple[object, ...] = ()) -> None:
    metrics.overview(Pipeline.objects.all, since, FIRST_TAB, filters="", version=version)
