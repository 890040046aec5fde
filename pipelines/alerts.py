"""What alerts can tell of pipelines, for oegen.alerts. Loaded when the application starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from django.utils import formats, timezone

from oegen.alerts.events import (
    Change,
    Changes,
    Event,
    Occurrence,
    Subject,
    describes,
    detects,
    time_based,
)
from oegen.core.words import count, number
from oegen.search.ordering import by
from pipelines.choices import RAG, CapacityBasis, Outcome
from pipelines.models import (
    Facility,
    Pipeline,
    PipelineCounterparty,
    PipelineFacility,
    Stage,
    Technology,
)
from pipelines.querysets import ZERO, Capacity, Megawatts
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

#: The watcher finds an RTB date that passed so long ago at most: after that it is no news.
LOOKS_BACK = timedelta(days=7)

FIELDS = (
    "stage_id",
    "on_hold",
    "on_hold_reason",
    "outcome",
    "rag_status",
    "rag_comment",
    "rtb_date",
)

MAKES_OVERDUE = ("rtb_date", "stage_id", "on_hold", "outcome")


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
    stages: dict[UUID, Stage] = {}
    became_overdue = []
    for change in changes.of(Pipeline, *FIELDS):
        if change.after is None:
            continue
        if change.is_new:
            yield Occurrence(CREATED, Pipeline, change.key)
            yield from _rag("", change)
        if change.before is None:
            continue
        yield from _hold_and_outcome(change)
        yield from _rag(change.before["rag_status"], change)
        yield from _rtb(change)
        if any(change.before[name] != change.after[name] for name in MAKES_OVERDUE):
            stages = stages or Stage.objects.in_bulk()
            yield from _stage(change, stages)
            if not _was_overdue(change.before, stages):
                became_overdue.append(change.key)
    if became_overdue:
        yield from _overdue(Pipeline.objects.filter(pk__in=became_overdue).overdue())


def _stage(change: Change, stages: dict[UUID, Stage]) -> Iterator[Occurrence]:
    before, after = (stages[one["stage_id"]] for one in (change.before, change.after))
    if before != after:
        event = COMPLETED if after.is_terminal else STAGE_MOVED
        yield Occurrence(event, Pipeline, change.key, before.name, after.name)


def _hold_and_outcome(change: Change) -> Iterator[Occurrence]:
    before, after = change.before, change.after
    if after["on_hold"] and not before["on_hold"]:
        yield Occurrence(PUT_ON_HOLD, Pipeline, change.key, note=after["on_hold_reason"])
    elif before["on_hold"] and not after["on_hold"]:
        yield Occurrence(TAKEN_OFF_HOLD, Pipeline, change.key, note=before["on_hold_reason"])
    if before["outcome"] != after["outcome"] != Outcome.ACTIVE:
        old, new = (str(Outcome(one["outcome"]).label) for one in (before, after))
        yield Occurrence(WITHDRAWN, Pipeline, change.key, old, new)


def _rag(before: str, change: Change) -> Iterator[Occurrence]:
    """From one rating to another, or from none to Red: that is the worst news there is of a
    pipeline. A first rating of Amber or Green is neither better nor worse than none."""
    after = change.after["rag_status"]
    if not after or before == after or not (before or after == RAG.RED):
        return
    is_better = before and RAG.values.index(after) > RAG.values.index(before)
    yield Occurrence(
        RAG_IMPROVED if is_better else RAG_WORSENED,
        Pipeline,
        change.key,
        str(RAG(before).label) if before else "Not rated",
        str(RAG(after).label),
        note=change.after["rag_comment"],
    )


def _rtb(change: Change) -> Iterator[Occurrence]:
    before, after = (one["rtb_date"] for one in (change.before, change.after))
    if before and after and after > before:
        days = (after - before).days
        yield Occurrence(
            RTB_SLIPPED,
            Pipeline,
            change.key,
            _day(before),
            f"{_day(after)}, {count(days, 'day')} later",
            size=Decimal(days),
        )


def _was_overdue(before: dict, stages: dict[UUID, Stage]) -> bool:
    """The rule of PipelineQuerySet.overdue, of values that no table holds any more."""
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
    """Pipelines whose RTB date has passed in the days before."""
    return _overdue(Pipeline.objects.overdue(day).filter(rtb_date__gte=day - LOOKS_BACK))


def _overdue(pipelines) -> Iterator[Occurrence]:
    for key, rtb_date in pipelines.order_by("pk").values_list("pk", "rtb_date"):
        yield Occurrence(
            RTB_OVERDUE,
            Pipeline,
            key,
            note=f"It was to be ready to build on {_day(rtb_date)}.",
            moment=f"{RTB_OVERDUE.code}:{rtb_date}",
        )


@detects(CAPACITY_CHANGED, models=[Facility, PipelineFacility])
def capacity_changes(changes: Changes) -> Iterator[Occurrence]:
    """Changes of each pipeline's sum over its facilities, which may be revised, added or removed.

    One that had no capacity before has it now for the first time, which is no change in %.
    """
    revised = {}
    for change in changes.of(Facility, "capacity_mw"):
        old, new = ((one or {}).get("capacity_mw") for one in (change.before, change.after))
        if old != new:
            revised[change.key] = old
    added, taken = set(), set()
    for change in changes.of(PipelineFacility, "pipeline_id", "facility_id"):
        for one, pairs in ((change.before, taken), (change.after, added)):
            if one:
                pairs.add((one["pipeline_id"], one["facility_id"]))
    added, taken = added - taken, taken - added
    if not (revised or added or taken):
        return
    concerned = {pipeline for pipeline, _ in added | taken}
    if revised:
        of_revised = PipelineFacility.objects.filter(facility__in=list(revised))
        concerned |= set(of_revised.values_list("pipeline", flat=True))
    concerned -= {
        change.key
        for change in changes.of(Pipeline, *FIELDS)
        if change.before is None or change.after is None
    }
    now = PipelineFacility.objects.filter(pipeline__in=list(concerned)).order_by()
    sizes = "capacity_mw", "technology__capacity_basis"
    size_of = {}
    gone = Facility.objects.filter(pk__in=[facility for _, facility in taken])
    for key, mw, basis in gone.values_list("pk", *sizes):
        size_of[key] = mw, basis
    there: dict[UUID, set[UUID]] = {key: set() for key in concerned}
    rows = now.values_list("pipeline", "facility", *(f"facility__{name}" for name in sizes))
    for pipeline, facility, mw, basis in rows:
        there[pipeline].add(facility)
        size_of[facility] = mw, basis
    for pipeline, facilities in there.items():
        earlier = facilities - {one for key, one in added if key == pipeline}
        earlier |= {one for key, one in taken if key == pipeline}
        # What was removed in the same go has only its MW left.
        known = [(one, *size_of.get(one, (None, CapacityBasis.AC))) for one in earlier]
        old = _together((revised.get(one, mw), basis) for one, mw, basis in known)
        new = _together(size_of[one] for one in facilities)
        if old.mw and old.mw != new.mw:
            change = (new.mw - old.mw) / old.mw * 100
            yield Occurrence(
                CAPACITY_CHANGED,
                Pipeline,
                pipeline,
                f"{number(old.mw)} {old.unit}",
                f"{number(new.mw)} {new.unit if new.mw else old.unit}, {change:+,.0f}%".replace(
                    "-", "−"
                ),
                size=abs(change),
            )


def _together(sizes: Iterable[tuple[Decimal | None, str]]) -> Megawatts:
    """The capacity of facilities, given as pairs of MW and basis."""
    total = Megawatts()
    for mw, basis in sizes:
        total += Megawatts.of(basis, mw or ZERO)
    return total


@describes(Pipeline)
def pipelines_in_messages(keys: list[UUID]) -> dict[UUID, Subject]:
    links = PipelineFacility.objects.filter(pipeline__in=keys).select_related("facility")
    technologies = Technology.objects.in_bulk()
    facilities: dict[UUID, list[Facility]] = {}
    for link in links.order_by(by("facility__name")):
        facilities.setdefault(link.pipeline_id, []).append(link.facility)
    counterparties: dict[UUID, set[UUID]] = {}
    ties = PipelineCounterparty.objects.filter(pipeline__in=keys).order_by()
    for pipeline, counterparty in ties.values_list("pipeline", "counterparty"):
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
    sums = {CapacityBasis.DC: Decimal(0), CapacityBasis.AC: Decimal(0)}
    for one in facilities:
        sums[own[one.technology_id].capacity_basis] += one.capacity_mw or 0
    capacity = Capacity(mwp_dc=sums[CapacityBasis.DC], mw_ac=sums[CapacityBasis.AC])
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


def _day(day: date) -> str:
    return formats.date_format(day, "DATE_FORMAT")
