"""The test database: migrated once per run, copied for each worker, and restored from the copy
after a test that commits."""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.db import connection

T = TypeVar("T")


class SQLiteCopies:
    """A copy of the migrated database in a file."""

    def __init__(self, folder: Path):
        self._file = folder / "migrated.sqlite3"

    def exists(self) -> bool:
        return self._file.exists()

    def save(self) -> None:
        """Copy this worker's database for all workers."""
        connection.ensure_connection()
        with closing(sqlite3.connect(self._file)) as copy:
            connection.connection.backup(copy)

    @cached_property
    def _copy(self) -> sqlite3.Connection:
        memory = sqlite3.connect(":memory:", check_same_thread=False)
        with closing(sqlite3.connect(self._file)) as copy:
            copy.backup(memory)
        return memory

    def restore(self) -> None:
        """Create this worker's database, or restore it."""
        connection.ensure_connection()
        self._copy.backup(connection.connection)
        connection.close()

    def delete(self) -> None:
        self._file.unlink()


class PostgreSQLCopies:
    """A copy of the migrated database in another database, whose name is in a file."""

    def __init__(self, folder: Path):
        self._file = folder / "migrated.txt"

    def exists(self) -> bool:
        return self._file.exists()

    def save(self) -> None:
        own = connection.settings_dict["NAME"]
        self._copy(own, f"{own}_migrated")
        self._file.write_text(f"{own}_migrated")

    def restore(self) -> None:
        self._copy(self._file.read_text(), connection.settings_dict["NAME"])

    def delete(self) -> None:
        self._run('DROP DATABASE "{}"', self._file.read_text())
        self._file.unlink()

    def _copy(self, source: str, target: str) -> None:
        connection.close()
        # FORCE, because the server may not have noticed yet that a process was killed.
        self._run('DROP DATABASE IF EXISTS "{}" WITH (FORCE)', target)
        self._run('CREATE DATABASE "{}" TEMPLATE "{}"', target, source)

    @staticmethod
    def _run(sql: str, *names: str) -> None:
        server = connection.get_connection_params() | {"dbname": "postgres"}
        with closing(psycopg.connect(**server, autocommit=True)) as session:
            session.execute(sql.format(*names))


Copies = SQLiteCopies | PostgreSQLCopies


def database_url() -> str:
    """The test database, for a process that a test starts."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def elsewhere(work: Callable[[], T]) -> T:
    """The result of the work on a connection of its own."""

    def run() -> T:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result(timeout=60)


@contextmanager
def migrated_once(folder: Path, migrate: Callable[[], None]) -> Iterator[Copies]:
    """Migrate the database in the first worker and copy it in the others; the last worker to finish
    removes the copy."""
    copies = (PostgreSQLCopies if connection.vendor == "postgresql" else SQLiteCopies)(folder)
    with (folder / "migrated.in-use").open("w") as in_use, ExitStack() as stack:
        with _locked(folder / "migrated.lock"):
            fcntl.flock(in_use, fcntl.LOCK_SH)
            if copies.exists():
                stack.callback(connection.creation.destroy_test_db, _take_test_name(), verbosity=0)
                copies.restore()
            else:
                migrate()
                copies.save()
        yield copies
        with _locked(folder / "migrated.lock"), suppress(BlockingIOError):
            fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            copies.delete()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _take_test_name() -> str:
    """Connect to the test database from now on, as Django's ``create_test_db`` does; returns the
    name before."""
    connection.close()
    before = connection.settings_dict["NAME"]
    name = connection.settings_dict["TEST"]["NAME"]
    settings.DATABASES[connection.alias]["NAME"] = connection.settings_dict["NAME"] = name
    return before
