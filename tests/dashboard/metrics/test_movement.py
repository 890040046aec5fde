"""Walk, RAG moves and slippage between two days, compared with plain Python over all rows."""

from collections import Counter, defaultdict
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from uuid import UUID

import pytest

from dashboard import metrics
from dashboard.metrics import portfolio
from dashboard.metrics.moved import count_changes
from pipelines.choices import CapacityBasis
from pipelines.models import Facility, Pipeline, PipelineFacility
from tests.support.builders import make_facility, make_pipeline
from tests.support.player import FIRST_DAY, Clock, Player

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 1)


@contextmanager
def both_ends(select, start, end=None):
    with portfolio(select, start) as before, portfolio(select, end, before=before) as now:
        yield before, now


def everything():
    return Pipeline.objects.all()


def solar():
    return Pipeline.objects.of_technology("solar")


def state(pipeline) -> str:
    if pipeline.outcome != "active":
        return "sold" if pipeline.outcome == "sold" else "ended"
    if pipeline.stage.is_terminal:
        return "completed"
    return "held" if pipeline.on_hold else "open"


class Snapshot:
    """All rows as they are now, in plain Python."""

    def __init__(self):
        self.facilities = {
            one.pk: (one.capacity_mw or Decimal(0), one.technology.capacity_basis)
            for one in Facility.objects.select_related("technology")
        }
        self.storage = {
            one.pk: one.capacity_mw or Decimal(0)
            for one in Facility.objects.filter(
                technology__is_storage=True, technology__capacity_basis=CapacityBasis.AC
            )
        }
        self.pipelines = {
            one.pk: (state(one), one.rag_status, one.rtb_date)
            for one in Pipeline.objects.select_related("stage")
        }
        self.links = defaultdict(set)
        for pipeline, facility in PipelineFacility.objects.values_list("pipeline", "facility"):
            self.links[facility].add(pipeline)
        self.solar = {
            pipeline
            for facility in Facility.objects.filter(technology__code="solar")
            for pipeline in self.links[facility.pk]
        }

    def states(self, facility, selected) -> set[str]:
        return {
            self.pipelines[one][0] if one in selected else "outside filter"
            for one in self.links[facility]
        }

    def of(self, pipeline) -> set:
        return {facility for facility, owners in self.links.items() if pipeline in owners}


def expected_walk(
    one: Snapshot, other: Snapshot, selected_before, selected_after, *, is_storage: bool = False
) -> Counter:
    """The MW by step; with ``is_storage``, the MW AC of storage only."""
    steps = Counter()
    for facility in {*one.links, *other.links}:
        was, now = one.states(facility, selected_before), other.states(facility, selected_after)
        size_a, size_b = (end.facilities.get(facility, (0, "")) for end in (one, other))
        mw_a, mw_b = size_a[0], size_b[0]
        if is_storage:
            mw_a, mw_b = one.storage.get(facility, 0), other.storage.get(facility, 0)
        if "open" in was:
            steps["opening"] += mw_a
        if "open" in now:
            steps["closing"] += mw_b
        if "open" in was and "open" in now:
            if size_a != size_b:
                steps["revised"] += mw_b - mw_a
        elif "open" in was:
            reasons = [
                ("completed", "completed"),
                ("held", "on hold"),
                ("sold", "sold"),
                ("ended", "ended"),
                ("outside filter", "out of filter"),
            ]
            step = next((step for name, step in reasons if name in now), "removed")
            steps[step] -= mw_a
        elif "open" in now:
            reasons = [
                ("held", "off hold"),
                ("completed", "reopened"),
                ("sold", "reopened"),
                ("ended", "reopened"),
                ("outside filter", "into filter"),
            ]
            step = next((step for name, step in reasons if name in was), "new")
            steps[step] += mw_b
    return steps


def check_walk(ends, one, other, selected_before, selected_after):
    walk = metrics.walk(*ends)
    expected = expected_walk(one, other, selected_before, selected_after)
    assert walk.residual == 0
    assert (walk.opening.mw, walk.closing.mw) == (expected["opening"], expected["closing"])
    storage = expected_walk(one, other, selected_before, selected_after, is_storage=True)
    assert (walk.opening_storage_mw, walk.closing_storage_mw) == (
        storage["opening"],
        storage["closing"],
    )
    for step in walk.steps:
        assert step.change.mw == expected[step.code], step
        assert step.storage_mw == storage[step.code], step


