"""Syncs and checks of the warehouse, which are kept for the administrators' page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from dashboard.models import WarehouseRun
from dashboard.warehouse import WarehouseError, installed

#: How long runs are kept; the newest of each kind stay.
KEPT_FOR = timedelta(days=30)

#: The days that the check of each night compares.
NIGHTLY_DAYS = 20

#: The differences that are kept of a check; it counts the rest.
MAX_KEPT = 200

Progress = Callable[[str], object]


def run_sync(address: str, *, full: bool = False, progress: Progress = lambda table: None) -> Any:
    """Bring the tables at the address up to date; returns ``syncing.Result``. Raises
    WarehouseError."""
    with _recorded(WarehouseRun.Kind.SYNC, address) as run:
        delta, syncing = installed("delta"), installed("syncing")
        destination = delta.Destination.parse(address)
        result = syncing.sync(destination, full=full, progress=progress)
        run.change_set, run.tables = result.number, syncing.tables_of(destination)
    return result


def run_check(address: str, days: int) -> Any:
    """Compare figures on that many days; returns ``checking.CheckResult``. Raises
    WarehouseError."""
    with _recorded(WarehouseRun.Kind.CHECK, address) as run:
        delta, checking = installed("delta"), installed("checking")
        result = checking.check(delta.Destination.parse(address), days)
        run.days, run.figures = result.days, result.figures
        run.differences = result.differences[:MAX_KEPT]
        if len(result.differences) > MAX_KEPT:
            run.differences.append(f"… and {len(result.differences) - MAX_KEPT:,} more.")
    return result


@contextmanager
def _recorded(kind: WarehouseRun.Kind, address: str) -> Iterator[WarehouseRun]:
    """Store the run when it ended or failed, if the address is that of WAREHOUSE."""
    run = WarehouseRun(kind=kind)
    try:
        yield run
    except WarehouseError as error:
        run.problem = str(error)
        raise
    finally:
        if address == settings.WAREHOUSE and (run.problem or run.change_set or run.days):
            run.ended_at = timezone.now()
            run.save()
            _forget(kind)


def _forget(kind: WarehouseRun.Kind) -> None:
    old = WarehouseRun.objects.filter(kind=kind, began_at__lt=timezone.now() - KEPT_FOR)
    newest = WarehouseRun.objects.filter(kind=kind, problem="").values_list("pk", flat=True)[:1]
    old.exclude(pk__in=list(newest)).delete()
