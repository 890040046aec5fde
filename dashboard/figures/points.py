"""Information points, and the capacity exposed to them."""

from __future__ import annotations

from datetime import date

from dashboard import charts, metrics
from dashboard.charts.parts import Link, Lists
from dashboard.charts.points import place_link
from dashboard.figures.figure import Figure, Finding, Parts, Source, total_parts
from dashboard.figures.totals import GROSS
from dashboard.metrics.overview import live_points, top_points
from dashboard.metrics.totals import Exposure
from infopoints.querysets import LIVE


def _live_list(lists: Lists, since: date) -> Link:
    return lists.points(status=LIVE)


def _exposure_rows(found: list[Exposure], source: Source) -> Finding:
    rows: list[Parts] = [
        {
            "information_point_id": str(row.exposure.point.pk),
            "label": row.exposure.point.title,
            "impact": row.exposure.point.impact,
            "likelihood": row.exposure.point.likelihood,
            "rating": row.exposure.point.rating,
            **total_parts(row.exposure.total),
            "url": row.link.url,
        }
        for row in charts.point_rows(found, source.lists)
    ]
    return Finding(rows=rows)


def _points(source: Source) -> Finding:
    places = live_points().count_by_impact_and_likelihood()
    rows: list[Parts] = [
        {
            "impact": impact,
            "likelihood": likelihood,
            "information_points": number,
            "url": place_link(impact, likelihood).url,
        }
        for impact, likelihood, number in places
    ]
    return Finding(sum(number for *_, number in places), rows=rows)


POINTS: tuple[Figure, ...] = (
    Figure(
        "information-points-by-rating",
        "Highest rated information points",
        "MW",
        GROSS,
        "The ten live information points with the highest rating, impact × likelihood, each with "
        "what is open of the projects that it is about.",
        "capacity",
        _live_list,
        lambda source: _exposure_rows(
            metrics.by_information_point(source.now, top_points()), source
        ),
    ),
    Figure(
        "exposure",
        "Information points by exposed capacity",
        "MW",
        GROSS,
        "The ten live information points that are about the most open capacity, each with what is "
        "open of the projects that it is about.",
        "capacity",
        _live_list,
        lambda source: _exposure_rows(metrics.most_exposing(source.now), source),
    ),
    Figure(
        "information-points",
        "Live information points by impact and likelihood",
        "information points",
        "Information points, each once.",
        "All live information points, whatever projects they are about.",
        "capacity",
        _live_list,
        _points,
        is_filtered=False,
    ),
)
