"""The pipelines of a portfolio that need attention; pipelines.attention defines the reasons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from dashboard.metrics.portfolio import Portfolio
from oegen.core.sql import date_of, fetch, uuid_of
from oegen.models import User
from pipelines.attention import REASONS, attention_sql, has_any
from pipelines.choices import Reason
from pipelines.querysets import mw_of


@dataclass(frozen=True)
class Needing:
    """A pipeline that needs attention, as it stands. ``mw`` is the capacity of its facilities, in
    mixed bases; None if unknown. ``responsible`` is a person's name; empty for nobody."""

    pipeline_id: UUID
    name: str
    stage: str
    rag: str
    rtb_date: date | None
    mw: Decimal | None
    responsible: str
    reasons: tuple[Reason, ...]

    @property
    def is_overdue(self) -> bool:
        return Reason.OVERDUE in self.reasons


@dataclass(frozen=True)
class Attention:
    """The number of ``pipelines`` with any reason, with an ``urgent`` one and with each.

    ``first`` are the urgent, then the others, the largest capacity first.
    """

    pipelines: int
    urgent: int
    by_reason: dict[Reason, int]
    first: tuple[Needing, ...]


def attention(portfolio: Portfolio, limit: int = 10) -> Attention:
    urgent = [reason for reason in Reason if reason.is_urgent]
    counts = ", ".join(f"SUM({reason.column}) OVER ()" for reason in Reason)
    with portfolio.reading():
        sql, params = attention_sql(portfolio.selected)
        rows = fetch(
            f"""
            SELECT pipeline_id, name, stage, rag, rtb, kw, responsible, {REASONS},
                COUNT(*) OVER (), SUM(CASE WHEN {has_any(urgent)} THEN 1 ELSE 0 END) OVER (),
                {counts}
            FROM ({sql}) AS attention WHERE {has_any(Reason)}
            ORDER BY CASE WHEN {has_any(urgent)} THEN 0 ELSE 1 END, kw DESC NULLS LAST,
                name, pipeline_id
            LIMIT {limit}
            """,
            params,
        )
    number, pressing, *by_reason = rows[0][8:] if rows else (0, 0, *(0 for _ in Reason))
    people = User.objects.in_bulk({row[6] for row in rows if row[6]})
    return Attention(
        number,
        int(pressing),
        {reason: int(count) for reason, count in zip(Reason, by_reason, strict=True)},
        tuple(
            Needing(
                uuid_of(key),
                name,
                stage,
                rag,
                date_of(rtb) if rtb else None,
                None if kw is None else mw_of(kw),
                str(people.get(responsible, "")),
                tuple(map(Reason, codes.split())),
            )
            for key, name, stage, rag, rtb, kw, responsible, codes, *_ in rows
        ),
    )
