"""Names in the order that people expect, the same on every database.

A table holds the sort key (``oegen.core.text.sort_key``) of every name that there is or ever was,
by the name itself. It does not say whose name it is, so that a page of an earlier day sorts by the
names of that day. A ``LineField`` called ``name`` has the relation ``name_order`` to it: a
queryset sorts by ``name_order__key``, which ``by("name")`` spells.

Every audited write and every import of a past keeps the table up; ``manage.py rebuild_search``
makes it anew, after data was loaded outside the application.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from django.core.exceptions import FieldDoesNotExist
from django.db import models

from oegen.audit.registry import tracked_models
from oegen.core import database
from oegen.core.fields import LineField
from oegen.core.text import sort_key
from oegen.search.models import SortKey

if TYPE_CHECKING:
    from oegen.audit.audited import AuditedModel

BATCH_SIZE = 2000

#: How an empty text sorts.
EMPTY = sort_key("")


def by(path: str) -> str:
    """The path of the sort key for the path of a LineField, such as "-counterparty__name"."""
    return f"{path}_order__key"


def path_of(model: type[models.Model], path: str) -> str:
    """``by(path)`` where the path leads to a LineField; any other path as it is."""
    for part in path.lstrip("-").split("__"):
        try:
            field = model._meta.get_field(part)
        except FieldDoesNotExist:
            return path
        if not isinstance(field.related_model, type):
            break
        model = field.related_model
    return by(path) if isinstance(field, LineField) and field.name == part else path


@cache
def line_fields(model: type[models.Model]) -> list[LineField]:
    return [field for field in model._meta.concrete_fields if isinstance(field, LineField)]


# Keeping it up ---------------------------------------------------------------------------------


def keep(model: type[AuditedModel], rows: Iterable[models.Model]) -> None:
    """Have the sort keys of the names in some records, or history rows, of the model."""
    attributes = [field.attname for field in line_fields(model)]
    if not attributes:
        return
    texts = {row.__dict__.get(name) for row in rows for name in attributes}
    _add({text for text in texts if isinstance(text, str)})


def rebuild() -> None:
    SortKey.objects.all().delete()
    for model in tracked_models():
        for rows in (model._base_manager, model.history):
            _take_in(rows.all(), line_fields(model))


def take_in_unknown(sender, using, **kwargs) -> None:
    """post_migrate: have the keys of every name in a database that is older than they are, and of
    the names that migrations bring."""
    if sender.name != "oegen" or not database.is_migrated(using):
        return
    if not SortKey.objects.exists():
        rebuild()
        return
    for model in tracked_models():
        for field in line_fields(model):
            unknown = model._base_manager.filter(**{f"{field.name}_order__key": None})
            _take_in(unknown, [field])


def _take_in(rows: models.QuerySet, fields: list[LineField]) -> None:
    for field in fields:
        values = rows.order_by().values_list(field.name, flat=True).distinct()
        for batch in _batches(values.iterator(chunk_size=BATCH_SIZE)):
            _add(set(batch))


def _add(texts: set[str]) -> None:
    known = SortKey.objects.filter(text__in=texts).values_list("text", flat=True)
    # In one order, so that two writers don't wait for each other.
    new = [SortKey(text=text, key=sort_key(text)) for text in sorted(texts.difference(known))]
    if new:
        SortKey.objects.bulk_create(new, batch_size=BATCH_SIZE, ignore_conflicts=True)


def _batches(values: Iterable[str]) -> Iterator[list[str]]:
    batch = []
    for value in values:
        batch.append(value)
        if len(batch) == BATCH_SIZE:
            yield batch
            batch = []
    if batch:
        yield batch
