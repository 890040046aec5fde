"""The version of the facts, as a part of the keys of what is cached (oegen.core.caching)."""

from __future__ import annotations

from datetime import datetime

from oegen.audit import table_version
from oegen.core import clock
from oegen.models import ChangeSet
from pipelines.models import FactRevision, Stage, Technology


def facts_version(until: datetime) -> list[object]:
    """What changes when the facts up to that moment, of an earlier day, do or what they refer to.

    Read it before what is to be cached: with a concurrent write, newer figures then get an older
    key, never the reverse.
    """
    before = ChangeSet.objects.filter(sealed_at__lt=until).order_by("-sealed_at", "-number")
    return [
        clock.today(),
        until,
        before.values_list("seal", flat=True).first(),
        FactRevision.objects.filter(changed_from__lt=until).count(),
        *table_version(Stage),
        *table_version(Technology),
    ]
