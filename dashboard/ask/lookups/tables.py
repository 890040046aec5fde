"""Small tables of what was found: groups, the rows of a figure, records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.formats import date_format

from dashboard.ask.findings import Cell, Finding, Findings, Record, Table, page_address
from dashboard.ask.lookups.grouping import DIMENSIONS, Group
from dashboard.charts.parts import ACCENT, Link, bars
from dashboard.figures import Figure
from dashboard.figures.figure import Finding as FigureFinding
from dashboard.figures.figure import Parts
from oegen import asof

#: The most rows of a table of an answer.
MOST_ROWS = 20

#: The most rows of the table of a chart.
MOST_GROUPS = 40

#: Of figures that are tables of their own: columns, as heading, key of the row and unit. ``label``
#: comes first; a unit "text" is printed as it is, and "day" is a day.
COLUMNS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "rtb-slippage": (
        ("Slipped by", "slipped_days", "days"),
        ("RTB date was", "rtb_date_was", "day"),
        ("RTB date", "rtb_date", "day"),
        ("Capacity", "capacity_mw", "MW"),
    ),
    "baselines": (
        ("Late by", "late_days", "days"),
        ("Baseline", "baseline", "day"),
        ("RTB date", "rtb_date", "day"),
        ("Capacity", "capacity_mw", "MW"),
    ),
    "mw-walk": (("Change", "change_mw", "MW"), ("Facilities", "facilities", "facilities")),
    "changes": (("Pipelines", "pipelines", "pipelines"),),
    "stages": (
        ("Median", "median_days", "days"),
        ("80 % within", "p80_days", "days"),
        ("Stays", "stays", "stays"),
        ("Moved on", "conversion_pct", "%"),
        ("Decided", "decided", "pipelines"),
    ),
    "attention": (("Pipelines", "pipelines", "pipelines"),),
    "attention-first": (
        ("Capacity", "capacity_mw", "MW"),
        ("RTB date", "rtb_date", "day"),
        ("Why", "why", "text"),
    ),
    "rag-movement": (
        ("RAG was", "rag_was", "text"),
        ("RAG", "rag", "text"),
        ("Pipelines", "pipelines", "pipelines"),
        ("Capacity", "capacity_mw", "MW"),
    ),
    "capacity-by-counterparty": (
        ("Held", "held_mw", "MW"),
        ("Share", "held_pct", "%"),
        ("Pipelines", "pipelines", "pipelines"),
    ),
    "information-points-by-rating": (
        ("Rating", "rating", "text"),
        ("Exposed", "capacity_mw", "MW"),
        ("Pipelines", "pipelines", "pipelines"),
    ),
    "exposure": (
        ("Exposed", "capacity_mw", "MW"),
        ("Pipelines", "pipelines", "pipelines"),
        ("Rating", "rating", "text"),
    ),
    "forecast": (
        ("Line", "line", "text"),
        ("By", "day", "day"),
        ("Cumulative", "cumulative_mw", "MW"),
        ("Low", "low_mw", "MW"),
        ("High", "high_mw", "MW"),
    ),
}

_USUAL = (("Capacity", "capacity_mw", "MW"), ("Pipelines", "pipelines", "pipelines"))

#: The kinds of records that a row may be about, by the key of its id.
_ABOUT = {
    "pipeline_id": "pipeline",
    "counterparty_id": "counterparty",
    "information_point_id": "informationpoint",
}


def record_url(kind: str, key: str | UUID) -> str:
    return page_address(reverse(kind, args=[key]))


def on_day(address: str, day: date) -> str:
    """The address as of that day, whatever day it had."""
    page, mark, fragment = address.partition("#")
    path, _, query = page.partition("?")
    kept = [one for one in query.split("&") if one and not one.startswith(f"{asof.PARAMETER}=")]
    page = f"{path}?{'&'.join(kept)}" if kept else path
    return asof.keep_day(f"{page}{mark}{fragment}", day)


def findings_in(table: Table) -> list[Finding]:
    return [cell for row in table.rows for cell in row if not isinstance(cell, str)]


def of_groups(
    figure: Figure,
    unit: str,
    dimensions: Sequence[str],
    groups: Sequence[Group],
    then: dict[tuple[str, ...], Group],
    compare: date | None,
    findings: Findings,
    link: str,
) -> Table:
    """A row for each group, with its change since ``compare``."""
    rows: list[tuple[Cell, ...]] = []
    shown = list(groups[:MOST_GROUPS])
    row_unit = unit.replace(", mixed", "")
    for one in shown:
        label = ", ".join(one.labels)
        names: list[Cell] = list(one.labels)
        if one.counterparty:
            record = findings.add_record(
                "counterparty", one.counterparty, label,
                link=record_url("counterparty", one.counterparty),
            )  # fmt: skip
            names = [record]
        now = findings.add_figure(label, one.value, row_unit, basis=figure.basis, link=one.link)
        cells: list[Cell] = [*names, now]
        if compare:
            value = then[one.codes].value if one.codes in then else _nothing_like(one.value)
            url = then[one.codes].link if one.codes in then else ""
            before = findings.add_figure(
                label, value, row_unit, basis=figure.basis, day=compare, link=url
            )
            change = findings.add_comparison(now, before)
            cells += [before, change or ""]
        rows.append(tuple(cells))
    headings = [DIMENSIONS[name][0].upper() + DIMENSIONS[name][1:] for name in dimensions]
    columns = [*headings, figure.title]
    if compare:
        columns += [date_format(compare), "Change"]
    values = [0.0 if one.value is None else float(one.value) for one in shown]
    chart = bars(
        [", ".join(one.labels) for one in shown],
        values,
        [ACCENT] * len(shown),
        [str(row[len(headings)].text) for row in rows],  # type: ignore[union-attr]
        [Link(one.link) if one.link else None for one in shown],
        row_unit,
    )
    more = len(groups) - len(shown)
    return Table(figure.title, tuple(columns), tuple(rows), link, more, chart)


def _nothing_like(value: int | str | None) -> int | str:
    return 0 if isinstance(value, int) else "0.000"


def of_rows(
    figure: Figure, found: FigureFinding, findings: Findings, link: str, most: int = MOST_ROWS
) -> Table | None:
    """The rows of a figure that is a table; None for others."""
    if not found.rows:
        return None
    wanted = COLUMNS.get(figure.name, _USUAL)
    known = [row for row in found.rows if _has_any(row, wanted)]
    if figure.name == "forecast":
        known = [row for row in known if not row["technology"]][-most:]
    rows = [tuple(_cells(row, wanted, figure, findings)) for row in known[:most]]
    has_label = any("label" in row for row in known)
    headings = [*(["What"] if has_label else []), *(heading for heading, _, _ in wanted)]
    return Table(figure.title, tuple(headings), tuple(rows), link, max(len(known) - most, 0))


def _has_any(row: Parts, wanted: Sequence[tuple[str, str, str]]) -> bool:
    return any(row.get(key) not in (None, 0, "0.000") for _, key, unit in wanted if unit != "text")


def _cells(
    row: Parts, wanted: Sequence[tuple[str, str, str]], figure: Figure, findings: Findings
) -> Iterator[Cell]:
    label = str(row.get("label") or "")
    if label:
        yield _subject(row, label, findings)
    for heading, key, unit in wanted:
        value: Any = row.get(key)
        if value is None:
            yield ""
        elif unit == "text":
            yield str(value)
        elif unit == "day":
            yield findings.add_day(date.fromisoformat(str(value)))
        else:
            name = f"{label}: {heading.lower()}" if label else heading
            yield findings.add_figure(
                name, value, unit, basis=figure.basis, link=str(row.get("url") or "")
            )


def _subject(row: Parts, label: str, findings: Findings) -> Record | str:
    for key, kind in _ABOUT.items():
        if row.get(key):
            return findings.add_record(kind, row[key], label, link=record_url(kind, row[key]))
    return label


def decimal_text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
