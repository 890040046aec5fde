"""What registers say, on the pages of our own records."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from oegen.pages.records import Card, card_of
from pipelines.models import Facility, Pipeline, PipelineFacility, RegisterFinding
from pipelines.registers.models import Match, MatchState, RegisterProject
from pipelines.registers.models.project import RegisterProjectQuerySet


@dataclass
class Watched:
    """A project of a register that the pipeline is, with what it says otherwise."""

    project: RegisterProject
    findings: list[RegisterFinding] = field(default_factory=list)


def _projects_of(pipeline: Pipeline) -> RegisterProjectQuerySet:
    types = ContentType.objects.get_for_models(Pipeline, Facility)
    facilities = PipelineFacility.objects.filter(pipeline=pipeline).values("facility_id")
    accepted = Match.objects.filter(
        Q(content_type=types[Pipeline], object_id=pipeline.pk)
        | Q(content_type=types[Facility], object_id__in=facilities),
        state=MatchState.ACCEPTED,
    )
    projects = RegisterProject.objects.present().filter(pk__in=accepted.values("project_id"))
    return projects.select_related("register").order_by("register__order", "name", "key")


@card_of(Pipeline)
def watch_card(pipeline: Pipeline) -> Card | None:
    """The projects of registers that the pipeline, or one of its facilities, is."""
    projects = list(_projects_of(pipeline))
    if not projects:
        return None
    findings: dict[UUID, list[RegisterFinding]] = defaultdict(list)
    for finding in RegisterFinding.objects.now().filter(pipeline_id=pipeline.pk).order_by("pk"):
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
