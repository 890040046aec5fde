"""Portfolios to test metrics with."""

import random
from datetime import date, timedelta
from decimal import Decimal

from django.db import connection

from infopoints.models import InformationPointPipeline
from oegen import audit
from pipelines.models import (
    CounterpartyRole,
    PipelineCounterparty,
    PipelineFacility,
    Stage,
    StageTransition,
)
from tests.support.builders import (
    make_counterparty,
    make_facility,
    make_information_point,
    make_pipeline,
)

#: The day for which the names in ``make_awkward_portfolio`` are right.
TODAY = date(2026, 6, 30)


def make_awkward_portfolio() -> None:
    """Create the edge cases of totals: shared, missing, empty, zero, mixed, ended."""
    shared = make_facility("Shared battery", "bess", capacity_mw=Decimal("10.125"), storage_mwh=20)
    solar = make_pipeline(
        "Solar and storage",
        capacity_mw=Decimal("50.5"),
        rag_status="red",
        rtb_date=date(2027, 3, 1),
    )
    twin = make_pipeline(
        "Twin of it",
        stage="procurement",
        technology="wind",
        capacity_mw=30,
        rag_status="red",
        rtb_date=date(2027, 9, 1),
    )
    other_year = make_pipeline(
        "Same battery, later", capacity_mw=7, rag_status="green", rtb_date=date(2030, 1, 1)
    )
    for pipeline in (solar, twin, other_year):
        PipelineFacility.objects.create(pipeline=pipeline, facility=shared)
    make_pipeline("No facility", rag_status="amber", rtb_date=date(2028, 1, 1))
    make_pipeline("No date", technology="offshore-wind", capacity_mw=400)
    make_pipeline("Overdue", technology="onshore-wind", capacity_mw=12, rtb_date=date(2026, 1, 2))
    make_pipeline(
        "Held in Construction",
        stage="construction",
        on_hold=True,
        capacity_mw=60,
        rtb_date=date(2025, 1, 1),
    )
    make_pipeline(
        "Late but building", stage="construction", capacity_mw=9, rtb_date=date(2025, 5, 5)
    )
    make_pipeline("Withdrawn", outcome="withdrawn", capacity_mw=500, rag_status="red")
    make_pipeline("Built", stage="completed", capacity_mw=80, rtb_date=date(2024, 1, 1))
    make_pipeline("Nothing yet", capacity_mw=0, rag_status="green")
    unknown = make_pipeline("Unknown size")
    PipelineFacility.objects.create(pipeline=unknown, facility=make_facility(technology="solar"))


def make_random_portfolio(seed: int, size: int = 40) -> None:
    """Create random values of everything that a metric reads: shared facilities, shares that add up
    to more or less than 100 %, probabilities of all kinds, moves in both directions."""
    rng = random.Random(seed)
    for code, probability in (("discovery", 10), ("construction", Decimal("90.5"))):
        Stage.objects.filter(code=code).update(default_probability_pct=probability)
    counterparties = [make_counterparty(f"Company {number}") for number in range(14)]
    facilities = [
        make_facility(
            f"Plant {number}",
            technology := rng.choice(["solar", "wind", "offshore-wind", "bess"]),
            capacity_mw=rng.choice([None, 0, Decimal(rng.randint(1, 400_000)) / 1000]),
            storage_mwh=rng.choice([None, 20]) if technology == "bess" else None,
        )
        for number in range(size)
    ]
    points = [
        make_information_point(impact=rng.randint(1, 100), status=status)
        for status in ("open", "watching", "closed") * 5
    ]
    roles = list(CounterpartyRole.objects.all())
    for number in range(size):
        pipeline = _random_pipeline(rng, f"Project {number}")
        for facility in rng.sample(facilities, rng.choice([0, 1, 1, 1, 2, 3])):
            PipelineFacility.objects.create(pipeline=pipeline, facility=facility)
        for role in rng.sample(roles, rng.choice([0, 1, 2, 3])):
            PipelineCounterparty.objects.create(
                pipeline=pipeline,
                counterparty=rng.choice(counterparties),
                role=role,
                share_pct=rng.choice([None, None, 0, 30, Decimal("66.67"), 100]),
            )
        for point in rng.sample(points, rng.choice([0, 0, 1, 3])):
            InformationPointPipeline.objects.create(information_point=point, pipeline=pipeline)
    analyze_tables()


def analyze_tables() -> None:
    """Update PostgreSQL's statistics. Autovacuum does not see the rows of the open transaction, so
    the planner would take the tables for empty and choose nested loops."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Named, because ANALYZE of all tables includes those that the databases of a server
            # share, and other workers would wait for them until this transaction ends.
            cursor.execute(f"ANALYZE {', '.join(connection.introspection.table_names(cursor))}")


def _random_pipeline(rng: random.Random, name: str):
    stage = rng.choice(["discovery", "design", "procurement", "construction", "completed"])
    on_hold = stage != "completed" and rng.random() < 0.2
    own = rng.random() < 0.4
    pipeline = make_pipeline(
        name,
        stage=stage,
        on_hold=on_hold,
        on_hold_reason="Grid" if on_hold else "",
        outcome="active" if rng.random() < 0.8 else rng.choice(["withdrawn", "refused", "sold"]),
        rag_status=rng.choice(["", "red", "amber", "green"]),
        rtb_date=rng.choice([None, TODAY, TODAY + timedelta(days=rng.randint(-2500, 2500))])
        if stage != "completed"
        else TODAY - timedelta(days=rng.randint(0, 3000)),
        ownership_pct=rng.choice([100, 100, 0, Decimal("33.33"), 50]),
        probability_pct=rng.choice([0, Decimal("12.5"), 80]) if own else None,
        probability_reason="We think so" if own else "",
        probability_expires_on=rng.choice([None, TODAY, TODAY - timedelta(days=1)]),
    )
    pipeline.transitions.all().delete()
    day = TODAY - timedelta(days=2000)
    codes = ["discovery", "design", "procurement", "construction"]
    with audit.change_set(reason="Moves"):
        for _ in range(rng.randint(0, 5)):
            day += timedelta(days=rng.choice([0, rng.randint(1, 300)]))
            _move(pipeline, rng.choice(codes), day, on_hold=rng.random() < 0.3)
        day += timedelta(days=rng.randint(0, 300))
        _move(pipeline, stage, day, on_hold=on_hold, outcome=pipeline.outcome)
    return pipeline


def _move(pipeline, code: str, day: date, *, on_hold: bool, outcome: str = "active") -> None:
    StageTransition.objects.create(
        pipeline=pipeline,
        stage=Stage.objects.get(code=code),
        on_hold=on_hold,
        outcome=outcome,
        effective_on=day,
    )
