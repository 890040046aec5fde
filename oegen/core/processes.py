"""Processes that share the work of a long read. Imports nothing that needs Django to be set up,
because they import this first."""

from __future__ import annotations

import atexit
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager

import django
from django.db import DEFAULT_DB_ALIAS, connections

from oegen.core.database import snapshot
from oegen.core.garbage import rare_garbage_collection

#: What holds until a process ends: its transaction, and rare looks for garbage.
_transaction = ExitStack()


def can_share_snapshots(using: str = DEFAULT_DB_ALIAS) -> bool:
    """Whether other processes can read what a snapshot that is begun now sees. Not inside a
    transaction, which may have written what only it sees."""
    connection = connections[using]
    return connection.vendor == "postgresql" and not connection.in_atomic_block


@contextmanager
def processes_in_snapshot(
    number: int, using: str = DEFAULT_DB_ALIAS
) -> Iterator[ProcessPoolExecutor]:
    """So many processes that read the snapshot of the current transaction
    (``oegen.core.database.snapshot``)."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT pg_export_snapshot()")
        [name] = cursor.fetchone()
    with ProcessPoolExecutor(
        number,
        # Copies of this process would share its connections.
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(name, using),
    ) as pool:
        yield pool


def _begin(name: str, using: str) -> None:
    django.setup()
    _transaction.enter_context(rare_garbage_collection())
    _transaction.enter_context(snapshot(using, shared=name))
    atexit.register(_transaction.close)
