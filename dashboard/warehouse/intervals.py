"""Facts with everything that a figure needs of them, cut where time alone changes what they say:
pure functions, without queries.

An interval holds at times later than ``since`` and not later than ``until``, as facts do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from dashboard.warehouse.vocabulary import StageState, TechnologyState, Vocabulary
from oegen.core import clock
from pipelines.choices import Outcome
from pipelines.models import Fact
from pipelines.querysets import DONE, ENDED, HELD, KILO, NO_DATE, OPEN, OVERDUE, WHOLE
from pipelines.reference import LEAD_DEVELOPER_ID

#: Decimals of capacity, of capacity × a share, and of capacity × two.
_MW, _PART, _PRODUCT = Decimal(KILO), Decimal(KILO * WHOLE), Decimal(KILO * WHOLE * WHOLE)

#: 100 %, as shares are given.
_ALL = Decimal(100)


class Piece(NamedTuple):
    """A fact, or a part of its interval, with the stage and the technology as they were then.
    ``chance`` is the probability in hundredths of a percent."""

    since: datetime
    until: datetime
    fact: Fact
    stage: StageState
    technology: TechnologyState | None
    is_overdue: bool
    chance: int | None

    @property
    def state(self) -> str:
        if self.fact.outcome != Outcome.ACTIVE:
            return ENDED
        if self.stage.is_terminal:
            return DONE
        return HELD if self.fact.on_hold else OPEN

    @property
    def is_open(self) -> bool:
        return self.state == OPEN

    @property
    def status(self) -> str:
        if self.fact.outcome != Outcome.ACTIVE:
            return self.fact.outcome
        return HELD if self.state == HELD else self.stage.code

    @property
    def rtb_bucket(self) -> str:
        if self.fact.rtb_date is None:
            return NO_DATE
        return OVERDUE if self.is_overdue else f"{self.fact.rtb_date.year:04}"


def pieces_of(fact: Fact, vocabulary: Vocabulary) -> Iterator[Piece]:
    """The fact in pieces within which nothing changes; equal neighbours are one."""
    stages = vocabulary.stages[fact.stage_id]
    technologies = vocabulary.technologies[fact.technology_id] if fact.technology_id else None
    construction = vocabulary.construction
    edges = {fact.valid_from, fact.valid_until, *stages.edges}
    edges.update(technologies.edges if technologies else ())
    edges.update(construction.edges if construction else ())
    edges.update(clock.end_of(day) for day in (fact.rtb_date, fact.own_chance_until) if day)
    last: Piece | None = None
    inside = sorted(edge for edge in edges if fact.valid_from <= edge <= fact.valid_until)
    for since, until in pairwise(inside):
        stage = stages.right_after(since)
        builds_from = construction.right_after(since).order if construction else None
        is_own = fact.own_chance is not None and (
            fact.own_chance_until is None or since < clock.end_of(fact.own_chance_until)
        )
        default = stage.default_probability_pct
        piece = Piece(
            since,
            until,
            fact,
            stage,
            technologies.right_after(since) if technologies else None,
            is_overdue=False,
            chance=fact.own_chance if is_own else None if default is None else round(default * 100),
        )
        has_passed = fact.rtb_date is not None and since >= clock.end_of(fact.rtb_date)
        if has_passed and builds_from is not None and stage.order < builds_from:
            piece = piece._replace(is_overdue=piece.is_open)
        if last and last[2:] == piece[2:]:
            last = last._replace(until=until)
        else:
            if last:
                yield last
            last = piece
    if last:
        yield last


class Amounts(NamedTuple):
    """MW and MWh of a facility; None where a factor is not known."""

    capacity_mw: Decimal | None
    storage_mwh: Decimal | None
    net_mw: Decimal | None
    gross_weighted_mw: Decimal | None
    net_weighted_mw: Decimal | None


def amounts(
    kw: int | None, kwh: int | None, owned: int, chance: int | None, product: int | None
) -> Amounts:
    def of(*factors: int | None, unit: Decimal) -> Decimal | None:
        result = Decimal(1)
        for factor in factors:
            if factor is None:
                return None
            result *= factor
        return result / unit

    return Amounts(
        of(kw, unit=_MW),
        of(kwh, unit=_MW),
        of(kw, owned, unit=_PART),
        of(kw, chance, unit=_PART),
        of(kw, product, unit=_PRODUCT),
    )


def _product(piece: Piece) -> int | None:
    return None if piece.chance is None else piece.fact.owned * piece.chance


def amounts_of(piece: Piece) -> Amounts:
    fact = piece.fact
    return amounts(fact.kw, fact.kwh, fact.owned, piece.chance, _product(piece))


class FacilitySpan(NamedTuple):
    """A facility during an interval, with its open pieces then: at least one."""

    since: datetime
    until: datetime
    pieces: tuple[Piece, ...]

    @property
    def amounts(self) -> Amounts:
        """Of a facility of several projects the highest counts."""
        fact = self.pieces[0].fact
        return amounts(
            fact.kw,
            fact.kwh,
            max(piece.fact.owned for piece in self.pieces),
            _highest(piece.chance for piece in self.pieces),
            _highest(_product(piece) for piece in self.pieces),
        )


def _highest(values: Iterable[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)


def spans_of(
    pieces: Iterable[Piece], more_edges: Iterable[datetime] = ()
) -> Iterator[FacilitySpan]:
    """The times at which a facility, which all the pieces are about, is in open projects."""
    open_ones = [piece for piece in pieces if piece.is_open]
    edges = {edge for piece in open_ones for edge in (piece.since, piece.until)}
    for since, until in pairwise(sorted({*edges, *more_edges})):
        present = tuple(piece for piece in open_ones if piece.since <= since < piece.until)
        if present:
            yield FacilitySpan(since, until, present)


# Holders -----------------------------------------------------------------------------------------


class Share(NamedTuple):
    """A link between a project and a counterparty while it was as it was; ``share_pct`` in %."""

    since: datetime
    until: datetime
    holder: UUID
    role: UUID
    share_pct: Decimal | None


def parts_of(shares: Sequence[Share]) -> tuple[dict[UUID, int], int]:
    """What each counterparty holds of a project by links that are valid together, and the rest
    that nobody does, in hundredths of a percent: by share where shares are given, else all of it by
    the lead developer. Shares above 100 % together are scaled down."""
    given = [one for one in shares if one.share_pct is not None]
    parts: dict[UUID, int] = {}
    if not given:
        leads = [one for one in shares if one.role == LEAD_DEVELOPER_ID]
        for one in leads:
            parts[one.holder] = parts.get(one.holder, 0) + WHOLE
        return parts, 0 if leads else WHOLE
    total = sum((one.share_pct or Decimal(0) for one in given), Decimal(0))
    for one in given:
        share = one.share_pct or Decimal(0)
        part = _rounded(share * WHOLE / total if total > _ALL else share * 100)
        parts[one.holder] = parts.get(one.holder, 0) + part
    return parts, max(0, WHOLE - _rounded(total * 100))


def _rounded(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def held_parts(
    span: FacilitySpan, shares: dict[UUID, list[Share]]
) -> Iterator[tuple[UUID | None, Decimal | None]]:
    """Who holds how many MW of the facility, None for nobody, given the shares by project. Of a
    facility of several projects the largest part counts for each, nobody included."""
    highest: dict[UUID | None, int] = {}
    for pipeline in {piece.fact.pipeline_id for piece in span.pieces}:
        valid = [one for one in shares.get(pipeline, ()) if one.since <= span.since < one.until]
        parts, rest = parts_of(valid)
        own: dict[UUID | None, int] = dict(parts.items())
        if rest > 0:
            own[None] = rest
        for holder, part in own.items():
            highest[holder] = max(highest.get(holder, 0), part)
    kw = span.pieces[0].fact.kw
    for holder, part in highest.items():
        yield holder, None if kw is None else Decimal(kw * part) / _PART
