"""Deriving the facts of pipelines from the history and the stored records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Manager, Q, QuerySet

from oegen import audit
from oegen.core.compiled import compiled
from oegen.core.database import key_set
from oegen.models import AuditedModel, ChangeSet
from pipelines.choices import Outcome
from pipelines.facts.intervals import (
    FOREVER,
    FacilityLink,
    FacilityState,
    HistoryRow,
    Interval,
    MilestoneState,
    PipelineHistory,
    PipelineState,
    Sale,
    Version,
    intervals_of,
    shared_spans,
    versions_of,
)
from pipelines.models.facility import Facility
from pipelines.models.links import PipelineFacility, StageTransition
from pipelines.models.milestone import Milestone
from pipelines.models.pipeline import Pipeline
from pipelines.querysets import KILO
from pipelines.reference import FIELD_OF_KIND, RTB_ID

#: Shares are stored in hundredths of a percent.
HUNDREDTHS = 100

#: The number of written records from which their rows are read little by little.
CURSOR_FROM = 500

#: The models that facts are derived from, with the columns that are read.
SOURCES: dict[type[AuditedModel], tuple[str, ...]] = {
    Pipeline: (
        *("project_name", "stage_id", "on_hold", "outcome", "rag_status", "rag_confirmed_at"),
        *("rtb_date", "responsible_id", "ownership_pct", "probability_pct"),
        "probability_expires_on",
    ),
    PipelineFacility: ("pipeline_id", "facility_id"),
    Facility: ("technology_id", "country", "capacity_mw", "storage_mwh"),
    StageTransition: ("pipeline_id", "outcome", "effective_on", "recorded_at", "id"),
    Milestone: (
        *("pipeline_id", "kind_id", "baseline_on", "forecast_on", "actual_on", "is_actual"),
        *("evidence_url", "evidence_note"),
    ),
}


def derive(keys: Collection[UUID]) -> dict[UUID, list[Interval]]:
    """The facts of the pipelines with these keys, by key; an empty list for an unknown key."""
    links = audit.history_model(PipelineFacility).objects
    own_links = links.filter(pipeline_id__in=key_set(keys))
    facilities = set(own_links.order_by().values_list("facility_id", flat=True))
    # Including links of other pipelines to the same facilities, which make these shared.
    on_facilities = links.filter(facility_id__in=key_set(facilities)).values("id")
    facility_versions = {
        key: versions_of(rows, live, extend_to_beginning=True)
        for key, rows, live in _records(Facility, Q(id__in=key_set(facilities)))
    }
    histories = _pipeline_histories(keys)
    by_facility: dict[UUID, list[Version[Any]]] = defaultdict(list)
    by_pipeline: dict[UUID, list[Version[Any]]] = defaultdict(list)
    for version in _versions(PipelineFacility, Q(id__in=on_facilities)):
        pipeline, facility = version.values
        by_facility[facility].append(version)
        by_pipeline[pipeline].append(version)
    shared = {facility: shared_spans(versions) for facility, versions in by_facility.items()}
    return {
        key: intervals_of(
            histories[key],
            [
                FacilityLink(
                    version, facility, facility_versions.get(facility, []), shared[facility]
                )
                for version in by_pipeline.get(key, [])
                for facility in version.values[1:]
            ],
        )
        for key in keys
    }


def _pipeline_histories(keys: Collection[UUID]) -> dict[UUID, PipelineHistory]:
    states: dict[UUID, list[Version[PipelineState]]] = {}
    first_rtb: dict[UUID, tuple[datetime, date]] = {}
    for key, rows, live in _records(Pipeline, Q(id__in=key_set(keys))):
        states[key] = versions_of(rows, live)
        dated = ((row.moment, row.values.rtb_date) for row in rows if row.values)
        if first := next((one for one in dated if one[1]), None):
            first_rtb[key] = first
    sales, (rtb, milestones) = _sales(keys), _milestones(keys)
    return {
        key: PipelineHistory(
            *(states.get(key, ()), first_rtb.get(key), sales.get(key, ())),
            *(rtb.get(key, ()), milestones.get(key, ())),
        )
        for key in keys
    }


#: Versions by pipeline.
_Milestones = dict[UUID, list[Version[MilestoneState]]]


def _milestones(keys: Collection[UUID]) -> tuple[_Milestones, _Milestones]:
    """The versions of the pipelines' RTB milestones, and of those that they have no date for."""
    history = audit.history_model(Milestone).objects
    own = history.filter(pipeline_id__in=key_set(keys)).values("id")
    rtb: _Milestones = defaultdict(list)
    others: _Milestones = defaultdict(list)
    for since, until, (pipeline, kind, state) in _versions(Milestone, Q(id__in=own)):
        if kind not in FIELD_OF_KIND:
            others[pipeline].append(Version(since, until, state))
        elif kind == RTB_ID:
            rtb[pipeline].append(Version(since, until, state))
    return rtb, others


