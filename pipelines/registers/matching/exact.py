"""Pairs whose fields are equal, which need no scores."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator

from oegen.core.text import name_key
from pipelines.registers.matching.subjects import Subject

Key = Callable[[Subject], Hashable | None]


def _all(subject: Subject) -> Hashable | None:
    operators = tuple(one.key for one in subject.operators)
    return (_name_and_place(subject), subject.capacity_mw, operators) if subject.point else None


def _name_place_and_capacity(subject: Subject) -> Hashable | None:
    found = _name_and_place(subject)
    return (found, subject.capacity_mw) if found and subject.capacity_mw else None


def _name_and_place(subject: Subject) -> Hashable | None:
    if subject.point is None:
        return None
    return (name_key(subject.name.text), subject.technologies, subject.point)


def _name_capacity_and_operator(subject: Subject) -> Hashable | None:
    if not subject.capacity_mw or not subject.operators:
        return None
    operators = tuple(one.key for one in subject.operators)
    return (name_key(subject.name.text), subject.technologies, subject.capacity_mw, operators)


#: From all fields to those that are enough, if only one of each side has them.
KEYS: tuple[Key, ...] = (
    _all,
    _name_place_and_capacity,
    _name_capacity_and_operator,
    _name_and_place,
)


def pair_exactly(
    subjects: Iterable[Subject], entries: Iterable[Subject]
) -> Iterator[tuple[Subject, Subject]]:
    """Pairs with equal fields of which there is one on each side among those not yet paired.

    A subject that several share is none's: which of them is meant, the fields don't tell.
    """
    ours, theirs = list(subjects), list(entries)
    for key in KEYS:
        by_key = _group(ours, key)
        paired: set[int] = set()
        for value, found in _group(theirs, key).items():
            mine = by_key.get(value, [])
            if len(mine) == len(found) == 1:
                yield mine[0], found[0]
                paired.update((id(mine[0]), id(found[0])))
        ours = [one for one in ours if id(one) not in paired]
        theirs = [one for one in theirs if id(one) not in paired]


def _group(subjects: list[Subject], key: Key) -> dict[Hashable, list[Subject]]:
    found: dict[Hashable, list[Subject]] = defaultdict(list)
    for subject in subjects:
        value = key(subject)
        if value is not None:
            found[value].append(subject)
    return found
