"""What the lookups of an answer found: figures, records, days and comparisons, each with a
reference (``f1``, ``r1``, ``d1``, ``c1``) that a sentence names in braces: ``{f1}``.

One ``Findings`` numbers on through a whole conversation, so that a reference means one thing in it.
Links are addresses of our own pages, made here and never taken from a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format

from oegen import asof
from oegen.core import clock
from oegen.core.words import count, number

#: Units that are counted: singular and plural.
COUNTED = {
    "pipelines": ("pipeline", "pipelines"),
    "projects": ("project", "projects"),
    "companies": ("company", "companies"),
    "information points": ("information point", "information points"),
    "facilities": ("facility", "facilities"),
    "counterparties": ("counterparty", "counterparties"),
    "contacts": ("contact", "contacts"),
    "milestones": ("milestone", "milestones"),
    "changes": ("change", "changes"),
    "entries": ("entry", "entries"),
    "stays": ("stay", "stays"),
    "days": ("day", "days"),
}

#: What stands for a value that is not known.
UNKNOWN = "not known"

#: From this size on, amounts are printed whole; and from the second on, MW as GW.
WHOLE_FROM, GIGA_FROM = 100, 10_000

Value = int | str | None


@dataclass(frozen=True)
class Figure:
    """``value`` is as in ``dashboard.figures``: an integer, a decimal as text, or None if it is not
    known; ``text`` is how it is printed, with its unit. ``basis`` says what was counted. ``day`` is
    the one at whose end it holds. ``link`` opens the records behind it; it may be empty."""

    ref: str
    label: str
    value: Value
    unit: str
    text: str
    basis: str
    day: date
    link: str


@dataclass(frozen=True)
class Record:
    """``kind`` is the model's name, ``text`` what a lookup says of it, in a few words."""

    ref: str
    kind: str
    pk: str
    name: str
    text: str
    link: str


@dataclass(frozen=True)
class Day:
    ref: str
    day: date
    text: str


@dataclass(frozen=True)
class Comparison:
    """The change from ``before`` to ``now``, references of two figures of one unit. ``text`` is a
    verb with the amount, "rose by 12 MW", or "did not change". ``value`` is the difference."""

    ref: str
    text: str
    value: Value
    unit: str
    now: str
    before: str
    link: str


Finding = Figure | Record | Day | Comparison

#: A cell of a table is a finding, or a text.
Cell = Finding | str


