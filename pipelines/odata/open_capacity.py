"""What is open, made for sums: at the grain of facilities, of projects and facilities, and of
holders and facilities.

Facilities are shared between projects, so that no one table gives every sum. What is open, and
which value of a shared facility counts, is as in the metrics; tests compare the sums.
"""

from __future__ import annotations

from django.db.models import Q

from counterparties.models import Counterparty
from oegen import asof
from oegen.api.odata import types
from oegen.api.odata.sets import Column, EntitySet, name_of, of_subquery, register
from oegen.core.sql import Values
from oegen.models import User
from pipelines.choices import CapacityBasis
from pipelines.facts.querysets import fact_probability
from pipelines.models import Facility, Fact, PipelineCounterparty, Technology
from pipelines.querysets import (
    IS_OPEN,
    KILO,
    WHOLE,
    as_number,
    held_capacity_sql,
    is_overdue,
    rtb_bucket_of,
)

#: The holder of what nobody holds.
NOBODY = "00000000-0000-0000-0000-000000000000"

#: Digits after the point of capacity × share.
SHARE_SCALE = 7


def _open_facts() -> tuple[str, Values]:
    """SQL for the open facts with a facility: ``owned`` and ``chance`` in hundredths of a percent,
    numbers for booleans."""
    facts = Fact.objects.now().filter(IS_OPEN, facility_id__isnull=False).order_by()
    facts = facts.annotate(
        chance=fact_probability(),
        overdue=as_number(is_overdue()),
        rtb_bucket=rtb_bucket_of(),
        shared=as_number(Q(is_shared=True)),
    )
    sql, params = facts.values(
        *("pipeline_id", "facility_id", "project_name", "rag_status", "rtb_date", "country"),
        *("responsible_id", "kw", "kwh", "owned", "chance", "overdue", "rtb_bucket", "shared"),
        *("stage__code", "stage__name", "stage__order", "technology_id"),
    ).query.sql_with_params()
    return sql, params


_FACTS = """
    (pipeline_id, facility_id, project_name, rag_status, rtb_date, country, responsible_id, kw, kwh,
    owned, chance, overdue, rtb_bucket, shared, stage, stage_name, stage_order, technology_id)
"""


def _facilities_joined(facts: str) -> str:
    """SQL that joins what facilities and their technologies are called."""
    return f"""
        FROM {facts} AS facts
        JOIN {asof.table(Facility)} AS facilities ON facilities.id = facts.facility_id
        JOIN {asof.table(Technology)} AS technologies
            ON technologies.id = facilities.technology_id
    """


#: Columns of facilities, of the tables that ``_facilities_joined`` joins.
_OF_FACILITY = """
    facilities.name AS facility_name, technologies.code AS technology,
    technologies.name AS technology_name, technologies.capacity_basis AS capacity_basis,
    facilities.region AS region
"""


def _megawatts(factor: str = "", parts: int = 1) -> str:
    """SQL for kW × a factor, in MW."""
    times = f" * {factor}" if factor else ""
    return f"ROUND(kw{times} / {KILO * parts}.0, {SHARE_SCALE if factor else 3})"


def _capacity_columns() -> str:
    """SQL of the columns of ``_CAPACITIES``, of columns ``kw kwh owned chance product``."""
    storage = f"technologies.is_storage AND technologies.capacity_basis = '{CapacityBasis.AC}'"
    return f"""
        {_megawatts()} AS capacity_mw, ROUND(kwh / {KILO}.0, 3) AS storage_mwh,
        CASE WHEN {storage} THEN {_megawatts()} END AS storage_mw,
        {_megawatts("owned", WHOLE)} AS net_mw,
        {_megawatts("chance", WHOLE)} AS gross_weighted_mw,
        {_megawatts("product", WHOLE * WHOLE)} AS net_weighted_mw
    """


def _by_facility(*, personal: bool) -> tuple[str, Values]:
    sql, params = _open_facts()
    facts = """
        (SELECT facility_id, COUNT(*) AS projects, MAX(kw) AS kw, MAX(kwh) AS kwh,
            MAX(owned) AS owned, MAX(chance) AS chance, MAX(owned * chance) AS product,
            MAX(country) AS country
        FROM facts GROUP BY facility_id)
    """
    return (
        f"""
        WITH facts {_FACTS} AS ({sql})
        SELECT facility_id, facts.country AS country, projects, {_OF_FACILITY},
            {_capacity_columns()}
        {_facilities_joined(facts)}
        """,
        params,
    )


def _by_project(*, personal: bool) -> tuple[str, Values]:
    sql, params = _open_facts()
    people, people_params = (
        User.objects.order_by().values_list("id", name_of()).query.sql_with_params()
    )
    return (
        f"""
        WITH facts {_FACTS} AS ({sql}), people (id, name) AS ({people})
        SELECT pipeline_id, facility_id, project_name, stage, stage_name, stage_order, rag_status,
            rtb_date, rtb_bucket, overdue = 1 AS overdue, responsible_id,
            people.name AS responsible_name, facts.country AS country, {_OF_FACILITY},
            {_capacity_columns()}
        {_facilities_joined("(SELECT facts.*, owned * chance AS product FROM facts)")}
        LEFT JOIN people ON people.id = facts.responsible_id
        """,  # noqa: S608 - SQL of our own
        params + people_params,
    )


