"""The demo's audit, imported as history rows with the audit's own dates.

An audit row has the values of one record at a moment. Imported history rows have version 0, because
versions count the writes in this application from 1.
"""

from __future__ import annotations

import uuid
from bisect import insort
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils import timezone

from dashboard.demo_import.literals import LiteralError, parse_literal
from dashboard.demo_import.scratch import Scratch
from oegen.audit import (
    CHANGED,
    CREATED,
    REMOVED,
    history_model,
    history_row,
    instance_from_row,
)
from oegen.audit.audited import AuditedModel
from oegen.audit.changesets import ChangeSet
from oegen.core import bulk
from oegen.imports.cells import Cell, RowForm, identifier, moment, text
from oegen.imports.reading import CSVFile, Row
from oegen.imports.report import describe_error
from oegen.search import ordering

if TYPE_CHECKING:
    from dashboard.demo_import.importer import ImportRun, PastRow

#: The reason of a first history row that stands for an earlier reference to the record.
REFERENCED = "The demo's audit refers to it from then on."
REASON_START = "Imported from the demo's audit (row "


def past_reason(audit_id: uuid.UUID) -> str:
    """The beginning of the reason of each history row imported from this audit row."""
    return f"{REASON_START}{audit_id})."


@dataclass(frozen=True)
class _Step:
    when: datetime
    kind: str
    values: tuple
    row: object


class Past:
    """The history of some records by date: stored rows, and new rows to write."""

    def __init__(self, change_set: ChangeSet, scratch: Scratch):
        self._change_set = change_set
        self._scratch = scratch
        self._steps: dict[tuple, list[_Step]] = defaultdict(list)
        self._new_rows: dict[type[AuditedModel], list] = defaultdict(list)
        self._owned: dict[tuple, set[uuid.UUID]] = defaultdict(set)

    def read(self, model: type[AuditedModel], **which) -> None:
        rows = model.history.filter(**which).order_by("history_date", "history_id")
        for row in rows.iterator():
            self._add(model, row)

    def record(self, instance: AuditedModel, row: PastRow, *, always: bool = False) -> None:
        """Add a history row with the instance's values at the audit row's moment.

        If the values are those of the row before, it is added only with ``always``.
        """
        before = self._before(type(instance), instance.pk, row.moment)
        values = _values(instance)
        if before is None or before.kind == REMOVED:
            self._write(instance, CREATED, row)
        elif always or before.values != values:
            self._write(instance, CHANGED, row)

    def record_start(self, instance: AuditedModel, when: datetime) -> None:
        """Add a first history row at ``when`` unless there is one that is as old."""
        if self._before(type(instance), instance.pk, when) is None:
            self._add_row(instance, CREATED, when, REFERENCED)

    def record_links(
        self,
        model: type[AuditedModel],
        owner: uuid.UUID,
        links: Iterable[AuditedModel],
        row: PastRow,
    ) -> None:
        """Record the owner's links of the model, and the removal of its other ones."""
        present = set()
        for link in links:
            self.record(link, row)
            present.add(link.pk)
        for key in self._owned[model, owner] - present:
            before = self._before(model, key, row.moment)
            if before and before.kind != REMOVED:
                self._write(instance_from_row(before.row), REMOVED, row)

    def write(self) -> None:
        for model, rows in self._new_rows.items():
            self._change_set.note_written(history_model(model), (row.id for row in rows))
            ordering.index(model, rows)
            bulk.insert(history_model(model), rows)

    def _before(self, model, key, when: datetime) -> _Step | None:
        steps = [step for step in self._steps[model, key] if step.when <= when]
        return steps[-1] if steps else None

    def _write(self, instance: AuditedModel, kind: str, row: PastRow) -> None:
        self._add_row(instance, kind, row.moment, row.reason)

    def _add_row(self, instance: AuditedModel, kind: str, when: datetime, reason: str) -> None:
        row = history_row(instance, kind, change_set=self._change_set, when=when, reason=reason)
        self._new_rows[type(instance)].append(row)
        self._scratch.mark_recorded([instance])
        self._add(type(instance), row)

    def _add(self, model: type[AuditedModel], row) -> None:
        step = _Step(row.history_date, row.history_type, _values(row, model), row)
        insort(self._steps[model, row.id], step, key=lambda one: one.when)
        if owner := model.parent_field():
            self._owned[model, getattr(row, owner.attname)].add(row.id)


