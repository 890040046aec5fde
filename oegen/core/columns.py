"""Rows read and converted column by column: many of the values of a column are equal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from operator import attrgetter
from types import NoneType
from typing import Any, TypeVar
from uuid import UUID

R = TypeVar("R")

#: The types whose equal values mean the same. Numbers with decimals are not: 0.0 equals -0.0.
_SAME_IF_EQUAL = frozenset({str, int, bool, UUID, date, datetime})


def columns_of(rows: Iterable[Any], names: Sequence[str]) -> dict[str, Sequence[Any]]:
    """The values of some attributes of the rows, of which there must be one."""
    # Row by row, which finds the row in the processor's cache.
    values = zip(*map(attrgetter(*names, "__class__"), rows), strict=True)
    return dict(zip(names, values, strict=False))


def map_once(function: Callable[[Any], R], values: Sequence[Any]) -> list[R]:
    """``function`` of each value, called once for equal ones, if they are all of one type."""
    types = set(map(type, values)) - {NoneType}
    if len(types) > 1 or not types <= _SAME_IF_EQUAL or (datetime in types and _are_folded(values)):
        return list(map(function, values))
    results = {value: function(value) for value in set(values)}
    return list(map(results.__getitem__, values))


def _are_folded(values: Sequence[Any]) -> bool:
    """Whether a time is the second one of its name, when clocks are set back: it equals the
    first."""
    return any(value is not None and value.fold for value in values)
