"""Cumulative capacity by ready-to-build date: reached, scheduled, and the trend.

Reached: the RTB date has passed, and the project is not overdue. A project that was sold counts as
reached if its date had passed by the day of the sale. Scheduled: the date is in the future, and the
project is open. All other projects are in neither. A facility of several projects counts once, at
the earliest of their dates.

The trend is the least-squares line through the cumulative capacity at each RTB date of the last
five years; scheduled dates do not enter into it. Its interval contains a new point with a
probability of 95 %, assuming independent deviations from the line (Draper and Smith, "Applied
Regression Analysis", 1.4).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import accumulate
from math import cos, pi, sin, sqrt, tan
from statistics import linear_regression
from typing import Any, NamedTuple

from django.db.models import Q

from dashboard.metrics.columns import Column
from dashboard.metrics.portfolio import Portfolio
from oegen.core.sql import Values, date_of, fetch, uuid_of
from pipelines.models import Technology
from pipelines.querysets import IS_COMPLETED, IS_OPEN, KILO, is_overdue, is_sold_ready

YEARS = 5
CONFIDENCE = 0.95

#: A deviation from the line takes a third point.
FEWEST_POINTS = 3


class Point(NamedTuple):
    """The cumulative capacity from that day on, in MW."""

    day: date
    mw: float


@dataclass(frozen=True)
class Outlook:
    """The trend's MW on a day, and the interval around it."""

    day: date
    mw: float
    low: float
    high: float


@dataclass(frozen=True)
class Growth:
    """``technology`` is None for all together, in mixed MW. ``scheduled`` continues the
    sums of ``reached``. ``trend`` is empty if the ``points`` of the last five years are fewer than
    ``FEWEST_POINTS``."""

    technology: Technology | None
    reached: tuple[Point, ...]
    scheduled: tuple[Point, ...]
    trend: tuple[Outlook, ...]
    points: int


def growth(portfolio: Portfolio) -> list[Growth]:
    """The growth of all technologies together, then of each with a dated capacity, in order."""
    all_steps: dict[date, int] = {}
    by_technology: dict[Any, dict[date, int]] = {}
    for technology, stored_day, kw in _steps(portfolio):
        day, added = date_of(stored_day), int(kw)
        all_steps[day] = all_steps.get(day, 0) + added
        by_technology.setdefault(technology, {})[day] = added
    if not all_steps:
        return []
    steps_of = {uuid_of(technology): steps for technology, steps in by_technology.items()}
    return [
        _growth(None, all_steps, portfolio.day),
        *(
            _growth(technology, steps_of[technology.pk], portfolio.day)
            for technology in Technology.objects.all()
            if technology.pk in steps_of
        ),
    ]


def _steps(portfolio: Portfolio) -> list[Values]:
    """Technology, RTB date and the kW that it adds, in the order of the dates."""
    dated = Q(rtb_date__isnull=False, kw__gt=0)
    on_course = IS_OPEN | IS_COMPLETED & Q(rtb_date__lte=portfolio.day) | is_sold_ready("sold_on")
    with portfolio.reading():
        rows, params = portfolio.facts(
            *(Column.FACILITY, Column.TECHNOLOGY, Column.RTB_DATE, Column.KW),
            where=dated & ~is_overdue() & on_course,
        )
        return fetch(
            f"""
            SELECT technology_id, rtb_date, SUM(kw) FROM (
                SELECT facility_id, technology_id, MIN(rtb_date) AS rtb_date, MAX(kw) AS kw
                FROM ({rows}) AS facts GROUP BY facility_id, technology_id
            ) AS facilities GROUP BY technology_id, rtb_date ORDER BY rtb_date
            """,
            params,
        )


def _growth(technology: Technology | None, steps: dict[date, int], today: date) -> Growth:
    """``steps`` are the kW added by each day, in the order of the days."""
    days = list(steps)
    points = tuple(map(Point, days, [kw / KILO for kw in accumulate(steps.values())]))
    first_ahead = bisect_right(days, today)
    reached, scheduled = points[:first_ahead], points[first_ahead:]
    recent = reached[bisect_right(days, _years_from(today, -YEARS), hi=first_ahead) :]
    return Growth(technology, reached, scheduled, tuple(trend(recent, today)), len(recent))


def trend(points: Sequence[Point], today: date) -> list[Outlook]:
    """The trend from ``today`` on, a point for each year; empty for too few points."""
    if len(points) < FEWEST_POINTS:
        return []
    days = [float(point.day.toordinal()) for point in points]
    amounts = [point.mw for point in points]
    line = linear_regression(days, amounts)
    count, mean = len(points), sum(days) / len(points)
    spread = sum((day - mean) ** 2 for day in days)
    residuals = sum(
        (mw - line.slope * day - line.intercept) ** 2 for day, mw in zip(days, amounts, strict=True)
    )
    deviation = sqrt(residuals / (count - 2))
    quantile = t_quantile(CONFIDENCE, count - 2)
    outlooks = []
    for year in range(YEARS + 1):
        day = _years_from(today, year)
        mw = line.slope * day.toordinal() + line.intercept
        leverage = (day.toordinal() - mean) ** 2 / spread
        margin = quantile * deviation * sqrt(1 + 1 / count + leverage)
        outlooks.append(Outlook(day, mw, max(mw - margin, 0.0), mw + margin))
    return outlooks


@cache
def t_quantile(confidence: float, freedom: int) -> float:
    """The two-sided quantile of Student's t distribution with ``freedom`` degrees of freedom, from
    the finite series of Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.3 and
    26.7.4."""
    low, high = 0.0, pi / 2
    while high - low > 1e-12:
        middle = (low + high) / 2
        if _within(middle, freedom) < confidence:
            low = middle
        else:
            high = middle
    return sqrt(freedom) * tan(low)


def _within(angle: float, freedom: int) -> float:
    """The probability that |t| is at most √freedom × tan(angle)."""
    if freedom == 1:
        return 2 * angle / pi
    cosine, is_odd = cos(angle), freedom % 2
    term = cosine if is_odd else 1.0
    series, index = term, 2 if is_odd else 1
    while index < freedom - 2:
        term *= cosine**2 * index / (index + 1)
        series += term
        index += 2
    return 2 / pi * (angle + sin(angle) * series) if is_odd else sin(angle) * series


def _years_from(day: date, years: int) -> date:
    """The same day of another year; 28 February for 29 February."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
