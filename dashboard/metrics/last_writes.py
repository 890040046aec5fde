"""The last writes of pipelines between two moments, with person and reason, from the history."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F
from django.db.models.expressions import RawSQL

from oegen import audit
from oegen.asof import table
from oegen.audit.changesets import author_of
from oegen.core.database import key_set
from oegen.core.sql import Values, adapted, fetch, uuid_of
from oegen.models import AuditedModel
from pipelines.models import Facility, Pipeline, PipelineFacility, Technology

#: The aspects of a pipeline with a column of their own. The others are "added", "removed", "size",
#: from the facilities, and "basis", from their technologies.
COLUMNS = {
    "stage": "stage_id",
    "hold": "on_hold",
    "outcome": "outcome",
    "rtb": "rtb_date",
    "rag": "rag_status",
    "name": "project_name",
}
#: The columns of a facility that are its size.
SIZES = ("capacity_mw", "storage_mwh", "technology_id")


@dataclass(frozen=True)
class LastWrite:
    """A write. ``change_set`` is a number. ``person`` is empty for the system, ``token_name`` if no
    access token was used, ``reason`` if none was given."""

    person: str
    reason: str
    when: datetime
    change_set: int
    #: The technology's name, if its basis changed.
    technology: str = ""
    token_name: str = ""

    @property
    def author(self) -> str:
        """The person and the token, for display."""
        return author_of(self.person, self.token_name)


def last_writes(
    pipelines: Collection[UUID],
    facts: str,
    since: datetime,
    until: datetime,
    *,
    with_basis: bool = False,
) -> dict[tuple[UUID, str], LastWrite]:
    """The last write from ``since`` on and before ``until``, by pipeline and aspect.

    ``facts`` are the rows of the portfolio at the end, which has the facilities of the pipelines.
    ``with_basis`` includes changes of the capacity basis of their technologies.
    """
    # Not a subquery, of which PostgreSQL would not know how few it selects.
    keys, moments = key_set(pipelines), adapted(since, until)
    found: dict[tuple[UUID, str], tuple[type[AuditedModel], int]] = {}
    for key, kind, history_id, *flags in _pipeline_rows(keys, *moments):
        aspects = [name for name, is_written in zip(COLUMNS, flags, strict=True) if is_written]
        if kind != audit.CHANGED:
            aspects.append("added" if kind == audit.CREATED else "removed")
        for aspect in aspects:
            found[uuid_of(key), aspect] = Pipeline, history_id
    for key, is_link, history_id in _size_rows(keys, facts, *moments):
        found[uuid_of(key), "size"] = (PipelineFacility if is_link else Facility), history_id
    if with_basis:
        for key, history_id in _basis_rows(keys, facts, *moments):
            found[uuid_of(key), "basis"] = Technology, history_id
    writes = _read_writes(set(found.values()))
    return {key: writes[row] for key, row in found.items()}


def _pipeline_rows(keys: RawSQL, since: object, until: object) -> list[Values]:
    """The history rows that added, removed or changed something, oldest first."""
    names = [f"{name}_written" for name in COLUMNS]
    written = map(_is_written, COLUMNS.values(), names)
    return fetch(
        f"""
        SELECT id, history_type, history_id, {", ".join(names)}
        FROM (
            SELECT id, history_type, history_id, history_date, {", ".join(written)}
            FROM {_history_of(Pipeline)} WHERE history_date < %s AND id IN ({keys.sql})
            WINDOW record AS (PARTITION BY id ORDER BY history_date, history_id)
        ) AS found
        WHERE history_date >= %s
            AND (history_type <> '{audit.CHANGED}' OR {" + ".join(names)} > 0)
        ORDER BY history_date, history_id
        """,
        (until, *keys.params, since),
    )


def _size_rows(keys: RawSQL, facts: str, since: object, until: object) -> list[Values]:
    """The last history row of each pipeline that added, removed or resized one of its
    facilities."""
    names = [f"{name}_written" for name in SIZES]
    written = map(_is_written, SIZES, names)
    return fetch(
        f"""
        WITH pipelines (id) AS ({keys.sql}),
        selected AS (
            SELECT id, facility_id FROM {facts} AS facts WHERE id IN (SELECT id FROM pipelines)
        ),
        sizes AS (
            SELECT id, history_id, history_date, {", ".join(written)}
            FROM {_history_of(Facility)}
            WHERE history_date < %s AND id IN (
                SELECT id FROM {_history_of(Facility)}
                WHERE history_date >= %s AND history_date < %s
                    AND id IN (SELECT facility_id FROM selected)
            )
            WINDOW record AS (PARTITION BY id ORDER BY history_date, history_id)
        ),
        written AS (
            SELECT pipeline_id, 1 AS is_link, history_id, history_date
            FROM {_history_of(PipelineFacility)}
            WHERE history_date >= %s AND history_date < %s
                AND pipeline_id IN (SELECT id FROM pipelines)
            UNION ALL
            SELECT selected.id, 0, sizes.history_id, sizes.history_date
            FROM selected JOIN sizes ON sizes.id = selected.facility_id
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
        (*keys.params, until, since, until, since, until, since),
    )


def _basis_rows(keys: RawSQL, facts: str, since: object, until: object) -> list[Values]:
    """The last history row of each pipeline that changed the basis of a technology of its
    facilities. Rows are ordered by version, because those of the set-up may have a later date."""
    return fetch(
        f"""
        WITH selected AS (
            SELECT DISTINCT id, technology_id FROM {facts} AS facts
            WHERE id IN ({keys.sql}) AND technology_id IS NOT NULL
        ),
        bases AS (
            SELECT id, history_id, history_date, {_is_written("capacity_basis", "basis_written")}
            FROM {_history_of(Technology)}
            WHERE id IN (SELECT technology_id FROM selected)
            WINDOW record AS (PARTITION BY id ORDER BY version, history_id)
        )
        SELECT selected.id, MAX(history_id)
        FROM selected JOIN bases ON bases.id = selected.technology_id
        WHERE history_date >= %s AND history_date < %s AND basis_written > 0
        GROUP BY selected.id
        """,
        (*keys.params, since, until),
    )


def _history_of(model: type[AuditedModel]) -> str:
    return table(audit.history_model(model))


def _is_written(column: str, name: str) -> str:
    """SQL for 1 where the column differs from that of the previous row, else 0."""
    value = f"COALESCE(CAST({column} AS TEXT), '')"
    return f"CASE WHEN {value} <> LAG({value}) OVER record THEN 1 ELSE 0 END AS {name}"


def _read_writes(
    rows: set[tuple[type[AuditedModel], int]],
) -> dict[tuple[type[AuditedModel], int], LastWrite]:
    found: dict[tuple[type[AuditedModel], int], LastWrite] = {}
    for model in (Pipeline, PipelineFacility, Facility, Technology):
        ids = [history_id for row_model, history_id in rows if row_model is model]
        history = audit.history_model(model).objects.filter(history_id__in=ids)
        history = history.select_related("history_user").annotate(
            number=F("change_set__number"), token_name=F("change_set__token_name")
        )
        for row in history:
            found[model, row.history_id] = LastWrite(
                person=str(row.history_user or ""),
                token_name=row.token_name,
                reason=row.history_change_reason or "",
                when=row.history_date,
                change_set=row.number,
                technology=row.name if model is Technology else "",
            )
    return found
