"""How the texts of a column are read: the order of days, the signs of numbers, units, coordinates.

Each of these is found from the column's own values and its heading
(``oegen.imports.tables.formats``), shown, and stored in the mapping.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from oegen.imports.cells import quote
from oegen.imports.tables.reading import Value

#: The orders of day, month and year.
DMY, MDY, YMD = "dmy", "mdy", "ymd"
ORDERS = MappingProxyType({DMY: "31.12.2027", MDY: "12/31/2027", YMD: "2027-12-31"})

POINT, COMMA = ".", ","

#: Units by the quantity that a field has, as factors of the field's own unit.
UNITS: Mapping[str, Mapping[str, Decimal]] = MappingProxyType(
    {
        "MW": {
            "W": Decimal("0.000001"),
            "kW": Decimal("0.001"),
            "MW": Decimal(1),
            "GW": Decimal(1000),
        },
        "MWh": {"kWh": Decimal("0.001"), "MWh": Decimal(1), "GWh": Decimal(1000)},
    }
)

#: Coordinate systems by their EPSG code; the first is degrees.
WGS84 = "4326"
SYSTEMS = MappingProxyType(
    {
        WGS84: "WGS 84, degrees",
        "27700": "British National Grid (EPSG:27700), metres",
        "29903": "Irish Grid (EPSG:29903), metres",
        "2157": "Irish Transverse Mercator (EPSG:2157), metres",
    }
)

_SPACES = dict.fromkeys(map(ord, " \u00a0\u2007\u2009\u202f\t"))
_NUMBER = re.compile(r"[+-]?(\d[\d.,']*|[.,]\d+)")
_NUMBER_AND_UNIT = re.compile(
    r"(?P<number>[+\-−]?[\d.,'\s\u00a0\u202f]*\d)\s*(?P<unit>%|[A-Za-z°]+)?"
)
_DAY = re.compile(r"(\d{1,4})([./\- ])(\d{1,2})\2(\d{1,4})(?:[T ]\d{1,2}:\d{2}.*)?")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_NAMED = re.compile(r"(\d{1,2})[ .\-/]*([A-Za-z]{3,9})[ .\-/,]*(\d{4})")


@dataclass(frozen=True)
class Reading:
    """How a column is read. Empty: nothing of the kind is needed, or it is not known yet."""

    order: str = ""
    decimal: str = ""
    unit: str = ""
    system: str = ""
    #: Where a capacity is measured: “dc” or “ac”; empty: as each technology counts.
    basis: str = ""

    def as_json(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Reading:
        return cls(**{name: str(values[name]) for name in cls.__annotations__ if name in values})


def text_of(value: Value) -> str:
    """The text of a value of any type: numbers without exponent, days with the year first."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()


def split_unit(text: str) -> tuple[str, str]:
    """Number and unit of “12.5 MW”; the unit is empty if there is none."""
    found = _NUMBER_AND_UNIT.fullmatch(text.strip())
    return (found["number"], found["unit"] or "") if found else (text, "")


def unit_named(word: str, quantity: str) -> str:
    """The unit of the quantity that a word names, such as kWp or MWelec; empty if none."""
    bare = word.strip("()[].,").casefold()
    for unit in sorted(UNITS.get(quantity, ()), key=len, reverse=True):
        if bare in {
            unit.casefold() + end for end in ("", "p", "dc", "ac", "el", "elec", "e", "_p")
        }:
            return unit
    return ""


def parse_number(text: str, decimal: str) -> Decimal:
    """The number of a text without unit. Groups of three digits may be separated by the other sign,
    spaces or apostrophes. Raises ValueError."""
    bare = text.translate(_SPACES).replace("−", "-")
    if not _NUMBER.fullmatch(bare):
        raise ValueError(text)
    other = COMMA if decimal == POINT else POINT
    whole, _, fraction = bare.partition(decimal)
    for sign in (other, "'"):
        groups = whole.split(sign)
        if len(groups) > 1 and (
            not 1 <= len(groups[0].lstrip("+-")) <= 3 or any(len(one) != 3 for one in groups[1:])
        ):
            raise ValueError(text)
        whole = "".join(groups)
    if not (fraction.isdigit() or not fraction):
        raise ValueError(text)
    try:
        return Decimal(f"{whole or '0'}.{fraction or '0'}") if fraction else Decimal(whole)
    except InvalidOperation:
        raise ValueError(text) from None


