"""Figures from the tables are the product's on any day, and what differs is named."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from dashboard import metrics
from dashboard.warehouse import capacity, figures, records, tables
from dashboard.warehouse.checking import Tables, check
from dashboard.warehouse.delta import Writer
from oegen import audit
from oegen.core import clock
from pipelines.models import Facility, Pipeline, PipelineFacility, Stage
from tests.support.builders import make_facility, make_pipeline
from tests.support.portfolios import make_random_portfolio

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("few_models")]


def make_past() -> None:
    """Writes that are dated on earlier days: a link before its facility was known, too."""

    def at(days: int):
        # At noon: a number of hours ago may be on another day when the clocks have changed since.
        when = clock.start_of(clock.today() - timedelta(days=days)) + timedelta(hours=12)
        return audit.change_set(source=audit.Source.IMPORT, recorded_at=when)

    with at(60):
        old = make_pipeline("Old", capacity_mw=Decimal("12.5"), stage="design")
    with at(50):
        old.stage = Stage.objects.get(code="procurement")
        old.probability_pct, old.probability_reason = 60, "Permit"
        old.probability_expires_on = clock.today() - timedelta(days=30)
        old.rtb_date = clock.today() - timedelta(days=20)
        old.save()
    with at(5):
        late = make_facility("Late", "wind", capacity_mw=7)
    with at(40):
        PipelineFacility.objects.create(pipeline=old, facility=late)
    with at(10):
        make_pipeline("Removed since", capacity_mw=9).delete()


@pytest.fixture
def written(warehouse):
    make_random_portfolio(5, size=12)
    make_past()
    warehouse.sync()
    return warehouse


def test_figures_are_the_products_on_any_day(written):
    result = check(written.destination, days=6, seed=1)
    assert result.differences == []
    assert (result.days, result.figures > 500) == (6, True)


def test_the_history_alone_gives_the_same_total(written):
    read = Tables(written.destination)
    for model in (Stage, Facility, Pipeline, PipelineFacility):
        name = f"history_{model._meta.model_name}"
        read._engine.register(name, written.table(name))
    for days in (0, 4, 6, 20, 39, 41, 45, 55, 61):
        day = clock.today() - timedelta(days=days)
        [row] = read.file("open_capacity_from_history", day)
        with metrics.portfolio(Pipeline.objects.all, day) as then:
            capacity = metrics.headline(then).open.capacity
        assert (row["facilities"], row["capacity_mw"] or 0) == (capacity.facilities, capacity.mw)
        known = {record["id"] for record in read.file("pipelines_as_of", day)}
        assert len(known) == sum(row["projects"] for row in read.file("projects", day))


def test_what_differs_is_named_with_its_facilities(written):
    facility = Facility.objects.exclude(capacity_mw=None).filter(
        pipelines__project_name="Old", name="Old"
    )[0]
    rows = written.rows("facts_project_facility")
    for row in rows:
        if row["facility_id"] == str(facility.pk):
            row["capacity_mw"] += 1
    values = [tuple(row.values()) for row in rows]
    Writer(written.destination, 1).overwrite(
        tables.FACTS_PROJECT_FACILITY,
        lambda: records.batches(tables.FACTS_PROJECT_FACILITY, values),
    )
    result = check(written.destination, days=1, seed=1)
    assert any("capacity_mw of stage procurement is " in one for one in result.differences)
    assert any(
        f"{facility.pk} 13.500 in the tables, 12.5 here" in one for one in result.differences
    )


def test_figures_of_past_days_are_computed_again_where_a_write_is_dated_back(written, monkeypatch):
    monkeypatch.setattr(figures, "DAYS_KEPT", 5)
    written.sync()
    rows = written.rows("metric_values_daily")
    days = {row["day"] for row in rows}
    assert len(days) == 5
    day = clock.today() - timedelta(days=3)
    with metrics.portfolio(Pipeline.objects.all, day) as then:
        mw = metrics.headline(then).open.capacity.mw
    [row] = [
        row
        for row in rows
        if (row["day"], row["figure"], row["row_number"], row["measure"])
        == (day, "open-capacity", 0, "value")
    ]
    assert row["value"] == mw
    version = written.table("metric_values_daily").version()
    written.sync()
    assert written.table("metric_values_daily").version() == version
    with audit.change_set(source=audit.Source.IMPORT, recorded_at=datetime.now(UTC) - timedelta(3)):
        make_pipeline("Known then", capacity_mw=100, stage="design")
    written.sync()
    after = {
        row["day"]: row["value"]
        for row in written.rows("metric_values_daily")
        if (row["figure"], row["row_number"], row["measure"]) == ("open-capacity", 0, "value")
    }
    before = {
        row["day"]: row["value"]
        for row in rows
        if (row["figure"], row["row_number"], row["measure"]) == ("open-capacity", 0, "value")
    }
    assert {one: after[one] - before[one] for one in after} == {
        one: 100 if one >= day else 0 for one in after
    }


def test_capacity_of_each_day_is_what_the_facts_and_the_product_say(written, monkeypatch):
    monkeypatch.setattr(capacity, "DAYS_KEPT", 70)
    written.sync()
    rows = written.rows("capacity_daily")
    assert len({row["day"] for row in rows}) == 60
    for days in (1, 6, 30, 45):
        day = clock.today() - timedelta(days=days)
        found = {
            (row["dimension"], row["value"]): (row["facilities"], row["capacity_mw"])
            for row in rows
            if row["day"] == day
        }
        with metrics.portfolio(Pipeline.objects.all, day) as then:
            total = metrics.headline(then).open.capacity
            stages = [one for one in metrics.by_status(then) if one.is_open]
        assert found["total", ""] == (total.facilities, total.mw)
        for one in stages:
            if one.total.capacity.facilities:
                expected = (one.total.capacity.facilities, one.total.capacity.mw)
                assert found["stage", one.code] == expected
    past = clock.today() - timedelta(days=20)
    with audit.change_set(source=audit.Source.IMPORT, recorded_at=clock.end_of(past)):
        make_pipeline("Known then", capacity_mw=100, stage="design")
    versions = {row["day"]: row["change_set"] for row in rows}
    written.sync()
    after = {row["day"]: row["change_set"] for row in written.rows("capacity_daily")}
    assert {day for day in after if after[day] != versions[day]} == {
        day for day in after if day > past
    }
    version = written.table("capacity_daily").version()
    make_pipeline("Known today", capacity_mw=1)
    written.sync()
    assert written.table("capacity_daily").version() == version


def test_days_that_another_sync_writes_meanwhile_are_there_once(written, monkeypatch):
    monkeypatch.setattr(capacity, "DAYS_KEPT", 25)
    make, others = capacity._batches, []

    def overtaken(destination, days, number):
        """Before the second commit of this sync, the other one writes the rest."""
        others.append(days)
        if len(others) == 2:
            written.sync()
        return make(destination, days, number)

    monkeypatch.setattr(capacity, "_batches", overtaken)
    written.sync()
    assert len(others) > 2
    keys = [(row["day"], row["dimension"], row["value"]) for row in written.rows("capacity_daily")]
    assert len(keys) == len(set(keys))
    assert len({day for day, _, _ in keys}) == 25
