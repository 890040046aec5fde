"""The phrases that questions are read by: those of ``lexicon`` and those of the data, each with its
senses. Built once until a business record changes; names of records are not in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from rapidfuzz.distance import OSA

from counterparties.filters import contact_role_choices
from dashboard.ask.grammar.lexicon import LEXICON, Kind, lexicon
from dashboard.ask.grammar.tokens import tokenise
from oegen import asof
from oegen.core.caching import keep
from pipelines.filters import (
    facility_country_choices,
    is_technology_family,
    role_choices,
    statuses,
    technology_choices,
)
from pipelines.milestone_list import kind_choices
from pipelines.models import Facility, Stage, Technology
from pipelines.reference import CONSTRUCTION, RTB
from pipelines.registers.licences import registers_shown

#: The senses of a phrase: by kind, what it stands for.
Senses = dict[Kind, str]
Phrases = dict[tuple[str, ...], Senses]

#: The fewest letters of a word of a region that names it alone.
FEWEST_LETTERS = 5

#: The typing errors that are forgiven in words of at least this length.
ERRORS = {8: 2, 5: 1}

#: The kinds whose words are corrected: a wrong reading of these would be shown.
_CORRECTED = (
    *(Kind.UNIT, Kind.NOUN, Kind.FILTER, Kind.DIMENSION, Kind.EVENT, Kind.FIGURE, Kind.MILESTONE),
    *(Kind.ROLE, Kind.PAGE, Kind.TOPIC, Kind.ORDER, Kind.ASPECT, Kind.BOUND, Kind.BY),
    *(Kind.PREPOSITION, Kind.NOT),
)


def phrase_of(text: str) -> tuple[str, ...]:
    return tuple(token.text for token in tokenise(text))


@dataclass
class Vocabulary:
    phrases: Phrases = field(default_factory=dict)
    #: The number of words of the longest phrase that begins with a word.
    longest: dict[str, int] = field(default_factory=dict)
    #: The words of phrases of one word that may be corrected.
    words: frozenset[str] = frozenset()
    #: All words of phrases.
    known: frozenset[str] = frozenset()
    #: The phrases by which a question is one about public registers.
    marks: Phrases = field(default_factory=dict)

    def add(self, text: str, kind: Kind, value: str) -> None:
        phrase = phrase_of(text)
        if phrase:
            self.phrases.setdefault(phrase, {}).setdefault(kind, value)

    def finish(self) -> None:
        longest: dict[str, int] = defaultdict(int)
        for phrase in self.phrases:
            longest[phrase[0]] = max(longest[phrase[0]], len(phrase))
        self.longest = dict(longest)
        self.known = frozenset(word for phrase in self.phrases for word in phrase)
        self.words = frozenset(
            word
            for phrase, senses in self.phrases.items()
            if any(kind in senses for kind in _CORRECTED)
            for word in phrase
            if len(word) >= min(ERRORS)
        )

    def at(self, words: list[str]) -> tuple[int, Senses] | None:
        """The longest phrase at the beginning of the words."""
        for length in range(min(self.longest.get(words[0], 0), len(words)), 0, -1):
            if senses := self.phrases.get(tuple(words[:length])):
                return length, senses
        return None

    def correction(self, word: str) -> str:
        """The one word that may have been meant; empty if none or several may."""
        errors = next((most for length, most in ERRORS.items() if len(word) >= length), 0)
        if not errors or not word.isalpha() or word in lexicon().right:
            return ""
        near = [(OSA.distance(word, one, score_cutoff=errors), one) for one in self.words]
        near = sorted(one for one in near if one[0] <= errors and one[1][0] == word[0])
        if not near:
            return ""
        best = [one for distance, one in near if distance == near[0][0]]
        if len(best) == 1:
            return best[0]
        meanings = {tuple(self.phrases.get((one,), {one: ""}).items()) for one in best}
        return best[0] if len(meanings) == 1 else ""


@cache
def static_vocabulary() -> Vocabulary:
    """What does not depend on the data."""
    found = Vocabulary()
    for kind, value, phrase in lexicon().phrases:
        found.add(phrase, kind, value)
    for word in lexicon().fillers:
        found.add(word, Kind.FILLER, "")
    found.finish()
    return found


def vocabulary() -> Vocabulary:
    # The release is part of every key by its Python files alone.
    written = LEXICON.stat().st_mtime_ns
    found: Vocabulary = keep(_build, "ask vocabulary", written, asof.data_version())
    return found


def _build() -> Vocabulary:
    static = static_vocabulary()
    found = Vocabulary({phrase: dict(senses) for phrase, senses in static.phrases.items()})
    found.marks = register_marks()
    # Words of the data come after those of the lexicon, whose senses stay.
    for kind, value, text in _of_data():
        found.add(text, kind, value)
    found.finish()
    return found


def register_marks() -> Phrases:
    """The phrases that say that a question is about public registers, with the names of those."""
    ours = static_vocabulary().phrases
    found: Phrases = {}
    for kind, value, text in lexicon().registers:
        if kind is Kind.REGISTER:
            found[phrase_of(text)] = {kind: value}
    for register in registers_shown():
        for text in (register.name, register.code.replace("-", " ")):
            phrase = phrase_of(text)
            if phrase and phrase not in ours:
                found.setdefault(phrase, {Kind.REGISTER: register.code})
    return found


def _of_data() -> Iterator[tuple[Kind, str, str]]:
    words = lexicon()
    stages = list(Stage.objects.all())
    for code, name in statuses(stages):
        for text in (name, f"in {name}", f"{name} stage", f"the {name} stage"):
            yield Kind.FILTER, f"status={code}", text
    for code, text in technology_words():
        yield Kind.FILTER, f"technology={code}", text
    known = dict(facility_country_choices())
    for code, name in known.items():
        yield Kind.FILTER, f"country={code}", name
        for text in words.names_of("country", code):
            yield Kind.FILTER, f"country={code}", text
    yield from _regions(set(known.values()))
    for kind, choices in ((Kind.MILESTONE, kind_choices()), (Kind.ROLE, role_choices())):
        for code, name in choices:
            if code == RTB:
                # Its day is a filter of pipelines.
                continue
            for text in (name, f"{name}s", *words.names_of(kind, code)):
                yield kind, code, text
    for code, name in contact_role_choices():
        yield Kind.ROLE, f"contact:{code}", name


def technology_words() -> Iterator[tuple[str, str]]:
    """Codes of technologies and families, with what these are called."""
    aliases = {one.code: one.alias_list for one in Technology.objects.all()}
    choices = technology_choices()
    families = {one.code.removesuffix("-all") for one in choices if is_technology_family(one.code)}
    for one in choices:
        if one.code in families:
            # The whole family is meant, not what of it is of no kind.
            continue
        name, _, _ = one.label.partition(",")
        own = one.code.removesuffix("-all") if is_technology_family(one.code) else one.code
        others = lexicon().names_of("technology", one.code)
        for text in (name, *aliases.get(own, []), *others):
            yield one.code, text


def _regions(countries: set[str]) -> Iterator[tuple[Kind, str, str]]:
    # Regions of facilities may or may not name these.
    for name, texts in lexicon().names["region"].items():
        for text in texts:
            yield Kind.FILTER, f"region={name}", text
    names = Facility.objects.exclude(region="").order_by("region").values_list("region", flat=True)
    found = list(names.distinct())
    for name in found:
        yield Kind.FILTER, f"region={name}", name
    for name in found:
        for part in name.replace("-", " ").split():
            if len(part) >= FEWEST_LETTERS and part not in countries and part[:1].isupper():
                yield Kind.FILTER, f"region={part}", part


def stages_before_construction() -> list[str]:
    """The codes of the stages before Construction."""
    stages = list(Stage.objects.filter(is_terminal=False))
    order = next((one.order for one in stages if one.code == CONSTRUCTION), 0)
    return [one.code for one in stages if one.order < order]


def stages_from_construction() -> list[str]:
    """The codes of Construction and the stages after it, without the end."""
    stages = list(Stage.objects.filter(is_terminal=False))
    order = next((one.order for one in stages if one.code == CONSTRUCTION), 0)
    return [one.code for one in stages if one.order >= order]
