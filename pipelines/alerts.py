"""The alert events of pipelines, registered with oegen.alerts by ``AppConfig.ready``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from oegen.alerts.events import (
    Event,
    Held,
    Occurrence,
    Subject,
    describes,
    detects,
    stands,
    time_based,
)
from oegen.audit.changes import Changes
from oegen.core import sql
from oegen.core.words import count, number, signed
from oegen.search.ordering import natural
from pipelines.attention import REASONS, Usage, attention_sql, has_any
from pipelines.choices import RAG, CapacityBasis, Outcome, Reason
from pipelines.models import (
    Facility,
    Pipeline,
    PipelineCounterparty,
    PipelineFacility,
    Stage,
    Technology,
)
from pipelines.querysets import ANY_REASON, ZERO, Megawatts
from pipelines.reference import CONSTRUCTION

CREATED = Event("pipeline-created", "Pipeline created")
STAGE_MOVED = Event("stage-moved", "Stage moved", "to any stage but the last, which is “Completed”")
RAG_WORSENED = Event("rag-worsened", "RAG worsened", "a first rating of Red is one")
RAG_IMPROVED = Event("rag-improved", "RAG improved")
RTB_SLIPPED = Event("rtb-slipped", "RTB date slipped", unit="days")
RTB_OVERDUE = Event("rtb-overdue", "RTB date now overdue")
PUT_ON_HOLD = Event("put-on-hold", "Put on hold")
TAKEN_OFF_HOLD = Event("taken-off-hold", "Taken off hold")
COMPLETED = Event("completed", "Completed")
WITHDRAWN = Event("withdrawn", "Withdrawn, refused or sold")
CAPACITY_CHANGED = Event("capacity-changed", "Capacity changed", unit="%")

#: The reasons that other events tell as they begin.
TOLD_OTHERWISE = (
    *(Reason.RED, Reason.WORSENED, Reason.OVERDUE, Reason.SLIPPED, Reason.ENDED, Reason.DIFFERS),
)

NEEDS_ATTENTION = Event(
    "needs-attention",
    "Begins to need attention",
    "the morning after one of these began",
    kinds=tuple(
        (str(reason), str(reason.label)) for reason in Reason if reason not in TOLD_OTHERWISE
    ),
    list_url=lambda: f"{reverse('pipelines')}?attention={ANY_REASON}",
)

#: How long after an RTB date ``newly_overdue`` reports it.
LOOK_BACK = timedelta(days=7)

FIELDS = (
    "stage_id",
    "on_hold",
    "on_hold_reason",
    "outcome",
    "rag_status",
    "rag_comment",
    "rtb_date",
)

OVERDUE_FIELDS = ("rtb_date", "stage_id", "on_hold", "outcome")


@detects(
    CREATED,
    STAGE_MOVED,
    RAG_WORSENED,
    RAG_IMPROVED,
    RTB_SLIPPED,
    RTB_OVERDUE,
    PUT_ON_HOLD,
    TAKEN_OFF_HOLD,
    COMPLETED,
    WITHDRAWN,
    models=[Pipeline],
)
def pipeline_changes(changes: Changes) -> Iterator[Occurrence]:
    """Events of the pipelines' own fields."""
    stages: dict[UUID, Stage] = {}
    became_overdue = []
    for change in changes.of(Pipeline, *FIELDS):
        key, before, after = change.key, change.before, change.after
        if after is None:
            continue
        if change.is_new:
            yield Occurrence(CREATED, Pipeline, key)
            yield from _rag(key, "", after)
        if before is None:
            continue
        yield from _hold_and_outcome(key, before, after)
        yield from _rag(key, before["rag_status"], after)
        yield from _rtb(key, before["rtb_date"], after["rtb_date"])
        if any(before[name] != after[name] for name in OVERDUE_FIELDS):
            stages = stages or Stage.objects.in_bulk()
            yield from _stage(key, stages[before["stage_id"]], stages[after["stage_id"]])
            if not _was_overdue(before, stages):
                became_overdue.append(key)
    if became_overdue:
        yield from _overdue(Pipeline.objects.filter(pk__in=became_overdue).overdue())


def _stage(key: UUID, before: Stage, after: Stage) -> Iterator[Occurrence]:
    if before != after:
        event = COMPLETED if after.is_terminal else STAGE_MOVED
        yield Occurrence(event, Pipeline, key, before.name, after.name)


