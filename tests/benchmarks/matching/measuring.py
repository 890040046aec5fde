"""The measurements. Each yields lines to print."""

from __future__ import annotations

import csv
import random
import time
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any

from pipelines.registers.adapters.base import Entry
from pipelines.registers.adapters.mastr_projects import Unit, group_units, park_key
from pipelines.registers.matching.blocking import Index
from pipelines.registers.matching.deciding import Band, Proposal, propose
from pipelines.registers.matching.normalising import parse_name
from pipelines.registers.matching.reasons import reasons
from pipelines.registers.matching.subjects import Ours, subject_of_entry, subject_of_ours
from tests.benchmarks.matching.distorting import MIXED, WORST, Harm, distort, split_edition
from tests.benchmarks.matching.readers import (
    PARENTS,
    read_known_pairs,
    read_mastr,
    read_repd,
    read_tec,
)

#: Rows with a partner, and as many without, of (b).
ROWS = 2_000

#: Proposals of (d) that are judged by hand.
JUDGED = 50

OLD, NEW = "repd-2024-07.csv", "repd-2025-01.csv"

Found = Mapping[Any, Sequence[Proposal]]


def editions(folder: Path) -> Iterator[str]:
    old, new = read_repd(folder / OLD), read_repd(folder / NEW)
    both = {one.key for one in old} & {one.key for one in new}
    joined = _join(old, new)
    right = sum(one == other for one, other in joined)
    yield f"(a) {OLD} against {NEW}, {len(both):,} in both"
    yield f"    exact join: precision {right / len(joined):.2%}, recall {right / len(both):.2%}"
    start = time.process_time()
    index = _index(new)
    found = propose([subject_of_entry(one) for one in old], index)
    took = time.process_time() - start
    accepted = _accepted(found)
    right = sum(one.subject.key == one.entry.key for one in accepted)
    yield (
        f"    matching:   precision {right / len(accepted):.2%}, recall {right / len(both):.2%}, "
        f"{took:.1f} s of the processor"
    )
    first = sum(bool(found[key]) and found[key][0].entry.key == key for key in both)
    yield f"    the right one first for {first / len(both):.2%}"
    yield from _numbers(accepted)


def _join(old: list[Entry], new: list[Entry]) -> list[tuple[str, str]]:
    def by_fields(entries: list[Entry]) -> dict[Hashable, list[str]]:
        found: dict[Hashable, list[str]] = defaultdict(list)
        for one in entries:
            fields = (one.name.casefold(), one.operator.casefold(), one.raw_technology.casefold())
            found[(*fields, one.capacity_mw, one.latitude, one.longitude)].append(one.key)
        return found

    theirs = by_fields(new)
    return [
        (keys[0], theirs[fields][0])
        for fields, keys in by_fields(old).items()
        if len(keys) == 1 and len(theirs.get(fields, ())) == 1
    ]


def distorted(folder: Path, seed: int) -> Iterator[str]:
    entries = read_repd(folder / NEW)
    bands: dict[Band, list[bool]] = defaultdict(list)
    for name, harm in (("all of it in each row", WORST), ("each by the toss of a coin", MIXED)):
        yield f"(b) {NEW} distorted, {name}"
        yield from _distorted(entries, seed, harm, bands)
    yield "    band: proposals, share that is right (of both)"
    for band in Band:
        right = bands[band]
        yield f"    {band.value:<10}{len(right):>6,}{sum(right) / max(len(right), 1):>9.1%}"
    yield "    all of it in each row, and unlinked second entries of what is missing removed, too"
    yield from _distorted(entries, seed, WORST, defaultdict(list), unlinked=True)


def _distorted(
    entries: list[Entry],
    seed: int,
    harm: Harm,
    bands: dict[Band, list[bool]],
    *,
    unlinked: bool = False,
) -> Iterator[str]:
    present, missing, rest = split_edition(entries, seed, ROWS, unlinked=unlinked)
    draw = random.Random(seed)
    operators = [one.operator for one in entries if one.operator]
    ours = [distort(one, draw, harm, operators) for one in (*present, *missing)]
    start = time.process_time()
    index = _index(rest)
    found = propose([subject_of_ours(one) for one in ours], index)
    took = time.process_time() - start
    partners = {("facility", one.key): one.key for one in present}
    accepted = _accepted(found)
    right = sum(partners.get(one.subject.key) == one.entry.key for one in accepted)
    proposed = sum(
        partner in [one.entry.key for one in found[key]] for key, partner in partners.items()
    )
    for proposals in found.values():
        for one in proposals:
            bands[one.band].append(partners.get(one.subject.key) == one.entry.key)
    wrong = [one for one in accepted if partners.get(one.subject.key) != one.entry.key]
    names = {("facility", one.key): one.name for one in entries}
    same_name = sum(parse_name(names[one.subject.key]).key == one.entry.name.key for one in wrong)
    yield (
        f"    accepted alone: precision {right / len(accepted):.2%} at recall "
        f"{right / len(partners):.1%}; {len(wrong)} wrong, {same_name} of them a second entry of "
        "the same name"
    )
    yield (
        f"    partner among the first two {proposed / len(partners):.1%}, "
        f"{sum(map(len, found.values())) / len(found):.2f} proposals a row, "
        f"{took:.1f} s of the processor for {len(found):,} rows against {len(rest):,}"
    )
    yield from _numbers(accepted)


