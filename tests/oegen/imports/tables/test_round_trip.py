"""Downloads of every list, imported as they are: nothing to change."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.urls import reverse

from counterparties.models import Contact, CounterpartyContact
from oegen.imports.tables.kinds import KINDS
from oegen.imports.tables.mapping import Mapping
from oegen.imports.tables.planning import Request, plan
from oegen.imports.tables.reading import open_table
from oegen.people.roles import ADMINISTRATORS
from pipelines.models import CounterpartyRole, PipelineCounterparty, PipelineFacility
from tests.oegen.imports.tables.conftest import changed
from tests.support.builders import make_facility, make_portfolio, make_user
from tests.support.downloads import body

#: Every kind that has a list, whose address has the same name.
LISTS = ("pipelines", "facilities", "counterparties", "contacts", "infopoints", "milestones")


@pytest.fixture
def portfolio(db, client):
    """A record of each kind, with more than one facility and counterparty in a pipeline, and texts
    that spreadsheets take for something else."""
    person = make_user(ADMINISTRATORS)
    records = {type(one).__name__: one for one in make_portfolio(person).values()}
    pipeline, lead = records["Pipeline"], records["Counterparty"]
    pipeline.next_step, pipeline.rag_status = "=1+1", "amber"
    pipeline.rag_comment = "'quoted\nand (clear)"
    pipeline.responsible = person
    pipeline.save()
    other = make_facility(
        "0123", technology="bess", capacity_mw="7.125", storage_mwh="14", country="IE"
    )
    PipelineFacility.objects.create(pipeline=pipeline, facility=other)
    owner = CounterpartyRole.objects.get(code="owner")
    PipelineCounterparty.objects.create(pipeline=pipeline, counterparty=lead, role=owner)
    lead.aliases = "Bïrch\n-Birch; Ltd"
    lead.save()
    assert Contact.objects.exists() and CounterpartyContact.objects.exists()
    client.force_login(person)
    return person


@pytest.mark.parametrize("file", ["csv", "xlsx"])
@pytest.mark.parametrize("kind", LISTS)
def test_a_download_that_nobody_changed_changes_nothing(kind, file, portfolio, client, tmp_path):
    columns = ",".join(one for one in client.get(reverse(kind)).context["table"].columns.names())
    address = reverse(kind)
    response = client.get(address, {"download": file, "columns": columns})
    path = tmp_path / f"{kind}.{file}"
    path.write_bytes(body(response))
    request = Request(kind=KINDS[kind], mapping=Mapping(), namespace=uuid4(), person=portfolio)
    table = open_table(path, path.name)
    assert table.marker.kind == kind
    found = plan(table, request)
    assert [one.text for one in found.questions] == []
    assert [row for row in found.rows if row.cells or row.problems or row.asked] == []
    assert changed(found).keys() == {"unchanged"}
