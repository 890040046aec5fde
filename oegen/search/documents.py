"""The search index: one document of folded text for each record and comment.

``SEARCH_FIELDS`` of a model lists what is indexed. Every audited write updates the index
(oegen.search.receivers); code that bypasses the managers must call ``rebuild``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from oegen.audit.registry import tracked_models
from oegen.core import bulk, database
from oegen.core.database import key_set
from oegen.core.folding import fold
from oegen.core.instances import instance_of
from oegen.core.text import sort_key
from oegen.search.models import SearchDocument

if TYPE_CHECKING:
    from oegen.audit.audited import AuditedModel

REBUILD_BATCH = 2000

#: How much of a name and of its sort key counts in the order of hits: all of any but a comment.
MAX_NAME, MAX_SORT_KEY = 200, 600


def kinds() -> list[type[AuditedModel]]:
    """The indexed models, in the order of their ``SEARCH_ORDER``."""
    known = [model for model in tracked_models() if model.SEARCH_FIELDS]
    return sorted(known, key=lambda model: model.SEARCH_ORDER)


def record_count() -> int:
    return sum(model._base_manager.count() for model in kinds())


# The documents ---------------------------------------------------------------------------------


def index(
    model: type[AuditedModel],
    instances: Iterable[AuditedModel],
    *,
    reread: bool = False,
    are_new: bool = False,
) -> None:
    """Create or update the documents of the instances, with one query per batch.

    ``are_new``: they were just created, which is faster. ``reread`` reads the values from the
    database, for instances with unsaved values.
    """
    if not model.SEARCH_FIELDS:
        return
    if reread:
        instances = model._base_manager.filter(pk__in=[one.pk for one in instances])
    # By key: one statement must not update the same row twice.
    rows = {one.pk: document_of(one) for one in instances}
    if not rows:
        return
    if are_new and not _are_left(model, rows):
        bulk.insert(SearchDocument, rows.values())
        return
    SearchDocument.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["content_type", "object_id"],
        update_fields=["title", "body", "sort_key"],
    )


def _are_left(model: type[AuditedModel], keys: Collection[Any]) -> bool:
    """Whether there are documents of new records: what is left of ones that were removed without
    the program."""
    documents = SearchDocument.objects.filter(
        content_type=ContentType.objects.get_for_model(model), object_id__in=key_set(keys)
    )
    return documents.exists()


def delete_documents(model: type[AuditedModel], keys: list) -> None:
    """Delete the documents of removed records."""
    if model.SEARCH_FIELDS:
        content_type = ContentType.objects.get_for_model(model)
        SearchDocument.objects.filter(content_type=content_type, object_id__in=keys).delete()


@transaction.atomic
def rebuild(progress: Callable[[int], object] = lambda done: None) -> int:
    """Rebuild all documents, in batches; returns their number.

    ``progress`` is called with the size of each batch.
    """
    documents = SearchDocument.objects
    documents.all().delete()
    total = 0
    for model in kinds():
        batch = []
        records = model._base_manager.order_by("pk").iterator(chunk_size=REBUILD_BATCH)
        for record in records:
            batch.append(document_of(record))
            if len(batch) == REBUILD_BATCH:
                documents.bulk_create(batch)
                progress(len(batch))
                total += len(batch)
                batch = []
        documents.bulk_create(batch)
        progress(len(batch))
        total += len(batch)
    return total


def rebuild_if_new(sender, using, **kwargs) -> None:
    """post_migrate: build the index of a database from before search existed.

    Skipped after migrating backwards, when the tables do not match the models.
    """
    if sender.name != "oegen":
        return
    if database.is_migrated(using) and not SearchDocument.objects.exists():
        rebuild()


def document_of(record: AuditedModel) -> SearchDocument:
    title, body, key = texts_of(record)
    return instance_of(
        SearchDocument,
        {
            "id": None,
            "content_type_id": ContentType.objects.get_for_model(type(record)).pk,
            "object_id": record.pk,
            "title": title,
            "body": body,
            "sort_key": key,
        },
    )


def texts_of(record: AuditedModel) -> tuple[str, str, str]:
    """Title, body and sort key of the record's document."""
    texts = [fold(getattr(record, name)) for name in record.SEARCH_FIELDS]
    # One line per field, so that no match spans two fields.
    name = getattr(record, record.SEARCH_FIELDS[0])
    # The database can't index longer ones.
    key = sort_key(name[:MAX_NAME])[:MAX_SORT_KEY]
    return texts[0], "\n".join(filter(None, texts)), key
