"""Changes between two days: the walk of the open capacity, kinds of change, ratings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

from django.utils.formats import date_format

from dashboard.charts.parts import (
    ACCENT,
    NEUTRAL,
    PALE,
    Cell,
    Chart,
    Link,
    Lists,
    Row,
    bars,
    mw,
    rag_code,
)
from dashboard.metrics import Total
from dashboard.metrics.movement import RagMove, Walk
from oegen.core import clock
from oegen.core.words import number, signed, whole
from pipelines.choices import RAG
from pipelines.querysets import BETTER, OPEN, WORSE, Megawatts

#: The axis starts above zero if no level is below this part of the highest: small steps would be
#: hard to see otherwise.
HIGH = Decimal("0.6")

#: The words after the number of pipelines, by kind of change.
KIND_PHRASES = {
    "new": "new",
    "restored": "restored",
    "moved": "moved to another stage",
    "completed": "completed",
    "reopened": "reopened",
    "on-hold": "put on hold",
    "off-hold": "taken off hold",
    "sold": "sold",
    "ended": "withdrawn or refused",
    "rated": "re-rated",
}


def walk_chart(walk: Walk, since: date, lists: Lists) -> Chart:
    """A waterfall of the steps that occurred."""
    steps = [step for step in walk.steps if step.facilities]
    ends = {
        date_format(since): walk.opening,
        date_format(clock.today()) if clock.past_day() else "Today": walk.closing,
    }
    (first, opening), (last, closing) = ends.items()
    levels = [walk.opening.mw]
    for step in steps:
        levels.append(levels[-1] + step.change.mw)
    start = _start_of_axis(levels)
    links = [
        # The list as of that day.
        replace(lists.pipelines(status=OPEN, as_of=since), mw=opening.mw),
        *(lists.changes(since, step=step.code) for step in steps),
        replace(lists.pipelines(status=OPEN), mw=closing.mw),
    ]
    moved = closing.mw - opening.mw
    finding = f"{mw(opening)} became {mw(closing)}: {signed(moved)} MW."
    if not moved:
        finding = f"{mw(closing)} are open, as many as on {date_format(since)}."
    return Chart(
        key="walk",
        title=f"Open capacity since {date_format(since)}",
        finding=finding,
        empty=f"Nothing was open on {date_format(since)}, and nothing is now.",
        columns=("Facilities", "MWp DC", "MW AC", "of which storage", "Together, MW"),
        rows=(
            Row(first, links[0], (Cell(""), *_amounts(opening, walk.opening_storage_mw, number))),
            *(
                Row(
                    step.label,
                    link,
                    (Cell(whole(step.facilities)), *_amounts(step.change, step.storage_mw)),
                )
                for step, link in zip(steps, links[1:-1], strict=True)
            ),
            Row(last, links[-1], (Cell(""), *_amounts(closing, walk.closing_storage_mw, number))),
        )
        if steps or opening.mw or closing.mw
        else (),
        data={
            **bars(
                [first, *(step.label for step in steps), last],
                [
                    [float(start), float(opening.mw)],
                    *([float(a), float(b)] for a, b in pairwise(levels)),
                    [float(start), float(closing.mw)],
                ],
                [ACCENT, *(PALE if one.change.mw > 0 else NEUTRAL for one in steps), ACCENT],
                [mw(opening), *(signed(one.change.mw) or "0" for one in steps), mw(closing)],
                links,
                "MW, mixed",
            ),
            "start": float(start),
        },
        note=f"The bars begin at {mw(start)}, not at zero." if start else "",
    )


def _start_of_axis(levels: list[Decimal]) -> Decimal:
    lowest, highest = min(levels), max(levels)
    if lowest <= highest * HIGH:
        return Decimal(0)
    room = max(highest - lowest, highest / 50)
    below = max(lowest - 2 * room, Decimal(0))
    return below.quantize(Decimal(1).scaleb(max(below.adjusted() - 1, 0)))


def _amounts(amount: Megawatts, storage_mw: Decimal, format_number=signed) -> tuple[Cell, ...]:
    # Capacity that moved between the bases adds up to nothing: shown as 0, not as unknown.
    total = format_number(amount.mw) or ("0" if amount.mwp_dc else "")
    return (
        Cell(format_number(amount.mwp_dc)),
        Cell(format_number(amount.mw_ac)),
        Cell(format_number(storage_mw) if storage_mw else ""),
        Cell(total),
    )


@dataclass(frozen=True)
class Move:
    """The number of pipelines with one kind of change, in words."""

    words: str
    link: Link


def moves(changes: dict[str, int], since: date, lists: Lists) -> list[Move]:
    return [
        Move(f"{whole(number)} {KIND_PHRASES[kind]}", lists.changes(since, kind=kind))
        for kind, number in changes.items()
    ]


@dataclass(frozen=True)
class RagRow:
    """Pipelines rated ``label`` before, by their rating now."""

    label: str
    cells: tuple[RagCell, ...]


@dataclass(frozen=True)
class RagCell:
    """``direction`` is "better", "worse" or "same"."""

    total: Total
    link: Link
    direction: str


def rag_table(moves: Iterable[RagMove], since: date, lists: Lists) -> list[RagRow]:
    """Rated pipelines, by rating before and rating now."""
    known = {(move.start, move.end): move.total for move in moves}
    order = [RAG.GREEN, RAG.AMBER, RAG.RED]

    def cell(before: RAG, now: RAG) -> RagCell:
        total = known.get((before, now), Total())
        step = order.index(now) - order.index(before)
        link = rag_link(before, now, total, since, lists)
        return RagCell(total, link, "worse" if step > 0 else "better" if step < 0 else "same")

    return [RagRow(before.label, tuple(cell(before, now) for now in order)) for before in order]


def rag_link(before: str, now: str, total: Total, since: date, lists: Lists) -> Link:
    """The list of what is open on both days, rated ``before`` and rated ``now``."""
    return lists.pipelines(
        total, status=OPEN, rag=rag_code(now), since=since, rag_was=rag_code(before)
    )


def re_rated(moves: Iterable[RagMove], direction: str) -> int:
    """The number of pipelines that are rated ``WORSE`` or ``BETTER`` than before."""
    order: list[str] = [RAG.GREEN, RAG.AMBER, RAG.RED]
    sign = 1 if direction == WORSE else -1
    return sum(
        move.total.pipelines
        for move in moves
        if move.start and move.end and sign * (order.index(move.end) - order.index(move.start)) > 0
    )


def rag_finding(moves: Sequence[RagMove]) -> str:
    """The numbers of pipelines rated worse, better, and not at both ends."""
    worse, better = re_rated(moves, WORSE), re_rated(moves, BETTER)
    words = f"{whole(worse)} worse, {whole(better)} better." if worse or better else "None moved."
    unrated = sum(move.total.pipelines for move in moves if not (move.start and move.end))
    if unrated:
        words += f" {whole(unrated)} more had no rating at one of the two ends."
    return words
