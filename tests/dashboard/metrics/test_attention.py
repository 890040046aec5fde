"""What needs attention, and why: against plain Python, live and from a later day, in lists."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from dashboard import metrics
from oegen.asof import as_of
from oegen.models import User
from oegen.people import roles
from pipelines.choices import Reason
from pipelines.facts.intervals import FOREVER
from pipelines.models import (
    Facility,
    Gate,
    GateSet,
    Milestone,
    MilestoneKind,
    Pipeline,
    RegisterFinding,
    Stage,
    Technology,
)
from pipelines.querysets import ANY_REASON
from tests.dashboard.metrics.reference import Reference
from tests.support.builders import make_pipeline, make_user
from tests.support.portfolios import TODAY, make_random_portfolio

pytestmark = pytest.mark.django_db

#: The day that attention compares with.
MONTH_AGO = date(2026, 5, 30)


@pytest.fixture
def at(monkeypatch):
    def at(day: date):
        moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        monkeypatch.setattr(timezone, "now", lambda: moment)

    return at


def shuffle(seed: int) -> None:
    rng = random.Random(seed)
    person = User.objects.first() or make_user(roles.MANAGERS, "morgan")
    for pipeline in Pipeline.objects.filter(outcome="active", stage__is_terminal=False):
        pipeline.rag_status = rng.choice([pipeline.rag_status, "", "red", "amber", "green"])
        if pipeline.rtb_date and rng.random() < 0.5:
            pipeline.rtb_date += timedelta(days=rng.choice([-40, 30, 31, 90]))
        pipeline.responsible = rng.choice([person, person, None])
        pipeline.on_hold = rng.random() < 0.2
        pipeline.on_hold_reason = "Grid" if pipeline.on_hold else ""
        pipeline.save()


def mark_milestones(seed: int) -> None:
    """Milestones of every state, and gates that depend on technology and country."""
    rng = random.Random(seed)
    wind = Technology.objects.get(code="wind")
    kinds = {kind.code: kind for kind in MilestoneKind.objects.all()}
    for technology, country, codes in (
        (wind, "ES", ["grid-offer"]),
        (None, "ES", ["site-secured"]),
        (Technology.objects.get(code="solar"), "", []),
    ):
        gates = GateSet.objects.create(
            name=f"{technology} {country}", code=str(rng.random())[2:], technology=technology,
            country=country,
        )  # fmt: skip
        for code in codes:
            Gate.objects.create(gate_set=gates, kind=kinds[code])
    for facility in Facility.objects.order_by("name"):
        facility.country = rng.choice(["", "ES", "ES", "GB"])
        facility.save()
    for pipeline in Pipeline.objects.order_by("project_name"):
        for code in ("site-secured", "grid-offer", "planning-granted", "rtb"):
            if rng.random() < 0.35:
                continue
            is_rtb, has_happened = code == "rtb", rng.random() < 0.7
            day = TODAY - timedelta(days=rng.choice([0, 1, 30]))
            Milestone.objects.create(
                pipeline=pipeline,
                kind=kinds[code],
                forecast_on=None if is_rtb else rng.choice([None, day]),
                actual_on=day if has_happened and not is_rtb else None,
                is_actual=is_rtb and rng.random() < 0.3,
                evidence_note=rng.choice(["", "Permit", "Permit"]),
            )


def find_in_registers(seed: int) -> None:
    """Findings that stand, are over, and are of a later day."""
    rng = random.Random(seed)
    now = timezone.now()
    RegisterFinding.objects.bulk_create(
        RegisterFinding(
            pipeline_id=pipeline.pk,
            project_id=pipeline.pk,
            kind=kind,
            valid_from=now - timedelta(days=2),
            valid_until=FOREVER if rng.random() < 0.7 else now - timedelta(days=1),
            begins_on=rng.choice([None, TODAY, TODAY + timedelta(days=1)]),
        )
        for pipeline in Pipeline.objects.order_by("project_name")
        for kind in ("ended", "stage", "place")
        if rng.random() < 0.3
    )


def attention(limit: int = 10, select=Pipeline.objects.all):
    with metrics.portfolio(select) as now:
        return metrics.attention(now, limit)


def test_every_reason_equals_the_reference_live_and_later(at, as_manager):
    at(MONTH_AGO - timedelta(days=40))
    make_random_portfolio(6, size=48)
    reference = Reference(MONTH_AGO)
    was = {one.pk: (one.rag_status, one.rtb_date) for one in reference.open()}
    at(TODAY - timedelta(days=3))
    shuffle(2)
    mark_milestones(4)
    find_in_registers(5)
    at(TODAY)
    reference = Reference(TODAY)
    wanted = reference.reasons(was)
    counts = Counter(code for codes in wanted.values() for code in codes)
    assert counts.keys() == {str(reason) for reason in Reason}

    def check():
        found = attention(limit=100)
        assert {one.pipeline_id: tuple(map(str, one.reasons)) for one in found.first} == wanted
        assert found.pipelines == len(wanted)
        assert {str(reason): number for reason, number in found.by_reason.items()} == counts
        urgent = {"red", "worsened", "overdue", "slipped", "missed", "register-ended"}
        assert found.urgent == sum(not urgent.isdisjoint(codes) for codes in wanted.values())
        places = [
            (urgent.isdisjoint(map(str, one.reasons)), -1 if one.mw is None else one.mw)
            for one in found.first
        ]
        assert places == sorted(places, key=lambda place: (place[0], -place[1]))
        assert attention(limit=3).first == found.first[:3]
        for codes in (*([code] for code in counts), ["red", "waiting"], [ANY_REASON]):
            listed = Pipeline.objects.needing_attention(*codes).values_list("pk", flat=True)
            assert set(listed) == {
                key
                for key, reasons in wanted.items()
                if ANY_REASON in codes or {*codes} & {*reasons}
            }
        rows = Pipeline.objects.with_reasons()
        assert {
            row.pk: tuple(row.reason_codes.split()) for row in rows if row.reason_codes
        } == wanted

    check()
    some = attention(select=lambda: Pipeline.objects.filter(rag_status="red"))
    assert some.pipelines == some.by_reason[Reason.RED] == counts["red"]

    answer = as_manager.get(
        f"{reverse('pipelines')}?attention=red&attention=overdue&columns=attention&download=csv"
    )
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert len(lines) - 1 == sum(bool({"red", "overdue"} & {*codes}) for codes in wanted.values())
    assert all("Red" in line or "Overdue" in line for line in lines[1:])

    at(TODAY + timedelta(days=50))
    RegisterFinding.objects.filter(valid_until=FOREVER).update(valid_until=timezone.now())
    shuffle(3)
    make_pipeline("Came later", rag_status="red")
    waiting = next(key for key, reasons in wanted.items() if "waiting" in reasons)
    moved = Pipeline.objects.get(pk=waiting)
    moved.stage = Stage.objects.exclude(pk=moved.stage_id).filter(is_terminal=False).first()
    moved.save()
    with as_of(TODAY):
        check()
    with metrics.portfolio(Pipeline.objects.all, TODAY) as then:
        # As the digest reads it: a day of its own, in the present.
        found = metrics.attention(then, 100)
    assert {one.pipeline_id: tuple(map(str, one.reasons)) for one in found.first} == wanted


def test_no_one_responsible_counts_once_somebody_is_responsible_for_another(db):
    make_pipeline("Theirs", rag_status="green", capacity_mw=1, rtb_date=date(2040, 1, 1))
    assert attention().pipelines == 0
    person = make_user(roles.MANAGERS, "morgan")
    make_pipeline("Mine", rag_status="green", responsible=person, next_step="Sign the lease")
    assert attention().by_reason[Reason.NOBODY] == 1


def test_nothing_needs_attention_where_nothing_is(db):
    found = attention()
    assert (found.pipelines, found.first) == (0, ())
    assert set(found.by_reason.values()) == {0}
    assert not Pipeline.objects.needing_attention(ANY_REASON).exists()
