"""Integer arithmetic, for exact sums on both databases: capacity in kW, shares in hundredths of a
percent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import BigIntegerField
from django.db.models.functions import Cast, Round

KILO = 1000

#: 100 % in hundredths of a percent.
WHOLE = 10_000


def whole_number(amount) -> Cast:
    return Cast(Round(amount), BigIntegerField())


def part_of(kw: str, part: str) -> str:
    """SQL for ``part`` (in hundredths of a percent) of a capacity, in kW / WHOLE.

    The factor 1.0 prevents an integer overflow on SQLite. Floats add whole numbers exactly up to
    900 million MW.
    """
    return f"{kw} * 1.0 * {part}"


def mw_of(kw: Any, parts: int = 1) -> Decimal:
    """Convert kW, or kW / ``parts``, to MW, rounded to a tenth of a watt."""
    return round(Decimal(kw or 0) / parts / KILO, 7)
