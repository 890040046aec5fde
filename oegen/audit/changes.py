"""What a change set changed of each record, read from its rows and those before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from oegen.audit.choices import CREATED, REMOVED
from oegen.audit.registry import history_model
from oegen.core.compiled import compiled

if TYPE_CHECKING:
    from oegen.audit.audited import AuditedModel
    from oegen.audit.changesets import ChangeSet

#: Of so many records of a model all fields are read, so that those who ask for others need not
#: read them again.
FEW = 100


@dataclass(frozen=True)
class Change:
    """A record's fields before and after a change set; None where it did not exist.

    ``is_new``: it never existed before; false for a record that was brought back.
    """

    key: UUID
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    is_new: bool

    def concerns(self, *fields: str) -> bool:
        """Whether one of the fields changed, or the record began or ceased to exist."""
        if self.before is None or self.after is None:
            return True
        return any(self.before[name] != self.after[name] for name in fields)


class Changes:
    """The changes of a change set that is closed, read lazily by model."""

    def __init__(self, change_set: ChangeSet):
        self._change_set = change_set
        self._keys = {history.instance_type: keys for history, keys in change_set.written.items()}
        self._read: dict[tuple[type[AuditedModel], tuple[str, ...]], list[Change]] = {}

    def number_of(self, model: type[AuditedModel]) -> int:
        """The number of records of the model that were written or removed."""
        return len(self._keys.get(model, ()))

    def of(self, model: type[AuditedModel], *fields: str) -> list[Change]:
        """With at least these fields, named as columns are."""
        number = self.number_of(model)
        if not number:
            return []
        if number <= FEW:
            fields = tuple(field.attname for field in history_model(model).tracked_fields)
        if (model, fields) not in self._read:
            self._read[model, fields] = list(self._changes(model, fields))
        return self._read[model, fields]

    def _changes(self, model: type[AuditedModel], fields: tuple[str, ...]) -> Iterator[Change]:
        columns = tuple(dict.fromkeys(("id", "history_type", "version", *fields)))
        after: dict[UUID, dict[str, Any]] = {}
        has_earlier_rows = False
        for values in _rows(model, columns, change_set=self._change_set.pk):
            row = dict(zip(columns, values, strict=True))
            has_earlier_rows |= row["version"] > 1 or row["history_type"] != CREATED
            after[row["id"]] = row
        before: dict[UUID, dict[str, Any]] = {}
        if has_earlier_rows:
            for values in _previous_rows(model, columns, change_set=self._change_set.pk):
                row = dict(zip(columns, values, strict=True))
                before[row["id"]] = row
        for key, row in after.items():
            yield Change(key, _existing(before.get(key)), _existing(row), key not in before)


@compiled
def _rows(
    model: type[AuditedModel], columns: tuple[str, ...], *, change_set: Any
) -> QuerySet[Any, Any]:
    rows: QuerySet[Any] = history_model(model).objects.filter(change_set=change_set)
    return rows.order_by("history_id").values_list(*columns)


@compiled
def _previous_rows(
    model: type[AuditedModel], columns: tuple[str, ...], *, change_set: Any
) -> QuerySet[Any, Any]:
    """The last rows before those of the change set."""
    history: QuerySet[Any] = history_model(model).objects.all()
    earlier = history.filter(id=OuterRef("id")).exclude(change_set=change_set)
    newest = earlier.order_by("-history_date", "-history_id").values("history_id")[:1]
    rows = history.filter(change_set=change_set).annotate(previous=Subquery(newest))
    return history.filter(pk__in=rows.values("previous")).values_list(*columns)


def _existing(row: dict[str, Any] | None) -> dict[str, Any] | None:
    return row if row and row["history_type"] != REMOVED else None
