"""The sums of the sets of open capacity are the figures of the dashboard."""

from collections import defaultdict
from contextlib import nullcontext

import pytest

from dashboard import metrics
from oegen.api.odata.query import read_page, read_query
from oegen.api.odata.sets import SETS
from oegen.asof import as_of
from oegen.core import clock
from pipelines.models import Pipeline
from tests.support.portfolios import make_awkward_portfolio, make_random_portfolio

pytestmark = pytest.mark.django_db


def rows_of(name: str) -> list[dict]:
    page = read_page(read_query(SETS[name], [], personal=False))
    names = [column.name for column in page.columns]
    converters = [column.type.to_json or (lambda value: value) for column in page.columns]
    return [
        {
            name: value if value is None else to_json(value)
            for name, to_json, value in zip(names, converters, row, strict=True)
        }
        for row in page.rows
    ]


def plain_sums(rows: list[dict], key: str, measure: str) -> dict:
    sums: dict = defaultdict(float)
    for row in rows:
        sums[row[key] if key else ""] += row[measure] or 0
    # Rows are rounded to a tenth of a watt each.
    return {group: pytest.approx(value, abs=1e-4) for group, value in sums.items()}


def distinct_sums(rows: list[dict], key: str, measure: str) -> dict:
    """The measure of OpenCapacityByProject: the sum over distinct facilities of the maximum."""
    highest: dict = defaultdict(float)
    for row in rows:
        place = row[key] if key else "", row["facility_id"]
        highest[place] = max(highest[place], row[measure] or 0)
    sums: dict = defaultdict(float)
    for (group, _), value in highest.items():
        sums[group] += value
    # Rows are rounded to a tenth of a watt each.
    return {group: pytest.approx(value, abs=1e-4) for group, value in sums.items()}


def measures(total: metrics.Total) -> dict[str, float]:
    return {
        "capacity_mw": float(total.capacity.mw),
        "storage_mwh": float(total.capacity.storage_mwh),
        "net_mw": float(total.net.mw),
        "gross_weighted_mw": float(total.weighted.mw),
        "net_weighted_mw": float(total.net_weighted.mw),
    }


@pytest.fixture(scope="module", params=["awkward", 7])
def portfolio(request, module_db) -> None:
    if request.param == "awkward":
        make_awkward_portfolio()
    else:
        make_random_portfolio(request.param)


@pytest.mark.parametrize("is_past", [False, True])
def test_sums_are_the_figures_of_the_dashboard(portfolio, is_past):
    with as_of(clock.today()) if is_past else nullcontext():
        facilities, projects = rows_of("OpenCapacity"), rows_of("OpenCapacityByProject")
        held = rows_of("OpenCapacityByHolder")
        with metrics.portfolio(Pipeline.objects.all) as now:
            total = metrics.headline(now).open
            by_technology = {
                group.technology.code: group.total
                for group in metrics.by_technology(now)
                if group.technology
            }
            by_rag = {group.rag: group.total for group in metrics.by_rag(now)}
            by_stage = {
                group.code: group.total for group in metrics.by_status(now) if group.is_open
            }
            by_rtb = {group.bucket: group.total for group in metrics.by_rtb_year(now)}
            concentration = metrics.by_counterparty(now, limit=100)
    assert total.capacity.mw > 0
    assert total.capacity.facilities == len(facilities)
    for measure in measures(total):

        def expected(totals: dict, measure=measure) -> dict:
            found = {key: measures(one)[measure] for key, one in totals.items()}
            return {key: value for key, value in found.items() if value}

        def known(sums: dict) -> dict:
            return {key: value for key, value in sums.items() if value.expected}

        assert expected({"": total}) == known(plain_sums(facilities, "", measure))
        assert expected({"": total}) == known(distinct_sums(projects, "", measure))
        assert expected(by_technology) == known(plain_sums(facilities, "technology", measure))
        assert expected(by_technology) == known(distinct_sums(projects, "technology", measure))
        assert expected(by_rag) == known(distinct_sums(projects, "rag_status", measure))
        assert expected(by_stage) == known(distinct_sums(projects, "stage", measure))
        assert expected(by_rtb) == known(distinct_sums(projects, "rtb_bucket", measure))
    holders = {
        (one.counterparty.name if one.counterparty else "Nobody"): float(one.held_mw)
        for one in (*concentration.holdings, concentration.unheld)
    }
    sums = plain_sums(held, "holder_name", "held_mw")
    assert {name: mw for name, mw in holders.items() if mw} == {
        name: value for name, value in sums.items() if value.expected
    }
