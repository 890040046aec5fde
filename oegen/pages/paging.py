"""A page of filtered rows with the total count and capacity.

A text search can be the most expensive part of a list. A common table expression runs it once for
the page, the count and the capacity. Both are cached until a business record changes: the other
pages and orders of a list then read their keys only, and a page that was read before reads none.
The keys of pages far from both ends are read for many pages at a time, because a database has to
order all rows before them. While a long write is under way, the totals are held.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connections
from django.db.models import QuerySet, Window
from django.db.models.expressions import RawSQL
from django.db.models.functions import RowNumber
from django.utils import timezone

from oegen.audit.long_writes import long_write_since
from oegen.core import clock
from oegen.core.caching import cache_key, keep, read, write

#: The number of keys that are read at a time far from the ends of a list.
BLOCK = 1_000

FOUND = RawSQL('SELECT "pk" FROM "found"', ())


@dataclass(frozen=True)
class FoundPage:
    """The keys of the page's rows, in order; ``count`` and ``capacity`` are totals over all pages.
    The capacity is None for rows without one. ``held_at``: when they were read, if they are held
    until a long write ends."""

    keys: list
    count: int
    capacity: Any
    held_at: datetime | None = None


def find_page(rows: QuerySet, start: int, size: int, data_version: str) -> FoundPage:
    """Read one page of ``rows``, which must be ordered. If the queryset has the methods
    ``capacity_sums``, which selects one row for a set of keys, and ``capacity_of``, which converts
    that row, they give the capacity. Page and totals are cached under ``data_version``.

    Raises EmptyResultSet if the query can't have results.
    """
    ordered = rows.values_list("pk").query.sql_with_params()
    held_since = long_write_since()
    return keep(
        lambda: _read_page(rows, start, size, data_version, held_since),
        *("page", data_version, held_since, ordered, start, size),
    )


def _read_page(
    rows: QuerySet, start: int, size: int, data_version: str, held_since: datetime | None
) -> FoundPage:
    condition = rows.order_by().values_list("pk").query.sql_with_params()
    key = cache_key("totals", held_since or data_version, clock.past_day(), condition)
    totals: tuple[int, Any, datetime | None] | None = read(key)
    # What was empty is read again: it is what an import fills.
    if totals is not None and (totals[0] or held_since is None):
        return FoundPage(_keys(rows, start, size, totals[0], data_version), *totals)
    held_at = timezone.now() if held_since else None
    page = replace(_read_with_totals(rows, start, size), held_at=held_at)
    write(key, (page.count, page.capacity, held_at))
    return page


def _read_with_totals(rows: QuerySet, start: int, size: int) -> FoundPage:
    sums_sql: str = "SELECT NULL"
    sums_params: Sequence[Any] = ()
    if hasattr(rows, "capacity_sums"):
        sums_sql, sums_params = rows.capacity_sums(FOUND).query.sql_with_params()
    order: list[Any] = list(rows.query.order_by)
    position = Window(RowNumber(), order_by=order)
    found = rows.order_by().annotate(row_number=position).values_list("pk", "row_number")
    found_sql, found_params = found.query.sql_with_params()
    statement = f"""
        WITH "found" ("pk", "place") AS ({found_sql})
        SELECT "found"."pk", counted.*, sums.*
        FROM (SELECT COUNT(*) FROM "found") AS counted
        CROSS JOIN ({sums_sql}) AS sums
        LEFT JOIN "found" ON "found"."place" > %s AND "found"."place" <= %s
        ORDER BY "found"."place"
    """  # noqa: S608
    with connections[rows.db].cursor() as cursor:
        cursor.execute(statement, [*found_params, *sums_params, start, start + size])
        lines = cursor.fetchall()
    # An empty page is one line without a key.
    _, count, *sums = lines[0]
    to_python = rows.model._meta.pk.to_python
    return FoundPage(
        keys=[to_python(pk) for pk, *_ in lines if pk is not None],
        count=count,
        capacity=rows.capacity_of(sums) if hasattr(rows, "capacity_of") else None,
    )


def _keys(rows: QuerySet, start: int, size: int, count: int, data_version: str) -> list:
    first = start - start % BLOCK
    if not BLOCK <= start < count - BLOCK or start + size > first + BLOCK:
        return _read_keys(rows, start, size, count)
    block = keep(
        lambda: _read_keys(rows, first, BLOCK, count),
        *("keys", data_version, rows.values_list("pk").query.sql_with_params(), first),
    )
    return block[start - first : start - first + size]


def _read_keys(rows: QuerySet, start: int, size: int, count: int) -> list:
    """The keys from ``start`` on, counted from the nearer end: a database reads all rows before."""
    end = min(start + size, count)
    if start <= count // 2 or end <= start:
        return list(rows.values_list("pk", flat=True)[start : start + size])
    backwards = rows.reverse().values_list("pk", flat=True)[count - end : count - start]
    return list(backwards)[::-1]
