"""An edition that is written, removed, undone or restored changes what the projects are."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.dispatch import receiver

from oegen.audit import rows_removed, rows_written
from pipelines.registers.editions.presenting import present
from pipelines.registers.models import Edition, Register


@receiver(rows_written, sender=Edition, dispatch_uid="registers.present")
def present_written(sender: type[Edition], instances: list[Edition], **kwargs: Any) -> None:
    _present({edition.register_id for edition in instances})


@receiver(rows_removed, sender=Edition, dispatch_uid="registers.present_removed")
def present_removed(sender: type[Edition], keys: list[UUID], **kwargs: Any) -> None:
    _present(set(Edition.history.filter(id__in=keys).values_list("register_id", flat=True)))


def _present(registers: set[UUID]) -> None:
    for register in Register.objects.filter(pk__in=registers):
        present(register)
