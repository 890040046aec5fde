"""What a change set changed of each record, read from its rows and those before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import OuterRef, Subquery

from oegen.audit.choices import CREATED, REMOVED
from oegen.audit.registry import history_model

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
        history = history_model(model).objects
        rows = history.filter(change_set=self._change_set.pk).order_by("history_id")
        columns = {"id", "history_type", "version", *fields}
        after: dict[UUID, dict[str, Any]] = {}
        has_earlier_rows = False
        for row in rows.values(*columns):
            has_earlier_rows |= row["version"] > 1 or row["history_type"] != CREATED
            after[row["id"]] = row
        before = {}
        if has_earlier_rows:
            earlier = history.filter(id=OuterRef("id")).exclude(change_set=self._change_set.pk)
            newest = earlier.order_by("-history_date", "-history_id").values("history_id")[:1]
            keys = rows.order_by().annotate(previous=Subquery(newest)).values("previous")
            before = {row["id"]: row for row in history.filter(pk__in=keys).values(*columns)}
        for key, row in after.items():
            yield Change(key, _existing(before.get(key)), _existing(row), key not in before)


def _existing(row: dict[str, Any] | None) -> dict[str, Any] | None:
    return row if row and row["history_type"] != REMOVED else None
