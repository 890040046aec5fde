from datetime import date
from decimal import Decimal

import pytest

from infopoints.models import InformationPointCounterparty, InformationPointPipeline
from oegen.models import Comment
from pipelines.models import PipelineCounterparty
from pipelines.models.reference import CounterpartyRole
from tests.support.builders import (
    make_counterparty,
    make_information_point,
    make_pipeline,
)


@pytest.fixture
def as_manager(client, manager):
    """A client signed in as a Manager, who may read and change nothing."""
    client.force_login(manager)
    return client


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
