"""Totals of a portfolio, as a whole and in groups. portfolio.py defines how they count."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from counterparties.models import Counterparty
from dashboard.metrics.columns import Column, Condition
from dashboard.metrics.portfolio import LINKED, Portfolio, totals_by_link
from dashboard.metrics.sums import Total
from dashboard.metrics.tables import new_table_name, temporary_table
from infopoints.models import InformationPoint, InformationPointPipeline
from oegen.audit import table_version
from oegen.core.caching import keep
from oegen.core.sql import Values, fetch, uuid_of
from pipelines.choices import ON_HOLD, RAG, Outcome
from pipelines.models import PipelineCounterparty, Stage, Technology
from pipelines.querysets import (
    DONE,
    HELD,
    IS_OPEN,
    NO_DATE,
    OPEN,
    OVERDUE,
    WHOLE,
    held_capacity_sql,
    mw_of,
)

#: The number of years from which ``by_rtb_year`` leaves out empty years.
MAX_YEARS = 30

#: Keys of holders beside those of counterparties.
_OTHERS, _NOBODY = "others", "nobody"


@dataclass(frozen=True)
class Headline:
    """``open``, ``on_hold`` and ``completed`` have no pipeline in common; ``overdue`` and
    ``unconfirmed`` are parts of ``open``."""

    open: Total
    on_hold: Total
    completed: Total
    overdue: Total
    unconfirmed: Total


@dataclass(frozen=True)
class RagGroup:
    """``rag`` is empty for unrated pipelines."""

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
    """``bucket`` is ``OVERDUE``, ``NO_DATE`` or a year as text; overdue pipelines are in no year.
    The keys of ``by_technology`` are technology ids."""

    bucket: str
    total: Total
    by_technology: dict[UUID, Total]


@dataclass(frozen=True)
class Heat:
    """Totals with a row for each technology and a column for each status (code and label)."""

    statuses: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Technology, tuple[Total, ...]], ...]


@dataclass(frozen=True)
class Holding:
    """The open capacity held by the ``counterparty``; without one, by all others together or by
    nobody. ``total`` is the full capacity of the pipelines of which they hold a part."""

    counterparty: Counterparty | None
    total: Total
    held_mw: Decimal


@dataclass(frozen=True)
class Concentration:
    """The largest ``holdings`` in descending order, those of all ``others`` together, and the
    capacity that nobody holds."""

    holdings: tuple[Holding, ...]
    others: Holding
    number_of_others: int
    unheld: Holding


@dataclass(frozen=True)
class Exposure:
    point: InformationPoint
    total: Total


def headline(portfolio: Portfolio) -> Headline:
    states = portfolio.sums_by_state.totals_by(Column.STATE)
    return Headline(
        open=states.get((OPEN,), Total()),
        on_hold=states.get((HELD,), Total()),
        completed=states.get((DONE,), Total()),
        overdue=portfolio.total(Condition.IS_OVERDUE),
        unconfirmed=portfolio.total(Condition.IS_UNCONFIRMED),
    )


def by_rag(portfolio: Portfolio) -> list[RagGroup]:
    """The open pipelines that are red, amber, green and not rated: always all four groups."""
    totals = portfolio.totals_by(Column.RAG, where=[Condition.IS_OPEN])
    labels = [*RAG.choices, ("", "Not rated")]
    return [RagGroup(rag, label, totals.get((rag,), Total())) for rag, label in labels]


def by_status(portfolio: Portfolio) -> list[StatusGroup]:
    """The pipelines by status, in the order of a project's life: always all statuses."""
    totals = portfolio.totals_by(Column.STATUS)
    return [
        StatusGroup(code, label, is_open, totals.get((code,), Total()))
        for code, label, is_open in _statuses(portfolio.stages)
    ]


def by_status_and_rag(portfolio: Portfolio) -> dict[tuple[str, str], Total]:
    """The open pipelines by stage (its code) and rating ("" is unrated)."""
    groups = portfolio.totals_by(Column.STATUS, Column.RAG, where=[Condition.IS_OPEN])
    return {(status, rag): total for (status, rag), total in groups.items()}


def _statuses(stages: list[Stage]) -> list[tuple[str, str, bool]]:
    """The code and label of each status, and whether it is open."""
    return [
        *((stage.code, stage.name, True) for stage in stages if not stage.is_terminal),
        (HELD, ON_HOLD, False),
        *((stage.code, stage.name, False) for stage in stages if stage.is_terminal),
        *((code, label, False) for code, label in Outcome.choices if code != Outcome.ACTIVE),
    ]


