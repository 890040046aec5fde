"""The pipelines of a portfolio that need attention; pipelines.attention defines the reasons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from heapq import merge
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from django.db.models.expressions import RawSQL

from dashboard.metrics.portfolio import Portfolio
from oegen.core.compiled import records_by_key
from oegen.core.database import key_set
from oegen.core.sql import by_code_point, date_of, fetch, uuid_of
from oegen.models import User
from pipelines.attention import REASONS, Usage, attention_sql, has_any
from pipelines.choices import Reason
from pipelines.facts.kept import MAX_DIFFERING
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


#: The first pipelines that are kept: enough for those that are shown without what was written
#: since.
_KEPT = MAX_DIFFERING + 100

_URGENT = [reason for reason in Reason if reason.is_urgent]


class _Row(NamedTuple):
    """``key`` is text and ``kw`` a whole number: thousands of objects take long to cache."""

    key: str
    name: str
    stage: str
    rag: str
    rtb: date | None
    kw: int | None
    responsible: int | None
    codes: str

    @property
    def reasons(self) -> tuple[Reason, ...]:
        return tuple(map(Reason, self.codes.split()))

    def order(self) -> tuple[object, ...]:
        is_urgent = any(reason.is_urgent for reason in self.reasons)
        return not is_urgent, self.kw is None, -(self.kw or 0), self.name, self.key


@dataclass(frozen=True)
class _Found:
    """The ``numbers`` of pipelines with any reason, an urgent one and each, and the ``first``."""

    numbers: tuple[int, ...]
    first: tuple[_Row, ...]


def attention(portfolio: Portfolio, limit: int = 10) -> Attention:
    """Of all pipelines it is what is kept of the baseline, with those that were written since."""
    with portfolio.reading():
        keys = portfolio.differing
        usage = Usage.load(portfolio.stays_of_all)
        if keys is None:
            found = _read(usage, among=portfolio.selected, limit=limit)
        else:
            found = portfolio.keep_baseline(
                lambda kept: _read(usage, at=kept.moment),
                "attention",
                *usage.version(),
            )
            if keys:
                only, written = key_set(keys), set(map(str, keys))
                was, now = (_read(usage, only, at=at) for at in (portfolio.kept.moment, None))
                found = _Found(
                    tuple(
                        total - before + after
                        for total, before, after in zip(
                            found.numbers, was.numbers, now.numbers, strict=True
                        )
                    ),
                    tuple(
                        islice(
                            merge(
                                (row for row in found.first if row.key not in written),
                                now.first,
                                key=_Row.order,
                            ),
                            limit,
                        )
                    ),
                )
    pipelines, urgent, *by_reason = found.numbers
    first = found.first[:limit]
    people = records_by_key(User, {row.responsible for row in first if row.responsible})
    return Attention(
        pipelines,
        urgent,
        dict(zip(Reason, by_reason, strict=True)),
        tuple(
            Needing(
                UUID(row.key),
                row.name,
                row.stage,
                row.rag,
                row.rtb,
                None if row.kw is None else mw_of(row.kw),
                str(people.get(row.responsible, "")),
                row.reasons,
            )
            for row in first
        ),
    )


def _read(
    usage: Usage,
    only: RawSQL | None = None,
    *,
    among: str = "",
    at: datetime | None = None,
    limit: int = _KEPT,
) -> _Found:
    counts = ", ".join(f"SUM({reason.column}) OVER ()" for reason in Reason)
    sql, params = attention_sql(only, among=among, usage=usage, at=at)
    rows = fetch(
        f"""
        SELECT pipeline_id, name, stage, rag, rtb, kw, responsible, {REASONS},
            COUNT(*) OVER (), SUM(CASE WHEN {has_any(_URGENT)} THEN 1 ELSE 0 END) OVER (),
            {counts}
        FROM ({sql}) AS attention WHERE {has_any(Reason)}
        ORDER BY CASE WHEN {has_any(_URGENT)} THEN 0 ELSE 1 END, kw DESC NULLS LAST,
            {by_code_point("name")}, pipeline_id
        LIMIT {limit}
        """,
        params,
    )
    return _Found(
        tuple(map(int, rows[0][8:] if rows else (0, 0, *(0 for _ in Reason)))),
        tuple(
            _Row(
                *(str(uuid_of(key)), name, stage, rag, date_of(rtb) if rtb else None),
                *(None if kw is None else int(kw), responsible, codes),
            )
            for key, name, stage, rag, rtb, kw, responsible, codes, *_ in rows
        ),
    )
