"""The records that an import makes, changes and removes, while rows are planned."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from django.db import models

from oegen.audit.audited import AuditedModel
from oegen.audit.choices import CHANGED, CREATED, REMOVED
from oegen.audit.reference import ReferenceModel
from oegen.core.fields import clean_text, is_free_text, own_field
from oegen.imports.tables.asking import KEEP, TAKE
from oegen.imports.tables.kinds import ImportField
from oegen.imports.tables.lookups import Lookups
from oegen.imports.tables.plans import Cell, Conflict, Origin, Planned
from oegen.imports.tables.rows import CLEAR, RowReader, RowValues


@cache
def _foreign_keys(model: type[models.Model]) -> tuple[tuple[str, str, type[ReferenceModel]], ...]:
    """Name, attribute and target of the foreign keys to reference tables."""
    return tuple(
        (one.name, one.attname, one.remote_field.model)
        for one in model._meta.concrete_fields
        if isinstance(one, models.ForeignKey) and issubclass(one.remote_field.model, ReferenceModel)
    )


@cache
def _stored_field(model: type[models.Model], attribute: str) -> models.Field[Any, Any] | None:
    """The model's field of that name; None for another attribute."""
    found = {one.name: one for one in model._meta.concrete_fields}
    return found.get(attribute)


class Registry:
    """Planned records by model and key. One record of the database is one instance here, whichever
    rows use it."""

    def __init__(self, lookups: Lookups):
        self.lookups = lookups
        self.planned: dict[tuple[type[AuditedModel], Any], Planned] = {}
        self._by_key: dict[type[ReferenceModel], dict[Any, ReferenceModel]] = {}
        #: The stored records that were used since the last release.
        self._used: list[tuple[type[AuditedModel], Any]] = []

    def use(self, record: AuditedModel, row: int) -> Planned:
        """The planned record for a stored one, which the row needs."""
        key = (type(record), record.pk)
        planned = self.planned.get(key)
        if planned is None:
            self.attach(record)
            planned = self.planned[key] = Planned(record, CHANGED, record.version)
            self.lookups.planned[key] = record
            self._used.append(key)
        planned.users.add(row)
        return planned

    def release(self, rows: set[int]) -> None:
        """Forget stored records that stay as they are, unless one of these rows needs them: a
        further row reads them again. So memory grows with what an import changes only."""
        for key in self._used:
            planned = self.planned.get(key)
            if planned is not None and not planned.has_effect and rows.isdisjoint(planned.users):
                del self.planned[key], self.lookups.planned[key]
        self._used.clear()

    def add(self, record: AuditedModel, row: int) -> Planned:
        """Plan a new record."""
        key = (type(record), record.pk)
        planned = self.planned[key] = Planned(record, CREATED, 0)
        planned.users.add(row)
        planned.setters.add(row)
        self.lookups.planned[key] = record
        return planned

    def remove(self, record: AuditedModel, row: int) -> None:
        planned = self.use(record, row)
        if planned.action == CREATED:
            del self.planned[type(record), record.pk]
            return
        planned.action = REMOVED
        planned.setters.add(row)

    def attach(self, record: AuditedModel) -> None:
        """Set the rows of reference tables on a record, which saves a query for each."""
        for name, attribute, model in _foreign_keys(type(record)):
            if model not in self._by_key:
                rows = self.lookups.rows(model).values()
                self._by_key[model] = {row.pk: row for row in rows}
            if target := self._by_key[model].get(getattr(record, attribute)):
                record._state.fields_cache[name] = target

    def set(
        self, record: AuditedModel, values: dict[str, Any], row: int, origin: Origin
    ) -> set[str]:
        """Set attributes; returns those that differ. ``status_effective_on`` and the like, which
        are no fields, are set without being a change."""
        planned = self.planned.get((type(record), record.pk)) or self.use(record, row)
        # Which may be another instance, if the record was reached in another way.
        record = planned.record
        changed = set()
        for name, value in values.items():
            stored = _stored_field(type(record), name)
            if stored is None:
                setattr(record, name, value)
                continue
            value = prepared(stored, value)
            if is_same(getattr(record, stored.attname), value):
                continue
            setattr(record, name, value)
            changed.add(name)
            planned.origins[name] = origin
        if changed:
            planned.changed |= changed
            planned.setters.add(row)
            planned.users.add(row)
        return changed


def prepared(stored: models.Field[Any, Any], value: Any) -> Any:
    """The value as the field stores it: texts cleaned."""
    if isinstance(value, str) and is_free_text(stored):
        return clean_text(stored, value)
    return value


