"""Natural sorting of names, the same on every database.

A table maps every current and former name to its sort key (``oegen.core.text.sort_key``). It is
keyed by the text, not by record, so that past pages sort by the names of their day. A ``LineField``
called ``name`` has the relation ``name_order`` to it: sort a queryset by ``name_order__key``, which
``natural("name")`` returns.

Every audited write and every import of history updates the table; ``manage.py rebuild_search``
rebuilds it after data was loaded outside the application.
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

#: The sort key of an empty text.
EMPTY = sort_key("")


def natural(path: str) -> str:
    """The lookup path of the sort key, for the path of a LineField such as
    "-counterparty__name"."""
    return f"{path}_order__key"


def path_of(model: type[models.Model], path: str) -> str:
    """``natural(path)`` if the path leads to a LineField; other paths unchanged."""
    for part in path.lstrip("-").split("__"):
        try:
            field = model._meta.get_field(part)
        except FieldDoesNotExist:
            return path
        if not isinstance(field.related_model, type):
            break
        model = field.related_model
    return natural(path) if isinstance(field, LineField) and field.name == part else path


@cache
def line_fields(model: type[models.Model]) -> list[LineField]:
    return [field for field in model._meta.concrete_fields if isinstance(field, LineField)]


# Updating --------------------------------------------------------------------------------------


def index(model: type[AuditedModel], rows: Iterable[models.Model]) -> None:
    """Add the sort keys of the names in some records or history rows of the model."""
    attributes = [field.attname for field in line_fields(model)]
    if not attributes:
        return
    texts = {row.__dict__.get(name) for row in rows for name in attributes}
    _add({text for text in texts if isinstance(text, str)})


def rebuild() -> None:
    SortKey.objects.all().delete()
    for model in tracked_models():
        for rows in (model._base_manager, model.history):
            _index_all(rows.all(), line_fields(model))


def index_missing(sender, using, **kwargs) -> None:
    """post_migrate: add missing sort keys, such as those of rows that migrations created."""
    if sender.name != "oegen" or not database.is_migrated(using):
        return
    if not SortKey.objects.exists():
        rebuild()
        return
    for model in tracked_models():
        for field in line_fields(model):
            unknown = model._base_manager.filter(**{f"{field.name}_order__key": None})
            _index_all(unknown, [field])


def _index_all(rows: models.QuerySet, fields: list[LineField]) -> None:
    for field in fields:
        values = rows.order_by().values_list(field.name, flat=True).distinct()
        for batch in _batches(values.iterator(chunk_size=BATCH_SIZE)):
            _add(set(batch))


def _add(texts: set[str]) -> None:
    known = SortKey.objects.filter(text__in=texts).values_list("text", flat=True)
    # In a fixed order, to avoid deadlocks between writers.
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
