"""Capacity in groups: a row for each, with the list of its projects."""

from __future__ import annotations

from datetime import date
from typing import Any

from dashboard import metrics
from dashboard.charts.bars import bucket_filters, holders_with_links
from dashboard.charts.parts import Link, Lists, rag_code, technology_code
from dashboard.figures.figure import (
    Figure,
    Finding,
    Parts,
    Source,
    capacity_parts,
    fixed,
    of_total,
    share_pct,
    total_parts,
)
from dashboard.figures.totals import GROSS
from dashboard.metrics import Total
from dashboard.metrics.columns import Condition
from dashboard.metrics.totals import RtbGroup
from dashboard.report_content import by_country
from pipelines.choices import RAG
from pipelines.querysets import NO_DATE, OPEN, OVERDUE

#: Of groups by what a project or a facility has several of.
ONCE_IN_EACH = f"{GROSS} Once in each group, so that these may add up to more than the value."

OF_FACILITIES = (
    "Each technology's own facilities, gross, each once in each group; MWp (DC) and MW (AC) added, "
    "the parts have each."
)


def _open_list(lists: Lists, since: date) -> Link:
    return lists.pipelines(status=OPEN)


def _total_list(lists: Lists, since: date) -> Link:
    return lists.pipelines()


def _open_total(source: Source) -> Total:
    return source.now.total(Condition.IS_OPEN)


def _row(total: Total, source: Source, about: Parts, **filters: Any) -> Parts:
    link = source.lists.pipelines(total, **filters)
    return {**about, **total_parts(total), "url": link.url}


def _by_rag(source: Source) -> Finding:
    groups = metrics.by_rag(source.now)
    rows = [
        _row(
            one.total,
            source,
            {"rag": rag_code(one.rag), "label": one.label},
            status=OPEN,
            rag=rag_code(one.rag),
        )
        for one in groups
    ]
    return of_total(_open_total(source), rows)


def _by_status(source: Source) -> Finding:
    rows = [
        _row(
            one.total,
            source,
            {"status": one.code, "label": one.label, "is_open": one.is_open},
            status=one.code,
        )
        for one in metrics.by_status(source.now)
    ]
    return of_total(source.now.total(), rows)


def _by_status_and_rag(source: Source) -> Finding:
    totals = metrics.by_status_and_rag(source.now)
    rows = [
        _row(
            totals.get((one.code, rag), Total()),
            source,
            {"status": one.code, "label": one.label, "rag": rag_code(rag)},
            status=one.code,
            rag=rag_code(rag),
        )
        for one in metrics.by_status(source.now)
        if one.is_open
        for rag in (*RAG.values, "")
    ]
    return of_total(_open_total(source), rows)


def _by_technology(source: Source) -> Finding:
    rows = []
    for one in metrics.by_technology(source.now):
        code = technology_code(one.technology)
        label = str(one.technology or "No facility yet")
        about = {"technology": code, "label": label}
        rows.append(_row(one.total, source, about, status=OPEN, technology=code))
    return of_total(_open_total(source), rows)


def _by_technology_and_status(source: Source) -> Finding:
    heat = metrics.by_technology_and_status(source.now)
    rows = [
        _row(
            total,
            source,
            {"technology": technology.code, "status": code, "label": f"{technology}, {label}"},
            status=code,
            technology=technology.code,
        )
        for technology, totals in heat.rows
        for (code, label), total in zip(heat.statuses, totals, strict=True)
    ]
    return Finding(rows=rows)


def _year(group: RtbGroup) -> Parts:
    is_year = group.bucket not in (OVERDUE, NO_DATE)
    return {"bucket": group.bucket, "rtb_year": int(group.bucket) if is_year else None}


def _by_rtb_year(source: Source) -> Finding:
    rows = []
    for one in metrics.by_rtb_year(source.now):
        row = _row(one.total, source, _year(one), **bucket_filters(one.bucket))
        weighted = {
            "weighted_mw": fixed(one.total.weighted.mw),
            "with_probability_mw": fixed(one.total.with_probability.mw),
        }
        rows.append(row | weighted)
    return of_total(_open_total(source), rows)


