"""The tables of facts: read from the product's facts and from the history of holders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, groupby, islice
from operator import attrgetter
from typing import Any
from uuid import UUID

import pyarrow as pa
from django.db.models import Q

from dashboard.warehouse.intervals import (
    FacilitySpan,
    Piece,
    Share,
    amounts_of,
    held_parts,
    pieces_of,
    spans_of,
)
from dashboard.warehouse.records import MAX_KEYS, batches, written_keys
from dashboard.warehouse.tables import (
    BATCH,
    FACTS_FACILITY,
    FACTS_HOLDER,
    FACTS_PROJECT_FACILITY,
    NOBODY,
    STAGE_STAYS,
)
from dashboard.warehouse.vocabulary import Vocabulary, read_vocabulary
from oegen import audit
from oegen.core.sql import date_of, fetch, uuid_of
from oegen.models import AuditedModel
from pipelines.facts.deriving import SOURCES, chunks, facilities_of, pipelines_of
from pipelines.facts.intervals import HistoryRow, versions_of
from pipelines.models import (
    Fact,
    Pipeline,
    PipelineCounterparty,
    PipelineFacility,
    Stage,
    StageTransition,
    Technology,
)
from pipelines.stays import stays_sql

#: What changes facts wherever it is used: all of them are written anew.
VOCABULARY: tuple[type[AuditedModel], ...] = (Stage, Technology)

#: The models that the tables of facts are made from.
MADE_FROM: tuple[type[AuditedModel], ...] = (*SOURCES, *VOCABULARY)
HOLDERS_MADE_FROM: tuple[type[AuditedModel], ...] = (*MADE_FROM, PipelineCounterparty)
STAYS_MADE_FROM: tuple[type[AuditedModel], ...] = (StageTransition, Stage)

#: The facilities that are held in memory at a time, with the links of their projects.
FACILITIES = 500


@dataclass(frozen=True)
class Touched:
    """The projects and facilities about which change sets changed what facts say, on whatever day.
    ``held`` are the facilities whose holders they may have changed."""

    pipelines: set[UUID]
    facilities: set[UUID]
    held: set[UUID]


def touched(after: int, until: int) -> Touched | None:
    """What the change sets in between touched; None: everything."""
    if any(written_keys(model, after, until) for model in VOCABULARY):
        return None
    written = {model: written_keys(model, after, until) for model in SOURCES}
    facilities = facilities_of(written)
    pipelines = written[Pipeline] | pipelines_of(written, facilities)
    links = written_keys(PipelineCounterparty, after, until)
    history = audit.history_model(PipelineCounterparty).objects
    held_pipelines = set(_column(history, "pipeline_id", "id", links))
    facilities |= _ever_in(pipelines)
    return Touched(pipelines, facilities, facilities | _ever_in(held_pipelines))


def _ever_in(pipelines: Iterable[UUID]) -> set[UUID]:
    links = audit.history_model(PipelineFacility).objects
    return set(_column(links, "facility_id", "pipeline_id", pipelines))


def _column(rows: Any, column: str, key_column: str, keys: Iterable[UUID]) -> Iterator[UUID]:
    for chunk in chunks(keys, MAX_KEYS):
        found = rows.filter(**{f"{key_column}__in": chunk}).order_by()
        yield from found.values_list(column, flat=True).iterator(chunk_size=BATCH)


def project_facility_batches(pipelines: Collection[UUID] | None = None) -> Iterator[pa.RecordBatch]:
    """The facts of these projects, or of all."""
    vocabulary = read_vocabulary()
    facts = _facts("pipeline_id", pipelines)
    pieces = (piece for fact in facts for piece in pieces_of(fact, vocabulary))
    return batches(FACTS_PROJECT_FACILITY, map(_project_facility_row, pieces))


def facility_batches(facilities: Collection[UUID] | None = None) -> Iterator[pa.RecordBatch]:
    """The intervals of these facilities in open projects, or of all."""
    vocabulary = read_vocabulary()
    return batches(
        FACTS_FACILITY,
        (
            _facility_row(span)
            for pieces in _by_facility(facilities, vocabulary)
            for span in _merged(spans_of(pieces))
        ),
    )


def holder_batches(facilities: Collection[UUID] | None = None) -> Iterator[pa.RecordBatch]:
    """Who held these facilities, or all."""
    return batches(FACTS_HOLDER, _holder_rows(facilities))


def stay_batches() -> Iterator[pa.RecordBatch]:
    columns = "transition_id, pipeline_id, stage, began, until, moved, went_on, sold, ended"
    rows = fetch(f"SELECT {columns} FROM ({stays_sql()}) AS stays")  # noqa: S608
    return batches(
        STAGE_STAYS,
        (
            (
                *(uuid_of(transition), uuid_of(pipeline), stage),
                *(day and date_of(day) for day in days),
                *(bool(truth) for truth in truths),
            )
            for transition, pipeline, stage, *others in rows
            for days, truths in [(others[:2], others[2:])]
        ),
    )


def _facts(column: str, keys: Collection[UUID] | None) -> Iterator[Fact]:
    """The facts whose ``column`` has one of the keys, or all with a value, in its order."""
    if keys is None:
        known = Fact.objects.filter(**{f"{column}__isnull": False})
        yield from known.order_by(column, "pk").iterator(chunk_size=BATCH)
        return
    for chunk in chunks(keys, MAX_KEYS):
        own = Fact.objects.filter(**{f"{column}__in": chunk}).order_by(column, "pk")
        yield from own.iterator(chunk_size=BATCH)


def _by_facility(
    facilities: Collection[UUID] | None, vocabulary: Vocabulary
) -> Iterator[list[Piece]]:
    facts = _facts("facility_id", facilities)
    for _, own in groupby(facts, attrgetter("facility_id")):
        yield [piece for fact in own for piece in pieces_of(fact, vocabulary)]


def _merged(spans: Iterable[FacilitySpan]) -> Iterator[FacilitySpan]:
    """Neighbours that make equal rows as one."""
    last: FacilitySpan | None = None
    for span in spans:
        if last and last.until == span.since and _facility_row(last)[3:] == _facility_row(span)[3:]:
            last = last._replace(until=span.until)
            continue
        if last:
            yield last
        last = span
    if last:
        yield last


def _technology_of(piece: Piece) -> tuple[Any, ...]:
    known = piece.technology
    own = (known.code, known.name, known.capacity_basis, known.is_storage) if known else (None,) * 4
    return (*own, piece.fact.country)


def _project_facility_row(piece: Piece) -> tuple[Any, ...]:
    fact, stage = piece.fact, piece.stage
    return (
        *(fact.pipeline_id, fact.facility_id, piece.since, piece.until, fact.project_name),
        *(stage.code, stage.name, stage.order, piece.status, piece.state, piece.is_open),
        *(fact.on_hold, fact.outcome, fact.rag_status, fact.rag_confirmed_at, fact.rtb_date),
        *(piece.rtb_bucket, piece.is_overdue, fact.responsible_id),
        *(_percent(fact.owned), None if piece.chance is None else _percent(piece.chance)),
        *(*_technology_of(piece), fact.is_shared, *amounts_of(piece)),
    )


def _percent(hundredths: int) -> Decimal:
    return Decimal(hundredths) / 100


def _facility_row(span: FacilitySpan) -> tuple[Any, ...]:
    first = span.pieces[0]
    projects = len({piece.fact.pipeline_id for piece in span.pieces})
    return (
        *(first.fact.facility_id, span.since, span.until, projects),
        *_technology_of(first),
        *span.amounts,
    )


def _holder_rows(facilities: Collection[UUID] | None) -> Iterator[tuple[Any, ...]]:
    vocabulary = read_vocabulary()
    rest = _by_facility(facilities, vocabulary)
    while some := list(islice(rest, FACILITIES)):
        shares = _shares({piece.fact.pipeline_id for piece in chain(*some)})
        for pieces in some:
            yield from _held_by(pieces, shares)


def _held_by(pieces: list[Piece], shares: dict[UUID, list[Share]]) -> Iterator[tuple[Any, ...]]:
    """The rows of one facility; equal neighbours of a holder are one."""
    own = {piece.fact.pipeline_id for piece in pieces}
    edges = {edge for key in own for one in shares.get(key, ()) for edge in (one.since, one.until)}
    last: dict[UUID | None, list[Any]] = {}
    for span in spans_of(pieces, edges):
        first = span.pieces[0]
        for holder, held in held_parts(span, shares):
            values = [*_technology_of(first), held]
            row = last.get(holder)
            if row and row[3] == span.since and row[4:] == values:
                row[3] = span.until
                continue
            if row:
                yield tuple(row)
            key = holder or UUID(NOBODY)
            last[holder] = [key, first.fact.facility_id, span.since, span.until, *values]
    yield from map(tuple, last.values())


def _shares(pipelines: Collection[UUID]) -> dict[UUID, list[Share]]:
    """The versions of the links between these projects and counterparties, by project."""
    columns = ("pipeline_id", "counterparty_id", "role_id", "share_pct")
    history = audit.history_model(PipelineCounterparty).objects
    found: dict[UUID, list[Share]] = defaultdict(list)
    for chunk in map(set, chunks(pipelines, MAX_KEYS)):
        own = Q(id__in=history.filter(pipeline_id__in=chunk).order_by().values("id"))
        rows: dict[UUID, list[HistoryRow]] = defaultdict(list)
        ordered = history.filter(own).order_by("history_date", "history_id")
        for key, moment, kind, *values in ordered.values_list(
            "id", "history_date", "history_type", *columns
        ):
            rows[key].append(HistoryRow(moment, kind, tuple(values)))
        stored = PipelineCounterparty._base_manager.filter(own).order_by()
        live = {key: tuple(values) for key, *values in stored.values_list("pk", *columns)}
        for key in {*rows, *live}:
            for since, until, (pipeline, *share) in versions_of(rows.get(key, []), live.get(key)):
                if pipeline in chunk:
                    found[pipeline].append(Share(since, until, *share))
    return found
