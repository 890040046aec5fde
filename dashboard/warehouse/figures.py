"""The table of the product's own figures, day by day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from dashboard.odata import numbers
from dashboard.warehouse.daily import Daily
from dashboard.warehouse.delta import Batches, Destination
from dashboard.warehouse.records import batches
from dashboard.warehouse.tables import METRIC_VALUES_DAILY
from oegen.asof import as_of
from oegen.core.database import snapshot

#: The days up to yesterday whose figures are kept up; those of earlier ones stay as they are.
DAYS_KEPT = 31


def daily() -> Daily:
    return Daily(METRIC_VALUES_DAILY, DAYS_KEPT, days_at_once=1, make=_batches)


def _batches(destination: Destination, days: Sequence[date], number: int) -> Batches:
    return batches(METRIC_VALUES_DAILY, _rows(days, number))


def _rows(days: Sequence[date], number: int) -> Iterator[tuple[Any, ...]]:
    for day in days:
        # A record that figures name may be removed while they are read.
        with snapshot(DEFAULT_DB_ALIAS, read_only=False), as_of(day):
            found = numbers()
        for *row, text in found:
            yield (day, *row, Decimal(text).quantize(Decimal("1e-7")), number)
