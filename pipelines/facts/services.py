"""Updating the facts."""

from __future__ import annotations

from collections import Counter, defaultdict, namedtuple
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import chain
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.apps import AppConfig
from django.db import connections, transaction
from django.utils import timezone

from oegen import audit
from oegen.core import bulk, clock
from oegen.core.database import is_migrated, key_set, take_advisory_locks
from oegen.models import AuditedModel, ChangeSet
from pipelines.facts.deriving import (
    SOURCES,
    changes_in,
    chunks,
    derive,
    facilities_of,
    pipelines_of,
)
from pipelines.facts.intervals import (
    FOREVER,
    FacilityState,
    Interval,
    PipelineState,
    Progress,
    Version,
)
from pipelines.facts.models import Fact, FactRevision, ProvenKinds
from pipelines.models.pipeline import Pipeline

#: The values of ``_COLUMNS`` of a fact.
Values = tuple[Any, ...]

#: The number of pipelines whose facts are derived at a time.
CHUNK = 500

#: Classes of PostgreSQL's advisory locks. A transaction takes its locks of a class before those of
#: the next, which prevents deadlocks.
FACILITY_LOCKS, PIPELINE_LOCKS, PROVEN_LOCKS = 7_310, 7_311, 7_312

#: The number of locks per class, which keys share: PostgreSQL limits the locks of a transaction.
NUMBER_OF_LOCKS = 256


def refresh_facts_of(change_set: ChangeSet) -> None:
    """Bring up to date what the rows of a change set that is about to end can have changed."""
    changes = {
        model: list(changes_in(model, change_set))
        for model in SOURCES
        if audit.history_model(model) in change_set.written
    }
    newest = {one.key: one.newest for one in changes.get(Pipeline, ()) if one.newest}
    refresh_facts_about(
        {model: {one.key for one in found} for model, found in changes.items()}, newest
    )


def refresh_facts_about(
    written: Mapping[type[AuditedModel], Collection[UUID]],
    newest: Mapping[UUID, Version[Any]] = MappingProxyType({}),
) -> None:
    """Bring up to date what the writing or removal of these records can have changed.

    ``newest``: pipelines whose history got this version at its end. Where nothing else about such
    a pipeline was written, its open facts end there and go on with the new state; the other facts
    are derived anew.

    Transactions that concern the same pipeline or facility are serialized, so that the second one
    sees the rows of the first. Facilities are locked before pipelines, both in the order of their
    lock numbers, and no row locks are taken afterwards, so there are no deadlocks.
    """
    if not any(written.get(model) for model in SOURCES):
        return
    facilities = facilities_of(written)
    _lock(FACILITY_LOCKS, facilities)
    own, others = set(written.get(Pipeline, ())), pipelines_of(written, facilities)
    _lock(PIPELINE_LOCKS, own | others)
    continued = _continue_facts({key: newest[key] for key in newest.keys() - others})
    refresh_facts((own | others) - continued)


def _continue_facts(newest: Mapping[UUID, Version[Any]]) -> set[UUID]:
    """End the open facts of the pipelines where their newest version begins, and go on with its
    state. Returns the pipelines where that was possible: it begins later than those facts did, and
    changes nothing that is derived from several records."""
    ended: dict[UUID, list[Fact]] = defaultdict(list)
    for keys in chunks(newest, CHUNK):
        for fact in Fact.objects.at(None).filter(pipeline_id__in=keys):
            ended[fact.pipeline_id].append(fact)
    begun = []
    for key, facts in list(ended.items()):
        since, until, values = newest[key]
        state = PipelineState._make(values)._asdict()
        # RTB has happened only while there is a date.
        has_date = state["rtb_date"] is not None
        if any(one.valid_from >= since or (one.rtb_date is not None) != has_date for one in facts):
            del ended[key]
            continue
        span = {"valid_from": since, "valid_until": until}
        for fact in facts:
            fact.valid_until = since
            columns = {name: getattr(fact, name) for name in (*_OWN_COLUMNS, "proven_id")}
            columns["rtb_first"] = fact.rtb_first or state["rtb_date"]
            begun.append(Fact(**columns | state | span))
    _record_revision(newest[key].since for key in ended)
    Fact.objects.bulk_update(chain(*ended.values()), ["valid_until"], batch_size=audit.BATCH_SIZE)
    bulk.insert(Fact, begun)
    return set(ended)


def _lock(lock_class: int, keys: Iterable[UUID]) -> None:
    take_advisory_locks(lock_class, {key.int % NUMBER_OF_LOCKS for key in keys})


def refresh_facts(
    pipelines: Iterable[UUID], progress: Callable[[int], object] = lambda done: None
) -> int:
    """Derive the facts of these pipelines and write the differences; returns the number of facts
    that were created or deleted."""
    number = 0
    for keys in chunks(pipelines, CHUNK):
        outdated, missing = _differences(keys)
        _record_revision(_changed_from(outdated.values(), missing))
        Fact.objects.filter(pk__in=list(outdated)).delete()
        _insert(missing)
        number += len(outdated) + len(missing)
        progress(len(keys))
    return number


