"""Reading and waiting in ways that differ between the databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.migrations.executor import MigrationExecutor


def is_migrated(using: str) -> bool:
    """Whether its tables are those of the models: not so where it was taken back to some earlier
    migration."""
    executor = MigrationExecutor(connections[using])
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


@contextmanager
def snapshot(using: str) -> Iterator[None]:
    """Whatever is read inside is as of one moment, and no writer waits for it."""
    connection = connections[using]
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(using), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        # Not atomic(), whose transactions take SQLite's write lock.
        with connection.cursor() as cursor:
            usual = connection.connection.text_factory
            # Bytes that are no text are to be read and told, not to end the reading.
            connection.connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
                connection.connection.text_factory = usual


@contextmanager
def short_wait(using: str = DEFAULT_DB_ALIAS, *, seconds: float) -> Iterator[None]:
    """On SQLite, wait so long for another writer's lock rather than the usual time; then
    django.db.OperationalError is raised. On PostgreSQL writers of other rows are not waited for."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        (usual,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual}")


def wait_for_turn(lock: int, using: str = DEFAULT_DB_ALIAS) -> None:
    """Wait until no other transaction has taken this lock, and hold it to the end of this one.

    PostgreSQL's advisory lock of that number. On SQLite a transaction that writes has the whole
    database from its start.
    """
    connection = connections[using]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
