"""The effective days of moves between stages, as they were recorded at a moment."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from oegen import audit
from pipelines.models import StageTransition


def effective_days(pipelines: Iterable[UUID], until: datetime) -> dict[UUID, date]:
    """The effective day of the last move of each pipeline, from the history before ``until``."""
    rows = StageTransition.history.filter(pipeline__in=list(pipelines), history_date__lt=until)
    rows = rows.order_by("history_date", "history_id")
    newest = {}
    for key, *values in rows.values_list(
        "id", "history_type", "pipeline", "recorded_at", "effective_on"
    ):
        newest[key] = values
    last: dict[UUID, tuple[datetime, date]] = {}
    for kind, pipeline, recorded_at, effective_on in newest.values():
        if kind != audit.REMOVED and recorded_at >= last.get(pipeline, (recorded_at,))[0]:
            last[pipeline] = recorded_at, effective_on
    return {pipeline: day for pipeline, (_, day) in last.items()}
