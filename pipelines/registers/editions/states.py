"""Entries of an adapter as states of projects, with keys that follow from what they say."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from oegen.core.text import name_key
from oegen.imports.tables.lookups import Lookups
from pipelines.models import Stage, Technology
from pipelines.registers.adapters.base import DATES, Entry, Row, Unreadable
from pipelines.registers.models import Register, RegisterState, Reject

#: Where a text is cut that is longer than its column.
_LIMITS = {
    field.attname: field.max_length
    for field in RegisterState._meta.concrete_fields
    if getattr(field, "max_length", None)
}

_MAX_KEY = 200

_LARGEST_MW = Decimal(10) ** 9


@dataclass
class Contents:
    """What a file holds: ``states`` with the line of each, and the rows that are none."""

    states: list[tuple[RegisterState, int]] = field(default_factory=list)
    keys: dict[uuid.UUID, str] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)

    @property
    def state_ids(self) -> set[uuid.UUID]:
        return {state.pk for state, _ in self.states}


def _technology_of(entry: Entry, lookups: Lookups) -> uuid.UUID | None:
    """By the code; else by the register's word, which may be a name of one of ours."""
    rows = lookups.rows(Technology)
    found = rows.get(name_key(entry.technology)) or rows.get(name_key(entry.raw_technology))
    return found.pk if found else None


def _stage_of(entry: Entry, lookups: Lookups) -> uuid.UUID | None:
    found = lookups.rows(Stage).get(name_key(entry.stage))
    return found.pk if found else None


def project_id(register: Register, key: str) -> uuid.UUID:
    return uuid.uuid5(register.pk, key)


def read_contents(register: Register, rows: Iterable[Row]) -> Contents:
    """Keys that are longer than the column are rejected, as are repeated ones."""
    lookups, contents = Lookups(), Contents()
    for row in rows:
        if isinstance(row, Unreadable):
            contents.rejects.append(_reject(row.row, row.reason, row.text))
            continue
        key = project_id(register, row.key)
        if len(row.key) > _MAX_KEY:
            reason = f"The reference has {len(row.key):,} characters: at most {_MAX_KEY} are kept."
            contents.rejects.append(_reject(row.row, reason, row.key))
        elif key in contents.keys:
            reason = f"The reference {row.key} stands in the edition already."
            contents.rejects.append(_reject(row.row, reason, row.key))
        else:
            contents.keys[key] = row.key
            contents.states.append((_state(key, row, lookups), row.row))
    return contents


def _reject(row: int, reason: str, text: str) -> Reject:
    return Reject(row=row, reason=reason, text=text[: Reject.MAX_TEXT])


def _state(project: uuid.UUID, entry: Entry, lookups: Lookups) -> RegisterState:
    remarks = list(entry.remarks)
    capacity = entry.capacity_mw
    if capacity is not None and abs(capacity) >= _LARGEST_MW:
        remarks.append(f"A capacity of {capacity:f} MW can't be meant.")
        capacity = None
    values: dict[str, Any] = {
        "name": entry.name,
        "operator": entry.operator,
        "technology_id": _technology_of(entry, lookups),
        "raw_technology": entry.raw_technology,
        "capacity_mw": None if capacity is None else round(capacity, 3),
        "capacity_basis": entry.basis if capacity is not None else "",
        "latitude": entry.latitude,
        "longitude": entry.longitude,
        "is_approximate": entry.is_approximate,
        "country": entry.country,
        "region": entry.region,
        "place": entry.place,
        "raw_status": entry.raw_status,
        "stage_id": _stage_of(entry, lookups),
        "outcome": str(entry.outcome),
        **{f"{code}_on": entry.dates.get(code) for code in DATES},
        "identifiers": dict(entry.identifiers),
        "superseded_by": list(entry.superseded_by),
        "storage_with": list(entry.storage_with),
        "remarks": remarks,
        "is_private": entry.is_private,
        "raw": dict(entry.raw),
    }
    for name, value in values.items():
        if isinstance(value, str):
            values[name] = value.replace("\x00", "")[: _LIMITS.get(name)]
    digest = _digest(values)
    return RegisterState(
        pk=uuid.uuid5(project, digest), project_id=project, digest=digest, **values
    )


def _digest(values: dict[str, Any]) -> str:
    text = json.dumps(values, sort_keys=True, default=_as_text, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _as_text(value: Any) -> str:
    """Equal for equal numbers: 40 and 40.00."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
