"""The portfolio's numbers, each defined once: from a queryset of pipelines to a typed result.

Counts are of pipelines. Capacities are of distinct facilities: one that several pipelines share
counts once in each total and once in each group, so groups may add up to more than their total.
Every function takes a number of queries that does not depend on the number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from pipelines.choices import ON_HOLD, RAG, Outcome
from pipelines.models import Stage, Technology
from pipelines.querysets import HELD, NO_DATE, OVERDUE, Capacity, PipelineQuerySet

NOTHING = Capacity()
LONGEST_ROW_OF_YEARS = 30


@dataclass(frozen=True)
class Total:
    """A number of pipelines and the capacity of all their facilities together."""

    pipelines: int
    capacity: Capacity


@dataclass(frozen=True)
class Headline:
    """``overdue`` is part of ``open``; the other three have no pipeline in common."""

    open: Total
    on_hold: Total
    completed: Total
    overdue: Total


@dataclass(frozen=True)
class RagGroup:
    """``rag`` is empty for what nobody has rated."""

    rag: str
    label: str
    total: Total


@dataclass(frozen=True)
class StatusGroup:
    """``code`` is a stage's code, ``HELD``, or an outcome that ended the project."""

    code: str
    label: str
    is_open: bool
    total: Total


@dataclass(frozen=True)
class TechnologyGroup:
    """A pipeline of two technologies counts in both. No technology: pipelines without facility."""

    technology: Technology | None
    total: Total


@dataclass(frozen=True)
class RtbGroup:
    """``bucket`` is ``OVERDUE``, ``NO_DATE`` or a year as text. ``by_technology`` holds the
    capacity by technology id; what is overdue is in no year."""

    bucket: str
    total: Total
    by_technology: dict[UUID, Capacity]


def total(pipelines: PipelineQuerySet) -> Total:
    return Total(pipelines.count(), pipelines.capacity())


def headline(pipelines: PipelineQuerySet, today: date | None = None) -> Headline:
    return Headline(
        open=total(pipelines.open()),
        on_hold=total(pipelines.on_hold()),
        completed=total(pipelines.completed()),
        overdue=total(pipelines.overdue(today)),
    )


def by_rag(pipelines: PipelineQuerySet) -> list[RagGroup]:
    """Red, amber, green and not rated, all four always."""
    labels = [*RAG.choices, ("", "Not rated")]
    counts, capacities = pipelines.count_by("rag_status"), pipelines.capacity_by("rag_status")
    return [
        RagGroup(rag, label, Total(counts.get(rag, 0), capacities.get((rag,), NOTHING)))
        for rag, label in labels
    ]


def by_status(pipelines: PipelineQuerySet) -> list[StatusGroup]:
    """The labels people know, in the order a project meets them, all of them always."""
    pipelines = pipelines.with_status()
    counts, capacities = pipelines.count_by("status"), pipelines.capacity_by("status")
    stages = list(Stage.objects.all())
    labels = [
        *((stage.code, stage.name, True) for stage in stages if not stage.is_terminal),
        (HELD, ON_HOLD, False),
        *((stage.code, stage.name, False) for stage in stages if stage.is_terminal),
        *((code, label, False) for code, label in Outcome.choices if code != Outcome.ACTIVE),
    ]
    return [
        StatusGroup(
            code, label, is_open, Total(counts.get(code, 0), capacities.get((code,), NOTHING))
        )
        for code, label, is_open in labels
    ]


def by_technology(pipelines: PipelineQuerySet) -> list[TechnologyGroup]:
    """In the technologies' own order, those without a pipeline left out.

    A child technology keeps its own line and is not added to its parent.
    """
    counts = pipelines.count_by_technology()
    capacities = pipelines.facilities().capacity_by_technology()
    groups = [
        TechnologyGroup(technology, Total(counts[technology.pk], capacities[technology.pk]))
        for technology in Technology.objects.filter(pk__in=counts)
    ]
    if without := pipelines.without_facility().count():
        groups.append(TechnologyGroup(None, Total(without, NOTHING)))
    return groups


def by_rtb_year(pipelines: PipelineQuerySet, today: date | None = None) -> list[RtbGroup]:
    """Overdue, then the years in order, then no date.

    A year without a pipeline is there too, unless a far-off date would make the row too long.
    """
    pipelines = pipelines.with_rtb_bucket(today)
    counts = pipelines.count_by("rtb_bucket")
    capacities = pipelines.capacity_by("rtb_bucket")
    parts: dict[str, dict[UUID, Capacity]] = {}
    for (bucket, technology), capacity in pipelines.capacity_by("rtb_bucket", "technology").items():
        parts.setdefault(bucket, {})[technology] = capacity
    years = sorted(int(bucket) for bucket in counts if bucket not in (OVERDUE, NO_DATE))
    if years and years[-1] - years[0] < LONGEST_ROW_OF_YEARS:
        years = list(range(years[0], years[-1] + 1))
    buckets = [
        *([OVERDUE] if OVERDUE in counts else []),
        *map(str, years),
        *([NO_DATE] if NO_DATE in counts else []),
    ]
    return [
        RtbGroup(
            bucket,
            Total(counts.get(bucket, 0), capacities.get((bucket,), NOTHING)),
            parts.get(bucket, {}),
        )
        for bucket in buckets
    ]
