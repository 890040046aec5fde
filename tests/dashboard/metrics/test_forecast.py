"""Cumulative capacity, what is scheduled and the trend, against plain Python and tables."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from dashboard import metrics
from dashboard.metrics import portfolio
from dashboard.metrics.forecast import Point, t_quantile, trend
from pipelines.models import Pipeline, PipelineFacility, Technology
from tests.dashboard.metrics.reference import Reference
from tests.support.builders import make_facility, make_pipeline
from tests.support.portfolios import TODAY, make_awkward_portfolio, make_random_portfolio

database = pytest.mark.django_db


@pytest.fixture(autouse=True)
def that_day(monkeypatch):
    moment = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: moment)


def growth():
    with portfolio(Pipeline.objects.all) as chosen:
        return metrics.growth(chosen)


def expected(reference, technology, ahead: bool) -> list[tuple]:
    """Each date with the capacity of all facilities that are ready by it."""
    first: dict = {}
    for pipeline in reference.pipelines:
        due, state = pipeline.rtb_date, reference.state(pipeline)
        counts = (state == "open" and not reference.is_overdue(pipeline)) or (
            state == "completed" and due and due <= TODAY
        )
        counts = counts or reference.was_ready_when_sold(pipeline)
        if not due or not counts:
            continue
        for key in reference.links[pipeline.pk]:
            kind = reference.facilities[key].technology
            if reference.mw(key) and technology in (None, kind):
                first[key] = min(first.get(key, date.max), due)
    return [
        (day, pytest.approx(float(sum(reference.mw(k) for k, due in first.items() if due <= day))))
        for day in sorted(set(first.values()))
        if (day > TODAY) == ahead
    ]


@database
@pytest.mark.parametrize(
    "make",
    [
        make_awkward_portfolio,
        pytest.param(lambda: make_random_portfolio(5, size=80), marks=pytest.mark.heavy),
    ],
)
def test_reached_and_scheduled_equal_the_reference(make):
    make()
    reference, found = Reference(TODAY), {one.technology: one for one in growth()}
    for technology in [None, *Technology.objects.all()]:
        reached, scheduled = (expected(reference, technology, ahead) for ahead in (False, True))
        if not (reached or scheduled):
            assert technology not in found
            continue
        one = found[technology]
        assert [(point.day, point.mw) for point in one.reached] == reached
        assert [(point.day, point.mw) for point in one.scheduled] == scheduled
        recent = [point for point in one.reached if point.day > date(2021, 6, 30)]
        assert one.points == len(recent)
        assert bool(one.trend) == (len(recent) >= 3)


@database
@pytest.mark.parametrize(
    ("stage", "due", "reached"),
    [
        ("construction", TODAY - timedelta(days=40), True),
        ("procurement", TODAY - timedelta(days=20), True),
        ("procurement", TODAY - timedelta(days=21), False),
        ("procurement", TODAY - timedelta(days=19), False),
    ],
)
def test_a_sold_project_stays_in_what_it_had_reached_on_the_day_of_the_sale(stage, due, reached):
    pipeline = make_pipeline(stage=stage, capacity_mw=40, rtb_date=due)
    pipeline.outcome, pipeline.status_effective_on = "sold", TODAY - timedelta(days=20)
    pipeline.save()

    assert [one.reached for one in growth()][:1] == ([(Point(due, 40),)] if reached else [])
    assert set(Pipeline.objects.on_course()) == ({pipeline} if reached else set())


@database
def test_a_facility_of_two_projects_counts_once_at_the_earlier_date():
    early = make_pipeline(capacity_mw=40, rtb_date=date(2027, 1, 1))
    late = make_pipeline(rtb_date=date(2029, 1, 1))
    PipelineFacility.objects.create(pipeline=late, facility=early.facilities.get())
    PipelineFacility.objects.create(pipeline=late, facility=make_facility(capacity_mw=5))

    assert growth()[0].scheduled == (Point(date(2027, 1, 1), 40), Point(date(2029, 1, 1), 45))


@database
def test_nothing_with_a_date_is_no_growth():
    make_pipeline(capacity_mw=40)
    make_pipeline(rtb_date=date(2027, 1, 1))
    make_pipeline(capacity_mw=3, rtb_date=date(2020, 1, 1))

    assert growth() == []


def points(*amounts) -> list[Point]:
    return [
        Point(TODAY - timedelta(days=100 * (len(amounts) - place)), mw)
        for place, mw in enumerate(amounts)
    ]


def test_the_trend_goes_on_with_a_straight_line_as_it_is():
    line = trend(points(10.0, 20.0, 30.0, 40.0), TODAY)

    assert [one.day for one in line] == [date(2026 + year, 6, 30) for year in range(6)]
    for one in line:
        mw = 50 + (one.day - TODAY).days / 10
        assert (one.mw, one.low, one.high) == (pytest.approx(mw),) * 3


def test_the_trend_and_its_interval_are_those_of_the_textbook():
    """By the normal equations, with t for two degrees of freedom from a table."""
    days, amounts = [-400, -300, -200, -100], [10.0, 25.0, 20.0, 45.0]
    n, mean_day, mean_mw = 4, sum(days) / 4, sum(amounts) / 4
    sxx = sum(day * day for day in days) - n * mean_day**2
    slope = (sum(d * a for d, a in zip(days, amounts, strict=True)) - n * mean_day * mean_mw) / sxx
    fitted = [mean_mw + slope * (day - mean_day) for day in days]
    error = (sum((a - f) ** 2 for a, f in zip(amounts, fitted, strict=True)) / (n - 2)) ** 0.5

    for one in trend(points(*amounts), TODAY):
        ahead = (one.day - TODAY).days
        mw = mean_mw + slope * (ahead - mean_day)
        margin = 4.302653 * error * (1 + 1 / n + (ahead - mean_day) ** 2 / sxx) ** 0.5
        assert one.mw == pytest.approx(mw)
        assert (one.low, one.high) == pytest.approx((max(mw - margin, 0), mw + margin), rel=1e-6)


def test_two_points_are_too_few_for_a_trend():
    assert trend(points(1.0, 2.0), TODAY) == []


def test_a_trend_from_the_last_of_february_has_a_day_in_every_year():
    day = date(2028, 2, 29)
    line = trend([Point(day - timedelta(days=n), 10.0 - n) for n in (3, 2, 1)], day)

    assert [one.day for one in line][:2] == [day, date(2029, 2, 28)]


def test_quantiles_are_those_of_the_tables():
    table = {1: 12.7062, 2: 4.3027, 3: 3.1824, 4: 2.7764, 5: 2.5706, 10: 2.2281, 29: 2.0452}
    table |= {30: 2.0423, 120: 1.9799, 1800: 1.9613}
    for freedom, quantile in table.items():
        assert t_quantile(0.95, freedom) == pytest.approx(quantile, abs=5e-5), freedom
