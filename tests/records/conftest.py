import pytest

from counterparties.models import Contact, ContactRole, CounterpartyContact
from oegen.models import AuditedModel
from tests.support.builders import (
    make_contact,
    make_counterparty,
    make_facility,
    make_information_point,
    make_pipeline,
)

RECORDS = ["pipeline", "facility", "counterparty", "contact", "informationpoint"]


@pytest.fixture
def records(db) -> dict[str, AuditedModel]:
    """One record of each kind, by the name of its address."""
    return {
        "pipeline": make_pipeline("Kestrel Moor", capacity_mw=40),
        "facility": make_facility("Rowan Down", "wind"),
        "counterparty": make_counterparty("Larch Power"),
        "contact": make_contact("Ann Birch", email="ann@larch.example"),
        "informationpoint": make_information_point("Panel prices fall", 80, 50),
    }


@pytest.fixture(params=RECORDS)
def record(request, records):
    return records[request.param]


@pytest.fixture
def as_manager(client, manager):
    client.force_login(manager)
    return client


@pytest.fixture
def as_editor(client, portfolio_manager):
    """A client signed in as a Portfolio manager."""
    client.force_login(portfolio_manager)
    return client


def give_role(contact: Contact, counterparty, role: str = "ceo", **values) -> CounterpartyContact:
    return CounterpartyContact.objects.create(
        contact=contact,
        counterparty=counterparty,
        role=ContactRole.objects.get(code=role),
        **values,
    )