def _hold_and_outcome(
    key: UUID, before: dict[str, Any], after: dict[str, Any]
) -> Iterator[Occurrence]:
    if after["on_hold"] and not before["on_hold"]:
        yield Occurrence(PUT_ON_HOLD, Pipeline, key, note=after["on_hold_reason"])
    elif before["on_hold"] and not after["on_hold"]:
        yield Occurrence(TAKEN_OFF_HOLD, Pipeline, key, note=before["on_hold_reason"])
    if before["outcome"] != after["outcome"] != Outcome.ACTIVE:
        old, new = (str(Outcome(one["outcome"]).label) for one in (before, after))
        yield Occurrence(WITHDRAWN, Pipeline, key, old, new)


def _rag(key: UUID, before: str, values: dict[str, Any]) -> Iterator[Occurrence]:
    """Ratings that changed. A first rating counts as worsened if it is Red; a first Amber or Green
    is neither better nor worse than no rating."""
    after = values["rag_status"]
    if not after or before == after or not (before or after == RAG.RED):
        return
    is_better = before and RAG.values.index(after) > RAG.values.index(before)
    yield Occurrence(
        RAG_IMPROVED if is_better else RAG_WORSENED,
        Pipeline,
        key,
        str(RAG(before).label) if before else "Not rated",
        str(RAG(after).label),
        note=values["rag_comment"],
    )


def _rtb(key: UUID, before: date | None, after: date | None) -> Iterator[Occurrence]:
    if before and after and after > before:
        days = (after - before).days
        yield Occurrence(
            RTB_SLIPPED,
            Pipeline,
            key,
            date_format(before),
            f"{date_format(after)}, {count(days, 'day')} later",
            size=Decimal(days),
        )


def _was_overdue(before: dict[str, Any], stages: dict[UUID, Stage]) -> bool:
    """PipelineQuerySet.overdue in Python, for earlier values."""
    stage = stages[before["stage_id"]]
    construction = next(one.order for one in stages.values() if one.code == CONSTRUCTION)
    return (
        before["outcome"] == Outcome.ACTIVE
        and not before["on_hold"]
        and not stage.is_terminal
        and stage.order < construction
        and before["rtb_date"] is not None
        and before["rtb_date"] < timezone.localdate()
    )


@time_based
def newly_overdue(day: date) -> Iterator[Occurrence]:
    """Pipelines whose RTB date passed within ``LOOK_BACK`` before the day."""
    return _overdue(Pipeline.objects.overdue(day).filter(rtb_date__gte=day - LOOK_BACK))


def _overdue(pipelines) -> Iterator[Occurrence]:
    for key, rtb_date in pipelines.order_by("pk").values_list("pk", "rtb_date"):
        yield Occurrence(
            RTB_OVERDUE,
            Pipeline,
            key,
            note=f"It was to be ready to build on {date_format(rtb_date)}.",
            moment=f"{RTB_OVERDUE.code}:{rtb_date}",
        )


def _standing_facts(keys: list[UUID]) -> dict[UUID, tuple[tuple[str, str], ...]]:
    pipelines = Pipeline.objects.select_related("stage", "responsible")
    return {
        key: (
            ("Stage", one.stage.name),
            ("RAG", str(RAG(one.rag_status).label) if one.rag_status else "Not rated"),
            ("RTB date", date_format(one.rtb_date) if one.rtb_date else "None"),
            ("Responsible", str(one.responsible or "Nobody")),
        )
        for key, one in pipelines.in_bulk(keys).items()
    }


@stands(NEEDS_ATTENTION, Pipeline, facts=_standing_facts)
def reasons_for_attention(counting: bool) -> Held:
    """Only what counts, or also what does not because of other pipelines (``attention_sql``)."""
    kinds = [Reason(kind) for kind, _ in NEEDS_ATTENTION.kinds]
    query, params = attention_sql(usage=Usage.load(counting=counting))
    rows = sql.fetch(
        f"SELECT pipeline_id, {REASONS} FROM ({query}) AS attention WHERE {has_any(kinds)}",  # noqa: S608
        params,
    )
    known = frozenset(map(str, kinds))
    return {sql.uuid_of(key): known.intersection(found.split()) for key, found in rows}


