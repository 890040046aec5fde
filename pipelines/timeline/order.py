"""The order of the pipelines of a timeline, in groups."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from statistics import quantiles
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import F, FilteredRelation, Q, QuerySet, Value, Window
from django.db.models.functions import RowNumber

from counterparties.models import Counterparty
from oegen import asof
from oegen.core import clock, packed_keys, sql
from oegen.models import User
from oegen.search.ordering import natural
from pipelines.choices import CapacityBasis
from pipelines.facts.models import Fact
from pipelines.filters import NOBODY, statuses
from pipelines.models import (
    MilestoneKind,
    PipelineCounterparty,
    Stage,
    StageTransition,
    Technology,
)
from pipelines.querysets import NO_FACILITY, ZERO, Capacity, PipelineQuerySet, mw_of
from pipelines.reference import LEAD_DEVELOPER_ID
from pipelines.vocabulary import TECHNOLOGY_ORDER, milestone_kinds, stages, technologies

#: Years that are further than so many times the distance between the quartiles from these are left
#: out of the time axis: the usual fence of what is far out.
FAR_OUT = 3

#: The distance between the quartiles that is taken at least.
LEAST_SPREAD = 2


class GroupBy(models.TextChoices):
    TECHNOLOGY = "technology", "Technology"
    STAGE = "stage", "Stage"
    RESPONSIBLE = "responsible", "Responsible"
    DEVELOPER = "developer", "Lead developer"
    NOTHING = "none", "Nothing"


@dataclass(frozen=True)
class Group:
    """The pipelines under one heading: their number, and their capacity, for which a facility in
    two of them counts once. ``code`` is what selects exactly these in the list's filter; empty if
    nothing does."""

    label: str
    code: str
    pipelines: int
    capacity: Capacity


@dataclass(frozen=True)
class Order:
    """All pipelines of a timeline: the groups one after another, each by RTB date and name.

    ``keys`` are packed (oegen.core.packed_keys). ``years`` are the first and the last of the time
    axis; ``capacity`` is that of all facilities.
    """

    groups: list[Group]
    capacity: Capacity
    keys: bytes
    years: tuple[int, int]

    def __len__(self) -> int:
        return packed_keys.count(self.keys)

    def part(self, start: int, size: int) -> list[UUID]:
        return packed_keys.unpack(packed_keys.part(self.keys, start, size))


class Plant(NamedTuple):
    """A facility: the place of its technology in their order, and its sizes if they are known."""

    technology: int
    kw: int | None
    kwh: int | None = None


@dataclass(slots=True)
class PlantSums:
    """Facilities of one technology: their number, and the sizes of those whose are known."""

    facilities: int = 0
    without_kw: int = 0
    kw: int = 0
    kwh: int = 0

    def add(self, kw: int | None, kwh: int | None) -> None:
        self.facilities += 1
        if kw is None:
            self.without_kw += 1
        else:
            self.kw += kw
        if kwh:
            self.kwh += kwh


#: For each technology, in their order.
SumsByTechnology = list[PlantSums]

#: The first of a pipeline's plants has its main technology: see ``main_technology``.
_MAIN_FIRST = "COALESCE(kw, 0) DESC, place NULLS LAST"


def main_technology(plants: Collection[Plant]) -> int | None:
    """That of the largest facility, the first in their order if several are equally large; None
    without facilities."""
    largest = max(plants, key=lambda one: (one.kw or 0, -one.technology), default=None)
    return None if largest is None else largest.technology


class Vocabulary:
    """The reference rows that timelines name, in order. Rows know them by their place."""

    def __init__(self) -> None:
        self.technologies: list[Technology] = technologies()
        self.stages: list[Stage] = stages()
        self.kinds: list[MilestoneKind] = milestone_kinds()

    def add_up(self, plants: Iterable[Plant]) -> SumsByTechnology:
        sums = [PlantSums() for _ in self.technologies]
        for technology, kw, kwh in plants:
            sums[technology].add(kw, kwh)
        return sums

    def capacity(self, *parts: SumsByTechnology) -> Capacity:
        """That of all parts together."""
        total = Capacity()
        for one, *sums in zip(self.technologies, *parts, strict=True):
            mw = mw_of(sum(part.kw for part in sums))
            is_storage = one.is_storage and one.capacity_basis == CapacityBasis.AC
            total += Capacity.of(
                one.capacity_basis,
                mw,
                storage_mwh=mw_of(sum(part.kwh for part in sums)),
                facilities=sum(part.facilities for part in sums),
                facilities_without_capacity=sum(part.without_kw for part in sums),
                storage_mw=mw if is_storage else ZERO,
            )
        return total


class _Bucket:
    """The pipelines of one group while the order is read, and the sums of their plants; ``shared``
    are those that several pipelines have, by the key of the facility."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.keys: list[str] = []
        self.sums = vocabulary.add_up(())
        self.shared: dict[object, Plant] = {}


