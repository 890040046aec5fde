"""History rows as entries need them: with the rows that precede them, and their change sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Case, F, When

from oegen import audit
from oegen.audit.changesets import ChangeSet
from oegen.audit.registry import Row
from oegen.core.compiled import compiled, one_of, records_by_key
from oegen.core.sql import fetch


@dataclass(frozen=True)
class Written:
    """What entries show of their change set. ``details`` is None for imports, whose details may be
    long and are shown on the page of the change set."""

    number: int
    source: str
    token_name: str
    details: dict[str, Any] | None


def change_sets_of(keys: Iterable[Any]) -> dict[Any, Written]:
    return {key: Written(*values) for key, *values in _written(keys=set(keys))}


@compiled
def _written(*, keys: Any) -> models.QuerySet[Any]:
    details = Case(
        When(source=audit.Source.IMPORT, then=None),
        default=F("details"),
        output_field=models.JSONField(null=True),
    )
    rows = ChangeSet.objects.filter(pk__in=one_of(keys, ChangeSet)).order_by()
    return rows.values_list("pk", "number", "source", "token_name", details)


def with_notes(queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """History rows of one model, with its ``entry_annotations``."""
    annotations = queryset.model.instance_type.entry_annotations()
    return queryset.annotate(**annotations) if annotations else queryset


def rows_and_previous(sources: Iterable[Iterable[Row]]) -> list[tuple[list[Row], dict[int, Row]]]:
    """The rows of each source, which are history rows of one model ``with_notes``, and by their
    history id the rows that precede them in the history of the same record. Rows that created a
    record have none.

    One query for what precedes, and one for each model of which that is not among the rows.
    """
    found = [list(rows) for rows in sources]
    previous_ids = _previous_ids(row for rows in found for row in rows)
    return [(rows, _previous(rows, previous_ids)) for rows in found]


def _previous_ids(rows: Iterable[Row]) -> dict[tuple[type[Row], int], int]:
    """By history model and id, the id of the row that precedes it."""
    wanted: dict[type[Row], list[int]] = defaultdict(list)
    for row in rows:
        if row.history_type != audit.CREATED:
            wanted[type(row)].append(row.history_id)
    if not wanted:
        return {}
    statements, params = [], []
    for number, (history, keys) in enumerate(wanted.items()):
        rows_of = f'"{history._meta.db_table}"'
        statements.append(
            f"""
            SELECT {number}, history_id, (
                SELECT earlier.history_id FROM {rows_of} AS earlier
                WHERE earlier.id = later.id AND (earlier.history_date, earlier.history_id)
                    < (later.history_date, later.history_id)
                ORDER BY earlier.history_date DESC, earlier.history_id DESC LIMIT 1)
            FROM {rows_of} AS later
            WHERE history_id IN ({", ".join(["%s"] * len(keys))})"""  # noqa: S608
        )
        params += keys
    models_in_order = list(wanted)
    return {
        (models_in_order[number], key): previous
        for number, key, previous in fetch(" UNION ALL ".join(statements), tuple(params))
        if previous is not None
    }


def _previous(rows: list[Row], previous_ids: dict[tuple[type[Row], int], int]) -> dict[int, Row]:
    """By history id, the rows that precede some of one model."""
    ids = {
        row.history_id: previous_ids[type(row), row.history_id]
        for row in rows
        if (type(row), row.history_id) in previous_ids
    }
    known = {row.history_id: row for row in rows}
    if missing := set(ids.values()) - known.keys():
        known |= records_by_key(type(rows[0]), missing)
    # Rows that were deleted outside the application are missing.
    return {key: known[previous] for key, previous in ids.items() if previous in known}


def rows_of(history: type[Row], history_ids: Collection[int]) -> list[Row]:
    """These history rows of one model, ``with_notes``, in no particular order."""
    return _rows_with_notes(history, keys=history_ids)


@compiled
def _rows_with_notes(history: Any, *, keys: Any) -> Any:
    return with_notes(history.objects.filter(pk__in=one_of(keys, history)).order_by())