def _values(instance, model: type[AuditedModel] | None = None) -> tuple:
    model = model or type(instance)
    return tuple(
        getattr(instance, one.attname)
        for one in model._meta.concrete_fields
        if one.name not in model.BOOKKEEPING
    )


class AuditForm(RowForm):
    ID = Cell(identifier, required=True)
    Created = Cell(moment, required=True)
    Data = Cell(text, required=True)
    EntityID = Cell(identifier, required=True)


class AuditFile:
    """The demo's audit file. Its column Data holds dicts printed by Python.

    ``kinds``: for each kind of record, the key that only its dicts have.
    """

    file_name = "audit.csv"
    #: The key of the row's own date among the cells given to the importers.
    MOMENT = "audit moment"

    def __init__(self, run: ImportRun, kinds: list[str]):
        self.run = run
        self.kinds = kinds
        self.source = CSVFile(run.folder, self.file_name, AuditForm.columns())
        self.report = run.report(self.file_name)

    def read(self) -> None:
        """Store the rows by kind of record for the importers; reject rows of no kind."""
        with self.run.progress(self.file_name, self.source.size, "B") as progress:
            for row in self.source.rows(progress):
                self.report.read += 1
                try:
                    self._sort(row)
                except ValidationError as error:
                    self.reject(row, error)
        self.report.blank = self.source.blank_rows

    def reject(self, row: Row, error: ValidationError, columns: dict | None = None) -> None:
        """``columns`` is given for an error in the values inside Data."""
        self.report.rejected += 1
        column, reason = describe_error(error, columns or {})
        self.run.rejects.write(self.source, row, column if columns is None else "Data", reason)

    def _sort(self, row: Row) -> None:
        if row.error:
            raise row.error
        values, error = AuditForm.read(row.values)
        if error:
            raise error
        if line := self.run.scratch.claim(self.file_name, values["ID"], row.line):
            raise ValidationError(
                {"ID": f"Line {line} has this ID already. Each row needs its own."}
            )
        if values["Created"] > timezone.now():
            raise ValidationError({"Created": "The date lies in the future; a past can't."})
        cells = _cells(values["Data"])
        if _id_inside(cells) != values["EntityID"]:
            raise ValidationError(
                {"EntityID": "It is not the ID inside Data. Both should name the same record."}
            )
        kinds = [key for key in self.kinds if key in cells]
        if len(kinds) != 1:
            raise ValidationError(
                {
                    "Data": "It is not clear of which kind the record is: exactly one of the keys "
                    f"{', '.join(self.kinds)} should be there."
                }
            )
        # In UTC, so that the strings sort by time.
        when = values["Created"].astimezone(UTC)
        cells[self.MOMENT] = when.isoformat(timespec="microseconds")
        self.run.scratch.add_past(
            kind=kinds[0],
            moment=cells[self.MOMENT],
            line=row.line,
            entity=values["EntityID"],
            audit_id=values["ID"],
            raw=row.cells,
            cells=cells,
        )


def _cells(data: str) -> dict[str, str]:
    """The printed dict with its values as strings, like the cells of a CSV file."""
    try:
        record = parse_literal(data)
    except LiteralError as error:
        raise ValidationError(
            {"Data": f"The text can't be taken: {error}. It should be a dict printed by Python."}
        ) from None
    if not isinstance(record, dict):
        raise ValidationError({"Data": "It should be a dict printed by Python, in curly brackets."})
    return {key: "" if value is None else str(value) for key, value in record.items()}


def _id_inside(cells: dict[str, str]) -> uuid.UUID:
    try:
        return identifier(cells.get("ID", "").strip())
    except ValidationError as error:
        raise ValidationError({"Data": f"ID: {error.messages[0]}"}) from None
