"""What each page may cost in queries, kept in budgets.json: at 10 and at 250 rows.

The rows are of every kind and all tied to one record of each kind, whose pages are read. A page
that is new needs a line in the file; a page that costs less than its line may have it lowered.
"""

import json
import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse

from counterparties.models import Contact, ContactRole, Counterparty, CounterpartyContact
from dashboard.models import FrozenReport
from infopoints.models import (
    InformationPoint,
    InformationPointCounterparty,
    InformationPointPipeline,
    InformationPointTechnology,
)
from oegen import audit, jobs
from oegen.models import Comment, User
from pipelines.models import (
    CounterpartyRole,
    Facility,
    Pipeline,
    PipelineCounterparty,
    PipelineFacility,
    Stage,
    Technology,
)
from pipelines.registers.models import Proposal, RegisterProject
from tests.support.builders import (
    make_asked_question,
    make_contact,
    make_counterparty,
    make_facility,
    make_frozen_report,
    make_information_point,
    make_pipeline,
)
from tests.support.portfolios import analyze_tables
from tests.support.registers import ingest_repd

BUDGETS = json.loads((Path(__file__).parent / "budgets.json").read_text())

#: Addresses that are no pages to read: they act, or answer somebody who is not signed in.
NO_PAGES = {"healthz", "login", "logout", "job-file"}

#: Not for the manager who looks here; their tests count for themselves.
NO_PAGES |= {"counterparty-merge", "contact-merge", "webhooks", "webhook", "warehouse"}
NO_PAGES |= {"imports", "import", "import-columns", "import-errors"}

QUERIES = {
    "ask": {"q": "open MW by technology", "on": "/"},
    "ask-start": {"on": "/"},
    "registers-found": {"q": "kestrel"},
    "search": {"q": "row"},
    "suggest": {"q": "row"},
}


def page_names() -> set[str]:
    """The names of all addresses but the admin's that can be read with no more than a key."""
    names = set()
    for pattern in get_resolver().url_patterns:
        for one in getattr(pattern, "url_patterns", [pattern]):
            is_site = getattr(pattern, "namespace", None) != "admin"
            reads = hasattr(getattr(getattr(one, "callback", None), "view_class", None), "get")
            keys = set(getattr(one.pattern, "converters", {}))
            if is_site and reads and one.name and keys <= {"pk"}:
                names.add(one.name)
    return {name for name in names if not name.startswith("api-")} - NO_PAGES


