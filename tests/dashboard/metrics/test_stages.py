"""Time in stage and conversion against plain Python over all transitions."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from dashboard import metrics
from dashboard.metrics import portfolio
from pipelines.models import Pipeline, Stage, StageTransition
from pipelines.stays import ENDED, ENTERED, SOLD, THERE, UNDECIDED, WENT_ON, days_until
from tests.dashboard.metrics.reference import Reference, staying_until
from tests.support.builders import make_pipeline
from tests.support.portfolios import TODAY, make_random_portfolio

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def that_day(monkeypatch):
    moment = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: moment)


def found(select=Pipeline.objects.all):
    with portfolio(select) as chosen:
        return metrics.stages(chosen)


@pytest.mark.parametrize("seed", [3, pytest.param(4, marks=pytest.mark.heavy)])
@pytest.mark.parametrize("conditions", [{}, {"rag_status": "red"}], ids=["all", "filtered"])
def test_every_stage_equals_the_reference(seed, conditions):
    make_random_portfolio(seed, size=60)
    chosen = Pipeline.objects.filter(**conditions)
    keys, stages = set(chosen.values_list("pk", flat=True)), found(chosen.all)
    reference = Reference(TODAY)
    of_all = reference.stays()
    stays = [stay for stay in of_all if stay[0] in keys]
    assert {how for *_, how in stays} == {"moved", "ended", ""}

    for one in stages.time:
        those = [(key, days, how) for key, code, days, how in stays if code == one.stage.code]
        lengths = [(days, how == "moved") for _, days, how in those]
        assert one.stays == len(those)
        assert one.pipelines == len({key for key, *_ in those})
        assert one.ongoing == sum(how == "" for *_, how in those)
        assert one.median_days == staying_until(lengths, 0.5), one.stage
        assert one.p80_days == staying_until(lengths, 0.8), one.stage

    for one in stages.conversion:
        became = {
            pipeline: reference.became(pipeline, one.stage) for pipeline in reference.pipelines
        }
        numbers = [way for pipeline, way in became.items() if pipeline.pk in keys]
        assert one.entered == len(numbers) - numbers.count("")
        codes = {WENT_ON: "on", SOLD: "sold", ENDED: "ended", UNDECIDED: "undecided"}
        counted = (one.went_on, one.sold, one.ended, one.undecided)
        assert counted == tuple(map(numbers.count, codes.values()))
        for way, code in codes.items():
            listed = set(Pipeline.objects.with_stage_result(one.stage.code, way))
            assert listed == {key for key, value in became.items() if value == code}, way
        entered = set(Pipeline.objects.with_stage_result(one.stage.code, ENTERED))
        assert entered == {key for key, value in became.items() if value}
        there = {key for key, code, _, how in of_all if code == one.stage.code and how == ""}
        assert {
            each.pk for each in Pipeline.objects.with_stage_result(one.stage.code, THERE)
        } == there


def move(pipeline, code, days_ago, **values):
    StageTransition.objects.create(
        pipeline=pipeline,
        stage=Stage.objects.get(code=code),
        effective_on=TODAY - timedelta(days=days_ago),
        **{"on_hold": False, "outcome": "active", **values},
    )


def in_design(began, *moves) -> Pipeline:
    pipeline = make_pipeline(stage="design")
    pipeline.transitions.all().delete()
    move(pipeline, "design", began)
    for code, days_ago, *rest in moves:
        move(pipeline, code, days_ago, **dict(*rest))
    return pipeline


def test_a_hold_is_part_of_the_stay_and_what_goes_on_counts():
    in_design(100, ("design", 80, {"on_hold": True}), ("design", 50), ("procurement", 40))
    in_design(90)
    [design] = [one for one in found().time if one.stage.code == "design"]

    assert (design.stays, design.ongoing) == (2, 1)
    assert design.median_days == 60, "100 - 40, though the other is there for 90 days already"
    assert design.p80_days is None, "half of them are still there"


def test_projects_that_were_given_up_neither_moved_on_nor_count_as_quick():
    for _ in range(9):
        in_design(100, ("procurement", 90))
    in_design(100, ("design", 95, {"outcome": "withdrawn"}))
    stages = found()
    [design] = [one for one in stages.time if one.stage.code == "design"]
    [share] = [one for one in stages.conversion if one.stage.code == "design"]
    [procurement] = [one for one in stages.conversion if one.stage.code == "procurement"]

    assert (design.median_days, design.ongoing) == (10, 0)
    assert (share.entered, share.went_on, share.ended, share.undecided) == (10, 9, 1, 0)
    assert share.share == 0.9
    assert (procurement.undecided, procurement.share) == (9, None), "not enough history"


def test_a_sale_is_no_failure():
    for _ in range(4):
        in_design(100, ("procurement", 90))
    for _ in range(5):
        in_design(100, ("design", 95, {"outcome": "sold"}))
    in_design(100, ("design", 95, {"outcome": "refused"}))
    stages = found()
    [design] = [one for one in stages.conversion if one.stage.code == "design"]
    [time] = [one for one in stages.time if one.stage.code == "design"]

    assert (design.went_on, design.sold, design.ended, design.undecided) == (4, 5, 1, 0)
    assert design.share == 0.9
    assert time.median_days == 10, "those sold count for as long as they stayed"


def test_a_step_back_ends_the_stay_but_is_no_conversion():
    in_design(100, ("procurement", 80), ("design", 70))
    stages = found()
    time = {one.stage.code: one for one in stages.time}
    ways = {one.stage.code: one for one in stages.conversion}

    assert (time["design"].stays, time["design"].pipelines) == (2, 1)
    assert time["procurement"].median_days == 10
    assert (ways["design"].went_on, ways["procurement"].undecided) == (1, 1)


def test_a_back_dated_move_counts_from_the_day_it_took_effect():
    in_design(100, ("procurement", 30))
    pipeline = Pipeline.objects.get()
    move(pipeline, "construction", 60)
    time = {one.stage.code: one for one in found().time}

    assert time["design"].median_days == 40
    assert time["construction"].median_days == 30
    assert time["procurement"].ongoing == 1


def test_nobody_left_to_move_on_leaves_the_rest_unknown():
    assert days_until({}, {}, 0.5) is None
    assert days_until({5: 1, 9: 1}, {5: 1}, 0.5) == 5
    assert days_until({5: 1, 9: 1}, {5: 1}, 0.8) is None


def test_an_empty_portfolio_has_every_stage_with_nothing_in_it():
    stages = found()
    assert [one.stage.code for one in stages.time][:2] == ["discovery", "design"]
    assert {one.median_days for one in stages.time} == {None}
    assert {one.share for one in stages.conversion} == {None}


def test_what_the_dashboard_keeps_is_worked_out_again_when_a_stage_or_a_move_is_written():
    def on_the_dashboard():
        since = TODAY - timedelta(days=30)
        shown = metrics.overview(Pipeline.objects.all, since, "health", filters="").answer
        assert shown.stages == found()
        return shown.stages

    pipeline = in_design(100)
    kept = on_the_dashboard()
    pipeline.rag_comment = "No transition"
    pipeline.save()
    assert on_the_dashboard() == kept
    move(pipeline, "procurement", 30)
    moved = on_the_dashboard()
    assert moved != kept
    StageTransition.objects.latest("effective_on").delete()
    assert on_the_dashboard() == kept
    stage = Stage.objects.get(code="design")
    stage.name = "Drawing"
    stage.save()
    assert "Drawing" in {one.stage.name for one in on_the_dashboard().time}
