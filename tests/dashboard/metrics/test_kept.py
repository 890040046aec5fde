"""Figures from what is kept and what was written since are those that are read anew: where
pipelines are filtered, no sums are kept."""

from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from dashboard import metrics
from dashboard.metrics import kept_changes
from dashboard.metrics.moved import count_changes
from oegen.asof import as_of
from oegen.audit import change_set
from oegen.core import clock
from oegen.core.caching import uncached
from pipelines import stays
from pipelines.facts import kept
from pipelines.models import FactRevision, Pipeline, PipelineFacility, Stage
from tests.support.builders import make_facility, make_pipeline
from tests.support.player import FIRST_DAY, Clock, Player

pytestmark = pytest.mark.django_db


def read_anew():
    return Pipeline.objects.filter(pk__isnull=False)


def figures(select=Pipeline.objects.all, days=3) -> tuple:
    since = clock.today() - timedelta(days=days)
    with (
        metrics.portfolio(select, since) as before,
        metrics.portfolio(select, before=before) as now,
        metrics.first_changes(before, now, 2) as changes,
    ):
        totals = changes.totals().items()
        return (
            metrics.headline(before),
            metrics.headline(now),
            metrics.by_technology(now),
            metrics.by_rtb_year(now),
            metrics.by_technology_and_status(now),
            sorted(metrics.rag_moves(now), key=lambda move: (move.start, move.end)),
            metrics.slippage(now),
            count_changes(now),
            metrics.attention(now),
            metrics.walk(before, now),
            metrics.walk(before, now, changes.anew),
            [(kind, total.pipelines, total.capacity) for kind, total in totals],
            changes.pipelines(),
            changes.first(2),
            metrics.growth(now),
            metrics.by_counterparty(now),
        )


def assert_kept_figures_are_right() -> None:
    # Facts up to this morning are those of the end of yesterday, but their figures are not.
    for days in (1, 3):
        known = figures(days=days)
        assert known == figures(read_anew, days=days)
        with nothing_kept():
            assert known == figures(read_anew, days=days)


@contextmanager
def nothing_kept():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept, "MAX_DIFFERING", -1)
        yield


def attention_to(select):
    with metrics.portfolio(select) as now:
        return metrics.attention(now)


def test_attention_to_some_is_picked_from_what_is_kept_of_all(monkeypatch, portfolio_manager):
    def some():
        return Pipeline.objects.filter(project_name__contains="o")

    moments, player = Clock(monkeypatch), Player(9, portfolio_manager)
    for number in range(4):
        moments.begin(FIRST_DAY + timedelta(days=10 * number))
        for _ in range(6):
            player.write()
            moments.tick()
            found = attention_to(some)
            with nothing_kept():
                assert found == attention_to(some)
    assert 0 < found.pipelines < attention_to(Pipeline.objects.all).pipelines


def test_after_each_write_of_a_day(monkeypatch, portfolio_manager):
    moments, player = Clock(monkeypatch), Player(5, portfolio_manager)
    for number in range(8):
        moments.begin(FIRST_DAY + timedelta(days=number))
        for _ in range(3):
            player.write()
            moments.tick()
            assert_kept_figures_are_right()


@pytest.mark.parametrize("seed", [6, pytest.param(7, marks=pytest.mark.heavy)])
def test_the_overview_after_each_write_is_that_read_anew(seed, monkeypatch, portfolio_manager):
    """Also of a day before, after what was written later about it."""
    moments, player = Clock(monkeypatch), Player(seed, portfolio_manager)
    for number in range(4):
        moments.begin(FIRST_DAY + timedelta(days=number))
        for _ in range(3):
            player.write()
            moments.tick()
            assert overviews() == overviews(uncached)
        with as_of(clock.today() - timedelta(days=1)):
            assert overviews() == overviews(uncached)


def overviews(reading=nullcontext) -> list:
    since = clock.today() - timedelta(days=3)
    with reading():
        return [
            metrics.overview(Pipeline.objects.all, since, tab, filters="") for tab in metrics.TABS
        ]


