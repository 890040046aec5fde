"""What is written of matches, editions and our projects changes what registers say otherwise."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from oegen.audit import change_set_closing
from oegen.models import ChangeSet
from pipelines.registers.watching import refresh_findings_of


@receiver(change_set_closing, dispatch_uid="registers.watch")
def _refresh_findings(sender: type[ChangeSet], change_set: ChangeSet, **kwargs: Any) -> None:
    refresh_findings_of(change_set)
