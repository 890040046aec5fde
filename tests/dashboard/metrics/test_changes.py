"""Kinds of change, their last writes, and the pipelines of the steps of the walk, over a random
history, compared with plain Python over all rows after each write."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import combinations, pairwise

import pytest

from dashboard import metrics
from dashboard.metrics.changes import LEAVING
from dashboard.metrics.kinds import KINDS
from dashboard.metrics.movement import STEPS
from oegen import audit
from pipelines.models import Facility, Pipeline, PipelineFacility, Stage, Technology
from pipelines.querysets import Capacity
from tests.support.builders import make_pipeline
from tests.support.player import FIRST_DAY, Clock, Player

pytestmark = pytest.mark.django_db

#: The aspects of each kind; the first that was written gives the last write.
ASPECTS = {
    "new": ["exists"],
    "removed": ["exists"],
    "moved": ["stage"],
    "completed": ["stage", "outcome"],
    "reopened": ["outcome", "stage"],
    "on-hold": ["hold", "outcome", "stage"],
    "off-hold": ["hold", "stage"],
    "sold": ["outcome"],
    "ended": ["outcome"],
    "restored": ["exists"],
    "basis": ["basis"],
    "slipped": ["rtb"],
    "earlier": ["rtb"],
    "dated": ["rtb"],
    "undated": ["rtb"],
    "rated": ["rag"],
    "renamed": ["name"],
}


#: The first values of a pipeline for each kind, and the values that are written to it.
CAST = {
    "moved": ({}, {"stage": "procurement"}),
    "completed": ({}, {"stage": "completed"}),
    "reopened": ({"stage": "completed"}, {"stage": "design"}),
    "on-hold": ({}, {"on_hold": True}),
    "off-hold": ({"on_hold": True}, {"on_hold": False}),
    "ended": ({}, {"outcome": "refused"}),
    "ended otherwise": ({"outcome": "sold"}, {"outcome": "refused"}),
    "sold": ({}, {"outcome": "sold"}),
    "sold after all": ({"outcome": "refused"}, {"outcome": "sold"}),
    "slipped": ({}, {"rtb_date": date(2026, 3, 11)}),
    "earlier": ({}, {"rtb_date": date(2026, 3, 7)}),
    "dated": ({"rtb_date": None}, {"rtb_date": date(2026, 3, 7)}),
    "undated": ({}, {"rtb_date": None}),
    "rated red": ({"rag_status": "green"}, {"rag_status": "red"}),
    "rated no longer red": ({"rag_status": "red"}, {"rag_status": ""}),
    "renamed": ({}, {"project_name": "Renamed"}),
    "resized": ({}, {}),
    "removed": ({}, {}),
    "restored": ({}, {}),
}


class Planner(Player):
    """Also changes RTB dates, and removes fewer pipelines than ``Player``."""

    def write(self):
        play = super().write
        self.rng.choice([play, play, play, self.plan, self.plan, self.hold, self.add, self.end])()

    def plan(self):
        pipeline = self.any(Pipeline)
        day = date(2026, 3, self.rng.randint(1, 28))
        pipeline.rtb_date = self.rng.choice([None, day, day])
        pipeline.save()

    def hold(self):
        pipeline = self.any(Pipeline)
        pipeline.on_hold = not (pipeline.on_hold or pipeline.stage.is_terminal)
        pipeline.on_hold_reason = ""
        pipeline.save()


class Look:
    """All pipelines and facilities as they are now."""

    def __init__(self):
        self.ever = set(Pipeline.history.values_list("id", flat=True))
        self.bases = dict(Technology.objects.values_list("code", "capacity_basis"))
        self.facilities = {
            one.pk: (one.capacity_mw, one.technology.capacity_basis, one.technology.code)
            for one in Facility.objects.select_related("technology")
        }
        holdings = defaultdict(set)
        for pipeline, facility in PipelineFacility.objects.values_list("pipeline", "facility"):
            holdings[pipeline].add(facility)
        self.bases_in_use = {
            code: basis
            for key, (_, basis, code) in self.facilities.items()
            if any(key in held for held in holdings.values())
        }
        self.pipelines = {
            one.pk: {
                "exists": True,
                "name": one.project_name,
                "stage": one.stage.code,
                "hold": one.on_hold,
                "outcome": one.outcome,
                "rag": one.rag_status,
                "rtb": one.rtb_date,
                "state": self.state(one),
                "holds": frozenset(holdings[one.pk]),
            }
            for one in Pipeline.objects.select_related("stage")
        }

    @staticmethod
    def state(pipeline) -> str:
        if pipeline.outcome != "active":
            return "sold" if pipeline.outcome == "sold" else "ended"
        if pipeline.stage.is_terminal:
            return "completed"
        return "on hold" if pipeline.on_hold else "open"

    def mw(self, facilities) -> Decimal:
        return sum((self.facilities[one][0] or Decimal(0) for one in facilities), Decimal(0))

    def sizes(self, pipeline, bases=None) -> dict:
        """The MW by basis, from ``bases`` if the technology is there, else its current basis."""
        sizes = dict.fromkeys(("dc", "ac"), Decimal(0))
        for one in pipeline["holds"]:
            mw, basis, code = self.facilities[one]
            sizes[(bases or {}).get(code, basis)] += mw or 0
        return sizes

    def storage(self, facilities) -> Decimal:
        kept = [one for one in facilities if self.facilities[one][1:] == ("ac", "bess")]
        return self.mw(kept)

    def rated(self, rag: str) -> set:
        return {key for key, pipeline in self.pipelines.items() if pipeline["rag"] == rag}


def kinds_of(key, one: Look, other: Look) -> set[str]:
    was, now = one.pipelines.get(key), other.pipelines.get(key)
    if not was or not now:
        if was:
            return {"removed"}
        return {"restored" if key in one.ever else "new"}
    found = set()
    old, new = was["state"], now["state"]
    if new == "completed" != old:
        found.add("completed")
    elif was["stage"] != now["stage"] and not (old == "completed" and new in ("open", "on hold")):
        found.add("moved")
    if old in ("completed", "sold", "ended") and new in ("open", "on hold"):
        found.add("reopened")
    if new == "on hold" != old:
        found.add("on-hold")
    if (old, new) == ("on hold", "open"):
        found.add("off-hold")
    if new in ("sold", "ended") and was["outcome"] != now["outcome"]:
        found.add(new)
    if was["rtb"] and now["rtb"]:
        if was["rtb"] != now["rtb"]:
            found.add("slipped" if now["rtb"] > was["rtb"] else "earlier")
    elif was["rtb"] or now["rtb"]:
        found.add("dated" if now["rtb"] else "undated")
    if was["rag"] != now["rag"]:
        found.add("rated")
    if one.sizes(was) != other.sizes(now, one.bases_in_use):
        found.add("resized")
    if other.sizes(now) != other.sizes(now, one.bases_in_use):
        found.add("basis")
    if was["name"] != now["name"]:
        found.add("renamed")
    return found


def reason_of(kind, key, looks: list[tuple[str, Look]]) -> str:
    """The reason of the last write of the kind's aspects. ``looks`` begin before the range."""
    other = looks[-1][1]
    now = other.pipelines.get(key, {})

    def size(look):
        holds = look.pipelines.get(key, {}).get("holds")
        # Not the basis, which is the technology's.
        return holds, {one: look.facilities.get(one, ())[::2] for one in now["holds"]}

    for what in ASPECTS.get(kind, ["size"]):

        def value(look, what=what):
            if what == "basis":
                return [look.bases[other.facilities[one][2]] for one in sorted(now["holds"])]
            return size(look) if what == "size" else look.pipelines.get(key, {}).get(what)

        for (_, before), (reason, after) in reversed(list(pairwise(looks))):
            if value(before) != value(after):
                return reason
    raise AssertionError(f"No write makes the pipeline {kind}.")


