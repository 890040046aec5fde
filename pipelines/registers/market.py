"""The companies of registers ranked by what they have in each phase, and their share of the market.

A project counts in full for each of its companies, and once for a group of them; for the market it
counts once. Register data never enter our own totals.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from django.core.exceptions import EmptyResultSet

from oegen.core import sql
from pipelines.registers.choices import Phase
from pipelines.registers.models import ProjectCompany, RegisterCompany
from pipelines.registers.querysets import RegisterProjectQuerySet

#: All phases before operation together.
TO_BE_BUILT = "open"

_BEFORE_OPERATION = (Phase.PLANNING, Phase.CONSENTED, Phase.CONSTRUCTION)

#: What companies are ranked by.
MEASURES: dict[str, str] = {
    TO_BE_BUILT: "To be built",
    **{code: str(label) for code, label in Phase.choices},
}


class Standing(NamedTuple):
    """What is in a phase: projects, their MW of both bases, and by how many MW that differs from
    what the edition before said."""

    projects: int = 0
    mw: float = 0
    change: float = 0


#: By the keys of MEASURES; without those that have nothing.
Standings = dict[str, Standing]

NOTHING = Standing()


@dataclass
class Market:
    """The standings of all projects together, and of each company by its key as the database has
    it."""

    everything: Standings = field(default_factory=dict)
    companies: dict[UUID | str, Standings] = field(default_factory=dict)

    def ranked(self, measure: str, *, by_change: bool = False) -> list[UUID | str]:
        """The companies that have any of the measure, or whose newest edition changed it, the most
        first."""
        found = [
            (one.change if by_change else one.mw, one.projects, str(key), key)
            for key, standings in self.companies.items()
            if (one := standings.get(measure)) and (one.change if by_change else one.projects)
        ]
        found.sort(key=lambda one: (-one[0], -one[1], one[2]))
        return [key for *_, key in found]


def market_of(projects: RegisterProjectQuerySet) -> Market:
    """Of these projects, whichever phase they are in."""
    market = Market()
    try:
        rows = _read(projects)
    except EmptyResultSet:
        return market
    for owner, phase, number, mw, change in rows:
        standings = market.everything if owner is None else market.companies.setdefault(owner, {})
        standings[phase] = Standing(number, round(float(mw or 0), 3), round(float(change or 0), 3))
    for standings in (market.everything, *market.companies.values()):
        parts = [one for phase in _BEFORE_OPERATION if (one := standings.get(phase))]
        if parts:
            standings[TO_BE_BUILT] = _sum(parts)
    return market


def _sum(parts: list[Standing]) -> Standing:
    if len(parts) == 1:
        return parts[0]
    number, mw, change = map(sum, zip(*parts, strict=True))
    return Standing(int(number), round(mw, 3), round(change, 3))


def _read(projects: RegisterProjectQuerySet) -> list[sql.Values]:
    """Rows of owner, phase, projects, MW and change; without an owner those of all projects."""
    columns = ("pk", "phase", "capacity_mw", "previous_phase", "previous_mw")
    chosen, params = projects.order_by().values_list(*columns).query.sql_with_params()
    links, companies = ProjectCompany._meta.db_table, RegisterCompany._meta.db_table
    sums = "SUM(present), SUM(mw), SUM(change)"
    return sql.fetch(
        f"""
        WITH chosen (project, phase, mw, previous_phase, previous_mw) AS MATERIALIZED ({chosen}),
        owners AS (
            SELECT DISTINCT links.project_id AS project,
                COALESCE(companies.group_id, companies.id) AS owner
            FROM "{links}" AS links JOIN "{companies}" AS companies
                ON companies.id = links.company_id
        ),
        moves AS MATERIALIZED (
            SELECT project, phase, 1 AS present, mw, mw AS change FROM chosen WHERE phase <> ''
            UNION ALL
            SELECT project, previous_phase, 0, NULL, -previous_mw FROM chosen
            WHERE previous_phase <> ''
        )
        SELECT owner, phase, {sums} FROM moves JOIN owners ON owners.project = moves.project
        GROUP BY owner, phase
        UNION ALL
        SELECT NULL, phase, {sums} FROM moves GROUP BY phase
        """,  # noqa: S608 - SQL of our own
        tuple(params),
    )
