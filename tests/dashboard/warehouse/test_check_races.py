"""Somebody writes, or syncs, while the tables are compared with the product, or written."""

import pytest

from dashboard import metrics
from dashboard.warehouse import checking, records, syncing, tables
from dashboard.warehouse.checking import Tables, check
from dashboard.warehouse.delta import Writer
from dashboard.warehouse.syncing import OtherChainError
from oegen.models import ChangeSet
from tests.support.builders import make_pipeline
from tests.support.databases import elsewhere

pytestmark = pytest.mark.usefixtures("transactional_db", "few_models")


def newest() -> int:
    return ChangeSet.objects.latest("number").number


@pytest.fixture
def written(warehouse):
    make_pipeline("First", capacity_mw=40, stage="design")
    warehouse.sync()
    return warehouse


def test_both_sides_of_a_comparison_are_of_one_moment(written, monkeypatch):
    headline = metrics.headline

    def read_between_writes(now):
        elsewhere(lambda: make_pipeline("Second", capacity_mw=60))
        found = headline(now)
        elsewhere(lambda: make_pipeline("Third", capacity_mw=7, stage="design"))
        return found

    monkeypatch.setattr(metrics, "headline", read_between_writes)
    result = check(written.destination, days=2, seed=1)
    assert result.differences == []
    assert result.figures > 0
    assert not Tables(written.destination).contain(newest())


def test_tables_that_another_sync_brings_beyond_the_moment_are_compared_later(written, monkeypatch):
    opened, overtaken = checking.open_table, []

    def overtaking(*args):
        if not overtaken:
            overtaken.append(elsewhere(lambda: make_pipeline("Second", capacity_mw=60)))
            elsewhere(written.sync)
        return opened(*args)

    monkeypatch.setattr(checking, "open_table", overtaking)
    assert check(written.destination, days=1).differences == []
    assert Tables(written.destination).contain(newest())


def test_a_sync_that_another_overtakes_goes_on(written, monkeypatch):
    require_same_chain, overtaken = syncing._Run._require_same_chain, []

    def overtaking(self):
        if not overtaken:
            overtaken.append(elsewhere(lambda: make_pipeline("Second", capacity_mw=60)))
            elsewhere(written.sync)
        require_same_chain(self)

    make_pipeline("Before", capacity_mw=1)
    monkeypatch.setattr(syncing._Run, "_require_same_chain", overtaking)
    assert written.sync().number == newest()


def test_a_check_of_a_restored_back_up_is_refused(written):
    row = [(10_000, "an id", None, None, None, None, None, None, None, "seal of another chain")]
    ahead = Writer(written.destination, 10_000)
    ahead.append(tables.CHANGE_SETS, lambda after: records.batches(tables.CHANGE_SETS, row))
    make_pipeline("After it", capacity_mw=1)
    with pytest.raises(OtherChainError, match=r"change set 10,000.*--full"):
        check(written.destination, days=1)
