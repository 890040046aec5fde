"""Small builders for tests: ``make_pipeline(stage="design", capacity_mw=40)``."""

import json
from datetime import date, time, timedelta
from itertools import count
from pathlib import Path
from tempfile import NamedTemporaryFile
from uuid import uuid4

from django.contrib.auth.models import Group
from django.db.models import Model
from django.utils import timezone

from counterparties.models import Contact, ContactRole, Counterparty, CounterpartyContact
from dashboard.ask.asking import ask
from dashboard.ask.lookups import Asker
from dashboard.models import AskedQuestion, FrozenReport
from dashboard.services import freeze_report
from infopoints.models import InformationPoint
from oegen import audit, jobs
from oegen.api import services
from oegen.api.scopes import Scope
from oegen.api.webhooks.models import CHANGED
from oegen.api.webhooks.services import add_webhook
from oegen.imports.tables.models import TableImport
from oegen.imports.tables.running import preview_import, start_import
from oegen.models import (
    Acknowledgement,
    Alert,
    AlertRule,
    ApiToken,
    Comment,
    ExternalReference,
    Schedule,
    SecurityEvent,
    User,
    Webhook,
)
from oegen.people import security
from pipelines.models import (
    CounterpartyRole,
    Facility,
    GateSet,
    Milestone,
    MilestoneKind,
    Pipeline,
    PipelineCounterparty,
    PipelineFacility,
    Stage,
    Technology,
)
from pipelines.reference import LEAD_DEVELOPER
from pipelines.registers.models import Match, MatchState, Register, RegisterProject
from tests.support.registers import ingest_repd

FROZEN_REPORT = Path(__file__).parents[1] / "dashboard/frozen_format_1.json"

#: A new pipeline, and one with an error.
IMPORTED = (
    "Project,Status,Technology,Capacity (MW)\nOtter Moor,Design,Solar,5\nElm,Design,Solar,x\n"
)

PASSWORD = "correct horse battery staple"

_numbers = count(1)


def make_user(role: str | None = None, username: str = "", **values) -> User:
    """A user in the group of that name; ``role=None`` makes one in no group."""
    with audit.change_set():
        user = User.objects.create_user(
            username or f"user{next(_numbers)}", password=PASSWORD, **values
        )
        if role:
            user.groups.add(Group.objects.get(name=role))
    return user


def make_counterparty(name: str = "", **values) -> Counterparty:
    return Counterparty.objects.create(name=name or f"Counterparty {next(_numbers)}", **values)


def make_contact(name: str = "", **values) -> Contact:
    return Contact.objects.create(name=name or f"Contact {next(_numbers)}", **values)


def make_facility(name: str = "", technology: str = "solar", **values) -> Facility:
    return Facility.objects.create(
        name=name or f"Facility {next(_numbers)}",
        technology=Technology.objects.get(code=technology),
        **values,
    )


def make_pipeline(
    project_name: str = "",
    *,
    stage: str = "design",
    capacity_mw=None,
    technology: str = "solar",
    lead_developer: Counterparty | None = None,
    **values,
) -> Pipeline:
    """A pipeline, with one facility if ``capacity_mw`` is given."""
    pipeline = Pipeline.objects.create(
        project_name=project_name or f"Pipeline {next(_numbers)}",
        stage=Stage.objects.get(code=stage),
        **values,
    )
    if capacity_mw is not None:
        PipelineFacility.objects.create(
            pipeline=pipeline,
            facility=make_facility(
                pipeline.project_name, technology=technology, capacity_mw=capacity_mw
            ),
        )
    if lead_developer:
        PipelineCounterparty.objects.create(
            pipeline=pipeline,
            counterparty=lead_developer,
            role=CounterpartyRole.objects.get(code=LEAD_DEVELOPER),
        )
    return pipeline


def make_milestone(
    evidence_note: str = "", kind: str = "grid-offer", pipeline: Pipeline | None = None, **values
) -> Milestone:
    return Milestone.objects.create(
        pipeline=pipeline or make_pipeline(),
        kind=MilestoneKind.objects.get(code=kind),
        evidence_note=evidence_note,
        **values,
    )


def make_information_point(
    title: str = "", impact: int = 50, likelihood: int = 50, **values
) -> InformationPoint:
    return InformationPoint.objects.create(
        title=title or f"Information point {next(_numbers)}",
        impact=impact,
        likelihood=likelihood,
        **values,
    )


def make_security_event() -> SecurityEvent:
    now = timezone.now()
    number, seal = security.newest_seal()
    event = SecurityEvent(number=number + 1, kind="failure", first_at=now, last_at=now)
    event.seal = security.seal_of(event, seal)
    event.save()
    return event


def make_token(person: User, *, days: float = 30, **values) -> tuple[ApiToken, str]:
    """An access token that is valid for that many days, and its secret."""
    values = {"name": f"Program {next(_numbers)}", "scopes": [Scope.READ]} | values
    return services.make_token(
        person=person, expires_at=timezone.now() + timedelta(days=days), **values
    )


