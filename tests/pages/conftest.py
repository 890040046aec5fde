from datetime import date
from decimal import Decimal

import pytest

from infopoints.models import InformationPointCounterparty, InformationPointPipeline
from oegen.models import Comment
from pipelines.models import PipelineCounterparty, PipelineFacility
from pipelines.models.reference import CounterpartyRole
from tests.builders import (
    make_counterparty,
    make_facility,
    make_information_point,
    make_pipeline,
)

TODAY = date(2026, 6, 30)


@pytest.fixture
def as_manager(client, manager):
    """A client signed in as a Manager, who may read and change nothing."""
    client.force_login(manager)
    return client


@pytest.fixture
def awkward_portfolio(db):
    """Every case that has tripped up a total: shared, missing, empty, zero, mixed, ended."""
    shared = make_facility("Shared battery", "bess", capacity_mw=Decimal("10.125"), storage_mwh=20)
    solar = make_pipeline(
        "Solar and storage",
        capacity_mw=Decimal("50.5"),
        rag_status="red",
        rtb_date=date(2027, 3, 1),
    )
    twin = make_pipeline(
        "Twin of it",
        stage="procurement",
        technology="wind",
        capacity_mw=30,
        rag_status="red",
        rtb_date=date(2027, 9, 1),
    )
    other_year = make_pipeline(
        "Same battery, later", capacity_mw=7, rag_status="green", rtb_date=date(2030, 1, 1)
    )
    for pipeline in (solar, twin, other_year):
        PipelineFacility.objects.create(pipeline=pipeline, facility=shared)
    make_pipeline("No facility", rag_status="amber", rtb_date=date(2028, 1, 1))
    make_pipeline("No date", technology="offshore-wind", capacity_mw=400)
    make_pipeline("Overdue", technology="onshore-wind", capacity_mw=12, rtb_date=date(2026, 1, 2))
    make_pipeline(
        "Held in Construction",
        stage="construction",
        on_hold=True,
        capacity_mw=60,
        rtb_date=date(2025, 1, 1),
    )
    make_pipeline(
        "Late but building", stage="construction", capacity_mw=9, rtb_date=date(2025, 5, 5)
    )
    make_pipeline("Withdrawn", outcome="withdrawn", capacity_mw=500, rag_status="red")
    make_pipeline("Built", stage="completed", capacity_mw=80, rtb_date=date(2024, 1, 1))
    make_pipeline("Nothing yet", capacity_mw=0, rag_status="green")
    unknown = make_pipeline("Unknown size")
    PipelineFacility.objects.create(pipeline=unknown, facility=make_facility(technology="solar"))


@pytest.fixture
def full_record(portfolio_manager):
    """One pipeline with a facility, counterparties in two roles, an information point and a
    comment; gives the pages' records by the name of their address."""
    lead = make_counterparty("Larch Power", strategy="Builds and holds.", country="GB")
    pipeline = make_pipeline(
        "Kestrel Moor",
        capacity_mw=Decimal("1234.5"),
        lead_developer=lead,
        rag_status="amber",
        rag_comment="The grid offer is late.",
        rtb_date=date(2027, 3, 14),
    )
    PipelineCounterparty.objects.create(
        pipeline=pipeline, counterparty=lead, role=CounterpartyRole.objects.get(code="owner")
    )
    point = make_information_point("Panel prices fall", 80, 50, owner=portfolio_manager)
    InformationPointPipeline.objects.create(information_point=point, pipeline=pipeline)
    InformationPointCounterparty.objects.create(information_point=point, counterparty=lead)
    Comment.objects.create(subject=pipeline, author=portfolio_manager, text="Spoke to the council.")
    return {
        "pipeline": pipeline,
        "counterparty": lead,
        "facility": pipeline.facilities.get(),
        "informationpoint": point,
    }
