"""Measures of public registers, which none of the dashboard's figures has: what the newest editions
have, whatever the day, as the list of projects of registers adds it up."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.warehouse.registers import REGISTER_PROJECTS
from dashboard.warehouse.semantic.measures import Condition, Is, IsKnown, Kind
from dashboard.warehouse.tables import Table
from pipelines.choices import CapacityBasis

#: What is counted and added up: the projects that the newest edition has.
_IN_NEWEST = Is("is_vanished", value=False)

_AS_PUBLISHED = (
    "Projects of public registers in the newest edition of each, as published, whatever the day. "
    "They are not our projects, and in none of our figures."
)


@dataclass(frozen=True)
class RegisterMeasure:
    """A number of the projects of registers; ``kind`` is never a sum of maxima."""

    name: str
    title: str
    unit: str
    kind: Kind
    column: str
    where: tuple[Condition, ...] = ()
    table: Table = REGISTER_PROJECTS

    @property
    def description(self) -> str:
        return _AS_PUBLISHED

    @property
    def decimals(self) -> int:
        return 0 if self.kind is Kind.COUNT else 3

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All that a row has to meet to be counted."""
        return (_IN_NEWEST, *self.where)


REGISTER_MEASURES: dict[str, RegisterMeasure] = {
    one.name: one
    for one in (
        RegisterMeasure("register_projects", "Projects of registers", "projects", Kind.COUNT, "id"),
        RegisterMeasure(
            "register_projects_without_capacity",
            "Projects of registers, without capacity",
            "projects",
            Kind.COUNT,
            "id",
            (IsKnown("capacity_mw", known=False),),
        ),
        RegisterMeasure(
            "register_capacity_mw",
            "Capacity in registers",
            "MW, mixed: MWp (DC) and MW (AC) added",
            Kind.SUM,
            "capacity_mw",
        ),
        RegisterMeasure(
            "register_capacity_mwp_dc",
            "Capacity in registers, MWp (DC)",
            "MWp (DC)",
            Kind.SUM,
            "capacity_mw",
            (Is("capacity_basis", str(CapacityBasis.DC)),),
        ),
        RegisterMeasure(
            "register_capacity_mw_ac",
            "Capacity in registers, MW (AC)",
            "MW (AC)",
            Kind.SUM,
            "capacity_mw",
            (Is("capacity_basis", str(CapacityBasis.AC)),),
        ),
    )
}
