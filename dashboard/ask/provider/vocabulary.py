"""What may be said of each finding: the words of the labels, titles, headings and rows under which
it was looked up, and the records that it is of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from django.http import QueryDict

from dashboard.ask.findings import Comparison, Day, Figure, Findings, Found, Record
from dashboard.ask.provider.words import is_plain, stem, words_of
from oegen import asof
from oegen.core.caching import keep
from oegen.pages.selection import SelectionFilter
from pipelines.filters import PipelineFilter

#: Columns and facts of free text: what people wrote is no label.
FREE_TEXT = frozenset({"Why", "Who", "What", "Change", "When", "Last changes"})
FREE_FACTS = frozenset(
    {"rag_comment", "next_step", "strategy", "text", "on_hold_reason", "on_hold", "history"}
)

#: What a label is at most; a longer text of a row is none.
MOST_LABEL = 60

#: Lookups whose title is no measure.
_MEASURELESS = frozenset({"records", "record", "registers"})

#: Filters that go without saying.
USUAL = {("status", "open")}


@dataclass
class Vocabulary:
    """Of one finding. ``words`` are stems; ``phrases`` are whole labels, also those that deny.
    ``records`` are references of those that it is of; ``members`` of those that are among what it
    counts. ``is_row``: it is of one row or record, which ``label`` names. ``days`` are those at
    which it holds. ``measure`` are the stems of which a sentence has to say one. ``source`` is
    whose it is, if it is not ours."""

    words: set[str] = field(default_factory=set)
    phrases: set[str] = field(default_factory=set)
    records: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    days: set[date] = field(default_factory=set)
    is_row: bool = False
    label: str = ""
    title: str = ""
    measure: set[str] = field(default_factory=set)
    filters: dict[str, set[str]] = field(default_factory=dict)
    source: tuple[str, ...] = ()

    def add(self, *texts: str) -> None:
        for text in texts:
            for segment in re.split(r"[:;,(]", text):
                words = words_of(segment)
                if len(words) > 1:
                    self.phrases.add(" ".join(segment.split()).strip(" .)").casefold())
                if not {"not", "no", "without"} & {word.casefold() for word in words}:
                    self.words |= {stem(word) for word in words}
                if stem("mean") in self.words:
                    self.words.add(stem("average"))

    def join(self, other: Vocabulary) -> None:
        """What may be said of a comparison is what may be said of its figures."""
        self.words |= other.words
        self.phrases |= other.phrases
        self.records |= other.records
        self.members |= other.members
        self.days |= other.days
        self.is_row = self.is_row or other.is_row
        self.label = self.label or other.label
        self.title = self.title or other.title
        self.measure = self.measure or other.measure
        self.filters = self.filters or other.filters
        self.source = self.source or other.source


def vocabularies(findings: Findings) -> dict[str, Vocabulary]:
    """By reference."""
    found_of = {ref: Vocabulary() for ref in findings.items}
    for found in findings.found:
        _add_found(found, found_of)
    for one in findings:
        own = found_of[one.ref]
        if isinstance(one, Figure):
            own.label = one.label
            own.add(one.label, one.basis)
            own.days.add(one.day)
        elif isinstance(one, Record):
            own.records.add(one.ref)
            own.add(one.name, one.text, one.kind)
        elif isinstance(one, Day):
            own.days.add(one.day)
        elif isinstance(one, Comparison):
            own.join(found_of[one.now])
            own.join(found_of[one.before])
    return found_of


def _add_found(found: Found, found_of: Mapping[str, Vocabulary]) -> None:
    filters = _filters(found)
    of_record = [one.ref for one in found.main if found.lookup == "record"]
    days = {one.day for one in found.days} if not found.table else set()
    in_rows = _add_rows(found, found_of)
    members = {one.ref for one in found.records}
    for one in found.items:
        own = found_of[one.ref]
        if isinstance(one, Comparison):
            continue
        if not isinstance(one, Day):
            own.add(found.title)
            own.source = found.source
            if found.source:
                own.title = found.title
        if isinstance(one, Figure):
            own.title = found.title
            if found.lookup not in _MEASURELESS:
                own.measure = _measure(found.title)
            # What a row of a list has of its record is the same in every list.
            if not (one.ref in in_rows and found.lookup in ("records", "record")):
                own.filters = filters
            own.days |= days
            own.records |= {*of_record}
            own.is_row = own.is_row or one.ref in in_rows or bool(of_record)
            if one.ref not in in_rows:
                own.members |= members - own.records
    if found.lookup == "find":
        for one in found.records:
            found_of[one.ref].words -= {stem(word) for word in ("records", "called")}
    _add_facts(found, of_record, found_of)


def _add_rows(found: Found, found_of: Mapping[str, Vocabulary]) -> set[str]:
    """Each cell gets the labels of its row and the heading of its column. Gives the references of
    the figures in rows."""
    in_rows: set[str] = set()
    if found.table is None:
        return in_rows
    columns = found.table.columns
    for row in found.table.rows:
        records = {cell.ref for cell in row if isinstance(cell, Record)}
        labels = [
            cell
            for heading, cell in zip(columns, row, strict=False)
            if isinstance(cell, str) and len(cell) <= MOST_LABEL and heading not in FREE_TEXT
        ]
        days = {cell.day for cell in row if isinstance(cell, Day)}
        for heading, cell in zip(columns, row, strict=False):
            if isinstance(cell, str):
                continue
            own = found_of[cell.ref]
            own.records |= records
            if isinstance(cell, Record):
                own.add(*labels, *columns)
                own.days |= days
            else:
                own.add(heading)
            if isinstance(cell, Figure):
                own.add(*labels)
                in_rows.add(cell.ref)
    return in_rows


def _add_facts(found: Found, of_record: list[str], found_of: Mapping[str, Vocabulary]) -> None:
    for name, cells in found.facts.items():
        if name in FREE_FACTS:
            continue
        heading = name.replace("_", " ")
        for cell in cells:
            for ref in of_record:
                found_of[ref].add(heading)
                if isinstance(cell, str):
                    found_of[ref].add(cell)
                elif isinstance(cell, Day):
                    found_of[ref].days.add(cell.day)
            if not isinstance(cell, str):
                found_of[cell.ref].add(heading)
                if isinstance(cell, Record | Day):
                    found_of[cell.ref].records |= {*of_record}


def _measure(title: str) -> set[str]:
    """What a figure measures, without the plain words."""
    words = words_of(re.split(r"[,]| by ", title)[0])
    return {stem(word) for word in words if not is_plain(word)}


def _filters(found: Found) -> dict[str, set[str]]:
    query = QueryDict(str(found.arguments.get("filters") or ""))
    return {
        name: {*values}
        for name, values in query.lists()
        if not all((name, value) in USUAL for value in values)
    }


@dataclass(frozen=True)
class Choices:
    """The labels of the choices of filters, by parameter and code."""

    labels: dict[str, dict[str, str]]
    names: dict[str, str]

    def mentioned(self, text: str) -> dict[str, set[str]]:
        """The codes by parameter whose labels the text has."""
        stems = f" {' '.join(stem(word) for word in words_of(text))} "
        found: dict[str, set[str]] = {}
        for name, labels in self.labels.items():
            for code, label in labels.items():
                words = " ".join(stem(word) for word in words_of(label))
                if words and f" {words} " in stems:
                    found.setdefault(name, set()).add(code)
        return found

    def label(self, name: str, code: str) -> str:
        return self.labels.get(name, {}).get(code, "")


def choices() -> Choices:
    return keep(_choices, "ask words of filters", asof.data_version())


#: The filters whose choices name what a figure is of.
SUBJECTS = ("technology", "country", "region", "status", "rag")


def _choices() -> Choices:
    filterset = PipelineFilter()
    labels = {
        name: {
            one.code: str(one.label).partition(",")[0]
            for one in filterset.form.fields[name].choices
        }
        for name in SUBJECTS
        if isinstance(filterset.filters.get(name), SelectionFilter)
    }
    names = {name: str(filterset.filters[name].label) for name in labels}
    return Choices(labels, names)
