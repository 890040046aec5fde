"""The answer to "how are my pipelines going?": a sentence, ratings and stages by capacity, and
what needs attention first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from dashboard.charts.movement import re_rated
from dashboard.charts.parts import Link, Lists, percent, plain_size, rag_code, size
from dashboard.metrics import Total
from dashboard.metrics.attention import Attention, Needing
from dashboard.metrics.overview import Answer
from dashboard.metrics.stages import Stages
from dashboard.metrics.totals import RagGroup, StatusGroup
from oegen.core import words
from oegen.core.words import whole
from oegen.pages.filters import MINE
from pipelines.choices import RAG, Reason
from pipelines.querysets import ANY_REASON, BETTER, HELD, OPEN, OVERDUE, WORSE, Megawatts
from pipelines.reference import COMPLETED
from pipelines.stays import ENOUGH


@dataclass(frozen=True)
class Phrase:
    """A figure of the sentence; ``judgement`` is "good", "bad" or empty."""

    text: str
    link: Link
    judgement: str = ""


@dataclass(frozen=True)
class Sentence:
    """``moves`` are since the comparison day; ``basis`` says what the MW of ``now`` are made of."""

    now: tuple[Phrase, ...]
    moves: tuple[Phrase, ...]
    basis: str


def sentence(found: Answer, since: date, lists: Lists) -> Sentence:
    now = found.headline
    red = next(group.total for group in found.rag if group.rag == RAG.RED)
    parts = [
        Phrase(
            f"{whole(now.open.pipelines)} open, {plain_size(now.open.capacity)}",
            lists.pipelines(now.open, status=OPEN),
        ),
        _part("red", red, lists, status=OPEN, rag=rag_code(RAG.RED)),
        _part("overdue", now.overdue, lists, rtb=OVERDUE),
    ]
    return Sentence(tuple(parts), tuple(_moves(found, since, lists)), _basis(now.open))


def _part(word: str, total: Total, lists: Lists, **filters) -> Phrase:
    if not total.pipelines:
        return Phrase(f"none {word}", lists.pipelines(total, **filters), "good")
    text = f"{whole(total.pipelines)} {word} ({plain_size(total.capacity)})"
    return Phrase(text, lists.pipelines(total, **filters), "bad")


def _moves(found: Answer, since: date, lists: Lists) -> Iterable[Phrase]:
    for direction, judgement in ((WORSE, "bad"), (BETTER, "good")):
        number = re_rated(found.rag_moves, direction)
        link = re_rated_link(direction, since, lists)
        if number:
            yield Phrase(f"{whole(number)} {direction}", replace(link, pipelines=number), judgement)
    yield from _overdue_moves(found, lists)
    days = found.slippage.weighted_days
    if found.slippage.slipped and days is not None:
        text = f"dates {words.days(days)} on average"
        yield Phrase(text, lists.tab("dates", since), _judgement_of(round(days)))
    elif found.slippage.slipped:
        # Without capacity there is no average.
        text = f"{words.count(found.slippage.slipped, 'RTB date')} changed"
        yield Phrase(text, lists.tab("dates", since))


def re_rated_link(direction: str, since: date, lists: Lists) -> Link:
    """The list of what is open on both days and rated ``WORSE`` or ``BETTER`` than then."""
    return lists.pipelines(status=OPEN, since=since, rag_moved=direction)


def _overdue_moves(found: Answer, lists: Lists) -> Iterable[Phrase]:
    """How many more or fewer are overdue than then."""
    now = found.headline.overdue.pipelines
    more = now - found.before.overdue.pipelines
    if more:
        words_of_it = "more" if more > 0 else "fewer"
        link = replace(lists.pipelines(rtb=OVERDUE), pipelines=now)
        yield Phrase(f"{whole(abs(more))} {words_of_it} overdue", link, _judgement_of(more))


def _judgement_of(days: int) -> str:
    return "bad" if days > 0 else "good" if days < 0 else ""


def _basis(total: Total) -> str:
    capacity = total.capacity
    parts = []
    if capacity.is_mixed:
        dc, ac = Megawatts(mwp_dc=capacity.mwp_dc), Megawatts(mw_ac=capacity.mw_ac)
        parts.append(f"{size(dc)} DC and {size(ac)} AC")
    if capacity.storage_mw:
        storage = f"of which storage {size(Megawatts(mw_ac=capacity.storage_mw))}"
        if capacity.storage_mwh:
            storage += f", {whole(capacity.storage_mwh)} MWh"
        parts.append(storage)
    if missing := capacity.facilities_without_capacity:
        parts.append(f"{words.count(missing, 'facility', 'facilities')} without a figure")
    return "; ".join(parts)


# Ratings and stages by capacity ------------------------------------------------------------------


@dataclass(frozen=True)
class Segment:
    """A part of a bar, in per cent of the bar's width, as SVG takes it."""

    rag: str
    label: str
    start: str
    width: str
    link: Link
    pipelines: str
    size: str
    share: str


def rag_bar(groups: Sequence[RagGroup], lists: Lists) -> tuple[Segment, ...]:
    """The open capacity by rating; empty if there is none."""
    whole_mw = sum((group.total.capacity.mw for group in groups), Decimal(0))
    if not whole_mw:
        return ()
    return _segments({group.rag: group.total for group in groups}, whole_mw, lists, status=OPEN)