def _by_rtb_year_and_technology(source: Source) -> Finding:
    known = [one.technology for one in metrics.by_technology(source.now) if one.technology]
    rows = [
        _row(
            group.by_technology[technology.pk],
            source,
            {**_year(group), "technology": technology.code},
            **bucket_filters(group.bucket),
            technology=technology.code,
        )
        for group in metrics.by_rtb_year(source.now)
        for technology in known
        if technology.pk in group.by_technology
    ]
    return of_total(_open_total(source), rows)


def _by_country(source: Source) -> Finding:
    rows = []
    for code, name, capacity in by_country(source.select().pipelines().open()):
        link = source.lists.pipelines(status=OPEN, country=code) if code else None
        url = link.url if link else None
        rows.append(
            {"country": code or None, "label": name, **capacity_parts(capacity), "url": url}
        )
    return of_total(_open_total(source), rows)


def _by_counterparty(source: Source) -> Finding:
    total = _open_total(source)
    found = metrics.by_counterparty(source.now)
    rows = []
    for one, link in holders_with_links(found, source.lists):
        holder = "nobody" if one is found.unheld else "others"
        if one.counterparty:
            holder = "counterparty"
        rows.append(
            {
                "holder": holder,
                "counterparty_id": str(one.counterparty.pk) if one.counterparty else None,
                "label": str(one.counterparty or holder),
                "held_mw": fixed(one.held_mw),
                "held_pct": share_pct(one.held_mw, total.capacity.mw),
                **total_parts(one.total),
                "url": link.url,
            }
        )
    finding = of_total(total, rows)
    return Finding(
        finding.value, {**finding.parts, "other_counterparties": found.number_of_others}, rows
    )


GROUPS: tuple[Figure, ...] = (
    Figure(
        "capacity-by-rag",
        "Open capacity by RAG",
        "MW",
        ONCE_IN_EACH,
        "What is open, by RAG rating.",
        "capacity",
        _open_list,
        _by_rag,
    ),
    Figure(
        "capacity-by-status",
        "Capacity by status",
        "MW",
        ONCE_IN_EACH,
        "All projects by status: their stage, on hold, or the outcome that ended them.",
        "capacity",
        _total_list,
        _by_status,
    ),
    Figure(
        "capacity-by-status-and-rag",
        "Open capacity by stage and RAG",
        "MW",
        ONCE_IN_EACH,
        "What is open, by stage and RAG rating.",
        "capacity",
        _open_list,
        _by_status_and_rag,
    ),
    Figure(
        "capacity-by-technology",
        "Open capacity by technology",
        "MW",
        OF_FACILITIES,
        "What is open, by technology; a project of two technologies is in both.",
        "capacity",
        _open_list,
        _by_technology,
    ),
    Figure(
        "capacity-by-technology-and-status",
        "Capacity by technology and status",
        "MW",
        OF_FACILITIES,
        "Of each technology's own facilities, by status; what was withdrawn, refused or sold is "
        "left out.",
        "capacity",
        _total_list,
        _by_technology_and_status,
    ),
    Figure(
        "capacity-by-rtb-year",
        "Open capacity by year of ready to build",
        "MW",
        ONCE_IN_EACH,
        "What is open, by the year of the RTB date; overdue and without a date apart.",
        "capacity",
        _open_list,
        _by_rtb_year,
    ),
    Figure(
        "capacity-by-rtb-year-and-technology",
        "Open capacity by year of ready to build and technology",
        "MW",
        OF_FACILITIES,
        "What is open, by the year of the RTB date and technology; overdue and without a date "
        "apart.",
        "capacity",
        _open_list,
        _by_rtb_year_and_technology,
    ),
    Figure(
        "capacity-by-country",
        "Open capacity by country",
        "MW",
        GROSS,
        "What is open, by the country of the facilities.",
        "capacity",
        _open_list,
        _by_country,
    ),
    Figure(
        "capacity-by-counterparty",
        "Who holds the open capacity",
        "MW",
        f"{GROSS} What a counterparty holds is by its share, a facility once for each holder.",
        "What is open: by share where shares are given, else all of it by the lead developer. Has "
        "the ten largest holders, the others together, and what nobody holds.",
        "capacity",
        _open_list,
        _by_counterparty,
    ),
)
