"""Who last wrote what of pipelines between two moments, when and why: read from their history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import F

from dashboard.metrics.portfolio import Values, fetch, uuid_of
from oegen import audit
from oegen.asof import table
from oegen.models import AuditedModel
from pipelines.models import Facility, Pipeline, PipelineFacility, Technology

#: Aspects of a pipeline, and the column of each. Besides there are "added",
#: "removed", "size", which its facilities say, and "basis", which their technologies do.
COLUMNS = {
    "stage": "stage_id",
    "hold": "on_hold",
    "outcome": "outcome",
    "rtb": "rtb_date",
    "rag": "rag_status",
    "name": "project_name",
}
SIZES = ("capacity_mw", "storage_mwh", "technology_id")


@dataclass(frozen=True)
class Written:
    """``change_set`` is its number. "" is the system, or no reason."""

    person: str
    reason: str
    when: datetime
    change_set: int
    #: The technology's name, if its basis changed.
    technology: str = ""


def last_writings(
    pipelines: str, facts: str, since: datetime, until: datetime, *, with_basis: bool = False
) -> dict[tuple[UUID, str], Written]:
    """By pipeline and what was written, from ``since`` on and before ``until``.

    ``pipelines`` is SQL that selects their ids; ``facts`` is the table of the portfolio at the
    end, which knows their facilities. ``with_basis`` also finds who changed the capacity basis of
    their technologies.
    """
    moments = tuple(map(connection.ops.adapt_datetimefield_value, (since, until)))
    found: dict[tuple[UUID, str], tuple[type[AuditedModel], int]] = {}
    for key, kind, history_id, *is_written in _pipeline_rows(pipelines, *moments):
        what = {audit.CREATED: "added", audit.REMOVED: "removed"}.get(kind)
        names = [name for name, one in zip(COLUMNS, is_written, strict=True) if one]
        for name in [*names, *filter(None, [what])]:
            found[uuid_of(key), name] = Pipeline, history_id
    for key, is_link, history_id in _size_rows(pipelines, facts, *moments):
        found[uuid_of(key), "size"] = (PipelineFacility if is_link else Facility), history_id
    if with_basis:
        for key, history_id in _basis_rows(pipelines, facts, *moments):
            found[uuid_of(key), "basis"] = Technology, history_id
    described = _described(set(found.values()))
    return {key: described[row] for key, row in found.items()}


def _pipeline_rows(pipelines: str, since: object, until: object) -> list[Values]:
    """The rows that wrote something, oldest first."""
    names = [f"{name}_written" for name in COLUMNS]
    written = map(_is_written, COLUMNS.values(), names)
    return fetch(
        f"""
        SELECT id, history_type, history_id, {", ".join(names)}
        FROM (
            SELECT id, history_type, history_id, history_date, {", ".join(written)}
            FROM {_history_of(Pipeline)} WHERE history_date < %s AND id IN ({pipelines})
            WINDOW record AS (PARTITION BY id ORDER BY history_date, history_id)
        ) AS found
        WHERE history_date >= %s
            AND (history_type <> '{audit.CHANGED}' OR {" + ".join(names)} > 0)
        ORDER BY history_date, history_id
        """,
        (until, since),
    )


def _size_rows(pipelines: str, facts: str, since: object, until: object) -> list[Values]:
    """The last row of each pipeline that gave it a facility, took one away, or gave one that it
    has another size."""
    names = [f"{name}_written" for name in SIZES]
    written = map(_is_written, SIZES, names)
    return fetch(
        f"""
        WITH asked AS (SELECT id, facility_id FROM {facts} WHERE id IN ({pipelines})),
        sizes AS (
            SELECT id, history_id, history_date, {", ".join(written)}
            FROM {_history_of(Facility)}
            WHERE history_date < %s AND id IN (SELECT facility_id FROM asked)
            WINDOW record AS (PARTITION BY id ORDER BY history_date, history_id)
        ),
        written AS (
            SELECT pipeline_id, 1 AS is_link, history_id, history_date
            FROM {_history_of(PipelineFacility)}
            WHERE history_date >= %s AND history_date < %s AND pipeline_id IN ({pipelines})
            UNION ALL
            SELECT asked.id, 0, sizes.history_id, sizes.history_date
            FROM asked JOIN sizes ON sizes.id = asked.facility_id
            WHERE sizes.history_date >= %s AND {" + ".join(names)} > 0
        )
        SELECT pipeline_id, is_link, history_id
        FROM (
            SELECT written.*, ROW_NUMBER() OVER (
                PARTITION BY pipeline_id ORDER BY history_date DESC, is_link DESC, history_id DESC
            ) AS place
            FROM written
        ) AS placed
        WHERE place = 1
        """,
        (until, since, until, since),
    )


def _basis_rows(pipelines: str, facts: str, since: object, until: object) -> list[Values]:
    """For each pipeline the last row that gave a technology of its facilities another basis. What
    the set-up brought comes first, whatever its date."""
    return fetch(
        f"""
        WITH asked AS (
            SELECT DISTINCT id, technology_id FROM {facts}
            WHERE id IN ({pipelines}) AND technology_id IS NOT NULL
        ),
        bases AS (
            SELECT id, history_id, history_date, {_is_written("capacity_basis", "basis_written")}
            FROM {_history_of(Technology)}
            WHERE id IN (SELECT technology_id FROM asked)
            WINDOW record AS (PARTITION BY id ORDER BY version, history_id)
        )
        SELECT asked.id, MAX(history_id)
        FROM asked JOIN bases ON bases.id = asked.technology_id
        WHERE history_date >= %s AND history_date < %s AND basis_written > 0
        GROUP BY asked.id
        """,
        (since, until),
    )


def _history_of(model: type[AuditedModel]) -> str:
    return table(audit.history_model(model))


def _is_written(column: str, name: str) -> str:
    """SQL for 1 where the column differs from what the row before says, else 0."""
    value = f"COALESCE(CAST({column} AS TEXT), '')"
    return f"CASE WHEN {value} <> LAG({value}) OVER record THEN 1 ELSE 0 END AS {name}"


def _described(
    rows: set[tuple[type[AuditedModel], int]],
) -> dict[tuple[type[AuditedModel], int], Written]:
    found: dict[tuple[type[AuditedModel], int], Written] = {}
    for model in (Pipeline, PipelineFacility, Facility, Technology):
        ids = [history_id for of_model, history_id in rows if of_model is model]
        known = audit.history_model(model).objects.filter(history_id__in=ids)
        known = known.select_related("history_user").annotate(number=F("change_set__number"))
        for row in known:
            found[model, row.history_id] = Written(
                person=str(row.history_user or ""),
                reason=row.history_change_reason or "",
                when=row.history_date,
                change_set=row.number,
                technology=row.name if model is Technology else "",
            )
    return found