def test_stays_of_who_moved_and_the_kept_others_are_those_read_at_once(
    monkeypatch, portfolio_manager
):
    monkeypatch.setattr(stays, "FEW", 0)
    moments, player = Clock(monkeypatch), Player(8, portfolio_manager)
    for number in range(5):
        moments.begin(FIRST_DAY + timedelta(days=number))
        for _ in range(6):
            player.write()
            moments.tick()
        for day in (None, *(clock.today() - timedelta(days=ago) for ago in range(1, number + 1))):
            with as_of(day) if day else nullcontext():
                found = stays.stays_of_all(clock.today())
                at_once = stays._Tally(stays._read(clock.past_moment()), {})
                anew = stays._stays(at_once, clock.today(), ())
            assert found.summaries == anew.summaries
            assert sorted(found.waiting) == sorted(anew.waiting)


def test_stays_of_a_day_are_by_the_order_that_the_stages_had_then(monkeypatch):
    moments = Clock(monkeypatch)
    moments.begin(FIRST_DAY)
    pipeline = make_pipeline(stage="design")
    moments.tick()
    pipeline.stage = Stage.objects.get(code="procurement")
    pipeline.save()
    moments.begin(FIRST_DAY + timedelta(days=2))
    design = Stage.objects.get(code="design")
    design.order = pipeline.stage.order + 1
    design.save()
    # On the next day, so that what is kept of the morning has the new order.
    moments.begin(FIRST_DAY + timedelta(days=3))
    assert stays.stays_of_all(clock.today()).summaries["design"].went_on == 0
    with as_of(FIRST_DAY):
        assert stays.stays_of_all(clock.today()).summaries["design"].went_on == 1


def test_the_overview_is_kept_until_something_is_written_that_figures_read(monkeypatch):
    Clock(monkeypatch).begin(FIRST_DAY)
    pipeline = make_pipeline(capacity_mw=10)
    keys = {"first": overview_keys()}
    pipeline.rag_comment = "Waits for the grid"
    pipeline.save()
    keys["commented"] = overview_keys()
    pipeline.rtb_date = FIRST_DAY
    pipeline.save()
    keys["dated"] = overview_keys()
    of_all, of_some = zip(*keys.values(), strict=True)
    assert of_all[0] == of_all[1] != of_all[2]
    # What a filter reads is not known.
    assert len(set(of_some)) == 3


def overview_keys() -> tuple[tuple, tuple]:
    since = FIRST_DAY - timedelta(days=1)
    return metrics.overview_key(since, filters=""), metrics.overview_key(since, filters="q=sun")


def test_after_many_writes_less_is_kept(monkeypatch):
    """Up to this morning, the last hour, the last five minutes, the last minute, then nothing."""
    monkeypatch.setattr(kept, "MAX_DIFFERING", 2)
    moments = Clock(monkeypatch)
    moments.begin(FIRST_DAY)
    pipelines = [make_pipeline(capacity_mw=10, rtb_date=FIRST_DAY) for _ in range(3)]
    moments.begin(FIRST_DAY + timedelta(days=5))
    morning, nine = clock.days_ago(0), moments.moment
    known = []
    for minutes, number in ((1, 2), (2, 3), (63, 2), (64, 3), (66, 1), (67, 3), (68, 1)):
        moments.moment = nine + timedelta(minutes=minutes)
        for pipeline in pipelines[:number]:
            pipeline.rtb_date += timedelta(days=30)
            pipeline.save()
        found = kept.baseline()
        known.append((found.until - nine, found.differing and len(found.differing)))
        assert_kept_figures_are_right()
    assert known == [
        (morning - nine, 2),
        (timedelta(minutes=2), None),
        (timedelta(hours=1), 2),
        (timedelta(hours=1, minutes=4), None),
        (timedelta(hours=1, minutes=5), 1),
        (timedelta(hours=1, minutes=7), None),
        (timedelta(hours=1, minutes=8), 1),
    ]


def test_changes_of_more_pipelines_than_are_kept_of_a_kind(monkeypatch):
    monkeypatch.setattr(kept_changes, "KEPT_LINES", 4)
    moments = Clock(monkeypatch)
    moments.begin(FIRST_DAY)
    pipelines = [make_pipeline(capacity_mw=10 * n, rtb_date=FIRST_DAY) for n in range(1, 8)]
    for day in (2, 3):
        moments.begin(FIRST_DAY + timedelta(days=day))
        for number, pipeline in enumerate(pipelines):
            pipeline.rtb_date += timedelta(days=30 - number)
            pipeline.save()
            moments.tick()
            if day == 3:
                assert_kept_figures_are_right()


