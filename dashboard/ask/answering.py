"""Answers without a model: what was looked up for a reading, in short sentences.

A sentence names findings in braces, as ``{f1}``; ``findings.parts_of`` fills them in with links.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from dashboard.ask import sentences
from dashboard.ask.findings import Findings, Found, item_json, parts_of, text_of
from dashboard.ask.grammar import ASKS, REFUSED, Reading, read
from dashboard.ask.grammar.reading import RECORD, REGISTERS
from dashboard.ask.lookups import Asker, LookupRefusedError, run

#: The order of lists for which a question names none.
DEFAULT_ORDER = {"pipeline": "-capacity_mw", "informationpoint": "-rating"}


@dataclass(frozen=True)
class Answer:
    """``sentences`` have placeholders. Of a reading that is no lookup, ``found`` is empty and the
    sentences say what stopped it, or between which records it asks."""

    question: str
    reading: Reading
    sentences: tuple[str, ...]
    found: tuple[Found, ...] = ()
    findings: Findings = field(default_factory=Findings)

    @property
    def link(self) -> str:
        return self.found[0].link if self.found else ""

    @property
    def text(self) -> str:
        """The sentences as plain text."""
        return " ".join(
            "".join(text_of(part) for part in parts_of(one, self.findings))
            for one in self.sentences
        )

    def as_json(self) -> dict[str, Any]:
        items = list(dict.fromkeys(item for one in self.found for item in one.items))
        kinds: dict[str, list[dict[str, Any]]] = {
            "figures": [], "records": [], "days": [], "comparisons": [],
        }  # fmt: skip
        for item in items:
            kinds[f"{type(item).__name__.lower()}s"].append(item_json(item))
        return {
            "question": self.question,
            "reading": self.reading.as_json(),
            "unread": list(self.reading.unread),
            "choices": [vars(one) for one in self.reading.choices],
            "corrected": [list(one) for one in self.reading.corrected],
            "answer": self.text,
            **kinds,
            "tables": [one.table.as_json() for one in self.found if one.table],
            "link": self.link,
        }


def answer(question: str, asker: Asker, findings: Findings | None = None) -> Answer:
    """Read the question and answer it; what can't be read or looked up is said in the answer."""
    return answer_reading(question, read(question, asker), asker, findings)


def answer_reading(
    question: str, reading: Reading, asker: Asker, findings: Findings | None = None
) -> Answer:
    findings = Findings() if findings is None else findings
    if reading.lookup == REFUSED:
        return Answer(question, reading, tuple(_refusal(reading)), findings=findings)
    if reading.lookup == ASKS:
        return Answer(question, reading, (_choice(reading),), findings=findings)
    try:
        found = run(reading.lookup, arguments_of(reading), asker, findings)
    except LookupRefusedError as error:
        refused = Reading(REFUSED, unread=(), why=str(error).partition(": ")[2] or str(error))
        return Answer(question, refused, (refused.why,), findings=findings)
    several = [found]
    if extra := _beside(reading):
        several.append(run(*extra, asker, findings))
    said = [*_corrections(reading), *sentences.of(reading, found, findings)]
    return Answer(question, reading, tuple(said), tuple(several), findings)


def arguments_of(reading: Reading) -> dict[str, Any]:
    """The arguments of the reading's lookup."""
    known: dict[str, Callable[[Reading], dict[str, Any]]] = {
        "metric": _metric_arguments,
        "records": lambda one: {
            "kind": one.kind,
            "filters": one.filters,
            "order": one.order or DEFAULT_ORDER.get(one.kind, ""),
            "limit": one.limit or None,
            "as_of": one.as_of,
            "from": one.start,
            "to": one.end,
        },
        "explain": lambda one: {"filters": one.filters, "from": one.start, "to": one.end},
        "attention": lambda one: {"filters": one.filters, "as_of": one.as_of},
        "find": lambda one: {"name": one.name, "as_of": one.as_of},
        RECORD: lambda one: {"kind": one.kind, "id": one.pk, "as_of": one.as_of},
        "screen": lambda one: {"kind": one.kind, "filters": one.filters, "as_of": one.as_of},
        "define": lambda one: {"term": one.term},
        REGISTERS: lambda one: {
            "what": one.kind,
            "filters": one.filters,
            "limit": one.limit or None,
            "as_of": one.as_of,
        },
    }
    return known[reading.lookup](reading)


def _metric_arguments(reading: Reading) -> dict[str, Any]:
    return {
        "name": reading.metric,
        "filters": reading.filters,
        "group_by": reading.group_by,
        "as_of": reading.as_of,
        "compare": reading.compare,
        "part": reading.name,
        "by": reading.end,
        "limit": reading.limit or None,
    }


def _beside(reading: Reading) -> tuple[str, dict[str, Any]] | None:
    """A second lookup whose table belongs to the answer: the lines of what changed."""
    if reading.metric != "changes":
        return None
    arguments = {
        "kind": "changes",
        "filters": reading.filters,
        "from": reading.compare,
        "to": reading.as_of,
    }
    return "records", arguments


def _refusal(reading: Reading) -> Iterator[str]:
    if reading.unread:
        quoted = [f"“{word}”" for word in reading.unread]
        yield f"This can’t be answered because of {_listed(quoted)}."
    if reading.why:
        yield reading.why


def _choice(reading: Reading) -> str:
    names = [one.name for one in reading.choices]
    return f"Which one is meant by “{reading.name}”: {_listed(names, 'or')}?"


def _corrections(reading: Reading) -> Iterator[str]:
    for typed, meant in reading.corrected:
        yield f"“{typed}” is read as {meant}."


def _listed(words: Sequence[str], joint: str = "and") -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {joint} {words[-1]}"
