from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db.models import Case, CharField, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from oegen import audit, search
from oegen.audit.querysets import AuditedQuerySet
from oegen.core import clock
from pipelines.choices import Outcome
from pipelines.querysets.state import is_past_rtb
from pipelines.reference import COD_ID, FIELD_OF_KIND, RTB_ID

if TYPE_CHECKING:
    from oegen.models import AuditedModel

#: States of milestones. Those of projects that are not open are none of these once their day has
#: passed.
MISSED, AHEAD, DONE, NO_DAY = "missed", "ahead", "done", "none"

HAS_HAPPENED = Q(is_actual=True) | Q(actual_on__isnull=False)

_OF_OPEN = Q(
    pipeline__outcome=Outcome.ACTIVE, pipeline__stage__is_terminal=False, pipeline__on_hold=False
)


class MilestoneQuerySet(AuditedQuerySet):
    def with_day(self) -> Self:
        """Adds ``day``, when it happened or is expected, and ``state`` to each row. A project from
        Construction on has reached RTB, a completed one COD, marked or not."""
        own = {kind: F(f"pipeline__{name}") for kind, name in FIELD_OF_KIND.items()}
        day = Case(
            *(When(kind=kind, then=field) for kind, field in own.items()),
            default=Coalesce("actual_on", "forecast_on"),
        )
        is_reached = Q(kind=RTB_ID) & is_past_rtb("pipeline__")
        is_reached |= Q(kind=COD_ID, pipeline__stage__is_terminal=True)
        state = Case(
            When(day=None, then=Value(NO_DAY)),
            When(HAS_HAPPENED | is_reached & Q(day__lte=clock.today()), then=Value(DONE)),
            When(day__gte=clock.today(), then=Value(AHEAD)),
            When(_OF_OPEN, then=Value(MISSED)),
            default=Value(""),
            output_field=CharField(),
        )
        return self.annotate(day=day).annotate(state=state)

    def of_state(self, *codes: str) -> Self:
        return self.with_day().filter(state__in=codes)

    def with_first_day(self) -> Self:
        """Adds ``first_day`` to each row: the first forecast that was recorded, or the day on which
        it happened, if that came first. None for RTB and COD, whose days stand on the pipeline."""
        model: type[AuditedModel] = self.model
        known = audit.history_model(model).objects.filter(id=OuterRef("pk"))
        known = known.annotate(day=Coalesce("forecast_on", "actual_on")).filter(day__isnull=False)
        earliest = known.order_by("history_date", "history_id").values("day")[:1]
        return self.annotate(first_day=Subquery(earliest))

    def matching(self, text: str) -> Self:
        """Search: with every word of the text in the evidence, or in the pipeline's texts."""
        pipelines = self.model.pipeline.field.related_model.objects.matching(text)
        return search.matching(self, text) | self.filter(pipeline__in=pipelines.order_by())

    def with_search_facts(self) -> Self:
        return self.select_related("pipeline", "kind")
