"""The history of a project of a register, edition by edition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.text import capfirst

from oegen.core import clock
from oegen.core.fields import own_field
from oegen.core.words import day, plain
from pipelines.registers.adapters.base import DATES
from pipelines.registers.models import RegisterProject, RegisterState, Sighting
from pipelines.registers.models.edition import stored_editions

#: The columns whose changes are told, in that order.
_TOLD = (
    *("raw_status", "capacity_mw", "name", "operator", "raw_technology"),
    *(f"{code}_on" for code in DATES),
    *("latitude", "longitude", "region", "place"),
)


@dataclass(frozen=True)
class FieldChange:
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Entry:
    """What an edition said. ``is_first``: no earlier one has the project; ``is_gone``: it does not,
    and the one before had it; ``is_back``: it has it again."""

    date: date
    state: RegisterState | None
    is_first: bool = False
    is_gone: bool = False
    is_back: bool = False
    changes: list[FieldChange] = field(default_factory=list)

    @property
    def is_telling(self) -> bool:
        return bool(self.is_first or self.is_gone or self.is_back or self.changes)


def history_of(project: RegisterProject) -> list[Entry]:
    """What each edition up to the effective day said, the newest first; without those that only
    repeat the one before."""
    editions = stored_editions(project.register, clock.past_day())
    rows = Sighting.objects.filter(
        contents__in=[contents for contents, _ in editions], state__project=project
    ).values_list("contents", "state")
    found = dict(rows)
    states = RegisterState.objects.defer("raw").in_bulk(set(found.values()))
    days = [(day, states.get(found.get(contents))) for contents, day in editions]
    return [entry for entry in reversed(list(_entries(days))) if entry.is_telling]


def _entries(days: list[tuple[date, RegisterState | None]]) -> Iterator[Entry]:
    known = before = None
    for when, state in days:
        if state is None:
            yield Entry(when, None, is_gone=before is not None)
        elif known is None:
            yield Entry(when, state, is_first=True)
        else:
            changes = [] if state.pk == known.pk else list(_changes(known, state))
            yield Entry(when, state, is_back=before is None, changes=changes)
        before, known = state, state or known


def _changes(before: RegisterState, after: RegisterState) -> Iterator[FieldChange]:
    for name in _TOLD:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            label = capfirst(str(own_field(RegisterState, name).verbose_name))
            yield FieldChange(label, _text(old), _text(new))


def _text(value: Any) -> str:
    if isinstance(value, date):
        return day(value)
    return plain(value) if not isinstance(value, str) else value
