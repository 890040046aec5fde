"""SQL written by hand, for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

#: A row, or the parameters of a statement.
Values = tuple[Any, ...]

#: The number of rows of a part.
PART = 100


def fetch(sql: str, params: Values = ()) -> list[Values]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        rows: list[Values] = cursor.fetchall()
        return rows


def fetch_each(sql: str, params: Values = ()) -> Iterator[Values]:
    """``fetch`` for thousands of rows of which less is kept: a part of them at a time."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        while rows := cursor.fetchmany(PART):
            yield from rows


def fetch_in_parts(sql: str, params: Values = ()) -> Iterator[Values]:
    """``fetch_each`` for what is read seldom, which also leaves the other rows with the database:
    it takes a little more time, but the driver's copy of thousands of rows would leave holes in the
    process's memory."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, params or None)
        while rows := cursor.fetchmany(PART):
            yield from rows


def run(sql: str, params: Values = ()) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)


def fetch_many(sql: str, params: Values = ()) -> list[Values]:
    """``fetch`` for a statement that joins thousands of rows of tables of a past day.

    PostgreSQL can't know how many rows these have, expects few, and would compare each with each.
    """
    if connection.vendor != "postgresql":
        return fetch(sql, params)
    with transaction.atomic():
        run("SET LOCAL enable_nestloop = off")
        found = fetch(sql, params)
        run("SET LOCAL enable_nestloop = on")
        return found


def adapted(*moments: datetime) -> Values:
    """The moments as parameters."""
    return tuple(map(connection.ops.adapt_datetimefield_value, moments))


def date_literal(day: date) -> str:
    return f"CAST('{day}' AS DATE)" if connection.vendor == "postgresql" else f"'{day}'"


def days_between(start: str, end: str) -> str:
    """The days from one date to another, as a number."""
    if connection.vendor == "postgresql":
        return f"({end} - {start})"
    return f"CAST(julianday({end}) - julianday({start}) AS INTEGER)"


def year_of(day: str) -> str:
    """A value for each year."""
    if connection.vendor == "postgresql":
        return f"EXTRACT(YEAR FROM {day})"
    return f"substr({day}, 1, 4)"


def joined(values: str) -> str:
    """SQL for an aggregate with the values of the rows as text, separated by spaces. Several of
    these in a SELECT have the rows in the same order."""
    if connection.vendor == "postgresql":
        return f"STRING_AGG(CAST({values} AS TEXT), ' ')"
    return f"GROUP_CONCAT({values}, ' ')"


def as_hex(number: str) -> str:
    """SQL for a number from 0 up to 2³² as text in eight hexadecimal digits."""
    if connection.vendor == "postgresql":
        return f"LPAD(TO_HEX({number}), 8, '0')"
    # Without a percent sign, which would have to be doubled in a statement with parameters only.
    return f"PRINTF(CHAR(37) || '08x', {number})"


def by_code_point(text: str) -> str:
    """The text for ORDER BY, in the order in which Python and SQLite sort it."""
    return f'{text} COLLATE "C"' if connection.vendor == "postgresql" else text


def date_of(value: date | str) -> date:
    """A date from a row: SQLite returns text."""
    return value if isinstance(value, date) else date.fromisoformat(value)


def uuid_of(value: UUID | str) -> UUID:
    """A key from a row: SQLite returns text."""
    return UUID(value) if isinstance(value, str) else value


def text_of(key: UUID) -> str:
    """A key as rows have it that select it as text."""
    return str(key) if connection.vendor == "postgresql" else key.hex
