from datetime import date
from decimal import Decimal

import pytest

from counterparties.models import Contact, ContactRole, CounterpartyContact
from infopoints.models import InformationPointCounterparty, InformationPointPipeline
from oegen.models import AuditedModel, Comment
from pipelines.models import PipelineCounterparty
from pipelines.models.reference import CounterpartyRole
from tests.support.builders import (
    make_contact,
    make_counterparty,
    make_facility,
    make_information_point,
    make_pipeline,
)

#: One record of each kind, by the name of its address.
MAKE_RECORD = {
    "pipeline": lambda: make_pipeline("Kestrel Moor", capacity_mw=40),
    "facility": lambda: make_facility("Rowan Down", "wind"),
    "counterparty": lambda: make_counterparty("Larch Power"),
    "contact": lambda: make_contact("Ann Birch", email="ann@larch.example"),
    "informationpoint": lambda: make_information_point("Panel prices fall", 80, 50),
}


@pytest.fixture
def records(db) -> dict[str, AuditedModel]:
    return {name: make() for name, make in MAKE_RECORD.items()}


@pytest.fixture(params=MAKE_RECORD)
def record(request, db) -> AuditedModel:
    return MAKE_RECORD[request.param]()


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


def give_role(contact: Contact, counterparty, role: str = "ceo", **values) -> CounterpartyContact:
    return CounterpartyContact.objects.create(
        contact=contact,
        counterparty=counterparty,
        role=ContactRole.objects.get(code=role),
        **values,
    )
