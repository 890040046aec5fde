"""Units of the Marktstammdatenregister as projects: a park is many turbines, of several operators.

With the name of a park, units within 5 km of one another are one project, however the name is
spelled; without one, those of one operator within 5 km are.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import asin, cos, radians, sin, sqrt

from oegen.core.text import likeness_key
from pipelines.registers.adapters.base import PRIVATE_INDIVIDUAL, Entry
from pipelines.registers.choices import RegisterOutcome as Outcome

#: How far apart the units of a project may be, in km.
REACH_KM = 5.0

_EARTH_KM = 6371.0

#: What names of units have in common is no name of a project if it is shorter.
_SHORTEST_NAME = 4

#: Words of a park's name that spellings add and drop, and legal forms.
_FILLERS = frozenset(
    {
        *("windpark", "wp", "windfarm", "burgerwindpark", "burgerwind", "windenergie", "windkraft"),
        *("windkraftanlage", "windenergieanlage", "solarpark", "pv", "pva", "photovoltaik"),
        *("projekt", "gmbh", "co", "kg", "ag", "ug", "mbh", "und", "u", "der", "die", "das"),
        *("am", "an"),
    }
)
#: A turbine's own number in the name of a park: “Junge Donau WEA 03”.
_TURBINE = re.compile(r"\bw(?:ea|ka|t)\s*\d*[a-z]?\b")


@dataclass(frozen=True, slots=True)
class Unit:
    """An entry of one unit, with what groups it. ``registered`` is the day of its registration."""

    entry: Entry
    park: str
    operator_number: str
    registered: date


def group_units(units: Iterable[Unit]) -> list[list[Unit]]:
    """The units of each project. Units that are of nobody and of no park are one each."""
    by_key: dict[tuple[str, ...], list[Unit]] = defaultdict(list)
    for unit in units:
        entry = unit.entry
        if park := park_key(unit.park):
            by_key["park", park, entry.raw_technology].append(unit)
        elif unit.operator_number and not entry.is_private:
            by_key["operator", unit.operator_number, entry.raw_technology].append(unit)
        else:
            by_key["unit", entry.key].append(unit)
    return [group for several in by_key.values() for group in _near(several)]


def park_key(name: str) -> str:
    """Equal for spellings of one park's name. Numbers count: “Mooshof” is not “Mooshof II”."""
    key = _TURBINE.sub(" ", likeness_key(name.replace("_", " ")))
    words = [word for word in key.split() if word not in _FILLERS]
    return " ".join(sorted(words))


def _near(units: Sequence[Unit]) -> list[list[Unit]]:
    """Units of one key, in groups within which each is near another; those without a point with
    the first group."""
    groups: list[list[Unit]] = []
    nowhere = [unit for unit in units if unit.entry.latitude is None]
    for unit in units:
        if unit.entry.latitude is None:
            continue
        touching = [
            group for group in groups if any(_distance(unit, one) <= REACH_KM for one in group)
        ]
        joined = [unit]
        for group in touching:
            joined = group + joined
            groups.remove(group)
        groups.append(joined)
    if nowhere:
        groups = [[*groups[0], *nowhere], *groups[1:]] if groups else [nowhere]
    return groups


def _distance(one: Unit, other: Unit) -> float:
    """In km."""
    points = [
        (radians(float(unit.entry.latitude or 0)), radians(float(unit.entry.longitude or 0)))
        for unit in (one, other)
    ]
    (lat1, lon1), (lat2, lon2) = points
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * _EARTH_KM * asin(sqrt(half))


def as_project(units: Sequence[Unit]) -> Entry:
    """The project of these units. Its key is the number of the unit that was registered first, so
    that it stays when units are added. Units that are gone count only if all are."""
    first = min(units, key=lambda unit: (unit.registered, unit.entry.key)).entry
    there = [unit for unit in units if unit.entry.outcome != Outcome.GONE] or list(units)
    entries = [unit.entry for unit in there]
    leading = _leading(entries)
    companies = _by_capacity(
        (entry.operator, entry.capacity_mw) for entry in entries if not entry.is_private
    )
    points = [entry for entry in entries if entry.latitude is not None]
    is_private = not companies
    return Entry(
        key=first.key,
        row=min(unit.entry.row for unit in units),
        name=_name(there),
        operator=" / ".join(companies) or PRIVATE_INDIVIDUAL,
        aliases=tuple(dict.fromkeys(alias for entry in entries for alias in entry.aliases)),
        technology=leading.technology,
        raw_technology=leading.raw_technology,
        capacity_mw=_total(entries),
        basis=leading.basis,
        latitude=_middle([entry.latitude for entry in points], is_private),
        longitude=_middle([entry.longitude for entry in points], is_private),
        is_approximate=is_private,
        country=leading.country,
        region=leading.region,
        place=leading.place,
        raw_status=leading.raw_status,
        stage=leading.stage,
        outcome=leading.outcome,
        dates=_dates(entries, leading.outcome),
        identifiers=_identifiers(units, entries),
        remarks=_remarks(units),
        raw=_raw(units),
        is_private=is_private,
    )


