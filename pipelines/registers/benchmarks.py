"""How long projects take in a register, and ours beside them: by technology, and by region."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from oegen import asof
from oegen.core import clock, sql
from oegen.core.caching import keep
from oegen.core.fields import own_field
from pipelines.choices import Outcome
from pipelines.models import Milestone, Pipeline, PipelineFacility, Stage, StageTransition
from pipelines.querysets.milestone import DONE
from pipelines.registers.models import Register, RegisterProject
from pipelines.registers.survival import Course, Duration, Span, estimate, span_between
from pipelines.registers.version import keep_with_editions

SUBMITTED, GRANTED = "planning-submitted", "planning-granted"


@dataclass(frozen=True)
class Benchmark:
    """From application to consent, and from there to operation."""

    to_consent: Duration = field(default_factory=Duration)
    to_operation: Duration = field(default_factory=Duration)

    @property
    def is_empty(self) -> bool:
        return not (self.to_consent.projects or self.to_operation.projects)


class Group(NamedTuple):
    """Projects of a technology (its key, or the register's word), in a region; empty: any."""

    technology: UUID | str = ""
    region: str = ""


Benchmarks = dict[Group, Benchmark]


def benchmarks_of(register: Register) -> Benchmarks:
    """Cached until the register has another edition."""
    return keep_with_editions(lambda: _read(register), "benchmarks", register.pk)


def benchmark_of(register: Register) -> Benchmark:
    """Of all its projects together."""
    return benchmarks_of(register).get(Group(), Benchmark())


def _read(register: Register) -> Benchmarks:
    return _estimates(
        (
            [Group(), Group(technology), Group(region=region), Group(technology, region)],
            course.to_consent,
            course.to_operation,
        )
        for technology, region, course in _courses(register)
    )


def _courses(register: Register) -> Iterable[tuple[UUID | str, str, Course]]:
    """In SQL, because models and their converters take several times as long."""
    columns = [name for name in Course._fields if name not in ("outcome", "stage__code")]
    dates = ", ".join(f"projects.{name}" for name in columns)
    key = own_field(RegisterProject, "register").get_db_prep_value(register.pk, connection)
    for technology, raw, region, outcome, stage, *days in sql.fetch(
        f"""
        SELECT projects.technology_id, projects.raw_technology, projects.region,
            projects.outcome, stages.code, {dates}
        FROM "{RegisterProject._meta.db_table}" AS projects
        LEFT JOIN {asof.table(Stage)} AS stages ON stages.id = projects.stage_id
        WHERE projects.register_id = %s AND projects.state_id IS NOT NULL
        """,  # noqa: S608
        (key,),
    ):
        known = (None if day is None else sql.date_of(day) for day in days)
        named = sql.uuid_of(technology) if technology else raw
        yield named, region, Course(outcome, stage, *known)


def our_benchmarks() -> Benchmarks:
    """Of our pipelines, by the technologies of their facilities: from the milestone of the
    application to that of the consent, and from there to COD. Cached until a business record
    changes."""
    return keep(_read_ours, "our benchmarks", asof.data_version())


def _read_ours() -> Benchmarks:
    days: dict[UUID, dict[str, date]] = defaultdict(dict)
    reached = Milestone.objects.of_state(DONE).filter(kind__code__in=(SUBMITTED, GRANTED))
    for pipeline, kind, day in reached.values_list("pipeline", "kind__code", "day"):
        days[pipeline][kind] = day
    technologies: dict[UUID, set[UUID]] = defaultdict(set)
    links = PipelineFacility.objects.filter(pipeline__in=list(days)).order_by()
    for pipeline, technology in links.values_list("pipeline", "facility__technology"):
        technologies[pipeline].add(technology)
    ended = _ended_on(days)
    pipelines = Pipeline.objects.recorded().filter(pk__in=list(days)).order_by()
    return _estimates(
        (
            [Group(), *(Group(one) for one in technologies[key])],
            *_our_spans(
                days[key],
                operational=cod if is_completed else None,
                until=ended.get(key, clock.today()),
            ),
        )
        for key, cod, is_completed in pipelines.values_list("pk", "cod_date", "stage__is_terminal")
    )


def _ended_on(pipelines: Iterable[UUID]) -> dict[UUID, date]:
    """When pipelines were withdrawn, refused or sold."""
    moves = StageTransition.objects.filter(pipeline__in=list(pipelines)).order_by("recorded_at")
    last: dict[UUID, date | None] = {}
    for pipeline, outcome, day in moves.values_list("pipeline", "outcome", "effective_on"):
        last[pipeline] = None if outcome == Outcome.ACTIVE else day
    return {pipeline: day for pipeline, day in last.items() if day is not None}


def _our_spans(
    days: dict[str, date], *, operational: date | None, until: date
) -> tuple[Span | None, Span | None]:
    granted = days.get(GRANTED)
    consent = span_between(days.get(SUBMITTED), granted or until, is_reached=granted is not None)
    operation = span_between(granted, operational or until, is_reached=operational is not None)
    return consent, operation


def _estimates(
    projects: Iterable[tuple[list[Group], Span | None, Span | None]],
) -> Benchmarks:
    spans: dict[Group, tuple[list[Span], list[Span]]] = defaultdict(lambda: ([], []))
    for groups, *both in projects:
        for group in groups:
            for known, span in zip(spans[group], both, strict=True):
                if span is not None:
                    known.append(span)
    return {group: Benchmark(*map(estimate, several)) for group, several in spans.items()}