@dataclass(frozen=True)
class Table:
    """``chart`` is what ``charts.js`` draws, if the lookup has a chart. ``more`` is the number of
    rows that ``link`` opens besides."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    link: str = ""
    more: int = 0
    chart: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "columns": list(self.columns),
            "rows": [[cell_json(cell) for cell in row] for row in self.rows],
            "link": self.link,
            "more": self.more,
        }


@dataclass(frozen=True)
class Found:
    """What one lookup gave. ``link`` opens its page; ``remarks`` are sentences that belong to every
    answer made of it; ``items`` are also in ``Findings``. ``main`` are those that answer the
    question as such, in the order in which a sentence names them."""

    lookup: str
    arguments: dict[str, Any]
    title: str
    link: str
    items: tuple[Finding, ...] = ()
    main: tuple[Finding, ...] = ()
    table: Table | None = None
    remarks: tuple[str, ...] = ()
    #: Of a record: what is known of it, by aspect, as ``rag`` or ``rtb``.
    facts: dict[str, tuple[Cell, ...]] = field(default_factory=dict)
    #: Whose figures these are if they are not ours: names of public registers.
    source: tuple[str, ...] = ()

    def of_kind(self, kind: type[Finding]) -> list[Any]:
        return [one for one in self.items if isinstance(one, kind)]

    @property
    def figures(self) -> list[Figure]:
        return self.of_kind(Figure)

    @property
    def records(self) -> list[Record]:
        return self.of_kind(Record)

    @property
    def days(self) -> list[Day]:
        return self.of_kind(Day)

    @property
    def comparisons(self) -> list[Comparison]:
        return self.of_kind(Comparison)

    def as_json(self) -> dict[str, Any]:
        """Plain data, as a model or another program gets it."""
        return {
            "lookup": self.lookup,
            "title": self.title,
            "link": self.link,
            "figures": [item_json(one) for one in self.figures],
            "records": [item_json(one) for one in self.records],
            "days": [item_json(one) for one in self.days],
            "comparisons": [item_json(one) for one in self.comparisons],
            "table": self.table and self.table.as_json(),
            "remarks": list(self.remarks),
        }


@dataclass
class Findings:
    """The findings of an answer or a conversation, by reference."""

    items: dict[str, Finding] = field(default_factory=dict)
    #: The names that were looked up or are in what was found: a sentence may say these.
    names: set[str] = field(default_factory=set)
    found: list[Found] = field(default_factory=list)

    def __getitem__(self, ref: str) -> Finding:
        return self.items[ref]

    def __contains__(self, ref: object) -> bool:
        return ref in self.items

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.items.values())

    def add_figure(
        self,
        label: str,
        value: Value,
        unit: str,
        *,
        basis: str = "",
        day: date | None = None,
        link: str = "",
    ) -> Figure:
        """``day`` is the one that is read, if it is left out."""
        day = day or clock.today()
        text = print_value(value, unit)
        return self._add(Figure(self._ref("f"), label, value, unit, text, basis, day, link))

    def add_record(
        self, kind: str, pk: Any, name: str, *, text: str = "", link: str = ""
    ) -> Record:
        """One reference for each record, however often it is found."""
        self.names.add(name)
        for one in self.items.values():
            if isinstance(one, Record) and (one.kind, one.pk, one.text) == (kind, str(pk), text):
                return one
        return self._add(Record(self._ref("r"), kind, str(pk), name, text, link))

    def add_day(self, day: date) -> Day:
        for one in self.items.values():
            if isinstance(one, Day) and one.day == day:
                return one
        return self._add(Day(self._ref("d"), day, date_format(day)))

    def add_comparison(self, now: Figure, before: Figure, *, link: str = "") -> Comparison | None:
        """None if one of the two is not known."""
        if now.value is None or before.value is None:
            return None
        difference = Decimal(now.value) - Decimal(before.value)
        value: Value = int(difference) if isinstance(now.value, int) else str(difference)
        text = change_in_words(difference, now.unit)
        ref = self._ref("c")
        return self._add(
            Comparison(ref, text, value, now.unit, now.ref, before.ref, link or now.link)
        )

    def add_found(self, found: Found) -> Found:
        self.found.append(found)
        return found

    def as_json(self) -> dict[str, Any]:
        return {ref: item_json(one) for ref, one in self.items.items()}

    def _ref(self, letter: str) -> str:
        return f"{letter}{1 + sum(ref.startswith(letter) for ref in self.items)}"

    def _add(self, one: Any) -> Any:
        self.items[one.ref] = one
        return one


#: What stands for a finding in a sentence.
PLACEHOLDER = re.compile(r"\{([frdc][1-9][0-9]*)\}")


def parts_of(sentence: str, findings: Findings) -> list[str | Finding]:
    """The sentence as texts and findings, in order. A reference that is not among the findings
    raises KeyError."""
    parts: list[str | Finding] = []
    end = 0
    for match in PLACEHOLDER.finditer(sentence):
        if match.start() > end:
            parts.append(sentence[end : match.start()])
        parts.append(findings[match[1]])
        end = match.end()
    if end < len(sentence):
        parts.append(sentence[end:])
    return parts


def text_of(part: str | Finding) -> str:
    """What is printed for a part of a sentence, or for a cell."""
    if isinstance(part, str):
        return part
    return part.name if isinstance(part, Record) else part.text


def item_json(one: Finding) -> dict[str, Any]:
    values = asdict(one)
    if isinstance(one, Figure | Day):
        values["day"] = str(one.day)
    return {"type": type(one).__name__.lower(), **values}


def cell_json(cell: Cell) -> dict[str, str]:
    if isinstance(cell, str):
        return {"text": cell}
    return {"text": text_of(cell), "ref": cell.ref}


def print_value(value: Value, unit: str) -> str:
    """The value with its unit: “1,204 MW”, “3 pipelines”, “not known”."""
    if value is None:
        return UNKNOWN
    if unit in COUNTED and isinstance(value, int):
        return count(value, *COUNTED[unit])
    amount = Decimal(value)
    unit = unit.replace(", mixed", "")
    if unit.startswith("MW") and abs(amount) >= GIGA_FROM:
        amount, unit = amount / 1000, unit.replace("MW", "GW", 1)
    places = 0 if abs(amount) >= WHOLE_FROM and not unit.startswith("GW") else 1
    return f"{number(amount, places)} {unit}".rstrip()


def change_in_words(difference: Decimal, unit: str) -> str:
    if not difference:
        return "did not change"
    amount = abs(difference)
    value: Value = int(amount) if unit in COUNTED and amount == int(amount) else str(amount)
    return f"{'rose' if difference > 0 else 'fell'} by {print_value(value, unit)}"


def page_address(address: str, day: date | None = None) -> str:
    """The address with the past day that is read, or with ``day``."""
    return asof.keep_day(address, day or clock.past_day())
