"""Keeping what registers say of our pipelines otherwise than we do (``RegisterFinding``)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db.models import Max, Q
from django.utils import timezone

from oegen.audit.changes import Change, Changes
from oegen.core import bulk
from oegen.core.database import take_advisory_lock
from oegen.models import AuditedModel
from pipelines.choices import Outcome
from pipelines.facts.deriving import chunks
from pipelines.models import Facility, Pipeline, PipelineFacility, RegisterFinding, StageTransition
from pipelines.registers.adapters.base import DATES
from pipelines.registers.matching.subjects import point_of
from pipelines.registers.models import Edition, Match, Register, RegisterProject
from pipelines.registers.models.edition import stored_editions
from pipelines.registers.models.match import ENDED
from pipelines.registers.watch import Finding, Ours, Plant, Said, find_differences

#: PostgreSQL's advisory lock of those who write findings: taken last, so there are no deadlocks.
_LOCK = 7_312

#: The number of pipelines that are read at a time.
_CHUNK = 500


class Entry(NamedTuple):
    """An accepted match of a pipeline, or of its ``facility``, with a project of a register."""

    pipeline: UUID
    facility: UUID | None
    project: UUID


def refresh_findings_of(changes: Changes) -> None:
    """Bring up to date what a change set that was just closed can have changed."""
    changed = {
        model: [change for change in changes.of(model, *fields) if change.concerns(*fields)]
        for model, fields in _COMPARED.items()
    }
    pipelines = {change.key for change in changed[Pipeline]}
    for model in (PipelineFacility, StageTransition):
        pipelines |= _values(changed[model], "pipeline_id")
    records = _values(changed[Match], "object_id")
    pipelines |= records | _having(records | {change.key for change in changed[Facility]})
    if registers := _values(changed[Edition], "register_id"):
        pipelines |= _matched(Q(project__register__in=registers))
    if pipelines:
        refresh_findings(pipelines)


#: The models that findings are read from, with the fields that count.
_COMPARED: dict[type[AuditedModel], tuple[str, ...]] = {
    Pipeline: (*("stage_id", "outcome", "rag_status", "rtb_date", "cod_date"),),
    PipelineFacility: ("pipeline_id", "facility_id"),
    Facility: (*("technology_id", "capacity_mw", "export_limit_mw", "latitude", "longitude"),),
    StageTransition: ("pipeline_id", "effective_on"),
    Match: ("state", "content_type_id", "object_id", "project_id"),
    Edition: ("register_id", "date", "contents"),
}


def _values(changed: Iterable[Change], field: str) -> set[UUID]:
    """What the records have in the field, and had before."""
    return {row[field] for one in changed for row in (one.before, one.after) if row}


def _having(facilities: Iterable[UUID]) -> set[UUID]:
    found: set[UUID] = set()
    for keys in chunks(facilities, _CHUNK):
        links = PipelineFacility.objects.filter(facility__in=keys).order_by()
        found.update(links.values_list("pipeline_id", flat=True))
    return found


def _matched(condition: Q) -> set[UUID]:
    """The pipelines that are matched themselves, or by a facility, among keys of other records."""
    accepted = Match.objects.accepted().filter(condition).order_by()
    records = set(accepted.values_list("object_id", flat=True))
    return records | _having(records)


def refresh_findings(pipelines: Collection[UUID]) -> int:
    """Write what is found of these pipelines now and was not, and end what is no longer; returns
    the number of findings that began or ended."""
    take_advisory_lock(_LOCK)
    moment, number = timezone.now(), 0
    for keys in chunks(pipelines, _CHUNK):
        number += _refresh(keys, moment)
    return number


def _refresh(keys: Collection[UUID], moment: datetime) -> int:
    stored = {
        (one.pipeline_id, one.project_id, one.kind, one.text, one.begins_on): one
        for one in RegisterFinding.objects.current().filter(pipeline_id__in=keys)
    }
    entries = entries_of(keys)
    if not stored and not entries:
        return 0
    begun = []
    for pipeline, project, finding in _found(entries):
        text = finding.text[:500]
        if stored.pop((pipeline, project.pk, finding.kind, text, finding.begins_on), None):
            continue
        begun.append(
            RegisterFinding(
                pipeline_id=pipeline,
                project_id=project.pk,
                kind=finding.kind,
                text=text,
                begins_on=finding.begins_on,
                register=project.register.name,
                attribution=project.register.attribution,
                licence_url=project.register.licence_url,
                valid_from=moment,
            )
        )
    ended = RegisterFinding.objects.filter(pk__in=[one.pk for one in stored.values()])
    ended.update(valid_until=moment)
    bulk.insert(RegisterFinding, begun)
    return len(stored) + len(begun)


def entries_of(pipelines: Collection[UUID]) -> list[Entry]:
    """What the pipelines and their facilities are in registers."""
    links: dict[UUID, list[UUID]] = defaultdict(list)
    rows = PipelineFacility.objects.filter(pipeline__in=pipelines).order_by("pipeline", "facility")
    for pipeline, facility in rows.values_list("pipeline_id", "facility_id"):
        links[facility].append(pipeline)
    accepted = Match.objects.accepted().of_pipelines(pipelines).exclude(project=None)
    found = []
    for record, project in accepted.order_by("pk").values_list("object_id", "project_id"):
        if record in links:
            found += [Entry(pipeline, record, project) for pipeline in links[record]]
        else:
            found.append(Entry(record, None, project))
    return found


def _found(entries: list[Entry]) -> Iterator[tuple[UUID, RegisterProject, Finding]]:
    projects = RegisterProject.objects.present().select_related("register", "stage")
    by_key = projects.in_bulk({entry.project for entry in entries})
    ours = _read_ours({entry.pipeline for entry in entries})
    editions = {
        register.pk: stored_editions(register)[-1][1]
        for register in Register.objects.filter(pk__in={one.register_id for one in by_key.values()})
    }
    groups: dict[tuple[UUID, UUID | None, UUID], list[RegisterProject]] = defaultdict(list)
    for pipeline, facility, key in entries:
        project = by_key.get(key)
        if project is not None and pipeline in ours:
            groups[pipeline, facility, project.register_id].append(project)
    for (pipeline, facility, register), several in groups.items():
        leading, said = _read_said(several, editions[register])
        for finding in find_differences(_part(ours[pipeline], facility), said):
            yield pipeline, leading, finding


def _read_said(several: list[RegisterProject], edition: date) -> tuple[RegisterProject, Said]:
    """What a register says of a project of ours that may have several entries, such as an
    application that was refused and the one that followed: what has ended counts only where all
    have. Of the others the one that is furthest leads."""
    alive = [one for one in several if one.outcome not in ENDED and not one.is_vanished]
    leading = max(alive or several, key=_progress)
    capacities = [one.capacity_mw for one in alive or several]
    grid = min((one.grid_on for one in alive if one.grid_on), default=leading.grid_on)
    days = {code: day for code in DATES if (day := getattr(leading, f"{code}_on"))}
    return leading, Said(
        register=leading.register.short_name,
        edition=edition,
        outcome=leading.outcome,
        stage=leading.stage.code if leading.stage else "",
        days=days | ({"grid": grid} if grid else {}),
        capacity_mw=leading.capacity_mw,
        sum_mw=None if None in capacities else sum(filter(None, capacities), Decimal(0)),
        basis=leading.capacity_basis,
        point=point_of(leading.latitude, leading.longitude),
        is_approximate=leading.is_approximate,
        is_vanished=leading.is_vanished,
        seen_on=leading.last_seen_on,
    )


def _progress(project: RegisterProject) -> tuple[object, ...]:
    order = project.stage.order if project.stage else -1
    day = project.submitted_on or date.min
    return not project.is_vanished, order, day, project.key


class _Facility(NamedTuple):
    key: UUID
    plant: Plant


class _Pipeline(NamedTuple):
    ours: Ours
    facilities: tuple[_Facility, ...]


def _part(pipeline: _Pipeline, facility: UUID | None) -> Ours:
    """The pipeline with the facility alone, if that is what the register has."""
    plants = tuple(
        plant for key, plant in pipeline.facilities if facility is None or key == facility
    )
    return replace(pipeline.ours, plants=plants)


def _read_ours(keys: Collection[UUID]) -> dict[UUID, _Pipeline]:
    """Those that go on, or are on hold."""
    facilities: dict[UUID, list[_Facility]] = defaultdict(list)
    links = PipelineFacility.objects.filter(pipeline__in=keys).select_related(
        "facility__technology"
    )
    for link in links.order_by("facility"):
        one = link.facility
        plant = Plant(
            one.capacity_mw,
            one.technology.capacity_basis,
            one.export_limit_mw,
            point_of(one.latitude, one.longitude),
        )
        facilities[link.pipeline_id].append(_Facility(one.pk, plant))
    moves = StageTransition.objects.filter(pipeline__in=keys).order_by()
    moved = dict(moves.values_list("pipeline").annotate(Max("effective_on")))
    going = Pipeline.objects.filter(
        pk__in=keys, outcome=Outcome.ACTIVE, stage__is_terminal=False
    ).select_related("stage")
    return {
        one.pk: _Pipeline(
            Ours(
                stage=one.stage.code,
                stage_name=one.stage.name,
                rag=one.rag_status,
                moved_on=moved.get(one.pk),
                rtb_date=one.rtb_date,
                cod_date=one.cod_date,
            ),
            tuple(facilities[one.pk]),
        )
        for one in going
    }
