"""The dates of pipelines: stages, RTB, COD, milestones, and what these were on another day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from oegen import audit
from oegen.core import clock, sql
from oegen.core.compiled import compiled, one_of
from oegen.core.database import key_set
from oegen.models import AuditedModel
from pipelines.choices import Outcome
from pipelines.facts.models import Fact
from pipelines.milestones import is_missed, is_reached
from pipelines.models import Milestone, Pipeline
from pipelines.models.pipeline import status_label_of
from pipelines.querysets import Megawatts
from pipelines.reference import FIELD_OF_KIND
from pipelines.stays import stays_sql
from pipelines.timeline.order import Plant, Vocabulary, main_technology

FORECAST, DONE, MISSED = range(3)


@dataclass(frozen=True)
class Mark:
    """The day of a milestone, None if it has none any more. ``then`` is its day on the comparison
    day, if it had another."""

    kind_id: UUID
    day: date | None
    state: int
    then: date | None


class Stay(NamedTuple):
    stage: str
    began: date
    until: date | None


@dataclass(frozen=True)
class Schedule:
    """The dates of a pipeline. ``is_over``: it ended or is completed. ``technology`` is the place
    of its main one, ``capacity`` None if no figure is known."""

    pipeline: Pipeline
    status: str
    is_over: bool
    technology: int | None
    capacity: Megawatts | None
    stays: list[Stay]
    marks: list[Mark]


def read_schedules(keys: Sequence[UUID], vocabulary: Vocabulary, since: date) -> list[Schedule]:
    """Those of the pipelines with these keys, in their order, compared with the day ``since``. The
    number of statements does not depend on the number of keys."""
    stages = {stage.pk: stage for stage in vocabulary.stages}
    pipelines: dict[UUID, Pipeline] = {one.pk: one for one in _pipelines(keys=keys)}
    plants, stays = _plants(keys, vocabulary), _stays(keys)
    now, then = _days_now(pipelines), _days_then(keys, since)
    kinds = [kind.pk for kind in vocabulary.kinds]
    schedules = []
    for pipeline in (pipelines[key] for key in keys if key in pipelines):
        stage = pipeline.stage = stages[pipeline.stage_id]
        own = plants.get(pipeline.pk, [])
        days, earlier = now[pipeline.pk], then[pipeline.pk]
        is_known = any(one.kw is not None for one in own)
        schedules.append(
            Schedule(
                pipeline,
                status=status_label_of(pipeline),
                is_over=pipeline.outcome != Outcome.ACTIVE or stage.is_terminal,
                technology=main_technology(own),
                capacity=vocabulary.capacity(vocabulary.add_up(own)) if is_known else None,
                stays=stays.get(pipeline.pk, []),
                marks=[
                    mark
                    for kind in kinds
                    if kind in days or kind in earlier
                    if (mark := _mark(pipeline, kind, days.get(kind, Days()), earlier.get(kind)))
                ],
            )
        )
    return schedules


class Days(NamedTuple):
    """Those of a milestone: when it is expected, or when it happened."""

    forecast: date | None = None
    actual: date | None = None


def _mark(pipeline: Pipeline, kind: UUID, days: Days, earlier: date | None) -> Mark | None:
    day = days.actual or days.forecast
    if day is None and earlier is None:
        return None
    state = DONE if days.actual else FORECAST
    if days.forecast:
        stands = days.forecast, FIELD_OF_KIND.get(kind, ""), pipeline
        state = MISSED if is_missed(*stands) else DONE if is_reached(*stands) else FORECAST
    return Mark(kind, day, state, None if earlier == day else earlier)


def _plants(keys: Sequence[UUID], vocabulary: Vocabulary) -> dict[UUID, list[Plant]]:
    found: dict[UUID, list[Plant]] = defaultdict(list)
    places = {one.pk: place for place, one in enumerate(vocabulary.technologies)}
    for key, technology, kw in _facts(keys=keys):
        found[key].append(Plant(places[technology], kw))
    return found


def _stays(keys: Sequence[UUID]) -> dict[UUID, list[Stay]]:
    """By effective date. What began and ended on one day is left out."""
    found: dict[UUID, list[Stay]] = defaultdict(list)
    wanted = key_set(keys)
    for key, stage, began, until in sql.fetch(
        f"""
        SELECT pipeline_id, stage, began, until
        FROM ({stays_sql(f"WHERE pipeline_id IN ({wanted.sql})")}) AS stays
        WHERE until IS NULL OR until > began ORDER BY began
        """,  # noqa: S608 - SQL of our own
        tuple(wanted.params),
    ):
        end = None if until is None else sql.date_of(until)
        found[sql.uuid_of(key)].append(Stay(stage, sql.date_of(began), end))
    return found


def _days_now(pipelines: dict[UUID, Pipeline]) -> dict[UUID, dict[UUID, Days]]:
    """By pipeline and kind."""
    found: dict[UUID, dict[UUID, Days]] = {key: {} for key in pipelines}
    happened = set()
    for key, kind, forecast, actual, is_actual in _milestones(keys=list(pipelines)):
        found[key][kind] = Days(None if actual else forecast, actual)
        if is_actual:
            happened.add((key, kind))
    for key, pipeline in pipelines.items():
        for kind, name in FIELD_OF_KIND.items():
            day = getattr(pipeline, name)
            found[key][kind] = Days(actual=day) if (key, kind) in happened else Days(day)
    return found


def _days_then(keys: Sequence[UUID], day: date) -> dict[UUID, dict[UUID, date | None]]:
    """The days that milestones had at the end of the day, by pipeline and kind."""
    found: dict[UUID, dict[UUID, date | None]] = defaultdict(dict)
    columns = ("pipeline_id", "kind_id", "actual_on", "forecast_on")
    for pipeline, kind, actual, forecast in _values_then(
        day, keys, Milestone, "pipeline_id", *columns
    ):
        found[pipeline][kind] = actual or forecast
    for key, *days in _values_then(day, keys, Pipeline, "id", "id", *FIELD_OF_KIND.values()):
        found[key] |= zip(FIELD_OF_KIND, days, strict=True)
    return found


def _values_then(
    day: date, keys: Sequence[UUID], model: type[AuditedModel], key_column: str, *columns: str
) -> Iterator[list[Any]]:
    """The columns of the records of these pipelines that existed at the end of the day, as they
    were then."""
    versions = _versions_then(model, key_column, *columns, keys=keys, moment=clock.end_of(day))
    for kind, *values in versions:
        if kind != audit.REMOVED:
            yield values


# What is asked for each part of a timeline ------------------------------------------------------


@compiled
def _pipelines(*, keys):
    found = Pipeline.objects.filter(pk__in=one_of(keys, Pipeline)).order_by()
    columns = ("project_name", "stage", "on_hold", "outcome", "rag_status", "rtb_date", "cod_date")
    return found.with_overdue().with_past_rtb().only(*columns)


@compiled
def _facts(*, keys):
    facts = Fact.objects.now().filter(pipeline_id__in=one_of(keys, Pipeline))
    return facts.exclude(technology_id=None).values_list("pipeline_id", "technology_id", "kw")


@compiled
def _milestones(*, keys):
    milestones = Milestone.objects.filter(pipeline__in=one_of(keys, Pipeline)).order_by()
    return milestones.values_list("pipeline_id", "kind_id", "forecast_on", "actual_on", "is_actual")


@compiled
def _versions_then(model, key_column, *columns, keys, moment):
    """The last version before the moment of each record: the kind of its row, and the columns."""
    history = audit.history_model(model).objects
    asked = {f"{key_column}__in": one_of(keys, Pipeline), "history_date__lt": moment}
    newest_first = [F("history_date").desc(), F("history_id").desc()]
    place = Window(RowNumber(), partition_by=F("id"), order_by=newest_first)
    known = history.filter(**asked).order_by().annotate(place=place).filter(place=1)
    return known.values_list("history_type", *columns)
