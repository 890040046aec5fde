"""The metrics shaped for drawing: for each chart its finding in words, its table and its data.

``Chart.data`` is what static/oegen/charts.js reads: labels, series with a colour for the light and
the dark theme, the words to write at a bar's end, and where a bar leads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse

from dashboard.metrics import Total
from dashboard.metrics.movement import RagMove
from dashboard.metrics.totals import RagGroup, RtbGroup, StatusGroup, TechnologyGroup
from oegen import asof, clock
from oegen.templatetags.oegen import number, whole
from pipelines.choices import RAG
from pipelines.filters import IN_TIME, NOT_RATED
from pipelines.models import Technology
from pipelines.querysets import NO_DATE, NO_FACILITY, OPEN, OVERDUE, Capacity

RAG_COLOURS = {
    "red": ("#B42318", "#F97066"),
    "amber": ("#B54708", "#FDB022"),
    "green": ("#067647", "#47CD89"),
}
NEUTRAL = ("#98A2B3", "#667085")
OPEN_STAGE = ("#4F46E5", "#818CF8")


@dataclass(frozen=True)
class Row:
    """A line of the table behind a chart; ``cells`` are numbers ready to be shown."""

    label: str
    url: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Chart:
    """``finding`` is the accessible name. No rows: there is nothing to draw, and ``empty`` says
    so."""

    key: str
    title: str
    finding: str
    empty: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    data: dict
    note: str = ""


def pipelines_url(**filters) -> str:
    """The list of pipelines under the given filters, at the day that is being looked at; filters
    without a value are left out."""
    query = urlencode({name: value for name, value in filters.items() if value})
    address = f"{reverse('pipelines')}?{query}" if query else reverse("pipelines")
    return asof.keep_day(address, clock.past_day())


def _mw(capacity: Capacity, unit: str = "") -> str:
    return f"{number(capacity.mw)} {unit or capacity.unit}"


def _pipelines(count: int) -> str:
    return f"{whole(count)} pipeline{'' if count == 1 else 's'}"


def _count_and_mw(total: Total) -> str:
    return f"{whole(total.pipelines)} · {_mw(total.capacity)}" if total.pipelines else "0"


def _cells(total: Total) -> tuple[str, ...]:
    capacity = total.capacity
    return (
        whole(total.pipelines),
        number(capacity.mwp_dc),
        number(capacity.mw_ac),
        number(capacity.storage_mwh),
    )


TOTAL_COLUMNS = ("Pipelines", "MWp DC", "MW AC", "MWh")


def _bars(labels, values, colours, notes, links, axis: str) -> dict:
    return {
        "kind": "bars",
        "labels": labels,
        "axis": axis,
        "series": [
            {
                "name": axis,
                "values": [float(value) for value in values],
                "light": [light for light, _ in colours],
                "dark": [dark for _, dark in colours],
            }
        ],
        "notes": notes,
        "links": links,
    }


def _shared(groups, whole_mw: Decimal) -> str:
    """Why bars may add up to more than the total that they are parts of."""
    if sum(group.total.capacity.mw for group in groups) <= whole_mw:
        return ""
    return "A facility that projects of several bars share is in each bar, and once in the total."


def rag_split(groups: Sequence[RagGroup], open_mw: Decimal) -> Chart:
    links = [pipelines_url(status=OPEN, rag=group.rag or NOT_RATED) for group in groups]
    count = sum(group.total.pipelines for group in groups)
    red = groups[0].total
    return Chart(
        key="rag",
        title="RAG of open pipelines",
        finding=f"{whole(red.pipelines)} of {_pipelines(count)} "
        f"{'is' if red.pipelines == 1 else 'are'} red: {_mw(red.capacity)}.",
        empty="No pipeline is open.",
        columns=TOTAL_COLUMNS,
        rows=_rows([group.label for group in groups], links, groups) if count else (),
        data=_bars(
            [group.label for group in groups],
            [group.total.capacity.mw for group in groups],
            [RAG_COLOURS.get(group.rag, NEUTRAL) for group in groups],
            [_count_and_mw(group.total) for group in groups],
            links,
            "MW",
        ),
        note=_shared(groups, open_mw),
    )


def _rows(labels, links, groups) -> tuple[Row, ...]:
    return tuple(
        Row(label, link, _cells(group.total))
        for label, link, group in zip(labels, links, groups, strict=True)
    )


def technologies(groups: Sequence[TechnologyGroup]) -> Chart:
    labels = [group.technology.name if group.technology else "No facility yet" for group in groups]
    links = [
        pipelines_url(
            status=OPEN, technology=group.technology.code if group.technology else NO_FACILITY
        )
        for group in groups
    ]
    finding = ""
    if groups:
        most = max(groups, key=lambda group: group.total.capacity.mw)
        name = labels[groups.index(most)]
        finding = f"{name} leads with {_mw(most.total.capacity)}."
    return Chart(
        key="technology",
        title="Open capacity by technology",
        finding=finding,
        empty="No pipeline is open.",
        columns=TOTAL_COLUMNS,
        rows=_rows(labels, links, groups),
        data=_bars(
            labels,
            [group.total.capacity.mw for group in groups],
            [_colours(group.technology) for group in groups],
            [
                _mw(group.total.capacity, group.technology.unit_label)
                if group.technology
                else _pipelines(group.total.pipelines)
                for group in groups
            ],
            links,
            "MW; solar MWp",
        ),
        note="A pipeline of two technologies is counted in both lines; the list behind a line "
        "adds up whole pipelines.",
    )


def _colours(technology: Technology | None) -> tuple[str, str]:
    return (technology.colour, technology.colour_dark) if technology else NEUTRAL


def statuses(groups: Sequence[StatusGroup], open_mw: Decimal) -> Chart:
    labels = [group.label for group in groups]
    links = [pipelines_url(status=group.code) for group in groups]
    most = max(groups, key=lambda group: group.total.pipelines)
    known = sum(group.total.pipelines for group in groups)
    return Chart(
        key="status",
        title="Pipelines by status",
        finding=f"Most are in {most.label}: {_pipelines(most.total.pipelines)}, "
        f"{_mw(most.total.capacity)}.",
        empty="There is no pipeline yet.",
        columns=TOTAL_COLUMNS,
        rows=_rows(labels, links, groups) if known else (),
        data=_bars(
            labels,
            [group.total.pipelines for group in groups],
            [OPEN_STAGE if group.is_open else NEUTRAL for group in groups],
            [_count_and_mw(group.total) for group in groups],
            links,
            "Pipelines",
        ),
        note=_shared([group for group in groups if group.is_open], open_mw),
    )


def rtb_years(groups: Sequence[RtbGroup], known: list[Technology], open_mw: Decimal) -> Chart:
    """``known`` gives the order, names and colours of the technologies."""
    names = {OVERDUE: "Overdue", NO_DATE: "No date"}
    labels = [names.get(group.bucket, group.bucket) for group in groups]
    links = [_rtb_url(group.bucket) for group in groups]
    shown = [
        technology
        for technology in known
        if any(technology.pk in group.by_technology for group in groups)
    ]
    years = [group for group in groups if group.bucket not in names]
    finding = "No open pipeline has an RTB date ahead."
    if years:
        most = max(years, key=lambda group: group.total.capacity.mw)
        finding = f"Most becomes ready to build in {most.bucket}: {_mw(most.total.capacity)}."
    overdue = next((group for group in groups if group.bucket == OVERDUE), None)
    if overdue:
        finding += (
            f" Overdue: {_pipelines(overdue.total.pipelines)}, {_mw(overdue.total.capacity)}."
        )
    return Chart(
        key="rtb",
        title="Open capacity by year of ready to build",
        finding=finding,
        empty="No pipeline is open.",
        columns=TOTAL_COLUMNS,
        rows=_rows(labels, links, groups),
        data={
            "kind": "stack",
            "labels": labels,
            "axis": "MW; solar MWp",
            "series": [
                {
                    "name": technology.name,
                    "unit": technology.unit_label,
                    "values": [
                        float(group.by_technology[technology.pk].capacity.mw)
                        if technology.pk in group.by_technology
                        else 0
                        for group in groups
                    ],
                    "light": technology.colour,
                    "dark": technology.colour_dark,
                }
                for technology in shown
            ],
            "notes": [number(group.total.capacity.mw, 0) for group in groups],
            "links": links,
        },
        note="Overdue is before Construction with an RTB date in the past; it is in no year. "
        + _shared(groups, open_mw),
    )


def _rtb_url(bucket: str) -> str:
    if bucket in (OVERDUE, NO_DATE):
        return pipelines_url(status=OPEN, rtb=bucket)
    return pipelines_url(status=OPEN, rtb=IN_TIME, rtb_year=bucket)


@dataclass(frozen=True)
class RagRow:
    """Pipelines by what they are rated now, of those that were rated ``label`` before."""

    label: str
    cells: tuple[RagCell, ...]


@dataclass(frozen=True)
class RagCell:
    """``direction`` is "better", "worse" or "same"."""

    pipelines: int
    mw: Decimal
    direction: str


def rag_table(moves: Iterable[RagMove]) -> list[RagRow]:
    """The rated pipelines, three ratings before by three now."""
    known = {(move.start, move.end): move for move in moves}
    order = [RAG.GREEN, RAG.AMBER, RAG.RED]

    def cell(before: RAG, now: RAG) -> RagCell:
        move = known.get((before, now))
        step = order.index(now) - order.index(before)
        return RagCell(
            move.total.pipelines if move else 0,
            move.total.capacity.mw if move else Decimal(0),
            "worse" if step > 0 else "better" if step < 0 else "same",
        )

    return [RagRow(before.label, tuple(cell(before, now) for now in order)) for before in order]
