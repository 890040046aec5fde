"""The impact × likelihood matrix: five bands of twenty each way."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from infopoints.models import InformationPoint
from infopoints.querysets import LIVE

BANDS = 5
WIDTH = 20


@dataclass(frozen=True)
class Cell:
    """``heat``, 0 to 4, grows with impact × likelihood. ``is_here`` marks the cell of one point.
    ``query`` filters the list of information points to the cell."""

    count: int
    heat: int
    is_here: bool
    query: str


@dataclass(frozen=True)
class Row:
    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Matrix:
    """Rows from the highest impact down, columns from the lowest likelihood up."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def band_of(value: int) -> int:
    """The index of the band: 0 for 1 to 20, 4 for 81 to 100."""
    return (value - 1) // WIDTH


def _label(band: int) -> str:
    return f"{band * WIDTH + 1}–{(band + 1) * WIDTH}"


def _query(impact: int, likelihood: int) -> str:
    """The query string of the list with the points that the cell counts."""
    bounds: dict[str, str | int] = {"status": LIVE}
    for name, band in (("impact", impact), ("likelihood", likelihood)):
        bounds[f"{name}_min"] = band * WIDTH + 1
        bounds[f"{name}_max"] = (band + 1) * WIDTH
    return urlencode(bounds)


def matrix_around(point: InformationPoint) -> Matrix:
    """The matrix of the live information points, with the cell of ``point`` marked."""
    counts = InformationPoint.objects.recorded().live().count_by_band(WIDTH)
    return matrix_of(counts, (band_of(point.impact), band_of(point.likelihood)))


def matrix_of(counts: dict[tuple[int, int], int], here: tuple[int, int] | None = None) -> Matrix:
    """The matrix of ``counts`` by bands of impact and likelihood; ``here`` is the marked cell."""
    rows = []
    for impact in reversed(range(BANDS)):
        cells = tuple(
            Cell(
                count=counts.get((impact, likelihood), 0),
                heat=min((impact + 1) * (likelihood + 1) // 6, 4),
                is_here=(impact, likelihood) == here,
                query=_query(impact, likelihood),
            )
            for likelihood in range(BANDS)
        )
        rows.append(Row(_label(impact), cells))
    return Matrix(tuple(map(_label, range(BANDS))), tuple(rows))
