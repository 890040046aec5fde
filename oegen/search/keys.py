"""Duplicate detection: a table of the names and numbers that identify records.

A model returns its keys from ``record_keys``. Every audited write updates the table
(oegen.search.receivers); ``manage.py rebuild_search`` rebuilds it. Query it by ``same_name``,
``alias_holders``, ``similar_names`` and ``shared``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Case, Count, QuerySet, Value, When

from oegen.audit.registry import tracked_models
from oegen.core import bulk, database
from oegen.core.exceptions import RuleBrokenError
from oegen.core.record_keys import ALIAS, NAME, Key
from oegen.core.text import likeness_key, name_key
from oegen.search.models import RecordKey

if TYPE_CHECKING:
    from oegen.audit.audited import AuditedModel

BATCH_SIZE = 2000


def keyed_models() -> list[type[AuditedModel]]:
    return [model for model in tracked_models() if model.HAS_KEYS]


# Queries ---------------------------------------------------------------------------------------


def same_name(model: type[AuditedModel], text: str, *, exclude: Any = None) -> QuerySet:
    """The records with this name, ignoring case, white space and invisible characters, but not
    accents. ``exclude`` is the key of a record to leave out."""
    return _holders(model, exclude, kind=NAME, key=name_key(text))


def alias_holders(model: type[AuditedModel], text: str, *, exclude: Any = None) -> QuerySet:
    """The records with this name among their aliases."""
    return _holders(model, exclude, kind=ALIAS, key=name_key(text))


def similar_names(model: type[AuditedModel], text: str, *, exclude: Any = None) -> QuerySet:
    """The records with a name or alias that differs from this one only by accents and
    punctuation."""
    likeness = likeness_key(text)
    if not likeness:
        return model._base_manager.none()
    found = _rows(model).filter(likeness=likeness).exclude(key=name_key(text))
    return _records(model, found, exclude)


def with_alias(model: type[AuditedModel], text: str) -> QuerySet:
    """Ids of the records with an alias that contains the text, ignoring accents and punctuation."""
    rows = _rows(model).filter(kind=ALIAS)
    likeness = likeness_key(text)
    rows = rows.filter(likeness__contains=likeness) if likeness else rows.none()
    return rows.values("object_id")


def _holders(model, exclude, **condition) -> QuerySet:
    return _records(model, _rows(model).filter(**condition), exclude)


def _records(model, rows, exclude) -> QuerySet:
    found = model._base_manager.filter(pk__in=rows.values("object_id"))
    return found.exclude(pk=exclude) if exclude else found


def _rows(model):
    return RecordKey.objects.filter(content_type=ContentType.objects.get_for_model(model))


@dataclass(frozen=True)
class SharedKeys:
    """Records with equal keys, and the kinds of those keys. Names and aliases are one kind."""

    record_ids: frozenset
    kinds: tuple[str, ...]


def shared(model: type[AuditedModel], *, unique_only: bool = False) -> list[SharedKeys]:
    """The groups of records that share keys, in the order of the keys. ``unique_only`` includes
    unique keys only."""
    rows = _rows(model)
    if unique_only:
        rows = rows.filter(number__isnull=False)
    rows = rows.annotate(sort=Case(When(kind=ALIAS, then=Value(NAME)), default="kind")).order_by()
    counted = rows.values_list("sort", "key").annotate(holders=Count("object_id", distinct=True))
    several = sorted({key for _, key, _ in counted.filter(holders__gt=1)})
    holders: dict[tuple[str, str], set] = defaultdict(set)
    # In two steps: without table statistics the database may run a subquery once per row.
    for start in range(0, len(several), BATCH_SIZE):
        found = rows.filter(key__in=several[start : start + BATCH_SIZE])
        for sort, key, record_id in found.values_list("sort", "key", "object_id"):
            holders[sort, key].add(record_id)
    kinds: dict[frozenset, dict[str, None]] = defaultdict(dict)
    for (sort, _), group in sorted(holders.items(), key=lambda item: item[0][::-1]):
        if len(group) > 1:
            kinds[frozenset(group)][sort] = None
    return [SharedKeys(group, tuple(names)) for group, names in kinds.items()]


def records_of(
    model: type[AuditedModel], groups: Iterable[SharedKeys]
) -> list[tuple[SharedKeys, list[AuditedModel]]]:
    """Each group with its existing records, oldest first."""
    groups = list(groups)
    records = model._base_manager.in_bulk({one for group in groups for one in group.record_ids})
    found = []
    for group in groups:
        existing = [records[one] for one in group.record_ids if one in records]
        found.append((group, sorted(existing, key=lambda record: (record.created_at, record.pk))))
    return found


def check(record: AuditedModel, exclude: Iterable[str] = ()) -> None:
    """Raise ValidationError, by field, for a unique key that another record has.

    A key that is stored for the record already is accepted.
    """
    wanted = [
        key for key in record.record_keys() if key.is_unique and key.field_name not in exclude
    ]
    if not wanted:
        return
    rows = _rows(type(record)).filter(kind__in={key.kind for key in wanted})
    rows = rows.filter(key__in={key.key for key in wanted})
    holders = defaultdict(list)
    for kind, key, record_id in rows.values_list("kind", "key", "object_id"):
        holders[kind, key].append(record_id)
    errors = {}
    for key in wanted:
        record_ids = holders[key.kind, key.key]
        if record_ids and record.pk not in record_ids:
            errors[key.field_name] = _duplicate_message(type(record), key, record_ids[0])
    if errors:
        raise ValidationError(errors)


def _duplicate_message(model, key: Key, holder) -> str:
    other = model._base_manager.filter(pk=holder).first()
    return key.message % {"other": other or "another record"}


# Updating -------------------------------------------------------------------------------------


def index(
    model: type[AuditedModel], instances: Iterable[AuditedModel], *, reread: bool = False
) -> None:
    """Update the keys of the instances.

    Raises RuleBrokenError for a unique key that another record has. ``reread`` reads the values
    from the database, for instances with unsaved values.
    """
    if not model.HAS_KEYS:
        return
    if reread:
        instances = model._base_manager.filter(pk__in=[one.pk for one in instances])
    _write(model, list(instances), refuse_duplicates=True)


def delete_keys(model: type[AuditedModel], record_ids: list) -> None:
    if model.HAS_KEYS:
        _rows(model).filter(object_id__in=record_ids).delete()


@transaction.atomic
def rebuild() -> None:
    """Rebuild all keys; duplicates get different numbers."""
    RecordKey.objects.all().delete()
    for model in keyed_models():
        _index_all(model, model._base_manager.all())


def index_missing(sender, using, **kwargs) -> None:
    """post_migrate: create the keys of records that have none."""
    if sender.name != "oegen" or not database.is_migrated(using):
        return
    for model in keyed_models():
        _index_all(model, model._base_manager.exclude(pk__in=_rows(model).values("object_id")))


def _index_all(model, records: QuerySet) -> None:
    batch = []
    for record in records.order_by("created_at", "pk").iterator(chunk_size=BATCH_SIZE):
        batch.append(record)
        if len(batch) == BATCH_SIZE:
            _write(model, batch, refuse_duplicates=False)
            batch = []
    _write(model, batch, refuse_duplicates=False)


def _write(model, instances: list[AuditedModel], *, refuse_duplicates: bool) -> None:
    wanted = {one.pk: set(one.record_keys()) for one in instances}
    known: dict[Any, set] = defaultdict(set)
    outdated = []
    for row in _rows(model).filter(object_id__in=list(wanted)):
        key = Key(row.kind, row.key, row.likeness)
        if key in wanted[row.object_id]:
            known[row.object_id].add(key)
        else:
            outdated.append(row.pk)
    if outdated:
        RecordKey.objects.filter(pk__in=outdated).delete()
    # In the order of the instances, so that the oldest of duplicates has the number 0.
    new = [(one.pk, key) for one in instances for key in wanted[one.pk] - known[one.pk]]
    if not new:
        return
    holders = _holders_of(model, [key for _, key in new if key.is_unique])
    content_type = ContentType.objects.get_for_model(model)
    rows = []
    for record_id, key in new:
        row = RecordKey(content_type=content_type, object_id=record_id, kind=key.kind)
        row.key, row.likeness = key.key, key.likeness
        if key.is_unique:
            numbered = holders[key.kind, key.key]
            if numbered and refuse_duplicates:
                raise RuleBrokenError(_duplicate_message(model, key, next(iter(numbered.values()))))
            row.number = max(numbered, default=-1) + 1
            numbered[row.number] = record_id
        rows.append(row)
    bulk.insert(RecordKey, rows)


def _holders_of(model, keys: list[Key]) -> dict[tuple[str, str], dict[int, Any]]:
    """The records that have one of the keys: {(kind, key): {number: record id}}."""
    holders: dict[tuple[str, str], dict[int, Any]] = defaultdict(dict)
    if keys:
        rows = _rows(model).filter(kind__in={one.kind for one in keys}, number__isnull=False)
        rows = rows.filter(key__in={one.key for one in keys})
        for kind, key, number, record_id in rows.values_list("kind", "key", "number", "object_id"):
            holders[kind, key][number] = record_id
    return holders
