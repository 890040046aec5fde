"""Finding how the values of a column are to be read, from these values and the heading.

Where two readings are possible that give different values, it is a question.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from oegen.core import words
from oegen.imports.tables.asking import About, Asked, Option
from oegen.imports.tables.kinds import ImportField
from oegen.imports.tables.reading import Value
from oegen.imports.tables.readings import (
    COMMA,
    DMY,
    MDY,
    ORDERS,
    POINT,
    SYSTEMS,
    UNITS,
    WGS84,
    YMD,
    Reading,
    parse_day,
    parse_number,
    split_unit,
    text_of,
    unit_named,
)
from oegen.imports.tables.values import Number, show

if TYPE_CHECKING:
    from pyproj import Transformer

#: How many points say in which system they are, and which part of them has to fit.
_POINTS, _FITTING = 500, 0.95

#: A median capacity from which figures without a unit are rather kW than MW, and kWh than MWh.
_LARGE = 2_000

_EXAMPLES = 3

_WORDS = re.compile(r"[\s,;:/()\[\]]+")


@dataclass(frozen=True)
class Found:
    reading: Reading
    questions: tuple[Asked, ...] = ()


def find(
    field: ImportField, heading: str, values: Sequence[Value], known: Reading, *, is_ours: bool
) -> Found:
    """The reading of a column with these distinct values. What ``known`` says is kept."""
    reading, questions = known, []
    for name in field.reads.formats:
        if getattr(reading, name, ""):
            continue
        if name == "order":
            chosen, asked = _order(field, heading, values)
        elif name == "decimal":
            chosen, asked = _decimal(field, heading, values, is_ours=is_ours)
        elif name == "unit":
            chosen, asked = _unit(field, heading, values, is_ours=is_ours)
        else:
            continue
        reading = replace(reading, **{name: chosen})
        questions += asked
    if isinstance(field.reads, Number) and field.reads.quantity == "MW" and not reading.basis:
        reading = replace(reading, basis="" if is_ours else _basis(heading))
    return Found(reading, tuple(questions))


def _texts(values: Iterable[Value]) -> list[str]:
    return [value for value in values if isinstance(value, str)]


def _attempts(texts: Iterable[str], parse: Callable[[str], Any]) -> dict[str, Any]:
    """What the texts are read as, without those that can't be read so."""
    found = {}
    for text in texts:
        try:
            found[text] = parse(text)
        except ValueError:
            continue
    return found


def _choose(
    texts: list[str], parses: dict[str, Callable[[str], Any]], default: str
) -> tuple[str, list[str]]:
    """The code of the reading by which most texts can be read; and the texts that the readings
    which are equally good read differently."""
    found = {code: _attempts(texts, parse) for code, parse in parses.items()}
    best = max(map(len, found.values()), default=0)
    equal = [code for code, read in found.items() if len(read) == best]
    chosen = default if default in equal else equal[0]
    doubtful = [
        text
        for text in texts
        if len({found[code][text] for code in equal if text in found[code]}) > 1
    ]
    return chosen, doubtful


def _order(field: ImportField, heading: str, values: Sequence[Value]) -> tuple[str, list[Asked]]:
    texts = _texts(values)
    parses = {order: _day_by(order) for order in (YMD, DMY, MDY)}
    chosen, doubtful = _choose(texts, parses, YMD)
    if not doubtful:
        return chosen, []
    text = doubtful[0]
    options = tuple(
        Option(order, f"{ORDERS[order]}: “{text}” is {show(parse_day(text, order))}")
        for order in (DMY, MDY)
    )
    return "", [_asked(field, heading, "order", "Which day is meant?", options, "", doubtful)]


def _day_by(order: str) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        if order == MDY and "." in text:
            raise ValueError(text)  # With points, the day comes first everywhere.
        return parse_day(text, order)

    return parse


def _decimal(
    field: ImportField, heading: str, values: Sequence[Value], *, is_ours: bool
) -> tuple[str, list[Asked]]:
    """Our exports have no separators of thousands: there, any sign is the decimal one."""
    texts = [split_unit(text)[0] for text in _texts(values)]
    parses = {sign: _number_by(sign, has_groups=not is_ours) for sign in (POINT, COMMA)}
    chosen, doubtful = _choose(texts, parses, POINT)
    if not doubtful:
        return chosen, []
    text = doubtful[0]
    options = tuple(
        Option(sign, f"Decimal {name}: “{text}” is {words.plain(parse_number(text, sign))}")
        for sign, name in ((POINT, "point"), (COMMA, "comma"))
    )
    return "", [_asked(field, heading, "decimal", "Which number is meant?", options, "", doubtful)]