def _sales(keys: Collection[UUID]) -> dict[UUID, list[Version[Sale]]]:
    """The versions of the pipelines' recorded sales."""
    history = audit.history_model(StageTransition).objects
    # Also transitions that were a sale only temporarily.
    sold = history.filter(pipeline_id__in=key_set(keys), outcome=Outcome.SOLD).values("id")
    found: dict[UUID, list[Version[Sale]]] = defaultdict(list)
    for since, until, (pipeline, sale) in _versions(StageTransition, Q(id__in=sold)):
        found[pipeline].append(Version(since, until, sale))
    return found


def _versions(model: type[AuditedModel], condition: Q) -> Iterator[Version[Any]]:
    """The versions of the records whose history meets the condition."""
    for _, rows, live in _records(model, condition):
        yield from versions_of(rows, live)


def _records(
    model: type[AuditedModel], condition: Q
) -> Iterator[tuple[UUID, list[HistoryRow[Any]], Any]]:
    """The records whose history meets the condition: key, history and stored values, if any."""
    columns, convert = SOURCES[model], _CONVERTERS[model]
    stored = model._base_manager.filter(condition).order_by()
    live = {row[0]: convert(*row[1:]) for row in stored.values_list("pk", *columns)}
    history = audit.history_model(model).objects.filter(condition)
    history = history.order_by("id", "history_date", "history_id")
    rows = history.values_list("id", "history_date", "history_type", *columns)
    for key, own in groupby(rows, itemgetter(0)):
        read = [HistoryRow(row[1], row[2], convert(*row[3:])) for row in own]
        yield key, read, live.pop(key, None)
    for key, values in live.items():
        yield key, [], values


def _pipeline_state(*values: Any) -> PipelineState:
    *others, ownership, probability, expires_on = values
    shares = _to_integer(ownership, HUNDREDTHS), _to_integer(probability, HUNDREDTHS)
    return PipelineState._make((*others, *shares, expires_on))


def _link(*values: Any) -> tuple[Any, ...]:
    return values


def _facility_state(
    technology: UUID, country: str, capacity: Decimal | None, storage: Decimal | None
) -> FacilityState:
    return FacilityState(
        technology, country, _to_integer(capacity, KILO), _to_integer(storage, KILO)
    )


def _sale(pipeline: UUID, outcome: str, *sale: Any) -> tuple[Any, ...] | None:
    return (pipeline, Sale(*sale)) if outcome == Outcome.SOLD else None


def _milestone(
    pipeline: UUID,
    kind: UUID,
    baseline: date | None,
    forecast: date | None,
    actual: date | None,
    is_actual: bool,
    *evidence: str,
) -> tuple[Any, ...]:
    if is_actual or actual is not None:
        state = MilestoneState(baseline, None, True, kind.hex if any(evidence) else "")
    else:
        state = MilestoneState(baseline, forecast, False, "")
    return pipeline, kind, state


