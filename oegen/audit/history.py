"""History rows, based on django-simple-history: one per write, in the open change set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from django.db import models
from simple_history.manager import HistoryManager
from simple_history.models import HistoricalRecords

from oegen.audit import seals
from oegen.audit.changesets import ChangeSet
from oegen.audit.choices import BATCH_SIZE, CHANGED, CREATED, REMOVED
from oegen.audit.context import change_set, open_change_set
from oegen.audit.registry import Row, history_model
from oegen.audit.signals import rows_removed, rows_written
from oegen.core import bulk
from oegen.core.instances import instance_of
from oegen.core.pointers import PointerField

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

    from oegen.audit.audited import AuditedModel
    from oegen.core.fields import AnyField

_removals: ContextVar[list[Row] | None] = ContextVar("oegen_removals", default=None)


@dataclass
class _Saves:
    """What ``saves_together`` collects: history rows, and records by whether they were created and
    whether they have unsaved values."""

    rows: list[Row] = field(default_factory=list)
    records: dict[tuple[type[AuditedModel], bool, bool], dict[Any, AuditedModel]] = field(
        default_factory=dict
    )


_saves: ContextVar[_Saves | None] = ContextVar("oegen_saves", default=None)


class HistoryRow(models.Model):
    """Columns that history tables have in addition to simple-history's."""

    change_set = models.ForeignKey(ChangeSet, on_delete=models.PROTECT, related_name="+")
    digest = seals.DigestField()

    is_append_only = True

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.change_set_id is None:
            current = open_change_set()
            current.note_written(type(self), [self.id])
            self.change_set_id = current.id
        super().save(*args, **kwargs)


# simple-history has no types.
class HistoryRows(HistoryManager):  # type: ignore[misc]
    """The manager of ``model.history``."""

    @classmethod
    @cache
    def from_queryset(cls, *args: Any, **kwargs: Any) -> Any:
        """Cached, because simple-history asks for it at each access to ``history``."""
        return super().from_queryset(*args, **kwargs)