def check_rag(portfolio_now, one, other):
    counts, parts = Counter(), defaultdict(set)
    for key in one.pipelines.keys() & other.pipelines.keys():
        (was, rag_a, _), (now, rag_b, _) = one.pipelines[key], other.pipelines[key]
        if was == now == "open":
            counts[rag_a, rag_b] += 1
            parts[rag_a, rag_b] |= other.of(key)
    moves = metrics.rag_moves(portfolio_now)
    assert {(move.start, move.end): move.total.pipelines for move in moves} == counts
    for move in moves:
        mw = sum(other.facilities[one][0] for one in parts[move.start, move.end])
        assert move.total.capacity.mw == mw


def check_slippage(portfolio_now, one, other):
    slips, weight, number, left = [], Decimal(0), 0, 0
    for key in one.pipelines.keys() & other.pipelines.keys():
        (was, _, rtb_a), (now, _, rtb_b) = one.pipelines[key], other.pipelines[key]
        if was != "open" or not rtb_a or not rtb_b:
            continue
        if now != "open":
            left += rtb_b > rtb_a
        else:
            mw = sum((other.facilities[part][0] for part in other.of(key)), Decimal(0))
            number, weight = number + 1, weight + mw
            if rtb_a != rtb_b:
                slips.append(((rtb_b - rtb_a).days, mw))
    slippage = metrics.slippage(portfolio_now, limit=1000)
    assert (slippage.pipelines, slippage.slipped) == (number, len(slips))
    assert (slippage.later, slippage.left) == (sum(days > 0 for days, _ in slips), left)
    assert sorted((slip.days, slip.capacity_mw) for slip in slippage.slips) == sorted(slips)
    days = [slip.days for slip in slippage.slips]
    assert days == sorted(days, reverse=True)
    mean = sum(d * mw for d, mw in slips) / weight if weight else None
    assert float(slippage.weighted_days or 0) == pytest.approx(float(mean or 0))
    assert (slippage.weighted_days is None) == (mean is None)
    best = metrics.slippage(portfolio_now, limit=2)
    assert (best.slips, best.slipped) == (slippage.slips[:2], slippage.slipped)


@pytest.mark.heavy
def test_any_two_days_of_a_played_history(monkeypatch, portfolio_manager):
    clock, player = Clock(monkeypatch), Player(5, portfolio_manager)
    kept = {}
    for number in range(24):
        day = FIRST_DAY + timedelta(days=number)
        clock.begin(day)
        for _ in range(player.rng.randint(2, 7)):
            player.write()
            clock.tick()
        if number % 4 == 3:
            kept[day] = Snapshot()
    clock.moment = datetime(2026, 6, 1, 9, tzinfo=UTC)
    for start, end in combinations(kept, 2):
        one, other = kept[start], kept[end]
        with both_ends(everything, start, end) as ends:
            check_walk(ends, one, other, one.pipelines, other.pipelines)
            check_rag(ends[1], one, other)
            check_slippage(ends[1], one, other)
        with both_ends(solar, start, end) as ends:
            check_walk(ends, one, other, one.solar, other.solar)


def at(monkeypatch, day: date):
    Clock(monkeypatch).begin(day)


def test_a_shared_facility_leaves_when_its_last_open_pipeline_does(monkeypatch):
    at(monkeypatch, DAY)
    first, second = make_pipeline("One"), make_pipeline("Two")
    facility = make_facility(capacity_mw=40)
    for pipeline in (first, second):
        PipelineFacility.objects.create(pipeline=pipeline, facility=facility)
    at(monkeypatch, DAY + timedelta(days=2))
    first.outcome = "withdrawn"
    first.save()
    with both_ends(everything, DAY) as ends:
        walk = metrics.walk(*ends)
    assert (walk.opening.mw, walk.closing.mw, walk.residual) == (40, 40, 0)
    second.on_hold, second.on_hold_reason = True, "Grid"
    second.save()
    with both_ends(everything, DAY) as ends:
        walk = metrics.walk(*ends)
    assert {step.code: step.change.mw for step in walk.steps if step.change.mw} == {"on hold": -40}


def test_a_change_of_technology_moves_capacity_between_the_bases(monkeypatch):
    at(monkeypatch, DAY)
    make_pipeline("One", capacity_mw=40, technology="solar")
    at(monkeypatch, DAY + timedelta(days=2))
    facility = Facility.objects.get()
    facility.technology = make_facility(technology="wind").technology
    facility.save()
    with both_ends(everything, DAY) as ends:
        walk = metrics.walk(*ends)
    assert (walk.opening.mwp_dc, walk.closing.mw_ac, walk.residual) == (40, 40, 0)
    [revised] = [step for step in walk.steps if step.code == "revised"]
    assert (revised.change.mwp_dc, revised.change.mw_ac, revised.facilities) == (-40, 40, 1)


