"""The sentences of answers, with placeholders for every number, day and record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from dashboard.ask.findings import Cell, Comparison, Day, Figure, Findings, Found, Record
from dashboard.ask.grammar.reading import Reading

#: The most groups or rows that a sentence names; the table has more.
MOST_NAMED = 5

#: What stands after the amount, by figure.
_ARE = {
    "open-capacity": "open",
    "open-pipelines": "open",
    "on-hold-capacity": "on hold",
    "on-hold-pipelines": "on hold",
    "completed-capacity": "completed",
    "completed-pipelines": "completed",
    "overdue-capacity": "overdue",
    "overdue-pipelines": "overdue",
    "unconfirmed-capacity": "not confirmed in 60 days",
    "unconfirmed-pipelines": "not confirmed in 60 days",
    "red-capacity": "red",
    "red-pipelines": "red",
    "net-capacity": "open, net",
    "weighted-capacity": "open, gross weighted",
    "net-weighted-capacity": "open, net weighted",
    "worsened-pipelines": "rated worse than then",
    "improved-pipelines": "rated better than then",
    "attention": "in need of attention",
}

#: Aspects of a record by their heading.
_ASPECTS = {
    "status": "Status",
    "stage": "Stage",
    "on_hold": "Why on hold",
    "rag": "RAG",
    "rag_comment": "RAG comment",
    "rag_confirmed": "Rating confirmed",
    "rtb": "Ready to build",
    "overdue": "Overdue by",
    "cod": "COD",
    "slip": "RTB against the first date recorded",
    "baseline": "RTB against its baseline",
    "capacity": "Capacity",
    "storage": "Storage",
    "ownership": "Our share",
    "probability": "Probability",
    "counterparties": "Counterparties",
    "facilities": "Facilities",
    "technology": "Technology",
    "place": "Where",
    "responsible": "Responsible",
    "next_step": "Next step",
    "attention": "Needs attention",
    "milestones": "Milestones",
    "infopoints": "Information points",
    "history": "Last change",
    "held": "Holds",
    "pipelines": "Takes part in",
    "strategy": "Strategy",
    "contacts": "Contacts",
    "rating": "Rating, impact and likelihood",
    "exposed": "Exposed",
    "market": "Market",
    "text": "What it says",
    "review": "Review",
    "owner": "Owner",
    "job_title": "Job title",
    "roles": "Roles",
    "email": "E-mail",
    "phone": "Phone",
}

#: The facts that an aspect of a question asks for, in order.
_FACTS_OF = {
    "rag": ("rag", "rag_confirmed", "rag_comment"),
    "comment": ("rag", "rag_comment", "rag_confirmed"),
    "on_track": ("rag", "rag_comment", "rtb", "overdue", "slip", "baseline"),
    "rtb": ("rtb", "overdue", "slip"),
    "slip": ("slip", "baseline", "rtb"),
    "status": ("status", "stage", "on_hold"),
    "on_hold": ("status", "on_hold"),
    "completes": ("status", "cod", "rtb"),
    "held": ("held", "pipelines"),
}

#: What is said of a record of which nothing in particular is asked.
_USUAL = (
    *("status", "rag", "rag_comment", "rtb", "overdue", "capacity", "held", "pipelines", "rating"),
    *("exposed", "roles", "place", "technology"),
)


def of(reading: Reading, found: Found, findings: Findings) -> list[str]:
    write = _WRITERS.get(found.lookup, _plain)
    return [*write(reading, found, findings), *_remarks(found)]


def _remarks(found: Found) -> Iterator[str]:
    if found.lookup != "define":
        yield from found.remarks


def ref(one: Cell) -> str:
    return one if isinstance(one, str) else f"{{{one.ref}}}"


def _joined(parts: Sequence[str], joint: str = "and") -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {joint} {parts[-1]}"


def _filters(found: Found) -> str:
    """The filters in words, after the figure's title."""
    _, _, words = found.title.partition(", ")
    return words


