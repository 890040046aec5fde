"""Registers that need no code: tables whose columns a mapping of the bulk import declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import models

from oegen.imports.tables.asking import LEAVE_OUT, About
from oegen.imports.tables.kinds import REFERENCE, ImportField, ImportKind
from oegen.imports.tables.lookups import Lookups
from oegen.imports.tables.mapping import Mapping as ColumnMapping
from oegen.imports.tables.mapping import MatchedColumns, match_columns
from oegen.imports.tables.reading import Table, UnreadableFileError, open_table
from oegen.imports.tables.rows import RowReader, RowValues
from oegen.imports.tables.values import Choice, Country, Day, Number, Row
from pipelines.models import Technology
from pipelines.registers.adapters import base
from pipelines.registers.adapters.base import DATES, Entry, Unreadable, squeeze
from pipelines.registers.adapters.operators import shown_operator
from pipelines.registers.choices import RegisterOutcome as Outcome
from pipelines.registers.models import Register


class DeclaredStatus(models.TextChoices):
    """What a mapping may take the statuses of a register for."""

    EARLY = "early", "Not applied for yet"
    APPLIED = "applied", "Applied for"
    CONSENTED = "consented", "Consented"
    ON_HOLD = "on-hold", "Consented, on hold"
    CONSTRUCTION = "construction", "Under construction"
    BUILT = "built", "In operation"
    REFUSED = "refused", "Refused"
    WITHDRAWN = "withdrawn", "Withdrawn"
    SUPERSEDED = "superseded", "Superseded by another project"
    GONE = "gone", "Decommissioned"


_STATUSES: Mapping[str, tuple[str, Outcome]] = {
    DeclaredStatus.EARLY: ("discovery", Outcome.ACTIVE),
    DeclaredStatus.APPLIED: ("design", Outcome.ACTIVE),
    DeclaredStatus.CONSENTED: ("procurement", Outcome.ACTIVE),
    DeclaredStatus.ON_HOLD: ("procurement", Outcome.ON_HOLD),
    DeclaredStatus.CONSTRUCTION: ("construction", Outcome.ACTIVE),
    DeclaredStatus.BUILT: ("completed", Outcome.BUILT),
    DeclaredStatus.REFUSED: ("", Outcome.REFUSED),
    DeclaredStatus.WITHDRAWN: ("", Outcome.WITHDRAWN),
    DeclaredStatus.SUPERSEDED: ("", Outcome.SUPERSEDED),
    DeclaredStatus.GONE: ("", Outcome.GONE),
}

#: What would identify a private individual.
_PERSONAL = frozenset({"operator", "name", "place", "latitude", "longitude"})

#: The fields that a mapping of a register may name. It is not offered for imports: the rows become
#: no records of ours.
ENTRIES = ImportKind(
    name="register-entries",
    model=Register,
    own_fields=(
        ImportField(name="name", label="Name", other_names=("Project", "Site", "Site name")),
        ImportField(name="operator", label="Operator", other_names=("Developer", "Applicant")),
        ImportField(name="technology", label="Technology", reads=Row(Technology)),
        ImportField(name="capacity_mw", label="Capacity", reads=Number("MW")),
        ImportField(name="latitude", label="Latitude", reads=Number("°", 6)),
        ImportField(name="longitude", label="Longitude", reads=Number("°", 6)),
        ImportField(name="country", label="Country", reads=Country()),
        ImportField(name="region", label="Region"),
        ImportField(name="place", label="Place", other_names=("Address", "Municipality")),
        ImportField(name="status", label="Status", reads=Choice(DeclaredStatus)),
        *(ImportField(name=code, label=label, reads=Day()) for code, label in DATES.items()),
    ),
)


def read_declared(
    path: Path, on: date, mapping: Mapping[str, Any], country: str
) -> Iterator[base.Row]:
    """The rows as the mapping (``oegen.imports.tables.mapping.Mapping`` as JSON) reads them; rows
    without a country are in ``country``. Columns that it does not name are left out.

    Raises UnreadableFileError for a mapping that does not fit the file.
    """
    table = open_table(path, path.name)
    matched = _match(table, ColumnMapping.from_json(dict(mapping)))
    basis = next(
        (one.reading.basis for one in matched.columns if one.field.name == "capacity_mw"), ""
    )
    headings = {one.field.name: one.heading or one.field.label for one in matched.columns}
    seen: dict[str, int] = {}
    for row in RowReader(table, matched, Lookups()).rows():
        key = squeeze(str(row.values.get(REFERENCE, "")))
        if row.plan.problems:
            yield Unreadable(row.number, row.plan.problems[0].message, "")
        elif row.is_left_out:
            yield Unreadable(row.number, "The mapping leaves rows with this value out.", _text(row))
        elif not key:
            reason = f"The row has no {headings[REFERENCE]}, so nothing says which project it is."
            yield Unreadable(row.number, reason, _text(row))
        elif key in seen:
            reason = f"The reference {key} stands in line {seen[key]} already."
            yield Unreadable(row.number, reason, _text(row))
        else:
            seen[key] = row.number
            yield _entry(row, key, headings, basis, country)


def _match(table: Table, mapping: ColumnMapping) -> MatchedColumns:
    # The references are the register's own, whatever the mapping says, or does not, of a source.
    mapping = replace(mapping, source=mapping.source or ENTRIES.name)
    matched = match_columns(table, ENTRIES, mapping, {})
    unnamed = {
        asked.key: LEAVE_OUT
        for asked in matched.questions
        if asked.about == About.COLUMN and any(one.value == LEAVE_OUT for one in asked.options)
    }
    if unnamed:
        matched = match_columns(table, ENTRIES, mapping, unnamed)
    if matched.questions:
        raise UnreadableFileError(f"{table.name}: {matched.questions[0].text}")
    if not any(one.field.name == REFERENCE for one in matched.columns):
        raise UnreadableFileError(
            f"{table.name}: the mapping names no column with the external reference, by which a "
            "project is known again in the next edition. Name one."
        )
    return matched


def _text(row: RowValues) -> str:
    """The row for the list of rejected ones, without what would name a private individual."""
    return "; ".join(f"{name}: {text}" for name, text in row.texts.items() if name not in _PERSONAL)


def _entry(
    row: RowValues, key: str, headings: Mapping[str, str], basis: str, country: str
) -> Entry:
    values, texts = row.values, row.texts
    operator = shown_operator(str(values.get("operator", "")))
    is_private = operator.is_private
    stage, outcome = _STATUSES.get(str(values.get("status", "")), ("", Outcome.ACTIVE))
    technology = values.get("technology")
    # What the register calls a technology is kept, and may be a name of one of ours later.
    failed = {name: text for name, text in row.failed.items() if name != "technology"}
    left_out = _PERSONAL if is_private else frozenset({"operator"})
    return Entry(
        key=key,
        row=row.number,
        name=squeeze(str(values.get("name", ""))) or key,
        operator=operator.text,
        aliases=operator.aliases,
        technology=technology.code if technology else "",
        raw_technology=squeeze(texts.get("technology", "")),
        capacity_mw=_decimal(values.get("capacity_mw")),
        basis=basis or "ac",
        latitude=_degrees(values, "latitude", is_private=is_private),
        longitude=_degrees(values, "longitude", is_private=is_private),
        is_approximate=is_private,
        country=str(values.get("country") or country),
        region=squeeze(str(values.get("region", ""))),
        place="" if is_private else squeeze(str(values.get("place", ""))),
        raw_status=squeeze(texts.get("status", "")),
        stage=stage,
        outcome=outcome,
        dates={code: values[code] for code in DATES if isinstance(values.get(code), date)},
        remarks=tuple(f"{headings[name]}: {message}" for name, message in failed.items()),
        raw={headings[name]: text for name, text in texts.items() if name not in left_out},
        is_private=is_private,
    )


def _decimal(value: Any) -> Decimal | None:
    return value if isinstance(value, Decimal) else None


def _degrees(values: Mapping[str, Any], name: str, *, is_private: bool) -> Decimal | None:
    """None unless both are given; a private individual's to a kilometre or so."""
    if not all(isinstance(values.get(one), Decimal) for one in ("latitude", "longitude")):
        return None
    return round(values[name], 2 if is_private else 6)