def _by_holder(*, personal: bool) -> tuple[str, Values]:
    sql, params = _open_facts()
    held, held_params = PipelineCounterparty.objects.holders_sql(
        "SELECT pipeline_id, facility_id, kw, shared FROM facts"
    )
    nobody = types.GUID.to_sql(types.GUID.parse(NOBODY))
    # part_of gives floating point on SQLite, so that nothing is divided as a whole number.
    return (
        f"""
        WITH facts {_FACTS} AS ({sql}), held AS MATERIALIZED ({held})
        SELECT COALESCE(holder, %s) AS holder_id, COALESCE(holders.name, 'Nobody') AS holder_name,
            facility_id, facilities.country AS country, {_OF_FACILITY},
            {_megawatts("1.0", WHOLE)} AS held_mw
        {_facilities_joined(f"({held_capacity_sql('held', by_facility=True)})")}
        LEFT JOIN {asof.table(Counterparty)} AS holders ON holders.id = holder
        """,
        (*params, *held_params, nobody),
    )


def _capacities(more: str) -> tuple[Column, ...]:
    """The columns that are to be added up; ``more`` says how."""
    share = types.decimal(SHARE_SCALE)
    described = (
        ("capacity_mw", types.decimal(3), "Capacity in MW; null if it is not known."),
        ("storage_mwh", types.decimal(3), "The energy of storage in MWh."),
        ("storage_mw", types.decimal(3), "The part of the MW (AC) that is storage."),
        ("net_mw", share, "Capacity × our ownership, in MW."),
        ("gross_weighted_mw", share, "Capacity × probability, in MW; null without a probability."),
        ("net_weighted_mw", share, "Capacity × ownership × probability, in MW."),
    )
    return tuple(
        Column(name, type_, f"{text} {more.format(column=name)}", is_nullable=True)
        for name, type_, text in described
    )


_FACILITY = (
    Column("facility_name", types.STRING, "The facility."),
    Column("technology", types.STRING, "The technology's code."),
    Column("technology_name", types.STRING, "The technology."),
    Column("capacity_basis", types.STRING, "What its MW are of: dc or ac."),
    Column("country", types.STRING, "Its country's ISO 3166 code."),
    Column("region", types.STRING, "County, state or sea area."),
)
_FACILITY_ID = Column("facility_id", types.GUID, "The facility's id.")

register(
    EntitySet(
        "OpenCapacity",
        "OpenFacility",
        "Distinct facilities of open projects. Plain sums are right for the total and by the "
        "facility's own attributes: technology, country, region.",
        (
            _FACILITY_ID,
            *_FACILITY,
            Column("projects", types.LONG, "The number of open projects that it is in."),
            *_capacities("Add these up."),
        ),
        of_subquery(_by_facility),
        key=("facility_id",),
    )
)

#: What a measure over OpenCapacityByProject has to be, in DAX.
MEASURE = (
    "SUMX(VALUES(OpenCapacityByProject[facility_id]), "
    "CALCULATE(MAX(OpenCapacityByProject[{column}])))"
)

register(
    EntitySet(
        "OpenCapacityByProject",
        "OpenProjectFacility",
        "Open projects and their facilities, for stage, RAG, RTB year and who is responsible. A "
        "facility of two projects has two rows: the measure is the sum over distinct facilities of "
        "the maximum, as each column says in DAX.",
        (
            Column("pipeline_id", types.GUID, "The project's id."),
            _FACILITY_ID,
            Column("project_name", types.STRING, "The project."),
            Column("stage", types.STRING, "The stage's code."),
            Column("stage_name", types.STRING, "The stage's name."),
            Column("stage_order", types.LONG, "To sort stages by."),
            Column("rag_status", types.STRING, "One of red, amber, green; empty: not rated."),
            Column("rtb_date", types.DATE, "Ready to build, expected or when it was.", "", True),
            Column("rtb_bucket", types.STRING, "The year of the RTB date, or overdue or none."),
            Column("overdue", types.BOOLEAN, "Before Construction, and its RTB date has passed."),
            Column("responsible_id", types.LONG, "The number of who moves it forward.", "", True),
            Column(
                "responsible_name",
                types.STRING,
                "Who moves it forward.",
                is_nullable=True,
                is_personal=True,
            ),
            *_FACILITY,
            *_capacities(f"Never add these up; the measure is {MEASURE}."),
        ),
        of_subquery(_by_project),
        key=("pipeline_id", "facility_id"),
    )
)

register(
    EntitySet(
        "OpenCapacityByHolder",
        "HeldFacility",
        "Which counterparty holds how much of which facility of open projects: by share where "
        "shares are given, else all of it by the lead developer; and what nobody holds. Plain sums "
        "are right by holder.",
        (
            Column("holder_id", types.GUID, f"The counterparty's id; {NOBODY}: nobody."),
            _FACILITY_ID,
            Column("holder_name", types.STRING, "The counterparty, or Nobody."),
            *_FACILITY,
            Column(
                "held_mw",
                types.decimal(SHARE_SCALE),
                "The part that it holds, in MW. Add these up by holder; across holders they add up "
                "to more than the capacity where projects share a facility.",
                is_nullable=True,
            ),
        ),
        of_subquery(_by_holder),
        key=("holder_id", "facility_id"),
    )
)
