"""The projects as the editions up to a past day have them, for past pages (``oegen.asof``)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db import connection, models

from oegen import asof
from oegen.core import clock, sql
from oegen.core.fields import own_field
from pipelines.models import Stage
from pipelines.registers.models import Register, RegisterProject, RegisterState, Sighting
from pipelines.registers.models.edition import stored_editions
from pipelines.registers.models.project import DESCRIBED
from pipelines.registers.phases import phase_sql


def past_projects() -> str | None:
    """A SELECT of the projects on the past day; None if they are as today.

    The companies that projects are linked to stay those of today, so that a project which was sold
    does not look like one that was built.
    """
    day = clock.past_day()
    if day is None:
        return None
    parts, has_changed = [], False
    for register in Register.objects.order_by("pk"):
        editions = stored_editions(register)
        until = [one for one in editions if one[1] <= day]
        if until == editions:
            parts.append(_as_today(register))
        else:
            has_changed = True
            parts.append(_of_editions(until, day))
    return " UNION ALL ".join(parts) if has_changed else None


def _as_today(register: Register) -> str:
    columns = ", ".join(f'"{field.column}"' for field in RegisterProject._meta.concrete_fields)
    key = _literal(own_field(RegisterProject, "register"), register.pk)
    table = asof.stored_table(RegisterProject)
    return f"SELECT {columns} FROM {table} WHERE register_id = {key}"  # noqa: S608


def _of_editions(editions: list[tuple[UUID, date]], day: date) -> str:
    """The editions are the oldest first."""
    newest = len(editions) - 1
    states, stages = asof.stored_table(RegisterState), asof.table(Stage)
    presented = {
        "state_id": "seen.state_id",
        "last_seen_on": "seen.date",
        "is_vanished": f"seen.place < {newest}",
        "phase": f"CASE WHEN seen.place = {newest} "
        f"THEN {phase_sql('said.outcome', 'stages.code')} ELSE '' END",
        "previous_phase": phase_sql("before.outcome", "stages_before.code"),
        "previous_mw": "before.capacity_mw",
        **{
            name: f"CASE WHEN projects.{name} <= {sql.date_literal(day)} THEN projects.{name} END"
            for name in ("came_back_on", "went_back_on")
        },
        **{name: f'said."{name}"' for name in DESCRIBED},
    }
    columns = ", ".join(
        f'{presented.get(field.column, f"projects.{field.column}")} AS "{field.column}"'
        for field in RegisterProject._meta.concrete_fields
    )
    before = max(newest - 1, 0)
    # CROSS JOIN, because SQLite would otherwise look for each project among all sightings.
    return f"""
        SELECT {columns} FROM (
            WITH editions (contents, place, date) AS ({_rows(editions)})
            SELECT states.project_id, states.id AS state_id, editions.place, editions.date,
                ROW_NUMBER() OVER backwards AS back,
                CASE {before} WHEN editions.place THEN states.id
                    WHEN LEAD(editions.place) OVER backwards THEN LEAD(states.id) OVER backwards
                END AS before_id
            FROM editions
            CROSS JOIN {asof.stored_table(Sighting)} AS sightings
            JOIN {states} AS states ON states.id = sightings.state_id
            WHERE sightings.contents = editions.contents
            WINDOW backwards AS (PARTITION BY states.project_id ORDER BY editions.place DESC)
        ) AS seen
        CROSS JOIN {asof.stored_table(RegisterProject)} AS projects
        CROSS JOIN {states} AS said
        LEFT JOIN {stages} AS stages ON stages.id = said.stage_id
        LEFT JOIN {states} AS before ON before.id = seen.before_id
        LEFT JOIN {stages} AS stages_before ON stages_before.id = before.stage_id
        WHERE seen.back = 1 AND projects.id = seen.project_id AND said.id = seen.state_id
    """  # noqa: S608


def _rows(editions: list[tuple[UUID, date]]) -> str:
    contents = own_field(Sighting, "contents")
    rows = [
        f"SELECT {_literal(contents, key)}, {place}, {sql.date_literal(day)}"
        for place, (key, day) in enumerate(editions)
    ]
    none = f"SELECT {_literal(contents, UUID(int=0))}, 0, {sql.date_literal(date.min)} WHERE FALSE"
    return " UNION ALL ".join(rows or [none])


def _literal(field: models.Field, value: UUID) -> str:
    """The key as SQL: views take no parameters."""
    text = f"'{field.get_db_prep_value(value, connection)}'"
    return f"CAST({text} AS uuid)" if connection.vendor == "postgresql" else text
