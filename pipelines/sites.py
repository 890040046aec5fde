"""The facilities that have coordinates, one by one or added up in groups of neighbours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import Any, Self, TypeVar

from django.db.models import Avg, Count, F, FloatField, Max, Min, Q, QuerySet, Sum, TextField
from django.db.models.functions import Cast, Floor

from oegen.search.ordering import natural
from pipelines.choices import RAG, CapacityBasis
from pipelines.models import PipelineFacility, Technology
from pipelines.querysets import FacilityQuerySet, PipelineQuerySet

Places = TypeVar("Places", bound=QuerySet[Any, Any])

_IS_DC = Q(technology__capacity_basis=CapacityBasis.DC)

#: The rank of each rating, the worst first.
WORST_FIRST = {rating: rank for rank, rating in enumerate([*RAG.values, ""])}


@dataclass(slots=True)
class Site:
    """A facility on the map, with those of the filtered pipelines that it belongs to.

    Keys are strings, as in URLs. ``rag_status`` is the worst of the pipelines', "" if none is
    rated.
    """

    id: str
    name: str
    technology: Technology
    capacity_mw: Decimal | None
    latitude: float
    longitude: float
    rag_status: str = ""
    pipelines: list[tuple[str, str]] = field(default_factory=list)

    def get_rag_status_display(self) -> str:
        return RAG(self.rag_status).label if self.rag_status else ""

    def add(self, pipeline: str, name: str, rag_status: str) -> None:
        self.pipelines.append((pipeline, name))
        if WORST_FIRST[rag_status] < WORST_FIRST[self.rag_status]:
            self.rag_status = rag_status


def _with_dashes(stored: str) -> str:
    """Add the dashes that SQLite leaves out. A thousand UUID objects would take longer to build
    than the rest of the response."""
    if "-" in stored:
        return stored
    return f"{stored[:8]}-{stored[8:12]}-{stored[12:16]}-{stored[16:20]}-{stored[20:]}"


def sites(
    pipelines: PipelineQuerySet, facilities: QuerySet[Any, Any] | Sequence[object]
) -> list[Site]:
    """Those of the facilities, given as a query or as keys, that have coordinates and belong to the
    pipelines, largest first.

    The number of queries does not depend on the number of facilities.
    """
    links = PipelineFacility.objects.filter(
        facility__latitude__isnull=False, facility__in=facilities
    )
    if isinstance(facilities, Sequence):
        # Filtered by key, because SQLite would otherwise start with all filtered pipelines.
        pipelines = pipelines.filter(pk__in=set(links.values_list("pipeline", flat=True)))
    links = links.filter(pipeline__in=pipelines.order_by().values("pk"))
    technologies = {technology.code: technology for technology in Technology.objects.all()}
    found: list[Site] = []
    last = ""
    for key, name, technology, capacity_mw, latitude, longitude, *pipeline in links.order_by(
        F("facility__capacity_mw").desc(nulls_last=True),
        natural("facility__name"),
        "facility",
        natural("pipeline__project_name"),
    ).values_list(
        Cast("facility", TextField()),
        "facility__name",
        "facility__technology__code",
        "facility__capacity_mw",
        Cast("facility__latitude", FloatField()),
        Cast("facility__longitude", FloatField()),
        Cast("pipeline", TextField()),
        "pipeline__project_name",
        "pipeline__rag_status",
    ):
        # The rows of a facility follow one another.
        if key != last:
            found.append(
                Site(
                    _with_dashes(key),
                    name,
                    technologies[technology],
                    capacity_mw,
                    latitude,
                    longitude,
                )
            )
            last = key
        pipeline_key, *name_and_rating = pipeline
        found[-1].add(_with_dashes(pipeline_key), *name_and_rating)
    return found


@dataclass(frozen=True)
class Bounds:
    """A part of the world in degrees."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError."""
        west, south, east, north = map(float, text.split(","))
        if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
            raise ValueError(text)
        return cls(west, south, east, north)

    @classmethod
    def around(cls, facilities: FacilityQuerySet) -> Self:
        """The smallest part of the world with all of the facilities, of which there must be one."""
        ends = facilities.aggregate(
            west=Min("longitude"),
            south=Min("latitude"),
            east=Max("longitude"),
            north=Max("latitude"),
        )
        return cls(**{name: float(value) for name, value in ends.items()})


