"""Measures in DAX, as of the last day in the filter context, or today without one."""

from __future__ import annotations

from dashboard.warehouse.semantic.measures import (
    Condition,
    Is,
    IsKnown,
    IsOlder,
    Kind,
    Measure,
)
from dashboard.warehouse.semantic.register_measures import RegisterMeasure
from dashboard.warehouse.tables import DAYS, METRIC_VALUES_DAILY

#: Names in quotes are never taken for a function.
_DAYS = f"'{DAYS.name}'"
_FIGURES = f"'{METRIC_VALUES_DAILY.name}'"

#: Measures that others use: the day, and the instant at which it ends.
AS_OF_DAY, AS_OF = "As of day", "As of"

AS_OF_DAY_EXPRESSION = f"""\
IF (
    ISFILTERED ( {_DAYS} ),
    MAX ( {_DAYS}[day] ),
    TODAY ()
)"""

AS_OF_EXPRESSION = f"""\
VAR this_day = [{AS_OF_DAY}]
RETURN
    CALCULATE (
        MAX ( {_DAYS}[ends_at] ),
        REMOVEFILTERS ( {_DAYS} ),
        {_DAYS}[day] = this_day
    )"""

#: The product's own figure, to reconcile with; blank unless one figure and one day are chosen.
REPORTED = f"""\
VAR this_day = [{AS_OF_DAY}]
RETURN
    IF (
        HASONEVALUE ( {_FIGURES}[figure] ),
        CALCULATE (
            SUM ( {_FIGURES}[value] ),
            REMOVEFILTERS ( {_DAYS} ),
            KEEPFILTERS ( {_FIGURES}[day] = this_day ),
            KEEPFILTERS ( {_FIGURES}[row_number] = 0 ),
            KEEPFILTERS ( {_FIGURES}[measure] = "value" )
        )
    )"""


def expression(measure: Measure) -> str:
    """DAX of several lines. Filters that are given as well are kept."""
    table = _table(measure)
    older = [one for one in measure.conditions if isinstance(one, IsOlder)]
    lines = [f"VAR moment = [{AS_OF}]"]
    for one in older:
        lines += [
            f"VAR first_day = [{AS_OF_DAY}] - {one.days + 1}",
            f"VAR {_earlier(one)} =",
            "    CALCULATE (",
            f"        MAX ( {_DAYS}[ends_at] ),",
            f"        REMOVEFILTERS ( {_DAYS} ),",
            f"        {_DAYS}[day] = first_day",
            "    )",
        ]
    filters = [
        f"{table}[valid_from] < moment",
        f"{table}[valid_to] >= moment",
        *(_condition(one, table) for one in measure.conditions),
    ]
    lines += [
        "RETURN",
        "    CALCULATE (",
        *(f"        {line}" for line in _value(measure)),
        *(f"        KEEPFILTERS ( {one} )," for one in filters[:-1]),
        f"        KEEPFILTERS ( {filters[-1]} )",
        "    )",
    ]
    return "\n".join(lines)


def register_expression(measure: RegisterMeasure) -> str:
    """DAX of several lines, of the newest editions, whatever day is chosen."""
    table = _table(measure)
    filters = [f"KEEPFILTERS ( {_condition(one, table)} )" for one in measure.conditions]
    lines = [
        "CALCULATE (",
        *(f"    {line}" for line in _value(measure)),
        *(f"    {one}," for one in filters[:-1]),
        f"    {filters[-1]}",
        ")",
    ]
    return "\n".join(lines)


def _value(measure: Measure | RegisterMeasure) -> list[str]:
    table = _table(measure)
    column = f"{table}[{measure.column}]"
    match measure.kind:
        case Kind.COUNT:
            return [f"DISTINCTCOUNTNOBLANK ( {column} ),"]
        case Kind.SUM:
            return [f"SUM ( {column} ),"]
        case Kind.SUM_OF_MAXIMA:
            return [
                "SUMX (",
                f"    VALUES ( {table}[facility_id] ),",
                f"    CALCULATE ( MAX ( {column} ) )",
                "),",
            ]


def _condition(one: Condition, table: str) -> str:
    column = f"{table}[{one.column}]"
    match one:
        case Is(value=bool(value)):
            return f"{column} = {str(value).upper()} ()"
        case Is(value=value):
            return f'{column} = "{value}"'
        case IsKnown(known=known):
            return f"NOT ISBLANK ( {column} )" if known else f"ISBLANK ( {column} )"
        case IsOlder():
            return f"ISBLANK ( {column} ) || {column} < {_earlier(one)}"


def _earlier(one: IsOlder) -> str:
    return f"ends_days_before_{one.days}"


def _table(measure: Measure | RegisterMeasure) -> str:
    return f"'{measure.table.name}'"
