"""Net and weighted capacity: × ownership, × probability, and × both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Self

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Case, DecimalField, ExpressionWrapper, F, Max, Q, Value, When

from oegen.core import clock
from pipelines.querysets.capacity import Megawatts
from pipelines.querysets.exact import KILO, WHOLE, mw_of, part_of, whole_number
from pipelines.querysets.partners import PartnersQuerySet

NOTHING = Megawatts()


@dataclass(frozen=True)
class SharesOfCapacity:
    """Capacity × ownership, × probability, and × both."""

    net: Megawatts = NOTHING
    gross_weighted: Megawatts = NOTHING
    net_weighted: Megawatts = NOTHING

    def __add__(self, other: SharesOfCapacity) -> SharesOfCapacity:
        return SharesOfCapacity(
            self.net + other.net,
            self.gross_weighted + other.gross_weighted,
            self.net_weighted + other.net_weighted,
        )


def probability_of(prefix: str = "", today: date | None = None) -> Case:
    """The probability, in %, of the pipeline that the lookup ``prefix`` leads to."""
    own = f"{prefix}probability_pct"
    return Case(
        When(is_own_valid(own, f"{prefix}probability_expires_on", today), then=F(own)),
        default=F(f"{prefix}stage__default_probability_pct"),
    )


def is_own_valid(own: str, valid_until: str, today: date | None = None) -> Q:
    """Whether the pipeline's own probability, in the column ``own``, replaces the stage's."""
    unexpired = Q(**{valid_until: None}) | Q(**{f"{valid_until}__gte": today or clock.today()})
    return Q(**{f"{own}__isnull": False}) & unexpired


class SharesQuerySet(PartnersQuerySet):
    """The part of PipelineQuerySet about net and weighted capacity."""

    def with_shares_of_capacity(self) -> Self:
        """Adds to each row ``net_mw``, its facilities' sum × ownership, ``gross_weighted_mw``,
        × probability, and ``net_weighted_mw``, × both; None if a factor is unknown. Never add these
        up, because facilities can be shared: see ``shares_of_capacity``."""
        capacity, owned, chance = self._own_capacity(), F("ownership_pct"), probability_of()

        def share(*factors):
            product = capacity
            for factor in factors:
                product = product * factor / Value(100)
            return ExpressionWrapper(product, DecimalField(max_digits=20, decimal_places=6))

        return self.annotate(
            net_mw=share(owned),
            gross_weighted_mw=share(chance),
            net_weighted_mw=share(owned, chance),
        )

    def shares_of_capacity(self) -> SharesOfCapacity:
        """The totals: a shared facility counts once, with the highest share."""
        owned = whole_number(F("pipeline__ownership_pct") * 100)
        chance = whole_number(probability_of("pipeline__") * 100)
        links = self.model.facilities.through.objects.filter(pipeline__in=self._keys())
        facilities = (
            links.order_by()
            .values("facility_id")
            .annotate(
                basis=Max("facility__technology__capacity_basis"),
                kw=Max(whole_number(F("facility__capacity_mw") * KILO)),
                owned=Max(owned),
                chance=Max(chance),
                product=Max(owned * chance),
            )
        )
        try:
            sql, params = facilities.query.sql_with_params()
        except EmptyResultSet:
            return SharesOfCapacity()
        parts = ", ".join(f"SUM({part_of('kw', part)})" for part in ("owned", "chance", "product"))
        with connections[self.db].cursor() as cursor:
            cursor.execute(
                f"SELECT basis, {parts} FROM ({sql}) AS facilities GROUP BY basis",  # noqa: S608
                params,
            )
            rows = cursor.fetchall()
        found = SharesOfCapacity()
        for basis, net, weighted, net_weighted in rows:
            found += SharesOfCapacity(
                Megawatts.of(basis, mw_of(net, WHOLE)),
                Megawatts.of(basis, mw_of(weighted, WHOLE)),
                Megawatts.of(basis, mw_of(net_weighted, WHOLE * WHOLE)),
            )
        return found
