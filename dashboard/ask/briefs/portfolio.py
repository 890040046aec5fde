"""The brief of filtered pipelines: the dashboard's, and what briefs of counterparties share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import chain

from django.http import QueryDict

from dashboard.ask.briefs.writing import (
    Lines,
    Writer,
    day_in,
    figure_in,
    is_some,
    listed,
    literal,
    record_in,
    ref,
    section,
    uncapitalized,
    verb,
)
from dashboard.ask.findings import Figure, Found
from dashboard.metrics.kinds import KINDS

#: The days that a brief looks ahead: for dates of ready to build, and for milestones.
AHEAD_DAYS, MILESTONE_DAYS = 90, 30

#: The records that a sentence names.
NAMED = 3

#: What happened to the pipelines of a kind of change; "rated" has a sentence of its own.
_HAPPENED = {
    "new": ("is new", "are new"),
    "restored": ("was restored", "were restored"),
    "moved": ("moved to another stage", "moved to another stage"),
    "completed": ("was completed", "were completed"),
    "reopened": ("was reopened", "were reopened"),
    "on-hold": ("was put on hold", "were put on hold"),
    "off-hold": ("was taken off hold", "were taken off hold"),
    "sold": ("was sold", "were sold"),
    "ended": ("was withdrawn or refused", "were withdrawn or refused"),
    "slipped": ("has a later RTB date", "have a later RTB date"),
    "resized": ("was resized", "were resized"),
    "removed": ("was removed", "were removed"),
}


def lines_of(writer: Writer, query: QueryDict) -> Lines:
    yield from section(
        "What changed",
        chain(_capacity(writer, query), changes(writer, query)),
        f"Since {ref(writer.start)} nothing changed.",
    )
    yield from section(
        "What needs attention",
        attention(writer, query),
        f"On {ref(writer.findings.add_day(writer.today))} no open pipeline needs attention.",
    )
    yield from section("What comes next", coming(writer, query), _nothing_ahead(writer))


def _nothing_ahead(writer: Writer) -> str:
    until = writer.findings.add_day(writer.today + timedelta(days=AHEAD_DAYS))
    return f"Until {ref(until)} no RTB date and no milestone is due."


def _capacity(writer: Writer, query: QueryDict) -> Iterator[str]:
    found = writer.look("metric", name="open-capacity", filters=query, compare=str(writer.since))
    now = found.figures[0]
    change = next(iter(found.comparisons), None)
    if change is None:
        yield f"Open capacity is {ref(now)}."
        return
    yield f"Open capacity is {ref(now)}; since {ref(writer.start)} it {ref(change)}."
    if not is_some(change):
        return
    walk = writer.look("explain", filters=query, **{"from": str(writer.since)})
    steps = [
        (str(label), figure)
        for label, figure, *_ in (walk.table.rows if walk.table else ())
        if isinstance(figure, Figure) and is_some(figure)
    ]
    steps.sort(key=lambda one: -abs(float(one[1].value or 0)))
    if steps:
        named = [
            f"{uncapitalized(literal(label))} ({ref(figure)})" for label, figure in steps[:NAMED]
        ]
        yield f"What moved it most: {listed(named)}."


def changes(writer: Writer, query: QueryDict) -> Iterator[str]:
    found = writer.look("records", kind="changes", filters=query, **{"from": str(writer.since)})
    by_label = {figure.label: figure for figure in found.figures if figure in found.main}
    parts = [
        verb(by_label[KINDS[code].label], *words)
        for code, words in _HAPPENED.items()
        if code in KINDS and KINDS[code].label in by_label
    ]
    if parts:
        yield f"Since {ref(writer.start)}, {listed(parts)}."
    worse, better = (
        writer.look("metric", name=name, filters=query, compare=str(writer.since)).figures[0]
        for name in ("worsened-pipelines", "improved-pipelines")
    )
    if is_some(worse):
        also = f", {ref(better)} better" if is_some(better) else ""
        yield f"{verb(worse, 'was', 'were')} rated worse{also}."
    elif is_some(better):
        yield f"{verb(better, 'was', 'were')} rated better."
    slipped = writer.look(
        "records", kind="changes", filters=_with(query, kind="slipped"), limit=1,
        **{"from": str(writer.since)},
    )  # fmt: skip
    if slipped.table:
        [row] = slipped.table.rows[:1]
        record = record_in(row)
        if record:
            yield f"The longest slip is that of {ref(record)}: it {literal(str(row[1]))}."


def attention(writer: Writer, query: QueryDict) -> Iterator[str]:
    found = writer.look("attention", filters=query)
    whole, urgent = found.figures[:2]
    if not is_some(whole):
        return
    of_these = "none of them is urgent"
    if is_some(urgent):
        of_these = f"of these, {verb(urgent, 'is', 'are')} urgent"
    yield f"{verb(whole, 'needs', 'need')} attention; {of_these}."
    for row in (found.table.rows if found.table else ())[:NAMED]:
        record, figure = record_in(row), figure_in(row)
        if record:
            size = f" ({ref(figure)})" if figure and is_some(figure) else ""
            reasons = reasons_in(str(row[-1]).split("; "))
            yield f"{ref(record)}{size}: {reasons}."


def reasons_in(reasons: Iterable[str]) -> str:
    return listed([uncapitalized(literal(one)) for one in reasons])


def coming(writer: Writer, query: QueryDict) -> Iterator[str]:
    """What becomes ready to build, and the milestones, if the filters are theirs as well."""
    if not {"rtb_from", "rtb_to", "rtb_year", "rtb"} & set(query):
        yield from _ready(writer, query)
    if set(query) <= {"responsible"}:
        yield from _milestones(writer, query)


def _ready(writer: Writer, query: QueryDict) -> Iterator[str]:
    until = writer.today + timedelta(days=AHEAD_DAYS)
    found = writer.look(
        "records", kind="pipeline", order="rtb_date", limit=NAMED,
        filters=_with(query, rtb_from=str(writer.today), rtb_to=str(until)),
    )  # fmt: skip
    number, *sizes = found.figures
    if not is_some(number):
        return
    size = f" with {ref(sizes[0])}" if sizes and sizes[0] in found.main else ""
    until_day = writer.findings.add_day(until)
    becomes = verb(number, "becomes", "become").replace("}", f"}}{size}", 1)
    yield f"{becomes} ready to build by {ref(until_day)}{_named(found)}."


def _named(found: Found) -> str:
    names = []
    for row in found.table.rows if found.table else ():
        record, day = record_in(row), day_in(row)
        if record and day:
            names.append(f"{ref(record)} on {ref(day)}")
    return f": {listed(names)}" if names else ""


def _milestones(writer: Writer, query: QueryDict) -> Iterator[str]:
    until = writer.today + timedelta(days=MILESTONE_DAYS)
    found = writer.look(
        "records", kind="milestone", limit=NAMED,
        filters=_with(
            query, state="ahead", day_from=str(writer.today), day_to=str(until)
        ),
    )  # fmt: skip
    [number] = found.figures[:1]
    if not is_some(number):
        return
    names = []
    for row in found.table.rows if found.table else ():
        record, day = record_in(row), day_in(row)
        if record and day:
            names.append(f"{literal(str(row[0]))} of {ref(record)} on {ref(day)}")
    first = f": {listed(names)}" if names else ""
    yield f"{verb(number, 'is', 'are')} due by {ref(writer.findings.add_day(until))}{first}."


def _with(query: QueryDict, **values: str) -> QueryDict:
    found = query.copy()
    for name, value in values.items():
        found[name] = value
    return found