@dataclass(frozen=True)
class Group:
    """Neighbours, each counted once. ``key`` is that of one of them; latitude and longitude are
    their mean."""

    key: str
    latitude: float
    longitude: float
    number: int
    mwp_dc: Decimal | None
    mw_ac: Decimal | None
    bounds: Bounds

    def as_json(self) -> list[float]:
        """The mean point, the number, MWp DC, MW AC and the bounds, as maps take them."""
        return [
            round(self.latitude, 5),
            round(self.longitude, 5),
            self.number,
            round(float(self.mwp_dc or 0), 3),
            round(float(self.mw_ac or 0), 3),
            *astuple(self.bounds),
        ]


def _rounded_up(degrees: float) -> Decimal:
    """To what can be stored: no coordinates are between the two."""
    return Decimal(degrees).quantize(Decimal("0.000001"), ROUND_CEILING)


class Grid:
    """The cells that the bounds are divided into.

    A cell is half as high as wide, in degrees, which on a map of northern Europe is about a square.
    Cells of one width have the same place whatever the bounds, so that a map that is moved keeps
    its groups.
    """

    MOST_ACROSS = 48
    MOST_HALVINGS = 20  # 38 m at the equator

    def __init__(self, bounds: Bounds):
        across = max(bounds.east - bounds.west, 2 * (bounds.north - bounds.south))
        halvings = self.MOST_HALVINGS
        if across:
            wanted = math.floor(math.log2(360 * self.MOST_ACROSS / across))
            halvings = min(halvings, wanted)
        self.width = 360 / 2**halvings
        self.height = self.width / 2
        self.columns = self._range(bounds.west, bounds.east, self.width)
        self.rows = self._range(bounds.south, bounds.north, self.height)

    @staticmethod
    def _range(start: float, end: float, size: float) -> tuple[int, int]:
        return math.floor(start / size), math.floor(end / size)

    @property
    def bounds(self) -> Bounds:
        """Those of its cells, which go on over the edge of the bounds it was made for."""
        (first_column, last_column), (first_row, last_row) = self.columns, self.rows
        return Bounds(
            first_column * self.width,
            first_row * self.height,
            (last_column + 1) * self.width,
            (last_row + 1) * self.height,
        )

    def within(self, places: Places) -> Places:
        """The records in its cells."""
        west, south, east, north = map(_rounded_up, astuple(self.bounds))
        return places.filter(
            latitude__gte=south, latitude__lt=north, longitude__gte=west, longitude__lt=east
        )

    def groups(self, places: QuerySet[Any, Any], dc: Q = _IS_DC) -> list[Group]:
        """The records in its cells, a group for each cell that has one. ``dc`` is the condition
        for a capacity that is MWp."""
        cells = {
            "row": Floor(Cast("latitude", FloatField()) / self.height),
            "column": Floor(Cast("longitude", FloatField()) / self.width),
        }
        columns = {
            "key": Min(Cast("pk", TextField())),
            "mean_latitude": Avg(Cast("latitude", FloatField())),
            "mean_longitude": Avg(Cast("longitude", FloatField())),
            "number": Count("pk"),
            "mwp_dc": Sum("capacity_mw", filter=dc),
            "mw_ac": Sum("capacity_mw", filter=~dc),
            "west": Min("longitude"),
            "south": Min("latitude"),
            "east": Max("longitude"),
            "north": Max("latitude"),
        }
        found = self.within(places).order_by().values(**cells).annotate(**columns)
        return [
            Group(key, latitude, longitude, number, mwp_dc, mw_ac, Bounds(*map(float, ends)))
            for key, latitude, longitude, number, mwp_dc, mw_ac, *ends in found.values_list(
                *columns
            )
        ]