def _metric(reading: Reading, found: Found, findings: Findings) -> Iterator[str]:
    name, _, measure = reading.metric.partition(":")
    if reading.group_by:
        yield from _groups(reading, found)
        return
    special: dict[str, Callable[[Reading, Found, Findings], Iterable[str]]] = {
        "rtb-slippage": _slippage,
        "changes": _changes,
        "stages": _stages,
        "forecast": _forecast,
        "rag-movement": _rows_in_words,
        "baselines": _baselines,
        "exposure": _rows_in_words,
        "mw-walk": _rows_in_words,
    }
    if name in special:
        yield from special[name](reading, found, findings)
        return
    figures = [one for one in found.main if isinstance(one, Figure)]
    if not figures:
        yield from _rows_in_words(reading, found, findings)
        return
    now = figures[0]
    words = _about(now)
    if measure == "storage_mwh":
        said = f"{ref(now)} of storage are open"
    elif measure == "with_probability_pct":
        said = f"{ref(now)} of the open MW have a probability"
    elif measure:
        said = f"{now.label}: {ref(now)}"
    elif name in _ARE:
        verb = "is" if now.value == 1 and now.unit == "pipelines" else "are"
        said = f"{ref(now)} {verb} {_ARE[name]}"
    else:
        said = f"{now.label}: {ref(now)}"
        words = ""
    beside = {one.label: one for one in found.items if isinstance(one, Figure)}
    if words:
        said += f" ({words})"
    if "Pipelines" in beside and not measure:
        said += f", in {ref(beside['Pipelines'])}"
    if reading.as_of:
        said += f", at the end of {ref(findings.add_day(now.day))}"
    yield f"{said}."
    split = [f"{beside[label].label} {ref(beside[label])}"
             for label in ("of which DC", "of which AC", "of which storage", "Storage")
             if label in beside]  # fmt: skip
    if split and not measure:
        yield f"{_joined(split)[0].upper()}{_joined(split)[1:]}."
    yield from _compared(found, figures, findings)


def _about(figure: Figure) -> str:
    """The filters of a figure in words; its label begins with the figure's title."""
    return figure.label.partition(", ")[2] if ", " in figure.label else ""


def _compared(found: Found, figures: Sequence[Figure], findings: Findings) -> Iterator[str]:
    changes = [one for one in found.main if isinstance(one, Comparison)]
    if len(figures) > 1 and changes:
        before = figures[1]
        day = findings.add_day(before.day)
        yield f"It {ref(changes[0])}: at the end of {ref(day)} it was {ref(before)}."


def _groups(reading: Reading, found: Found) -> Iterator[str]:
    table = found.table
    figures = [one for one in found.main if isinstance(one, Figure)]
    width = len(reading.group_by.split(","))
    if table is None or not table.rows:
        yield "Nothing is in any group."
        return
    rows = list(table.rows)
    if reading.group_by not in ("stage", "rag", "rtb_year") and width == 1:
        rows.sort(key=_size_of_row, reverse=True)
    parts = []
    for row in rows[:MOST_NAMED]:
        width_of_row = 1 if isinstance(row[0], Record) else width
        name = ", ".join(ref(cell) for cell in row[:width_of_row])
        change = next((cell for cell in row if isinstance(cell, Comparison)), None)
        words = f"{name} {ref(row[width_of_row])}"
        parts.append(f"{words} ({ref(change)})" if change else words)
    total = f"{ref(figures[0])} in all" if figures else found.title
    about = _about(figures[0]) if figures else ""
    about = f" ({about})" if about else ""
    yield f"{total}{about}: {_joined(parts)}{', and others' if len(rows) > MOST_NAMED else ''}."


def _size_of_row(row: Sequence[Cell]) -> float:
    figure = next((cell for cell in row if isinstance(cell, Figure)), None)
    return float(figure.value or 0) if figure else 0.0


def _slippage(reading: Reading, found: Found, findings: Findings) -> Iterator[str]:
    figures = [one for one in found.main if isinstance(one, Figure)]
    beside = {one.label: one for one in found.items if isinstance(one, Figure)}
    if figures and reading.metric.endswith(":later"):
        yield f"The RTB dates of {ref(figures[0])} moved to later."
    elif figures and not (found.table and found.table.rows):
        yield "No RTB date moved to later."
    elif figures:
        yield f"RTB dates moved by {ref(figures[0])} on average, weighted by capacity."
        if "Later dates" in beside:
            yield f"Of {ref(beside['Later dates'])} they are later."
    yield from _first_rows(found, 1)


def _baselines(reading: Reading, found: Found, findings: Findings) -> Iterator[str]:
    figures = [one for one in found.main if isinstance(one, Figure)]
    if figures:
        yield f"Against their baselines, RTB dates are later by {ref(figures[0])} on average."
    yield from _first_rows(found, 1)


def _first_rows(found: Found, column: int) -> Iterator[str]:
    rows = found.table.rows[:3] if found.table else ()
    parts = [f"{ref(row[0])} by {ref(row[column])}" for row in rows]
    if parts:
        yield f"Most: {_joined(parts)}."


def _changes(reading: Reading, found: Found, findings: Findings) -> Iterator[str]:
    rows = found.table.rows if found.table else ()
    parts = [f"{ref(row[0])} {ref(row[1])}" for row in rows]
    yield f"{_joined(parts)}." if parts else "Nothing changed."


