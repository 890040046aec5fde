"""Keep the facts up with what is written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from django.apps import AppConfig
from django.db import transaction

from oegen import audit
from oegen.core.database import is_migrated, take_advisory_locks
from oegen.models import AuditedModel, ChangeSet
from pipelines.facts.deriving import (
    SOURCES,
    changed_keys,
    chunks,
    derive,
    facilities_of,
    pipelines_of,
)
from pipelines.facts.intervals import Interval, Plant, State
from pipelines.facts.models import Fact
from pipelines.models.pipeline import Pipeline

#: Pipelines whose facts are derived together.
CHUNK = 500

#: Classes of PostgreSQL's advisory locks under which facts are derived. Two, because nobody who
#: holds a lock of the second waits for one of the first.
FACILITY_LOCKS, PIPELINE_LOCKS = 7_310, 7_311

#: Keys share this number of locks: a transaction can't hold one for each of ten thousand keys.
NUMBER_OF_LOCKS = 256


def refresh_facts_of(change_set: ChangeSet) -> None:
    """Derive anew what the rows of a change set that is about to end can have changed."""
    refresh_facts_about(
        {
            model: changed_keys(model, change_set)
            for model in SOURCES
            if audit.history_model(model) in change_set.written_models
        }
    )


def refresh_facts_about(written: Mapping[type[AuditedModel], Collection[UUID]]) -> None:
    """Derive anew what the writing or removal of these records can have changed.

    Two transactions that concern the same pipeline or facility take turns, so that the second one
    sees what the first one wrote. Facilities are locked before pipelines, both in one order, and
    no row is waited for afterwards, so they can't block each other.
    """
    if not any(written.get(model) for model in SOURCES):
        return
    facilities = facilities_of(written)
    _wait_for(FACILITY_LOCKS, facilities)
    pipelines = pipelines_of(written, facilities)
    _wait_for(PIPELINE_LOCKS, pipelines)
    refresh_facts(pipelines)


def _wait_for(lock_class: int, keys: Iterable[UUID]) -> None:
    take_advisory_locks(lock_class, {key.int % NUMBER_OF_LOCKS for key in keys})


def refresh_facts(
    pipelines: Iterable[UUID], progress: Callable[[int], object] = lambda done: None
) -> int:
    """Derive the facts of these pipelines anew and write what differs. Returns the number of facts
    that were written or removed."""
    number = 0
    for keys in chunks(pipelines, CHUNK):
        outdated, missing = _differences(keys)
        Fact.objects.filter(pk__in=outdated).delete()
        Fact.objects.bulk_create(missing, batch_size=audit.BATCH_SIZE)
        number += len(outdated) + len(missing)
        progress(len(keys))
    return number


@transaction.atomic
def rebuild_facts(progress: Callable[[int], object] = lambda done: None) -> int:
    """Derive all facts anew; returns the number that was wrong or missing."""
    return refresh_facts(all_pipelines(), progress)


def fill_if_new(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """post_migrate: derive the facts of a database that is older than they are.

    A database that was taken back to some earlier migration is left alone: its tables are not
    those of the models.
    """
    if is_migrated(using) and not Fact.objects.exists():
        rebuild_facts()


def all_pipelines() -> list[UUID]:
    """The keys of all pipelines that there are, were, or that facts speak of."""
    keys: set[UUID] = set()
    for rows in (
        audit.history_model(Pipeline).objects.values_list("id", flat=True),
        Pipeline.objects.values_list("pk", flat=True),
        Fact.objects.values_list("pipeline_id", flat=True),
    ):
        keys.update(rows.order_by().distinct())
    return sorted(keys)


def wrong_facts() -> Iterator[tuple[UUID, int, int]]:
    """The pipelines whose facts are not what the history says: key, number of facts that should
    not be there, number of those that are missing."""
    for keys in chunks(all_pipelines(), CHUNK):
        outdated, missing = _differences(keys)
        of_pipeline = dict(Fact.objects.filter(pk__in=outdated).values_list("pk", "pipeline_id"))
        for key in sorted({*of_pipeline.values(), *(one.pipeline_id for one in missing)}):
            yield (
                key,
                sum(other == key for other in of_pipeline.values()),
                sum(one.pipeline_id == key for one in missing),
            )


def _differences(keys: Collection[UUID]) -> tuple[list[int], list[Fact]]:
    """The keys of facts that should not be there, and facts that are missing."""
    known: dict[tuple[Any, ...], int] = {}
    outdated, missing = [], []
    for pk, *row in Fact.objects.filter(pipeline_id__in=keys).values_list("pk", *_COLUMNS):
        if known.setdefault(tuple(row), pk) != pk:
            outdated.append(pk)
    for key, intervals in derive(keys).items():
        for interval in intervals:
            values = _values(key, interval)
            if known.pop(values, None) is None:
                missing.append(Fact(**dict(zip(_COLUMNS, values, strict=True))))
    return [*outdated, *known.values()], missing


#: The columns of a fact, in the order of ``_values``.
_COLUMNS = (
    *("pipeline_id", "valid_from", "valid_until", "sold_on", "facility_id"),
    *("is_shared", "is_first", "is_first_of_technology"),
    *State._fields,
    *Plant._fields,
)


def _values(pipeline: UUID, fact: Interval) -> tuple[Any, ...]:
    return (
        *(pipeline, fact.since, fact.until, fact.sold_on, fact.facility_id),
        *(fact.is_shared, fact.is_first, fact.is_first_of_technology),
        *fact.state,
        *(fact.plant or (None, None, None)),
    )
