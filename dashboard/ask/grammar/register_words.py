"""The words of questions about public registers: which questions these are, the phrases that they
are read by, and the names of companies in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from django.db.models import Q

from dashboard.ask.grammar.lexicon import BETWEEN_CODES, LEXICON, Kind, lexicon
from dashboard.ask.grammar.vocabulary import (
    Phrases,
    Vocabulary,
    register_marks,
    static_vocabulary,
    technology_words,
)
from oegen import asof
from oegen.core.text import likeness_key
from pipelines.filters import technology_choices
from pipelines.registers import filters
from pipelines.registers.models import RegisterCompany, RegisterProject
from pipelines.registers.version import keep_with_editions

#: The kinds of words that mean the same of registers as of our own records.
_SHARED = frozenset(
    {
        *(Kind.FILLER, Kind.ASK, Kind.UNIT, Kind.BY, Kind.BOUND, Kind.ORDER, Kind.PREPOSITION),
        *(Kind.NOT, Kind.JOINT, Kind.ACTION, Kind.JUDGEMENT),
    }
)

#: What registers of Great Britain call the regions of England.
_ENGLISH = (
    *("East Midlands", "Eastern", "East of England", "London", "North East", "North West"),
    *("South East", "South West", "West Midlands", "Yorkshire and Humber"),
)

#: The most companies whose names begin with a word, and the fewest letters of a name or place.
_MOST, _FEWEST = 200, 3


def is_about_registers(words: list[str], marks: Phrases) -> bool:
    """Whether the question says so, by one of the marks. Those about information points, which may
    be about competitors or a market, are not."""
    ours, is_about = static_vocabulary(), False
    longest = max(map(len, marks))
    for place in range(len(words)):
        own = ours.at(words[place:])
        if own and own[1].get(Kind.NOUN) == "informationpoint":
            return False
        is_about = is_about or any(
            tuple(words[place : place + length]) in marks for length in range(1, longest + 1)
        )
    return is_about


def register_vocabulary() -> Vocabulary:
    written = LEXICON.stat().st_mtime_ns
    found: Vocabulary = keep_with_editions(
        _build, "ask vocabulary of registers", written, asof.data_version()
    )
    return found


def _build() -> Vocabulary:
    found = Vocabulary(register_marks())
    for kind, value, text in (*lexicon().registers, *_of_data()):
        found.add(text, kind, value)
    for phrase, senses in static_vocabulary().phrases.items():
        shared = {kind: value for kind, value in senses.items() if kind in _SHARED}
        if shared:
            found.phrases[phrase] = {**shared, **found.phrases.get(phrase, {})}
        elif len(phrase) == 1:
            # A word of ours that means nothing here is no typing error either.
            found.phrases.setdefault(phrase, {Kind.UNKNOWN: ""})
    found.finish()
    return found


def _of_data() -> Iterator[tuple[Kind, str, str]]:
    parts = {one.code: one.parts for one in technology_choices()}
    used = {code for code, _ in filters.technology_choices()}
    for code, text in technology_words():
        codes = [one for one in parts.get(code) or (code,) if one in used] or [code]
        yield Kind.FILTER, f"technology={BETWEEN_CODES.join(codes)}", text
    words = lexicon()
    regions = [code for code, _ in filters.region_choices()]
    for region in regions:
        for text in (region, *words.names_of("region", region)):
            yield Kind.FILTER, f"region={region}", text
    if english := [one for one in regions if one in _ENGLISH]:
        for text in words.names_of("region", "England"):
            yield Kind.FILTER, f"region={BETWEEN_CODES.join(english)}", text
    for code, name in filters.country_choices():
        for text in (name, *words.names_of("country", code)):
            yield Kind.FILTER, f"country={code}", text


# Names -------------------------------------------------------------------------------------------


def company_at(words: Sequence[str]) -> tuple[int, str] | None:
    """The name of companies at the beginning of the words: how many words it has, and as the first
    of the companies writes it. Private individuals are no companies."""
    first = words[0]
    if len(first) < _FEWEST or not first.isalpha():
        return None
    begins = Q(name_key=first) | Q(name_key__startswith=f"{first} ")
    names = RegisterCompany.objects.filter(begins).order_by("name").values_list("name", flat=True)
    lengths = {name: _common(likeness_key(name).split(), words) for name in names[:_MOST]}
    longest = max(lengths.values(), default=0)
    if not longest:
        return None
    pattern = _pattern(tuple(words[:longest]))
    for name, length in lengths.items():
        if length == longest and (match := pattern.search(name)):
            return longest, match[0]
    # Written with signs or letters that the question does not have.
    return longest, next(name for name, length in lengths.items() if length == longest)


def _common(own: Sequence[str], words: Sequence[str]) -> int:
    pairs = zip(own, words, strict=False)
    return next(
        (at for at, (one, other) in enumerate(pairs) if one != other), min(len(own), len(words))
    )


@cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    between = r"\W*".join(map(re.escape, words))
    return re.compile(rf"\b{between}\b", re.IGNORECASE)


def is_place(text: str) -> bool:
    """Whether some project is at a place of this name."""
    if len(text) <= _FEWEST:
        return False
    places = RegisterProject.objects.present().order_by()
    return places.filter(Q(place__icontains=text) | Q(region__icontains=text)).exists()
