"""History rows as the API tells them: which record, and each value before and after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models
from rest_framework import serializers

from oegen import audit
from oegen.api.rest.registry import VIEWSETS
from oegen.audit.audited import AuditedModel
from oegen.audit.changesets import ChangeSet
from oegen.audit.narrative.timeline import rows_and_previous
from oegen.audit.reference import ReferenceModel

if TYPE_CHECKING:
    from oegen.api.rest.viewsets import RecordViewSet

ACTIONS = {audit.CREATED: "created", audit.CHANGED: "changed", audit.REMOVED: "removed"}


def read_entries(change_set: ChangeSet) -> Iterator[dict[str, Any]]:
    """The entries of the records that the API serves."""
    reader = EntryReader({view.queryset.model: view for view in VIEWSETS.values()})
    for model in reader.views:
        label = audit.history_model(model)._meta.label_lower
        if counted := (change_set.contents or {}).get(label):
            yield from reader.read(model, change_set, 0, counted[0], 0)


@dataclass
class EntryReader:
    """Reads entries of the models that have a view set here."""

    views: dict[type[AuditedModel], type[RecordViewSet]]
    _codes: dict[type[models.Model], dict[Any, str]] = field(default_factory=dict)

    def read(
        self, model: type[AuditedModel], change_set: ChangeSet, first: int, last: int, place: int
    ) -> Iterator[dict[str, Any]]:
        """The entries of the model's rows ``first`` up to ``last`` in the change set, in which
        ``place`` rows of other models come before them."""
        history = audit.history_model(model).objects.filter(change_set=change_set.pk)
        rows, previous = rows_and_previous(history.order_by("history_id")[first:last])
        view = self.views[model]
        names = view.serializer_class.NAMES
        for offset, row in enumerate(rows, start=first + 1):
            before = previous.get(row.previous_id) if row.history_type != audit.CREATED else None
            after = row if row.history_type != audit.REMOVED else None
            values = {}
            for one in model._meta.concrete_fields:
                if one.name in model.BOOKKEEPING:
                    continue
                old = self._value(one, getattr(before, one.attname)) if before else None
                new = self._value(one, getattr(after, one.attname)) if after else None
                if old != new or (before is None and after is not None):
                    values[names.get(one.name, one.name)] = {"old": old, "new": new}
            yield {
                "entry": place + offset,
                "kind": view.route,
                "id": row.id,
                "action": ACTIONS[row.history_type],
                "version": row.version,
                "values": values,
            }

    def _value(self, one: models.Field[Any, Any], value: Any) -> Any:
        """A stored value as the API has it: rows of reference tables by their code."""
        if value is None:
            return None
        target = one.remote_field.model if one.remote_field else None
        if isinstance(target, type) and issubclass(target, ReferenceModel):
            if target not in self._codes:
                rows = target._base_manager.values_list("pk", "code")
                self._codes[target] = dict(rows)
            return self._codes[target].get(value, str(value))
        if isinstance(value, Decimal):
            return f"{value:f}"
        if isinstance(value, datetime | date):
            return value.isoformat()
        return str(value) if isinstance(value, UUID) else value


class EntrySerializer(serializers.Serializer):
    entry = serializers.IntegerField(help_text="Its place in the change set, from 1.")
    kind = serializers.CharField(help_text="The kind of record: `pipelines`.")
    id = serializers.UUIDField()
    action = serializers.ChoiceField(list(ACTIONS.values()))
    version = serializers.IntegerField(
        help_text="The record's version after it; 0 of imported history."
    )
    values = serializers.DictField(
        child=serializers.DictField(), help_text="By field: `old` and `new`."
    )
