"""Temporary tables of metrics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from django.db import connection

from dashboard.metrics.columns import Column
from oegen.core.sql import Values, run

_table_numbers = count(1)


def new_table_name(kind: str) -> str:
    return f"{kind}_{next(_table_numbers)}"


@contextmanager
def temporary_table(
    name: str, select: str, params: Values = (), *, joins_many: bool = False
) -> Iterator[None]:
    """``joins_many``: thousands of facts, of which PostgreSQL can expect one, if they are those of
    some days among years, and would compare each with each."""
    create = f"CREATE TEMPORARY TABLE {name} AS {select}"
    if joins_many and connection.vendor == "postgresql":
        create = f"SET enable_nestloop = off; {create}; RESET enable_nestloop"
    run(create, params)
    try:
        yield
    except BaseException:
        # A rollback drops the table; on PostgreSQL, DROP in a failed transaction would hide the
        # error that made it fail.
        if not connection.in_atomic_block:
            run(f"DROP TABLE {name}")
        raise
    run(f"DROP TABLE {name}")


def analyse(table: str, *columns: Column) -> None:
    """PostgreSQL has no statistics of a temporary table until it is analysed. A small sample says
    enough, above all that keys are unique."""
    if connection.vendor == "postgresql":
        run(
            f"""
            SET default_statistics_target = 1;
            ANALYZE {table} ({", ".join(columns)});
            RESET default_statistics_target
            """
        )