def add_rows(number: int, manager: User) -> dict:
    """That many rows of every kind, tied to one record of each; gives those by page name."""
    for day in (date(2024, 7, 31), date(2025, 1, 31)):
        ingest_repd(day, *({"Ref ID": str(n), "Site Name": f"Row {n}"} for n in range(number)))
    frozen = make_frozen_report(manager)
    for _ in range(number):
        job = jobs.enqueue("tidy", person=manager)
    hub = {
        "pipeline": make_pipeline("Hub"),
        "facility": make_facility("Hub"),
        "counterparty": make_counterparty("Hub"),
        "contact": make_contact("Hub"),
        "informationpoint": make_information_point("Hub"),
    }
    stage, solar = Stage.objects.get(code="design"), Technology.objects.get(code="solar")
    owner = CounterpartyRole.objects.get(code="owner")
    lead = CounterpartyRole.objects.get(code="lead-developer")
    ceo = ContactRole.objects.get(code="ceo")
    rows = range(number)
    for count in range(8):
        Pipeline.objects.filter(pk=hub["pipeline"].pk).update(rag_comment=f"Row {count}")
    with audit.change_set(reason="Many rows"):
        pipelines = Pipeline.objects.bulk_create(
            Pipeline(project_name=f"Row {row}", stage=stage, rtb_date=date(2020 + row % 12, 1, 1))
            for row in rows
        )
        facilities = Facility.objects.bulk_create(
            Facility(
                name=f"Row {row}", technology=solar, capacity_mw=1, latitude=52, longitude=row % 90
            )
            for row in rows
        )
        companies = Counterparty.objects.bulk_create(Counterparty(name=f"Row {r}") for r in rows)
        contacts = Contact.objects.bulk_create(Contact(name=f"Row {row}") for row in rows)
        points = InformationPoint.objects.bulk_create(
            InformationPoint(title=f"Row {row}", impact=50, likelihood=50) for row in rows
        )
        for pairs in (
            [(hub["pipeline"], facility) for facility in facilities],
            [(pipeline, hub["facility"]) for pipeline in pipelines],
            zip(pipelines, facilities, strict=True),
        ):
            PipelineFacility.objects.bulk_create(
                PipelineFacility(pipeline=pipeline, facility=facility)
                for pipeline, facility in pairs
            )
        PipelineCounterparty.objects.bulk_create(
            PipelineCounterparty(pipeline=pipeline, counterparty=company, role=role)
            for company, pipeline, role in [
                *((company, hub["pipeline"], owner) for company in companies),
                *((hub["counterparty"], pipeline, lead) for pipeline in pipelines),
            ]
        )
        CounterpartyContact.objects.bulk_create(
            CounterpartyContact(counterparty=company, contact=contact, role=ceo)
            for company, contact in [
                *((company, hub["contact"]) for company in companies),
                *((hub["counterparty"], contact) for contact in contacts),
            ]
        )
        InformationPointPipeline.objects.bulk_create(
            InformationPointPipeline(information_point=point, pipeline=pipeline)
            for point, pipeline in [
                *((point, hub["pipeline"]) for point in points),
                *((hub["informationpoint"], pipeline) for pipeline in pipelines),
            ]
        )
        InformationPointCounterparty.objects.bulk_create(
            InformationPointCounterparty(information_point=point, counterparty=company)
            for point, company in [
                *((point, hub["counterparty"]) for point in points),
                *((hub["informationpoint"], company) for company in companies),
            ]
        )
        InformationPointTechnology.objects.bulk_create(
            InformationPointTechnology(information_point=point, technology=solar)
            for point in [*points, hub["informationpoint"]]
        )
        add_proposals(pipelines)
        for record in hub.values():
            Comment.objects.bulk_create(
                Comment(subject=record, text=f"Row {row}") for row in range(number // 5)
            )
    project = RegisterProject.objects.first()
    analyze_tables()
    return hub | {
        "competitor": project.company_links.get().company,
        "register-project": project,
        "asked": make_asked_question(manager),
        "job": job,
        "frozen-report": frozen,
        "frozen-report-today": FrozenReportToday(frozen),
    }


def add_proposals(pipelines: list[Pipeline]) -> None:
    """A project of a register for each pipeline, which may be it."""
    ingest_repd(date(2025, 1, 31), *({"Ref ID": f"{row}"} for row in range(len(pipelines))))
    Proposal.objects.bulk_create(
        Proposal(project=project, record=pipeline, score=99, band="sure", reasons=[])
        for project, pipeline in zip(RegisterProject.objects.all(), pipelines, strict=True)
    )


class FrozenReportToday:
    """The second page of a frozen report."""

    def __init__(self, frozen: FrozenReport):
        self.frozen = frozen

    def get_absolute_url(self) -> str:
        return reverse("frozen-report-today", args=[self.frozen.pk])


def queries_of(client, name: str, records: dict) -> list[str]:
    """The SQL of the page's second visit: the first fills what a process keeps. Without ANALYZE, by
    which PostgreSQL alone learns of a temporary table."""
    address = records[name].get_absolute_url() if name in records else reverse(name)
    client.get(address, QUERIES.get(name))
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address, QUERIES.get(name)).status_code == 200, address
    return [query["sql"] for query in captured if not query["sql"].startswith("ANALYZE")]


def most_frequent(queries: list[str]) -> str:
    """The shape of the query that is most often there, to say which read grows."""
    shapes = Counter(re.sub(r"'[^']*'|\b\d+\b", "?", query) for query in queries)
    shape, times = shapes.most_common(1)[0]
    return f"{times} times {shape}"


@pytest.mark.django_db
@pytest.mark.parametrize("number", [pytest.param(10, marks=pytest.mark.heavy), 250])
def test_no_page_costs_more_queries_than_its_budget(client, manager, number):
    records = add_rows(number, manager)
    client.force_login(manager)
    over = {}
    for name in sorted(BUDGETS):
        queries, budget = queries_of(client, name, records), BUDGETS[name][str(number)]
        if len(queries) > budget:
            over[name] = f"{len(queries)} instead of {budget}; {most_frequent(queries)}"
    assert over == {}


def test_every_page_has_a_budget():
    assert page_names() - set(BUDGETS) == set()


def test_every_budget_is_of_a_page():
    assert set(BUDGETS) - page_names() == set()
