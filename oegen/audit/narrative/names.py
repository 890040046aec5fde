"""The names of the records that history rows point to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, cast

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.shortcuts import resolve_url

from oegen.audit.audited import AuditedModel
from oegen.audit.choices import REMOVED
from oegen.audit.registry import Row, known_until
from oegen.core import clock
from oegen.core.bidi import isolated
from oegen.core.compiled import compiled, one_of, records_by_key
from oegen.core.pointers import target_of

NOTHING = "empty"


def subject_model(content_type_id: int) -> type[AuditedModel]:
    """The model of the record that a comment is about, from the content type cache."""
    model = ContentType.objects.get_for_id(content_type_id).model_class()
    return cast("type[AuditedModel]", model)


class NameCache:
    """Names of records, read with one query per model after ``prefetch``; those of removed records
    come from the history, and those that are ``known`` are not read."""

    def __init__(self, known: Iterable[models.Model] = ()) -> None:
        self._wanted: dict[type[models.Model], set[Any]] = defaultdict(set)
        self._found = {(type(record), record.pk): record for record in known}
        self._live = set(self._found)
        self._urls: dict[tuple[type[models.Model], Any], str] = {}

    def prefetch(self, model: type[models.Model], key: Any) -> None:
        self._wanted[model].add(key)

    def prefetch_for(self, model: type[AuditedModel], row: Row) -> None:
        """Prefetch the record of a history row of ``model`` and the targets of its foreign keys."""
        for model_field in model._meta.concrete_fields:
            if target := target_of(model_field):
                self._wanted[target].add(getattr(row, model_field.attname))
        if model.IS_COMMENT:
            self._wanted[subject_model(row.content_type_id)].add(row.object_id)
        else:
            self._wanted[model].add(row.id)

    def get(self, model: type[models.Model], key: Any) -> str:
        """The name, isolated for use in a sentence."""
        if key is None:
            return NOTHING
        return isolated(str(self.record(model, key) or "a removed record"))

    def record(self, model: type[models.Model], key: Any) -> models.Model | None:
        """The record or, if it was removed, its last state. None for link models."""
        self._read(model)
        return self._found.get((model, key))

    def url(self, model: type[models.Model], key: Any) -> str:
        """The URL of the record's page; empty if it has none or was removed."""
        self._read(model)
        if (model, key) not in self._live or not hasattr(model, "get_absolute_url"):
            return ""
        if (model, key) not in self._urls:
            self._urls[model, key] = resolve_url(model(pk=key))
        return self._urls[model, key]

    def _read(self, model: type[models.Model]) -> None:
        wanted = self._wanted.pop(model, set()) - {None}
        keys = {key for key in wanted if (model, key) not in self._live}
        if not keys:
            return
        for key, instance in _records(model, keys).items():
            self._live.add((model, key))
            if not issubclass(model, AuditedModel) or not model.PARENT_FIELD:
                self._found[model, key] = instance
        gone = {key for key in keys if (model, key) not in self._live}
        if gone and issubclass(model, AuditedModel) and not model.PARENT_FIELD:
            for row in _states_of(model, gone):
                self._found[model, row.id] = row.instance


def _records(model: type[models.Model], keys: set[Any]) -> dict[Any, models.Model]:
    """The records that exist on the effective day, by key."""
    found: dict[Any, models.Model] = {}
    if clock.past_day() and issubclass(model, AuditedModel) and not model.is_vocabulary():
        # The table as of that day takes longer to make than a few records to look up in it.
        newest = {row.id: row for row in _states_of(model, keys)}
        found = {key: row.instance for key, row in newest.items() if row.history_type != REMOVED}
        keys = keys - newest.keys()
    return found | records_by_key(model, keys)


def _states_of(model: type[AuditedModel], keys: set[Any]) -> Iterable[Any]:
    """The history rows of these records up to the effective day, the oldest first."""
    return _states(model, keys=keys, until=known_until(model))


@compiled
def _states(model: type[AuditedModel], *, keys: Any, until: Any) -> models.QuerySet[Any]:
    rows: models.QuerySet[Any] = model.history.filter(id__in=one_of(keys, model))
    return rows.filter(history_date__lt=until).order_by("history_date", "history_id")