#: From the columns of SOURCES to what facts hold; None where they hold nothing of the record.
_CONVERTERS: dict[type[AuditedModel], Callable[..., tuple[Any, ...] | None]] = {
    Pipeline: _pipeline_state,
    PipelineFacility: _link,
    Facility: _facility_state,
    StageTransition: _sale,
    Milestone: _milestone,
}


def _to_integer(value: Decimal | None, factor: int) -> int | None:
    return None if value is None else round(value * factor)


class Change(NamedTuple):
    """A record about which a change set changes what facts hold.

    ``newest`` is the version that begins with the change, where the change set wrote one row alone,
    which changes the record and is the last of its history; else None.
    """

    key: UUID
    newest: Version[Any] | None


def changes_in(model: type[AuditedModel], change_set: ChangeSet) -> Iterator[Change]:
    """The records about which the rows of the change set change what facts hold."""
    convert = _CONVERTERS[model]
    is_large = len(change_set.written[audit.history_model(model)]) > CURSOR_FROM
    rows: Iterable[tuple[Any, ...]]
    if is_large:
        rows = _histories(model, change_set=change_set.pk).iterator()
    else:
        # A cursor takes three statements.
        rows = _few_histories(model, change_set=change_set.pk)
    for key, versions in groupby(rows, itemgetter(0)):
        before: tuple[Any, ...] | None = None
        newest: Version[Any] | None = None
        own_rows, is_changed = 0, False
        for _, change_set_id, kind, moment, *stored in versions:
            values = None if kind == audit.REMOVED else convert(*stored)
            newest = None
            if change_set_id == change_set.pk:
                own_rows += 1
                is_changed |= before != values
                if own_rows == 1 and before is not None and values is not None:
                    newest = Version(moment, FOREVER, values)
            before = values
        if is_changed:
            yield Change(key, newest)


def _histories(model: type[AuditedModel], *, change_set: Any) -> QuerySet[Any, tuple[Any, ...]]:
    """All rows of the records that the change set wrote, in the order of their history."""
    history = audit.history_model(model).objects
    written = history.filter(change_set_id=change_set).order_by().values("id")
    rows = history.filter(id__in=written).order_by("id", "history_date", "history_id")
    return rows.values_list("id", "change_set_id", "history_type", "history_date", *SOURCES[model])


_few_histories = compiled(_histories)


def facilities_of(written: Mapping[type[AuditedModel], Collection[UUID]]) -> set[UUID]:
    """Keys of the facilities that were written or removed, and of those whose links were."""
    links = audit.history_model(PipelineFacility).objects
    linked = _column_of(links, "facility_id", "id", written.get(PipelineFacility, ()))
    return {*written.get(Facility, ()), *linked}


def pipelines_of(
    written: Mapping[type[AuditedModel], Collection[UUID]], facilities: Collection[UUID]
) -> set[UUID]:
    """The pipelines that these records other than pipelines are about: those of links, transitions
    and milestones, and all that ever had one of the facilities."""
    links = audit.history_model(PipelineFacility).objects
    found = set(_column_of(links, "pipeline_id", "facility_id", facilities))
    for model in (PipelineFacility, StageTransition, Milestone):
        rows = audit.history_model(model).objects
        found.update(_column_of(rows, "pipeline_id", "id", written.get(model, ())))
    return found


def _column_of(
    rows: Manager[Any], column: str, key_column: str, keys: Collection[UUID]
) -> Iterator[UUID]:
    """The values of ``column`` in the rows whose ``key_column`` has one of the keys."""
    if keys:
        found = rows.filter(**{f"{key_column}__in": key_set(keys)}).order_by()
        yield from found.values_list(column, flat=True)


def chunks(keys: Iterable[UUID], size: int) -> Iterator[list[UUID]]:
    rest = iter(keys)
    while chunk := list(islice(rest, size)):
        yield chunk