def test_what_is_kept_of_today_changes_with_late_and_back_dated_writes(monkeypatch):
    monkeypatch.setattr(kept, "MAX_DIFFERING", 2)
    moments = Clock(monkeypatch)
    moments.begin(FIRST_DAY)
    nine = moments.moment
    for name in ("One", "Two", "Three", "Four"):
        make_pipeline(name, capacity_mw=10)
    moments.moment = nine + timedelta(minutes=58)
    with change_set():
        make_pipeline("Late", capacity_mw=20)
        moments.moment = nine + timedelta(minutes=63)
        # What others read until the change set is over.
        assert kept.baseline() == (nine + timedelta(hours=1), [])
        assert figures()[1].open.pipelines == 4
        make_pipeline("Later", capacity_mw=40)
    assert figures()[1].open.pipelines == 6
    assert_kept_figures_are_right()
    for dated in (timedelta(minutes=30), timedelta(days=-1)):
        moments.tick()
        with change_set(recorded_at=nine + dated):
            make_pipeline(f"Dated {dated}", capacity_mw=80)
        assert kept.baseline().until == nine + timedelta(hours=1)
        assert_kept_figures_are_right()
    assert figures()[1].open.pipelines == 8


def test_a_write_dated_before_this_morning_changes_what_was_kept(monkeypatch):
    Clock(monkeypatch).begin(FIRST_DAY + timedelta(days=9))
    make_pipeline(capacity_mw=10)
    figures()
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 3, 1, 9, tzinfo=UTC))
    assert FactRevision.objects.count() == 0
    earlier = timezone.now() - timedelta(days=2)
    with change_set() as current:
        current.recorded_at, current.back_dated = earlier, True
        make_pipeline("Late entry", capacity_mw=70)
    assert FactRevision.objects.get().changed_from == earlier
    assert_kept_figures_are_right()


def test_what_is_overdue_since_today_was_not_yesterday(monkeypatch):
    moments = Clock(monkeypatch)
    moments.begin(FIRST_DAY)
    make_pipeline(rtb_date=FIRST_DAY, capacity_mw=10)
    moments.begin(FIRST_DAY + timedelta(days=1))
    for _ in range(2):
        before, now, *_ = figures(days=1)
        assert (before.overdue.pipelines, now.overdue.pipelines) == (0, 1)


def test_a_facility_that_becomes_shared_today_counts_once():
    pipeline, facility = make_pipeline("One"), make_facility(capacity_mw=40)
    PipelineFacility.objects.create(pipeline=pipeline, facility=facility)
    figures()
    link = PipelineFacility.objects.create(pipeline=make_pipeline("Two"), facility=facility)
    _, now, *_ = figures()
    assert (now.open.pipelines, now.open.capacity.mw) == (2, 40)
    assert_kept_figures_are_right()
    link.delete()
    assert_kept_figures_are_right()


def test_a_shared_facility_of_a_pipeline_that_was_renamed_today_counts_once(monkeypatch):
    clock = Clock(monkeypatch)
    clock.begin(FIRST_DAY)
    one, facility = make_pipeline("One"), make_facility(capacity_mw=40)
    for pipeline in (one, make_pipeline("Two")):
        PipelineFacility.objects.create(pipeline=pipeline, facility=facility)
    clock.begin(FIRST_DAY + timedelta(days=1))
    one.project_name = "First"
    one.save()
    assert_kept_figures_are_right()
    _, now, *_ = figures()
    assert (now.open.pipelines, now.open.capacity.mw) == (2, 40)


def test_a_pipeline_that_gets_a_facility_of_others_today_leaves_their_moves(monkeypatch):
    clock = Clock(monkeypatch)
    clock.begin(FIRST_DAY)
    facility = make_facility(capacity_mw=40)
    others = [make_pipeline(name, rag_status="green") for name in ("One", "Two")]
    for pipeline in others:
        PipelineFacility.objects.create(pipeline=pipeline, facility=facility)
    third = make_pipeline("Three", rag_status="amber")
    clock.begin(FIRST_DAY + timedelta(days=1))
    others[0].rag_status = "red"
    others[0].save()
    clock.begin(FIRST_DAY + timedelta(days=2))
    assert_kept_figures_are_right()
    PipelineFacility.objects.create(pipeline=third, facility=facility)
    assert_kept_figures_are_right()
