"""The parts of a sentence in which words belong to the same references."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from dashboard.ask.provider.words import BINDING, is_plain

_TOKEN = re.compile(
    r"\{(?P<ref>[frdc][0-9]+)\}"
    r"|(?P<end>[,;:()—–]|(?<!\w)(?:and|while|whereas|with|or)(?!\w))"
    r"|(?P<word>[^\W\d_]+(?:['’][^\W\d_]+)*)"
    r"|\x02(?P<phrase>\d+)\x03",
    re.IGNORECASE,
)


@dataclass
class Clause:
    """``words`` in order, ``refs`` the references, ``phrases`` whole labels."""

    words: list[str] = field(default_factory=list)
    refs: list[str] = field(default_factory=list)
    phrases: list[str] = field(default_factory=list)

    @property
    def says_something(self) -> bool:
        return bool(self.phrases) or any(not is_plain(word) for word in self.words)

    @property
    def is_whole(self) -> bool:
        """A figure with a verb, or with what it is of, needs no words of its neighbours."""
        counts = any(ref[0] in "fc" for ref in self.refs)
        binds = any(word.casefold() in BINDING for word in self.words)
        return bool(self.refs) and (self.says_something or (counts and binds))

    def joined(self, other: Clause) -> Clause:
        return Clause(
            self.words + other.words, self.refs + other.refs, self.phrases + other.phrases
        )


def clauses(text: str, phrases: Iterable[str]) -> list[Clause]:
    """A clause without a reference, or without a word that says something, belongs to the next one,
    or else to the one before."""
    known = sorted(phrases, key=len, reverse=True)
    for number, phrase in enumerate(known):
        text = re.sub(
            rf"(?<!\w){re.escape(phrase)}(?!\w)", f"\x02{number}\x03", text, flags=re.IGNORECASE
        )
    parts = [Clause()]
    for match in _TOKEN.finditer(text):
        if match["end"]:
            parts.append(Clause())
        elif match["ref"]:
            parts[-1].refs.append(match["ref"])
        elif match["phrase"]:
            parts[-1].phrases.append(known[int(match["phrase"])])
        else:
            parts[-1].words.append(match["word"])
    found: list[Clause] = []
    waiting = Clause()
    for part in parts:
        waiting = waiting.joined(part)
        if waiting.is_whole:
            found.append(waiting)
            waiting = Clause()
    if found and (waiting.refs or waiting.words or waiting.phrases):
        found[-1] = found[-1].joined(waiting)
    return found or [waiting]
