"""How projects move on: stages, dates against their baselines, attention, growth."""

from __future__ import annotations

from dashboard import metrics
from dashboard.charts.answer import attention_link
from dashboard.charts.growth import by_month, dated_link
from dashboard.charts.parts import Lists, rag_code
from dashboard.charts.stages import result_link
from dashboard.figures.figure import (
    Figure,
    Finding,
    Parts,
    Source,
    fixed,
    to_thousandths,
)
from dashboard.figures.totals import GROSS, PIPELINES, PROJECTS
from dashboard.metrics.forecast import Growth
from oegen.core import clock
from pipelines.querysets import ANY_REASON, OPEN
from pipelines.stays import ENDED, ENTERED, SOLD, THERE, UNDECIDED, WENT_ON


def _stages(source: Source) -> Finding:
    found = metrics.stages(source.now)
    rows = []
    for time, conversion in zip(found.time, found.conversion, strict=True):
        results = {
            "entered": (ENTERED, conversion.entered),
            "ongoing": (THERE, time.ongoing),
            "went_on": (WENT_ON, conversion.went_on),
            "sold": (SOLD, conversion.sold),
            "given_up": (ENDED, conversion.ended),
            "undecided": (UNDECIDED, conversion.undecided),
        }
        share = conversion.share
        code = conversion.stage.code
        row: Parts = {
            "stage": code,
            "label": conversion.stage.name,
            "stays": time.stays,
            "median_days": time.median_days,
            "p80_days": time.p80_days,
            "decided": conversion.decided,
            "conversion_pct": None if share is None else to_thousandths(share * 100),
        }
        for name, (result, number) in results.items():
            row[name] = number
            row[f"{name}_url"] = result_link(code, result, source.lists).url
        rows.append(row)
    return Finding(rows=rows)


def _baselines(source: Source) -> Finding:
    found = metrics.baselines(source.now)
    parts: Parts = {
        "pipelines": found.pipelines,
        "approved": found.approved,
        "later": found.baseline.later,
        "earlier": found.baseline.earlier,
        "against_first_days": to_thousandths(found.first.weighted_days),
        "later_than_first": found.first.later,
        "earlier_than_first": found.first.earlier,
    }
    rows: list[Parts] = [
        {
            "pipeline_id": str(one.pipeline_id),
            "label": one.name,
            "baseline": str(one.baseline),
            "rtb_date": str(one.rtb_date),
            "late_days": one.days,
            "capacity_mw": None if one.mw is None else fixed(one.mw),
            "url": source.lists.pipeline(one.pipeline_id).url,
        }
        for one in found.latest
    ]
    return Finding(to_thousandths(found.baseline.weighted_days), parts, rows)


def _attention(source: Source) -> Finding:
    found = metrics.attention(source.now)
    rows: list[Parts] = [
        {
            "reason": str(reason),
            "label": str(reason.label),
            "is_urgent": reason.is_urgent,
            "pipelines": number,
            "url": attention_link(str(reason), number, source.lists).url,
        }
        for reason, number in found.by_reason.items()
    ]
    return Finding(found.pipelines, {"urgent": found.urgent}, rows)


def _attention_first(source: Source) -> Finding:
    found = metrics.attention(source.now)
    rows: list[Parts] = [
        {
            "pipeline_id": str(one.pipeline_id),
            "label": one.name,
            "stage": one.stage,
            "rag": rag_code(one.rag),
            "rtb_date": str(one.rtb_date) if one.rtb_date else None,
            "capacity_mw": None if one.mw is None else fixed(one.mw),
            "reasons": [str(reason) for reason in one.reasons],
            "url": source.lists.pipeline(one.pipeline_id).url,
        }
        for one in found.first
    ]
    return Finding(found.pipelines, {"urgent": found.urgent}, rows)


def _forecast(source: Source) -> Finding:
    found = metrics.growth(source.now)
    rows = [row for one in found for row in _growth_rows(one, source.lists)]
    if not found:
        return Finding(fixed(0), rows=rows)
    whole = found[0]
    reached = whole.reached[-1].mw if whole.reached else 0.0
    last = whole.scheduled[-1].mw if whole.scheduled else reached
    parts: Parts = {
        "scheduled_mw": to_thousandths(last - reached),
        "rtb_dates_of_trend": whole.points,
    }
    if whole.trend:
        end = whole.trend[-1]
        parts |= {
            "trend_on": str(end.day),
            "trend_mw": to_thousandths(end.mw),
            "trend_low_mw": to_thousandths(end.low),
            "trend_high_mw": to_thousandths(end.high),
        }
    return Finding(to_thousandths(reached), parts, rows)


def _growth_rows(one: Growth, lists: Lists) -> list[Parts]:
    """The last point of each month, and those of the trend."""
    about = {"technology": one.technology.code if one.technology else None}
    rows: list[Parts] = [
        {
            **about,
            "line": line,
            "day": day,
            "cumulative_mw": to_thousandths(mw),
            "low_mw": None,
            "high_mw": None,
            "url": dated_link(one.technology, day, lists).url,
        }
        for line, points in (("reached", one.reached), ("scheduled", one.scheduled))
        for day, mw in by_month(points)
    ]
    trend: list[Parts] = [
        {
            **about,
            "line": "trend",
            "day": str(outlook.day),
            "cumulative_mw": to_thousandths(outlook.mw),
            "low_mw": to_thousandths(outlook.low),
            "high_mw": to_thousandths(outlook.high),
            "url": None,
        }
        for outlook in one.trend
    ]
    return rows + trend


PROGRESS: tuple[Figure, ...] = (
    Figure(
        "stages",
        "Time in stage and conversion",
        PIPELINES,
        "Projects and their stays in a stage, by effective days; those on hold are part of them.",
        "Within the median and P80 days half and four fifths of the stays have moved on, by the "
        "estimate of Kaplan and Meier. Conversion is (moved on + sold) / decided; null with fewer "
        "than ten decided.",
        "stages",
        lambda lists, since: lists.pipelines(),
        _stages,
    ),
    Figure(
        "baselines",
        "RTB dates against their baselines",
        "days",
        "Mean of projects, weighted by capacity, gross; a facility of several projects weighs in "
        "each.",
        "The actual RTB day, or else the forecast, less the baseline; later is positive. Of the "
        "open projects with an RTB date. Has the ten largest delays.",
        "milestones-baselines-and-gates",
        lambda lists, since: lists.pipelines(status=OPEN, late_days=1),
        _baselines,
    ),
    Figure(
        "attention",
        "What needs attention, by reason",
        PIPELINES,
        "Projects, each once in each reason.",
        "Open projects with a reason to need attention.",
        "what-needs-attention",
        lambda lists, since: attention_link(ANY_REASON, None, lists),
        _attention,
    ),
    Figure(
        "attention-first",
        "What needs attention first",
        PIPELINES,
        PROJECTS,
        "The first ten of the open projects with a reason to need attention: the urgent before the "
        "others, and the largest capacity first.",
        "what-needs-attention",
        lambda lists, since: attention_link(ANY_REASON, None, lists),
        _attention_first,
    ),
    Figure(
        "forecast",
        "Cumulative capacity by RTB date",
        "MW",
        GROSS,
        "The value is what has reached its RTB date, of projects that are open or completed and "
        "not overdue. Rows have the last day of each month with an RTB date: reached, scheduled, "
        "and the trend with its 95 % prediction interval.",
        "growth-and-forecast",
        lambda lists, since: dated_link(None, clock.today(), lists),
        _forecast,
    ),
)
