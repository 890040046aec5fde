"""Derive the facts of some pipelines from the history and the stored records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Manager, Q

from oegen import audit
from oegen.models import AuditedModel, ChangeSet
from pipelines.choices import Outcome
from pipelines.facts.intervals import (
    FacilityLink,
    HistoryRow,
    Interval,
    Plant,
    Sale,
    State,
    Version,
    intervals_of,
    shared_spans,
    versions_of,
)
from pipelines.models.facility import Facility
from pipelines.models.links import PipelineFacility, StageTransition
from pipelines.models.pipeline import Pipeline
from pipelines.querysets import KILO

#: Shares are held in hundredths of a percent.
PERCENT = 100

#: Keys in one statement; SQLite takes some ten thousand parameters.
MAX_PARAMETERS = 5_000

#: The models that facts are derived from, and the columns that are read of each.
SOURCES: dict[type[AuditedModel], tuple[str, ...]] = {
    Pipeline: (
        *("project_name", "stage_id", "on_hold", "outcome", "rag_status", "rag_confirmed_at"),
        *("rtb_date", "ownership_pct", "probability_pct", "probability_expires_on"),
    ),
    PipelineFacility: ("pipeline_id", "facility_id"),
    Facility: ("technology_id", "capacity_mw", "storage_mwh"),
    StageTransition: ("pipeline_id", "outcome", "effective_on", "recorded_at", "id"),
}


def derive(keys: Collection[UUID]) -> dict[UUID, list[Interval]]:
    """The facts of the pipelines with the keys, by key; an empty list for one that never was."""
    links = audit.history_model(PipelineFacility).objects
    theirs = links.filter(pipeline_id__in=keys)
    facilities = set(theirs.order_by().values_list("facility_id", flat=True))
    # With the links of other pipelines to the same facilities, which make these shared.
    on_facilities = links.filter(facility_id__in=facilities).values("id")
    link_versions = _versions(PipelineFacility, Q(id__in=on_facilities), lambda *values: values)
    plants = _versions(Facility, Q(id__in=facilities), _plant, from_the_beginning=True)
    states = _versions(Pipeline, Q(id__in=keys), _state)
    sales = _sales(keys)

    by_facility: dict[UUID, list[Version]] = defaultdict(list)
    by_pipeline: dict[UUID, list[Version]] = defaultdict(list)
    for versions in link_versions.values():
        for version in versions:
            pipeline, facility = version.values
            by_facility[facility].append(version)
            by_pipeline[pipeline].append(version)
    shared = {facility: shared_spans(versions) for facility, versions in by_facility.items()}
    return {
        key: intervals_of(
            states.get(key, []),
            [
                FacilityLink(version, facility, plants.get(facility, []), shared[facility])
                for version in by_pipeline.get(key, [])
                for facility in version.values[1:]
            ],
            sales.get(key, []),
        )
        for key in keys
    }


def _sales(keys: Collection[UUID]) -> dict[UUID, list[Version]]:
    """The versions of the pipelines' recorded sales."""
    history = audit.history_model(StageTransition).objects
    # A transition may have been a sale at one time only.
    sold = history.filter(pipeline_id__in=keys, outcome=Outcome.SOLD).values("id")
    transitions = _versions(StageTransition, Q(id__in=sold), lambda *values: values)
    found: dict[UUID, list[Version]] = defaultdict(list)
    for versions in transitions.values():
        for since, until, (pipeline, outcome, *sale) in versions:
            if outcome == Outcome.SOLD:
                found[pipeline].append(Version(since, until, Sale(*sale)))
    return found


def _versions(
    model: type[AuditedModel],
    condition: Q,
    convert: Callable[..., tuple[Any, ...]],
    *,
    from_the_beginning: bool = False,
) -> dict[UUID, list[Version]]:
    """The versions of the records whose history meets the condition, by their keys."""
    columns = SOURCES[model]
    history = audit.history_model(model).objects.filter(condition)
    history = history.order_by("history_date", "history_id")
    rows: dict[UUID, list[HistoryRow]] = defaultdict(list)
    for key, moment, kind, *values in history.values_list(
        "id", "history_date", "history_type", *columns
    ):
        rows[key].append(HistoryRow(moment, kind, convert(*values)))
    stored = model._base_manager.filter(condition).order_by()
    live = {key: convert(*values) for key, *values in stored.values_list("pk", *columns)}
    return {
        key: versions_of(rows.get(key, []), live.get(key), from_the_beginning=from_the_beginning)
        for key in {*rows, *live}
    }


def _state(*values: Any) -> State:
    *others, ownership, probability, expires_on = values
    shares = _whole(ownership, PERCENT), _whole(probability, PERCENT)
    return State._make((*others, *shares, expires_on))


def _plant(technology: UUID, capacity: Decimal | None, storage: Decimal | None) -> Plant:
    return Plant(technology, _whole(capacity, KILO), _whole(storage, KILO))


def _whole(value: Decimal | None, factor: int) -> int | None:
    return None if value is None else round(value * factor)


def changed_keys(model: type[AuditedModel], change_set: ChangeSet) -> set[UUID]:
    """The records that the rows of the change set add, remove or change in a column of SOURCES."""
    history = audit.history_model(model).objects
    rows = history.filter(change_set_id=change_set.pk).order_by().values_list("id", "history_type")
    found: set[UUID] = set()
    doubtful: set[UUID] = set()
    for key, kind in rows:
        (doubtful if kind == audit.CHANGED else found).add(key)
    for chunk in chunks(doubtful - found, MAX_PARAMETERS):
        ordered = history.filter(id__in=chunk).order_by("id", "history_date", "history_id")
        before = None
        for key, change_set_id, kind, *values in ordered.values_list(
            "id", "change_set_id", "history_type", *SOURCES[model]
        ):
            if change_set_id == change_set.pk and before != (key, values):
                found.add(key)
            before = None if kind == audit.REMOVED else (key, values)
    return found


def facilities_of(written: Mapping[type[AuditedModel], Collection[UUID]]) -> set[UUID]:
    """The facilities among these records, which were written or removed, and those of links."""
    links = audit.history_model(PipelineFacility).objects
    tied = _column_of(links, "facility_id", "id", written.get(PipelineFacility, ()))
    return {*written.get(Facility, ()), *tied}


def pipelines_of(
    written: Mapping[type[AuditedModel], Collection[UUID]], facilities: Collection[UUID]
) -> set[UUID]:
    """The pipelines whose facts these records can have changed: their own, those of links and of
    transitions, and all that ever had one of the facilities."""
    links = audit.history_model(PipelineFacility).objects
    moves = audit.history_model(StageTransition).objects
    return {
        *written.get(Pipeline, ()),
        *_column_of(links, "pipeline_id", "id", written.get(PipelineFacility, ())),
        *_column_of(links, "pipeline_id", "facility_id", facilities),
        *_column_of(moves, "pipeline_id", "id", written.get(StageTransition, ())),
    }


def _column_of(
    rows: Manager[Any], column: str, key_column: str, keys: Iterable[UUID]
) -> Iterator[UUID]:
    """The values of a column in the rows with one of the keys."""
    for chunk in chunks(keys, MAX_PARAMETERS):
        found = rows.filter(**{f"{key_column}__in": chunk}).order_by()
        yield from found.values_list(column, flat=True)


def chunks(keys: Iterable[UUID], size: int) -> Iterator[list[UUID]]:
    rest = iter(keys)
    while chunk := list(islice(rest, size)):
        yield chunk
