"""Rows of an edition made worse as people's lists are, with a fixed seed."""

from __future__ import annotations

import math
import random
import re
import string
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from pipelines.registers.adapters.base import Entry
from pipelines.registers.matching.blocking import distance_km
from pipelines.registers.matching.normalising import parse_name
from pipelines.registers.matching.subjects import Ours, subject_of_entry

#: Words that people leave out, or put in the place of each other.
FILLERS = frozenset(
    (
        *("solar", "farm", "wind", "park", "windfarm", "battery", "storage", "energy", "panels"),
        *("panel", "pv", "photovoltaic", "array", "project", "scheme", "site", "land", "at", "the"),
        *("of", "and", "facility", "system", "plant", "turbine", "turbines", "proposed"),
    )
)


@dataclass(frozen=True)
class Harm:
    """The probability of each distortion of a row."""

    fillers: float = 1.0
    letter: float = 1.0
    order: float = 1.0
    capacity: float = 1.0
    no_place: float = 0.2


#: All of it in each row, and each by the toss of a coin.
WORST, MIXED = Harm(), Harm(0.5, 0.5, 0.5, 0.5, 0.2)


def split_edition(
    entries: list[Entry], seed: int, number: int, *, unlinked: bool = False
) -> tuple[list[Entry], list[Entry], list[Entry]]:
    """Draw rows with a partner and rows without: (present, missing, the edition without the
    missing and what they were applied for anew as). ``unlinked``: also without what the register
    does not say to be one and the same, see ``_repeats``."""
    draw = random.Random(seed)
    drawn = draw.sample(entries, 2 * number)
    present, missing = drawn[:number], drawn[number:]
    removed = _families(entries, {one.key for one in missing})
    if unlinked:
        removed |= _repeats(entries, missing)
    # A row whose re-application was removed for another has no partner either.
    return (
        [one for one in present if one.key not in removed],
        missing,
        [one for one in entries if one.key not in removed],
    )


def _families(entries: list[Entry], keys: set[str]) -> set[str]:
    links: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        for other in _references(entry):
            links[entry.key].add(other)
            links[other].add(entry.key)
    found, todo = set(keys), list(keys)
    while todo:
        for other in links[todo.pop()] - found:
            found.add(other)
            todo.append(other)
    return found


def _repeats(entries: list[Entry], missing: list[Entry]) -> set[str]:
    """Second entries of the sites that the register does not link: of the same planning reference,
    or of the same technology and name within a kilometre."""
    groups: dict[tuple[object, ...], list[Entry]] = defaultdict(list)
    for entry in entries:
        for label in _labels(entry):
            groups[label].append(entry)
    return {
        other.key
        for one in missing
        for label in _labels(one)
        for other in groups[label]
        if len(label) == 1 or _is_near(one, other)
    }


def _labels(entry: Entry) -> list[tuple[object, ...]]:
    reference = entry.identifiers.get("planning_reference", "")
    by_name = (parse_name(entry.name).key, entry.technology or entry.raw_technology)
    return [by_name, *([(reference,)] if reference else [])]


def _is_near(one: Entry, other: Entry) -> bool:
    points = [subject_of_entry(entry).point for entry in (one, other)]
    if points[0] is None or points[1] is None:
        return True
    return distance_km(points[0], points[1]) <= 1


def _references(entry: Entry) -> set[str]:
    """The entries that this one says it was applied for anew as, or anew after."""
    cells = (text for head, text in entry.raw.items() if "re-applying" in head)
    return {*entry.superseded_by, *(key for cell in cells for key in re.findall(r"\d+", cell))}


def distort(entry: Entry, draw: random.Random, harm: Harm, operators: list[str]) -> Ours:
    words = entry.name.split()
    if draw.random() < harm.fillers:
        words = [one for one in words if one.lower().strip(",.-()&") not in FILLERS] or words
    if draw.random() < harm.letter:
        words = _swap_letter(words, draw)
    if draw.random() < harm.order:
        draw.shuffle(words)
    capacity = entry.capacity_mw
    if capacity and draw.random() < harm.capacity:
        capacity = Decimal(f"{float(capacity) * draw.uniform(0.7, 1.3):.3f}")
    latitude = longitude = None
    has_point = entry.latitude is not None and entry.longitude is not None
    if has_point and draw.random() >= harm.no_place:
        latitude, longitude = _move(float(entry.latitude), float(entry.longitude), draw)
    operator = draw.choice(operators) if draw.random() < 0.5 else ""
    return Ours(
        kind="facility",
        id=entry.key,
        name=" ".join(words),
        technologies=frozenset([entry.technology] if entry.technology else []),
        capacity_mw=capacity,
        latitude=latitude,
        longitude=longitude,
        country=entry.country,
        counterparties=(operator,) if operator else (),
    )


def _swap_letter(words: list[str], draw: random.Random) -> list[str]:
    """One letter of one word is another, or two neighbours change places."""
    places = [place for place, word in enumerate(words) if sum(map(str.isalpha, word)) >= 4]
    if not places:
        return words
    place = draw.choice(places)
    word = words[place]
    letters = [at for at, letter in enumerate(word) if letter.isalpha()]
    if draw.random() < 0.5:
        at = draw.choice(letters)
        word = word[:at] + draw.choice(string.ascii_lowercase) + word[at + 1 :]
    else:
        at = draw.choice(letters[:-1])
        word = word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :]
    return [*words[:place], word, *words[place + 1 :]]


def _move(latitude: float, longitude: float, draw: random.Random) -> tuple[Decimal, Decimal]:
    """The point 50 m to 5 km away, each order of size as often."""
    distance = math.exp(draw.uniform(math.log(0.05), math.log(5)))
    direction = draw.uniform(0, 2 * math.pi)
    north = distance * math.cos(direction) / 111.2
    east = distance * math.sin(direction) / (111.2 * math.cos(math.radians(latitude)))
    return Decimal(f"{latitude + north:.6f}"), Decimal(f"{longitude + east:.6f}")
