"""Cumulative capacity by RTB date: reached, scheduled and the trend."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.template.defaultfilters import pluralize
from django.utils.formats import date_format

from dashboard.charts.parts import (
    ACCENT,
    PLACEHOLDER,
    Cell,
    Chart,
    Link,
    Lists,
    Row,
    mw,
    technology_colours,
    technology_name,
)
from dashboard.metrics.forecast import FEWEST_POINTS, YEARS, Growth, Point
from oegen.core import clock
from oegen.core.words import number, whole
from pipelines.filters import ON_COURSE
from pipelines.models import Technology

#: The years drawn before and after today. The table has all years.
YEARS_SHOWN = 15

EMPTY = (
    "No capacity has an RTB date that was reached or is scheduled. Give open pipelines an RTB "
    "date, and facilities a capacity."
)


def growth_chart(found: Sequence[Growth], lists: Lists) -> Chart:
    """All technologies together first, then each technology to choose."""
    today = clock.today()
    years = sorted({point.day.year for one in found for point in _points(one)})
    return Chart(
        key="growth",
        title="Cumulative capacity by RTB date",
        finding=_finding(found[0]) if found else "",
        empty=EMPTY,
        columns=tuple(f"{_name(one)}, {_unit(one)}" for one in found),
        rows=(
            *(_year_row(year, found, lists) for year in years),
            *_trend_rows(found),
        ),
        data={
            "kind": "growth",
            "axis": "MW; solar MWp",
            "today": today.isoformat(),
            "choices": [_choice(one, lists) for one in found],
        }
        if found
        else {},
        note=_note(years, today),
    )


def _points(one: Growth) -> tuple[Point, ...]:
    return (*one.reached, *one.scheduled)


def _name(one: Growth) -> str:
    return technology_name(one.technology) if one.technology else "All together"


def _unit(one: Growth) -> str:
    return one.technology.unit_label if one.technology else "MW"


def _finding(one: Growth) -> str:
    unit, reached = _unit(one), one.reached[-1].mw if one.reached else 0
    words = f"{mw(reached, unit)} have reached their RTB date."
    if one.scheduled:
        last = one.scheduled[-1]
        words += f" {mw(last.mw - reached, unit)} more are scheduled up to {date_format(last.day)}."
    if one.trend:
        end = one.trend[-1]
        words += (
            f" If it goes on as in the last {YEARS} years: {mw(end.mw, unit)} by "
            f"{date_format(end.day)}, with 95 % probability {number(end.low)} to "
            f"{number(end.high)}."
        )
    else:
        words += (
            f" No trend: it takes {FEWEST_POINTS} RTB dates reached in the last {YEARS} years, and "
            f"there {pluralize(one.points, 'is,are')} {whole(one.points)}."
        )
    return words


def _choice(one: Growth, lists: Lists) -> dict[str, Any]:
    light, dark = technology_colours(one.technology) if one.technology else ACCENT
    return {
        "name": _name(one),
        "unit": _unit(one),
        "finding": _finding(one),
        "light": light,
        "dark": dark,
        "link": dated_link(one.technology, PLACEHOLDER, lists).url,
        "reached": by_month(one.reached),
        "scheduled": by_month(one.scheduled),
        "trend": [
            [outlook.day.isoformat(), outlook.mw, outlook.low, outlook.high]
            for outlook in one.trend
        ],
    }


def dated_link(technology: Technology | None, day: date | str, lists: Lists) -> Link:
    """The list of what has reached its RTB date by that day, or is scheduled to."""
    code = technology.code if technology else ""
    return lists.pipelines(rtb=ON_COURSE, rtb_to=day, technology=code)


def by_month(points: Sequence[Point]) -> list[list]:
    """The last point of each month; more points could not be distinguished in the chart."""
    last = {(point.day.year, point.day.month): point for point in points}
    return [[point.day.isoformat(), round(point.mw, 3)] for point in last.values()]


def _year_row(year: int, found: Sequence[Growth], lists: Lists) -> Row:
    """The capacity reached or scheduled by the end of the year."""
    end = date(year, 12, 31)
    cells = []
    for one in found:
        points = _points(one)
        reached = bisect_right(points, end, key=attrgetter("day"))
        if reached:
            amount = points[reached - 1].mw
            link = replace(dated_link(one.technology, end, lists), mw=Decimal(str(amount)))
            cells.append(Cell(number(amount), link))
        else:
            cells.append(Cell(""))
    return Row(f"By the end of {year}", None, tuple(cells))


def _trend_rows(found: Sequence[Growth]) -> list[Row]:
    days = sorted({outlook.day for one in found for outlook in one.trend})
    rows = []
    for day in days:
        cells = []
        for one in found:
            outlook = next((outlook for outlook in one.trend if outlook.day == day), None)
            text = number(outlook.mw) if outlook else "no trend"
            note = f"{number(outlook.low)} to {number(outlook.high)}" if outlook else ""
            cells.append(Cell(text, note=note))
        rows.append(Row(f"Trend on {date_format(day)}", None, tuple(cells)))
    return rows


def _note(years: Sequence[int], today: date) -> str:
    words = (
        "Steps: RTB dates reached. Dashed: scheduled. Dotted, with its 95 % interval: the trend."
    )
    if years and (years[0] < today.year - YEARS_SHOWN or years[-1] > today.year + YEARS_SHOWN):
        words += f" Dates more than {YEARS_SHOWN} years away are in the table."
    return words
