"""What the newest edition of a register says, as matching needs it."""

from __future__ import annotations

from uuid import UUID

from pipelines.registers.adapters.base import Entry
from pipelines.registers.matching.subjects import Subject, subject_of_entry
from pipelines.registers.models import Register, RegisterProject

#: The identifiers whose numbers are keys of the register, too: of the units of a project, and of
#: the project that several of its rows belong to.
_PARTS = ("units", "project_id", "project_number")

_COLUMNS = (
    *("key", "name", "operator", "raw_technology", "capacity_mw", "capacity_basis"),
    *("latitude", "longitude", "is_approximate", "country", "raw_status", "submitted_on"),
    *("identifiers", "superseded_by", "is_private", "technology__code", "pk"),
)


def read_entries(register: Register) -> tuple[list[Subject], dict[str, UUID]]:
    """The projects that the newest edition has, and the id of each by its key."""
    subjects, ids = [], {}
    rows = RegisterProject.objects.filter(register=register).in_newest().order_by("key")
    for values in rows.values_list(*_COLUMNS, named=True).iterator():
        ids[values.key] = values.pk
        numbers = {kind: text for kind, text in values.identifiers.items() if kind not in _PARTS}
        parts = (values.identifiers.get(kind, "") for kind in _PARTS)
        numbers[register.code] = " ".join([values.key, *parts])
        subjects.append(
            subject_of_entry(
                Entry(
                    key=values.key,
                    name=values.name,
                    operator=values.operator,
                    technology=values.technology__code or "",
                    raw_technology=values.raw_technology,
                    capacity_mw=values.capacity_mw,
                    basis=values.capacity_basis,
                    latitude=values.latitude,
                    longitude=values.longitude,
                    is_approximate=values.is_approximate,
                    country=values.country,
                    raw_status=values.raw_status,
                    dates={"submitted": values.submitted_on} if values.submitted_on else {},
                    identifiers=numbers,
                    superseded_by=tuple(values.superseded_by),
                    is_private=values.is_private,
                )
            )
        )
    return subjects, ids
