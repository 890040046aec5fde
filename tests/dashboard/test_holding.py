"""The dashboard while an import is written in parts."""

import pytest

from dashboard import holding, metrics
from oegen.audit import long_writes
from oegen.audit.long_writes import long_write
from oegen.core import caching, clock
from pipelines.models import Pipeline
from tests.support.builders import make_pipeline

pytestmark = pytest.mark.django_db


def test_figures_are_held_while_parts_are_written_and_say_so(as_manager):
    make_pipeline("Before", capacity_mw=10)
    with long_write(parts=2) as goes_on:
        make_pipeline("First part", capacity_mw=20)
        goes_on()
        assert "An import is being written" in page(as_manager)
        make_pipeline("Second part", capacity_mw=40)
        goes_on()
        meanwhile = page(as_manager)
        # Each tab and filter is of the time at which somebody first asked for it.
        assert "70" in as_manager.get("/", {"tab": "capacity"}).content.decode()
    assert "1 open, 10.0 MW" in meanwhile
    after = page(as_manager)
    assert "3 open, 70.0 MW" in after
    assert "An import is being written" not in after


def page(client) -> str:
    return client.get("/", headers={"HX-Request": "true", "HX-Target": "results"}).content.decode()


def test_a_write_in_one_part_holds_nothing():
    with long_write(parts=1):
        assert long_writes.long_write_since() is None


def test_a_write_whose_worker_died_is_over_after_a_while(monkeypatch):
    monkeypatch.setattr(long_writes, "SILENCE", 0)
    with long_write(parts=2):
        assert long_writes.long_write_since() is None


def test_the_first_figures_afterwards_are_prepared(monkeypatch):
    make_pipeline(capacity_mw=10)
    with long_write(parts=2):
        make_pipeline(capacity_mw=20)
    since = clock.a_month_before(clock.today())
    monkeypatch.setattr(caching, "write", None)
    found = metrics.overview(Pipeline.objects.all, since, holding.FIRST_TAB, filters="")
    assert found.answer.headline.open.capacity.mw == 30


def test_what_only_prepares_pages_does_not_end_a_long_write(monkeypatch, caplog):
    def fails(*args, **kwargs):
        raise RuntimeError("No figures today")

    monkeypatch.setattr(holding, "_prepare", fails)
    with long_write(parts=2):
        make_pipeline("Written", capacity_mw=20)
    assert Pipeline.objects.filter(project_name="Written").exists()
    assert caplog.text.count("No figures today") >= 2


def test_totals_of_lists_are_held_and_rows_are_not(as_manager):
    with long_write(parts=3) as goes_on:
        assert "0</b> pipelines" in rows(as_manager)
        for number, total in enumerate(("1</b> pipeline", "1</b> pipeline")):
            make_pipeline(f"Moor {number}", capacity_mw=10)
            goes_on()
            meanwhile = rows(as_manager)
            assert total in meanwhile
            assert f"Moor {number}" in meanwhile
            assert "while an import is being written" in meanwhile
    after = rows(as_manager)
    assert "2</b> pipelines" in after
    assert "while an import" not in after


def rows(client) -> str:
    return client.get("/pipelines/", headers={"HX-Request": "true"}).content.decode()
