"""Bar charts: capacity by RAG, technology, status, RTB year and holder."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from dashboard.charts.parts import (
    ACCENT,
    NEUTRAL,
    TOTAL_COLUMNS,
    Cell,
    Chart,
    Link,
    Lists,
    Row,
    bars,
    mw,
    percent,
    pipelines,
    shared_facilities_note,
    short_name,
    technology_code,
    technology_colours,
    technology_name,
    total_cells,
    total_rows,
)
from dashboard.metrics import Total
from dashboard.metrics.totals import (
    Concentration,
    Holding,
    RtbGroup,
    TechnologyGroup,
)
from oegen.core import words
from oegen.core.words import number, whole
from pipelines.filters import IN_TIME, YES
from pipelines.models import Technology
from pipelines.querysets import NO_DATE, OPEN, OVERDUE

NOTHING_OPEN = "No pipeline is open."
NOBODY = "Nobody’s"


def technologies(groups: Sequence[TechnologyGroup], lists: Lists) -> Chart:
    labels = [technology_name(group.technology) for group in groups]
    links = [
        lists.pipelines(group.total, status=OPEN, technology=technology_code(group.technology))
        for group in groups
    ]
    finding = ""
    if groups:
        most = max(groups, key=lambda group: group.total.capacity.mw)
        finding = f"{technology_name(most.technology)} leads with {mw(most.total.capacity)}."
    return Chart(
        key="technology",
        title="Open capacity by technology",
        finding=finding,
        empty=NOTHING_OPEN,
        columns=TOTAL_COLUMNS,
        rows=total_rows(labels, links, groups),
        data=bars(
            labels,
            [float(group.total.capacity.mw) for group in groups],
            [technology_colours(group.technology) for group in groups],
            [
                mw(group.total.capacity, group.technology.unit_label)
                if group.technology
                else pipelines(group.total.pipelines)
                for group in groups
            ],
            links,
            "MW; solar MWp",
        ),
        note="A pipeline of two technologies is in both lines; the list behind a line says what of "
        "its capacity is that technology’s.",
    )


# By year -----------------------------------------------------------------------------------------

BUCKETS = {OVERDUE: "Overdue", NO_DATE: "No date"}


def rtb_years(
    groups: Sequence[RtbGroup], known: Sequence[Technology], lists: Lists, open_mw: Decimal
) -> Chart:
    """``known`` are the technologies of the open pipelines, in order."""
    labels = [BUCKETS.get(group.bucket, group.bucket) for group in groups]
    links = [lists.pipelines(group.total, **bucket_filters(group.bucket)) for group in groups]
    has_probabilities = any(group.total.with_probability.mw for group in groups)
    return Chart(
        key="rtb",
        title="Open capacity by year of ready to build",
        finding=_finding_of_years(groups),
        empty=NOTHING_OPEN,
        columns=(
            *TOTAL_COLUMNS,
            *(["Gross weighted MW"] if has_probabilities else []),
            *(f"{technology_name(technology)}, {technology.unit_label}" for technology in known),
        ),
        rows=tuple(
            Row(
                label,
                link,
                (
                    *total_cells(group.total),
                    *_technology_cells(group, known, lists, has_probabilities),
                ),
            )
            for label, link, group in zip(labels, links, groups, strict=True)
        ),
        data={
            "kind": "stack",
            "labels": labels,
            "axis": "MW; solar MWp",
            "series": [
                *(_series(technology, groups, lists) for technology in known),
                *([_weighted(groups)] if has_probabilities else []),
            ],
            "notes": [number(group.total.capacity.mw, 0) for group in groups],
            "links": [link.url for link in links],
        },
        note="Overdue is before Construction with an RTB date in the past; it is in no year. "
        + shared_facilities_note(groups, open_mw)
        + (" Gross weighted is by the probability, of what has one." if has_probabilities else ""),
    )


def _finding_of_years(groups: Sequence[RtbGroup]) -> str:
    finding = "No open pipeline has an RTB date ahead."
    years = [group for group in groups if group.bucket not in BUCKETS]
    if years:
        most = max(years, key=lambda group: group.total.capacity.mw)
        finding = f"Most becomes ready to build in {most.bucket}: {mw(most.total.capacity)}."
    late = next((group.total for group in groups if group.bucket == OVERDUE), None)
    if late:
        finding += f" Overdue: {pipelines(late.pipelines)}, {mw(late.capacity)}."
    return finding


def bucket_filters(bucket: str) -> dict[str, str]:
    """The filters of the list of the open pipelines of the bucket."""
    if bucket in BUCKETS:
        return {"status": OPEN, "rtb": bucket}
    return {"status": OPEN, "rtb": IN_TIME, "rtb_year": bucket}


def _bucket_link(group: RtbGroup, technology: Technology, lists: Lists) -> Link:
    total = group.by_technology.get(technology.pk, Total())
    return lists.pipelines(total, **bucket_filters(group.bucket), technology=technology.code)


def _technology_cells(
    group: RtbGroup, known: Sequence[Technology], lists: Lists, has_probabilities: bool
) -> list[Cell]:
    cells = [Cell(number(group.total.weighted.mw))] if has_probabilities else []
    for technology in known:
        total = group.by_technology.get(technology.pk)
        if total:
            cells.append(Cell(number(total.capacity.mw), _bucket_link(group, technology, lists)))
        else:
            cells.append(Cell(""))
    return cells


def _series(technology: Technology, groups: Sequence[RtbGroup], lists: Lists) -> dict:
    totals = [group.by_technology.get(technology.pk, Total()) for group in groups]
    return {
        "name": technology_name(technology),
        "unit": technology.unit_label,
        "values": [float(total.capacity.mw) for total in totals],
        "light": technology.colour,
        "dark": technology.colour_dark,
        "links": [_bucket_link(group, technology, lists).url for group in groups],
    }


def _weighted(groups: Sequence[RtbGroup]) -> dict:
    """A separate series, not stacked on the others."""
    return {
        "name": "Gross weighted, all technologies",
        "unit": "MW",
        "values": [float(group.total.weighted.mw) for group in groups],
        "light": NEUTRAL[0],
        "dark": NEUTRAL[1],
        "apart": True,
    }


# By counterparty ---------------------------------------------------------------------------------


def holders_with_links(found: Concentration, lists: Lists) -> list[tuple[Holding, Link]]:
    """Those that hold something, the largest first, then the others and nobody, each with the list
    of the pipelines of which they hold a part."""
    keys = [str(one.counterparty.pk) for one in found.holdings if one.counterparty]
    wanted: list[tuple[Holding, dict[str, str]]] = [
        (one, {"held_by": key}) for one, key in zip(found.holdings, keys, strict=True)
    ]
    if found.number_of_others:
        wanted.append((found.others, {"held_by_others": ",".join(keys)}))
    if found.unheld.held_mw:
        wanted.append((found.unheld, {"held_by_nobody": YES}))
    return [(one, lists.holding(one.total, one.held_mw, **holder)) for one, holder in wanted]


def concentration(found: Concentration, lists: Lists, open_mw: Decimal) -> Chart:
    """The open capacity of each holder, the largest first."""
    known = [(one.counterparty, one) for one in found.holdings if one.counterparty]
    holders = holders_with_links(found, lists)
    rows, notes = [], []
    for one, link in holders:
        label = NOBODY if one is found.unheld else words.count(found.number_of_others, "other")
        if one.counterparty:
            label = short_name(one.counterparty)
        share = percent(one.held_mw / open_mw) if open_mw else ""
        cells = (number(one.held_mw), share, whole(one.total.pipelines))
        rows.append(Row(label, link, tuple(map(Cell, cells))))
        notes.append(f"{mw(one.held_mw)} · {share}" if share else mw(one.held_mw))
    finding = "Nobody is recorded as holding any of it."
    if known:
        holder, first = known[0]
        share = f", {percent(first.held_mw / open_mw)} of what is open" if open_mw else ""
        finding = f"{short_name(holder)} holds most: {mw(first.held_mw)}{share}."
    return Chart(
        key="holders",
        title="Who holds the open capacity",
        finding=finding,
        empty="No open pipeline has capacity or a counterparty that holds it yet.",
        columns=("Held MW", "Share", "Pipelines"),
        rows=tuple(rows),
        data=bars(
            [row.label for row in rows],
            [float(one.held_mw) for one, _ in holders],
            [ACCENT if one.counterparty else NEUTRAL for one, _ in holders],
            notes,
            [row.link for row in rows],
            "MW, mixed",
        ),
        note="By share where shares are given, else the lead developer’s; a facility of several "
        "projects counts once for each holder. The list behind a bar says how much of its "
        "pipelines the bar counts.",
    )
