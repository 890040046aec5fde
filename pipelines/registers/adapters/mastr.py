"""Germany's Marktstammdatenregister, as its extended list of units is exported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

from oegen.imports.tables.readings import COMMA, DMY
from pipelines.registers.adapters.base import (
    PRIVATE_INDIVIDUAL,
    Adapter,
    Entry,
    Row,
    Unreadable,
)
from pipelines.registers.adapters.links import find_dated_table
from pipelines.registers.adapters.mastr_projects import Unit, as_project, group_units
from pipelines.registers.adapters.operators import shown_operator
from pipelines.registers.adapters.people import may_be_person
from pipelines.registers.adapters.tables import Source, read_rows
from pipelines.registers.choices import RegisterOutcome as Outcome

_KEY, _NAME, _STATUS = (
    "MaStR-Nr. der Einheit",
    "Anzeige-Name der Einheit",
    "Betriebs-Status",
)
_SOURCE, _GROSS, _NET = (
    "Energieträger",
    "Bruttoleistung der Einheit",
    "Nettonennleistung der Einheit",
)
_LATITUDE, _LONGITUDE = (
    "Koordinate: Breitengrad (WGS84)",
    "Koordinate: Längengrad (WGS84)",
)
_PARK, _OPERATOR, _OPERATOR_NUMBER = (
    "Name des Windparks",
    "Name des Anlagenbetreibers (nur Org.)",
    "MaStR-Nr. des Anlagenbetreibers",
)
_CONSENT, _KIND = "MaStR-Nr. der Genehmigung", "Lage der Einheit"
_REGISTERED = "Registrierungsdatum der Einheit"
_MUNICIPALITY, _DISTRICT, _STATE = "Gemeinde", "Landkreis", "Bundesland"

_DAYS: Mapping[str, str] = {
    "operational": "Inbetriebnahmedatum der Einheit",
    "expected": "Datum der geplanten Inbetriebnahme",
    "decommissioned": "Datum der endgültigen Stilllegung",
}

#: Where a unit stands to the house, which nobody needs and a private individual must not be found
#: by.
_PARCEL = frozenset({"Straße", "Hausnummer", "Gemarkung", "Flurstück"})
_PERSONAL = _PARCEL | {
    *(_NAME, _OPERATOR, _OPERATOR_NUMBER, _LATITUDE, _LONGITUDE, "Postleitzahl", "Ort"),
}

_HEADINGS = (
    *(_KEY, _NAME, _STATUS, _SOURCE, _GROSS, _NET, _LATITUDE, _LONGITUDE, _PARK, _OPERATOR),
    *(_OPERATOR_NUMBER, _CONSENT, _KIND, _REGISTERED, _MUNICIPALITY, _DISTRICT, _STATE),
    *("Postleitzahl", "Ort", *_PARCEL, *_DAYS.values(), "Zuschlagnummer (EEG/KWK-Ausschreibung)"),
)

_STATUSES: Mapping[str, tuple[str, Outcome]] = {
    "in planung": ("design", Outcome.ACTIVE),
    "in betrieb": ("completed", Outcome.BUILT),
    "vorübergehend stillgelegt": ("completed", Outcome.ON_HOLD),
    "endgültig stillgelegt": ("", Outcome.GONE),
}
#: The stage of a planned unit that has its consent.
_CONSENTED = "procurement"

_SOLAR = "solare strahlungsenergie"
_TECHNOLOGIES: Mapping[str, str] = {_SOLAR: "solar", "wasser": "hydro", "speicher": "bess"}
_WIND = {"windkraft an land": "onshore-wind", "windkraft auf see": "offshore-wind"}

_KW = Decimal("0.001")


def read(path: Path, on: date) -> Iterator[Row]:
    """The units of one park, or of one operator at one place, are one project."""
    units = []
    for found in read_units(path):
        if isinstance(found, Unreadable):
            yield found
        else:
            units.append(found)
    for group in group_units(units):
        yield as_project(group)


def read_units(path: Path) -> Iterator[Unit | Unreadable]:
    seen: dict[str, int] = {}
    for source in read_rows(path, _HEADINGS, required=(_KEY, _STATUS, _GROSS)):
        if source.error:
            yield Unreadable(source.row, source.error, source.as_text())
            continue
        key = source.get(_KEY)
        if not key:
            reason = f"The row has no {_KEY}, so nothing says which unit it is."
            yield Unreadable(source.row, reason, _text(source))
            continue
        if key in seen:
            reason = f"The unit {key} stands in line {seen[key]} already."
            yield Unreadable(source.row, reason, _text(source))
            continue
        seen[key] = source.row
        yield _unit(source, key)


def _text(source: Source) -> str:
    """The row for the list of rejected ones, without what tells where a private individual is."""
    operator = source.get(_OPERATOR)
    is_whole = operator and shown_operator(operator).text == operator
    return source.as_text(_PARCEL if is_whole else _PERSONAL)


def _unit(source: Source, key: str) -> Unit:
    operator = shown_operator(source.known(_OPERATOR))
    is_private = operator.is_private or not operator.text
    stage, outcome = _stage(source)
    energy = source.get(_SOURCE).casefold()
    park = source.known(_PARK)
    registered = source.day(_REGISTERED, DMY)
    dates = {
        code: day
        for code, heading in _DAYS.items()
        if (day := source.day(heading, DMY)) is not None
    }
    latitude = source.number(_LATITUDE, COMMA)
    longitude = source.number(_LONGITUDE, COMMA)
    if (latitude is None) != (longitude is None):
        source.remark("One of the two coordinates is missing.")
        latitude = longitude = None
    entry = Entry(
        key=key,
        row=source.row,
        name=_unit_name(source, is_private=is_private),
        operator=PRIVATE_INDIVIDUAL if is_private else operator.text,
        aliases=operator.aliases,
        technology=_TECHNOLOGIES.get(energy) or _wind(source, energy),
        raw_technology=source.get(_SOURCE),
        capacity_mw=_capacity(source, is_dc=energy == _SOLAR),
        basis="dc" if energy == _SOLAR else "ac",
        latitude=latitude,
        longitude=longitude,
        country="DE",
        region=source.get(_STATE),
        place=", ".join(filter(None, map(source.get, (_MUNICIPALITY, _DISTRICT)))),
        raw_status=source.get(_STATUS),
        stage=stage,
        outcome=outcome,
        dates=dates,
        identifiers={}
        if is_private or not source.known(_OPERATOR_NUMBER)
        else {"operator_number": source.get(_OPERATOR_NUMBER)},
        remarks=tuple(source.remarks),
        raw=source.kept(_PERSONAL if is_private else _PARCEL | {_OPERATOR}),
        is_private=is_private,
    )
    return Unit(
        entry=entry,
        park="" if is_private and may_be_person(park) else park,
        operator_number=source.known(_OPERATOR_NUMBER),
        registered=registered or date.max,
    )


def _unit_name(source: Source, *, is_private: bool) -> str:
    """The name of a private individual's unit may be its own."""
    if not is_private and (name := source.get(_NAME)):
        return name
    return f"{source.get(_SOURCE)} in {source.get(_MUNICIPALITY) or source.get(_STATE)}"