def _stages(reading: Reading, found: Found, findings: Findings) -> Iterator[str]:
    figures = [one for one in found.items if isinstance(one, Figure)]
    if not reading.name or not figures:
        yield from _rows_in_words(reading, found, findings)
        return
    first, *rest = figures
    stage = reading.name.replace("-", " ")
    measure = reading.metric.partition(":")[2]
    if measure == "conversion_pct":
        yield f"{ref(first)} of the projects that were decided moved on from {stage}."
    elif measure == "p80_days":
        yield f"Four fifths of the stays in {stage} ended within {ref(first)}."
    else:
        yield f"Half of the stays in {stage} ended within {ref(first)}."
    if rest:
        yield f"{_joined([f'{one.label}: {ref(one)}' for one in rest], 'and')}."


def _forecast(reading: Reading, found: Found, findings: Findings) -> Iterator[str]:
    by_label = {one.label: one for one in found.items if isinstance(one, Figure)}
    days = [one for one in found.main if isinstance(one, Day)]
    if days:
        if "Reached or scheduled" in by_label:
            yield f"By {ref(days[0])}, {ref(by_label['Reached or scheduled'])} are ready to build."
        if "Trend" in by_label and len(days) > 1:
            yield (
                f"The trend says {ref(by_label['Trend'])} for {ref(days[-1])}, with 95 % "
                f"probability {ref(by_label['Low'])} to {ref(by_label['High'])}."
            )
        elif "Trend" in by_label:
            yield (
                f"The trend says {ref(by_label['Trend'])}, with 95 % probability "
                f"{ref(by_label['Low'])} to {ref(by_label['High'])}."
            )
        return
    [first, *_] = [one for one in found.main if isinstance(one, Figure)]
    yield f"{ref(first)} have reached their RTB date."
    if "Scheduled" in by_label:
        yield f"{ref(by_label['Scheduled'])} more are scheduled."
    if "Trend" in by_label:
        yield (
            f"If it goes on as before: {ref(by_label['Trend'])}, with 95 % probability "
            f"{ref(by_label['Trend, low'])} to {ref(by_label['Trend, high'])}."
        )


def _rows_in_words(reading: Reading, found: Found, findings: Findings) -> Iterator[str]:
    figures = [one for one in found.main if isinstance(one, Figure)]
    if figures:
        yield f"{figures[0].label}: {ref(figures[0])}."
    rows = found.table.rows[:MOST_NAMED] if found.table else ()
    parts = [" ".join(ref(cell) for cell in row if cell != "") for row in rows]
    if parts:
        yield f"{'; '.join(parts)}."
    elif not figures:
        yield "There is nothing to show."


def _records(reading: Reading, found: Found, findings: Findings) -> Iterator[str]:
    figures = [one for one in found.main if isinstance(one, Figure)]
    if reading.kind == "changes":
        parts = [f"{one.label} {ref(one)}" for one in figures]
        days = [one for one in found.items if isinstance(one, Day)][:2]
        span = f"From {ref(days[0])} to {ref(days[1])}: " if len(days) == 2 else ""
        yield f"{span}{_joined(parts)}." if parts else f"{span}nothing changed."
        return
    number, *rest = figures
    sizes = [ref(one) for one in rest if one.value not in (None, "0", "0.000")]
    yield f"{ref(number)}{f', {_joined(sizes)}' if sizes else ''}."
    rows = found.table.rows if found.table else ()
    names = [
        ref(row[0]) + (f" ({ref(row[1])})" if len(row) > 1 and isinstance(row[1], Figure) else "")
        for row in rows[:3]
    ]
    if names and reading.kind != "audit":
        lead = "It is" if number.value == 1 or reading.limit == "1" else "First"
        yield f"{lead}: {_joined(names)}." if lead == "First" else f"{lead} {names[0]}."


def _explain(reading: Reading, found: Found, findings: Findings) -> Iterator[str]:
    opening, closing, *changes = found.main
    days = [one for one in found.items if isinstance(one, Day)][:2]
    if changes:
        yield (
            f"Open capacity {ref(changes[0])}: from {ref(opening)} at the end of {ref(days[0])} "
            f"to {ref(closing)} at the end of {ref(days[1])}."
        )
    rows = found.table.rows if found.table else ()
    parts = [f"{ref(row[0])} {ref(row[1])}" for row in rows]
    yield f"Its steps: {_joined(parts)}." if parts else "There were no steps."


def _attention(reading: Reading, found: Found, findings: Findings) -> Iterator[str]:
    whole, urgent, *reasons = [one for one in found.main if isinstance(one, Figure)]
    verb = "needs" if whole.value == 1 else "need"
    yield f"{ref(whole)} {verb} attention, {ref(urgent)} of them urgently."
    if reasons:
        yield f"{_joined([f'{one.label}: {ref(one)}' for one in reasons])}."
    rows = found.table.rows[:3] if found.table else ()
    if rows:
        yield f"First: {_joined([ref(row[0]) for row in rows])}."


