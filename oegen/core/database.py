"""Snapshots, lock timeouts and locks, for SQLite and PostgreSQL."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models.expressions import RawSQL

#: Longer than the 100 ms after which a writer that waits for SQLite's write lock tries again.
PAUSE_SECONDS = 0.25

#: Bytes of the file that SQLite maps into memory; its pages, if positive, or KiB that it caches.
_SMALL_CACHES = {"mmap_size": 0, "cache_size": -8_000}


def is_migrated(using: str) -> bool:
    """Whether all migrations are applied. False after migrating backwards."""
    executor = MigrationExecutor(connections[using])
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


@contextmanager
def snapshot(using: str, *, read_only: bool = True, shared: str = "") -> Iterator[None]:
    """Run reads in one consistent snapshot without blocking writers; inside a transaction or
    another snapshot, in that.

    Reads that create temporary tables are not ``read_only``: PostgreSQL refuses them there.
    ``shared`` is the name of a snapshot that another transaction exported, on PostgreSQL.
    """
    connection = connections[using]
    if connection.in_atomic_block or is_in_snapshot(connection):
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(using), connection.cursor() as cursor:
            mode = ", READ ONLY" if read_only else ""
            cursor.execute(f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ{mode}")
            if shared:
                cursor.execute("SET TRANSACTION SNAPSHOT %s", [shared])
            yield
    else:
        # Not atomic(), whose transactions take SQLite's write lock. Temporary tables need none.
        with connection.cursor() as cursor:
            text_factory = connection.connection.text_factory
            # Invalid UTF-8 must be reported as a finding, not end the check.
            connection.connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
                connection.connection.text_factory = text_factory


def is_in_snapshot(connection: Any) -> bool:
    """Whether ``snapshot`` began a transaction that Django does not know of."""
    if connection.vendor != "sqlite":
        return False
    connection.ensure_connection()
    return bool(connection.connection.in_transaction)


def key_set(keys: Iterable[UUID], using: str = DEFAULT_DB_ALIAS) -> RawSQL:
    """These keys, for a lookup with ``in``, as one parameter: of a list, Django and the driver
    process each key of its own."""
    vendor = connections[using].vendor
    return RawSQL(each_key_sql(vendor, "uuid"), [as_one_value(keys, vendor)])  # noqa: S611


def each_key_sql(vendor: str, kind: str) -> str:
    """SQL that selects each of the keys that one parameter has, made by ``as_one_value``. ``kind``
    is their type in PostgreSQL."""
    if vendor == "postgresql":
        return f"SELECT unnest(%s::{kind}[])"
    return "SELECT value FROM json_each(%s)"


def as_one_value(keys: Iterable[UUID | int], vendor: str) -> str:
    values = [key.hex if isinstance(key, UUID) else key for key in keys]
    if vendor == "postgresql":
        # Of a list, the driver quotes each key of its own.
        return f"{{{','.join(map(str, values))}}}"
    return json.dumps(values)


@contextmanager
def lock_timeout(using: str = DEFAULT_DB_ALIAS, *, seconds: float) -> Iterator[None]:
    """Shorten SQLite's lock timeout inside the block.

    Raises django.db.OperationalError when it runs out. No effect on PostgreSQL, where writers of
    other rows do not block.
    """
    connection = connections[using]
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        (timeout,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {timeout}")


@contextmanager
def small_caches(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Inside the block, for reads of much that is needed once: SQLite neither maps its file into
    memory nor caches more of it than 8 MB. No effect on PostgreSQL."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        before = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in _SMALL_CACHES}
        for name, value in _SMALL_CACHES.items():
            cursor.execute(f"PRAGMA {name} = {value}")
        try:
            yield
        finally:
            for name, value in before.items():
                cursor.execute(f"PRAGMA {name} = {value}")


def let_others_write(using: str = DEFAULT_DB_ALIAS) -> None:
    """Between two transactions of one long write: SQLite has no queue for its write lock, so a
    writer that goes on at once keeps all others out until they time out."""
    if connections[using].vendor == "sqlite":
        time.sleep(PAUSE_SECONDS)


def take_advisory_lock(lock: int, using: str = DEFAULT_DB_ALIAS) -> None:
    """Take PostgreSQL's advisory lock with the number ``lock``, until the end of the transaction.

    SQLite needs none: a write transaction locks the whole database from its start.
    """
    connection = connections[using]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock])


def take_advisory_locks(
    lock_class: int, locks: Iterable[int], using: str = DEFAULT_DB_ALIAS
) -> None:
    """Take several advisory locks of a class, in ascending order, which prevents deadlocks between
    transactions that call this."""
    connection = connections[using]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(%s, lock) FROM unnest(%s::int[]) AS lock",
                [lock_class, sorted(locks)],
            )
