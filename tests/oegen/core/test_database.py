"""A long write on SQLite, and a writer beside it."""

from __future__ import annotations

import sqlite3
import threading
import time

import pytest
from django.db import connection

from oegen.core.database import let_others_write, small_caches


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has a queue for its locks.")
def test_others_write_between_the_parts_of_a_long_write(db, tmp_path):
    path = tmp_path / "two.sqlite3"
    wrote_after: list[int] = []
    parts: list[int] = []

    def write_one() -> None:
        with sqlite3.connect(path, timeout=20, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            wrote_after.append(len(parts))
            other.execute("COMMIT")

    with sqlite3.connect(path, isolation_level=None) as long:
        long.execute("PRAGMA journal_mode = wal")
        beside = threading.Thread(target=write_one)
        for number in range(3):
            if number:
                let_others_write()
            long.execute("BEGIN IMMEDIATE")
            if not number:
                beside.start()
            time.sleep(0.4)  # Until the other tries only every 100 ms.
            parts.append(number)
            long.execute("COMMIT")
        beside.join()
    assert wrote_after == [1]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's caches are the server's.")
def test_caches_are_small_inside_the_block_only(db):
    def settings() -> list[int]:
        with connection.cursor() as cursor:
            names = ("mmap_size", "cache_size")
            return [cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    before = settings()
    with small_caches():
        assert settings() == [0, -8_000]
    assert settings() == before != [0, -8_000]
