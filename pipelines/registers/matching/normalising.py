"""Names of sites made comparable: distinguishing words, numbers and qualifiers apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rapidfuzz.distance import OSA

from oegen.core.folding import fold

#: Words that say what stands somewhere, or that something does, but not where: in the folded form
#: of ``_spell``, and in the languages of the countries that publish registers.
FILLERS = frozenset(Path(__file__).with_name("fillers.txt").read_text("utf-8").split())

#: What tells one part of a place from another, by the one word that stands for its spellings.
QUALIFIERS = {
    **dict.fromkeys(("north", "northern", "nord", "norte", "noord"), "north"),
    **dict.fromkeys(("south", "southern", "sud", "sur", "zuid", "sul"), "south"),
    **dict.fromkeys(("east", "eastern", "ost", "este", "est", "oost"), "east"),
    **dict.fromkeys(("west", "western", "oeste", "ouest"), "west"),
}

#: What makes a project another than the one it adds to or takes the place of.
PHASES = {
    **dict.fromkeys(
        ("extension", "ext", "extended", "expansion", "erweiterung", "ampliacion", "uitbreiding"),
        "extension",
    ),
    **dict.fromkeys(("repowering", "repower", "repowered", "repotenciacion"), "repowering"),
}

#: Words after which a single letter is a number.
_PART_WORDS = frozenset(
    (
        *("phase", "stage", "part", "unit", "block", "site", "plot", "area", "section", "lot"),
        *("teil", "bauabschnitt", "ba", "fase", "lote"),
    )
)

_ROMAN = (
    *("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"),
    *("xi", "xii", "xiii", "xiv", "xv", "xvi", "xvii", "xviii", "xix", "xx"),
)
_NUMBER_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMERALS = {
    word: str(number)
    for words in (_ROMAN, _NUMBER_WORDS)
    for number, word in enumerate(words, start=1)
}

#: Numerals that are letters of names, too: numbers only at the end or after a word for a part.
_AMBIGUOUS = frozenset(("i", "v", "x"))

_WORD = re.compile(r"[^\W_]+")
_DIGITS = re.compile(r"\d+")
_MEASURE = re.compile(r"\b\d+(?:[.,]\d+)?\s*-?(?:mw|mwp|mwe|mwh|kw|kwp|kwh|gw|gwh|kv|ha|acres?)\b")
_UMLAUT = re.compile(r"([aou])e")


@dataclass(frozen=True, slots=True)
class Name:
    """A site's name in parts.

    ``words`` distinguish it. ``numbers`` are digits, numerals and letters of parts, without
    capacities such as “49.9 MW”; ``figures`` are all digits and numerals. ``phases`` are what makes
    it an extension or a repowering, ``qualifiers`` the directions in it.
    """

    text: str
    words: tuple[str, ...]
    numbers: frozenset[str]
    figures: frozenset[str]
    phases: frozenset[str]
    qualifiers: frozenset[str]

    @property
    def key(self) -> tuple[str, ...]:
        """Equal for names that differ by filler words and the order of words only."""
        return (*sorted(self.words), *sorted(self.numbers), *sorted(self.phases))


@lru_cache(maxsize=50_000)
def _phase_of(word: str) -> str:
    """What the word stands for if it is one for a phase, up to a typing error in a long one."""
    if word in PHASES or len(word) < 7:
        return PHASES.get(word, "")
    return next(
        (
            phase
            for known, phase in PHASES.items()
            if len(known) >= 8 and OSA.distance(word, known, score_cutoff=1) <= 1
        ),
        "",
    )


def _spell(folded: str) -> str:
    """One spelling of umlauts: “Süd” and “Sued” are both “sud”."""
    return _UMLAUT.sub(r"\1", folded)


@lru_cache(maxsize=50_000)
def parse_name(text: str) -> Name:
    folded = fold(text).replace("'", "")
    measured = _MEASURE.sub(" ", folded)
    words: list[str] = []
    fillers: list[str] = []
    numbers: set[str] = set()
    phases: set[str] = set()
    qualifiers: set[str] = set()
    found = _WORD.findall(measured)
    for place, raw in enumerate(found):
        word = _spell(raw)
        is_last = place == len(found) - 1
        after_part = place > 0 and found[place - 1] in _PART_WORDS
        if raw.isdecimal():
            numbers.add(raw.lstrip("0") or "0")
        elif raw in _NUMERALS and (raw not in _AMBIGUOUS or is_last or after_part):
            numbers.add(_NUMERALS[raw])
        elif len(raw) == 1 and raw <= "h" and place > 0 and (is_last or after_part):
            numbers.add(raw)
        elif phase := _phase_of(word):
            phases.add(phase)
        elif word in FILLERS or word in _PART_WORDS:
            fillers.append(word)
        else:
            numbers.update(digits.lstrip("0") or "0" for digits in _DIGITS.findall(raw))
            if word in QUALIFIERS:
                word = QUALIFIERS[word]
                qualifiers.add(word)
            words.append(word)
    figures = {digits.lstrip("0") or "0" for digits in _DIGITS.findall(folded)}
    return Name(
        text=text,
        words=tuple(words) or tuple(fillers),
        numbers=frozenset(numbers),
        figures=frozenset(figures | numbers),
        phases=frozenset(phases),
        qualifiers=frozenset(qualifiers),
    )
