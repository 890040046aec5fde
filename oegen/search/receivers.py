"""Update the tables of search with every audited write."""

from django.dispatch import receiver

from oegen.audit.signals import record_validating, rows_removed, rows_written
from oegen.search import documents, ordering
from oegen.search import keys as record_keys


@receiver(rows_written, dispatch_uid="oegen.search.written")
def _index(sender, instances, created, has_unsaved, **kwargs) -> None:
    documents.index(sender, instances, reread=has_unsaved, are_new=created)
    record_keys.index(sender, instances, reread=has_unsaved)
    ordering.index(sender, instances)


@receiver(rows_removed, dispatch_uid="oegen.search.removed")
def _delete(sender, keys: list, **kwargs) -> None:
    documents.delete_documents(sender, keys)
    record_keys.delete_keys(sender, keys)


@receiver(record_validating, dispatch_uid="oegen.search.validating")
def _check_keys(sender, record, exclude, **kwargs) -> None:
    record_keys.check(record, exclude)
