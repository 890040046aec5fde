"""Sums of groups, from rows that are made here instead of read."""

import pytest

from dashboard.metrics.columns import STATE_KEYS, Column, Condition
from dashboard.metrics.sums import SEVERAL, SharedRow, SumRow, Sums
from pipelines.querysets import OPEN, WHOLE

#: More facilities than are added up at a time.
MANY = 3 * SEVERAL + 1


@pytest.fixture(scope="module")
def sums():
    """Facilities of 1 MW, each in two pipelines, of which every third has one overdue pipeline; and
    a pipeline with 5 MW of its own."""
    facilities = tuple(
        tuple(
            SharedRow(
                keys=(OPEN, int(place and number % 3 == 0), 0),
                first_row=1,
                basis="ac",
                pipeline=f"pipeline {number} {place}",
                facility=f"facility {number}",
                is_storage=0,
                kw=1000,
                kwh=None,
                ownership=WHOLE,
                probability=None,
            )
            for place in range(2)
        )
        for number in range(MANY)
    )
    own = SumRow((OPEN, 0, 0), "ac", 1, 1, (1, 1, 5000, 0, 0, 5000 * WHOLE, 0, 0, 0))
    return Sums((own,), facilities, STATE_KEYS)


def test_a_facility_of_two_pipelines_counts_once_in_each_group(sums):
    overdue = len(range(0, MANY, 3))
    total = sums.totals_by()[()]
    assert (total.pipelines, total.capacity.mw) == (2 * MANY + 1, MANY + 5)
    groups = sums.totals_by(Column.OVERDUE)
    assert (groups[0,].pipelines, groups[0,].capacity.mw) == (2 * MANY + 1 - overdue, MANY + 5)
    assert (groups[1,].pipelines, groups[1,].capacity.mw) == (overdue, overdue)


def test_for_totals_the_totals_are_the_same(sums):
    alone = Sums.for_totals(iter(sums.rows), iter(sums.facilities), sums.keys)
    assert alone.totals_by(Column.STATE) == sums.totals_by(Column.STATE)
    assert alone.totals_by(where=[Condition.IS_OVERDUE]) == sums.totals_by(
        where=[Condition.IS_OVERDUE]
    )


def test_changed_the_totals_are_those_of_the_new_rows(sums):
    (one, other), *others = sums.facilities
    larger = one._replace(kw=3000), other._replace(kw=3000)
    [own] = sums.rows
    known = Sums.for_totals(sums.rows, sums.facilities, sums.keys)
    changed = known.changed([-own], [((one, other), larger), (others[0], ())])
    now = Sums((), (larger, *others[1:]), sums.keys)
    assert changed.totals_by(Column.OVERDUE) == now.totals_by(Column.OVERDUE)
    assert changed.totals_by() == now.totals_by()
