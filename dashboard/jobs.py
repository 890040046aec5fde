"""The jobs that write the digests, and those of the warehouse."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from dashboard.alerts import write_warehouse_alert
from dashboard.digest import PERIODS, Period, reason_for_none, write_digest
from dashboard.warehouse import WarehouseError, installed
from dashboard.warehouse.running import NIGHTLY_DAYS, run_check, run_sync
from oegen import jobs
from oegen.core.words import count

#: How long syncs stay listed, of which there are many a day.
SYNCS_KEPT_FOR = timedelta(days=1)

NO_WAREHOUSE = "No warehouse: WAREHOUSE is not set."


def _write(period: Period) -> str:
    number = write_digest(period, timezone.localdate())
    if number is None:
        return "Nothing happened, so nothing is sent."
    if not number:
        return f"No new digest: {reason_for_none(period)}."
    return f"{count(number, 'digest')} written."


@jobs.job_kind(
    "digest-day",
    "Daily digest",
    max_attempts=5,
    is_schedulable=True,
)
def write_daily_digest(context: jobs.Run) -> str:
    """Write the digest of yesterday to the outbox, unless it was; sending is another job."""
    return _write(PERIODS["day"])


@jobs.job_kind(
    "digest-week",
    "Weekly digest",
    max_attempts=5,
    is_schedulable=True,
)
def write_weekly_digest(context: jobs.Run) -> str:
    """Write the digest of the seven days up to yesterday to the outbox, unless it was."""
    return _write(PERIODS["week"])


@jobs.job_kind(
    "sync-warehouse",
    "Warehouse",
    queue=jobs.LONG,
    max_attempts=2,
    is_schedulable=True,
    kept_for=SYNCS_KEPT_FOR,
)
def sync_warehouse(context: jobs.Run) -> str:
    """What ``warehouse_sync`` does. It may end at any table: the next goes on from there."""
    if not settings.WAREHOUSE:
        return NO_WAREHOUSE
    try:
        return _sync(context)
    except WarehouseError as error:
        raise jobs.TryAgainError(str(error)) from error


@jobs.job_kind(
    "check-warehouse",
    "Check of the warehouse",
    queue=jobs.LONG,
    max_attempts=2,
    is_schedulable=True,
)
def check_warehouse(context: jobs.Run) -> str:
    """Sync, and compare figures with the product's on random days. Tells of it and has failed if
    any differ."""
    if not settings.WAREHOUSE:
        return NO_WAREHOUSE
    try:
        synced = _sync(context)
        context.report(0, None, "Comparing figures")
        result = run_check(settings.WAREHOUSE, NIGHTLY_DAYS)
    except WarehouseError as error:
        write_warehouse_alert("It could not be checked. The page of the warehouse says why.")
        raise jobs.TryAgainError(str(error)) from error
    if result.differences:
        write_warehouse_alert(result.summary)
        raise jobs.JobFailedError(result.summary)
    return f"{synced} {result.summary}"


@jobs.job_kind(
    "tidy-warehouse",
    "Tidy up the warehouse",
    queue=jobs.LONG,
    max_attempts=2,
    is_schedulable=True,
)
def tidy_warehouse(context: jobs.Run) -> str:
    """What ``warehouse_sync --tidy`` does afterwards."""
    if not settings.WAREHOUSE:
        return NO_WAREHOUSE
    try:
        destination = installed("delta").Destination.parse(settings.WAREHOUSE)
        removed = installed("tidying").tidy(
            destination, progress=lambda table: context.report(0, None, table)
        )
    except WarehouseError as error:
        raise jobs.TryAgainError(str(error)) from error
    return f"{count(removed, 'file')} removed that nothing referred to."


def _sync(context: jobs.Run) -> str:
    result = run_sync(settings.WAREHOUSE, progress=lambda table: context.report(0, None, table))
    return str(result.summary)