def is_same(current: Any, value: Any) -> bool:
    """Whether two values are one; records by their keys."""
    return bool(getattr(current, "pk", current) == getattr(value, "pk", value))


def empty_value(record: AuditedModel, one: ImportField) -> Any:
    """The value of a cleared field. Raises ValueError if it can't be empty."""
    if one.set is not None or one.get is not None:
        return None
    stored = own_field(type(record), one.stored_as)
    if not (stored.null or stored.blank):
        raise ValueError(one.label)
    return None if stored.null else ""


class FieldSetter:
    """Sets the fields of records from rows, and compares with what was exported."""

    def __init__(self, registry: Registry, reader: RowReader, choices: dict[str, str]):
        self.registry = registry
        self.reader = reader
        self.choices = choices

    def set_fields(
        self,
        row: RowValues,
        record: AuditedModel,
        fields: Iterable[ImportField],
        *,
        base: AuditedModel | None = None,
        is_new: bool = False,
        label: Callable[[ImportField], str] = lambda one: one.label,
    ) -> None:
        """Set what the row says otherwise than the record.

        ``base`` is the record as it was when the file was exported, if it was changed since: what
        the file says as it was then stays, and what both changed is a conflict.
        """
        different = []
        for one in fields:
            if one.link is not None or not row.has(one.name):
                continue
            current = one.value_of(record)
            if one.name in row.failed:
                # A cell that reads as the record shows it stays as it is, whatever it says.
                if row.texts.get(one.name) and row.texts[one.name] == one.reads.show(current):
                    del row.failed[one.name]
                elif planned := self.registry.planned.get((type(record), record.pk)):
                    planned.unreadable.add(one.stored_as)
                continue
            try:
                value = self._value(row, record, one)
            except ValueError:
                self.reader.refuse(
                    row, one, f"{one.label} can't be empty: give a value instead of “(clear)”."
                )
                continue
            if not is_same(current, value) and not self._keeps_theirs(
                row, one, record, base, current, value
            ):
                different.append((one, current, value))
        for one, current, value in different:
            if is_other_basis(self.reader, one, record):
                continue
            origin = self.reader.origin(row, one)
            changed = False
            for target, values in one.sets_on(record, value):
                changed |= bool(self.registry.set(target, dict(values), row.number, origin))
            if changed:
                old = "" if is_new else one.reads.show(current)
                new = "" if value is None else one.reads.show(value)
                row.plan.cells.append(Cell(origin.place, label(one), old, new))

    def _value(self, row: RowValues, record: AuditedModel, one: ImportField) -> Any:
        value = row.values[one.name]
        if value is CLEAR:
            return empty_value(record, one)
        stored = _stored_field(type(record), one.stored_as)
        return prepared(stored, value) if stored is not None and one.get is None else value

    def _keeps_theirs(
        self,
        row: RowValues,
        one: ImportField,
        record: AuditedModel,
        base: AuditedModel | None,
        current: Any,
        value: Any,
    ) -> bool:
        """Whether the cell is not to be written: unchanged in the file, or a conflict."""
        if base is None:
            return False
        then = one.value_of(base)
        if is_same(then, value):
            return True
        if is_same(then, current):
            return False
        texts = [one.reads.show(found) for found in (then, current, value)]
        return self.is_kept(row, one, record, *texts)

    def is_kept(
        self,
        row: RowValues,
        one: ImportField,
        holder: AuditedModel,
        base: str,
        theirs: str,
        mine: str,
    ) -> bool:
        """Whether a conflict is decided for what others wrote, or not yet. ``holder`` is the record
        that has what they wrote."""
        stored = _stored_field(type(holder), one.stored_as) if one.get is None else None
        conflict = Conflict(
            f"conflict:{row.number}:{one.name}",
            self.reader.origin(row, one).place,
            one.label,
            base,
            theirs,
            mine,
            f"{holder._meta.label_lower}:{holder.pk}",
            stored.attname if stored is not None else "",
        )
        choice = self.choices.get(conflict.key, "")
        if choice not in (KEEP, TAKE):
            row.plan.conflicts.append(conflict)
        return choice != TAKE


def is_other_basis(reader: RowReader, one: ImportField, record: AuditedModel) -> bool:
    """Whether the column measures capacity otherwise (DC or AC) than the record's technology."""
    column = reader.by_field.get(one.name)
    if column is None or not column.reading.basis or one.basis is None:
        return False
    basis = one.basis(record)
    if not basis or basis == column.reading.basis:
        return False
    reader.other_basis += 1
    return True
