from __future__ import annotations

from datetime import date, datetime
from typing import Any, Self, cast

from django.apps import apps
from django.db.models import (
    Aggregate,
    BigIntegerField,
    BooleanField,
    Case,
    Count,
    ExpressionWrapper,
    F,
    Q,
    QuerySet,
    When,
)

from oegen.core import clock
from pipelines.facts.intervals import FOREVER
from pipelines.querysets import (
    ConditionsQuerySet,
    PipelineQuerySet,
    is_own_valid,
    is_sold_ready,
    whole_number,
)


class FactQuerySet(ConditionsQuerySet):
    pipeline_key = "pipeline_id"

    def at(self, moment: datetime | None) -> Self:
        """The facts right before that time; None: the current ones."""
        if moment is None:
            # Not with "=", by which SQLite expects so few facts that it reads all current ones
            # again for each row of a join.
            return self.filter(valid_until__gte=FOREVER)
        return self.filter(valid_from__lt=moment, valid_until__gte=moment)

    def now(self) -> Self:
        """The facts of the effective day: the current ones, or those of the past being read."""
        return self.at(clock.past_moment())

    def pipelines(self) -> PipelineQuerySet:
        found: PipelineQuerySet = apps.get_model("pipelines", "Pipeline").objects.all()
        return found.filter(pk__in=self.order_by().values("pipeline_id"))

    def by_pipeline(self) -> Self:
        """The keys of the pipelines of these facts, each once; the facts must be all of a moment.

        What is asked of several facts of a pipeline is then asked of its group, so that all such
        conditions together read the facts once.
        """
        grouped = self.order_by().values("pipeline_id").alias(facts=Count("pipeline_id"))
        return cast("Self", grouped)

    @property
    def _is_by_pipeline(self) -> bool:
        return bool(self.query.group_by)

    def pipeline_keys(self) -> QuerySet[Any, Any]:
        return self.values_list("pipeline_id") if self._is_by_pipeline else super().pipeline_keys()

    def _with_fact(self, condition: Q) -> Self:
        if not self._is_by_pipeline:
            return super()._with_fact(condition)
        return self._where_facts(Q(meeting__gt=0), meeting=Count("pipeline_id", filter=condition))

    def _where_facts(self, condition: Q, **aggregates: Aggregate) -> Self:
        if not self._is_by_pipeline:
            return super()._where_facts(condition, **aggregates)
        return self.alias(**aggregates).filter(condition)

    def with_sold_ready(self) -> Self:
        ready = ExpressionWrapper(is_sold_ready("sold_on"), BooleanField())
        return self.annotate(is_sold_ready=ready)


def valid_own_chance(today: date | None = None) -> When:
    """The pipeline's own probability, where it replaces the stage's."""
    return When(is_own_valid("own_chance", "own_chance_until", today), then=F("own_chance"))


def fact_probability(today: date | None = None) -> Case:
    """The probability of a fact, in hundredths of a percent."""
    return Case(
        valid_own_chance(today),
        default=whole_number(F("stage__default_probability_pct") * 100),
        output_field=BigIntegerField(),
    )
