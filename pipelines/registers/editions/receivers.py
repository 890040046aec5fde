"""An edition that is written, removed, undone or restored changes what the projects are; a record
of ours that is removed takes its matches with it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.dispatch import receiver

from counterparties.models import Counterparty
from oegen.audit import rows_removed, rows_written
from oegen.models import AuditedModel
from pipelines.models import Facility, Pipeline
from pipelines.registers.editions.presenting import present
from pipelines.registers.models import Edition, Match, Register
from pipelines.registers.preparing import prepare_pages


@receiver(rows_written, sender=Edition, dispatch_uid="registers.present")
def present_written(sender: type[Edition], instances: list[Edition], **kwargs: Any) -> None:
    _present({edition.register_id for edition in instances})


@receiver(rows_removed, sender=Edition, dispatch_uid="registers.present_removed")
def present_removed(sender: type[Edition], keys: list[UUID], **kwargs: Any) -> None:
    _present(set(Edition.history.filter(id__in=keys).values_list("register_id", flat=True)))


@receiver(rows_removed, dispatch_uid="registers.unmatch")
def remove_matches(sender: type[AuditedModel], keys: list[UUID], **kwargs: Any) -> None:
    if sender in (Pipeline, Facility, Counterparty):
        content_type = ContentType.objects.get_for_model(sender)
        found = Match.objects.filter(content_type=content_type, object_id__in=keys)
        if found.exists():
            found.delete()


def _present(registers: set[UUID]) -> None:
    for register in Register.objects.filter(pk__in=registers):
        present(register)
    transaction.on_commit(prepare_pages, robust=True)
