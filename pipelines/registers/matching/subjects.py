"""What is compared: a project of a register, or a pipeline or facility of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from oegen.core.folding import fold
from pipelines.registers.matching.companies import Company, parse_operators
from pipelines.registers.matching.normalising import Name, parse_name

if TYPE_CHECKING:
    from pipelines.registers.adapters.base import Entry

Point = tuple[float, float]


#: Identifiers of companies, not of projects: a project of the same company may be any of its.
COMPANY_IDENTIFIERS = frozenset(("operator_number", "company_number", "lei"))


@dataclass(frozen=True, slots=True)
class Subject:
    """A site on either side, ready to be compared.

    ``key`` is the register's key, or the kind and id of a record of ours. ``point`` is (latitude,
    longitude) in degrees. ``technologies`` are codes; none: not known. ``linked`` are the keys of
    entries that this one says it replaces or is replaced by. ``group`` is an entry's status
    and year of application, for how often the register has another like it at the same place.
    """

    key: Any
    names: tuple[Name, ...]
    technologies: frozenset[str] = frozenset()
    capacity_mw: float | None = None
    basis: str = ""
    point: Point | None = None
    is_approximate: bool = False
    country: str = ""
    operators: tuple[Company, ...] = ()
    identifiers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    linked: frozenset[str] = frozenset()
    group: tuple[str, ...] = ()

    @property
    def name(self) -> Name:
        return self.names[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """A pipeline or a facility as matching needs it.

    A pipeline has the technologies of its facilities, the sum of their capacity and the middle of
    their places. ``counterparties`` are the names and aliases of companies linked to it.
    """

    kind: str
    id: Any
    name: str
    aliases: tuple[str, ...] = ()
    technologies: frozenset[str] = frozenset()
    capacity_mw: Decimal | None = None
    basis: str = ""
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    country: str = ""
    counterparties: tuple[str, ...] = ()
    identifiers: Mapping[str, str] = field(default_factory=dict)


def subject_of_ours(ours: Ours) -> Subject:
    return Subject(
        key=(ours.kind, ours.id),
        names=_names(ours.name, *ours.aliases),
        technologies=ours.technologies,
        capacity_mw=_positive(ours.capacity_mw),
        basis=ours.basis,
        point=point_of(ours.latitude, ours.longitude),
        country=ours.country,
        operators=_operators(*ours.counterparties),
        identifiers=_identifiers(ours.identifiers),
    )


def subject_of_entry(entry: Entry) -> Subject:
    submitted = entry.dates.get("submitted")
    return Subject(
        key=entry.key,
        names=_names(entry.name),
        technologies=_technologies(entry),
        capacity_mw=_positive(entry.capacity_mw),
        basis=entry.basis,
        point=point_of(entry.latitude, entry.longitude),
        is_approximate=entry.is_approximate,
        country=entry.country,
        operators=() if entry.is_private else _operators(entry.operator, *entry.aliases),
        identifiers=_identifiers(entry.identifiers),
        linked=frozenset(entry.superseded_by),
        group=(entry.raw_status.casefold(), str(submitted.year) if submitted else ""),
    )


def _technologies(entry: Entry) -> frozenset[str]:
    """The register's own word where we have no code for it: it is still another technology."""
    return frozenset([entry.technology or fold(entry.raw_technology)]) - {""}


def _identifiers(texts: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """By kind; a text may have several, and “-” for one that is not known."""
    found = {kind: frozenset(text.split()) - {"-"} for kind, text in texts.items()}
    return {kind: numbers for kind, numbers in found.items() if numbers}


def _names(*texts: str) -> tuple[Name, ...]:
    return tuple(parse_name(text) for text in dict.fromkeys(texts))


def _operators(*texts: str) -> tuple[Company, ...]:
    return tuple(dict.fromkeys(one for text in texts for one in parse_operators(text)))


def _positive(capacity: Decimal | None) -> float | None:
    """None for what is no size of a plant: registers have 0 and, of a decrease, less."""
    return float(capacity) if capacity and capacity > 0 else None


def point_of(latitude: Decimal | None, longitude: Decimal | None) -> Point | None:
    if latitude is None or longitude is None:
        return None
    return float(latitude), float(longitude)
