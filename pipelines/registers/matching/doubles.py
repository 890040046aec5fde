"""How often a register has a second entry like one, which it does not link to it.

Registers of applications have a site twice where somebody applied anew without saying so. If the
entry that a record of ours means is missing, such a double is found in its place, with all the
evidence of the right one. Nothing of the two names and places tells that, but how often it happens
is counted in the register itself, by the kind of entry.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from pipelines.registers.matching.subjects import Point, Subject

#: A group's rate is drawn towards that of all entries by so many entries of the average.
PRIOR_ENTRIES = 60

#: What an entry's status and its year say of it; the two go together, so that neither says all.
GROUP_WEIGHTS = (0.76, 0.45)

#: Doubles differ in capacity by this factor at most: else the two are told apart.
SAME_CAPACITY = 1.4


class DoubleRates:
    def __init__(
        self, entries: Sequence[Subject], nearby: Callable[[Point], Iterable[int]]
    ) -> None:
        doubled = set(_find_doubles(entries, nearby))
        self.average = (len(doubled) + 1) / (len(entries) + PRIOR_ENTRIES)
        totals: Counter[tuple[int, str]] = Counter()
        hits: Counter[tuple[int, str]] = Counter()
        for number, entry in enumerate(entries):
            totals.update(enumerate(entry.group))
            if number in doubled:
                hits.update(enumerate(entry.group))
        self._excess = {
            part: math.log((hits[part] / self.average + PRIOR_ENTRIES) / (total + PRIOR_ENTRIES))
            for part, total in totals.items()
        }

    def excess(self, entry: Subject) -> float:
        """The logarithm of how many times as often as others entries like this have a double."""
        return sum(
            weight * self._excess.get((place, part), 0.0)
            for place, (part, weight) in enumerate(zip(entry.group, GROUP_WEIGHTS, strict=False))
        )


def _find_doubles(
    entries: Sequence[Subject], nearby: Callable[[Point], Iterable[int]]
) -> Iterable[int]:
    by_key: dict[tuple[object, ...], list[int]] = {}
    for number, entry in enumerate(entries):
        by_key.setdefault((entry.name.key, entry.technologies), []).append(number)
    for numbers in by_key.values():
        if len(numbers) < 2:
            continue
        for number in numbers:
            point = entries[number].point
            others = set(numbers) - {number}
            if point is not None:
                others &= set(nearby(point))
            if any(_is_double(entries[number], entries[other]) for other in others):
                yield number


def _is_double(one: Subject, other: Subject) -> bool:
    if one.key in other.linked or other.key in one.linked:
        return False
    if one.capacity_mw is None or other.capacity_mw is None:
        return True
    ratio = one.capacity_mw / other.capacity_mw
    return 1 / SAME_CAPACITY <= ratio <= SAME_CAPACITY