def by_technology(portfolio: Portfolio) -> list[TechnologyGroup]:
    """The open pipelines by technology, in the order of the technologies; those without a pipeline
    are left out. A child technology has its own group and is not added to its parent."""
    totals = _by_technology(portfolio.totals_by(Column.TECHNOLOGY, where=[Condition.IS_OPEN]))
    groups = [
        TechnologyGroup(technology, totals[technology.pk])
        for technology in Technology.objects.all()
        if technology.pk in totals
    ]
    if None in totals:
        groups.append(TechnologyGroup(None, totals[None]))
    return groups


def _by_technology(totals: dict[Values, Total]) -> dict[UUID | None, Total]:
    return {
        None if technology is None else uuid_of(technology): total
        for (technology,), total in totals.items()
    }


def by_technology_and_status(portfolio: Portfolio) -> Heat:
    """Totals of the pipelines that were neither withdrawn, refused nor sold. Technologies without a
    pipeline and pipelines without a facility are left out."""
    totals = {
        (uuid_of(technology), status): total
        for (technology, status), total in portfolio.totals_by(
            Column.TECHNOLOGY, Column.STATUS
        ).items()
        if technology is not None
    }
    ended = {code for code, _ in Outcome.choices}
    statuses = tuple(
        (code, label) for code, label, _ in _statuses(portfolio.stages) if code not in ended
    )
    rows = []
    for technology in Technology.objects.all():
        cells = tuple(totals.get((technology.pk, code), Total()) for code, _ in statuses)
        if any(cell.pipelines for cell in cells):
            rows.append((technology, cells))
    return Heat(statuses, tuple(rows))


def by_rtb_year(portfolio: Portfolio) -> list[RtbGroup]:
    """The open pipelines that are overdue, then by RTB year, then those without a date.

    Years without a pipeline are included, unless there are ``MAX_YEARS`` or more.
    """
    totals = portfolio.totals_by(Column.RTB_BUCKET, where=[Condition.IS_OPEN])
    parts: dict[str, dict[UUID, Total]] = {}
    by_technology = portfolio.totals_by(
        Column.RTB_BUCKET,
        Column.TECHNOLOGY,
        where=[Condition.IS_OPEN, Condition.HAS_TECHNOLOGY],
    )
    for (bucket, technology), total in by_technology.items():
        parts.setdefault(bucket, {})[uuid_of(technology)] = total
    years = sorted(int(bucket) for (bucket,) in totals if bucket not in (OVERDUE, NO_DATE))
    if years and years[-1] - years[0] < MAX_YEARS:
        years = list(range(years[0], years[-1] + 1))
    buckets = [
        *([OVERDUE] if (OVERDUE,) in totals else []),
        *map(str, years),
        *([NO_DATE] if (NO_DATE,) in totals else []),
    ]
    return [
        RtbGroup(bucket, totals.get((bucket,), Total()), parts.get(bucket, {}))
        for bucket in buckets
    ]


def by_counterparty(portfolio: Portfolio, limit: int = 10) -> Concentration:
    """Open capacity by the counterparty that holds it: by share where shares are given, else by
    the Lead developer role (PipelineCounterparty.objects.holding).

    A facility of several pipelines counts once for each of its holders, nobody included, with
    their largest share (pipelines.querysets.held_capacity_sql).
    """
    with portfolio.reading():
        version = portfolio.version_of(*LINKED, where=IS_OPEN)
        if version is None:
            found = _held(portfolio, limit)
        else:
            # Most writes are about something else, and this takes longer than all other figures.
            version += (limit, *table_version(PipelineCounterparty))
            found = keep(lambda: _held(portfolio, limit), "held", *version)
        known = Counterparty.objects.in_bulk([key for key, *_ in found.largest])
    holdings = tuple(
        Holding(known[key], total, mw_of(kw, WHOLE)) for key, kw, total in found.largest
    )
    others_mw = mw_of(found.together, WHOLE) - sum(one.held_mw for one in holdings)
    return Concentration(
        holdings=holdings,
        others=Holding(None, found.others, others_mw),
        number_of_others=found.number - len(holdings),
        unheld=Holding(None, found.nobody, mw_of(found.unheld, WHOLE)),
    )


class _Held(NamedTuple):
    """The largest holders (key, kW / WHOLE, total of their pipelines), the number of all and what
    they hold ``together``; what nobody holds; and the totals of the others and of nobody."""

    largest: tuple[tuple[UUID, Any, Total], ...]
    number: int
    together: Any
    unheld: Any
    others: Total
    nobody: Total


def _held(portfolio: Portfolio, limit: int) -> _Held:
    rows, params = portfolio.facts(
        *(Column.ID, Column.FACILITY, Column.KW, Column.SHARED), where=IS_OPEN
    )
    held, held_params = PipelineCounterparty.objects.holders_sql(
        f"SELECT id AS pipeline_id, facility_id, kw, shared FROM ({rows}) AS facts"
    )
    table = new_table_name("held")
    with temporary_table(table, held, params + held_params):
        return _largest(portfolio, table, limit)


