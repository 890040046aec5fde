from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from operator import add, sub
from typing import Any, Self

from django.db.models import Aggregate, Count, Q, Sum

from pipelines.choices import CapacityBasis

ZERO = Decimal(0)


@dataclass(frozen=True)
class Megawatts:
    """A capacity, or a change of it. MWp (DC) and MW (AC) are separate; the unit of their sum is
    labelled as mixed."""

    mwp_dc: Decimal = ZERO
    mw_ac: Decimal = ZERO

    @classmethod
    def of(cls, basis: str | None, mw: Decimal, **more: Any) -> Self:
        """``mw`` of one basis; ``more`` are other fields."""
        return cls(**{"mwp_dc" if basis == CapacityBasis.DC else "mw_ac": mw}, **more)

    def __add__(self, other: Self) -> Self:
        return self._each(add, other)

    def __sub__(self, other: Self) -> Self:
        return self._each(sub, other)

    def _each(self, operation: Callable[[Any, Any], Any], other: Self) -> Self:
        # dataclasses.astuple copies each number, which takes ten times as long.
        return type(self)(*map(operation, vars(self).values(), vars(other).values()))

    @property
    def mw(self) -> Decimal:
        return self.mwp_dc + self.mw_ac

    @property
    def is_mixed(self) -> bool:
        return bool(self.mwp_dc and self.mw_ac)

    @property
    def unit(self) -> str:
        if self.is_mixed:
            return "MW, mixed"
        return "MWp" if self.mwp_dc else "MW"


@dataclass(frozen=True)
class Capacity(Megawatts):
    """The capacity of a set of facilities, each counted once. ``storage_mw`` is included in
    ``mw_ac``."""

    storage_mwh: Decimal = ZERO
    facilities: int = 0
    facilities_without_capacity: int = 0
    storage_mw: Decimal = ZERO

    @property
    def facts(self) -> list[tuple[str, Decimal | int | str]]:
        """Labelled totals for the first sheet of a download."""
        facts: list[tuple[str, Decimal | int | str]] = [
            ("Capacity, MWp DC", self.mwp_dc),
            ("Capacity, MW AC", self.mw_ac),
            ("Of which storage, MW", self.storage_mw),
            ("Storage, MWh", self.storage_mwh),
            ("Facilities", self.facilities),
            ("Without a figure", self.facilities_without_capacity),
        ]
        if self.is_mixed:
            facts.insert(3, ("Together, MW, mixed", self.mw))
        return [*facts, ("Counted", "each facility once, however many rows it is part of")]


def sums_of_capacity(prefix: str = "") -> dict[str, Aggregate]:
    """The aggregates of a Capacity over facilities; ``prefix`` is the lookup from the rows to their
    one facility, such as ``facility__``."""
    basis = Q(**{f"{prefix}technology__capacity_basis": CapacityBasis.DC})
    return {
        "mwp_dc": Sum(f"{prefix}capacity_mw", filter=basis),
        "mw_ac": Sum(f"{prefix}capacity_mw", filter=~basis),
        "storage_mw": Sum(
            f"{prefix}capacity_mw", filter=~basis & Q(**{f"{prefix}technology__is_storage": True})
        ),
        "storage_mwh": Sum(f"{prefix}storage_mwh"),
        "facilities": Count(f"{prefix}pk"),
        "facilities_without_capacity": Count(
            f"{prefix}pk", filter=Q(**{f"{prefix}capacity_mw": None})
        ),
    }


#: The columns of a facility that ``SUMS_OF_FIGURES`` adds up.
FIGURES = ("capacity_mw", "storage_mwh", "technology__capacity_basis", "technology__is_storage")

#: SQL of ``sums_of_capacity``, in its order, over rows with the columns facility, mw, mwh, basis
#: and is_storage.
SUMS_OF_FIGURES = f"""
    SUM(CASE WHEN basis = '{CapacityBasis.DC}' THEN mw END),
    SUM(CASE WHEN basis <> '{CapacityBasis.DC}' THEN mw END),
    SUM(CASE WHEN basis <> '{CapacityBasis.DC}' AND is_storage THEN mw END),
    SUM(mwh), COUNT(facility), COUNT(facility) - COUNT(mw)
"""


def capacity_of_sums(sums: Mapping[str, Any]) -> Capacity:
    """Round to the stored scale, because SQLite adds decimals as floating point."""
    numbers: dict[str, Any] = {name: value or 0 for name, value in sums.items()}
    for name in ("mwp_dc", "mw_ac", "storage_mw", "storage_mwh"):
        numbers[name] = round(Decimal(numbers[name]), 3)
    return Capacity(**numbers)
