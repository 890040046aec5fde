"""Makes pipelines/country_boxes.py of the borders that the maps draw (Natural Earth, by the
package world-atlas)::

    export DJANGO_SETTINGS_MODULE=tests.settings
    python -m tests.support.country_boxes > pipelines/country_boxes.py

and ``ruff format`` after it.
"""

import json
import math
import sys
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from django_countries import countries

BORDERS = (
    Path(__file__).resolve().parent.parent.parent / "node_modules/world-atlas/countries-50m.json"
)

#: Degrees; parts of a country that are closer share a box.
APART = 5

Box = tuple[float, float, float, float]

HEAD = '''"""Boxes around each country's land: (south, west, north, east) in degrees, several for a
country whose parts lie far apart. From Natural Earth, by tests.support.country_boxes."""

BOXES: dict[str, tuple[tuple[float, float, float, float], ...]] = {'''


def boxes() -> dict[str, tuple[Box, ...]]:
    topology = json.loads(BORDERS.read_text())
    (scale_x, scale_y), (x, y) = (topology["transform"][key] for key in ("scale", "translate"))
    spans = []
    for arc in topology["arcs"]:
        lons = [x + scale_x * step for step in accumulate(point[0] for point in arc)]
        lats = [y + scale_y * step for step in accumulate(point[1] for point in arc)]
        spans.append((min(lats), min(lons), max(lats), max(lons)))
    codes = {f"{countries.numeric(code):03d}": code for code in countries.countries}
    found: dict[str, list[Box]] = {}
    for shape in topology["objects"]["countries"]["geometries"]:
        if code := codes.get(shape.get("id")):
            parts = [
                union([spans[arc if arc >= 0 else ~arc] for arc in ring])
                for ring in outer_rings(shape)
            ]
            found.setdefault(code, []).extend(parts)
    return {code: tuple(map(widened, merged(parts))) for code, parts in sorted(found.items())}


def outer_rings(shape: dict) -> Iterator[list[int]]:
    polygons = shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]
    return (polygon[0] for polygon in polygons)


def union(parts: list[Box]) -> Box:
    souths, wests, norths, easts = zip(*parts, strict=True)
    return min(souths), min(wests), max(norths), max(easts)


def merged(parts: list[Box]) -> list[Box]:
    parts = sorted(parts)
    while pair := next(
        ((a, b) for n, a in enumerate(parts) for b in parts[n + 1 :] if are_close(a, b)), None
    ):
        for one in pair:
            parts.remove(one)
        parts.append(union(list(pair)))
    return sorted(parts)


def are_close(one: Box, other: Box) -> bool:
    return all(
        one[low] - APART <= other[low + 2] and other[low] - APART <= one[low + 2] for low in (0, 1)
    )


def widened(box: Box) -> Box:
    """To whole tenths of a degree."""
    south, west, north, east = (value * 10 for value in box)
    return (
        math.floor(south) / 10,
        math.floor(west) / 10,
        math.ceil(north) / 10,
        math.ceil(east) / 10,
    )


if __name__ == "__main__":
    lines = [f'    "{code}": {parts},' for code, parts in boxes().items()]
    sys.stdout.write("\n".join([HEAD, *lines, "}\n"]))
