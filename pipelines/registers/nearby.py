"""Facilities of ours near projects of registers."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from uuid import UUID

from oegen import asof
from oegen.core import sql
from pipelines.models import Facility
from pipelines.registers.matching.blocking import distance_km
from pipelines.registers.matching.subjects import Point, point_of
from pipelines.registers.models import RegisterProject

#: How far is near, in km.
NEAR_KM = 25.0

#: Height and width of a cell in degrees: at least NEAR_KM up to 70° N.
_CELL = (0.25, 0.7)


@dataclass(frozen=True)
class Neighbour:
    """The facility of ours that is nearest to a project."""

    project: RegisterProject
    facility: Facility
    km: float


def neighbours(projects: Iterable[RegisterProject], limit: int) -> list[Neighbour]:
    """The nearest facility of each project that has one within NEAR_KM, the nearest pairs first."""
    placed = [
        (one, point)
        for one in projects
        if (point := point_of(one.latitude, one.longitude)) is not None
    ]
    if not placed:
        return []
    cells = _facilities_by_cell([point for _, point in placed])
    found = []
    for project, point in placed:
        row, column = _cell(point)
        near = [
            (distance_km(point, there), key)
            for down, across in product((-1, 0, 1), repeat=2)
            for key, there in cells.get((row + down, column + across), ())
        ]
        if near and min(near)[0] <= NEAR_KM:
            found.append((*min(near), project))
    found.sort(key=lambda one: (one[0], str(one[2].pk)))
    facilities = Facility.objects.select_related("technology").in_bulk(
        {key for _, key, _ in found[:limit]}
    )
    return [Neighbour(project, facilities[key], km) for km, key, project in found[:limit]]


def _facilities_by_cell(points: list[Point]) -> dict[tuple[int, int], list[tuple[UUID, Point]]]:
    """Those around the points; in SQL, because their numbers as Decimal take ten times as long."""
    latitudes, longitudes = zip(*points, strict=True)
    height, width = _CELL
    rows = sql.fetch(
        f"""
        SELECT id, CAST(latitude AS FLOAT), CAST(longitude AS FLOAT)
        FROM {asof.table(Facility)}
        WHERE latitude BETWEEN %s AND %s AND longitude BETWEEN %s AND %s
        """,  # noqa: S608
        (
            *(min(latitudes) - height, max(latitudes) + height),
            *(min(longitudes) - width, max(longitudes) + width),
        ),
    )
    found: dict[tuple[int, int], list[tuple[UUID, Point]]] = defaultdict(list)
    for key, latitude, longitude in rows:
        point = (latitude, longitude)
        found[_cell(point)].append((sql.uuid_of(key), point))
    return found


def _cell(point: Point) -> tuple[int, int]:
    return math.floor(point[0] / _CELL[0]), math.floor(point[1] / _CELL[1])