def _insert(rows: Collection[Values]) -> None:
    """Insert facts, and the kinds of milestones that these are the first to say are proven."""
    keys = {kinds: ProvenKinds.key_of(kinds) for kinds in {row[-1] for row in rows}}
    wanted = {key: kinds for kinds, key in keys.items() if key}
    known = ProvenKinds.objects.filter(pk__in=key_set(wanted)).values_list("pk", flat=True)
    if new := wanted.keys() - set(known):
        # Two that insert the same ones would wait for each other.
        take_advisory_locks(PROVEN_LOCKS, {0})
        ProvenKinds.objects.bulk_create(
            [ProvenKinds(pk=key, kinds=wanted[key]) for key in new], ignore_conflicts=True
        )
    bulk.insert(Fact, [_Row._make((*row[:-1], keys[row[-1]])) for row in rows])


@transaction.atomic
def rebuild_facts(progress: Callable[[int], object] = lambda done: None) -> int:
    """Derive all facts and write the differences; returns their number."""
    return refresh_facts(all_pipelines(), progress)


def fill_if_new(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """post_migrate: derive the facts of a database from before facts existed.

    Skipped after migrating backwards, when the tables do not match the models.
    """
    if is_migrated(using) and not Fact.objects.exists() and rebuild_facts():
        connection = connections[using]
        if connection.vendor == "postgresql":
            # Filled in another order than their own, indexes are half as large again.
            with connection.cursor() as cursor:
                cursor.execute(f"REINDEX TABLE {Fact._meta.db_table}")


def all_pipelines() -> list[UUID]:
    """The keys of all pipelines that exist, existed, or have facts."""
    keys: set[UUID] = set()
    for rows in (
        audit.history_model(Pipeline).objects.values_list("id", flat=True),
        Pipeline.objects.values_list("pk", flat=True),
        Fact.objects.values_list("pipeline_id", flat=True),
    ):
        keys.update(rows.order_by().distinct())
    return sorted(keys)


def wrong_facts() -> Iterator[tuple[UUID, int, int]]:
    """Yield (pipeline key, number of outdated facts, number of missing facts) for each pipeline
    whose facts differ from the history."""
    for keys in chunks(all_pipelines(), CHUNK):
        outdated, missing = _differences(keys)
        unwanted = Counter(pipeline for pipeline, *_ in outdated.values())
        lacking = Counter(pipeline for pipeline, *_ in missing)
        for key in sorted({*unwanted, *lacking}):
            yield key, unwanted[key], lacking[key]


def _differences(keys: Collection[UUID]) -> tuple[dict[int, Values], list[Values]]:
    """The outdated facts by their keys, and the missing ones."""
    known: dict[Values, int] = {}
    outdated: dict[int, Values] = {}
    stored = Fact.objects.filter(pipeline_id__in=key_set(keys))
    for row in stored.values_list(*_COLUMNS, "pk"):
        values, pk = row[:-1], row[-1]
        if known.setdefault(values, pk) != pk:
            outdated[pk] = values
    derived = [
        _values(key, interval) for key, intervals in derive(keys).items() for interval in intervals
    ]
    missing = [row for row in derived if known.pop(row, None) is None]
    return outdated | {pk: row for row, pk in known.items()}, missing


def _changed_from(outdated: Iterable[Values], missing: Iterable[Values]) -> Iterator[datetime]:
    """The times from which on the facts differ: where only the end of one does, the earlier end."""
    ends = {(*row[:2], *row[3:]): row[2] for row in outdated}
    for row in missing:
        end = ends.pop((*row[:2], *row[3:]), None)
        yield min(end, row[2]) if end else row[1]
    for _, since, *_ in ends:
        yield since


def _record_revision(changed_from: Iterable[datetime]) -> None:
    """Record that facts change from the first of these times on, if that is on an earlier day or
    before the change set.

    The last hour before midnight counts as earlier, because the transaction may end after it.
    """
    earliest = min(changed_from, default=FOREVER)
    tomorrow_soon = timezone.localdate(timezone.now() + timedelta(hours=1))
    current = audit.current_change_set()
    began = current.recorded_at if current else FOREVER
    if earliest < max(clock.end_of(tomorrow_soon - timedelta(days=1)), began):
        FactRevision.objects.create(changed_from=earliest)


#: The columns of a fact, and what it has by reference, in the order of ``_values``.
_OWN_COLUMNS = (
    *("pipeline_id", "valid_from", "valid_until", "sold_on", "facility_id"),
    *("is_shared", "is_first", "is_first_of_technology"),
    *PipelineState._fields,
    *FacilityState._fields,
    *Progress._fields[:-1],
)
_COLUMNS = (*_OWN_COLUMNS, "proven__kinds")

#: What is inserted of a fact: an instance of the model takes several times as long to make.
_Row = namedtuple("_Row", (*_OWN_COLUMNS, "proven_id"))  # type: ignore[misc]


def _values(pipeline_key: UUID, fact: Interval) -> Values:
    return (
        *(pipeline_key, fact.since, fact.until, fact.sold_on, fact.facility_id),
        *(fact.is_shared, fact.is_first, fact.is_first_of_technology),
        *fact.pipeline,
        *(fact.facility or (None, "", None, None)),
        *fact.progress,
    )