def read_number(value: Value, reading: Reading, quantity: str, places: int) -> Decimal:
    """The number in the field's unit, with at most ``places`` decimals: more are rounded of degrees
    and of what is converted from another unit, else refused. Raises ValidationError."""
    unit = ""
    if isinstance(value, Decimal):
        number = value
    elif isinstance(value, str):
        text, unit = split_unit(value)
        try:
            number = parse_number(text, reading.decimal or POINT)
        except ValueError:
            raise ValidationError(
                f"{quote(value)} is no number. Write digits with a decimal "
                f"{'comma' if reading.decimal == COMMA else 'point'}, such as "
                f"{'27,5' if reading.decimal == COMMA else '27.5'}, as in the rest of the column."
            ) from None
    else:
        raise ValidationError(f"{quote(text_of(value))} is a date, and this column has numbers.")
    factor = _factor(value, unit, reading, quantity)
    number *= factor
    if abs(number) >= 10**12:
        raise ValidationError(f"{quote(text_of(value))} is too large a number.")
    rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    # Binary noise of spreadsheets is no more precise figure: 0.30000000000000004 is 0.3.
    may_round = factor != 1 or quantity == "°"
    if abs(rounded - number) > Decimal("1e-9") and not may_round:
        in_unit = f" {quantity}" if quantity in UNITS else ""
        raise ValidationError(
            f"{quote(text_of(value))} has more decimals than the {places} that are stored"
            f"{in_unit and f' of a figure in{in_unit}'}. Round it."
        )
    return rounded


def _factor(value: Value, unit: str, reading: Reading, quantity: str) -> Decimal:
    units = UNITS.get(quantity)
    if units is None:
        if unit and unit.casefold() not in {quantity.casefold(), "°", "n", "e", "deg"}:
            raise ValidationError(
                f"{quote(text_of(value))} has the unit “{unit}”, and none is expected here."
            )
        return Decimal(1)
    if unit:
        named = unit_named(unit, quantity)
        if not named:
            raise ValidationError(
                f"“{unit}” is no unit that is known here: write one of {', '.join(units)}."
            )
        return units[named]
    return units[reading.unit] if reading.unit else Decimal(1)


def parse_day(text: str, order: str) -> date:
    """The day of a text, whose time of day, if any, is left out. Years have four digits. Raises
    ValueError."""
    text = text.strip()
    if found := _NAMED.fullmatch(text):
        named = _MONTHS.index(found[2][:3].casefold()) + 1
        return date(int(found[3]), named, int(found[1]))
    found = _DAY.fullmatch(text)
    if not found:
        return _moment_day(text)
    first, second, third = found[1], found[3], found[4]
    if len(first) == 4:
        return date(int(first), int(second), int(third)) if "T" not in text else _moment_day(text)
    if len(third) != 4:
        raise ValueError(text)
    if order == YMD:
        raise ValueError(text)
    day, month = (second, first) if order == MDY else (first, second)
    return date(int(third), int(month), int(day))


def _moment_day(text: str) -> date:
    moment = datetime.fromisoformat(text)
    return timezone.localdate(moment) if moment.tzinfo else moment.date()


def read_day(value: Value, reading: Reading) -> date:
    """Raises ValidationError."""
    if isinstance(value, datetime):
        return timezone.localdate(value) if value.tzinfo else value.date()
    if isinstance(value, date):
        return value
    example = ORDERS[reading.order or YMD]
    if isinstance(value, str):
        try:
            return parse_day(value, reading.order or YMD)
        except ValueError:
            pass
        raise ValidationError(
            f"{quote(value)} is no day. Write it as in the rest of the column, such as {example}, "
            "with four digits for the year."
        )
    raise ValidationError(
        f"{quote(text_of(value))} is a number, no day. Format the cell as a date, or write "
        f"{example}."
    )


def read_moment(value: Value, reading: Reading) -> datetime:
    """A day with its time; UTC if it has no time zone. Raises ValidationError."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            value = read_day(value, reading)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if not isinstance(value, datetime):
        raise ValidationError(f"{quote(text_of(value))} is no date with time.")
    return value if value.tzinfo else value.replace(tzinfo=UTC)
