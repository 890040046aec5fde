"""When the last move of pipelines took effect, as it was known at a moment."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from oegen import audit
from pipelines.models import StageTransition


def effective_days(pipelines: Iterable[UUID], until: datetime) -> dict[UUID, date]:
    """By pipeline, from the history before ``until``."""
    rows = StageTransition.history.filter(pipeline__in=list(pipelines), history_date__lt=until)
    rows = rows.order_by("history_date", "history_id")
    known = {}
    for row in rows.values_list("id", "history_type", "pipeline", "recorded_at", "effective_on"):
        known[row[0]] = row[1:]
    last: dict[UUID, tuple[datetime, date]] = {}
    for kind, pipeline, recorded_at, effective_on in known.values():
        if kind != audit.REMOVED and recorded_at >= last.get(pipeline, (recorded_at,))[0]:
            last[pipeline] = recorded_at, effective_on
    return {pipeline: day for pipeline, (_, day) in last.items()}
