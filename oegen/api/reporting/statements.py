"""The SELECTs behind the views and their functions, made from those of the entity sets.

A set's SELECT is made for a day, which is among its parameters. It is made for two days here:
parameters that moved with the day become expressions, the others become literals.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone
from psycopg import sql

from oegen import audit
from oegen.api.odata.sets import Column, EntitySet
from oegen.asof.statements import PastRows
from oegen.core import clock
from oegen.core.sql import Values

#: The first parameter of a function.
DAY = "$1"

#: Of different lengths of months, and offsets from UTC.
_DAYS = date(2024, 2, 10), date(2025, 7, 28)

_PLACES = re.compile(r"%[s%]")
_QUOTED = re.compile(r'"(\w+)"')


def live(entity_set: EntitySet, columns: Sequence[Column], *, personal: bool) -> str:
    """SQL of the rows of whatever day it is."""

    def make(day: date) -> tuple[str, Values]:
        with clock.override_today(day):
            return entity_set.select(columns, personal=personal)

    return _for_any_day(make, today_sql())


def past(entity_set: EntitySet, columns: Sequence[Column], *, personal: bool) -> str:
    """SQL of the rows as of the end of the day in the parameter.

    What a day's records were stands in WITH, under the names of their tables.
    """

    def make(day: date) -> tuple[str, Values]:
        with clock.override_day(day):
            return entity_set.select(columns, personal=personal)

    found = _for_any_day(make, DAY)
    tables = "".join(f'"{name}" AS ({rows}), ' for name, rows in _past_tables(found))
    return f"WITH {tables} found AS ({found}) SELECT * FROM found"  # noqa: S608 - SQL of our own


def today_sql() -> str:
    return f"(now() AT TIME ZONE {literal(settings.TIME_ZONE)})::date"


def _past_tables(found: str) -> Iterator[tuple[str, str]]:
    """The tables of records and history that the SQL names, with what they held."""
    rows = PastRows(connection, _start_of(f"({DAY} + 1)"))
    named = set(_QUOTED.findall(found))
    for model in audit.tracked_models():
        if model._meta.db_table in named:
            yield model._meta.db_table, rows.records(model)
        history = audit.history_model(model)._meta.db_table
        if history in named:
            yield history, rows.history(model)


def _for_any_day(make: Callable[[date], tuple[str, Values]], today: str) -> str:
    (text, values), (other_text, other_values) = map(make, _DAYS)
    if text != other_text:
        raise ValueError(f"This SQL holds the day itself: it has to be a parameter.\n{text}")
    pairs = iter(zip(values, other_values, strict=True))

    def replace(place: re.Match[str]) -> str:
        return "%" if place[0] == "%%" else _expression(*next(pairs), today)

    return _PLACES.sub(replace, text) if values else text


def _expression(value: Any, other: Any, today: str) -> str:
    if value == other:
        return literal(value)
    days, other_days = (_days_after(*pair) for pair in zip((value, other), _DAYS, strict=True))
    if days is None or days != other_days:
        raise ValueError(f"It isn't known how {value} follows from {_DAYS[0]}.")
    day = f"({today} + {days})"
    return _start_of(day) if isinstance(value, datetime) else day


def _days_after(value: Any, today: date) -> int | None:
    """How many days after ``today`` it is; None unless it is a day or the start of one."""
    if not isinstance(value, datetime):
        return (value - today).days if isinstance(value, date) else None
    day = timezone.localdate(value)
    return (day - today).days if value == clock.start_of(day) else None


def _start_of(day: str) -> str:
    """SQL for the first moment of a day."""
    return f"({day}::timestamp AT TIME ZONE {literal(settings.TIME_ZONE)})"


def literal(value: Any) -> str:
    return sql.Literal(value).as_string(connection.connection)
