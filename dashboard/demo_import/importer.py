"""The run of an import (``ImportRun``) and the base of its importers (``Importer``)."""

import sys
import uuid
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from tqdm import tqdm

from dashboard.demo_import.past import REASON_START, REFERENCED, AuditFile, Past, past_reason
from dashboard.demo_import.scratch import Scratch
from oegen.audit import (
    BATCH_SIZE,
    CHANGED,
    CREATED,
    REMOVED,
    history_model,
    history_row,
    instance_from_row,
)
from oegen.audit.audited import AuditedModel
from oegen.audit.changesets import ChangeSet
from oegen.audit.context import open_change_set
from oegen.audit.questions import Question
from oegen.core import bulk
from oegen.core.fields import own_field
from oegen.imports.cells import RowForm, moment
from oegen.imports.reading import CSVFile, Row
from oegen.imports.report import FileReport, Rejects, Remarks, describe_error
from oegen.imports.tables.records import prepared

#: The heading of the questions in the summary.
QUESTIONS = "Questions; imported as in the file"

CREATED_ROW, UPDATED_ROW, UNCHANGED_ROW = "created", "updated", "unchanged"


class ImportRun:
    """The state shared by the files of one import; close it when done. ``also_created``
    counts the records created besides those of the rows, by plural name."""

    def __init__(self, *, folder: Path, change_set: ChangeSet, rejects: Rejects):
        self.folder = folder
        self.change_set = change_set
        self.rejects = rejects
        self.scratch = Scratch()
        self.remarks = Remarks()
        self.also_created: Counter[str] = Counter()
        self.reports: list[FileReport] = []

    def close(self) -> None:
        self.scratch.close()
        self.rejects.close()

    def report(self, name: str) -> FileReport:
        self.reports.append(FileReport(name))
        return self.reports[-1]

    @contextmanager
    def progress(self, name: str, total: int | None, unit: str) -> Iterator[Callable]:
        """A progress bar on standard error if that is a terminal; yields its update function."""
        with tqdm(
            desc=name,
            total=total,
            unit=unit,
            unit_scale=True,
            file=sys.stderr,
            disable=not sys.stderr.isatty(),
        ) as bar:
            yield bar.update


@dataclass
class PastRow:
    """A row of the demo's audit: the values of one record at a moment.

    ``notes`` are added to the reason of its history rows: the values without a field.
    """

    row: Row
    audit_id: uuid.UUID
    moment: datetime
    entity: uuid.UUID
    data: dict
    notes: list[str] = field(default_factory=list)

    @property
    def reason(self) -> str:
        return " ".join([past_reason(self.audit_id), *self.notes])


Planned = dict[type[AuditedModel], list[AuditedModel]]


class Writes:
    """The writes of one batch, executed in the order of ``models``."""

    def __init__(self, scratch: Scratch, *models: type[AuditedModel]):
        self._scratch = scratch
        self._new: Planned = {model: [] for model in models}
        self._changed: Planned = {model: [] for model in models}
        self._fields: dict[type[AuditedModel], set[str]] = {model: set() for model in models}
        self._removed: dict[type[AuditedModel], list[uuid.UUID]] = {model: [] for model in models}
        self._starts: list[tuple[AuditedModel, datetime]] = []

    def create(self, instance: AuditedModel, known_since: datetime | None = None) -> None:
        """``known_since``: when the record's history starts, if before this import."""
        if known_since and not self._scratch.is_recorded(instance):
            self._starts.append((instance, known_since))
            self._scratch.mark_recorded([instance])
        self._new[type(instance)].append(instance)

    def update(self, instance: AuditedModel, fields: set[str]) -> None:
        self._changed[type(instance)].append(instance)
        self._fields[type(instance)] |= fields

    def remove(self, instance: AuditedModel) -> None:
        self._removed[type(instance)].append(instance.pk)

    def flush(self) -> None:
        """Execute the writes. A record that has imported history gets a history row of type
        CHANGED, not CREATED."""
        for model, removed in self._removed.items():
            if removed:
                model.objects.filter(pk__in=removed).delete()
        self._write_starts()
        for model, created in self._new.items():
            if created:
                model.objects.bulk_create(created, history_type=self._history_type)
            if self._changed[model]:
                model.objects.bulk_update(self._changed[model], sorted(self._fields[model]))

    def _write_starts(self) -> None:
        current = open_change_set()
        rows = defaultdict(list)
        for instance, when in self._starts:
            row = history_row(instance, CREATED, change_set=current, when=when, reason=REFERENCED)
            row.version = 0
            rows[type(row)].append(row)
        for history, own in rows.items():
            current.note_written(history, (row.id for row in own))
            bulk.insert(history, own)

    def _history_type(self, instance: AuditedModel) -> str:
        return CHANGED if self._scratch.is_recorded(instance) else CREATED


