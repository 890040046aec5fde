"""RTB dates against their baselines: against plain Python, live and from a later day, in lists."""

import csv
import random
from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from dashboard import metrics
from oegen.asof import as_of
from pipelines.models import Milestone, MilestoneKind, Pipeline
from tests.dashboard.metrics.reference import Reference
from tests.support.portfolios import TODAY, make_random_portfolio

pytestmark = pytest.mark.django_db


def move_dates(seed: int) -> None:
    """Move RTB dates, and approve, change or clear baselines."""
    rng, rtb = random.Random(seed), MilestoneKind.objects.get(code="rtb")
    for pipeline in Pipeline.objects.filter(stage__is_terminal=False).order_by("project_name"):
        if pipeline.rtb_date and rng.random() < 0.6:
            pipeline.rtb_date += timedelta(days=rng.choice([-40, 30, 90, 400]))
            pipeline.save()
        if rng.random() < 0.5:
            milestone, _ = Milestone.objects.get_or_create(pipeline=pipeline, kind=rtb)
            milestone.baseline_on = rng.choice([None, date(2027, 1, 1), date(2028, 5, 5)])
            milestone.save()


def test_every_figure_equals_the_reference_live_and_later(monkeypatch, as_manager):
    def at(day: date):
        moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        monkeypatch.setattr(timezone, "now", lambda: moment)

    at(TODAY - timedelta(days=40))
    make_random_portfolio(8, size=40)
    at(TODAY)
    move_dates(1)
    reference = Reference(TODAY)
    wanted = reference.baselines()
    late = {key: days for key, (days, _, _) in wanted.items()}
    assert {True, False} == {approved for _, _, approved in wanted.values()}
    assert min(late.values()) < 0 < max(late.values())

    def check():
        with metrics.portfolio(Pipeline.objects.all) as now:
            found = metrics.baselines(now, limit=100)
        assert found.pipelines == len(wanted)
        assert found.approved == sum(approved for _, _, approved in wanted.values())
        for against, place in ((found.baseline, 0), (found.first, 1)):
            days = {key: value[place] for key, value in wanted.items()}
            assert against.later == sum(one > 0 for one in days.values())
            assert against.earlier == sum(one < 0 for one in days.values())
            mean = reference.mean_by_capacity(days)
            assert float(against.weighted_days) == pytest.approx(mean)
        assert {one.pipeline_id: one.days for one in found.latest} == {
            key: days for key, days in late.items() if days > 0
        }
        days = [one.days for one in found.latest]
        assert days == sorted(days, reverse=True)
        listed = Pipeline.objects.open().with_baseline()
        assert {one.pk: one.rtb_days_late for one in listed if one.rtb_date} == late
        late_ones = Pipeline.objects.open().later_than_baseline(90).values_list("pk", flat=True)
        assert set(late_ones) == {key for key, one in late.items() if one >= 90}
        with metrics.portfolio(lambda: Pipeline.objects.filter(rag_status="red")) as now:
            some = metrics.baselines(now)
        assert some.pipelines == sum(reference.by_key[key].rag_status == "red" for key in wanted)

    check()
    query = "late_days=90&status=open&columns=rtb_days_late&sort=-rtb_days_late&download=csv"
    answer = as_manager.get(f"{reverse('pipelines')}?{query}")
    lines = b"".join(answer.streaming_content).decode().splitlines()
    listed = [int(row["RTB against baseline, days"]) for row in csv.DictReader(lines)]
    assert listed == sorted((one for one in late.values() if one >= 90), reverse=True)

    at(TODAY + timedelta(days=50))
    move_dates(2)
    with as_of(TODAY):
        check()