@detects(CAPACITY_CHANGED, models=[Facility, PipelineFacility])
def capacity_changes(changes: Changes) -> Iterator[Occurrence]:
    """Changes of a pipeline's capacity by facilities that were revised, added or removed.

    A pipeline without capacity before is left out: its change has no percentage.
    """
    revised = {}
    for change in changes.of(Facility, "capacity_mw"):
        old, new = ((one or {}).get("capacity_mw") for one in (change.before, change.after))
        if old != new:
            revised[change.key] = old
    added: set[tuple[UUID, UUID]] = set()
    removed: set[tuple[UUID, UUID]] = set()
    for change in changes.of(PipelineFacility, "pipeline_id", "facility_id"):
        for one, pairs in ((change.before, removed), (change.after, added)):
            if one:
                pairs.add((one["pipeline_id"], one["facility_id"]))
    added, removed = added - removed, removed - added
    if not (revised or added or removed):
        return
    affected = {pipeline for pipeline, _ in added | removed}
    if revised:
        revised_links = PipelineFacility.objects.filter(facility__in=list(revised))
        affected |= set(revised_links.values_list("pipeline", flat=True))
    affected -= {
        change.key
        for change in changes.of(Pipeline, *FIELDS)
        if change.before is None or change.after is None
    }
    now = PipelineFacility.objects.filter(pipeline__in=list(affected)).order_by()
    sizes = "capacity_mw", "technology__capacity_basis"
    size_of = {}
    removed_facilities = Facility.objects.filter(pk__in=[facility for _, facility in removed])
    for key, mw, basis in removed_facilities.values_list("pk", *sizes):
        size_of[key] = mw, basis
    linked: dict[UUID, set[UUID]] = {key: set() for key in affected}
    rows = now.values_list("pipeline", "facility", *(f"facility__{name}" for name in sizes))
    for pipeline, facility, mw, basis in rows:
        linked[pipeline].add(facility)
        size_of[facility] = mw, basis
    for pipeline, facilities in linked.items():
        earlier = facilities - {one for key, one in added if key == pipeline}
        earlier |= {one for key, one in removed if key == pipeline}
        # Of a facility removed in the same change set, only the earlier MW is known.
        known = [(one, *size_of.get(one, (None, CapacityBasis.AC))) for one in earlier]
        old = _sum_of((revised.get(one, mw), basis) for one, mw, basis in known)
        new = _sum_of(size_of[one] for one in facilities)
        if old.mw and old.mw != new.mw:
            unit = new.unit if new.mw else old.unit
            percent = (new.mw - old.mw) / old.mw * 100
            yield Occurrence(
                CAPACITY_CHANGED,
                Pipeline,
                pipeline,
                f"{number(old.mw)} {old.unit}",
                f"{number(new.mw)} {unit}, {signed(round(percent), 0) or '0'}%",
                size=abs(percent),
            )


def _sum_of(sizes: Iterable[tuple[Decimal | None, str]]) -> Megawatts:
    """The sum of facilities, given as pairs of MW and basis."""
    total = Megawatts()
    for mw, basis in sizes:
        total += Megawatts.of(basis, mw or ZERO)
    return total


@describes(Pipeline)
def pipelines_in_messages(keys: list[UUID]) -> dict[UUID, Subject]:
    links = PipelineFacility.objects.filter(pipeline__in=keys).select_related("facility")
    technologies = Technology.objects.in_bulk()
    facilities: dict[UUID, list[Facility]] = {}
    for link in links.order_by(natural("facility__name")):
        facilities.setdefault(link.pipeline_id, []).append(link.facility)
    counterparties: dict[UUID, set[UUID]] = {}
    counterparty_links = PipelineCounterparty.objects.filter(pipeline__in=keys).order_by()
    for pipeline, counterparty in counterparty_links.values_list("pipeline", "counterparty"):
        counterparties.setdefault(pipeline, set()).add(counterparty)
    return {
        key: _subject(
            pipeline, facilities.get(key, []), technologies, counterparties.get(key, set())
        )
        for key, pipeline in Pipeline.objects.in_bulk(keys).items()
    }


@describes(Facility)
def facilities_in_messages(keys: list[UUID]) -> dict[UUID, Subject]:
    technologies = Technology.objects.in_bulk()
    return {
        key: _subject(facility, [facility], technologies, set())
        for key, facility in Facility.objects.in_bulk(keys).items()
    }


def _subject(
    record: Pipeline | Facility,
    facilities: list[Facility],
    technologies: dict[UUID, Technology],
    counterparties: set[UUID],
) -> Subject:
    own = {one.technology_id: technologies[one.technology_id] for one in facilities}
    capacity = _sum_of(
        (one.capacity_mw, own[one.technology_id].capacity_basis) for one in facilities
    )
    return Subject(
        name=str(record),
        noun=str(record._meta.verbose_name),
        url=record.get_absolute_url(),
        technology=", ".join(sorted(one.name for one in own.values())),
        capacity=f"{number(capacity.mw)} {capacity.unit}" if capacity.mw else "",
        technologies=frozenset(own) | {one.parent_id for one in own.values() if one.parent_id},
        counterparties=frozenset(counterparties),
        countries=frozenset(one.country for one in facilities if one.country),
    )
