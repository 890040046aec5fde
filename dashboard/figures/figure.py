"""What a figure is, and how it is read. The numbers are those of ``dashboard.metrics``, in plain
data: decimals as strings, with units in the names."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

from dashboard.charts.parts import Link, Lists
from dashboard.metrics import Portfolio, Total, portfolio
from pipelines.querysets import Capacity, ConditionsQuerySet, Megawatts

#: Of numbers, names and texts.
Parts = dict[str, Any]

#: The decimals of MW: to a tenth of a watt, at least to the kW.
MW_PLACES, FEWEST_PLACES = 7, 3


@dataclass(frozen=True)
class Finding:
    """``value`` is a whole number, or a decimal as text; None if unknown or there is no single one.
    ``rows`` is None for figures that are no tables; the addresses in them have no host."""

    value: int | str | None = None
    parts: Parts = field(default_factory=dict)
    rows: list[Parts] | None = None


@dataclass(frozen=True)
class Source:
    """What a figure is read from. ``before`` is None unless it compares two days."""

    now: Portfolio
    before: Portfolio | None
    since: date
    lists: Lists
    select: Callable[[], ConditionsQuerySet]


class Compared(Enum):
    """What a figure has to do with the comparison day."""

    #: Nothing.
    NOTHING = "nothing"
    #: It is given as of the end of that day, too.
    LEVEL = "level"
    #: It is itself a change since then.
    CHANGE = "change"


@dataclass(frozen=True)
class Figure:
    """``definition`` is a sentence; ``anchor`` is the heading in docs/metrics.md. ``link`` is the
    page of the records behind the figure. ``is_filtered`` is False for what is of all pipelines,
    whatever the filters."""

    name: str
    title: str
    unit: str
    basis: str
    definition: str
    anchor: str
    link: Callable[[Lists, date], Link]
    read: Callable[[Source], Finding]
    compared: Compared = Compared.NOTHING
    is_filtered: bool = True


def read_figure(
    figure: Figure, select: Callable[[], ConditionsQuerySet], since: date, lists: Lists
) -> tuple[Finding, Finding | None]:
    """The figure of the pipelines that ``select`` returns, at the moment that the request reads;
    and at the end of ``since`` if it is compared with that."""
    then = None
    with ExitStack() as stack:
        before = None
        if figure.compared is not Compared.NOTHING:
            before = stack.enter_context(portfolio(select, since))
        if before and figure.compared is Compared.LEVEL:
            then = figure.read(Source(before, None, since, lists, select))
            before = None
        now = stack.enter_context(portfolio(select, before=before))
        return figure.read(Source(now, before, since, lists, select)), then


# Numbers -----------------------------------------------------------------------------------------


def fixed(value: Decimal | float) -> str:
    """A decimal as text, with as many decimals as it needs: 3 to 7."""
    # Adding 0 turns -0 into 0.
    whole, _, decimals = f"{round(Decimal(value), MW_PLACES) + 0:.{MW_PLACES}f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(FEWEST_PLACES, '0')}"


def to_thousandths(value: Decimal | float | None) -> str | None:
    """Days, per cent and the MW of curves, which are no sums."""
    return None if value is None else f"{round(Decimal(value), FEWEST_PLACES) + 0:.3f}"


def share_pct(part: Decimal, whole: Decimal) -> str | None:
    """The part in per cent; None of nothing."""
    return to_thousandths(part / whole * 100) if whole else None


def megawatts_parts(amount: Megawatts, name: str = "capacity") -> Parts:
    """An amount, together and by basis."""
    return {
        f"{name}_mw": fixed(amount.mw),
        f"{name}_mwp_dc": fixed(amount.mwp_dc),
        f"{name}_mw_ac": fixed(amount.mw_ac),
    }


def capacity_parts(capacity: Capacity) -> Parts:
    return {
        **megawatts_parts(capacity),
        "storage_mw": fixed(capacity.storage_mw),
        "storage_mwh": fixed(capacity.storage_mwh),
        "facilities": capacity.facilities,
        "facilities_without_capacity": capacity.facilities_without_capacity,
    }


def total_parts(total: Total) -> Parts:
    return {"pipelines": total.pipelines, **capacity_parts(total.capacity)}


def of_total(total: Total, rows: list[Parts] | None = None) -> Finding:
    """The capacity of the total."""
    return Finding(fixed(total.capacity.mw), total_parts(total), rows)
