"""The metrics compared with the reference implementation."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dashboard import metrics
from dashboard.metrics import Total, portfolio
from infopoints.models import InformationPoint
from oegen.models import Comment
from pipelines.models import Pipeline, PipelineCounterparty, PipelineFacility, Technology
from pipelines.models.reference import CounterpartyRole
from tests.dashboard.metrics.reference import Reference
from tests.support.builders import (
    make_counterparty,
    make_facility,
    make_information_point,
    make_pipeline,
)
from tests.support.portfolios import TODAY, make_awkward_portfolio, make_random_portfolio

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def that_day(monkeypatch):
    moment = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: moment)


@pytest.fixture(
    params=[
        lambda: None,
        lambda: make_pipeline("The only one", capacity_mw=5, ownership_pct=0),
        make_awkward_portfolio,
        lambda: make_random_portfolio(1),
        pytest.param(lambda: make_random_portfolio(2, size=70), marks=pytest.mark.heavy),
    ],
    ids=["empty", "one", "awkward", "random", "larger"],
)
def reference(request):
    request.param()
    return Reference(TODAY)


def solar():
    return Pipeline.objects.of_technology("solar")


def test_every_metric_equals_the_reference_with_a_filter_and_without(reference):
    with portfolio(Pipeline.objects.all) as everything:
        check_totals(reference, everything)
        check_technologies(reference, everything)
        check_holdings(reference, everything, Pipeline.objects.open())
        check_exposures(reference, everything)
    selected = set(solar())
    reference.pipelines = [one for one in reference.pipelines if one in selected]
    with portfolio(solar) as found:
        check_totals(reference, found)
        check_technologies(reference, found)
        check_holdings(reference, found, solar().open())
        check_exposures(reference, found)


def check_totals(reference, everything):
    states = reference.grouped(reference.pipelines, reference.state)
    headline = metrics.headline(everything)
    assert headline.open == reference.total(states["open"])
    assert headline.on_hold == reference.total(states["on-hold"])
    assert headline.completed == reference.total(states["completed"])
    assert headline.overdue == reference.total(filter_(reference.is_overdue, reference.pipelines))
    start = TODAY - timedelta(days=60)
    assert headline.unconfirmed == reference.total(
        [
            pipeline
            for pipeline in reference.open()
            if not pipeline.rag_confirmed_at or pipeline.rag_confirmed_at.date() < start
        ]
    )

    rags = reference.grouped(reference.open(), lambda pipeline: pipeline.rag_status)
    for group in metrics.by_rag(everything):
        assert group.total == reference.total(rags[group.rag]), group.label

    statuses = reference.grouped(reference.pipelines, reference.status)
    found = metrics.by_status(everything)
    assert sum(group.total.pipelines for group in found) == len(reference.pipelines)
    for group in found:
        assert group.total == reference.total(statuses[group.code]), group.label

    years = reference.grouped(reference.open(), reference.rtb_bucket)
    found = metrics.by_rtb_year(everything)
    assert {group.bucket for group in found} >= years.keys()
    for group in found:
        assert group.total == reference.total(years[group.bucket]), group.bucket
        for technology in Technology.objects.all():
            those = reference.with_technology(years[group.bucket], technology.pk)
            expected = reference.total(those, technology.pk)
            assert group.by_technology.get(technology.pk, Total()) == expected, technology


def filter_(condition, pipelines):
    return [pipeline for pipeline in pipelines if condition(pipeline)]


def check_technologies(reference, everything):
    lines = {group.technology: group.total for group in metrics.by_technology(everything)}
    for technology in [*Technology.objects.all(), None]:
        key = technology and technology.pk
        those = reference.with_technology(reference.open(), key)
        assert lines.get(technology, Total()) == reference.total(those, key), technology

    statuses = reference.grouped(reference.pipelines, reference.status)
    heat = metrics.by_technology_and_status(everything)
    rows = dict(heat.rows)
    assert [label for _, label in heat.statuses][-2:] == ["On hold", "Completed"]
    for technology in Technology.objects.all():
        for place, (code, _) in enumerate(heat.statuses):
            those = reference.with_technology(statuses[code], technology.pk)
            cell = rows[technology][place] if technology in rows else Total()
            assert cell == reference.total(those, technology.pk), (technology, code)


def check_holdings(reference, selected, pipelines):
    """The holdings, and the filters and sums of the lists to which they link."""
    held, partners = reference.held(reference.open())
    unheld, left = held.pop(None, 0), partners.pop(None, set())
    found = metrics.by_counterparty(selected, limit=5)
    best = sorted(held.values(), reverse=True)[:5]

    assert [close(one.held_mw) for one in found.holdings] == [close(mw) for mw in best]
    for one in found.holdings:
        key = one.counterparty.pk
        assert close(one.held_mw) == close(held[key])
        check_holding(reference, one, pipelines.held_by(one.counterparty), partners[key])
        assert pipelines.held_mw(by=one.counterparty) == one.held_mw
    named = [one.counterparty for one in found.holdings]
    assert found.number_of_others == max(len(held) - 5, 0)
    assert close(found.others.held_mw) == close(sum(held.values()) - sum(best))
    those = set().union(*(partners[key] for key in held.keys() - {one.pk for one in named}))
    check_holding(reference, found.others, pipelines.held_by_others(named), those)
    if named:
        assert pipelines.held_mw(by_others_than=named) == found.others.held_mw
    assert close(found.unheld.held_mw) == close(unheld)
    check_holding(reference, found.unheld, pipelines.held_by_nobody(), left)
    assert pipelines.held_mw() == found.unheld.held_mw


def check_holding(reference, holding, listed, expected):
    assert set(listed) == expected
    assert holding.total == reference.total(expected)


def close(mw):
    """Scaled shares are kept to a hundredth of a percent."""
    return pytest.approx(float(mw), abs=0.05)


def check_exposures(reference, everything):
    points = list(InformationPoint.objects.order_by("pk"))
    expected = {
        point: reference.total(
            [one for one in reference.open() if one.pk in reference.points[point.pk]]
        )
        for point in points
    }
    found = metrics.by_information_point(everything, points)
    assert [(one.point, one.total) for one in found] == list(expected.items())

    live = [total.capacity.mw for point, total in expected.items() if point.status != "closed"]
    most = metrics.most_exposing(everything, limit=4)
    assert [one.total.capacity.mw for one in most] == sorted(filter(None, live), reverse=True)[:4]
    assert all(one.total == expected[one.point] for one in most)


def test_shared_facility_counts_once_in_a_total():
    make_awkward_portfolio()
    with portfolio(Pipeline.objects.all) as found:
        total = metrics.headline(found).open

    assert total.capacity.mwp_dc == Decimal("66.5"), "50.5 + 7 + 9 + 0"
    assert total.capacity.mw_ac == Decimal("452.125"), "30 + 400 + 12 + 10.125"
    assert total.capacity.storage_mwh == 20
    assert total.capacity.unit == "MW, mixed"
    assert total.capacity.facilities_without_capacity == 1


def test_no_probability_is_invented():
    make_pipeline(capacity_mw=30, probability_pct=50, probability_reason="Advanced talks")
    make_pipeline(capacity_mw=90)
    with portfolio(Pipeline.objects.all) as found:
        total = metrics.headline(found).open

    assert (total.weighted.mw, total.with_probability.mw) == (15, 30)
    assert total.share_with_probability == Decimal("0.25")


def test_shares_beyond_the_whole_are_scaled_down_and_a_missing_rest_is_nobodys():
    first, second = make_counterparty("First"), make_counterparty("Second")
    owner, lead = (CounterpartyRole.objects.get(code=code) for code in ("owner", "lead-developer"))
    much, little = make_pipeline(capacity_mw=100), make_pipeline(capacity_mw=40)
    for pipeline, counterparty, role, share in (
        (much, first, owner, 150 - 50),
        (much, second, lead, 100),
        (little, first, lead, None),
        (little, second, owner, 25),
    ):
        PipelineCounterparty.objects.create(
            pipeline=pipeline, counterparty=counterparty, role=role, share_pct=share
        )
    with portfolio(Pipeline.objects.all) as found:
        concentration = metrics.by_counterparty(found)

    assert {one.counterparty.name: one.held_mw for one in concentration.holdings} == {
        "First": 50,
        "Second": 60,
    }
    assert concentration.unheld.held_mw == 30


def test_facility_of_two_pipelines_counts_once_for_each_holder_and_for_nobody():
    acme = make_counterparty("Acme")
    owner, offtaker = (CounterpartyRole.objects.get(code=code) for code in ("owner", "offtaker"))
    for_all, for_most, unheld = make_pipeline(lead_developer=acme), make_pipeline(), make_pipeline()
    for role, share in ((owner, 60), (offtaker, 15)):
        PipelineCounterparty.objects.create(
            pipeline=for_most, counterparty=acme, role=role, share_pct=share
        )
    battery = make_facility(technology="bess", capacity_mw=40)
    for pipeline in (for_most, unheld, for_all):
        PipelineFacility.objects.create(pipeline=pipeline, facility=battery)
    some = Pipeline.objects.exclude(pk=for_all.pk)

    assert Pipeline.objects.all().held_mw(by=acme) == 40
    assert some.held_mw(by=acme) == 30
    assert some.held_by_nobody().held_mw() == Pipeline.objects.all().held_mw() == 40
    assert Pipeline.objects.filter(pk=for_most.pk).held_mw() == 10
    assert Pipeline.objects.none().held_mw() == 0


def test_shares_that_are_rounded_to_less_than_the_whole_leave_nothing_to_nobody():
    roles = CounterpartyRole.objects.all()
    for shares in ((50, 50, 50), (Decimal("16.75"), Decimal("52.01"), Decimal("31.24"))):
        pipeline = make_pipeline(capacity_mw=100)
        for role, share in zip(roles, shares, strict=False):
            PipelineCounterparty.objects.create(
                pipeline=pipeline, counterparty=make_counterparty(), role=role, share_pct=share
            )

    assert not Pipeline.objects.held_by_nobody().exists()
    assert Pipeline.objects.all().held_mw() == 0


def test_far_off_year_does_not_stretch_the_row_of_years():
    make_pipeline(rtb_date=date(2027, 1, 1))
    make_pipeline(rtb_date=date(2100, 1, 1))
    with portfolio(Pipeline.objects.all) as found:
        assert [group.bucket for group in metrics.by_rtb_year(found)] == ["2027", "2100"]


def test_figures_stay_cached_until_a_business_record_changes():
    def figures():
        with CaptureQueriesContext(connection) as captured:
            since = TODAY - timedelta(days=30)
            found = metrics.overview(Pipeline.objects.all, since, "health", filters="").answer
        return found.headline.open.pipelines, len(captured)

    pipeline = make_pipeline()
    assert figures() > (1, 20)
    Comment.objects.create(subject=pipeline, text="Grid offer late.")
    assert figures() == (1, len(["the newest seal"]))
    make_pipeline()
    assert figures() > (2, 20)


def test_number_of_queries_does_not_grow_with_the_rows():
    def queries():
        found = []
        for tab in metrics.TABS:
            cache.clear()
            with CaptureQueriesContext(connection) as captured:
                since = TODAY - timedelta(days=30)
                metrics.overview(Pipeline.objects.all, since, tab, filters="")
            found.append(len(captured))
        return found

    make_pipeline(capacity_mw=1, rtb_date=date(2027, 1, 1), lead_developer=make_counterparty())
    make_information_point().pipelines.add(Pipeline.objects.get())
    few = queries()
    for number in range(20):
        pipeline = make_pipeline(
            capacity_mw=number,
            rtb_date=date(2020 + number % 12, 1, 1),
            stage="procurement",
            lead_developer=make_counterparty(),
        )
        PipelineFacility.objects.create(pipeline=pipeline, facility=make_facility())
        make_information_point().pipelines.add(pipeline)

    assert queries() == few