def _number_by(sign: str, *, has_groups: bool = True) -> Callable[[str], Any]:
    other = COMMA if sign == POINT else POINT

    def parse(text: str) -> Any:
        if not has_groups and other in text:
            raise ValueError(text)
        return parse_number(text, sign)

    return parse


def _unit(
    field: ImportField, heading: str, values: Sequence[Value], *, is_ours: bool
) -> tuple[str, list[Asked]]:
    quantity = field.reads.quantity if isinstance(field.reads, Number) else ""
    if is_ours:
        return quantity, []
    named = {unit_named(word, quantity) for word in _WORDS.split(heading)} - {""}
    if len(named) == 1:
        return named.pop(), []
    texts = [split_unit(text_of(value)) for value in values]
    if texts and all(unit for _, unit in texts):
        return quantity, []
    suggestion = _likely_unit(quantity, [number for number, _ in texts])
    options = tuple(Option(unit, unit) for unit in UNITS[quantity])
    examples = [text_of(value) for value in values]
    text = "Neither the heading nor the cells name a unit. Which one is it?"
    return "", [_asked(field, heading, "unit", text, options, suggestion, examples)]


def _likely_unit(quantity: str, numbers: list[str]) -> str:
    read = sorted(_attempts(numbers, _number_by(POINT)).values())
    if not read:
        return quantity
    return f"k{quantity[1:]}" if read[len(read) // 2] >= _LARGE else quantity


def _basis(heading: str) -> str:
    """Whether the heading says that capacities are DC or AC."""
    named = {word.casefold() for word in _WORDS.split(heading)}
    is_dc = bool(named & {"dc", "mwp", "kwp", "mwdc", "kwdc"})
    is_ac = bool(named & {"ac", "mwac", "kwac"})
    return ("dc" if is_dc else "ac") if is_dc != is_ac else ""


def _asked(
    field: ImportField,
    heading: str,
    what: str,
    text: str,
    options: tuple[Option, ...],
    suggestion: str,
    examples: Sequence[str],
) -> Asked:
    return Asked(
        key=f"{what}:{field.name}",
        about=About.FORMAT,
        text=f"“{heading}” ({field.label}): {text}",
        options=options,
        suggestion=suggestion,
        heading=heading,
        examples=tuple(examples[:_EXAMPLES]),
    )


# Coordinates ------------------------------------------------------------------------------------


@cache
def _transformer(system: str) -> Transformer:
    # Only here: it takes 6 MB, and most processes read no coordinates of other systems.
    from pyproj import Transformer

    return Transformer.from_crs(f"EPSG:{system}", f"EPSG:{WGS84}", always_xy=True)


@cache
def _area(system: str) -> tuple[float, float, float, float]:
    """West, south, east and north of where the system is used."""
    from pyproj import CRS

    area = CRS.from_epsg(int(system)).area_of_use
    return (area.west, area.south, area.east, area.north) if area else (-180, -90, 180, 90)


def to_degrees(x: Decimal, y: Decimal, system: str) -> tuple[Decimal, Decimal] | None:
    """Longitude and latitude of the point; None if the system does not reach it."""
    if system in ("", WGS84):
        return x, y
    longitude, latitude = _transformer(system).transform(float(x), float(y))
    west, south, east, north = _area(system)
    # A little beyond, for sites at sea. What can't be transformed is infinite.
    if not (west - 2 <= longitude <= east + 2 and south - 2 <= latitude <= north + 2):
        return None
    return round(Decimal(longitude), 6), round(Decimal(latitude), 6)


def find_system(
    field: ImportField, heading: str, points: Sequence[tuple[Decimal, Decimal]]
) -> tuple[str, list[Asked]]:
    """The system in which nearly all points (x, y) lie."""
    sample = points[:_POINTS]
    if not sample:
        return WGS84, []
    fitting = Counter({system: sum(_fits(x, y, system) for x, y in sample) for system in SYSTEMS})
    if fitting[WGS84] >= _FITTING * len(sample):
        return WGS84, []
    likely = [code for code, number in fitting.items() if number >= _FITTING * len(sample)]
    if len(likely) == 1:
        return likely[0], []
    x, y = sample[0]
    options = tuple(Option(code, SYSTEMS[code]) for code in (likely or SYSTEMS))
    text = f"In which system is the point {words.plain(x)}, {words.plain(y)}?"
    return "", [_asked(field, heading, "system", text, options, "", [])]


def _fits(x: Decimal, y: Decimal, system: str) -> bool:
    if system == WGS84:
        return abs(x) <= 180 and abs(y) <= 90
    west, south, east, north = _area(system)
    if abs(x) <= 180 and abs(y) <= 90:
        return False
    longitude, latitude = _transformer(system).transform(float(x), float(y))
    return west <= longitude <= east and south <= latitude <= north
