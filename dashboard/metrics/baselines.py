"""The RTB dates of a portfolio against their baselines; pipelines.baselines defines them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Max, Sum

from dashboard.metrics.portfolio import Portfolio
from oegen.core.sql import Values, date_of, fetch, uuid_of
from pipelines.baselines import dated_facts
from pipelines.querysets import IS_OPEN, mw_of


@dataclass(frozen=True)
class Against:
    """RTB dates against one kind of earlier date: how many are ``later``, ``earlier`` and, in days,
    the mean of all, weighted by capacity; None without capacity. A facility of several pipelines
    counts in each."""

    later: int
    earlier: int
    weighted_days: Decimal | None


@dataclass(frozen=True)
class Late:
    """An RTB date later than its baseline. ``mw`` is None if unknown, in mixed bases."""

    pipeline_id: UUID
    name: str
    baseline: date
    rtb_date: date
    days: int
    mw: Decimal | None


@dataclass(frozen=True)
class Baselines:
    """The ``pipelines`` are open, with an RTB date; ``approved`` of them have an approved baseline.
    ``latest``: the largest delays against the baseline first."""

    pipelines: int
    approved: int
    baseline: Against
    first: Against
    latest: tuple[Late, ...]


def baselines(portfolio: Portfolio, limit: int = 10) -> Baselines:
    with portfolio.reading():
        rows, params = _rows(portfolio.selected)
        [(pipelines, approved, kw, *against)] = fetch(
            f"""
            SELECT COUNT(*), SUM(is_approved), SUM(kw), {_against("days_late")},
                {_against("days_after_first")}
            FROM ({rows}) AS dated
            """,
            params,
        )
        latest = fetch(
            f"""
            SELECT pipeline_id, name, day_of_baseline, rtb, days_late, kw FROM ({rows}) AS dated
            WHERE days_late > 0 ORDER BY days_late DESC, name, pipeline_id LIMIT {limit}
            """,
            params,
        )
    return Baselines(
        pipelines,
        int(approved or 0),
        _parse(against[:3], kw),
        _parse(against[3:], kw),
        tuple(
            Late(
                uuid_of(key),
                name,
                date_of(baseline),
                date_of(rtb),
                int(days),
                None if kw is None else mw_of(kw),
            )
            for key, name, baseline, rtb, days, kw in latest
        ),
    )


def _rows(selected: str) -> tuple[str, Values]:
    """SQL with a row for each open pipeline of the portfolio with an RTB date."""
    facts = dated_facts().filter(IS_OPEN).values("pipeline_id")
    sql, params = facts.annotate(
        name=Max("project_name"),
        rtb=Max("rtb_date"),
        day_of_baseline=Max("baseline"),
        approved=Max("rtb_baseline"),
        kw=Sum("kw"),
        late=Max("days_late"),
        after_first=Max("days_after_first"),
    ).query.sql_with_params()
    wanted = f"WHERE pipeline_id IN (SELECT id FROM {selected})" if selected else ""
    return (
        f"""
        SELECT pipeline_id, name, rtb, day_of_baseline, kw, late AS days_late,
            after_first AS days_after_first,
            CASE WHEN approved IS NULL THEN 0 ELSE 1 END AS is_approved
        FROM ({sql}) AS facts {wanted}
        """,
        params,
    )


def _against(days: str) -> str:
    return (
        f"SUM(CASE WHEN {days} > 0 THEN 1 ELSE 0 END), "
        f"SUM(CASE WHEN {days} < 0 THEN 1 ELSE 0 END), SUM({days} * 1.0 * kw)"
    )


def _parse(sums: list[Any], kw: int | None) -> Against:
    later, earlier, days_kw = sums
    weighted = Decimal(days_kw or 0) / Decimal(kw) if kw else None
    return Against(int(later or 0), int(earlier or 0), weighted)
