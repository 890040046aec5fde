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
from pipelines.attention import Usage, attention_sql
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

#: The bit of each reason in the sum of those of a pipeline.
_BITS = {reason: 1 << place for place, reason in enumerate(Reason)}

_URGENT = sum(bit for reason, bit in _BITS.items() if reason.is_urgent)

_SUM = " + ".join(f"{bit} * {reason.column}" for reason, bit in _BITS.items())


class _Row(NamedTuple):
    """``key`` is text, ``kw`` a whole number and ``bits`` a sum of ``_BITS``: thousands of objects
    take long to cache."""

    key: str
    name: str
    stage: str
    rag: str
    rtb: date | None
    kw: int | None
    responsible: int | None
    bits: int

    @property
    def reasons(self) -> tuple[Reason, ...]:
        return tuple(reason for reason, bit in _BITS.items() if self.bits & bit)

    def order(self) -> tuple[object, ...]:
        return not self.bits & _URGENT, self.kw is None, -(self.kw or 0), self.name, self.key


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
    sql, params = attention_sql(only, among=among, usage=usage, at=at)
    rows = fetch(
        f"""
        WITH attention AS MATERIALIZED (
            SELECT pipeline_id, name, stage, rag, rtb, kw, responsible, {_SUM} AS bits
            FROM ({sql}) AS attention
        )
        SELECT COUNT(*), bits, NULL, NULL, NULL, NULL, NULL, NULL, NULL
        FROM attention WHERE bits > 0 GROUP BY bits
        UNION ALL
        SELECT * FROM (
            SELECT 0, bits, pipeline_id, name, stage, rag, rtb, kw, responsible
            FROM attention WHERE bits > 0
            ORDER BY CASE WHEN (bits & {_URGENT}) > 0 THEN 0 ELSE 1 END, kw DESC NULLS LAST,
                {by_code_point("name")}, pipeline_id
            LIMIT {limit}
        ) AS first
        """,
        params,
    )
    numbers = {bits: number for number, bits, *_ in rows if number}
    first = [
        _Row(
            *(str(uuid_of(key)), name, stage, rag, date_of(rtb) if rtb else None),
            *(None if kw is None else int(kw), responsible, bits),
        )
        for number, bits, key, name, stage, rag, rtb, kw, responsible in rows
        if not number
    ]
    return _Found(
        tuple(
            sum(number for bits, number in numbers.items() if bits & mask)
            for mask in (sum(_BITS.values()), _URGENT, *_BITS.values())
        ),
        tuple(sorted(first, key=_Row.order)),
    )