def test_slippage_is_of_what_is_open_at_both_ends(monkeypatch):
    """Pipelines taken off hold, and those that slipped before a hold or sale, are not included."""
    at(monkeypatch, DAY)
    projects = {
        name: make_pipeline(name, capacity_mw=10, rtb_date=date(2027, 1, 1), **values)
        for name, values in {
            "Open": {},
            "Off hold": {"on_hold": True, "on_hold_reason": "Grid"},
            "Held": {},
            "Sold": {},
        }.items()
    }
    at(monkeypatch, DAY + timedelta(days=2))
    after = {
        "Off hold": {"on_hold": False, "on_hold_reason": ""},
        "Held": {"on_hold": True, "on_hold_reason": "Grid"},
        "Sold": {"outcome": "sold"},
    }
    for name, pipeline in projects.items():
        values = {"rtb_date": date(2027, 1, 31), **after.get(name, {})}
        for field, value in values.items():
            setattr(pipeline, field, value)
        pipeline.save()
    with both_ends(everything, DAY) as (before, now):
        slippage = metrics.slippage(now)
        steps = {step.code: step.change.mw for step in metrics.walk(before, now).steps}
    assert [slip.name for slip in slippage.slips] == ["Open"]
    assert (slippage.pipelines, slippage.weighted_days, slippage.left) == (1, 30, 2)
    assert (steps["sold"], steps["ended"], steps["on hold"]) == (-10, 0, -10)


def test_an_empty_portfolio_compares_to_nothing(monkeypatch):
    at(monkeypatch, DAY)
    with both_ends(everything, DAY - timedelta(days=30)) as (before, now):
        assert metrics.walk(before, now).residual == 0
        assert metrics.rag_moves(now) == []
        assert metrics.slippage(now).weighted_days is None


@pytest.mark.parametrize("select", [everything, solar])
@pytest.mark.parametrize("is_resized", [False, True])
def test_another_facility_than_the_first_moves_no_pipeline(monkeypatch, select, is_resized):
    """The facts of the first one are the same at both ends, those of the other begin."""
    clock = Clock(monkeypatch)
    still = make_pipeline("Still", rag_status="green", rtb_date=date(2027, 1, 1))
    slips = make_pipeline("Slips", rag_status="red", rtb_date=date(2027, 1, 1), capacity_mw=10)
    # By their keys, which say which one is the first.
    first, other = (
        make_facility(name, capacity_mw=size, id=UUID(int=key))
        for name, size, key in (("First", 10, 1), ("Other", 10, 2**100))
    )
    PipelineFacility.objects.create(pipeline=still, facility=first)
    if is_resized:
        PipelineFacility.objects.create(pipeline=still, facility=other)
    clock.begin(FIRST_DAY + timedelta(days=1))
    if not is_resized:
        PipelineFacility.objects.create(pipeline=still, facility=other)
    other.capacity_mw = 20
    other.save()
    slips.rtb_date += timedelta(days=8)
    slips.save()

    with both_ends(select, FIRST_DAY) as (_, now):
        moves = {(one.start, one.end): one.total for one in metrics.rag_moves(now)}
        slippage = metrics.slippage(now)
        assert not count_changes(now)
    assert {move: total.capacity.mw for move, total in moves.items()} == {
        ("green", "green"): 30,
        ("red", "red"): 10,
    }
    assert (slippage.slipped, slippage.pipelines) == (1, 2)
    assert slippage.weighted_days == Decimal(8 * 10) / 40


def test_what_moved_up_to_a_day_is_by_the_stages_of_that_day(monkeypatch):
    clock = Clock(monkeypatch)
    pipeline = make_pipeline("Slips", stage="commissioning", rag_status="green", capacity_mw=10)
    pipeline.rtb_date = date(2027, 1, 1)
    pipeline.save()
    clock.begin(FIRST_DAY + timedelta(days=1))
    pipeline.rtb_date, pipeline.rag_status = date(2027, 1, 9), "red"
    pipeline.save()
    clock.begin(FIRST_DAY + timedelta(days=2))
    stage = pipeline.stage
    stage.is_terminal = True
    stage.save()

    with both_ends(everything, FIRST_DAY, FIRST_DAY + timedelta(days=1)) as (_, then):
        assert metrics.slippage(then).weighted_days == 8
        assert [(one.start, one.end) for one in metrics.rag_moves(then)] == [("green", "red")]
