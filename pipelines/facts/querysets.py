from __future__ import annotations

from datetime import date, datetime
from typing import Any, Self

from django.db.models import BigIntegerField, Case, F, Q, QuerySet, When

from oegen.core import clock
from pipelines.facts.intervals import FOREVER
from pipelines.querysets import whole_number


class FactQuerySet(QuerySet[Any]):
    def at(self, moment: datetime | None) -> Self:
        """The facts right before that moment; None: those of what is stored now."""
        if moment is None:
            return self.filter(valid_until=FOREVER)
        return self.filter(valid_from__lt=moment, valid_until__gte=moment)


def chance_of(today: date | None = None) -> Case:
    """The probability of a fact, in hundredths of a percent, by the rule of
    pipelines.querysets.shares.probability_of."""
    unexpired = Q(own_chance_until=None) | Q(own_chance_until__gte=today or clock.today())
    return Case(
        When(Q(own_chance__isnull=False) & unexpired, then=F("own_chance")),
        default=whole_number(F("stage__default_probability_pct") * 100),
        output_field=BigIntegerField(),
    )