def _wind(source: Source, energy: str) -> str:
    return _WIND.get(source.get(_KIND).casefold(), "wind") if energy == "wind" else ""


def _capacity(source: Source, *, is_dc: bool) -> Decimal | None:
    """In MW: of modules for solar, else of what the generator gives."""
    kw = source.number(_GROSS if is_dc else _NET, COMMA)
    return None if kw is None else kw * _KW


def _stage(source: Source) -> tuple[str, Outcome]:
    found = _STATUSES.get(source.get(_STATUS).casefold())
    if found is None:
        source.remark(
            f"The status “{source.get(_STATUS)}” is not known here, so the unit has no stage."
        )
        return "", Outcome.ACTIVE
    stage, outcome = found
    if stage == "design" and source.known(_CONSENT):
        return _CONSENTED, outcome
    return stage, outcome


MASTR = Adapter(
    code="mastr",
    name="Marktstammdatenregister",
    publisher="Bundesnetzagentur",
    country="DE",
    licence_name="Datenlizenz Deutschland – Namensnennung – Version 2.0",
    licence_url="https://www.govdata.de/dl-de/by-2-0",
    attribution="Bundesnetzagentur, Marktstammdatenregister, dl-de/by-2-0",
    changes_note=(
        "Units are grouped to projects, kW were converted to MW, streets and parcels and all that "
        "names private individuals are left out."
    ),
    read=read,
    index_url="https://www.marktstammdatenregister.de/MaStR/Datendownload",
    find_newest=find_dated_table,
    by_hand=(
        "The publisher offers the whole register as one archive, which is too large to be read "
        "here. Export the units that matter from the extended list of units (Erweiterte "
        "Einheitenübersicht) as CSV, and give that file."
    ),
)
