"""Downloads of every list, imported as they are: nothing to change."""

from __future__ import annotations

import csv
import re
from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest
from django.urls import reverse

from counterparties.models import Contact, CounterpartyContact
from oegen.imports.tables.kinds import KINDS
from oegen.imports.tables.mapping import Mapping
from oegen.imports.tables.planning import Request, plan
from oegen.imports.tables.reading import open_table
from oegen.imports.tables.readings import DMY
from oegen.models import User
from oegen.people.roles import ADMINISTRATORS
from pipelines.models import CounterpartyRole, PipelineCounterparty, PipelineFacility
from tests.oegen.imports.tables.conftest import changed
from tests.support.builders import make_facility, make_portfolio, make_user
from tests.support.downloads import body
from tests.support.workbooks import save_with_libreoffice

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


@pytest.fixture
def download(portfolio, client, tmp_path):
    """The file of a list with all of its columns."""

    def download(kind: str, file: str) -> Path:
        address = reverse(kind)
        columns = ",".join(client.get(address).context["table"].columns.names())
        path = tmp_path / f"{kind}.{file}"
        path.write_bytes(body(client.get(address, {"download": file, "columns": columns})))
        return path

    return download


@pytest.mark.parametrize("file", ["csv", "xlsx"])
@pytest.mark.parametrize("kind", LISTS)
def test_a_download_that_nobody_changed_changes_nothing(kind, file, download, portfolio):
    changes_nothing(download(kind, file), kind, portfolio)


@pytest.mark.parametrize("locale", ["German", "English"])
@pytest.mark.parametrize("kind", LISTS)
def test_nor_does_one_that_a_spreadsheet_saved(kind, locale, download, portfolio):
    path = download(kind, "csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    delimiter = ";" if locale == "German" else ","
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerows([as_shown(cell, locale) for cell in row] for row in rows)
    # 1/2/2027 could be read in two ways, so it is asked.
    choices = {f"order:{name}": DMY for name in KINDS[kind].fields} if locale == "English" else {}
    changes_nothing(path, kind, portfolio, choices)


def as_shown(cell: str, locale: str) -> str:
    """A cell as a spreadsheet of that locale writes it into CSV: its dates and numbers."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", cell):
        day = date.fromisoformat(cell)
        return f"{day:%d.%m.%Y}" if locale == "German" else f"{day:%d/%m/%Y}"
    if locale == "German" and re.fullmatch(r"-?\d+\.\d+", cell):
        return cell.replace(".", ",")
    return cell


@pytest.mark.heavy
@pytest.mark.parametrize("kind", LISTS)
def test_nor_does_one_that_libreoffice_opened_and_saved(kind, download, portfolio, tmp_path):
    saved = save_with_libreoffice(download(kind, "xlsx"), tmp_path)
    changes_nothing(saved, kind, portfolio)


def changes_nothing(
    path: Path, kind: str, person: User, choices: dict[str, str] | None = None
) -> None:
    request = Request(
        kind=KINDS[kind],
        mapping=Mapping(),
        namespace=uuid4(),
        person=person,
        choices=choices or {},
    )
    table = open_table(path, path.name)
    assert table.marker.kind == kind
    found = plan(table, request)
    assert [one.text for one in found.questions] == []
    assert [row for row in found.rows if row.cells or row.problems or row.asked] == []
    assert changed(found).keys() == {"unchanged"}
