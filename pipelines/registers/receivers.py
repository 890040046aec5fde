"""What is written of matches, editions and our projects changes what registers say otherwise."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from oegen.audit import change_set_closed
from oegen.audit.changes import Changes
from oegen.models import ChangeSet
from pipelines.registers.watching import refresh_findings_of


@receiver(change_set_closed, dispatch_uid="registers.watch")
def _refresh_findings(sender: type[ChangeSet], changes: Changes, **kwargs: Any) -> None:
    refresh_findings_of(changes)
