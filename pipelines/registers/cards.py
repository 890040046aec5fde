"""What registers say, on the pages of our own records."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from uuid import UUID

from oegen.pages.records import Card, card_of
from pipelines.models import Pipeline, RegisterFinding
from pipelines.registers.models import RegisterProject
from pipelines.registers.watching import entries_of


@dataclass
class Watched:
    """A project of a register that the pipeline is, with what it says otherwise."""

    project: RegisterProject
    findings: list[RegisterFinding] = field(default_factory=list)


@card_of(Pipeline)
def watch_card(pipeline: Pipeline) -> Card | None:
    """The projects of registers that the pipeline, or one of its facilities, is."""
    keys = {entry.project for entry in entries_of([pipeline.pk])}
    if not keys:
        return None
    findings: dict[UUID, list[RegisterFinding]] = defaultdict(list)
    for finding in RegisterFinding.objects.now().filter(pipeline_id=pipeline.pk).order_by("pk"):
        findings[finding.project_id].append(finding)
    projects = RegisterProject.objects.present().filter(pk__in=keys)
    watched = [
        Watched(project, findings.get(project.pk, []))
        for project in projects.select_related("register").order_by("register__order", "name")
    ]
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
