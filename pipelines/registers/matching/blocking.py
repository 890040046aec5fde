"""An index over a register: the few entries that a site may be, without looking at all of them.

An entry is a candidate if it stands near by, or shares one of the rarest words of the name, up to a
typing error or a space, or its operator.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from rapidfuzz.distance import OSA

from pipelines.registers.matching.doubles import DoubleRates
from pipelines.registers.matching.normalising import FILLERS, Name
from pipelines.registers.matching.subjects import Point, Subject

#: Height and width in degrees of a cell: about 6 km each in the middle of Europe. Cells around a
#: point are looked at, too.
CELL = (0.055, 0.09)

#: An entry beyond this distance is no neighbour, whatever cell it is in.
NEAR_KM = 8.0

#: Entries with one word are looked at for the rarest words of a name, up to so many each.
RAREST_WORDS, MAX_POSTINGS = 3, 400

#: A company with more entries than this says too little about which of them is meant.
MAX_OF_COMPANY = 100

#: Words shorter than this are compared as they are.
MIN_LENGTH_FOR_ERRORS = 4

#: What a word with a typing error, or with a space too many or missing, counts of one without.
ERROR_QUALITY, SPACE_QUALITY = 0.85, 0.95

_EARTH_RADIUS_KM = 6371.0

Alike = Mapping[str, Mapping[str, float]]


def distance_km(one: Point, other: Point) -> float:
    """Along a great circle; good to 0.5 %."""
    latitude, longitude = math.radians(one[0]), math.radians(one[1])
    other_latitude, other_longitude = math.radians(other[0]), math.radians(other[1])
    half = (
        math.sin((other_latitude - latitude) / 2) ** 2
        + math.cos(latitude)
        * math.cos(other_latitude)
        * math.sin((other_longitude - longitude) / 2) ** 2
    )
    return 2 * _EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(half)))


class Index:
    """The entries of one edition, found by their words, places and operators.

    ``parents`` gives a technology's parent by code.
    """

    def __init__(
        self, entries: Iterable[Subject], parents: Mapping[str, str] | None = None
    ) -> None:
        self.entries = list(entries)
        self.parents = dict(parents or {})
        self._frequency: Counter[str] = Counter()
        self._operator_frequency: Counter[str] = Counter()
        self._by_word: dict[str, list[int]] = defaultdict(list)
        self._by_joined: dict[str, list[int]] = defaultdict(list)
        self._by_cell: dict[tuple[int, int], list[int]] = defaultdict(list)
        self._by_operator: dict[str, list[int]] = defaultdict(list)
        self._by_identifier: dict[tuple[str, str], list[int]] = defaultdict(list)
        for number, entry in enumerate(self.entries):
            self._add(number, entry)
        self._shortened: dict[str, list[str]] = defaultdict(list)
        for word in self._frequency:
            for short in _shortened(word):
                self._shortened[short].append(word)
        self._log_size = math.log(len(self.entries) + 1)
        self.doubles = DoubleRates(self.entries, self._nearby)

    def _add(self, number: int, entry: Subject) -> None:
        words = {word for name in entry.names for word in name.words}
        self._frequency.update(words)
        for word in words:
            self._by_word[word].append(number)
        for name in entry.names:
            for joined in joined_words(name.words):
                self._by_joined[joined].append(number)
        if entry.point is not None:
            self._by_cell[_cell(entry.point)].append(number)
        keys = {one.key for one in entry.operators}
        self._operator_frequency.update(keys)
        for key in keys:
            self._by_operator[key].append(number)
        for identifier in _identifiers(entry):
            self._by_identifier[identifier].append(number)

    # How much a word says ---------------------------------------------------------------------

    def rarity(self, word: str) -> float:
        """How much it says that two names share the word: the logarithm of how many times as likely
        that is for one site as for any two."""
        return self._log_size - math.log(self._frequency.get(word, 0) or 1)

    def operator_rarity(self, key: str) -> float:
        return self._log_size - math.log(self._operator_frequency.get(key, 0) or 1)

    def knows(self, word: str) -> bool:
        return word in self._frequency

    def alike(self, name: Name) -> dict[str, dict[str, float]]:
        """For each word of the name the words of the register that it may be, with how well."""
        found: dict[str, dict[str, float]] = {}
        for word in name.words:
            near = {word: 1.0} if self.knows(word) else {}
            for other in self._near_words(word):
                near.setdefault(other, ERROR_QUALITY)
            found[word] = near
        return found

    def _near_words(self, word: str) -> Iterator[str]:
        if len(word) < MIN_LENGTH_FOR_ERRORS or word.isdecimal():
            return
        shorts = _shortened(word)
        others = {other for short in shorts for other in self._shortened.get(short, ())}
        others.update(short for short in shorts if self.knows(short))
        others.update(self._shortened.get(word, ()))
        for other in others:
            if (
                other != word
                and len(other) >= MIN_LENGTH_FOR_ERRORS
                and OSA.distance(word, other, score_cutoff=1) <= 1
            ):
                yield other

    # Candidates -------------------------------------------------------------------------------

    def candidates(self, subject: Subject, alike: Sequence[Alike]) -> set[int]:
        """Numbers of entries. ``alike`` is of each name of the subject."""
        found: set[int] = set()
        for name, words in zip(subject.names, alike, strict=True):
            found |= self._by_name(name, words)
        if subject.point is not None:
            found.update(self._nearby(subject.point))
        for operator in subject.operators:
            postings: Sequence[int] = self._by_operator.get(operator.key, ())
            if len(postings) <= MAX_OF_COMPANY:
                found.update(postings)
        for identifier in _identifiers(subject):
            postings = self._by_identifier.get(identifier, ())
            if len(postings) <= MAX_OF_COMPANY:
                found.update(postings)
        if subject.country:
            entries, country = self.entries, subject.country
            found = {one for one in found if entries[one].country in ("", country)}
        return found

    def _by_name(self, name: Name, words: Alike) -> set[int]:
        found: set[int] = set()
        ranked = sorted({*name.words}, key=lambda word: (-self.rarity(word), word))
        known = 0
        for word in ranked:
            for other in words[word]:
                postings = self._by_word[other]
                if len(postings) <= MAX_POSTINGS:
                    found.update(postings)
            known += self.knows(word)
            if known == RAREST_WORDS:
                break
        for word in name.words:
            found.update(self._by_joined.get(word, ()))
        for joined in joined_words(name.words):
            found.update(self._by_word.get(joined, ()))
        return found

    def _nearby(self, point: Point) -> Iterator[int]:
        row, column = _cell(point)
        for r in (row - 1, row, row + 1):
            for c in (column - 1, column, column + 1):
                for number in self._by_cell.get((r, c), ()):
                    place = self.entries[number].point
                    if place is not None and distance_km(point, place) <= NEAR_KM:
                        yield number


def joined_words(words: Sequence[str]) -> list[str]:
    """Neighbouring words written as one: “Betty Hill” is “Bettyhill”."""
    return [one + other for one, other in pairwise(words) if len(one) + len(other) >= 6]


def is_misspelt_filler(word: str) -> bool:
    """Whether the word, which no name of the register has, is a filler with a typing error."""
    return len(word) >= 5 and any(
        abs(len(word) - len(filler)) <= 1 and OSA.distance(word, filler, score_cutoff=1) <= 1
        for filler in FILLERS
        if len(filler) >= 5
    )


def _identifiers(subject: Subject) -> Iterator[tuple[str, str]]:
    for kind, numbers in subject.identifiers.items():
        for number in numbers:
            yield kind, number


def _shortened(word: str) -> set[str]:
    """The word without one of its letters, each. Two words that differ by one letter, or by two
    neighbours in the wrong order, have one in common or are one of the other's."""
    if len(word) < MIN_LENGTH_FOR_ERRORS or word.isdecimal():
        return set()
    return {word[:place] + word[place + 1 :] for place in range(len(word))}


def _cell(point: Point) -> tuple[int, int]:
    return math.floor(point[0] / CELL[0]), math.floor(point[1] / CELL[1])
