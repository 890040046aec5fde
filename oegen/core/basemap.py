"""Cuts the world of the npm package world-atlas into files of a similar size.

A map then loads the part that it shows. Of each detail there is a quadtree over the square world of
the Web Mercator projection: a piece that would be too large is replaced by its four quarters. The
name of a piece is its detail and its path in the tree, such as ``10m-w031`` (0 is north-west,
1 north-east, 2 south-west, 3 south-east). oegen/basemap.js draws them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

#: Pieces with more points are cut again.
MAX_POINTS = 10_000

#: How far a piece goes on over its edges, as a share of its width. The edge of the land that comes
#: from the cut is drawn there, out of sight.
OVERLAP = 1 / 128

Topology = dict[str, Any]
Point = tuple[int, int]
Line = list[Point]


@dataclass(frozen=True)
class Detail:
    """One of the scales of the atlas. ``grid`` is the width of the world in units of its
    coordinates, ``max_depth`` how often it may be cut: a tile of 512 pixels must lie in one piece.
    """

    name: str
    grid: int
    max_depth: int


#: oegen/basemap.js knows at which zoom each one is shown.
DETAILS = (
    Detail("110m", grid=2**13, max_depth=0),  # up to zoom 3
    Detail("50m", grid=2**15, max_depth=3),  # from zoom 4
    Detail("10m", grid=2**17, max_depth=6),  # from zoom 7
)


@dataclass(frozen=True)
class Square:
    left: int
    top: int
    width: int

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom with the overlap."""
        more = self.width * OVERLAP
        end = self.width + more
        return self.left - more, self.top - more, self.left + end, self.top + end

    def quarters(self) -> Iterator[Square]:
        half = self.width // 2
        for top in (self.top, self.top + half):
            for left in (self.left, self.left + half):
                yield Square(left, top, half)


class Atlas:
    """The land and the borders of a TopoJSON file on the grid of a detail."""

    def __init__(self, topology: Topology, grid: int):
        self._grid = grid
        scale, start = topology["transform"]["scale"], topology["transform"]["translate"]
        self._arcs = [list(self._places(arc, scale, start)) for arc in topology["arcs"]]
        countries, land = topology["objects"]["countries"], topology["objects"]["land"]
        self.land = [
            moved
            for polygon in self._polygons(land)
            for ring in polygon
            for moved in self._around(self._ring(ring))
        ]
        uses = Counter(
            arc if arc >= 0 else ~arc
            for polygon in self._polygons(countries)
            for ring in polygon
            for arc in ring
        )
        self.borders = [
            moved
            for arc, number in uses.items()
            if number > 1
            for moved in self._around(self._on_grid(_without_jumps(self._arcs[arc])))
        ]

    @staticmethod
    def _places(
        arc: list[list[int]], scale: list[float], start: list[float]
    ) -> Iterator[tuple[float, float]]:
        x = y = 0
        for step_x, step_y in arc:
            x, y = x + step_x, y + step_y
            yield x * scale[0] + start[0], y * scale[1] + start[1]

    @classmethod
    def _polygons(cls, shape: Topology) -> Iterator[list[list[int]]]:
        """The polygons of a shape, as lists of rings, which are lists of arcs."""
        for part in shape.get("geometries", ()):
            yield from cls._polygons(part)
        if shape["type"] == "Polygon":
            yield shape["arcs"]
        elif shape["type"] == "MultiPolygon":
            yield from shape["arcs"]

    def _ring(self, arcs: list[int]) -> Line:
        places: list[tuple[float, float]] = []
        for arc in arcs:
            more = self._arcs[arc] if arc >= 0 else self._arcs[~arc][::-1]
            places += more[1:] if places else more
        places = _without_jumps(places)
        turn = places[-1][0] - places[0][0]
        if abs(turn) > 180:  # Antarctica, all the way round: it goes on to the pole.
            places += [(places[-1][0], -90), (places[0][0], -90)]
        return self._on_grid(places)

    def _on_grid(self, places: Iterable[tuple[float, float]]) -> Line:
        line: Line = []
        for lng, lat in places:
            point = (round((lng / 360 + 0.5) * self._grid), round(_northing(lat) * self._grid))
            if not line or point != line[-1]:
                line.append(point)
        return line

    def _around(self, line: Line) -> Iterator[Line]:
        """The line, and again a world further where it goes past the date line."""
        if len(line) < 2:
            return
        yield line
        left, right = min(x for x, _ in line), max(x for x, _ in line)
        over = self._grid * OVERLAP
        for shift, is_seen in (
            (self._grid, left < over),
            (-self._grid, right > self._grid - over),
        ):
            if is_seen:
                yield [(x + shift, y) for x, y in line]


