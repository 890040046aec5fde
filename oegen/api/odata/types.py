"""The types of columns: how databases return them, how JSON and filters write them.

Numbers are JSON numbers. Rows come from cursors, so values are as the databases have them: SQLite
returns text for keys and times, and floating point for decimals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any
from uuid import UUID

from django.db import connection


@dataclass(frozen=True)
class Type:
    """``name`` is what $metadata says, with its ``facets``.

    ``to_json`` converts a value of a row that is not null; None: it is right as it is.
    ``to_sql`` converts a Python value to a parameter. ``parse`` reads what ``to_json`` wrote into a
    Python value, and raises ValueError.
    """

    name: str
    to_json: Callable[[Any], Any] | None
    to_sql: Callable[[Any], Any]
    parse: Callable[[Any], Any]
    facets: tuple[tuple[str, str], ...] = ()


def _is_postgresql() -> bool:
    return connection.vendor == "postgresql"


def _key_to_json(value: UUID | str) -> str:
    if isinstance(value, UUID):
        return str(value)
    return f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"


def _key_to_sql(value: UUID) -> UUID | str:
    return value if _is_postgresql() else value.hex


def _time_to_json(value: datetime | str) -> str:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return f"{moment.replace(tzinfo=None).isoformat()}Z"


def _parse_time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("A time needs its zone.")
    return moment.astimezone(UTC)


def _number_to_sql(value: Decimal) -> Decimal | float:
    # SQLite compares a text parameter with an expression as text.
    return value if _is_postgresql() else float(value)


def _same(value: Any) -> Any:
    return value


def _parse_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("No text.")
    return value


def _parse_number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError("No number.")
    return Decimal(str(value))


def _parse_whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63:
        raise ValueError("No whole number.")
    return value


def _parse_boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("Neither true nor false.")
    return value


STRING = Type("Edm.String", None, _same, _parse_text)
GUID = Type("Edm.Guid", _key_to_json, _key_to_sql, UUID)
BOOLEAN = Type("Edm.Boolean", bool, bool, _parse_boolean)
INTEGER = Type("Edm.Int32", int, _same, _parse_whole)
LONG = Type("Edm.Int64", int, _same, _parse_whole)
DATE = Type(
    "Edm.Date", str, lambda day: connection.ops.adapt_datefield_value(day), date.fromisoformat
)
TIME = Type(
    "Edm.DateTimeOffset",
    _time_to_json,
    lambda moment: connection.ops.adapt_datetimefield_value(moment),
    _parse_time,
    (("Precision", "6"),),
)


def decimal(scale: int) -> Type:
    """Numbers with up to that many digits after the point. SQL that computes one rounds it so."""
    return Type("Edm.Decimal", float, _number_to_sql, _parse_number, (("Scale", str(scale)),))


NUMBERS = frozenset({"Edm.Int32", "Edm.Int64", "Edm.Decimal"})
