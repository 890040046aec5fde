"""Changes between the comparison day and the day that is read."""

from __future__ import annotations

from datetime import date

from dashboard import metrics
from dashboard.charts.answer import re_rated_link
from dashboard.charts.movement import KIND_PHRASES, rag_link, re_rated
from dashboard.charts.parts import Link, Lists, rag_code
from dashboard.figures.figure import (
    Compared,
    Figure,
    Finding,
    Parts,
    Source,
    fixed,
    megawatts_parts,
    to_thousandths,
    total_parts,
)
from dashboard.figures.totals import PIPELINES, PROJECTS
from dashboard.metrics import Portfolio
from dashboard.metrics.moved import count_changes
from pipelines.querysets import BETTER, OPEN, WORSE


def _before(source: Source) -> Portfolio:
    if source.before is None:
        raise ValueError("A figure of a change needs the portfolio of the comparison day.")
    return source.before


def _walk(source: Source) -> Finding:
    walk = metrics.walk(_before(source), source.now)
    rows: list[Parts] = [
        {
            "step": step.code,
            "label": step.label,
            "facilities": step.facilities,
            **megawatts_parts(step.change, "change"),
            "change_storage_mw": fixed(step.storage_mw),
            "url": source.lists.changes(source.since, step=step.code).url,
        }
        for step in walk.steps
    ]
    parts = {
        **megawatts_parts(walk.opening, "opening"),
        "opening_storage_mw": fixed(walk.opening_storage_mw),
        **megawatts_parts(walk.closing, "closing"),
        "closing_storage_mw": fixed(walk.closing_storage_mw),
        "residual_mw": fixed(walk.residual),
    }
    return Finding(fixed(walk.closing.mw - walk.opening.mw), parts, rows)


def _rag_movement(source: Source) -> Finding:
    moves = metrics.rag_moves(source.now)
    rows: list[Parts] = [
        {
            "rag_was": rag_code(move.start),
            "rag": rag_code(move.end),
            **total_parts(move.total),
            "url": rag_link(move.start, move.end, move.total, source.since, source.lists).url,
        }
        for move in sorted(moves, key=lambda move: (move.start, move.end))
    ]
    number = sum(move.total.pipelines for move in moves)
    return Finding(
        number, {"worse": re_rated(moves, WORSE), "better": re_rated(moves, BETTER)}, rows
    )


def _re_rated(name: str, title: str, direction: str) -> Figure:
    return Figure(
        name,
        title,
        PIPELINES,
        PROJECTS,
        f"Projects that are open and rated on both days, rated {direction} than then.",
        "between-two-days",
        lambda lists, since: re_rated_link(direction, since, lists),
        lambda source: Finding(re_rated(metrics.rag_moves(source.now), direction)),
        Compared.CHANGE,
    )


def _slippage(source: Source) -> Finding:
    found = metrics.slippage(source.now)
    rows: list[Parts] = [
        {
            "pipeline_id": str(slip.pipeline_id),
            "label": slip.name,
            "rtb_date_was": str(slip.start),
            "rtb_date": str(slip.end),
            "slipped_days": slip.days,
            "capacity_mw": fixed(slip.capacity_mw),
            "url": source.lists.pipeline(slip.pipeline_id).url,
        }
        for slip in found.slips
    ]
    parts = {
        "pipelines": found.pipelines,
        "slipped": found.slipped,
        "later": found.later,
        "left": found.left,
    }
    return Finding(to_thousandths(found.weighted_days), parts, rows)


def _changes(source: Source) -> Finding:
    rows: list[Parts] = [
        {
            "kind": kind,
            "label": KIND_PHRASES[kind],
            "pipelines": number,
            "url": source.lists.changes(source.since, kind=kind).url,
        }
        for kind, number in count_changes(source.now).items()
    ]
    return Finding(rows=rows)


def _changes_page(lists: Lists, since: date) -> Link:
    return lists.changes(since)


BETWEEN: tuple[Figure, ...] = (
    Figure(
        "mw-walk",
        "MW walk of the open capacity",
        "MW",
        "Distinct facilities, gross, each in one step; MWp (DC) and MW (AC) added.",
        "From the open capacity at the end of the first day to that at the end of the second; the "
        "value is the difference. Each facility that counts at one end only is in one step.",
        "between-two-days",
        _changes_page,
        _walk,
        Compared.CHANGE,
    ),
    Figure(
        "rag-movement",
        "RAG movement",
        PIPELINES,
        "Projects, each once; capacity of distinct facilities, at the second day.",
        "Projects that are open on both days, by the rating then and the rating now; worse and "
        "better are of those rated on both.",
        "between-two-days",
        lambda lists, since: lists.pipelines(status=OPEN, since=since),
        _rag_movement,
        Compared.CHANGE,
    ),
    _re_rated("worsened-pipelines", "Rated worse: pipelines", WORSE),
    _re_rated("improved-pipelines", "Rated better: pipelines", BETTER),
    Figure(
        "rtb-slippage",
        "RTB slippage",
        "days",
        "Mean of projects, unchanged dates included, weighted by capacity, gross; a facility of "
        "several projects weighs in each.",
        "The RTB date at the second end less that at the first; later is positive. Of the projects "
        "that are open at both ends and have a date at both. Has the ten largest delays.",
        "between-two-days",
        lambda lists, since: lists.tab("dates", since),
        _slippage,
        Compared.CHANGE,
    ),
    Figure(
        "changes",
        "Changes",
        PIPELINES,
        "Projects, each once in each kind of change.",
        "Net changes of projects between the two days, by kind, as far as they occur.",
        "between-two-days",
        _changes_page,
        _changes,
        Compared.CHANGE,
    ),
)
