"""The table of the product's own figures, day by day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from django.db.models import Min

from dashboard.odata import numbers
from dashboard.warehouse.delta import Batches, kept_rows
from dashboard.warehouse.records import batches
from dashboard.warehouse.tables import METRIC_VALUES_DAILY
from oegen import audit
from oegen.asof import as_of
from oegen.core import clock
from oegen.models import ChangeSet

#: The days up to yesterday whose figures are kept up; those of earlier ones stay as they are.
DAYS_KEPT = 31


def wanted_days(today: date) -> list[date]:
    """The days to keep up, the newest first: those that something was recorded on or before."""
    first = ChangeSet.objects.aggregate(first=Min("recorded_at"))["first"]
    days = [today - timedelta(days=number) for number in range(1, DAYS_KEPT + 1)]
    return [day for day in days if first and clock.end_of(day) > first]


def known_days(table: DeltaTable) -> dict[date, int]:
    """The days in the table, with the newest change set when each was computed."""
    found = table.to_pyarrow_table(columns=["day", "change_set"])
    grouped = found.group_by("day").aggregate([("change_set", "min")]).to_pydict()
    return dict(zip(grouped["day"], grouped["change_set_min"], strict=True))


def touched_since(known: dict[date, int]) -> set[date]:
    """The days of which a change set that is newer than their figures recorded something."""
    if not known:
        return set()
    newer = ChangeSet.objects.filter(number__gt=min(known.values()))
    earliest: dict[int, datetime] = {}
    for model in audit.business_models():
        rows = audit.history_model(model).objects.filter(change_set__in=newer.values("pk"))
        for number, first in (
            rows.order_by()
            .filter(history_date__lt=clock.end_of(max(known)))
            .values_list("change_set__number")
            .annotate(first=Min("history_date"))
        ):
            earliest[number] = min(earliest.get(number, first), first)
    return {
        day
        for day, computed_at in known.items()
        if any(
            number > computed_at and first < clock.end_of(day) for number, first in earliest.items()
        )
    }


def figure_batches(day: date, number: int) -> Iterator[pa.RecordBatch]:
    """The figures of the end of that day; ``number`` is the newest change set."""
    with as_of(day):
        found = numbers()
    return batches(
        METRIC_VALUES_DAILY,
        ((day, *row[:-1], _value(row[-1]), number) for row in found),
    )


def _value(text: str) -> Decimal:
    return Decimal(text).quantize(Decimal("1e-7"))


def without(table: DeltaTable, days: set[date]) -> Batches:
    """The rows of other days."""
    gone = pa.array(sorted(days), pa.date32())
    return kept_rows(table, METRIC_VALUES_DAILY, ~pc.field("day").isin(gone))
