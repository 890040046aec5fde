"""The words of questions that are no names: what each stands for, as ``lexicon.toml`` has it.

What comes from the data, as stages, technologies, countries and milestones, is in ``vocabulary``;
``names`` in the file are what these are called besides.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path


class Kind(StrEnum):
    """What a tag is."""

    #: Understood, and changes nothing.
    FILLER = "filler"
    #: A question word that matters: how many, who, when, why, average, share, compare.
    ASK = "ask"
    #: A unit, or a word for capacity.
    UNIT = "unit"
    #: What is listed or counted.
    NOUN = "noun"
    #: A filter, as "parameter=code".
    FILTER = "filter"
    FIGURE = "figure"
    #: What to group by.
    DIMENSION = "dimension"
    #: "by", "per", "split by", before a dimension.
    BY = "by"
    #: A comparison with a number: over, under, between.
    BOUND = "bound"
    #: largest, smallest, first, last.
    ORDER = "order"
    EVENT = "event"
    #: A preposition: since, until, on, in, by, before, after, versus.
    PREPOSITION = "preposition"
    NOT = "not"
    JOINT = "joint"
    #: What is asked of a record.
    ASPECT = "aspect"
    PAGE = "page"
    TOPIC = "topic"
    #: What this tool can't do.
    ACTION = "action"
    #: A judgement without a measure: best, safest.
    JUDGEMENT = "judgement"
    MILESTONE = "milestone"
    ROLE = "role"
    PERSON = "person"
    PERIOD = "period"
    NUMBER = "number"
    #: A number of days, without "ago".
    DURATION = "duration"
    NAME = "name"
    #: Of public registers: which one, all of them, or those in it.
    REGISTER = "register"
    UNKNOWN = "unknown"


#: Between the codes of a filter that a phrase stands for together.
BETWEEN_CODES = ";"

LEXICON = Path(__file__).parent / "lexicon.toml"

#: (kind, value, phrase)
Phrase = tuple[Kind, str, str]


@dataclass(frozen=True)
class Lexicon:
    """``fillers`` are words on which no question turns; ``right`` are words that come close to
    known ones and are no typing errors. ``names``: by kind of reference row and code, what it is
    called besides. ``registers`` are the phrases of questions about public registers."""

    fillers: tuple[str, ...]
    right: frozenset[str]
    phrases: tuple[Phrase, ...]
    names: dict[str, dict[str, tuple[str, ...]]]
    registers: tuple[Phrase, ...]

    def names_of(self, kind: str, code: str) -> tuple[str, ...]:
        return self.names[kind].get(code, ())


@cache
def lexicon() -> Lexicon:
    with LEXICON.open("rb") as file:
        data = tomllib.load(file)
    fillers: str = data.pop("fillers")
    right: str = data.pop("right")
    names: dict[str, dict[str, str]] = data.pop("names")
    registers: dict[str, dict[str, str]] = data.pop("registers")
    return Lexicon(
        tuple(fillers.split()),
        frozenset(right.split()),
        tuple(_phrases(data)),
        {
            kind: {code: tuple(_split(text)) for code, text in values.items()}
            for kind, values in names.items()
        },
        tuple(_phrases(registers)),
    )


def _phrases(data: dict[str, dict[str, str]]) -> Iterator[Phrase]:
    for kind, values in data.items():
        for value, text in values.items():
            for phrase in _split(text):
                yield Kind(kind), value, phrase


def _split(text: str) -> Iterator[str]:
    return filter(None, (phrase.strip() for phrase in text.split("|")))
