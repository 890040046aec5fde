"""RTB dates against their baselines, read from the facts, so that it holds on any day.

The baseline of an RTB date is the day approved last; until one is approved, the first recorded.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.models import F, Func, IntegerField, QuerySet
from django.db.models.functions import Coalesce

from oegen.core.sql import days_between


class DaysBetween(Func):
    """The days from one date to another, late positive."""

    output_field = IntegerField()
    arity = 2

    def as_sql(self, compiler, connection):  # type: ignore[override]  # Django passes no more
        start, end = (compiler.compile(one) for one in self.source_expressions)
        # The end stands before the start.
        return days_between(start[0], end[0]), (*end[1], *start[1])


def dated_facts() -> QuerySet[Any]:
    """The facts of the effective day that have an RTB date, with ``baseline`` and, in days, late
    positive, ``days_late`` and ``days_after_first``: against the baseline and the first date."""
    facts = apps.get_model("pipelines", "Fact").objects.now()
    dated: QuerySet[Any] = facts.filter(rtb_date__isnull=False).order_by()
    return dated.annotate(baseline=Coalesce("rtb_baseline", "rtb_first")).annotate(
        days_late=DaysBetween(F("baseline"), F("rtb_date")),
        days_after_first=DaysBetween(F("rtb_first"), F("rtb_date")),
    )
