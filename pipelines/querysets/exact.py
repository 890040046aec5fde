"""Integer arithmetic, for exact sums on both databases: capacity in kW, shares in hundredths of a
percent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField
from django.db.models.functions import Cast, Round

KILO = 1000

#: 100 % in hundredths of a percent.
WHOLE = 10_000


def whole_number(amount) -> Cast:
    return Cast(Round(amount), BigIntegerField())


def part_of(kw: str, part: str) -> str:
    """SQL for ``part`` (in hundredths of a percent) of a capacity, in kW / WHOLE.

    The factor 1.0 prevents an integer overflow of the sum on SQLite. Floats add whole numbers
    exactly up to 900 million MW.
    """
    factor = "" if connection.vendor == "postgresql" else "1.0 * "
    return f"{kw} * {factor}{part}"


def mw_of(kw: Any, parts: int = 1) -> Decimal:
    """Convert kW, or kW / ``parts``, to MW, rounded to a tenth of a watt."""
    return round(Decimal(kw or 0) / parts / KILO, 7)
