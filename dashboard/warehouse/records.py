"""Rows of change sets, of the history and of the records as they are, in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

import pyarrow as pa

from dashboard.warehouse.columns import columns_of
from dashboard.warehouse.tables import BATCH, CHANGE_SETS, Table, current_table, history_table
from oegen import audit
from oegen.models import AuditedModel, ChangeSet

#: The number of keys of a statement: SQLite limits the number of parameters.
MAX_KEYS = 5_000

_ACTIONS = {audit.CREATED: "created", audit.CHANGED: "changed", audit.REMOVED: "removed"}


def batches(table: Table, rows: Iterable[tuple[Any, ...]]) -> Iterator[pa.RecordBatch]:
    """The rows, with values in the order of the table's columns."""
    rest = iter(rows)
    while some := list(islice(rest, BATCH)):
        yield table.batch(some)


def change_set_batches(after: int, until: int) -> Iterator[pa.RecordBatch]:
    """The change sets with numbers above ``after``, up to ``until``."""
    found = _change_sets(after, until).order_by("number")
    rows = found.values_list(
        *("number", "id", "recorded_at", "sealed_at", "source", "reason", "undoes__number"),
        *("person_id", "contents", "seal"),
    ).iterator(chunk_size=BATCH)
    return batches(
        CHANGE_SETS,
        ((*row[:-2], sum(number for number, _ in row[-2].values()), row[-1]) for row in rows),
    )


def written_after(number: int, until: int) -> dict[str, int]:
    """The newest change set of each history table, by its label, of those in between."""
    found: dict[str, int] = {}
    rows = _change_sets(number, until).order_by("number").values_list("number", "contents")
    for newest, contents in rows.iterator(chunk_size=BATCH):
        for label in contents:
            found[label] = newest
    return found


def history_batches(model: type[AuditedModel], after: int, until: int) -> Iterator[pa.RecordBatch]:
    """The history rows of the change sets with numbers above ``after``, up to ``until``."""
    columns = columns_of(model)
    # By its key, which needs no sorting of all rows.
    rows = _history(model, after, until).order_by("history_id")
    values = rows.values_list(
        *("change_set__number", "history_id", "history_date", "history_type"),
        *("change_set__source", "change_set__seal"),
        *(one.attname for one in columns),
    ).iterator(chunk_size=BATCH)
    return batches(history_table(model), ((*row[:3], _ACTIONS[row[3]], *row[4:]) for row in values))


def written_keys(model: type[AuditedModel], after: int, until: int) -> set[UUID]:
    """The records that the change sets in between wrote or removed."""
    rows = _history(model, after, until).order_by().values_list("id", flat=True)
    return set(rows.iterator(chunk_size=BATCH))


def current_batches(
    model: type[AuditedModel], keys: Iterable[UUID] | None = None
) -> Iterator[pa.RecordBatch]:
    """The records as they are; of these keys, or all."""
    columns = [one.attname for one in columns_of(model)]

    def rows() -> Iterator[tuple[Any, ...]]:
        records = model._base_manager.order_by().values_list(*columns)
        if keys is None:
            yield from records.iterator(chunk_size=BATCH)
            return
        rest = iter(keys)
        while some := list(islice(rest, MAX_KEYS)):
            yield from records.filter(pk__in=some).iterator(chunk_size=BATCH)

    return batches(current_table(model), rows())


def _change_sets(after: int, until: int) -> Any:
    return ChangeSet.objects.filter(number__gt=after, number__lte=until)


def _history(model: type[AuditedModel], after: int, until: int) -> Any:
    # A subquery, because the history's index is by the id of the change set.
    change_sets = _change_sets(after, until).values("pk")
    rows = audit.history_model(model).objects
    if after == 0:
        return rows.filter(change_set__number__lte=until)
    return rows.filter(change_set__in=change_sets)
