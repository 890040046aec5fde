"""All of the history glue: change sets, the history rows of django-simple-history, bulk writing.

A **change set** is what one person did in one go. Every history row belongs to exactly one. Code
that knows who acts and why opens one around its writes::

    with change_set(person=user, reason="Grid date moved", source=Source.FORM):
        pipeline.save()

A write outside any change set makes one of its own, so that no row is ever without. Where several
writes share a transaction, put one change set around them all: sealing keeps others waiting from
the end of the first one to the end of the transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from django.db import models, transaction
from django.dispatch import Signal
from django.utils import timezone
from django.utils.formats import date_format
from simple_history.models import HistoricalRecords

from oegen import clock, keys, seals, search
from oegen.clock import ReadOnlyPastError
from oegen.exceptions import RuleBrokenError
from oegen.fields import REASON_LIMIT, shorten_to, storage_fault_of
from oegen.text import clean_prose

if TYPE_CHECKING:
    from oegen.models import AuditedModel, ChangeSet, User

BATCH_SIZE = 500

CREATED, CHANGED, REMOVED = "+", "~", "-"

#: The version of a record on a past page that was entered later and is there only because others
#: refer to it (oegen.asof).
NOT_YET_ENTERED = 2**31 - 1

#: Sent with ``change_set`` while it is still open, for what belongs to it and is worked out last.
change_set_closing = Signal()


class Source(models.TextChoices):
    """The path by which a change came in."""

    BOARD = "board", "board"
    CODE = "code", "program code"
    COMMAND = "command", "command"
    FORM = "form", "form"
    IMPORT = "import", "import"
    MERGE = "merge", "merging"
    MIGRATION = "migration", "set-up"
    PAGE = "page", "page"
    RESTORE = "restore", "restoring"
    SAMPLE = "sample", "sample data"
    TABLE = "table", "editable table"
    UNDO = "undo", "undoing"


@dataclass(frozen=True)
class Origin:
    """Who acts, and from where, until somebody says otherwise. Set for each request."""

    person: User | None = None
    source: str = Source.CODE
    #: The change sets that were written since.
    written: list[uuid.UUID] = field(default_factory=list, compare=False)


NOBODY = Origin()

_origin: ContextVar[Origin] = ContextVar("oegen_origin", default=NOBODY)
_open: ContextVar[ChangeSet | None] = ContextVar("oegen_change_set", default=None)
_removals: ContextVar[list[models.Model] | None] = ContextVar("oegen_removals", default=None)


@contextmanager
def acting(person: User | None, source: str) -> Iterator[Origin]:
    """Name the person and source of the change sets opened inside, unless they name their own."""
    origin = Origin(person, source)
    token = _origin.set(origin)
    try:
        yield origin
    finally:
        _origin.reset(token)


@contextmanager
def change_set(
    *,
    person: User | None = None,
    reason: str = "",
    source: str = "",
    recorded_at: datetime | None = None,
    undoes: ChangeSet | None = None,
) -> Iterator[ChangeSet]:
    """One change set and one transaction around the writes inside; all of them land, or none.

    Inside another change set it joins that one, whose person and reason stand; its transaction
    still protects the inner block. ``undoes`` is the change set that this one takes back.
    ``recorded_at`` back-dates the history rows and is for imports of somebody else's audit and for
    sample data only. Raises RuleBrokenError for a reason that is too long or can't be kept.
    """
    from oegen.alerts.outbox import write_alerts
    from oegen.models import ChangeSet

    if day := clock.past_day():
        raise ReadOnlyPastError(
            f"The portfolio as of {date_format(day)} can only be read. Go back to today "
            "to change it."
        )
    outer = current_change_set()
    if outer is not None:
        with transaction.atomic():
            yield outer
        return

    reason = clean_prose(reason)
    if fault := storage_fault_of(reason):
        raise RuleBrokenError(f"Reason: {fault}")
    if len(reason) > REASON_LIMIT:
        raise RuleBrokenError(f"Reason: {shorten_to(REASON_LIMIT, len(reason))}")
    origin = _origin.get()
    current = ChangeSet(
        id=uuid.uuid4(),
        person=person or origin.person,
        reason=reason,
        source=source or origin.source,
        recorded_at=recorded_at or timezone.now(),
        undoes=undoes,
    )
    current.back_dated = recorded_at is not None
    current.connection = transaction.get_connection()
    with transaction.atomic():
        token = _open.set(current)
        try:
            yield current
            change_set_closing.send(type(current), change_set=current)
        finally:
            _open.reset(token)
        # Foreign keys are checked at commit, so the row can come last and only when needed.
        if current.has_rows:
            write_alerts(current)
            current.settle_details()
            seals.close(ChangeSet, [current], current.written)
    if current.has_rows and origin is not NOBODY:
        origin.written.append(current.id)


def current_change_set() -> ChangeSet | None:
    """The open one; none in another thread that was given this one's context, whose connection,
    and so whose transaction, is another."""
    current = _open.get()
    if current is None or current.connection is not transaction.get_connection():
        return None
    return current


def touch(kind: type[models.Model] | str, keys: Iterable) -> None:
    """Note what receivers of ``change_set_closing`` have to look at, as for oegen.people.accounts
    the accounts that a change set writes."""
    keys = set(keys)
    if keys:
        with change_set() as current:
            current.touched.setdefault(kind, set()).update(keys)


class AuditTrail(HistoricalRecords):
    """simple-history, with person, reason, time and change set taken from the open change set."""

    def get_history_user(self, instance):
        return current_change_set().person

    def get_change_reason_for_object(self, instance, history_type, using):
        return getattr(instance, "_change_reason", None) or current_change_set().reason

    def post_save(self, instance, created, using=None, raw=False, **kwargs):
        """Nothing switches this off. A fixture (``raw``) is to bring its history along."""
        if not raw:
            self.create_historical_record(instance, CREATED if created else CHANGED, using=using)

    def post_delete(self, instance, using=None, **kwargs):
        self.create_historical_record(instance, REMOVED, using=using)

    def create_historical_record(self, instance, history_type, using=None):
        """Write the history row, opening a change set when a removal comes in without one."""
        removals = _removals.get()
        if history_type == REMOVED and removals is not None:
            reason = self.get_change_reason_for_object(instance, history_type, using)
            row = history_row(instance, REMOVED, change_set=current_change_set(), reason=reason)
            removals.append(row)
            return
        with change_set() as current:
            told = instance
            if history_type != REMOVED and instance.holds_unsaved:
                told = type(instance)._base_manager.get(pk=instance.pk)
                told._change_reason = getattr(instance, "_change_reason", None)
            told._history_date = current.recorded_at if current.back_dated else timezone.now()
            super().create_historical_record(told, history_type, using=using)
            if history_type == REMOVED:
                _forget(type(instance), [instance.pk])


@cache
def history_model(model: type[AuditedModel]) -> type[models.Model]:
    """Kept, because ``model.history`` makes a manager class each time it is looked at."""
    return model.history.model


def history_row(
    instance: AuditedModel,
    history_type: str,
    *,
    change_set: ChangeSet,
    when: datetime | None = None,
    reason: str | None = None,
) -> models.Model:
    """An unsaved history row with the instance's present values.

    ``when`` defaults to the change set's time if that is back-dated, else to now.
    """
    history = history_model(type(instance))
    return history(
        history_date=when or (change_set.recorded_at if change_set.back_dated else timezone.now()),
        history_user_id=change_set.person_id,
        history_change_reason=change_set.reason if reason is None else reason,
        history_type=history_type,
        change_set_id=change_set.id,
        **{field.attname: getattr(instance, field.attname) for field in history.tracked_fields},
    )


def carrier(row: models.Model) -> AuditedModel:
    """An unsaved record with the values of a history row."""
    fields = type(row).tracked_fields
    return row.instance_type(**{one.attname: getattr(row, one.attname) for one in fields})


def record(
    instances: Iterable[AuditedModel],
    history_type: str | Callable[[AuditedModel], str],
) -> None:
    """Write one history row for each instance into the open change set, in batches."""
    with change_set() as current:
        rows: list[models.Model] = []
        model = None
        for instance in instances:
            model = history_model(type(instance))
            kind = history_type(instance) if callable(history_type) else history_type
            rows.append(history_row(instance, kind, change_set=current))
        if rows:
            current.written.add(model)
            model.objects.bulk_create(rows, batch_size=BATCH_SIZE)


@contextmanager
def removals_together() -> Iterator[None]:
    """Write the history rows of the records removed inside at its end, in batches.

    One by one the removal of ten thousand takes minutes on SQLite: each statement inside a
    savepoint makes it walk through all that the savepoint would have to put back.
    """
    with change_set() as current:
        rows: list[models.Model] = []
        token = _removals.set(rows)
        try:
            yield
        finally:
            _removals.reset(token)
        by_model: dict[type[models.Model], list[models.Model]] = {}
        for row in rows:
            by_model.setdefault(type(row), []).append(row)
        for history, removed in by_model.items():
            current.written.add(history)
            for start in range(0, len(removed), BATCH_SIZE):
                batch = removed[start : start + BATCH_SIZE]
                history.objects.bulk_create(batch)
                _forget(history.instance_type, [row.id for row in batch])


def _forget(model: type[AuditedModel], record_ids: list) -> None:
    """Take away what is derived from records that are removed."""
    search.forget(model, record_ids)
    keys.forget(model, record_ids)


def tracked_models() -> list[type[AuditedModel]]:
    """Every concrete business, link and reference model, in the order of the applications."""
    from django.apps import apps

    from oegen.models import AuditedModel

    return [model for model in apps.get_models() if issubclass(model, AuditedModel)]