def make_webhook(owner: User, **values) -> tuple[Webhook, str]:
    """A webhook that is told of any change, and its secret."""
    number = next(_numbers)
    usual = {"name": f"Receiver {number}", "url": "https://receiver.example/", "events": [CHANGED]}
    return add_webhook(owner=owner, **usual | values)


def make_frozen_report(person: User) -> FrozenReport:
    """As an earlier release froze it: dashboard/frozen_format_1.json."""
    content = json.loads(FROZEN_REPORT.read_text())
    report = freeze_report(
        key=uuid4(), name="Committee", note="", person=person, read=lambda: content
    )
    assert report is not None
    return report


def make_asked_question(person: User, question: str = "How many MW are open?") -> AskedQuestion:
    """Asked and answered, on the dashboard."""
    *_, done = ask(question, Asker(person, page="/"))
    return AskedQuestion.objects.get(pk=done.asked)


def make_edition(pipeline: Pipeline) -> list[Model]:
    """An edition of a register with a project that is matched with the pipeline, and a row that is
    none."""
    edition = ingest_repd(date(2026, 3, 31), {}, {"Ref ID": ""}).edition
    project = RegisterProject.objects.get(key="101")
    return [
        Register.objects.create(
            name="Energy atlas",
            code="energy-atlas",
            country="ES",
            publisher="Ministry",
            attribution="Ministry, energy atlas",
            licence_name="CC BY 4.0",
            licence_url="https://licence.example/by",
        ),
        edition,
        edition.rejects.get(),
        project,
        project.states.get(),
        project.company_links.get().company,
        Match.objects.create(project=project, record=pipeline, state=MatchState.ACCEPTED),
    ]


def make_import(person: User, text: str = IMPORTED, kind: str = "pipelines") -> TableImport:
    """An import of CSV that is previewed."""
    with NamedTemporaryFile("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        one = start_import(content=Path(file.name), name="projects.csv", kind=kind, person=person)
    preview_import(one)
    return one


def make_portfolio(author: User) -> dict[type[Model], Model]:
    """One record of every model that the admin knows, tied to each other where they can be, and a
    frozen report."""
    lead = make_counterparty("Larch Power", country="GB", strategy="Wind in the north")
    contact = make_contact("Ann Birch", job_title="Head of grid", email="ann@larch.example")
    CounterpartyContact.objects.create(
        counterparty=lead, contact=contact, role=ContactRole.objects.get(code="ceo")
    )
    pipeline = make_pipeline(
        "Kestrel Moor",
        technology="wind",
        capacity_mw=40,
        rag_status="red",
        rag_comment="The grid offer is late.",
        lead_developer=lead,
    )
    make_milestone("Offer 12/345", pipeline=pipeline, forecast_on="2027-03-01")
    facility = pipeline.facilities.get()
    facility.latitude, facility.longitude, facility.country = 57, -4, "GB"
    facility.save()
    point = make_information_point("Panel prices fall", 80, 50, market="GB")
    wind = Technology.objects.get(code="wind")
    for links, value in (("pipeline", pipeline), ("counterparty", lead), ("technology", wind)):
        getattr(point, f"{links}_links").create(**{links: value})
    records = [
        *make_edition(pipeline),
        lead,
        contact,
        pipeline,
        facility,
        pipeline.transitions.get(),
        point,
        Comment.objects.create(subject=pipeline, author=author, text="Spoke to the council"),
        ContactRole.objects.create(name="Secretary", code="secretary"),
        CounterpartyRole.objects.create(name="Surveyor", code="surveyor"),
        Stage.objects.create(name="Scoping", code="scoping", order=5),
        Technology.objects.create(name="Wave", code="wave", capacity_basis="ac"),
        MilestoneKind.objects.create(name="Seabed lease", code="seabed-lease", order=15),
        GateSet.objects.create(name="Spain", code="spain", country="ES"),
        AlertRule.objects.create(
            name="Wind slips", code="wind-slips", event="rtb-slipped", threshold=7, channel="slack"
        ),
        Acknowledgement.objects.create(
            fingerprint="0" * 64, finding="Something odd", reason="The clock was wrong"
        ),
        Alert.objects.create(
            unique_key="1", event="completed", channel="slack", payload={"title": "Completed"}
        ),
        ExternalReference.objects.create(source="Register", key="154", record=pipeline),
        make_security_event(),
        Schedule.objects.create(
            name="At noon", code="at-noon", kind="tidy", frequency="day", at=time(12)
        ),
        jobs.enqueue("tidy", run_after=timezone.now() + timedelta(days=1)),
        make_token(author)[0],
        make_webhook(author)[0],
        make_frozen_report(author),
        make_asked_question(author),
        make_import(author),
        make_user(),
        Group.objects.create(name="Guests"),
    ]
    return {type(record): record for record in records}
