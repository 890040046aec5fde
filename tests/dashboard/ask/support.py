"""The portfolio that questions are tried on: the sample of a fixed day and seed, and the records
that the questions name beside it."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from dashboard.sample.services import load_sample
from oegen.models import User
from oegen.people import roles
from pipelines.models import CounterpartyRole, Facility, Pipeline, PipelineCounterparty
from tests.support.builders import (
    make_contact,
    make_counterparty,
    make_information_point,
    make_pipeline,
    make_user,
)
from tests.support.portfolios import analyze_tables
from tests.support.registers import ingest_repd

#: The day of the clock, as in tests/dashboard/sample; and days before, on which records were added
#: and changed.
TODAY = date(2025, 7, 15)
ADDED, CHANGED = date(2025, 3, 10), date(2025, 6, 20)

SEED = 1

#: The editions of REPD that questions are about.
EARLY, LATE = date(2024, 7, 31), date(2025, 1, 31)


def load_portfolio(at: Callable[[date], None]) -> User:
    """Load it, with ``at`` to set the clock. Returns who asks, a portfolio manager."""
    at(TODAY)
    load_sample(today=TODAY, seed=SEED)
    at(ADDED)
    asker = make_user(roles.PORTFOLIO_MANAGERS, "priya", first_name="Priya", last_name="Shah")
    harrowdene = make_counterparty("Harrowdene Generation Ltd", country="GB")
    make_counterparty("Nordwalow Renewables GmbH", country="DE")
    nordwaltal = make_counterparty("Nordwaltal Stadtwerke AG", country="DE")
    for name, technology, size, region, lead, share in (
        ("Hollinley Battery", "bess", 60, "North Yorkshire", harrowdene, 100),
        ("Hollinley Extension Battery", "bess", 25, "North Yorkshire", harrowdene, 100),
        ("Kestrelmoor Wind Farm", "onshore-wind", 48, "Scottish Borders", harrowdene, 50),
        ("Cormorant Rise Offshore Wind", "offshore-wind", 420, "North Sea", nordwaltal, 30),
        ("Gannet Swell Offshore Wind", "offshore-wind", 510, "North Sea", harrowdene, 49),
        ("Tern Rise Offshore Wind", "offshore-wind", 380, "Irish Sea", nordwaltal, 40),
    ):
        make_pipeline(
            name,
            technology=technology,
            capacity_mw=size,
            lead_developer=lead,
            rag_status="amber",
            rag_comment="The grid offer is later than promised.",
            rtb_date=date(2027, 6, 30),
            ownership_pct=share,
        )
        Facility.objects.filter(name=name).update(country="GB", region=region)
    investor = CounterpartyRole.objects.get(code="investor")
    PipelineCounterparty.objects.create(
        pipeline=Pipeline.objects.get(project_name="Kestrelmoor Wind Farm"),
        counterparty=nordwaltal,
        role=investor,
        share_pct=Decimal(50),
    )
    contact = make_contact("Alice Marsh", job_title="Head of grid")
    contact.counterparty_links.create(
        counterparty=harrowdene,
        role=contact.counterparty_links.model.role.field.related_model.objects.first(),
    )
    point = make_information_point(
        "Grid congestion in the north", impact=80, likelihood=70, market="GB grid"
    )
    point.pipelines.add(Pipeline.objects.get(project_name="Kestrelmoor Wind Farm"))
    load_register()
    at(CHANGED)
    gannet = Pipeline.objects.get(project_name="Gannet Swell Offshore Wind")
    gannet.rtb_date, gannet.rag_status = date(2027, 11, 30), "red"
    gannet.save()
    at(TODAY)
    analyze_tables()
    return asker


def load_register() -> None:
    """Two editions of REPD: with the later one Alder got a consent and a project was refused, one
    is new and one has vanished."""
    before = (
        _row("1", "Birch Down Battery", "Harrowgate Storage Ltd", "100", technology="Battery"),
        _row("2", "Copse Battery", "Alder Power Ltd", "49.9", technology="Battery"),
        _row("3", "Kestrel Hill Solar", "Alder Power Ltd", "40"),
        _row("4", "Oast Field Solar", "Alder Power Ltd", "30", county="Kent", region="South East"),
        _row("6", "Vanishing Wind", "Rowan Wind plc", "12", technology="Wind Onshore"),
    )
    refused = {STATUS: "Application Refused", "Planning Permission Refused": "02/12/2024"}
    granted = {STATUS: "Awaiting Construction", "Planning Permission Granted": "14/10/2024"}
    private = _row("7", "Smithy Field Solar", "Mr J Smithson", "5")
    new = _row("5", "Glen Wind", "Rowan Wind plc", "66", technology="Wind Onshore")
    ingest_repd(EARLY, *before)
    ingest_repd(
        LATE,
        *before[:2],
        before[2] | granted,
        before[3] | refused,
        new | {"Region": "Scotland", "Country": "Scotland"},
        private,
    )


STATUS = "Development Status (short)"


def _row(
    key: str,
    name: str,
    operator: str,
    mw: str,
    *,
    technology: str = "Solar Photovoltaics",
    county: str = "West Yorkshire",
    region: str = "Yorkshire and Humber",
) -> dict[str, str]:
    return {
        "Ref ID": key,
        "Site Name": name,
        "Operator (or Applicant)": operator,
        "Installed Capacity (MWelec)": mw,
        "Technology Type": technology,
        "County": county,
        "Region": region,
    }
