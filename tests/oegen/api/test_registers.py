"""Registers in REST and OData."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.registers.models import RegisterProject
from tests.oegen.api.odata.conftest import ROOT
from tests.support.builders import make_token
from tests.support.registers import ingest_repd

pytestmark = pytest.mark.django_db

LICENCE = "open-government-licence"

PROJECTS = "/api/v1/register-projects/"


@pytest.fixture
def editions():
    """Two editions: one project is consented in the newer, one is new, one is a person's."""
    ingest_repd(date(2026, 1, 31), {}, {"Ref ID": "102", "Operator (or Applicant)": "Mr A Birch"})
    consented = {
        "Development Status (short)": "Awaiting Construction",
        "Planning Permission Granted": "02/02/2026",
    }
    ingest_repd(date(2026, 4, 30), consented, {"Ref ID": "103", "Site Name": "Heron Fen"})
    return {one.key: one for one in RegisterProject.objects.all()}


def test_projects_are_read_with_filters_licence_history_and_their_past(api_of, manager, editions):
    api = api_of(manager)
    answer = api.get(PROJECTS, {"phase": "consented", "count": 1})
    assert LICENCE in answer["Link"]
    assert answer["Link"].endswith('rel="license"')
    [found] = answer.json()["results"]
    assert answer.json()["count"] == 1
    assert (found["key"], found["register"], found["stage"]) == ("101", "repd", "procurement")
    assert (found["capacity_mw"], found["capacity_basis"]) == ("40.000", "ac")

    one = api.get(found["url"])
    assert LICENCE in one["Link"]
    newest, first = one.json()["history"]
    assert newest["edition"] == "2026-04-30"
    assert {change["label"] for change in newest["changes"]} >= {"Consented"}
    assert first["is_first"]

    then = api.get(PROJECTS, {"as_of": "2026-02-15"}).json()["results"]
    assert {row["key"]: row["phase"] for row in then} == {"101": "planning", "102": "planning"}
    assert api.get(PROJECTS, {"nonsense": "1"}).status_code == 400
    assert api.get(PROJECTS, {"year_from": "41163"}).json()["results"] == []
    assert api.post(PROJECTS, {}, format="json").status_code == 405


def test_private_individuals_have_no_company_anywhere(api_of, manager, editions):
    api = api_of(manager)
    [one] = api.get(PROJECTS, {"q": "102"}).json()["results"]
    assert (one["operator"], one["companies"]) == ("Private individual", [])
    companies = api.get("/api/v1/register-companies/").json()["results"]
    assert [company["name"] for company in companies] == ["Larch Energy Ltd"]
    assert "Birch" not in str([one, companies])


def test_registers_name_their_newest_edition_of_the_day(api_of, manager, editions):
    api = api_of(manager)
    assert api.get("/api/v1/registers/repd/").json()["newest_edition"] == "2026-04-30"
    then = api.get("/api/v1/registers/repd/", {"as_of": "2026-02-15"}).json()
    assert then["newest_edition"] == "2026-01-31"
    assert api.get("/api/v1/registers/tec/").json()["newest_edition"] is None


def test_odata_has_the_licence_in_each_row_and_the_past(client, manager, editions):
    _, secret = make_token(manager, scopes=("odata",))
    headers = {"Authorization": f"Bearer {secret}"}
    query = {"$select": "key,phase,licence,licence_url,attribution", "$orderby": "key"}
    now = client.get(f"{ROOT}RegisterProjects", query, headers=headers).json()["value"]
    assert [(row["key"], row["phase"]) for row in now] == [
        ("101", "consented"),
        ("102", ""),
        ("103", "planning"),
    ]
    assert all(LICENCE in row["licence_url"] and row["attribution"] for row in now)
    then = client.get(f"{ROOT}as-of/2026-02-15/RegisterProjects", query, headers=headers).json()
    assert [row["key"] for row in then["value"]] == ["101", "102"]
