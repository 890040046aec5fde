"""A heat table: MW by technology and status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from dashboard.charts.parts import Link, Lists, mw, name_of
from dashboard.metrics import Total
from dashboard.metrics.totals import Heat, StatusGroup, TechnologyGroup
from pipelines.models import Technology
from pipelines.querysets import DONE, HELD, OPEN

#: The number of tints, none included.
TINTS = 5


@dataclass(frozen=True)
class HeatCell:
    """``tint``, 0 to 4, grows with the MW; None for totals."""

    total: Total
    link: Link
    tint: int | None = None


@dataclass(frozen=True)
class HeatRow:
    technology: Technology | None
    unit: str
    cells: tuple[HeatCell, ...]


@dataclass(frozen=True)
class HeatTable:
    """Columns: the open statuses, their total, then on hold and terminal stages. The last row is of
    all technologies. Totals count each facility once, so they may be less than the sum."""

    columns: tuple[str, ...]
    rows: tuple[HeatRow, ...]
    finding: str


def heat_table(
    heat: Heat,
    statuses: Sequence[StatusGroup],
    technologies: Sequence[TechnologyGroup],
    everything: Total,
    lists: Lists,
) -> HeatTable:
    """``everything``: the total of the open pipelines."""
    labels, order = _columns(heat, statuses)
    open_totals = {group.technology: group.total for group in technologies}
    status_totals = {group.code: group.total for group in statuses} | {OPEN: everything}
    places = {code: place for place, (code, _) in enumerate(heat.statuses)}
    most = max((cell.capacity.mw for _, cells in heat.rows for cell in cells), default=Decimal(0))

    def cell(technology: Technology, cells: tuple[Total, ...], code: str) -> HeatCell:
        total = open_totals.get(technology, Total()) if code == OPEN else cells[places[code]]
        link = lists.pipelines(total, status=code, technology=technology.code)
        tint = None if code == OPEN else _tint(total.capacity.mw, most)
        return HeatCell(total, link, tint)

    rows = [
        HeatRow(
            technology,
            technology.unit_label,
            tuple(cell(technology, cells, code) for code in order),
        )
        for technology, cells in heat.rows
    ]
    if rows:
        last = tuple(
            HeatCell(status_totals[code], lists.pipelines(status_totals[code], status=code))
            for code in order
        )
        rows.append(HeatRow(None, "MW, mixed", last))
    return HeatTable(labels, tuple(rows), _finding(heat, most))


def _columns(heat: Heat, statuses: Sequence[StatusGroup]) -> tuple[tuple[str, ...], list[str]]:
    """The labels and codes of the columns, with the open total after the last open status."""
    is_open = {group.code: group.is_open for group in statuses}
    here = [code for code, _ in heat.statuses if is_open[code]]
    rest = [code for code, _ in heat.statuses if not is_open[code]]
    labels = {**dict(heat.statuses), OPEN: "All open"}
    order = [*here, OPEN, *rest]
    return tuple(labels[code] for code in order), order


def _tint(amount: Decimal, most: Decimal) -> int:
    if not amount or not most:
        return 0
    return min(1 + int(amount / most * (TINTS - 1)), TINTS - 1)


def _finding(heat: Heat, most: Decimal) -> str:
    for technology, cells in heat.rows:
        for (code, label), total in zip(heat.statuses, cells, strict=True):
            if most and total.capacity.mw == most:
                where = {HELD: "on hold", DONE: "completed"}.get(code, f"in {label}")
                amount = mw(total.capacity, technology.unit_label)
                return f"Most is {name_of(technology)} {where}: {amount}."
    return ""
