"""What an answer is made of, one after the other, as ``dashboard.ask.asking.ask`` yields it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from dashboard.ask.findings import PLACEHOLDER, Finding, Findings, Found

#: What answered, if it was no model.
GRAMMAR = "grammar"


@dataclass(frozen=True)
class Status:
    """What is being done, to be replaced by what comes next."""

    text: str


@dataclass(frozen=True)
class Sentence:
    """A checked sentence with placeholders, ``{f1}``, and the findings that these name. Everything
    but the placeholders is plain text, which has to be escaped."""

    text: str
    findings: dict[str, Finding] = field(default_factory=dict)


@dataclass(frozen=True)
class Note:
    """A remark of ours about the answer, without placeholders."""

    text: str


@dataclass(frozen=True)
class Shown:
    """What a lookup found, whose table or chart belongs to the answer."""

    found: Found


@dataclass(frozen=True)
class ReadingShown:
    """How the question was read. ``reading`` is what ``manage.py ask --json`` prints; ``unread``
    are the words that were not understood, ``choices`` the records that may have been meant."""

    reading: dict[str, Any]
    chips: tuple[Any, ...] = ()
    unread: tuple[str, ...] = ()
    choices: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Refused:
    """There is no answer, or none any more; the text says why and what would be right."""

    text: str


@dataclass(frozen=True)
class Done:
    """The end. ``asked`` is the key of the recorded question, ``conversation`` what a follow-up
    passes on, ``answered_by`` GRAMMAR or the name of the model; empty if nothing answered."""

    asked: UUID
    conversation: UUID
    answered_by: str


Event = Status | Sentence | Note | Shown | ReadingShown | Refused | Done


def sentence(text: str, findings: Findings) -> Sentence:
    """The sentence with the findings that it names."""
    return Sentence(text, {ref: findings[ref] for ref in PLACEHOLDER.findall(text)})


def named_tables(texts: Iterable[str], findings: Findings) -> Iterator[Shown]:
    """The tables of the lookups of which the texts name something, and the source of what is not
    ours."""
    named = {ref for text in texts for ref in PLACEHOLDER.findall(text)}
    for found in findings.found:
        if (found.table or found.source) and named & {one.ref for one in found.items}:
            yield Shown(found)
