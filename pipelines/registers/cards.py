"""What registers say, on the pages of our own records."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from uuid import UUID

from django.contrib.contenttypes.models import ContentType

from counterparties.models import Counterparty
from oegen.core.compiled import compiled, one_of
from oegen.pages.records import Card, card_of
from pipelines.models import Pipeline, RegisterFinding
from pipelines.registers.benchmarks import benchmark_of
from pipelines.registers.filters import chosen_registers
from pipelines.registers.models import Match, RegisterCompany, RegisterProject
from pipelines.registers.survival import Course
from pipelines.registers.track_record import track_record_of


@dataclass
class Watched:
    """A project of a register that the pipeline is, with what it says otherwise."""

    project: RegisterProject
    findings: list[RegisterFinding] = field(default_factory=list)


@card_of(Pipeline)
def watch_card(pipeline: Pipeline) -> Card | None:
    """The projects of registers that the pipeline, or one of its facilities, is."""
    # Not a subquery: with one, PostgreSQL reads all projects.
    accepted = {key for (key,) in _accepted(keys=[pipeline.pk])}
    projects = _projects(keys=accepted) if accepted else []
    if not projects:
        return None
    findings: dict[UUID, list[RegisterFinding]] = defaultdict(list)
    for finding in _findings(key=pipeline.pk):
        findings[finding.project_id].append(finding)
    watched = [Watched(project, findings.get(project.pk, [])) for project in projects]
    watched.sort(key=lambda one: not one.findings)
    return Card(
        "registers/parts/watch.html",
        {
            "watched": watched,
            "number": sum(len(one.findings) for one in watched),
            "registers": list(
                {one.project.register_id: one.project.register for one in watched}.values()
            ),
        },
        is_leading=bool(findings),
    )


@card_of(Counterparty)
def track_record_card(counterparty: Counterparty) -> Card | None:
    """What became of the projects of the companies of registers that the counterparty is."""
    accepted = Match.objects.accepted().filter(
        content_type=ContentType.objects.get_for_model(Counterparty), object_id=counterparty.pk
    )
    companies = list(
        RegisterCompany.objects.filter(pk__in=accepted.values("company_id")).order_by("name")
    )
    if not companies:
        return None
    everywhere: dict[UUID, RegisterProject] = {}
    for company in companies:
        projects = RegisterProject.objects.present().of_owner(company)
        everywhere |= {one.pk: one for one in projects.select_related("register", "stage")}
    chosen = chosen_registers(everywhere.values())
    counted = [one for one in everywhere.values() if chosen[one.country] == one.register_id]
    registers = sorted({one.register for one in counted}, key=lambda one: one.order)
    return Card(
        "registers/parts/counterparty_record.html",
        {
            "companies": companies,
            "track_record": track_record_of(map(Course.of, counted)),
            "market": [(one, benchmark_of(one)) for one in registers],
            "licences": registers,
        },
    )


@compiled
def _accepted(*, keys):
    matches = Match.objects.accepted().of_pipelines(one_of(keys, Pipeline))
    return matches.order_by().values_list("project_id")


@compiled
def _projects(*, keys):
    projects = RegisterProject.objects.present().filter(pk__in=one_of(keys, RegisterProject))
    return projects.select_related("register").order_by("register__order", "name", "key")


@compiled
def _findings(*, key):
    return RegisterFinding.objects.now().filter(pipeline_id=key).order_by("pk")
