"""What the projects of a register are now: as the newest edition says that has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import date
from itertools import groupby, pairwise
from operator import itemgetter
from uuid import UUID

from django.db import connection, transaction

from oegen.core.fields import own_field
from pipelines.models import Stage
from pipelines.registers.editions.companies import link_companies
from pipelines.registers.models import Register, RegisterProject, RegisterState, Sighting
from pipelines.registers.models.edition import stored_editions
from pipelines.registers.models.project import DESCRIBED

#: The rank of a project that is no stage's any more, behind that of all stages.
_ENDED = 1_000_000

#: A sighting: the place of its edition among all, the state, and the rank of its stage.
_Seen = tuple[int, UUID, int]


@dataclass(frozen=True)
class Presence:
    """What follows from the sightings of a project; the names are those of the columns."""

    state_id: UUID | None = None
    first_seen_on: date | None = None
    last_seen_on: date | None = None
    is_vanished: bool = False
    came_back_on: date | None = None
    went_back_on: date | None = None


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
    orders = dict(Stage.objects.values_list("pk", "order"))
    rows = (
        Sighting.objects.filter(contents__in=list(places), state__project__register=register)
        .order_by("state__project_id")
        .values_list("state__project_id", "contents", "state_id", "state__stage_id")
    )
    for key, several in groupby(rows.iterator(), key=itemgetter(0)):
        seen = sorted(
            (places[contents], state, orders.get(stage, _ENDED))
            for _, contents, state, stage in several
        )
        yield key, _presence(seen, days)


def _presence(seen: list[_Seen], days: list[date]) -> Presence:
    came_back = went_back = None
    for (place, _, rank), (next_place, _, next_rank) in pairwise(seen):
        if next_place > place + 1:
            came_back = days[next_place]
        if next_rank < rank:
            went_back = days[next_place]
    last, state, _ = seen[-1]
    return Presence(
        state_id=state,
        first_seen_on=days[seen[0][0]],
        last_seen_on=days[last],
        is_vanished=last < len(days) - 1,
        came_back_on=came_back,
        went_back_on=went_back,
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
