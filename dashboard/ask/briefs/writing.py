"""What all briefs are written with: lookups as of the days, and words around what they found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.text import get_text_list

from dashboard.ask import lookups
from dashboard.ask.findings import Cell, Comparison, Day, Figure, Finding, Findings, Found, Record
from dashboard.ask.lookups import Asker, LookupRefusedError
from oegen.core import clock


@dataclass(frozen=True)
class Heading:
    """The title of a section, among the sentences of an answer."""

    text: str


@dataclass(frozen=True)
class Section:
    """``sentences`` have placeholders for all their figures, records and days."""

    title: str
    sentences: tuple[str, ...]


#: What a brief is written of, one after the other: headings and sentences.
Lines = Iterator[Heading | str]


@dataclass(frozen=True)
class Brief:
    """``lines`` are looked up as they are read; ``findings`` are those of their placeholders."""

    lines: Lines
    findings: Findings

    def sections(self) -> Iterator[Section]:
        """The lines by their headings."""
        title, sentences = "", []
        for line in self.lines:
            if not isinstance(line, Heading):
                sentences.append(line)
                continue
            if title:
                yield Section(title, tuple(sentences))
            title, sentences = line.text, []
        yield Section(title, tuple(sentences))


@dataclass
class Writer:
    """Looks up for one brief, and numbers on through it. ``since`` is the day at whose end the time
    begins that it tells of; by default a month before the day that is read."""

    asker: Asker
    since: date | None = None
    findings: Findings = field(default_factory=Findings)

    def __post_init__(self) -> None:
        with self.asker.reading():
            self.today = clock.today()
        if self.since is None or self.since >= self.today:
            self.since = clock.a_month_before(self.today)
        self.start = self.findings.add_day(self.since)

    def look(self, lookup: str, **arguments: Any) -> Found:
        """The lookup, its arguments as in ``dashboard.ask.lookups``."""
        return lookups.run(lookup, arguments, self.asker, self.findings)

    def look_if_there(self, lookup: str, **arguments: Any) -> Found | None:
        """None if there is nothing to look up on that day."""
        try:
            return self.look(lookup, **arguments)
        except LookupRefusedError:
            return None


def ref(one: Finding) -> str:
    """The placeholder of a finding."""
    return f"{{{one.ref}}}"


def written(cell: Cell) -> str:
    """A cell in a sentence: the placeholder of a finding, or a text that is none."""
    return literal(cell) if isinstance(cell, str) else ref(cell)


def literal(text: str) -> str:
    """The text of a record with no placeholder in it, whatever somebody typed."""
    return " ".join(text.replace("{", "(").replace("}", ")").split())


def sentence_of(text: str) -> str:
    """The text of a record as the end of a sentence."""
    text = literal(text)
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def uncapitalized(text: str) -> str:
    """A label within a sentence: “Red” loses its capital, “RTB” does not."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def is_some(one: Figure | Comparison) -> bool:
    """Whether the value is known and not zero."""
    return bool(one.value is not None and Decimal(one.value))


def is_one(figure: Figure) -> bool:
    return figure.value == 1


def verb(figure: Figure, one: str, several: str) -> str:
    """The placeholder of a counted figure with a verb that agrees with it."""
    return f"{ref(figure)} {one if is_one(figure) else several}"


def listed(parts: Sequence[str]) -> str:
    return str(get_text_list(list(parts), "and"))


def first_of(cells: Iterable[Cell], kind: type[Finding]) -> Any:
    """The first finding of that kind among the cells; None if there is none."""
    return next((cell for cell in cells if isinstance(cell, kind)), None)


def record_in(cells: Iterable[Cell]) -> Record | None:
    found: Record | None = first_of(cells, Record)
    return found


def day_in(cells: Iterable[Cell]) -> Day | None:
    found: Day | None = first_of(cells, Day)
    return found


def figure_in(cells: Iterable[Cell]) -> Figure | None:
    found: Figure | None = first_of(cells, Figure)
    return found


def section(title: str, sentences: Iterable[str], otherwise: str) -> Lines:
    """``otherwise`` stands where there is nothing to tell."""
    yield Heading(title)
    is_empty = True
    for sentence in sentences:
        is_empty = False
        yield sentence
    if is_empty:
        yield otherwise