def _segments(
    totals: dict[str, Total], whole_mw: Decimal, lists: Lists, **filters
) -> tuple[Segment, ...]:
    segments, start = [], Decimal(0)
    for rag, label in (*RAG.choices, ("", "Not rated")):
        total = totals.get(rag, Total())
        if not total.pipelines:
            continue
        share = total.capacity.mw / whole_mw
        segments.append(
            Segment(
                rag=rag_code(rag),
                label=label,
                start=_svg(start),
                width=_svg(share),
                link=lists.pipelines(total, rag=rag_code(rag), **filters),
                pipelines=whole(total.pipelines),
                size=plain_size(total.capacity),
                share=percent(share),
            )
        )
        start += share
    return tuple(segments)


def _svg(share: Decimal) -> str:
    return f"{share * 100:.2f}%"


@dataclass(frozen=True)
class FunnelRow:
    """A stage, or what is on hold or completed: those have no ``segments``. ``width`` is that of
    the bar, for rows without segments. ``moves_on`` is the share that leaves the stage forwards."""

    label: str
    link: Link
    pipelines: str
    size: str
    segments: tuple[Segment, ...]
    width: str
    moves_on: str
    is_open: bool


def funnel(found: Answer, lists: Lists) -> tuple[FunnelRow, ...]:
    """All stages in order, then what is on hold and what is completed. Bars are on one scale."""
    groups = [one for one in found.statuses if one.is_open or one.code in (HELD, COMPLETED)]
    largest = max((_bar_mw(group, found) for group in groups), default=Decimal(0)) or Decimal(1)
    shares = {one.stage.code: one.share for one in found.stages.conversion}
    return tuple(
        FunnelRow(
            label=group.label,
            link=lists.pipelines(group.total, status=group.code),
            pipelines=whole(group.total.pipelines),
            size=plain_size(group.total.capacity),
            segments=_segments(_ratings(group, found), largest, lists, status=group.code)
            if group.is_open
            else (),
            width=_svg(group.total.capacity.mw / largest),
            moves_on=_moves_on(shares.get(group.code), group),
            is_open=group.is_open,
        )
        for group in groups
    )


def _ratings(group: StatusGroup, found: Answer) -> dict[str, Total]:
    return {
        rag: total
        for (status, rag), total in found.by_status_and_rag.items()
        if status == group.code
    }


def _bar_mw(group: StatusGroup, found: Answer) -> Decimal:
    """The length of the bar: a facility of projects with several ratings is in each segment."""
    if not group.is_open:
        return group.total.capacity.mw
    return sum((total.capacity.mw for total in _ratings(group, found).values()), Decimal(0))


def funnel_note(found: Stages) -> str:
    """Empty if the share that moves on is known of every stage."""
    if all(one.share is not None for one in found.conversion):
        return ""
    return f"The share that moves on is shown once {ENOUGH} projects of a stage are decided."


def _moves_on(share: float | None, group: StatusGroup) -> str:
    return f"{percent(share)} move on" if group.is_open and share is not None else ""


# What needs attention ----------------------------------------------------------------------------


@dataclass(frozen=True)
class ReasonCount:
    reason: Reason
    pipelines: int
    link: Link


@dataclass(frozen=True)
class AttentionRow:
    needing: Needing
    stage: str
    size: str
    rag_label: str


@dataclass(frozen=True)
class AttentionList:
    """``link`` is the list of all; ``reasons`` are those that occur."""

    pipelines: int
    urgent: int
    link: Link
    reasons: tuple[ReasonCount, ...]
    rows: tuple[AttentionRow, ...]


@dataclass(frozen=True)
class Whose:
    """The same page of everybody's and of the reader's own pipelines, and which it is; neither
    where it is of other people's."""

    everybody: Link
    mine: Link
    is_everybody: bool
    is_mine: bool


def attention_list(
    found: Attention, statuses: Iterable[StatusGroup], lists: Lists
) -> AttentionList:
    stages = {group.code: group.label for group in statuses}

    return AttentionList(
        found.pipelines,
        found.urgent,
        attention_link(ANY_REASON, found.pipelines, lists),
        tuple(
            ReasonCount(reason, number, attention_link(str(reason), number, lists))
            for reason, number in found.by_reason.items()
            if number
        ),
        tuple(
            AttentionRow(
                one,
                stages.get(one.stage, ""),
                "" if one.mw is None else words.number(one.mw),
                RAG(one.rag).label if one.rag else "Not rated",
            )
            for one in found.first
        ),
    )


def attention_link(code: str, pipelines: int | None, lists: Lists) -> Link:
    """The list of what needs attention for a reason or ``ANY_REASON``, the largest first."""
    columns = "capacity_mw,status,rag_status,attention,rtb_date"
    wanted = lists.pipelines(status=OPEN, attention=code, columns=columns, sort="-capacity_mw")
    return replace(wanted, pipelines=pipelines)


def whose(since: date, lists: Lists) -> Whose:
    """The choice between everybody's pipelines and the reader's own, with the other filters."""
    return Whose(
        lists.dashboard(since, responsible=""),
        lists.dashboard(since, responsible=MINE),
        "responsible" not in lists.filters,
        lists.filters.get("responsible") == [MINE],
    )