def changed_fields(instance: AuditedModel, values: dict[str, Any]) -> set[str]:
    """Set the values, with texts cleaned. Returns the names of the fields that changed."""
    changed = set()
    for name, value in values.items():
        if getattr(instance, name) == value:
            continue
        value = prepared(own_field(type(instance), name), value)
        if getattr(instance, name) != value:
            setattr(instance, name, value)
            changed.add(name)
    return changed


def check_fields(*instances: models.Model) -> None:
    """Validate fields without a query: foreign keys, which come from look-ups, are left out."""
    for instance in instances:
        keys = {one.name for one in instance._meta.concrete_fields if one.is_relation}
        instance.clean_fields(exclude=keys)


def check_past_fields(*instances: models.Model) -> None:
    """As ``check_fields`` for past values, whose texts are not cleaned."""
    for instance in instances:
        keys = {one.name for one in instance._meta.concrete_fields if one.is_relation}
        models.Model.clean_fields(instance, exclude=keys)


def check_record(*instances: models.Model) -> None:
    """``check_fields`` and ``clean``. Raises ValidationError."""
    check_fields(*instances)
    for instance in instances:
        instance.clean()


class Importer(ABC):
    """The import of one file, and of the audit rows of its records.

    Subclasses implement ``load`` and ``plan_row`` for rows of the file, ``load_past`` and
    ``record_past`` for rows of the audit. A ValidationError by column or model field rejects a row.
    """

    file_name: str
    form: type[RowForm]
    model: type[AuditedModel]
    #: The key that only audit rows of this kind of record have.
    past_key: str
    #: The models whose history ``record_past`` writes.
    past_models: tuple[type[AuditedModel], ...]
    #: The file's column for each model field, for error messages.
    columns: dict[str, str]
    #: The advice shown for columns of older layouts of the file.
    advice: Mapping[str, str] = MappingProxyType({})

    def __init__(self, run: ImportRun):
        self.run = run
        self.source = CSVFile(run.folder, self.file_name, self.form.columns(), self.advice)
        self.report = run.report(self.file_name)
        if self.source.extra_columns:
            run.remarks.add(
                "Unknown columns, ignored",
                f"{self.file_name}: {', '.join(self.source.extra_columns)}",
            )

    @abstractmethod
    def load(self, rows: list[Row]):
        """The batch with what ``plan_row`` needs from the database, read in a fixed number of
        queries. It has an attribute ``writes``."""

    @abstractmethod
    def plan_row(self, row: Row, batch) -> str:
        """Add the writes of one row. Returns CREATED_ROW, UPDATED_ROW or UNCHANGED_ROW."""

    @abstractmethod
    def load_past(self, rows: list[PastRow], past: Past) -> None:
        """Read the stored history of the records of these rows."""

    @abstractmethod
    def record_past(self, row: PastRow, past: Past) -> None:
        """Add the history rows of one audit row."""

    def references(self, data: dict) -> Iterable[object]:
        """The keys of other files' records to which an audit row refers."""
        return ()

    def note_references(self, audit: AuditFile) -> None:
        """Store when the audit first refers to records of other files."""
        for _, _, _, cells in self.run.scratch.past(self.past_key):
            data, error = self.form.read(self.past_cells(cells, []))
            if not error:
                for key in self.references(data):
                    self.run.scratch.note_reference(key, cells[audit.MOMENT])

    def past_cells(self, cells: dict[str, str], notes: list[str]) -> dict[str, str]:
        """An audit row's values by the names of the file's columns."""
        return cells

    def identify(self, row: Row, record_id: uuid.UUID) -> uuid.UUID:
        """The id for a row's record. Raises ValidationError if an earlier row has it."""
        if line := self.run.scratch.claim(self.file_name, record_id, row.line):
            raise ValidationError(
                {"ID": f"Line {line} has this ID already. Each row needs its own."}
            )
        return record_id

    def import_rows(self) -> None:
        with self.run.progress(self.file_name, self.source.size, "B") as progress:
            for rows in batched(self.source.rows(progress)):
                self._import_batch(rows)
        self.report.blank = self.source.blank_rows
        self.report.check()

    def _import_batch(self, rows: list[Row]) -> None:
        self.report.read += len(rows)
        accepted = []
        for row in rows:
            try:
                self._read(row)
            except ValidationError as error:
                self._reject(row, error)
            else:
                accepted.append(row)
        batch = self.load(accepted)
        for row in accepted:
            try:
                outcome = self.plan_row(row, batch)
            except ValidationError as error:
                self._reject(row, error)
            else:
                setattr(self.report, outcome, getattr(self.report, outcome) + 1)
        batch.writes.flush()

    def _read(self, row: Row) -> None:
        if row.error:
            raise row.error
        row.data, error = self.form.read(row.values)
        if record_id := row.data.get("ID"):
            # Before the row can be rejected, so that a later row never gets its ID.
            row.data["ID"] = self.identify(row, record_id)
        if error:
            raise error

    def list_questions(self, row: Row, record: AuditedModel, questions: Iterable[Question]) -> None:
        """List the questions about an accepted row in the summary, and store them as answered by
        the user who applies the import."""
        for question in questions:
            self.run.remarks.add(QUESTIONS, f"{row.file}, line {row.line}: {question.text}")
            self.run.change_set.add_answer(record, question)

    def _reject(self, row: Row, error: ValidationError) -> None:
        self.report.rejected += 1
        self.run.rejects.write(self.source, row, *describe_error(error, self.columns))

    def import_past(self, audit: AuditFile) -> None:
        """Write the audit rows of this kind of record as history, with their own dates."""
        with self.run.progress(
            f"{audit.file_name}: {self.model._meta.verbose_name_plural}", None, "row"
        ) as progress:
            for found in batched(self.run.scratch.past(self.past_key)):
                self._import_past_batch(audit, found)
                progress(len(found))

    def _import_past_batch(self, audit: AuditFile, found: list[tuple]) -> None:
        rows = []
        for line, audit_id, raw, cells in found:
            row = Row(audit.file_name, line, raw)
            notes: list[str] = []
            data, error = self.form.read(self.past_cells(cells, notes))
            if error:
                audit.reject(row, error, self.columns)
            else:
                created, entity = moment(cells[audit.MOMENT]), data["ID"]
                rows.append(PastRow(row, uuid.UUID(audit_id), created, entity, data, notes))
        imported = self._imported_past([row.entity for row in rows])
        new_rows = [
            row
            for row in rows
            if (row.entity, row.moment, past_reason(row.audit_id)) not in imported
        ]
        audit.report.unchanged += len(rows) - len(new_rows)
        past = Past(self.run.change_set, self.run.scratch)
        self.load_past(new_rows, past)
        for past_row in new_rows:
            try:
                self.record_past(past_row, past)
            except ValidationError as error:
                audit.reject(past_row.row, error, self.columns)
            else:
                audit.report.created += 1
        past.write()

    def _imported_past(self, entities: list[uuid.UUID]) -> set[tuple]:
        """(entity, moment, start of the reason) of the history rows that earlier runs imported."""
        rows = self.model.history.filter(
            id__in=entities, history_change_reason__startswith=REASON_START
        ).values_list("id", "history_date", "history_change_reason")
        length = len(past_reason(uuid.UUID(int=0)))
        return {(key, when, reason[:length]) for key, when, reason in rows}

    def close_histories(self) -> None:
        """End the history of records that are in the audit and in no file: they were removed."""
        for model in self.past_models:
            for ids in batched(self.run.scratch.recorded(model)):
                ended = self._close_histories(model, ids)
                if model is self.model:
                    self.run.also_created[
                        f"histories of removed {model._meta.verbose_name_plural}"
                    ] += ended

    def _close_histories(self, model: type[AuditedModel], ids: list[uuid.UUID]) -> int:
        live = set(model.objects.filter(pk__in=ids).values_list("pk", flat=True))
        newest = {}
        rows = model.history.filter(id__in=set(ids) - live)
        for row in rows.order_by("history_date", "history_id"):
            newest[row.id] = row
        endings = [
            history_row(
                instance_from_row(row),
                REMOVED,
                change_set=self.run.change_set,
                reason="Not in the imported files, only in the demo's audit. "
                + self.run.change_set.reason,
            )
            for row in newest.values()
            if row.history_type != REMOVED
        ]
        if endings:
            self.run.change_set.note_written(history_model(model), (row.id for row in endings))
            bulk.insert(history_model(model), endings)
        return len(endings)


def batched(items) -> Iterator[list]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH_SIZE)):
        yield batch
