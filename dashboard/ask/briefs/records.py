"""The briefs of a pipeline and of a counterparty."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.http import QueryDict

from dashboard.ask.briefs import portfolio
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
    sentence_of,
    written,
)
from dashboard.ask.findings import Day, Figure, Found, Record
from dashboard.ask.lookups.facts import Facts
from pipelines.choices import Outcome

#: The kinds of records that have a brief.
KINDS = ("pipeline", "counterparty")

#: The statuses of pipelines that are neither open nor on hold.
_OVER = frozenset({"Completed", *(one.label for one in Outcome if one != Outcome.ACTIVE)})

#: The milestones ahead that a sentence names.
MILESTONES = 4


def lines_of(writer: Writer, kind: str, key: Any) -> Lines:
    now = writer.look("record", kind=kind, id=str(key))
    before = writer.look_if_there("record", kind=kind, id=str(key), as_of=str(writer.since))
    record = record_in(now.main)
    if record is None:
        raise TypeError("The lookup of a record gives the record itself.")
    make = _pipeline if kind == "pipeline" else _counterparty
    yield from make(writer, record, now, before)


# Pipelines ---------------------------------------------------------------------------------------


def _pipeline(writer: Writer, record: Record, now: Found, before: Found | None) -> Lines:
    status = str(_first(now.facts, "status"))
    is_over = status in _OVER
    over = f"is {status.lower()}, and " if is_over else ""
    yield from section(
        "What changed",
        chain(_changes(writer, record, now, before), _last_entry(now)),
        f"Since {ref(writer.start)} neither stage, rating, dates nor capacity of "
        f"{ref(record)} changed.",
    )
    yield from section(
        "What needs attention",
        () if is_over else _attention(record, now.facts),
        f"{ref(record)} {over}needs no attention.",
    )
    yield from section(
        "What comes next",
        () if is_over else _coming(writer, now.facts),
        f"{ref(record)} {over}has neither a next step nor a milestone or date ahead.",
    )


def _changes(writer: Writer, record: Record, now: Found, before: Found | None) -> Iterator[str]:
    start = ref(writer.start)
    if before is None:
        yield f"{ref(record)} was entered after {start}."
        return
    for name, words in (
        ("status", "It moved from {} to {}"),
        ("rag", "Its rating went from {} to {}"),
        ("rtb", "Its RTB date moved from {} to {}"),
        ("cod", "Its commercial operation moved from {} to {}"),
    ):
        old, new = _first(before.facts, name), _first(now.facts, name)
        if old and new and _shown(old) != _shown(new):
            yield f"{words.format(written(old), written(new))} since {start}."
        elif new and not old:
            yield f"Since {start} it has {_NAMES[name]}: {written(new)}."
    old_size, new_size = (figure_in(one.facts.get("capacity", ())) for one in (before, now))
    if old_size and new_size and old_size.unit == new_size.unit:
        change = writer.findings.add_comparison(new_size, old_size)
        if change and is_some(change):
            yield f"Its capacity {ref(change)} since {start}, to {ref(new_size)}."


_NAMES = {"status": "a status", "rag": "a rating", "rtb": "an RTB date", "cod": "a COD"}


def _first(known: Facts, name: str) -> Any:
    return next(iter(known.get(name, ())), None)


def _shown(cell: Any) -> str:
    return cell if isinstance(cell, str) else cell.text


def _last_entry(now: Found) -> Iterator[str]:
    if not now.table:
        return
    when, _, what, why = now.table.rows[0]
    if isinstance(when, Day):
        because = f" ({literal(str(why))})" if why else ""
        yield f"The last entry is of {ref(when)}: {literal(str(what))}{because}."


def _attention(record: Record, known: Facts) -> Iterator[str]:
    if reasons := [str(one) for one in known.get("attention", ())]:
        yield f"{ref(record)} needs attention: {portfolio.reasons_in(reasons)}."
    rating, comment = _first(known, "rag"), _first(known, "rag_comment")
    confirmed = known.get("rag_confirmed", ())
    if rating in ("Red", "Amber") and confirmed:
        day, age = day_in(confirmed), figure_in(confirmed)
        if day and age:
            ago = f", {ref(age)} ago" if is_some(age) else ""
            why = f" “{sentence_of(str(comment))}”" if comment else ""
            yield f"{rating} was last confirmed on {ref(day)}{ago}.{why}"
    overdue, rtb = _first(known, "overdue"), _first(known, "rtb")
    if isinstance(overdue, Figure) and isinstance(rtb, Day):
        yield f"It was to be ready to build on {ref(rtb)}, {ref(overdue)} ago."
    slip = figure_in(known.get("slip", ()))
    if slip and isinstance(slip.value, int) and slip.value > 0:
        first = day_in(known["slip"])
        if first:
            yield f"Its RTB date is {ref(slip)} later than the first one, {ref(first)}."
    missed = [f"{name} ({ref(day)})" for name, day in _milestones(known, "missed") if day]
    if missed:
        yield f"Milestones missed: {listed(missed)}."
    points = [ref(one) for one in known.get("infopoints", ()) if isinstance(one, Record)]
    if points:
        yield f"Information points about it, the highest rated first: {listed(points[:3])}."


def _coming(writer: Writer, known: Facts) -> Iterator[str]:
    def be(day: Day) -> str:
        return "is" if day.day >= writer.today else "was"

    step = known.get("next_step", ())
    if due := day_in(step):
        yield f"Next step: {sentence_of(str(step[0]))} It {be(due)} due on {ref(due)}."
    ahead = [(day, name) for name, day in _milestones(known, "ahead") if day]
    ahead.sort(key=lambda one: one[0].day)
    if ahead:
        named = [f"{name} on {ref(day)}" for day, name in ahead[:MILESTONES]]
        yield f"Milestones ahead: {listed(named)}."
    cod = _first(known, "cod")
    if isinstance(cod, Day):
        yield f"Commercial operation {be(cod)} planned for {ref(cod)}."


def _milestones(known: Facts, state: str) -> Iterator[tuple[str, Day | None]]:
    """Of each in that state its name and day: in the facts a name is followed by its day."""
    cells = known.get("milestones", ())
    for place, cell in enumerate(cells):
        if isinstance(cell, str) and cell.endswith(f", {state}"):
            name = literal(cell.removesuffix(f", {state}"))
            yield name, day_in(cells[place + 1 : place + 2])


# Counterparties ----------------------------------------------------------------------------------


def _counterparty(writer: Writer, record: Record, now: Found, before: Found | None) -> Lines:
    query = QueryDict(f"counterparty_id={record.pk}")
    points = [ref(one) for one in now.facts.get("infopoints", ()) if isinstance(one, Record)]
    about = f"Information points about it, the highest rated first: {listed(points[:3])}."
    yield from section(
        "What changed",
        chain(_held(writer, record, now, before), portfolio.changes(writer, query)),
        f"Since {ref(writer.start)} nothing changed at the pipelines of {ref(record)}.",
    )
    yield from section(
        "What needs attention",
        chain(portfolio.attention(writer, query), [about] if points else []),
        f"None of the open pipelines of {ref(record)} needs attention.",
    )
    yield from section(
        "What comes next",
        portfolio.coming(writer, query),
        f"No pipeline of {ref(record)} becomes ready to build in the next "
        f"{portfolio.AHEAD_DAYS} days.",
    )


def _held(writer: Writer, record: Record, now: Found, before: Found | None) -> Iterator[str]:
    figures = [one for one in now.facts.get("held", ()) if isinstance(one, Figure)]
    linked = figure_in(now.facts.get("pipelines", ()))
    if len(figures) == 2 and is_some(figures[0]):
        amount, number = figures
        change = ""
        old = figure_in(before.facts.get("held", ())) if before else None
        if old and (compared := writer.findings.add_comparison(amount, old)):
            change = f"; since {ref(writer.start)} this {ref(compared)}"
        yield f"{ref(record)} holds {ref(amount)} of the open capacity, in {ref(number)}{change}."
    elif linked and is_some(linked):
        yield f"{ref(record)} holds no open capacity itself; it has a role in {ref(linked)}."
    if before is None:
        yield f"{ref(record)} was entered after {ref(writer.start)}."
