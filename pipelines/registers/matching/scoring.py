"""How well a site and an entry of a register agree, as a sum of weights of evidence.

Each weight is the natural logarithm of how many times as likely what is seen is for one and the
same site as for two. The knots below were fitted to editions of registers whose answer is known.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rapidfuzz.distance import JaroWinkler

from pipelines.registers.matching.blocking import (
    SPACE_QUALITY,
    Index,
    distance_km,
    is_misspelt_filler,
)
from pipelines.registers.matching.companies import is_similar_company
from pipelines.registers.matching.normalising import Name
from pipelines.registers.matching.subjects import COMPANY_IDENTIFIERS, Subject

Knots = Sequence[tuple[float, float]]

#: Weight by distance in km.
PLACE: Knots = (
    (0.0, 8.5), (0.2, 8.0), (1, 7.2), (2, 6.5), (5, 5.0), (8, 2.5), (15, 0.0), (30, -3.0),
    (60, -6.0), (150, -9.0),
)  # fmt: skip

#: Distances of points that the register calls approximate count as this part of themselves.
APPROXIMATE = 0.15

#: Weight by the logarithm of the ratio of two capacities.
CAPACITY: Knots = (
    (0.0, 1.8), (0.05, 1.5), (0.2, 1.0), (0.36, 0.5), (0.5, -0.5), (0.7, -1.2), (1.4, -2.5),
    (2.3, -4.0),
)  # fmt: skip

#: A solar park has up to so many times as much DC as AC.
MAX_DC_PER_AC = 1.5

SAME_TECHNOLOGY, OTHER_TECHNOLOGY = 1.2, -6.0

#: A second and third shared word say less than the first: names are not made of unrelated words.
SHARED_WORD_WEIGHTS = (1.0, 0.8, 0.6, 0.4, 0.3)
MAX_RARITY = 8.0
MAX_NAME_WEIGHT = 14.0

#: What a word that only one of the names has takes away, at most and by its rarity.
UNSHARED_OURS, UNSHARED_THEIRS = 0.38, 0.25
NO_SHARED_WORD = -2.5

#: Of words that differ by more than an error: from this likeness on they count, as so much.
LIKENESS, LIKENESS_QUALITY = 0.9, 0.6

DIFFERENT_NUMBERS, ONE_NUMBER, SAME_NUMBERS = -7.0, -1.0, 1.0
OTHER_PHASE, OTHER_DIRECTION = -2.0, -5.0
EQUAL_NAMES = 1.0

SIMILAR_OPERATOR, OTHER_OPERATOR = 1.5, -0.4
MAX_OPERATOR_WEIGHT = SAME_COMPANY_NUMBER = 6.0

SAME_IDENTIFIER, OTHER_IDENTIFIER = 25.0, -4.0


@dataclass(frozen=True, slots=True)
class Weights:
    """The evidence about a site and an entry by kind, and what of it forbids to accept them."""

    name: float
    numbers: float
    place: float
    capacity: float
    technology: float
    operator: float
    identifier: float
    #: Numbers, phases or directions in the names differ, or the technologies do.
    is_vetoed: bool
    #: The digits and numerals of both names are the same, and so are words for phases.
    has_same_numbers: bool
    #: How much the words in common say together, and how many words only one of the names has.
    shared: float
    only_ours: int
    only_theirs: int
    has_both_points: bool
    has_both_capacities: bool

    @property
    def total(self) -> float:
        return (
            self.name
            + self.numbers
            + self.place
            + self.capacity
            + self.technology
            + self.operator
            + self.identifier
        )


class _Words(NamedTuple):
    weight: float
    shared: float
    only_ours: int
    only_theirs: int


class Scorer:
    """Compares one site with entries of an index. Raises ValueError if it has no name."""

    def __init__(self, subject: Subject, index: Index) -> None:
        if not subject.names:
            raise ValueError(f"The subject {subject.key!r} has no name.")
        self._subject, self._index = subject, index
        self.alike = [index.alike(name) for name in subject.names]
        self._ignored = [
            {word for word in name.words if not found[word] and is_misspelt_filler(word)}
            for name, found in zip(subject.names, self.alike, strict=True)
        ]

    def candidates(self) -> set[int]:
        return self._index.candidates(self._subject, self.alike)

    def compare(self, entry: Subject) -> Weights:
        subject = self._subject
        pairs = (
            (
                self._compare_words(number, ours, theirs),
                *compare_numbers(ours, theirs),
                ours,
                theirs,
            )
            for number, ours in enumerate(subject.names)
            for theirs in entry.names
        )
        words, numbers, is_vetoed, ours, theirs = max(pairs, key=lambda one: one[0].weight + one[1])
        technology = self._technology(entry)
        return Weights(
            name=words.weight,
            numbers=numbers,
            place=_place(subject, entry),
            capacity=_capacity(subject, entry),
            technology=technology,
            operator=self._operator(entry),
            identifier=_identifier(subject, entry),
            is_vetoed=is_vetoed or technology < 0,
            has_same_numbers=ours.figures == theirs.figures and ours.phases == theirs.phases,
            shared=words.shared,
            only_ours=words.only_ours,
            only_theirs=words.only_theirs,
            has_both_points=subject.point is not None and entry.point is not None,
            has_both_capacities=bool(subject.capacity_mw and entry.capacity_mw),
        )

    def _compare_words(self, number: int, ours: Name, theirs: Name) -> _Words:
        alike, index = self.alike[number], self._index
        left = set(theirs.words)
        shared: list[float] = []
        alone: list[str] = []
        for word in ours.words:
            match, quality = "", 0.0
            for other, value in alike[word].items():
                if value > quality and other in left:
                    match, quality = other, value
            if match:
                left.discard(match)
                shared.append(quality * min(index.rarity(match), MAX_RARITY))
            elif word not in self._ignored[number]:
                alone.append(word)
        if alone and left:
            self._match_rest(ours, theirs, alone, left, shared)
        shared.sort(reverse=True)
        weight = sum(
            part * SHARED_WORD_WEIGHTS[min(place, len(SHARED_WORD_WEIGHTS) - 1)]
            for place, part in enumerate(shared)
        )
        weight -= UNSHARED_OURS * sum(min(index.rarity(word), MAX_RARITY) for word in alone)
        weight -= UNSHARED_THEIRS * sum(min(index.rarity(word), MAX_RARITY) for word in left)
        if not shared:
            weight += NO_SHARED_WORD
        elif not alone and not left:
            weight += EQUAL_NAMES
        return _Words(min(weight, MAX_NAME_WEIGHT), sum(shared), len(alone), len(left))

    def _match_rest(
        self,
        ours: Name,
        theirs: Name,
        alone: list[str],
        left: set[str],
        shared: list[float],
    ) -> None:
        """Match words written as one in one of the names, and words that are much alike."""
        for word in list(alone):
            for first, second in zip(theirs.words, theirs.words[1:], strict=False):
                if first + second == word and {first, second} <= left:
                    left -= {first, second}
                    alone.remove(word)
                    shared.append(SPACE_QUALITY * MAX_RARITY)
                    break
        for first, second in zip(ours.words, ours.words[1:], strict=False):
            if first + second in left and first in alone and second in alone:
                left.discard(first + second)
                alone.remove(first)
                alone.remove(second)
                shared.append(SPACE_QUALITY * MAX_RARITY)
        for word in list(alone):
            if len(word) < 4 or not left:
                continue
            likeness, other = max((JaroWinkler.similarity(word, one), one) for one in left)
            if likeness >= LIKENESS and len(other) >= 4:
                left.discard(other)
                alone.remove(word)
                rarity = min(self._index.rarity(other), MAX_RARITY)
                shared.append(LIKENESS_QUALITY * rarity)

    def _technology(self, entry: Subject) -> float:
        ours, theirs = self._subject.technologies, entry.technologies
        if not ours or not theirs:
            return 0.0
        parents = self._index.parents
        if (
            ours & theirs
            or any(parents.get(one) in theirs for one in ours)
            or any(parents.get(one) in ours for one in theirs)
        ):
            return SAME_TECHNOLOGY
        return OTHER_TECHNOLOGY

    def _operator(self, entry: Subject) -> float:
        numbers, their_numbers = self._subject.identifiers, entry.identifiers
        for kind in numbers.keys() & their_numbers.keys() & COMPANY_IDENTIFIERS:
            if numbers[kind] & their_numbers[kind]:
                return SAME_COMPANY_NUMBER
        ours, theirs = self._subject.operators, entry.operators
        if not ours or not theirs:
            return 0.0
        keys = {one.key for one in ours} & {one.key for one in theirs}
        if keys:
            return min(max(map(self._index.operator_rarity, keys)), MAX_OPERATOR_WEIGHT)
        if any(is_similar_company(one, other) for one in ours for other in theirs):
            return SIMILAR_OPERATOR
        return OTHER_OPERATOR


def compare_numbers(ours: Name, theirs: Name) -> tuple[float, bool]:
    """The weight of numbers, phases and directions, and whether they forbid that it is one site."""
    weight, is_vetoed = 0.0, False
    if ours.numbers or theirs.numbers:
        if ours.numbers == theirs.numbers:
            weight += SAME_NUMBERS
        elif ours.numbers and theirs.numbers:
            weight += DIFFERENT_NUMBERS
            is_vetoed = True
        else:
            weight += ONE_NUMBER
    if ours.phases != theirs.phases:
        weight += OTHER_PHASE
        is_vetoed = is_vetoed or bool(ours.phases and theirs.phases)
    if ours.qualifiers and theirs.qualifiers and not ours.qualifiers & theirs.qualifiers:
        weight += OTHER_DIRECTION
        is_vetoed = True
    return weight, is_vetoed


def _place(subject: Subject, entry: Subject) -> float:
    if subject.point is None or entry.point is None:
        return 0.0
    distance = distance_km(subject.point, entry.point)
    if subject.is_approximate or entry.is_approximate:
        return min(_interpolate(PLACE, distance * APPROXIMATE), 5.0)
    return _interpolate(PLACE, distance)


def _capacity(subject: Subject, entry: Subject) -> float:
    ours, theirs = subject.capacity_mw, entry.capacity_mw
    if ours is None or theirs is None:
        return 0.0
    difference = abs(math.log(ours / theirs))
    if subject.basis and entry.basis and subject.basis != entry.basis:
        direct, alternating = (ours, theirs) if subject.basis == "dc" else (theirs, ours)
        above = math.log(direct / alternating)
        difference = max(0.0, -above, above - math.log(MAX_DC_PER_AC)) + 0.05
    return _interpolate(CAPACITY, difference)


def _identifier(subject: Subject, entry: Subject) -> float:
    ours, theirs = subject.identifiers, entry.identifiers
    kinds = (ours.keys() & theirs.keys()) - COMPANY_IDENTIFIERS
    if any(ours[kind] & theirs[kind] for kind in kinds):
        return SAME_IDENTIFIER
    return OTHER_IDENTIFIER if kinds else 0.0


def _interpolate(knots: Knots, value: float) -> float:
    place = bisect_right(knots, value, key=lambda knot: knot[0])
    if place == len(knots):
        return knots[-1][1]
    (x0, y0), (x1, y1) = knots[place - 1], knots[place]
    return y0 + (y1 - y0) * (value - x0) / (x1 - x0)
