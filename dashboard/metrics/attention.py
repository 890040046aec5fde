"""The pipelines of a portfolio that need attention; pipelines.attention defines the reasons."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Set
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import compress, islice
from typing import NamedTuple
from uuid import UUID

from dashboard.metrics.portfolio import Portfolio
from oegen.core import packed_keys
from oegen.core.compiled import records_by_key
from oegen.core.database import key_set
from oegen.core.sql import Values, as_hex, by_code_point, date_of, fetch, joined, uuid_of
from oegen.models import User
from pipelines.attention import Usage, attention_sql
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


#: The bit of each reason in the sum of those of a pipeline.
_BITS = {reason: 1 << place for place, reason in enumerate(Reason)}

_URGENT = sum(bit for reason, bit in _BITS.items() if reason.is_urgent)

_SUM = " + ".join(f"{bit} * {reason.column}" for reason, bit in _BITS.items())


#: The columns of ``_Row``.
_COLUMNS = "pipeline_id, name, stage, rag, rtb, kw, responsible, bits"


class _Row(NamedTuple):
    """``bits`` is a sum of ``_BITS``."""

    key: UUID
    name: str
    stage: str
    rag: str
    rtb: date | None
    kw: int | None
    responsible: int | None
    bits: int

    @classmethod
    def of(cls, values: Values) -> _Row:
        key, name, stage, rag, rtb, kw, responsible, bits = values
        return cls(
            *(uuid_of(key), name, stage, rag, date_of(rtb) if rtb else None),
            *(None if kw is None else int(kw), responsible, bits),
        )

    @property
    def reasons(self) -> tuple[Reason, ...]:
        return tuple(reason for reason, bit in _BITS.items() if self.bits & bit)

    def order(self) -> tuple[object, ...]:
        return not self.bits & _URGENT, self.kw is None, -(self.kw or 0), self.name, self.key


class _Kept(NamedTuple):
    """The ``keys`` of the pipelines with any reason (oegen.core.packed_keys), in order, and at the
    same places the sums of their ``_BITS``."""

    keys: bytes
    bits: array[int]


class _Found(NamedTuple):
    """The ``numbers`` of pipelines by the sum of their ``_BITS``, and the ``first`` in order."""

    numbers: Counter[int]
    first: list[_Row]


def attention(portfolio: Portfolio, limit: int = 10) -> Attention:
    """At present it is what is kept of all pipelines of the baseline, with those that were written
    since."""
    with portfolio.reading():
        usage = Usage.load(portfolio.stays_of_all)
        everything = portfolio.unfiltered
        written = everything.differing
        if written is None:
            found = _read(usage, portfolio.selected, limit)
        else:
            kept = everything.keep_baseline(
                lambda kept: _read_all(usage, kept.moment), "attention", *usage.version()
            )
            found = _with_written(kept, written, usage, portfolio.selected_keys, limit)
    people = records_by_key(User, {row.responsible for row in found.first if row.responsible})
    pipelines, urgent, *by_reason = (
        sum(number for bits, number in found.numbers.items() if bits & mask)
        for mask in (sum(_BITS.values()), _URGENT, *_BITS.values())
    )
    return Attention(
        pipelines,
        urgent,
        dict(zip(Reason, by_reason, strict=True)),
        tuple(
            Needing(
                row.key,
                row.name,
                row.stage,
                row.rag,
                row.rtb,
                None if row.kw is None else mw_of(row.kw),
                str(people.get(row.responsible, "")),
                row.reasons,
            )
            for row in found.first
        ),
    )


def _with_written(
    kept: _Kept, written: list[UUID], usage: Usage, only: Set[bytes] | None, limit: int
) -> _Found:
    """What is kept, with the pipelines written since as they are; of all, or of these ``only``."""
    anew = {key.bytes for key in written}
    if only is not None:
        only, anew = only - anew, anew & only
    as_kept = list(packed_keys.are_wanted(kept.keys, only, but=anew))
    first = islice(compress(packed_keys.each(kept.keys), as_kept), limit)
    keys = key_set(UUID(bytes=key) for key in (*first, *anew))
    sql, params = _with_bits(*attention_sql(keys, usage=usage))
    rows = [
        _Row.of(row)
        for row in fetch(f"{sql} SELECT {_COLUMNS} FROM attention WHERE bits > 0", params)
    ]
    numbers = Counter(compress(kept.bits, as_kept))
    numbers.update(row.bits for row in rows if row.key.bytes in anew)
    return _Found(numbers, sorted(rows, key=_Row.order)[:limit])


def _read(usage: Usage, among: str, limit: int) -> _Found:
    """``among`` as in ``attention_sql``."""
    sql, params = _with_bits(*attention_sql(among=among, usage=usage))
    rows = fetch(
        f"""
        {sql}
        SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, bits, COUNT(*)
        FROM attention WHERE bits > 0 GROUP BY bits
        UNION ALL
        SELECT * FROM (
            SELECT {_COLUMNS}, 0 FROM attention WHERE bits > 0 {_in_order()} LIMIT {limit}
        ) AS first
        """,
        params,
    )
    first = [_Row.of(row[:-1]) for row in rows if not row[-1]]
    numbers = Counter({bits: number for *_, bits, number in rows if number})
    return _Found(numbers, sorted(first, key=_Row.order))


def _read_all(usage: Usage, at: datetime | None) -> _Kept:
    """``at`` as in ``attention_sql``."""
    sql, params = _with_bits(*attention_sql(usage=usage, at=at))
    [(keys, bits)] = fetch(
        f"""
        {sql}
        SELECT {joined("pipeline_id")}, {joined(as_hex("bits"))}
        FROM (SELECT pipeline_id, bits FROM attention WHERE bits > 0 {_in_order()}) AS ordered
        """,
        params,
    )
    return _Kept(packed_keys.pack(keys or ""), packed_keys.pack_numbers(bits or ""))


def _with_bits(attention: str, params: Values) -> tuple[str, Values]:
    return (
        f"""
        WITH attention AS MATERIALIZED (
            SELECT pipeline_id, name, stage, rag, rtb, kw, responsible, {_SUM} AS bits
            FROM ({attention}) AS attention
        )
        """,
        params,
    )


def _in_order() -> str:
    return f"""
        ORDER BY CASE WHEN (bits & {_URGENT}) > 0 THEN 0 ELSE 1 END, kw DESC NULLS LAST,
            {by_code_point("name")}, pipeline_id
    """
