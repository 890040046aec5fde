"""Rows read and converted column by column: many of the values of a column are equal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter, not_
from types import NoneType
from typing import Any, TypeVar
from uuid import UUID

R = TypeVar("R")

#: The types of which equal values mean the same, but for those for which the function is true: the
#: second hour of one name, when clocks are set back, equals the first, and -0 equals 0.
_SAME_IF_EQUAL: dict[type, Callable[[Any], bool] | None] = {
    **dict.fromkeys((str, int, bool, UUID, date)),
    datetime: attrgetter("fold"),
    Decimal: not_,
}


def columns_of(rows: Iterable[Any], names: Sequence[str]) -> dict[str, Sequence[Any]]:
    """The values of some attributes of the rows, of which there must be one."""
    # Row by row, which finds the row in the processor's cache.
    values = zip(*map(attrgetter(*names, "__class__"), rows), strict=True)
    return dict(zip(names, values, strict=False))


def map_once(function: Callable[[Any], R], values: Sequence[Any]) -> list[R]:
    """``function`` of each value, called once for equal ones, if they are all of one type.

    It must not tell Decimals apart by zeros at their end.
    """
    if len(values) == 1:
        return [function(values[0])]
    types = set(map(type, values)) - {NoneType}
    if len(types) > 1 or not all(_are_same_if_equal(kind, values) for kind in types):
        return list(map(function, values))
    # By their numbers: Python hashes and compares UUIDs by its own methods, which takes as long as
    # most functions.
    keys = [value and value.int for value in values] if types == {UUID} else values
    results = {key: function(value) for key, value in dict(zip(keys, values, strict=True)).items()}
    return list(map(results.__getitem__, keys))


def _are_same_if_equal(kind: type, values: Iterable[Any]) -> bool:
    if kind not in _SAME_IF_EQUAL:
        return False
    differs = _SAME_IF_EQUAL[kind]
    return not (differs and any(value is not None and differs(value) for value in values))