def check_kinds(found, looks, is_counted):
    one, other = looks[0][1], looks[-1][1]
    expected = {
        (key, kind)
        for key in {*one.pipelines, *other.pipelines}
        if is_counted(key)
        for kind in kinds_of(key, one, other)
    }
    reported = {change: kind for kind in KINDS for change in found.of_kind(kind, 0, 1000)}
    assert {(change.pipeline_id, kind) for change, kind in reported.items()} == expected
    for change, kind in reported.items():
        key = change.pipeline_id
        assert change.kind == kind
        assert change.last_write.reason == reason_of(kind, key, looks), change
        for end, look in ((change.was, one), (change.now, other)):
            assert (end is not None) == (key in look.pipelines)
            if end:
                facts = look.pipelines[key]
                assert (end.name, end.stage, end.rag, end.rtb_date) == tuple(
                    facts[name] for name in ("name", "stage", "rag", "rtb")
                )
                size = end.capacity or Capacity()
                assert size.mw == look.mw(facts["holds"])
                assert size.storage_mw == look.storage(facts["holds"])
        if kind in ("slipped", "earlier"):
            assert change.days == (change.now.rtb_date - change.was.rtb_date).days
    for kind, total in found.totals().items():
        look = one if kind == "removed" else other
        keys = {key for key, of_kind in expected if of_kind == kind}
        assert total.pipelines == len(keys)
        facilities = set().union(*(look.pipelines[key]["holds"] for key in keys))
        assert total.capacity.mw == look.mw(facilities)
    assert set(found.totals()) == {kind for _, kind in expected}
    slips = [change.days for change, kind in reported.items() if kind == "slipped"]
    assert slips == sorted(slips, reverse=True)
    assert found.pipelines() == len({key for key, _ in expected})
    first = found.first(2)
    assert all(first[kind] == found.of_kind(kind, 0, 2) for kind in found.totals())
    return {kind for _, kind in expected}


