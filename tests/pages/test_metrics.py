"""The metrics against the same figures worked out in plain Python, one record at a time."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboard import metrics
from dashboard.metrics import Total
from pipelines.models import Facility, Pipeline, PipelineFacility, Technology
from pipelines.querysets import Capacity
from tests.builders import make_facility, make_pipeline
from tests.pages.conftest import TODAY


class Reference:
    """The portfolio in lists and dicts; the rules written out once more, without any SQL."""

    def __init__(self):
        self.pipelines = list(Pipeline.objects.select_related("stage"))
        self.facilities = {f.pk: f for f in Facility.objects.select_related("technology")}
        self.links = defaultdict(set)
        for link in PipelineFacility.objects.all():
            self.links[link.pipeline_id].add(link.facility_id)

    def is_open(self, pipeline):
        return (
            pipeline.outcome == "active" and not pipeline.stage.is_terminal and not pipeline.on_hold
        )

    def is_overdue(self, pipeline):
        early = pipeline.stage.code in ("discovery", "design", "procurement")
        due = pipeline.rtb_date
        return self.is_open(pipeline) and early and due is not None and due < TODAY

    def status(self, pipeline):
        if pipeline.outcome != "active":
            return pipeline.outcome
        return "on-hold" if pipeline.on_hold else pipeline.stage.code

    def rtb_bucket(self, pipeline):
        if pipeline.rtb_date is None:
            return "none"
        return "overdue" if self.is_overdue(pipeline) else str(pipeline.rtb_date.year)

    def open(self):
        return [pipeline for pipeline in self.pipelines if self.is_open(pipeline)]

    def capacity(self, pipelines, technology=None):
        ids = set().union(*(self.links[pipeline.pk] for pipeline in pipelines))
        kept = [
            self.facilities[pk]
            for pk in ids
            if technology is None or self.facilities[pk].technology_id == technology
        ]
        dc = [f.capacity_mw or 0 for f in kept if f.technology.capacity_basis == "dc"]
        ac = [f.capacity_mw or 0 for f in kept if f.technology.capacity_basis == "ac"]
        return Capacity(
            mwp_dc=Decimal(sum(dc)),
            mw_ac=Decimal(sum(ac)),
            storage_mwh=Decimal(sum(f.storage_mwh or 0 for f in kept)),
            facilities=len(kept),
            facilities_without_capacity=sum(f.capacity_mw is None for f in kept),
        )

    def total(self, pipelines):
        return Total(len(pipelines), self.capacity(pipelines))

    def grouped(self, pipelines, key):
        groups = defaultdict(list)
        for pipeline in pipelines:
            groups[key(pipeline)].append(pipeline)
        return groups


@pytest.fixture
def reference(awkward_portfolio):
    return Reference()


def test_headline_counts_open_held_completed_and_overdue(reference):
    headline = metrics.headline(Pipeline.objects.all(), TODAY)
    expected = reference.grouped(reference.pipelines, reference.status)

    assert headline.open == reference.total(reference.open())
    assert headline.on_hold == reference.total(expected["on-hold"])
    assert headline.completed == reference.total(expected["completed"])
    assert headline.overdue == reference.total(
        [pipeline for pipeline in reference.pipelines if reference.is_overdue(pipeline)]
    )
    assert headline.overdue.pipelines == 1, "the fixture must hold one overdue pipeline"


def test_shared_facility_counts_once_in_a_total(reference):
    open_ones = metrics.total(Pipeline.objects.open())

    assert open_ones.capacity.mwp_dc == Decimal("66.5"), "50.5 + 7 + 9 + 0"
    assert open_ones.capacity.mw_ac == Decimal("452.125"), "30 + 400 + 12 + 10.125"
    assert open_ones.capacity.storage_mwh == 20
    assert open_ones.capacity.unit == "MW, mixed"
    assert open_ones.capacity.facilities_without_capacity == 1


def test_rag_groups_equal_the_reference(reference):
    groups = reference.grouped(reference.open(), lambda pipeline: pipeline.rag_status)

    found = {group.rag: group.total for group in metrics.by_rag(Pipeline.objects.open())}

    assert found == {rag: reference.total(groups[rag]) for rag in ("red", "amber", "green", "")}


def test_facility_of_two_red_pipelines_counts_once_among_the_red(reference):
    red = metrics.by_rag(Pipeline.objects.open())[0]

    assert red.total.pipelines == 2
    assert red.total.capacity.mw == Decimal("90.625"), "50.5 + 30 + the battery's 10.125 once"


def test_status_groups_equal_the_reference_and_lose_no_pipeline(reference):
    groups = reference.grouped(reference.pipelines, reference.status)

    found = metrics.by_status(Pipeline.objects.all())

    assert {group.code: group.total for group in found} == {
        group.code: reference.total(groups[group.code]) for group in found
    }
    assert sum(group.total.pipelines for group in found) == len(reference.pipelines)
    assert [group.label for group in found][:8] == [
        "Discovery",
        "Design",
        "Procurement",
        "Construction",
        "Commissioning",
        "On hold",
        "Completed",
        "Withdrawn",
    ]


def test_technology_lines_keep_kinds_apart_and_show_what_has_no_facility(reference):
    found = metrics.by_technology(Pipeline.objects.open())
    pipelines = reference.open()

    for group in found[:-1]:
        technology = group.technology.pk
        having = [
            pipeline
            for pipeline in pipelines
            if any(
                reference.facilities[pk].technology_id == technology
                for pk in reference.links[pipeline.pk]
            )
        ]
        assert group.total == Total(len(having), reference.capacity(pipelines, technology))
    assert [group.technology and group.technology.code for group in found] == [
        "solar",
        "wind",
        "onshore-wind",
        "offshore-wind",
        "bess",
        None,
    ]
    assert found[-1].total == Total(1, Capacity())


def test_rtb_years_equal_the_reference_with_overdue_and_undated_apart(reference):
    groups = reference.grouped(reference.open(), reference.rtb_bucket)

    found = metrics.by_rtb_year(Pipeline.objects.open(), TODAY)

    assert [group.bucket for group in found] == [
        "overdue",
        *(str(year) for year in range(2025, 2031)),
        "none",
    ]
    for group in found:
        assert group.total == reference.total(groups[group.bucket])
        for technology in Technology.objects.all():
            assert group.by_technology.get(technology.pk, Capacity()) == reference.capacity(
                groups[group.bucket], technology.pk
            )


def test_far_off_year_does_not_stretch_the_row_of_years(db):
    make_pipeline(rtb_date=date(2027, 1, 1))
    make_pipeline(rtb_date=date(9998, 1, 1))

    found = metrics.by_rtb_year(Pipeline.objects.open(), TODAY)

    assert [group.bucket for group in found] == ["2027", "9998"]


def test_empty_portfolio_has_zeros_and_no_errors(db):
    headline = metrics.headline(Pipeline.objects.all())

    assert headline.open == headline.overdue == Total(0, Capacity())
    assert headline.open.capacity.unit == "MW"
    assert metrics.by_technology(Pipeline.objects.open()) == []
    assert metrics.by_rtb_year(Pipeline.objects.open()) == []
    assert {group.total for group in metrics.by_rag(Pipeline.objects.open())} == {
        Total(0, Capacity())
    }


def test_metrics_follow_a_filtered_set(reference):
    solar = Pipeline.objects.open().of_technology("solar")

    assert (
        metrics.total(solar).pipelines
        == metrics.by_technology(Pipeline.objects.open())[0].total.pipelines
    )


@pytest.mark.parametrize(
    "metric",
    [
        metrics.headline,
        metrics.by_rag,
        metrics.by_status,
        metrics.by_technology,
        metrics.by_rtb_year,
    ],
)
def test_number_of_queries_does_not_grow_with_the_rows(metric, db):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            metric(Pipeline.objects.all())
        return len(captured)

    make_pipeline(capacity_mw=1, rtb_date=date(2027, 1, 1))
    few = queries()
    for number in range(30):
        pipeline = make_pipeline(
            capacity_mw=number, rtb_date=date(2020 + number % 12, 1, 1), stage="procurement"
        )
        PipelineFacility.objects.create(pipeline=pipeline, facility=make_facility())

    assert queries() == few