def read_order(pipelines: PipelineQuerySet, group_by: GroupBy, vocabulary: Vocabulary) -> Order:
    """One statement whatever the number of pipelines, and one for the groups' names."""
    buckets: dict[Any, _Bucket] = defaultdict(lambda: _Bucket(vocabulary))
    years: Counter[Any] = Counter()
    previous = None
    rows = _read_ordered(pipelines, group_by)
    for key, value, began, ends, technology, kw, kwh, facility in rows:
        if key != previous:
            previous = key
            bucket = buckets[technology if group_by == GroupBy.TECHNOLOGY else value]
            bucket.keys.append(key)
            years[began] += 1
            years[ends] += 1
        if facility is not None:
            bucket.shared[facility] = Plant(technology, kw, kwh)
        elif technology is not None:
            bucket.sums[technology].add(kw, kwh)
    shared: dict[object, Plant] = {}
    groups, keys = [], []
    for value, label, code in _headings(group_by, buckets, vocabulary):
        bucket = buckets[value]
        capacity = vocabulary.capacity(bucket.sums, vocabulary.add_up(bucket.shared.values()))
        groups.append(Group(label, code, len(bucket.keys), capacity))
        shared |= bucket.shared
        keys += bucket.keys
    capacity = vocabulary.capacity(
        *(bucket.sums for bucket in buckets.values()), vocabulary.add_up(shared.values())
    )
    years.pop(None, None)
    return Order(groups, capacity, packed_keys.pack("".join(keys)), axis_years(years))


def _read_ordered(pipelines: PipelineQuerySet, group_by: GroupBy) -> list[sql.Values]:
    """Rows of: the pipeline's key as text, its group, the years of its first move and of the last
    of its dates, and of each facility, that of the main technology first, the place of its
    technology, kW, kWh and, if several pipelines have it, key."""
    found: QuerySet[Any, Any] = pipelines.order_by()
    bucket: Any = Value(0)
    match group_by:
        case GroupBy.STAGE:
            found, bucket = pipelines.order_by().with_status(), F("status")
        case GroupBy.RESPONSIBLE:
            bucket = F("responsible_id")
        case GroupBy.DEVELOPER:
            lead = FilteredRelation(
                "counterparty_links", condition=Q(counterparty_links__role=LEAD_DEVELOPER_ID)
            )
            found, bucket = found.annotate(lead=lead), F("lead__counterparty_id")
    found = found.values_list("pk", bucket, "rtb_date", "cod_date", F(natural("project_name")))
    try:
        found_sql, found_params = found.query.sql_with_params()
    except EmptyResultSet:
        return []
    plants = Fact.objects.now().values(
        "pipeline_id", "technology_id", "kw", "kwh", "is_shared", "facility_id"
    )
    plants_sql, plants_params = plants.query.sql_with_params()
    place = Window(RowNumber(), order_by=TECHNOLOGY_ORDER) - 1
    places = Technology.objects.order_by().annotate(place=place).values("id", "place")
    places_sql, places_params = places.query.sql_with_params()
    return sql.fetch_many(
        f"""
        WITH found (pipeline_id, bucket, rtb, cod, name) AS ({found_sql}),
        moves AS (
            SELECT pipeline_id, MIN(effective_on) AS began
            FROM {asof.table(StageTransition)} GROUP BY pipeline_id
        ),
        -- PostgreSQL would look them up, and number the technologies, for each pipeline.
        plants AS MATERIALIZED ({plants_sql})
        SELECT CAST(found.pipeline_id AS TEXT), bucket, CAST({sql.year_of("began")} AS INTEGER),
            CAST({sql.year_of("COALESCE(cod, rtb)")} AS INTEGER), place, kw, kwh,
            CASE WHEN is_shared THEN facility_id END
        FROM found
        LEFT JOIN moves ON moves.pipeline_id = found.pipeline_id
        LEFT JOIN plants ON plants.pipeline_id = found.pipeline_id
        LEFT JOIN ({places_sql}) AS places ON places.id = technology_id
        ORDER BY rtb NULLS LAST, name, found.pipeline_id, {_MAIN_FIRST}
        """,  # noqa: S608 - SQL of our own
        (*found_params, *plants_params, *places_params),
    )


def _headings(
    group_by: GroupBy, buckets: Collection[Any], vocabulary: Vocabulary
) -> list[tuple[Any, str, str]]:
    """The groups in order, those without a value last: bucket, label and code."""
    known: list[tuple[Any, str, str]]
    prepare = Counterparty._meta.pk.get_db_prep_value
    match group_by:
        case GroupBy.TECHNOLOGY:
            known = [(place, one.name, "") for place, one in enumerate(vocabulary.technologies)]
            known.append((None, "No facility", NO_FACILITY))
        case GroupBy.STAGE:
            known = [(code, name, code) for code, name in statuses(vocabulary.stages)]
        case GroupBy.RESPONSIBLE:
            people = User.objects.filter(pk__in=[key for key in buckets if key is not None])
            known = [(one.pk, str(one), one.username) for one in people]
            known.sort(key=lambda heading: heading[1].casefold())
            known.append((None, "Nobody responsible", NOBODY))
        case GroupBy.DEVELOPER:
            leads = PipelineCounterparty.objects.filter(role=LEAD_DEVELOPER_ID).order_by()
            named = Counterparty.objects.filter(pk__in=leads.values("counterparty"))
            known = [
                (prepare(key, connection), name, "")
                for key, name in named.order_by(natural("name"), "pk").values_list("pk", "name")
            ]
            known.append((None, "No lead developer", ""))
        case _:
            known = [(0, "", "")]
    return [heading for heading in known if heading[0] in buckets]


def axis_years(years: Mapping[int, int]) -> tuple[int, int]:
    """The first and the last year, with this one, without what is far out: one date in 2099 would
    leave no room for the others. ``years`` has the number of dates in each."""
    today = clock.today().year
    # Twice, because quartiles need two.
    numbers = Counter({today: 2}) + Counter(years)
    low, _, high = quantiles(numbers.elements(), n=4, method="inclusive")
    margin = FAR_OUT * max(high - low, LEAST_SPREAD)
    inside = {today, *(year for year in numbers if low - margin <= year <= high + margin)}
    return min(inside), max(inside)
