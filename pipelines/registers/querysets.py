from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from operator import and_, or_
from typing import Any, Self

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.expressions import BaseExpression

from oegen.core.compiled import in_one_row
from pipelines.choices import CapacityBasis
from pipelines.querysets import Megawatts
from pipelines.querysets.facility import of_technology
from pipelines.registers.choices import RegisterOutcome

#: Codes of ``seen``.
IN_NEWEST, NEW, MOVED, CAME_BACK, WENT_BACK, VANISHED = (
    *("newest", "new", "moved"),
    *("came-back", "went-back", "vanished"),
)

_SEEN = {
    IN_NEWEST: Q(),
    NEW: Q(first_seen_on=F("last_seen_on")),
    MOVED: ~Q(phase=F("previous_phase")) & Q(first_seen_on__lt=F("last_seen_on")),
    CAME_BACK: Q(came_back_on=F("last_seen_on")),
    WENT_BACK: Q(went_back_on=F("last_seen_on")),
}

_SEARCHED = ("name", "operator", "key", "place", "region")


@dataclass(frozen=True)
class RegisterCapacity(Megawatts):
    """The capacity of projects of registers; ``without`` of them have no figure."""

    projects: int = 0
    without: int = 0

    @property
    def facts(self) -> list[tuple[str, Decimal | int | str]]:
        """Labelled totals for the first sheet of a download."""
        return [
            ("Capacity, MWp DC", self.mwp_dc),
            ("Capacity, MW AC", self.mw_ac),
            ("Without a figure", self.without),
        ]


class RegisterProjectQuerySet(QuerySet[Any]):
    def present(self) -> Self:
        """Those that an edition has which is here."""
        return self.exclude(state=None)

    def recorded(self) -> Self:
        """What list pages start from."""
        return self.present()

    def in_newest(self) -> Self:
        """Those that the newest edition of their register has."""
        return self.present().filter(is_vanished=False)

    def open(self) -> Self:
        """Those of the newest edition that may still be built."""
        return self.in_newest().filter(
            outcome__in=(RegisterOutcome.ACTIVE, RegisterOutcome.ON_HOLD)
        )

    def matching(self, text: str) -> Self:
        """Search: with every word of the text in one of the fields searched."""
        words = [
            reduce(or_, (Q(**{f"{field}__icontains": word}) for field in _SEARCHED))
            for word in text.split()
        ]
        return self.filter(reduce(and_, words, Q()))

    def of_technology(self, *codes: str) -> Self:
        return self.filter(of_technology(*codes))

    def seen(self, *codes: str) -> Self:
        """By what the newest edition changed of them, or that it does not have them any more."""
        conditions = [
            Q(is_vanished=True) if code == VANISHED else Q(is_vanished=False) & _SEEN[code]
            for code in codes
        ]
        return self.filter(reduce(or_, conditions))

    def of_owner(self, company: Any) -> Self:
        """Those of the company, and of the companies that belong to it."""
        return self._of_companies(Q(company=company) | Q(company__group=company))

    def of_company_named(self, text: str) -> Self:
        return self._of_companies(
            Q(company__name__icontains=text) | Q(company__group__name__icontains=text)
        )

    def _of_companies(self, condition: Q) -> Self:
        links = self.model.company_links.rel.related_model.objects.filter(condition)
        return self.filter(pk__in=links.order_by().values("project"))

    def capacity(self) -> RegisterCapacity:
        return self.capacity_of(list(self.order_by().aggregate(**_sums()).values()))

    def capacity_sums(self, keys: QuerySet[Any] | BaseExpression) -> QuerySet[Any]:
        """One row with the sums of the projects with these keys, for ``capacity_of``."""
        return in_one_row(self.model.objects.filter(pk__in=keys), **_sums())

    @staticmethod
    def capacity_of(sums: Sequence[Any]) -> RegisterCapacity:
        """Round to the stored scale, because SQLite adds decimals as floating point."""
        dc, ac, projects, known = (one or 0 for one in sums)
        return RegisterCapacity(
            round(Decimal(dc), 3), round(Decimal(ac), 3), projects, projects - known
        )


def _sums() -> dict[str, Any]:
    dc = Q(capacity_basis=CapacityBasis.DC)
    return {
        "mwp_dc": Sum("capacity_mw", filter=dc),
        "mw_ac": Sum("capacity_mw", filter=~dc),
        "projects": Count("pk"),
        "known": Count("capacity_mw"),
    }
