from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce

from oegen import audit, search
from oegen.audit.querysets import AuditedQuerySet

if TYPE_CHECKING:
    from oegen.models import AuditedModel


class MilestoneQuerySet(AuditedQuerySet):
    def matching(self, text: str) -> Self:
        """Search: with every word of the text in one of SEARCH_FIELDS."""
        return search.matching(self, text)

    def with_first_day(self) -> Self:
        """Adds ``first_day`` to each row: the first forecast that was recorded, or the day on which
        it happened, if that came first. None for RTB and COD, whose days stand on the pipeline."""
        model: type[AuditedModel] = self.model
        known = audit.history_model(model).objects.filter(id=OuterRef("pk"))
        known = known.annotate(day=Coalesce("forecast_on", "actual_on")).filter(day__isnull=False)
        earliest = known.order_by("history_date", "history_id").values("day")[:1]
        return self.annotate(first_day=Subquery(earliest))

    def with_search_facts(self) -> Self:
        return self.select_related("pipeline", "kind")
