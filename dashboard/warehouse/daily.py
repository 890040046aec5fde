"""Tables with rows of days: days that are missing are added, and those that a change set touched
are made anew, such as by an import that is dated back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

import pyarrow as pa
from deltalake import DeltaTable
from django.db.models import Min
from django.utils import timezone

from dashboard.warehouse.delta import (
    SEEN,
    Batches,
    DaysWriter,
    Destination,
    OvertakenError,
    is_written,
    kept_rows,
    open_table,
    position,
    select,
)
from dashboard.warehouse.tables import Table
from oegen import audit
from oegen.core import clock
from oegen.models import ChangeSet


@dataclass(frozen=True)
class Daily:
    """A table with the columns ``day`` and ``change_set``, the newest that a row contains.

    ``days_kept`` are kept up, up to yesterday; earlier ones stay unless a change set touches them.
    ``make`` gives the rows of some days, at most ``days_at_once``, and gets that change set.
    """

    table: Table
    days_kept: int
    days_at_once: int
    make: Callable[[Destination, Sequence[date], int], Batches]


def write_days(
    destination: Destination,
    daily: Daily,
    number: int,
    *,
    full: bool,
    progress: Callable[[str], object],
) -> None:
    """Bring the table up to date with the change sets up to ``number``, which the other tables
    contain; ``full``: make anew all that are kept up. Each ``days_at_once`` are a commit. Where
    another sync writes the table meanwhile, the rest is left to it, or to the next."""
    found = open_table(destination, daily.table)
    known, wanted = _known_days(found, daily.table), _wanted_days(daily.days_kept)
    outdated = known.keys() & set(wanted) if full else _touched(known, found, number)
    missing = [day for day in wanted if day in outdated or day not in known]
    writer = DaysWriter(destination, position(found), seen=number)
    with suppress(OvertakenError):
        if found and outdated:
            progress(f"{daily.table.name} without {len(outdated):,} days")
            gone = pa.array(sorted(outdated), pa.date32())
            writer = writer.next()
            writer.overwrite(daily.table, partial(kept_rows, found, daily.table, "day", gone))
        for first in range(0, len(missing), daily.days_at_once):
            days = missing[first : first + daily.days_at_once]
            progress(f"{daily.table.name} of {days[0]}")
            writer = writer.next()
            writer.append(daily.table, partial(_made, destination, daily, days, number))


def _made(
    destination: Destination, daily: Daily, days: Sequence[date], number: int, after: int
) -> Batches:
    return daily.make(destination, days, number)


def _wanted_days(kept: int) -> list[date]:
    """The days to keep up, the newest first: those that something was recorded on or before."""
    first = ChangeSet.objects.aggregate(first=Min("recorded_at"))["first"]
    today = timezone.localdate()
    days = [today - timedelta(days=number) for number in range(1, kept + 1)]
    return [day for day in days if first and clock.end_of(day) > first]


def _known_days(table: DeltaTable | None, daily: Table) -> dict[date, int]:
    """The days in the table, with the newest change set when each was made."""
    if not is_written(table):
        return {}
    found: dict[date, int] = {}
    for row in select(table, daily, "day", "change_set"):
        found[row["day"]] = min(row["change_set"], found.get(row["day"], row["change_set"]))
    return found


def _touched(known: dict[date, int], table: DeltaTable | None, number: int) -> set[date]:
    """The days of which a change set that is newer than their rows recorded something. Those up to
    that which the last commit had seen were looked at then."""
    if not known or table is None:
        return set()
    seen = max(min(known.values()), table.transaction_version(SEEN) or 0)
    newer = ChangeSet.objects.filter(number__gt=seen, number__lte=number)
    earliest: dict[int, datetime] = {}
    for model in audit.business_models():
        rows = audit.history_model(model).objects.filter(change_set__in=newer.values("pk"))
        for one, first in (
            rows.order_by()
            .filter(history_date__lt=clock.end_of(max(known)))
            .values_list("change_set__number")
            .annotate(first=Min("history_date"))
        ):
            earliest[one] = min(earliest.get(one, first), first)
    return {
        day
        for day, made_at in known.items()
        if any(one > made_at and first < clock.end_of(day) for one, first in earliest.items())
    }