def steps_of(one: Look, other: Look, selected_before, selected_after) -> dict[str, dict]:
    """The change in MW of each facility by its step."""
    steps = defaultdict(dict)
    for facility in {*one.facilities, *other.facilities}:
        was, now = (
            {
                pipeline["state"] if key in selected else "outside filter"
                for key, pipeline in look.pipelines.items()
                if facility in pipeline["holds"]
            }
            for look, selected in ((one, selected_before), (other, selected_after))
        )
        if "open" in was and "open" in now:
            if one.facilities[facility][:2] != other.facilities[facility][:2]:
                steps["revised"][facility] = other.mw([facility]) - one.mw([facility])
        elif "open" in was:
            order = ("completed", "on hold", "sold", "ended", "outside filter")
            code = next((name for name in order if name in now), "removed")
            code = "out of filter" if code == "outside filter" else code
            steps[code][facility] = -one.mw([facility])
        elif "open" in now:
            order = {"on hold": "off hold", "outside filter": "into filter"}
            order = dict.fromkeys(("completed", "sold", "ended"), "reopened") | order
            names = ("on hold", "completed", "sold", "ended", "outside filter")
            code = next((order[name] for name in names if name in was), "")
            if not code:
                owners = {
                    key
                    for key, pipeline in other.pipelines.items()
                    if facility in pipeline["holds"]
                    and pipeline["state"] == "open"
                    and key in selected_after
                }
                is_back = bool(owners & (one.ever - one.pipelines.keys()))
                code = "restored" if is_back else "new"
            steps[code][facility] = other.mw([facility])
    return steps


def check_step(found, step, facilities, look, selected):
    """The total equals that of the walk, and each counted pipeline is there with its facilities."""
    total = found.step_total()
    assert total == step
    assert total.change.mw == sum(facilities.values())
    expected = {}
    for key in selected:
        mine = facilities.keys() & look.pipelines[key]["holds"]
        if mine and look.pipelines[key]["state"] == "open":
            expected[key] = len(mine), sum(facilities[one] for one in mine)
    found_pipelines = found.step_pipelines(0, 1000)
    assert {one.pipeline_id: (one.facilities, one.change.mw) for one in found_pipelines} == expected
    assert found.step_pipeline_count() == len(found_pipelines) == len(expected)
    sizes = [abs(one.change.mw) for one in found_pipelines]
    assert sizes == sorted(sizes, reverse=True)
    return found_pipelines