def _largest(portfolio: Portfolio, held: str, limit: int) -> _Held:
    # The row without a holder comes first, if there is one.
    amounts = fetch(
        f"""
        SELECT holder, kw, COUNT(*) OVER kind, SUM(kw) OVER kind
        FROM ({held_capacity_sql(held)}) AS amounts
        WINDOW kind AS (PARTITION BY CASE WHEN holder IS NULL THEN 0 ELSE 1 END)
        ORDER BY CASE WHEN holder IS NULL THEN 0 ELSE 1 END, kw DESC NULLS LAST, holder
        LIMIT {limit + 1}
        """
    )
    unheld = next((kw for holder, kw, *_ in amounts if holder is None), 0)
    largest = [row for row in amounts if row[0] is not None][:limit]
    number, together = largest[0][2:] if largest else (0, 0)
    totals = _totals_of_holders(portfolio, held, [key for key, *_ in largest])
    return _Held(
        tuple((uuid_of(key), kw, totals[str(key)]) for key, kw, *_ in largest),
        number,
        together,
        unheld,
        totals.get(_OTHERS, Total()),
        totals.get(_NOBODY, Total()),
    )


def _totals_of_holders(portfolio: Portfolio, held: str, keys: list[Any]) -> dict[str, Total]:
    """Totals of the counterparties with the keys, ``_OTHERS`` and ``_NOBODY``."""
    is_largest = f"holder IN ({', '.join(['%s'] * len(keys))})" if keys else "1 = 0"
    links = f"""
        SELECT DISTINCT pipeline_id,
            CASE WHEN {is_largest} THEN CAST(holder AS VARCHAR(36)) ELSE '{_OTHERS}' END AS holder
        FROM {held} WHERE holder IS NOT NULL
        UNION ALL SELECT DISTINCT pipeline_id, '{_NOBODY}' FROM {held} WHERE rest > 0
    """
    table = f"{held}_groups"
    with temporary_table(table, links, tuple(keys)):
        facts, params = portfolio.facts(*LINKED, where=IS_OPEN)
        return totals_by_link(facts, f"SELECT * FROM {table}", "holder", params=params)


def by_information_point(portfolio: Portfolio, points: list[InformationPoint]) -> list[Exposure]:
    """The open capacity that each of the points is about, in the order of ``points``."""
    if not points:
        return []
    links = InformationPointPipeline.objects.filter(information_point__in=points).order_by()
    with portfolio.reading():
        totals = _totals_of(portfolio, links, "information_point_id")
    return [Exposure(point, totals.get(point.pk, Total())) for point in points]


def most_exposing(portfolio: Portfolio, limit: int = 10) -> list[Exposure]:
    """The live information points that are about the most open capacity; those about none are left
    out."""
    with portfolio.reading():
        links = InformationPointPipeline.objects.filter(
            information_point__in=InformationPoint.objects.recorded().live().values("pk")
        ).order_by()
        values = links.values("pipeline_id", "information_point_id")
        sql, params = values.query.sql_with_params()
        has_facility = IS_OPEN & Q(facility_id__isnull=False)
        facts, facts_params = portfolio.facts(
            Column.ID, Column.FACILITY, Column.KW, where=has_facility
        )
        keys = fetch(
            f"""
            SELECT point FROM (
                SELECT links.information_point_id AS point, facility_id, MAX(kw) AS kw
                FROM ({facts}) AS facts JOIN ({sql}) AS links ON links.pipeline_id = facts.id
                GROUP BY links.information_point_id, facility_id
            ) AS facilities GROUP BY point HAVING SUM(kw) > 0 ORDER BY SUM(kw) DESC, point
            LIMIT {limit}
            """,
            facts_params + params,
        )
    known = InformationPoint.objects.in_bulk([uuid_of(key) for (key,) in keys])
    return by_information_point(portfolio, [known[uuid_of(key)] for (key,) in keys])


def _totals_of(
    portfolio: Portfolio, links: QuerySet[InformationPointPipeline], owner: str
) -> dict[UUID, Total]:
    """The open total for each value of the ``owner`` column of the links to pipelines."""
    values = links.order_by().values("pipeline_id", owner).distinct()
    sql, params = values.query.sql_with_params()
    facts, facts_params = portfolio.facts(*LINKED, where=IS_OPEN)
    totals = totals_by_link(facts, sql, owner, params=facts_params + params)
    return {uuid_of(key): total for key, total in totals.items()}
