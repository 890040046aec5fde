"""What fields of imports read from a cell, and how a value is shown beside another."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.formats import date_format
from django.utils.text import get_text_list

from oegen.audit.reference import ReferenceModel
from oegen.core import words
from oegen.core.fields import country_name, country_options, parse_country
from oegen.core.text import clean_line, name_key, split_lines
from oegen.imports.cells import quote
from oegen.imports.tables.reading import Value
from oegen.imports.tables.readings import (
    Reading,
    read_day,
    read_number,
    text_of,
)

if TYPE_CHECKING:
    from oegen.imports.tables.lookups import Lookups


def show(value: Any) -> str:
    """A value for people, in one line."""
    match value:
        case None:
            return ""
        case bool():
            return "Yes" if value else "No"
        case Decimal():
            return words.plain(value)
        case date():
            return date_format(value)
        case list() | tuple() | set() | frozenset():
            return "; ".join(sorted(map(show, value)))
    return str(value)


class Reads:
    """The base. ``formats`` names what of a Reading matters; ``vocabulary`` says whether values of
    the file are mapped to known ones."""

    formats: tuple[str, ...] = ()
    has_vocabulary = False

    def read(self, value: Value, reading: Reading, lookups: Lookups) -> Any:
        """Raises ValidationError with a sentence that says what would be right."""
        raise NotImplementedError

    def show(self, value: Any) -> str:
        return show(value)

    def options(self, lookups: Lookups) -> list[tuple[str, str]]:
        """The known values of a vocabulary, as (code, label)."""
        return []


class Text(Reads):
    def read(self, value: Value, reading: Reading, lookups: Lookups) -> str:
        return text_of(value)


class Names(Reads):
    """Several names, one a line or separated by semicolons; stored one a line."""

    def read(self, value: Value, reading: Reading, lookups: Lookups) -> str:
        return "\n".join(filter(None, map(clean_line, re.split(r"[;\n]", text_of(value)))))

    def show(self, value: Any) -> str:
        return "; ".join(split_lines(value or ""))


class Day(Reads):
    formats = ("order",)

    def read(self, value: Value, reading: Reading, lookups: Lookups) -> date:
        return read_day(value, reading)


@dataclass(frozen=True)
class Number(Reads):
    """A decimal; ``quantity`` is its unit, such as MW, MWh, % or °."""

    quantity: str = ""
    places: int = 3
    formats: tuple[str, ...] = field(init=False, default=("decimal",))

    def __post_init__(self) -> None:
        if self.quantity in ("MW", "MWh"):
            object.__setattr__(self, "formats", ("decimal", "unit"))
        elif self.quantity == "°":
            object.__setattr__(self, "formats", ("decimal", "system"))

    def read(self, value: Value, reading: Reading, lookups: Lookups) -> Decimal:
        return read_number(value, reading, self.quantity, self.places)


class Whole(Reads):
    formats = ("decimal",)

    def read(self, value: Value, reading: Reading, lookups: Lookups) -> int:
        number = read_number(value, reading, "", 6)
        if number != int(number):
            raise ValidationError(f"{quote(text_of(value))} is no whole number.")
        return int(number)


class YesNo(Reads):
    has_vocabulary = True
    _WORDS = MappingProxyType(
        dict.fromkeys(("yes", "y", "true", "1", "x", "ja", "j"), True)
        | dict.fromkeys(("no", "n", "false", "0", "nein"), False)
    )

    def read(self, value: Value, reading: Reading, lookups: Lookups) -> bool:
        found = self._WORDS.get(text_of(value).casefold())
        if found is None:
            raise ValidationError(f"{quote(text_of(value))} is neither yes nor no.")
        return found

    def options(self, lookups: Lookups) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]


@dataclass(frozen=True)
class Choice(Reads):
    """One of a model's choices, by code or label. ``other`` maps further texts, in small letters,
    to codes; the code “” empties."""

    choices: type[models.TextChoices]
    other: Mapping[str, str] = field(default_factory=dict)
    has_vocabulary: bool = field(init=False, default=True)

    def read(self, value: Value, reading: Reading, lookups: Lookups) -> str:
        key = text_of(value).casefold()
        for code, label in self.choices.choices:
            if key in (str(code).casefold(), str(label).casefold()):
                return str(code)
        if key in self.other:
            return self.other[key]
        known = get_text_list([str(label) for label in self.choices.labels], "or")
        raise ValidationError(f"{quote(text_of(value))} is not known here: write {known}.")

    def show(self, value: Any) -> str:
        return str(self.choices(value).label) if value else ""

    def options(self, lookups: Lookups) -> list[tuple[str, str]]:
        return [(str(code), str(label)) for code, label in self.choices.choices]


@dataclass(frozen=True)
class Row(Reads):
    """A row of a reference table, by code, name or other name."""

    model: type[ReferenceModel]
    has_vocabulary: bool = field(init=False, default=True)

    def read(self, value: Value, reading: Reading, lookups: Lookups) -> ReferenceModel:
        rows = lookups.rows(self.model)
        if found := rows.get(name_key(text_of(value))):
            return found
        known = dict.fromkeys(row.name for row in rows.values() if row.is_active)
        raise ValidationError(
            f"{quote(text_of(value))} is no {self.model._meta.verbose_name} that is known here. "
            f"Known: {', '.join(known)}."
        )

    def options(self, lookups: Lookups) -> list[tuple[str, str]]:
        rows = dict.fromkeys(lookups.rows(self.model).values())
        return [(row.code, row.name) for row in rows if row.is_active]


_country_name = cache(country_name)


class Country(Reads):
    has_vocabulary = True

    def read(self, value: Value, reading: Reading, lookups: Lookups) -> str:
        return parse_country(text_of(value))

    def show(self, value: Any) -> str:
        return _country_name(value or "")

    def options(self, lookups: Lookups) -> list[tuple[str, str]]:
        return country_options()


class Person(Reads):
    """A user, by username, e-mail address or name."""

    has_vocabulary = True

    def read(self, value: Value, reading: Reading, lookups: Lookups) -> Any:
        found = lookups.people().get(name_key(text_of(value)), [])
        if len(found) == 1:
            return found[0]
        if found:
            raise ValidationError(
                f"{quote(text_of(value))} is the name of {len(found)} users: write the username "
                f"({get_text_list([user.username for user in found], 'or')})."
            )
        raise ValidationError(
            f"Nobody called {quote(text_of(value))} has an account here. Write a username, an "
            "e-mail address or a full name."
        )

    def options(self, lookups: Lookups) -> list[tuple[str, str]]:
        people = {user.pk: user for users in lookups.people().values() for user in users}
        return sorted(((one.username, str(one)) for one in people.values()), key=lambda one: one[1])


@dataclass(frozen=True)
class Named(Reads):
    """A record of a kind of import, by id, reference of the mapping's source, name or other name.
    It has to exist."""

    kind: str

    def read(self, value: Value, reading: Reading, lookups: Lookups) -> Any:
        return lookups.one(self.kind, text_of(value))


#: Splits a cell that lists several: by semicolons or lines, or written as a list of Python.
_SEPARATORS = re.compile(r"[;\n]")
_PYTHON_LIST = re.compile(r"\[\s*(?:(?:'[^']*'|\"[^\"]*\")\s*,?\s*)*\]")
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")


def split_list(text: str, separators: re.Pattern[str] = _SEPARATORS) -> list[str]:
    if _PYTHON_LIST.fullmatch(text.strip()):
        found: Iterable[str] = (one or other for one, other in _QUOTED.findall(text))
    else:
        found = separators.split(text)
    return list(dict.fromkeys(filter(None, map(clean_line, found))))


@dataclass(frozen=True)
class Several(Reads):
    """Several values, separated by semicolons or lines; each as ``one`` reads it. ``split`` makes
    the texts of them. A frozenset."""

    one: Reads
    split: Callable[[str], list[str]] = split_list

    def read(self, value: Value, reading: Reading, lookups: Lookups) -> frozenset[Any]:
        texts = self.split(text_of(value))
        values, errors = [], []
        for text in texts:
            try:
                values.append(self.one.read(text, reading, lookups))
            except ValidationError as error:
                errors.append(error)
        if errors:
            raise ValidationError(errors)
        return frozenset(values)


@dataclass(frozen=True)
class InRole(Reads):
    """A record and its role: “Birch Energy (Owner)” or “CEO at Birch Energy”, as ``pattern`` with
    the groups ``name`` and ``role`` has it. A pair of both."""

    kind: str
    roles: type[ReferenceModel]
    pattern: re.Pattern[str]
    form: str
    example: str

    def read(self, value: Value, reading: Reading, lookups: Lookups) -> tuple[Any, Any]:
        found = self.pattern.fullmatch(text_of(value))
        if not found:
            raise ValidationError(f"{quote(text_of(value))} names no role: write “{self.example}”.")
        role = Row(self.roles).read(found["role"], reading, lookups)
        return lookups.one(self.kind, found["name"]), role

    def show(self, value: Any) -> str:
        name, role = value
        return self.form.format(name=name, role=role)
