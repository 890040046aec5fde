"""A pair that was found, before it is stored."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal
from uuid import UUID

from django.db.models import Model

from pipelines.registers.matching.reasons import Reason

#: The field of ``Proposal`` and ``Match`` that names the register's side.
Source = Literal["project", "company"]

#: The pair as it is compared with decisions: the register's side, then ours.
Key = tuple[UUID, UUID]

_MAX_SCORE, _MAX_MARGIN = Decimal("99.99"), 999.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """``probability`` is up to 1, ``margin`` in points of the score. ``may_accept``: sure enough to
    be accepted without a person."""

    source: Source
    source_id: UUID
    model: type[Model]
    record_id: UUID
    probability: float
    band: str
    reasons: Sequence[Reason]
    margin: float = math.inf
    may_accept: bool = False

    @property
    def key(self) -> Key:
        return self.source_id, self.record_id

    @property
    def score(self) -> Decimal:
        """In percent, never all of it."""
        return min(Decimal(f"{100 * self.probability:.2f}"), _MAX_SCORE)

    @property
    def stored_margin(self) -> Decimal | None:
        if math.isinf(self.margin):
            return None
        return Decimal(f"{max(-_MAX_MARGIN, min(self.margin, _MAX_MARGIN)):.2f}")

    @property
    def stored_reasons(self) -> list[dict[str, str | float]]:
        return [
            {"kind": one.kind, "weight": round(one.weight, 1), "text": one.text}
            for one in self.reasons
        ]
