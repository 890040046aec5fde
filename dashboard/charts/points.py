"""Information points by impact and likelihood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.template.defaultfilters import pluralize

from dashboard.charts.parts import ACCENT, PLACEHOLDER, Link, Lists
from dashboard.metrics.totals import Exposure
from infopoints.matrix import Matrix, band_of, matrix_of
from infopoints.querysets import LIVE
from oegen.core.words import count, whole
from pipelines.querysets import OPEN

#: The lowest value of the upper two bands, for impact and likelihood.
HIGH = 61


@dataclass(frozen=True)
class Scatter:
    """``matrix`` is the table behind what ``data`` draws."""

    finding: str
    matrix: Matrix
    data: dict


def scatter(point_counts: Sequence[tuple[int, int, int]]) -> Scatter:
    bands: Counter[tuple[int, int]] = Counter()
    for impact, likelihood, number in point_counts:
        bands[band_of(impact), band_of(likelihood)] += number
    total = sum(bands.values())
    high = sum(
        number for impact, likelihood, number in point_counts if min(impact, likelihood) >= HIGH
    )
    light, dark = ACCENT
    return Scatter(
        finding=f"{whole(high)} of {count(total, 'live information point')} "
        f"{pluralize(high, 'has,have')} both impact and likelihood above {HIGH - 1}.",
        matrix=matrix_of(bands),
        data={
            "kind": "scatter",
            "places": [list(counts) for counts in point_counts],
            "link": place_link(f"{PLACEHOLDER}-impact", f"{PLACEHOLDER}-likelihood").url,
            "light": light,
            "dark": dark,
        },
    )


def place_link(impact: int | str, likelihood: int | str) -> Link:
    """The list of the live points of one impact and likelihood. charts.js fills in placeholders."""
    return Lists.points(
        status=LIVE,
        impact_min=impact,
        impact_max=impact,
        likelihood_min=likelihood,
        likelihood_max=likelihood,
    )


@dataclass(frozen=True)
class PointRow:
    """``link``: the open pipelines that the point is about."""

    exposure: Exposure
    link: Link


def point_rows(exposures: Sequence[Exposure], lists: Lists) -> list[PointRow]:
    return [
        PointRow(one, lists.pipelines(one.total, status=OPEN, infopoint=one.point.pk))
        for one in exposures
    ]