def _northing(lat: float) -> float:
    """0 at the northern edge of the projection, 1 at the southern; the poles lie beyond."""
    sine = max(-0.99999, min(0.99999, math.sin(math.radians(lat))))
    return 0.5 - math.log((1 + sine) / (1 - sine)) / (4 * math.pi)


def _without_jumps(places: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Go on past 180° where the longitude jumps from one end of the world to the other."""
    found: list[tuple[float, float]] = []
    turns, before = 0, places[0][0]
    for lng, lat in places:
        if lng - before > 180:
            turns -= 1
        elif lng - before < -180:
            turns += 1
        before = lng
        found.append((lng + 360 * turns, lat))
    return found


@dataclass
class Shape:
    """A ring of land or a line of a border, with the box that it lies in."""

    points: Line
    is_land: bool

    def __post_init__(self) -> None:
        xs, ys = zip(*self.points, strict=True)
        self.box = min(xs), min(ys), max(xs), max(ys)

    def cut(self, box: tuple[float, float, float, float]) -> Iterator[Shape]:
        left, top, right, bottom = box
        own_left, own_top, own_right, own_bottom = self.box
        if own_right < left or own_left > right or own_bottom < top or own_top > bottom:
            return
        parts = [self.points]
        cut = _cut_ring if self.is_land else _cut_line
        for axis, limit, side, is_over in (
            (0, left, 1, own_left < left),
            (0, right, -1, own_right > right),
            (1, top, 1, own_top < top),
            (1, bottom, -1, own_bottom > bottom),
        ):
            if is_over:
                found = (new for part in parts for new in cut(part, axis, limit, side))
                parts = [new for new in found if len(new) > 1]
        for part in parts:
            yield Shape(part, self.is_land)


def _crossing(start: Point, end: Point, axis: int, limit: float) -> Point:
    share = (limit - start[axis]) / (end[axis] - start[axis])
    return (
        round(start[0] + share * (end[0] - start[0])),
        round(start[1] + share * (end[1] - start[1])),
    )


def _cut_ring(ring: Line, axis: int, limit: float, side: int) -> Iterator[Line]:
    """The part of a ring on one side of a line (Sutherland and Hodgman); it runs along the line
    where it was cut."""
    found: Line = []
    start = ring[-1]
    was_in = (start[axis] - limit) * side >= 0
    for end in ring:
        is_in = (end[axis] - limit) * side >= 0
        if is_in != was_in:
            found.append(_crossing(start, end, axis, limit))
        if is_in:
            found.append(end)
        start, was_in = end, is_in
    yield found


def _cut_line(line: Line, axis: int, limit: float, side: int) -> Iterator[Line]:
    part: Line = []
    start = line[0]
    was_in = (start[axis] - limit) * side >= 0
    for end in line:
        is_in = (end[axis] - limit) * side >= 0
        if is_in != was_in:
            part.append(_crossing(start, end, axis, limit))
            if was_in:
                yield part
                part = []
        if is_in:
            part.append(end)
        start, was_in = end, is_in
    yield part


def pieces(detail: Detail, topology: Topology) -> Iterator[tuple[str, dict[str, Any]]]:
    """The name and the content of each piece: ``land`` are rings, ``borders`` lines, as the steps
    from point to point (the first from the corner of the piece) in ``width`` units a side."""
    atlas = Atlas(topology, detail.grid)
    shapes = [
        Shape(points, is_land)
        for lines, is_land in ((atlas.land, True), (atlas.borders, False))
        for points in lines
    ]
    yield from _cut(f"{detail.name}-w", Square(0, 0, detail.grid), shapes, detail.max_depth)


def _cut(
    name: str, square: Square, shapes: list[Shape], depth_left: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    inside = [part for shape in shapes for part in shape.cut(square.box)]
    if depth_left and sum(len(shape.points) for shape in inside) > MAX_POINTS:
        for number, quarter in enumerate(square.quarters()):
            yield from _cut(f"{name}{number}", quarter, inside, depth_left - 1)
    elif inside:
        content: dict[str, Any] = {"width": square.width, "land": [], "borders": []}
        for shape in inside:
            content["land" if shape.is_land else "borders"].append(_steps(shape.points, square))
        yield name, content


def _steps(points: Line, square: Square) -> list[int]:
    steps = []
    before_x, before_y = square.left, square.top
    for x, y in points:
        steps += [x - before_x, y - before_y]
        before_x, before_y = x, y
    return steps
