"""Referential integrity of pointers (oegen.core.pointers): their targets can't be deleted, and keys
that a change set wrote are checked at its end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import ProtectedError
from django.db.models.deletion import Collector
from django.dispatch import receiver
from django.utils.text import capfirst

from oegen.audit.context import queue_for_closing
from oegen.audit.signals import change_set_closing, rows_written
from oegen.core.exceptions import RuleBrokenError
from oegen.core.pointers import PointerField, pointers_of, rows_pointing_to

if TYPE_CHECKING:
    from oegen.audit.audited import AuditedModel
    from oegen.audit.changesets import ChangeSet


def protect_targets(records: list[Any] | models.QuerySet[Any], keys: list[Any]) -> None:
    """Raise ProtectedError if a pointer refers to any of these locked records. The error also
    lists the objects that protect them by foreign keys."""
    model = records.model if isinstance(records, models.QuerySet) else type(records[0])
    pointing = set(rows_pointing_to(model, keys))
    if not pointing:
        return
    message = f"Cannot delete some instances of model {model.__name__!r}: they are pointed to."
    first = records[0]
    try:
        # Django accepts a queryset, too.
        Collector(using=first._state.db, origin=first).collect(records)  # type: ignore[arg-type]
    except ProtectedError as error:
        message, pointing = error.args[0], pointing | error.protected_objects
    raise ProtectedError(message, pointing)


@receiver(rows_written, dispatch_uid="oegen.pointers.written")
def _queue_check(
    sender: type[AuditedModel], instances: Iterable[AuditedModel], **kwargs: Any
) -> None:
    if pointers_of(sender):
        queue_for_closing(sender, [instance.pk for instance in instances])


@receiver(change_set_closing, dispatch_uid="oegen.pointers.closing")
def _check_queued(sender: type[ChangeSet], change_set: ChangeSet, **kwargs: Any) -> None:
    for model, keys in change_set.queued_for_closing.items():
        if not isinstance(model, str):
            for field in pointers_of(model):
                _check_targets(field, keys)


def _check_targets(field: PointerField, keys: Iterable[Any]) -> None:
    """Raise RuleBrokenError for a key without a record. Lock the targets until the end of the
    transaction."""
    rows = field.model._base_manager.filter(pk__in=keys).exclude(**{field.name: None})
    wanted = set(rows.values_list(field.attname, flat=True))
    if not wanted or field.target is None:
        return
    targets = field.target._base_manager.filter(pk__in=wanted).order_by("pk")
    existing = targets.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True)
    if wanted - set(existing):
        label = capfirst(field.verbose_name)
        raise RuleBrokenError(f"{label}: what it points to has been removed.")
