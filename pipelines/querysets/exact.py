"""Sums that every database works out exactly: of whole numbers, capacity in kW and shares in
hundredths of a percent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import BigIntegerField
from django.db.models.functions import Cast, Round

KILO = 1000

#: The whole of something, in hundredths of a percent.
WHOLE = 10_000


def whole_number(amount) -> Cast:
    return Cast(Round(amount), BigIntegerField())


def part_of(kw: str, part: str) -> str:
    """SQL for what ``part``, in hundredths of a percent, leaves of a capacity, in kW / WHOLE.

    1.0 keeps SQLite from an overflow; up to 900 million MW whole numbers add up exactly all the
    same.
    """
    return f"{kw} * 1.0 * {part}"


def mw_of(kw: Any, parts: int = 1) -> Decimal:
    """In MW, of kW or of parts of them: exact, to a tenth of a watt."""
    return round(Decimal(kw or 0) / parts / KILO, 7)
