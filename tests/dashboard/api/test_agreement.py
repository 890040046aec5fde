"""A figure is the same on the page, in REST, OData, the list's CSV and the views of PostgreSQL.

Those that have no figures but rows are read as somebody would who has no page: the projects are
those that the list has by these filters, and a facility counts once.
"""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import nullcontext
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, QueryDict
from django.test import Client

from dashboard import metrics
from dashboard.metrics import Total
from oegen import asof
from oegen.api.scopes import Scope
from oegen.core.sql import fetch
from pipelines.filters import PipelineFilter
from pipelines.models import Pipeline, Stage
from tests.dashboard.api.support import DAYS, FILTERS, NOTHING_OPEN, client_of, read, same
from tests.oegen.api.odata.conftest import basic, read_all
from tests.support.builders import make_token
from tests.support.downloads import csv_rows
from tests.support.portfolios import TODAY

pytestmark = pytest.mark.django_db

MEASURES = ("capacity_mw", "net_mw", "gross_weighted_mw", "net_weighted_mw", "storage_mwh")


def combinations() -> Iterable:
    for place, filters in enumerate(FILTERS):
        for day in DAYS:
            # One in fifteen is tried each time.
            marks = () if (place * len(DAYS) + DAYS.index(day)) % 15 == 4 else pytest.mark.heavy
            yield pytest.param(filters, day, marks=marks)


@pytest.mark.parametrize(("filters", "day"), list(combinations()))
def test_a_figure_is_the_same_wherever_it_is_read(reader, filters, day):
    cache.clear()
    query = dict(QueryDict(filters).lists())
    past = {} if day == TODAY else {"as_of": str(day)}
    now = page_total(filters, day, reader)
    assert rest_measures(client_of(reader), query | past) == page_measures(now)

    listed = open_projects_of_list(reader, query, past)
    feed = feed_of(reader)
    root = "/odata/v1/" + (f"as-of/{day}/" if past else "")
    sizes = {one["id"]: one["capacity_mw"] for one in read_all(feed, f"{root}Pipelines")}
    assert len(listed) == now.pipelines
    assert listed or filters in NOTHING_OPEN
    for key, capacity in listed.items():
        assert same(sizes[key], capacity or None), key
    rows = [
        one
        for one in read_all(feed, f"{root}OpenCapacityByProject")
        if one["pipeline_id"] in listed
    ]
    agree(measures_of(rows), now)
    if connection.vendor == "postgresql":
        agree(measures_of(view_rows(listed, day)), now)


def page_total(filters: str, day, reader) -> Total:
    """The open capacity of the dashboard."""
    request = HttpRequest()
    request.user = reader

    def select():
        return PipelineFilter(
            QueryDict(filters), queryset=Pipeline.objects.all(), request=request
        ).qs

    with (
        asof.as_of(day) if day != TODAY else nullcontext(),
        metrics.portfolio(select) as portfolio,
    ):
        return metrics.headline(portfolio).open


def page_measures(total: Total) -> dict[str, Decimal]:
    return {
        "capacity_mw": total.capacity.mw,
        "net_mw": total.net.mw,
        "gross_weighted_mw": total.weighted.mw,
        "net_weighted_mw": total.net_weighted.mw,
        "storage_mwh": total.capacity.storage_mwh,
        "pipelines": total.pipelines,
    }


def rest_measures(api, query: dict) -> dict[str, Decimal]:
    found = read(api, "open-capacity", query)
    values = {
        "capacity_mw": found["value"],
        "storage_mwh": found["parts"]["storage_mwh"],
        "net_mw": read(api, "net-capacity", query)["value"],
        "gross_weighted_mw": read(api, "weighted-capacity", query)["value"],
        "net_weighted_mw": read(api, "net-weighted-capacity", query)["value"],
        "pipelines": read(api, "open-pipelines", query)["value"],
    }
    return {name: Decimal(value) for name, value in values.items()}


def open_projects_of_list(reader, query: dict, past: dict) -> dict[str, str]:
    """The capacity in MW by id, from the list's CSV."""
    client = Client()
    client.force_login(reader)
    head, *rows = csv_rows(client, "pipelines", **({"status": "all"} | query | past))
    stages = set(Stage.objects.filter(is_terminal=False).values_list("name", flat=True))
    known = [dict(zip(head, row, strict=True)) for row in rows]
    return {row["ID"]: row["Capacity, MW/MWp"] for row in known if row["Status"] in stages}


def feed_of(reader) -> Client:
    # Tokens are made by the real clock.
    days = (datetime.now(UTC).date() - TODAY).days + 30
    _, secret = make_token(reader, scopes=[Scope.ODATA], days=days)
    return Client(headers=basic(secret))


def view_rows(projects: Iterable[str], day) -> list[dict]:
    columns = ("facility_id", *MEASURES)
    rows = fetch(
        f"SELECT {', '.join(columns)} FROM reporting.open_capacity_by_project_as_of(%s) "  # noqa: S608
        "WHERE pipeline_id = ANY(%s::uuid[])",
        (day, list(projects)),
    )
    return [dict(zip(columns, row, strict=True)) for row in rows]


def measures_of(rows: list[dict]) -> dict[str, Decimal]:
    """The sums over distinct facilities of the maximum."""
    highest: dict = defaultdict(Decimal)
    for row in rows:
        for name in MEASURES:
            key = name, row["facility_id"]
            highest[key] = max(highest[key], Decimal(str(row[name] or 0)))
    return {name: sum(highest[key] for key in highest if key[0] == name) for name in MEASURES}


def agree(found: dict[str, Decimal], total: Total) -> None:
    for name, value in found.items():
        assert same(page_measures(total)[name], value), name
