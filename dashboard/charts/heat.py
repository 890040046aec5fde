"""A heat table: MW by technology and status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from dashboard.charts.parts import Link, Lists, mw, technology_name
from dashboard.metrics import Total
from dashboard.metrics.totals import Heat, StatusGroup, TechnologyGroup
from pipelines.models import Technology
from pipelines.querysets import DONE, HELD, OPEN

#: The number of tints, including none.
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
    open_total: Total,
    lists: Lists,
) -> HeatTable:
    """``open_total`` is the total of all open pipelines."""
    labels, order = _columns(heat, statuses)
    technology_totals = {group.technology: group.total for group in technologies}
    status_totals = {group.code: group.total for group in statuses} | {OPEN: open_total}
    indexes = {code: index for index, (code, _) in enumerate(heat.statuses)}
    maximum = max(
        (cell.capacity.mw for _, cells in heat.rows for cell in cells), default=Decimal(0)
    )

    def cell(technology: Technology, cells: tuple[Total, ...], code: str) -> HeatCell:
        total = technology_totals.get(technology, Total()) if code == OPEN else cells[indexes[code]]
        link = lists.pipelines(total, status=code, technology=technology.code)
        tint = None if code == OPEN else _tint(total.capacity.mw, maximum)
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
    return HeatTable(labels, tuple(rows), _finding(heat, maximum))


def _columns(heat: Heat, statuses: Sequence[StatusGroup]) -> tuple[tuple[str, ...], list[str]]:
    """The labels and codes of the columns, with the open total after the last open status."""
    is_open = {group.code: group.is_open for group in statuses}
    open_codes = [code for code, _ in heat.statuses if is_open[code]]
    other_codes = [code for code, _ in heat.statuses if not is_open[code]]
    labels = {**dict(heat.statuses), OPEN: "All open"}
    order = [*open_codes, OPEN, *other_codes]
    return tuple(labels[code] for code in order), order


def _tint(amount: Decimal, maximum: Decimal) -> int:
    if not amount or not maximum:
        return 0
    return min(1 + int(amount / maximum * (TINTS - 1)), TINTS - 1)


def _finding(heat: Heat, maximum: Decimal) -> str:
    for technology, cells in heat.rows:
        for (code, label), total in zip(heat.statuses, cells, strict=True):
            if maximum and total.capacity.mw == maximum:
                where = {HELD: "on hold", DONE: "completed"}.get(code, f"in {label}")
                amount = mw(total.capacity, technology.unit_label)
                return f"Most is {technology_name(technology)} {where}: {amount}."
    return ""
