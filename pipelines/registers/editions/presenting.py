"""What the projects of a register are now: as the newest edition says that has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby, pairwise
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction

from oegen.core.fields import own_field
from pipelines.models import Stage
from pipelines.registers.editions.companies import link_companies
from pipelines.registers.models import Register, RegisterProject, RegisterState, Sighting
from pipelines.registers.models.edition import stored_editions
from pipelines.registers.models.project import DESCRIBED
from pipelines.registers.phases import phase_of

#: The rank of a project that is no stage's any more, behind that of all stages.
_ENDED = 1_000_000


class _Seen(NamedTuple):
    """A sighting: the place of its edition among all, the state, and what that says."""

    place: int
    state: UUID
    rank: int
    phase: str
    capacity_mw: Decimal | None


@dataclass(frozen=True)
class Presence:
    """What follows from the sightings of a project; the names are those of the columns."""

    state_id: UUID | None = None
    first_seen_on: date | None = None
    last_seen_on: date | None = None
    is_vanished: bool = False
    came_back_on: date | None = None
    went_back_on: date | None = None
    phase: str = ""
    previous_phase: str = ""
    previous_mw: Decimal | None = None


_COLUMNS = tuple(Presence.__annotations__)


def present(register: Register) -> int:
    """Set the projects of the register to what the sightings of its editions say; returns how many
    were changed."""
    stored = {
        key: Presence(*values)
        for key, *values in RegisterProject.objects.filter(register=register)
        .values_list("pk", *_COLUMNS)
        .iterator()
    }
    now = dict.fromkeys(stored, Presence()) | dict(_presences(register))
    changed = {key: found for key, found in now.items() if found != stored[key]}
    moved = [key for key, found in changed.items() if found.state_id != stored[key].state_id]
    with transaction.atomic(savepoint=False):
        _store(changed)
        _describe(register)
        link_companies(moved)
    return len(changed)


def _presences(register: Register) -> Iterator[tuple[UUID, Presence]]:
    editions = stored_editions(register)
    places = {key: place for place, (key, _) in enumerate(editions)}
    days = [day for _, day in editions]
    stages = {
        key: (code, order) for key, code, order in Stage.objects.values_list("pk", "code", "order")
    }
    rows = (
        Sighting.objects.filter(contents__in=list(places), state__project__register=register)
        .order_by("state__project_id")
        .values_list(
            *("state__project_id", "contents", "state_id"),
            *("state__stage_id", "state__outcome", "state__capacity_mw"),
        )
    )
    for key, several in groupby(rows.iterator(), key=itemgetter(0)):
        seen = []
        for _, contents, state, stage, outcome, capacity in several:
            code, rank = stages.get(stage, ("", _ENDED))
            seen.append(_Seen(places[contents], state, rank, phase_of(outcome, code), capacity))
        yield key, _presence(sorted(seen, key=itemgetter(0)), days)


def _presence(seen: list[_Seen], days: list[date]) -> Presence:
    came_back = went_back = None
    for one, following in pairwise(seen):
        if following.place > one.place + 1:
            came_back = days[following.place]
        if following.rank < one.rank:
            went_back = days[following.place]
    last, newest = seen[-1], len(days) - 1
    is_vanished = last.place < newest
    # The first edition changed nothing.
    before = max(newest - 1, 0)
    previous = next((one for one in seen[-2:] if one.place == before), None)
    return Presence(
        state_id=last.state,
        first_seen_on=days[seen[0].place],
        last_seen_on=days[last.place],
        is_vanished=is_vanished,
        came_back_on=came_back,
        went_back_on=went_back,
        phase="" if is_vanished else last.phase,
        previous_phase=previous.phase if previous else "",
        previous_mw=previous.capacity_mw if previous else None,
    )


def _store(changed: dict[UUID, Presence]) -> None:
    if not changed:
        return
    fields = [own_field(RegisterProject, name.removesuffix("_id")) for name in _COLUMNS]
    key = RegisterProject._meta.pk
    values = [
        (
            *(
                field.get_db_prep_save(value, connection)
                for field, value in zip(fields, astuple(presence), strict=True)
            ),
            key.get_db_prep_save(pk, connection),
        )
        for pk, presence in changed.items()
    ]
    columns = ", ".join(f'"{name}" = %s' for name in _COLUMNS)
    table = f'"{RegisterProject._meta.db_table}"'
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {table} SET {columns} WHERE id = %s", values)  # noqa: S608


def _describe(register: Register) -> None:
    """Copy the columns of the states to the projects that say otherwise."""
    projects, states = RegisterProject._meta.db_table, RegisterState._meta.db_table
    columns = ", ".join(f'"{name}" = said."{name}"' for name in DESCRIBED)
    key = own_field(RegisterProject, "register").get_db_prep_save(register.pk, connection)
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{projects}" SET {columns} FROM "{states}" AS said '  # noqa: S608
            f'WHERE said.id = "{projects}".state_id AND "{projects}".register_id = %s '
            f'AND said.digest <> "{projects}".digest',
            [key],
        )