def _registers(reading: Reading, found: Found, findings: Findings) -> Iterator[str]:
    """Whose figures these are comes first; the remarks end with the attribution."""
    days = _joined([ref(one) for one in found.days])
    edition = f", {'edition' if len(found.days) == 1 else 'editions'} of {days}"
    source = f"{_joined(found.source)}{edition}"
    rows = found.table.rows[:MOST_NAMED] if found.table else ()
    if reading.kind == "projects":
        number, capacity = found.main
        yield f"{ref(number)}, {ref(capacity)}, in public registers ({source})."
        names = [f"{ref(row[0])}{f' ({ref(row[1])})' if row[1] else ''}" for row in rows[:3]]
        if names:
            yield f"Largest: {_joined(names)}."
        return
    capacity, number, companies = found.figures[:3]
    measure = capacity.label.partition(",")[0]
    yield f"{measure}: {ref(capacity)} in {ref(number)}, in public registers ({source})."
    if "by=change" in reading.filters:
        parts = [f"{ref(row[0])} by {ref(row[4])}" for row in rows]
        changed = f"The newest edition changed {ref(companies)}"
        yield f"{changed}: {_joined(parts)}." if parts else f"{changed}."
        return
    parts = [f"{ref(row[0])} {ref(row[1])}{f' ({ref(row[2])})' if row[2] else ''}" for row in rows]
    if parts:
        yield f"Largest of {ref(companies)}: {_joined(parts)}."


def _find(reading: Reading, found: Found, findings: Findings) -> Iterator[str]:
    if found.records:
        yield f"{_joined([ref(one) for one in found.records])}."


def _record(reading: Reading, found: Found, findings: Findings) -> Iterator[str]:
    record = found.main[0]
    said = False
    for aspect in reading.term.split(",") if reading.term else [""]:
        for line in _aspect(aspect, found):
            yield f"{ref(record)}: {line}" if not said else line
            said = True
    if not said:
        yield f"{ref(record)}: this is not recorded."


def _aspect(aspect: str, found: Found) -> Iterator[str]:
    kind, _, code = aspect.partition(":")
    if kind == "role":
        partners = [
            one
            for one in found.facts.get("counterparties", ())
            if isinstance(one, Record) and _same_words(one.text, code)
        ]
        names = [ref(one) for one in partners]
        yield f"{code.replace('-', ' ')} {_joined(names) if names else 'none is recorded'}."
        return
    if kind == "milestone":
        yield from _milestone(code, found)
        return
    names = list(_FACTS_OF.get(kind, (kind,))) if kind else list(_USUAL)
    for name in names:
        cells = found.facts.get(name, ())
        if not cells:
            continue
        heading = _ASPECTS.get(name, name)
        if name == "counterparties":
            words = _joined(
                [f"{ref(c)} ({c.text})" if isinstance(c, Record) else ref(c) for c in cells]
            )
        else:
            words = ", ".join(ref(cell) for cell in cells)
        yield f"{heading}: {words.rstrip('.')}."


def _same_words(label: str, code: str) -> bool:
    words = label.casefold().replace("&", " and ").replace("-", " ").split()
    return words == code.replace("-", " ").split()


def _milestone(code: str, found: Found) -> Iterator[str]:
    cells = found.facts.get("milestones", ())
    words = set(code.split("-"))
    for place, cell in enumerate(cells):
        if isinstance(cell, str) and words <= set(cell.casefold().replace(",", "").split()):
            after = cells[place + 1] if place + 1 < len(cells) else ""
            yield f"{cell}{f', {ref(after)}' if isinstance(after, Day) else ''}."
            return


def _define(reading: Reading, found: Found, findings: Findings) -> Iterator[str]:
    yield from found.remarks
    for one in found.figures:
        yield f"{one.label} now: {ref(one)}."


def _screen(reading: Reading, found: Found, findings: Findings) -> Iterator[str]:
    parts = [f"{one.label} {ref(one)}" for one in found.figures]
    yield f"{found.title}: {_joined(parts)}." if parts else found.title


def _plain(reading: Reading, found: Found, findings: Findings) -> Iterator[str]:
    yield f"{found.title}: {_joined([ref(one) for one in found.main])}."


_WRITERS: dict[str, Callable[[Reading, Found, Findings], Iterable[str]]] = {
    "metric": _metric,
    "records": _records,
    "explain": _explain,
    "attention": _attention,
    "find": _find,
    "record": _record,
    "define": _define,
    "screen": _screen,
    "registers": _registers,
}
