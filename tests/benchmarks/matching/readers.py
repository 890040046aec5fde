"""The files of the folder, read by the registers' own adapters."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from pipelines.reference import TECHNOLOGIES
from pipelines.registers.adapters import repd, tec
from pipelines.registers.adapters.base import Entry, Row
from pipelines.registers.adapters.mastr import read_units
from pipelines.registers.adapters.mastr_projects import Unit

PARENTS = {row[0]: row[3] for row in TECHNOLOGIES if row[3]}

#: Any day of an edition: readers use it for dates that have no year only.
_DAY = date(2025, 1, 31)


def read_repd(path: Path) -> list[Entry]:
    return _entries(path, repd.read)


def read_tec(path: Path) -> list[Entry]:
    return _entries(path, tec.read)


def read_mastr(path: Path) -> list[Unit]:
    return [one for one in read_units(path) if isinstance(one, Unit)]


def read_known_pairs(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _entries(path: Path, read: Callable[[Path, date], Iterator[Row]]) -> list[Entry]:
    return [one for one in read(path, _DAY) if isinstance(one, Entry)]