class AuditTrail(HistoricalRecords):  # type: ignore[misc]
    """simple-history, with person, reason, time and change set taken from the open change set."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, history_manager=HistoryRows, **kwargs)

    def copy_fields(self, model: type[models.Model]) -> dict[str, AnyField]:
        """Name the copies of pointers after the field, as for foreign keys, not the column."""
        fields: dict[str, AnyField] = super().copy_fields(model)
        for pointer in model._meta.concrete_fields:
            if isinstance(pointer, PointerField):
                copied = fields.pop(pointer.attname)
                copied.name = pointer.name
                fields[pointer.name] = copied
        return fields

    def get_history_user(self, instance: AuditedModel) -> AbstractUser | None:
        return open_change_set().person

    def get_change_reason_for_object(
        self, instance: AuditedModel, history_type: str, using: str | None
    ) -> str:
        return getattr(instance, "_change_reason", None) or open_change_set().reason

    def post_save(
        self,
        instance: AuditedModel,
        created: bool,
        using: str | None = None,
        raw: bool = False,
        **kwargs: Any,
    ) -> None:
        """Ignore simple-history's switches to disable it. A fixture (``raw``) must contain its
        history rows."""
        if not raw:
            self.create_historical_record(instance, CREATED if created else CHANGED, using=using)

    def post_delete(self, instance: AuditedModel, using: str | None = None, **kwargs: Any) -> None:
        self.create_historical_record(instance, REMOVED, using=using)

    def create_historical_record(
        self, instance: AuditedModel, history_type: str, using: str | None = None
    ) -> None:
        """Write the history row, opening a change set for a deletion outside one."""
        removals = _removals.get()
        if history_type == REMOVED and removals is not None:
            reason = self.get_change_reason_for_object(instance, history_type, using)
            row = history_row(instance, REMOVED, change_set=open_change_set(), reason=reason)
            removals.append(row)
            return
        with change_set(savepoint=False) as current:
            row_source: Any = instance
            if history_type != REMOVED and instance.has_unsaved_values:
                row_source = type(instance)._base_manager.get(pk=instance.pk)
                row_source._change_reason = getattr(instance, "_change_reason", None)
            if history_type != REMOVED and (saves := _saves.get()) is not None:
                reason = self.get_change_reason_for_object(row_source, history_type, using)
                saves.rows.append(
                    history_row(row_source, history_type, change_set=current, reason=reason)
                )
                return
            row_source._history_date = current.row_date()
            super().create_historical_record(row_source, history_type, using=using)
            if history_type == REMOVED:
                rows_removed.send(type(instance), keys=[instance.pk])


def history_row(
    instance: AuditedModel,
    history_type: str,
    *,
    change_set: ChangeSet,
    when: datetime | None = None,
    reason: str | None = None,
) -> Row:
    """An unsaved history row with the instance's current values.

    ``when`` defaults to the change set's ``row_date``.
    """
    own, tracked, values_of = _columns_of(type(instance))
    values = own | dict(zip(tracked, values_of(instance), strict=True))
    values["history_date"] = when or change_set.row_date()
    values["history_user_id"] = change_set.person_id
    values["history_change_reason"] = change_set.reason if reason is None else reason
    values["history_type"] = history_type
    values["change_set_id"] = change_set.id
    return instance_of(history_model(type(instance)), values)


@cache
def _columns_of(
    model: type[AuditedModel],
) -> tuple[dict[str, Any], tuple[str, ...], Callable[[AuditedModel], tuple[Any, ...]]]:
    """The defaults of the columns that its history has besides those of the record, the names of
    the latter, and a function that reads their values from a record."""
    history = history_model(model)
    tracked = tuple(field.attname for field in history.tracked_fields)
    own = {
        field.attname: field.get_default()
        for field in history._meta.concrete_fields
        if field.attname not in tracked
    }
    return own, tracked, attrgetter(*tracked)


def instance_from_row(row: Row) -> AuditedModel:
    """An unsaved record with the values of a history row."""
    fields = type(row).tracked_fields
    values = {field.attname: getattr(row, field.attname) for field in fields}
    record: AuditedModel = row.instance_type(**values)
    return record


def write_history_rows(
    instances: Iterable[AuditedModel],
    history_type: str | Callable[[AuditedModel], str],
) -> None:
    """Write one history row for each instance into the open change set."""
    with change_set(savepoint=False) as current:
        rows: list[Row] = []
        for instance in instances:
            kind = history_type(instance) if callable(history_type) else history_type
            rows.append(history_row(instance, kind, change_set=current))
        if rows:
            history = type(rows[-1])
            current.note_written(history, (row.id for row in rows))
            bulk.insert(history, rows)


@contextmanager
def removals_together() -> Iterator[None]:
    """Collect the history rows of deletions in the block and bulk-create them at its end.

    Inserting ten thousand of them one by one takes minutes on SQLite, which scans the enclosing
    savepoint's journal for each statement.
    """
    with change_set() as current:
        rows: list[Row] = []
        token = _removals.set(rows)
        try:
            yield
        finally:
            _removals.reset(token)
        for history, batch in _insert(rows, current):
            rows_removed.send(history.instance_type, keys=[row.id for row in batch])


@contextmanager
def saves_together() -> Iterator[None]:
    """Collect the history rows of saves in the block, bulk-create them at its end, and send
    ``rows_written`` once for all records of a model.

    For code that saves many records one by one, each once, and does not change them afterwards. An
    error must leave the change set, because a save in the block has no savepoint.
    """
    with change_set() as current:
        saves = _Saves()
        token = _saves.set(saves)
        try:
            yield
        finally:
            _saves.reset(token)
        for _ in _insert(saves.rows, current):
            pass
        for (model, created, partly), records in saves.records.items():
            send_rows_written(model, records.values(), created=created, partly=partly)


def are_saves_collected() -> bool:
    """Whether ``saves_together`` is open."""
    return _saves.get() is not None


def send_rows_written(
    model: type[AuditedModel],
    instances: Iterable[AuditedModel],
    *,
    created: bool,
    partly: bool = False,
) -> None:
    """Send ``rows_written``, or collect the records inside ``saves_together``."""
    instances = list(instances)
    if (saves := _saves.get()) is None:
        rows_written.send(model, instances=instances, created=created, has_unsaved=partly)
        return
    collected = saves.records.setdefault((model, created, partly), {})
    collected.update({instance.pk: instance for instance in instances})


def _insert(rows: Iterable[Row], current: ChangeSet) -> Iterator[tuple[type[Row], list[Row]]]:
    """Insert history rows of several models; yields each batch, with its model."""
    by_model: dict[type[Row], list[Row]] = {}
    for row in rows:
        by_model.setdefault(type(row), []).append(row)
    for history, all_rows in by_model.items():
        current.note_written(history, (row.id for row in all_rows))
        for start in range(0, len(all_rows), BATCH_SIZE):
            batch = all_rows[start : start + BATCH_SIZE]
            bulk.insert(history, batch)
            yield history, batch
