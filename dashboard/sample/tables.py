"""The tables in ``data/``, and functions to draw random values from them."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any, TypeVar

DATA = Path(__file__).parent / "data"
Item = TypeVar("Item")
Row = dict[str, str]


def weighted(rng: Random, weights: Mapping[Item, int]) -> Item:
    return rng.choices(list(weights), list(weights.values()))[0]


def evenly(rng: Random, counts: Mapping[Item, int]) -> Iterator[Item]:
    """Yield items forever in rounds of random order, in each of which an item occurs as often as
    ``counts`` says. A portfolio of any size has the same proportions.
    """
    items = [item for item, count in counts.items() for _ in range(count)]
    while True:
        yield from rng.sample(items, len(items))


def choose(rng: Random, row: Row, *columns: str) -> list[str]:
    """A random item from the comma-separated list in each of the columns."""
    return [rng.choice(row[column].split(", ")) for column in columns]


def span(row: Row, column: str) -> tuple[int, int]:
    low, high = row[column].split("-")
    return int(low), int(high)


def read_rows(table: str) -> list[Row]:
    with (DATA / f"{table}.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def read_toml(table: str) -> dict[str, Any]:
    return tomllib.loads((DATA / f"{table}.toml").read_text(encoding="utf-8"))


#: Inland towns well away from coasts and borders, and areas at sea (language "sea").
PLACES = read_rows("places")
#: Sizes in MW (solar: MWp), days from ready to build to commercial operation, and the languages
#: of the places where it is built.
TECHNOLOGIES = {row["technology"]: row for row in read_rows("technologies")}
#: What can go wrong: RAG comments, and the reason for a later date.
ISSUES = read_rows("issues")
TOPICS = read_rows("topics")
PROPORTIONS = read_toml("proportions")
TEXTS = read_toml("texts")
