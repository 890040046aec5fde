"""Putting the small files of many syncs together, and removing what nothing refers to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError

from dashboard.warehouse import WarehouseError
from dashboard.warehouse.delta import FILE_BYTES, WRITER, Destination, open_table, without_secrets
from dashboard.warehouse.syncing import all_tables
from dashboard.warehouse.tables import CAPACITY_DAILY, MANIFEST, METRIC_VALUES_DAILY

#: Readers of an older version have that long; so has a writer between its files and its commit.
KEPT_FOR = timedelta(days=7)

#: From this number on, files are put together.
FILES = 20


def tidy(destination: Destination, progress: Callable[[str], object] = lambda table: None) -> int:
    """Tidy all tables; returns the number of removed files. Raises WarehouseError."""
    removed = 0
    for table in (*all_tables(), CAPACITY_DAILY, METRIC_VALUES_DAILY, MANIFEST):
        progress(table.name)
        if (found := open_table(destination, table)) is None:
            continue
        try:
            removed += _tidy(found)
        except CommitFailedError:
            continue  # Somebody is writing it: the next time.
        except (DeltaError, OSError) as error:
            raise WarehouseError(
                f"The table {table.name} can't be tidied: {without_secrets(error)}"
            ) from error
    return removed


def _tidy(table: DeltaTable) -> int:
    if len(table.file_uris()) >= FILES:
        table.optimize.compact(
            target_size=FILE_BYTES, max_concurrent_tasks=1, writer_properties=WRITER
        )
    table.create_checkpoint()
    table.cleanup_metadata()
    hours = int(KEPT_FOR.total_seconds() // 3600)
    return len(table.vacuum(retention_hours=hours, dry_run=False))