def _leading(entries: Sequence[Entry]) -> Entry:
    """The entry whose status most of the capacity has."""
    capacity: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        # A watt more, so that units without a capacity count, too.
        capacity[entry.raw_status, entry.stage] += int((entry.capacity_mw or 0) * 1_000_000) + 1
    status = max(sorted(capacity), key=capacity.__getitem__)
    return next(entry for entry in entries if (entry.raw_status, entry.stage) == status)


def _by_capacity(pairs: Iterable[tuple[str, Decimal | None]]) -> list[str]:
    total: dict[str, Decimal] = defaultdict(Decimal)
    for name, capacity in pairs:
        total[name] += capacity or 0
    return sorted(total, key=lambda name: (-total[name], name))


def _name(units: Sequence[Unit]) -> str:
    """The commonest spelling of the park, else what the names of the units begin with."""
    parks = Counter(unit.park for unit in units if unit.park)
    if parks:
        return max(sorted(parks), key=parks.__getitem__)
    names = sorted(unit.entry.name for unit in units)
    common: list[str] = []
    for words in zip(*map(str.split, names), strict=False):
        if len(set(words)) > 1:
            break
        common.append(words[0])
    while common and len(common[-1].strip("-_(,/")) <= 1:
        common.pop()
    shared = " ".join(common).strip(" -_(,/")
    return shared if len(shared) >= _SHORTEST_NAME else names[0]


def _total(entries: Sequence[Entry]) -> Decimal | None:
    known = [entry.capacity_mw for entry in entries if entry.capacity_mw is not None]
    return sum(known, Decimal()) if known else None


def _middle(degrees: Sequence[Decimal | None], is_private: bool) -> Decimal | None:
    """The mean; a private individual's to a kilometre or so, which finds no house."""
    known = [one for one in degrees if one is not None]
    return round(sum(known, Decimal()) / len(known), 2 if is_private else 6) if known else None


def _dates(entries: Sequence[Entry], outcome: str) -> dict[str, date]:
    """The first day of each kind; a project is gone with its last unit."""
    found: dict[str, date] = {}
    for code in ("operational", "expected"):
        days = [entry.dates[code] for entry in entries if code in entry.dates]
        if days:
            found[code] = min(days)
    gone = [entry.dates["decommissioned"] for entry in entries if "decommissioned" in entry.dates]
    if gone and outcome == Outcome.GONE:
        found["decommissioned"] = max(gone)
    return found


def _identifiers(units: Sequence[Unit], entries: Sequence[Entry]) -> dict[str, str]:
    """The numbers of the operators in the order of their names, “-” for none, and those of all
    units."""
    numbers = {
        unit.entry.operator: unit.operator_number
        for unit in units
        if not unit.entry.is_private and unit.operator_number
    }
    companies = _by_capacity(
        (one.operator, one.capacity_mw) for one in entries if not one.is_private
    )
    found = {"units": " ".join(sorted(unit.entry.key for unit in units))}
    if numbers:
        found["operator_number"] = " ".join(numbers.get(name, "-") for name in companies)
    return found


def _remarks(units: Sequence[Unit]) -> tuple[str, ...]:
    statuses = Counter(unit.entry.raw_status for unit in units)
    parts = [", ".join(f"{number} {status}" for status, number in statuses.most_common())]
    own = dict.fromkeys(remark for unit in units for remark in unit.entry.remarks)
    return (*([f"{len(units)} units: {parts[0]}."] if len(statuses) > 1 else []), *own)


def _raw(units: Sequence[Unit]) -> dict[str, str]:
    """The different texts of each column, in the order of the units' numbers."""
    texts: dict[str, dict[str, None]] = defaultdict(dict)
    for unit in sorted(units, key=lambda unit: unit.entry.key):
        for heading, text in unit.entry.raw.items():
            texts[heading][text] = None
    return {heading: "; ".join(found) for heading, found in sorted(texts.items())}
