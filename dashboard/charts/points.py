"""Information points by impact and likelihood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.charts.parts import ACCENT, PLACE, Link, Lists
from dashboard.metrics.totals import Exposure
from infopoints.matrix import Matrix, band_of, matrix_of
from infopoints.querysets import LIVE
from oegen.core.words import whole
from pipelines.querysets import OPEN

#: From so much of both on a point is called likely and weighty: the last two of five bands.
HIGH = 61


@dataclass(frozen=True)
class Scatter:
    """``matrix`` is the table behind what ``data`` draws."""

    finding: str
    matrix: Matrix
    data: dict


def scatter(places: Sequence[tuple[int, int, int]]) -> Scatter:
    bands: Counter = Counter()
    for impact, likelihood, count in places:
        bands[band_of(impact), band_of(likelihood)] += count
    together = sum(bands.values())
    high = sum(n for impact, likelihood, n in places if min(impact, likelihood) >= HIGH)
    light, dark = ACCENT
    return Scatter(
        finding=f"{whole(high)} of {whole(together)} live information "
        f"point{'' if together == 1 else 's'} {'has' if high == 1 else 'have'} both impact and "
        f"likelihood above {HIGH - 1}.",
        matrix=matrix_of(bands),
        data={
            "kind": "scatter",
            "places": [list(place) for place in places],
            "link": _place_link(),
            "light": light,
            "dark": dark,
        },
    )


def _place_link() -> str:
    """To the points of one impact and likelihood, which the drawing puts in."""
    impact, likelihood = f"{PLACE}-impact", f"{PLACE}-likelihood"
    return Lists.points(
        status=LIVE,
        impact_min=impact,
        impact_max=impact,
        likelihood_min=likelihood,
        likelihood_max=likelihood,
    ).url


@dataclass(frozen=True)
class PointRow:
    """``link`` leads to the open pipelines that the point is about."""

    exposure: Exposure
    link: Link


def point_rows(exposures: Sequence[Exposure], lists: Lists) -> list[PointRow]:
    return [
        PointRow(one, lists.pipelines(one.total, status=OPEN, infopoint=one.point.pk))
        for one in exposures
    ]
