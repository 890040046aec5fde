"""History rows as the API tells them: which record, and each value before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models
from rest_framework import serializers

from oegen import audit
from oegen.api.rest.registry import VIEWSETS
from oegen.audit.audited import AuditedModel
from oegen.audit.changesets import ChangeSet
from oegen.audit.narrative.rows import rows_and_previous, with_notes
from oegen.audit.reference import ReferenceModel

if TYPE_CHECKING:
    from oegen.api.rest.viewsets import RecordViewSet

ACTIONS = {audit.CREATED: "created", audit.CHANGED: "changed", audit.REMOVED: "removed"}


@dataclass(frozen=True)
class Range:
    """The rows ``first`` up to ``last`` of the ``number`` that a model has in a change set, in
    which ``place`` rows of other models come before them."""

    model: type[AuditedModel]
    change_set: ChangeSet
    first: int
    last: int
    number: int
    place: int

    @property
    def is_whole(self) -> bool:
        return (self.first, self.last) == (0, self.number)


def models_of(change_set: ChangeSet) -> Iterator[tuple[type[AuditedModel], int]]:
    """The models of which the change set has rows, in their order, with the number of rows."""
    contents = change_set.contents or {}
    for model in audit.tracked_models():
        if counted := contents.get(audit.history_model(model)._meta.label_lower):
            yield model, counted[0]


def read_entries(change_set: ChangeSet) -> list[dict[str, Any]]:
    """The entries of the records that the API serves."""
    reader = EntryReader({view.queryset.model: view for view in VIEWSETS.values()})
    ranges = []
    place = 0
    for model, number in models_of(change_set):
        ranges.append(Range(model, change_set, 0, number, number, place))
        place += number
    return reader.read(ranges).get(change_set.pk, [])


@dataclass
class EntryReader:
    """Reads entries of the models that have a view set here."""

    views: dict[type[AuditedModel], type[RecordViewSet]]
    _codes: dict[type[models.Model], dict[Any, str]] = field(default_factory=dict)

    def read(self, ranges: Iterable[Range]) -> dict[Any, list[dict[str, Any]]]:
        """The entries by the key of their change set, in their order; those of models without a
        view set are left out. A fixed number of queries for each model, and for each range that is
        a part."""
        whole: dict[type[AuditedModel], list[Range]] = {}
        entries: dict[Any, list[dict[str, Any]]] = {}
        for one in ranges:
            if one.model not in self.views:
                continue
            if one.is_whole:
                whole.setdefault(one.model, []).append(one)
                continue
            rows = audit.history_model(one.model).objects.filter(change_set=one.change_set.pk)
            self._add(entries, [one], rows.order_by("history_id")[one.first : one.last])
        for model, several in whole.items():
            keys = [one.change_set.pk for one in several]
            rows = audit.history_model(model).objects.filter(change_set__in=keys)
            self._add(entries, several, rows.order_by("history_id"))
        for found in entries.values():
            found.sort(key=itemgetter("entry"))
        return entries

    def _add(
        self, entries: dict[Any, list[dict[str, Any]]], ranges: list[Range], queryset: Any
    ) -> None:
        """Add the entries of history rows, which are those of the ranges of one model."""
        [(rows, previous)] = rows_and_previous([with_notes(queryset)])
        places = {one.change_set.pk: one.place + one.first for one in ranges}
        for row in rows:
            places[row.change_set_id] += 1
            entry = self._entry(
                ranges[0].model, row, previous.get(row.history_id), places[row.change_set_id]
            )
            entries.setdefault(row.change_set_id, []).append(entry)

    def _entry(
        self, model: type[AuditedModel], row: Any, before: Any, place: int
    ) -> dict[str, Any]:
        view = self.views[model]
        names = view.serializer_class.NAMES
        after = row if row.history_type != audit.REMOVED else None
        values = {}
        for one in model._meta.concrete_fields:
            if one.name in model.BOOKKEEPING:
                continue
            old = self._value(one, getattr(before, one.attname)) if before else None
            new = self._value(one, getattr(after, one.attname)) if after else None
            if old != new or (before is None and after is not None):
                values[names.get(one.name, one.name)] = {"old": old, "new": new}
        return {
            "entry": place,
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