def make_cast() -> dict[str, Pipeline]:
    make_pipeline("basis", capacity_mw=50, technology="hydro")
    return {
        name: make_pipeline(
            name, capacity_mw=number, **{"stage": "design", "rtb_date": date(2026, 3, 9), **values}
        )
        for number, (name, (values, _)) in enumerate(CAST.items(), start=1)
    }


def play_cast(cast: dict[str, Pipeline]) -> None:
    for name, (_, values) in CAST.items():
        if name == "restored":
            continue
        for field, value in values.items():
            setattr(cast[name], field, Stage.objects.get(code=value) if field == "stage" else value)
        cast[name].save()
    resize(cast["resized"], 99)
    cast["removed"].delete()
    bring_back(cast["restored"])
    make_pipeline("New", capacity_mw=7)
    hydro = Technology.objects.get(code="hydro")
    hydro.capacity_basis = "dc"
    hydro.save()


def bring_back(pipeline: Pipeline) -> None:
    pipeline.pk, facilities = pipeline.kept
    pipeline.version = 1
    pipeline._state.adding = True
    pipeline.save()
    for facility in facilities:
        PipelineFacility.objects.create(pipeline=pipeline, facility=facility)


def play_on(cast: dict[str, Pipeline]) -> None:
    """Write later changes, so that the last write of a pipeline is not that of each kind."""
    held = cast["on-hold"]
    held.stage = Stage.objects.get(code="procurement")
    held.save()
    resize(cast["resized"], 98)


def resize(pipeline: Pipeline, mw: int) -> None:
    facility = pipeline.facilities.get()
    facility.capacity_mw = mw
    facility.save()


def test_any_two_days_of_a_played_history(monkeypatch, portfolio_manager):
    clock, player = Clock(monkeypatch), Planner(7, portfolio_manager)
    looks, ends = [], {}

    def write(action):
        reason = f"Write {len(looks)}"
        with audit.change_set(person=portfolio_manager, reason=reason):
            written = action()
        looks.append((reason, Look()))
        clock.tick()
        return written

    for number in range(10):
        day = FIRST_DAY + timedelta(days=number)
        clock.begin(day)
        if number < 8:
            for _ in range(8):
                write(player.add if number == 0 else player.write)
        elif number == 8:
            cast = write(make_cast)
            gone = cast["restored"]
            gone.kept = gone.pk, list(gone.facilities.all())
            write(gone.delete)
        else:
            write(partial(play_cast, cast))
            write(partial(play_on, cast))
        if number in (3, 8, 9):
            ends[day] = len(looks)
    clock.moment = datetime(2026, 6, 1, 9, tzinfo=UTC)
    kinds, steps = set(), set()
    for start, end in combinations(ends, 2):
        between = looks[ends[start] - 1 : ends[end]]
        one, other = between[0][1], between[-1][1]
        for select in (Pipeline.objects.all, lambda: Pipeline.objects.filter(rag_status="red")):
            everything = select == Pipeline.objects.all
            selected_before, selected_after = (
                set(look.pipelines) if everything else look.rated("red") for look in (one, other)
            )
            with (
                metrics.portfolio(select, start) as before,
                metrics.portfolio(select, end, before=before) as now,
            ):
                with metrics.changes(before, now) as found:
                    kinds |= check_kinds(
                        found,
                        between,
                        lambda key, one=selected_before, two=selected_after, gone=other.pipelines: (
                            key in two or (key in one and key not in gone)
                        ),
                    )
                moved = steps_of(one, other, selected_before, selected_after)
                for step in metrics.walk(before, now).steps:
                    leaves = step.code in LEAVING
                    side = (one, selected_before) if leaves else (other, selected_after)
                    with metrics.changes(before, now, step=step.code) as found:
                        for line in check_step(found, step, moved[step.code], *side):
                            reported = {change.kind for change in line.changes}
                            assert reported == kinds_of(line.pipeline_id, one, other)
                steps |= {code for code, facilities in moved.items() if facilities}
    assert kinds == set(KINDS)
    assert steps == set(STEPS)