_FUELS = {"Wind": "wind", "Solar": "solar", "Hydro": "hydro"}


def other_list(folder: Path) -> Iterator[str]:
    entries = read_repd(folder / NEW)
    known = {one.key for one in entries}
    pairs = [
        row
        for row in read_known_pairs(folder / "gppd-matches-gbr.csv")
        if row["dukes_name"]
        and row["repd_name"]
        and _plain(row["dukes_name"]) != _plain(row["repd_name"])
        and row["repd_id"] in known
    ]
    ours = [
        Ours(
            kind="facility",
            id=row["gppd_id"],
            name=row["dukes_name"],
            technologies=frozenset([_FUELS[row["fuel"]]] if row["fuel"] in _FUELS else []),
            capacity_mw=Decimal(row["capacity"]),
            country="GB",
        )
        for row in pairs
    ]
    partners = {
        ("facility", row["gppd_id"]): {row["repd_id"], row["repd_id2"]} - {""} for row in pairs
    }
    found = propose([subject_of_ours(one) for one in ours], _index(entries))
    accepted = _accepted(found)
    right = sum(one.entry.key in partners[one.subject.key] for one in accepted)
    firsts = sum(
        any(one.entry.key in keys for one in found[key][:1]) for key, keys in partners.items()
    )
    two = sum(any(one.entry.key in keys for one in found[key]) for key, keys in partners.items())
    yield f"(c) {len(pairs)} pairs whose names differ, by name, fuel and capacity"
    yield (
        f"    accepted alone {len(accepted)}, precision {right / max(len(accepted), 1):.1%}; "
        f"the right one first {firsts / len(pairs):.1%}, among the first two {two / len(pairs):.1%}"
    )
    yield from _numbers(accepted)


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("\u00a0", " ").split())


def to_judge(folder: Path, path: Path, seed: int) -> Iterator[str]:
    entries = {one.key: one for one in read_repd(folder / NEW)}
    queue = read_tec(folder / "neso-tec-2024-10.csv")
    projects = {one.key: one for one in queue}
    found = propose([subject_of_entry(one) for one in queue], _index(list(entries.values())))
    firsts = [proposals[0] for proposals in found.values() if proposals]
    counts = Counter(one.band for one in firsts)
    yield "(d) TEC against REPD: " + ", ".join(f"{counts[band]} {band}" for band in Band)
    chosen = random.Random(seed).sample(firsts, min(JUDGED, len(firsts)))
    chosen.sort(key=lambda one: -one.probability)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["band", "probability", "TEC", "customer", "plant", "MW", "REPD", "operator",
             "technology", "MW", "status", "reasons", "right?"]
        )  # fmt: skip
        for one in chosen:
            project, entry = projects[one.subject.key], entries[one.entry.key]
            writer.writerow(
                [one.band.value, f"{one.probability:.3f}", project.name, project.operator,
                 project.raw_technology, project.capacity_mw, entry.name, entry.operator,
                 entry.raw_technology, entry.capacity_mw, entry.raw_status,
                 "; ".join(reason.text for reason in reasons(one)), ""]
            )  # fmt: skip
    yield f"    {len(chosen)} of them in {path}"
    yield from _numbers(_accepted(found))


def units(folder: Path) -> Iterator[str]:
    for file in ("mastr-wind-bw.csv", "mastr-solar-de.csv"):
        found = read_mastr(folder / file)
        groups = group_units(found)
        yield f"(m) {file}: {len(found)} units are {len(groups)} projects"
        largest = max(groups, key=len)
        operators = {one.operator_number for one in largest}
        size = f"{len(largest)} units, {len(operators)} operators"
        yield f"    the largest: {size}, {largest[0].park}"
        named = [one for one in found if one.park]
        if not named:
            continue
        hidden = group_units([replace(one, park="") for one in named])
        truth = _pairs(groups_of_names(named))
        got = _pairs([[one.entry.key for one in group] for group in hidden])
        yield (
            f"    names hidden: pairwise precision {len(truth & got) / len(got):.1%}, "
            f"recall {len(truth & got) / len(truth):.1%}"
        )


def groups_of_names(named: Iterable[Unit]) -> list[list[str]]:
    """The truth: units whose parks have one name, wherever they stand."""
    found: dict[str, list[str]] = defaultdict(list)
    for one in named:
        found[park_key(one.park)].append(one.entry.key)
    return list(found.values())


def _pairs(groups: Iterable[Sequence[str]]) -> set[tuple[str, str]]:
    return {pair for group in groups for pair in combinations(sorted(group), 2)}


def _index(entries: Iterable[Entry]) -> Index:
    return Index([subject_of_entry(one) for one in entries], PARENTS)


def _accepted(found: Found) -> list[Proposal]:
    return [one for proposals in found.values() for one in proposals if one.band is Band.SURE]


def _numbers(accepted: Iterable[Proposal]) -> Iterator[str]:
    differing = sum(one.subject.name.figures != one.entry.name.figures for one in accepted)
    yield f"    accepted pairs with differing numbers in their names: {differing}"
