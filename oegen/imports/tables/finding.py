"""Which record each row of an import is about: found, new, or one that an earlier row is about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from oegen.audit.audited import AuditedModel
from oegen.core.fields import own_field
from oegen.imports.tables.groups import GroupComparer
from oegen.imports.tables.kinds import ID, REFERENCE, ImportKind
from oegen.imports.tables.matching import Identity, Matcher, key_values
from oegen.imports.tables.owners import OwnerFinder
from oegen.imports.tables.parts import RowPart, add_reference
from oegen.imports.tables.records import Registry
from oegen.imports.tables.rows import RowReader, RowValues

#: A row with its record, and whether that is new.
Found = tuple[RowValues, AuditedModel, bool]


class RecordFinder:
    """Finds the records of rows, batch by batch. A row whose record is refused or asked has none.

    A record belongs to one row, unless rows are grouped, or repeat what the first one says.
    """

    def __init__(
        self,
        kind: ImportKind,
        registry: Registry,
        reader: RowReader,
        matcher: Matcher,
        owners: OwnerFinder,
        comparer: GroupComparer,
        row_parts: Iterable[RowPart],
        namespace: UUID,
    ):
        self.kind = kind
        self.registry = registry
        self.reader = reader
        self.matcher = matcher
        self.owners = owners
        self.comparer = comparer
        self.row_parts = list(row_parts)
        self.namespace = namespace
        #: Whether several rows may be of one record without a column that groups them.
        self.may_repeat = all(part.is_single for part in kind.parts)
        #: The rows that records belong to, by key.
        self.claimed: dict[Any, int] = {}
        self._claimed_keys: dict[Any, AuditedModel] = {}
        self._groups: dict[str, AuditedModel] = {}
        #: What the first row of a group or record said.
        self._first_values: dict[str, RowValues] = {}

    def find(self, rows: list[RowValues]) -> list[Found]:
        identities = [self.matcher.identity(row) for row in rows]
        self.matcher.prefetch(identities)
        by_keys = self._by_key_fields(rows)
        owners = self.owners.find(
            row for row, one in zip(rows, identities, strict=True) if not (one.id or one.reference)
        )
        found: list[Found] = []
        for row, identity in zip(rows, identities, strict=True):
            record, is_new = self._record_of(row, identity, by_keys, owners)
            if record is not None:
                found.append((row, record, is_new))
        return found

    def _record_of(
        self,
        row: RowValues,
        identity: Identity,
        by_keys: dict[Any, AuditedModel],
        owners: dict[int, AuditedModel],
    ) -> tuple[AuditedModel | None, bool]:
        """The record of the row, and whether it is new."""
        group = row.group.casefold()
        if group and group in self._groups:
            planned = self.registry.use(self._groups[group], row.number)
            row.plan.record, row.plan.name = str(planned.record.pk), str(planned.record)
            self.comparer.compare(row, self._first_values[group])
            return planned.record, planned.is_new
        record = owners.get(row.number) if identity.is_empty else None
        if self.kind.key_fields and not identity.id:
            record = by_keys.get(key_values(self.kind, row))
        if record is None:
            match = self.matcher.match(identity)
            if match.asked:
                row.plan.asked.append(match.asked)
                return None, False
            if match.problem:
                self.reader.refuse(row, self.kind.fields[match.field], match.problem)
                return None, False
            record = match.record
            if record is None and row.number in owners:
                record, is_asked = self.owners.new_name(row, identity, owners[row.number])
                if is_asked:
                    return None, False
        if record is not None and record.pk in self.claimed:
            return self._repeated(row, identity, record)
        is_new = record is None
        if record is None:
            record = self.kind.model(id=self.matcher.new_key(row))
            self.registry.add(record, row.number)
        else:
            record = self.registry.use(record, row.number).record
        self.claimed[record.pk] = row.number
        row.plan.record = str(record.pk)
        if group:
            self._groups[group], self._first_values[group] = record, row
        elif self.may_repeat and not (identity.id or identity.reference):
            self._first_values[str(record.pk)] = row
        if is_new:
            self._name_new(row, identity, record)
        if identity.reference:
            add_reference(self.registry, self.namespace, row, self.matcher, identity, record)
        return record, is_new

    def _name_new(self, row: RowValues, identity: Identity, record: AuditedModel) -> None:
        """Set the name of a new record at once, so that the next rows find it."""
        if self.kind.name_field:
            one = self.kind.fields[self.kind.name_field]
            origin = self.reader.origin(row, one)
            name = identity.name or row.group or self._name_of_part(row)
            self.registry.set(record, {one.stored_as: name}, row.number, origin)
            self.registry.planned[type(record), record.pk].origins.setdefault(one.stored_as, origin)
        self.matcher.add_new(identity, record)
        key = key_values(self.kind, row)
        if key is not None:
            self._claimed_keys[key] = record

    def _name_of_part(self, row: RowValues) -> str:
        """The name of the part that a record without a name of its own has: one turbine alone."""
        for one in self.row_parts:
            if one.part.named_by_owner:
                return one.matcher.identity(row).name
        return ""

    def _repeated(
        self, row: RowValues, identity: Identity, record: AuditedModel
    ) -> tuple[AuditedModel | None, bool]:
        """A further row of the same record: companies stand in a register once for each of their
        projects. It may say the same again, or more; something else is asked."""
        first = self._first_values.get(str(record.pk))
        if first is None or identity.id or identity.reference:
            self._refuse_repeated(row, identity, record)
            return None, False
        row.plan.record = str(record.pk)
        self.comparer.compare(row, first)
        planned = self.registry.use(record, row.number)
        return planned.record, planned.is_new

    def _refuse_repeated(self, row: RowValues, identity: Identity, record: AuditedModel) -> None:
        name = ID if identity.id else REFERENCE if identity.reference else self.kind.name_field
        one = self.kind.fields.get(name) or self.kind.fields[ID]
        noun = self.kind.model._meta.verbose_name
        advice = "Leave one row of them."
        if self.kind.parts and not identity.id:
            advice = (
                "If the rows are parts of one, choose the column that groups them; if they are "
                "different ones, give each its own reference or name."
            )
        self.reader.refuse(
            row,
            one,
            f"Row {self.claimed[record.pk]} is about the same {noun}, “{record}”. {advice}",
        )

    def _by_key_fields(self, rows: list[RowValues]) -> dict[Any, AuditedModel]:
        """The records by their ``key_fields``, of the rows of a batch."""
        if not self.kind.key_fields:
            return {}
        first, *others = (self.kind.fields[name].stored_as for name in self.kind.key_fields)
        wanted = {key for row in rows if (key := key_values(self.kind, row)) is not None}
        model = self.kind.model
        records = model._base_manager.filter(**{f"{first}__in": {key[0] for key in wanted}})
        names = [own_field(model, name).attname for name in (first, *others)]
        found = {}
        for record in records:
            known = self.registry.planned.get((model, record.pk))
            record = known.record if known is not None else record
            found[tuple(getattr(record, name) for name in names)] = record
        return found | self._claimed_keys
