"""The addresses of the figures: where they lead, what they refuse, who may read, how they are
described, and what they cost."""

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dashboard.figures import FIGURES
from infopoints.models import InformationPointPipeline
from oegen import audit
from oegen.api.rest.pages import description
from oegen.api.scopes import Scope
from oegen.people import roles
from pipelines.models import (
    CounterpartyRole,
    Facility,
    Pipeline,
    PipelineCounterparty,
    PipelineFacility,
    Stage,
    Technology,
)
from tests.dashboard.api.support import (
    A_FEW,
    HOST,
    METRICS,
    QUERIES,
    YESTERDAY,
    client_of,
    read,
    same,
    urls_in,
)
from tests.support.builders import (
    make_counterparty,
    make_facility,
    make_information_point,
    make_user,
)
from tests.support.portfolios import TODAY, analyze_tables

pytestmark = pytest.mark.django_db


def counts_in(one: dict) -> Iterator[tuple[str, int, str | None]]:
    """The addresses of lists in a figure, each with the number of records that it counts, and their
    MW unless they are of one technology."""
    yield one["url"], counted_by(one), one["parts"].get("capacity_mw")
    for row in one["rows"] or []:
        for key, url in row.items():
            if key.endswith("_url"):
                yield url, row[key.removesuffix("_url")], None
        number = row.get("information_points", row.get("pipelines"))
        if number and row["url"]:
            yield row["url"], number, None if "technology" in row else row.get("capacity_mw")


def counted_by(one: dict) -> int | None:
    if one["name"] == "baselines":
        return one["parts"]["later"]
    if isinstance(one["value"], int):
        return one["value"]
    return one["parts"].get("pipelines") if one["unit"] == "MW" else None


def wrong_lists(client, figures: list[dict]) -> list:
    """The addresses whose list is not of what the figure counts."""
    wrong = []
    for url, number, mw in {count for one in figures for count in counts_in(one)}:
        place = urlsplit(url)
        address = f"{place.path}?{place.query}&columns=project_name"
        page = client.get(address, headers={"HX-Request": "true"})
        assert page.status_code == 200, url
        if number is None or place.path == reverse("changes"):
            continue
        listed = page.context["total"], page.context["is_wrong"]
        if listed != (number, False):
            wrong.append((url, number, listed))
        elif mw is not None and not same(page.context["capacity"].mw, mw):
            wrong.append((url, mw, page.context["capacity"].mw))
    return wrong


@pytest.mark.parametrize(
    ("names", "query"),
    [
        (A_FEW, {}),
        *(
            pytest.param(tuple(FIGURES), query, marks=pytest.mark.heavy, id=name)
            for name, query in QUERIES.items()
        ),
    ],
)
def test_every_address_opens_what_its_figure_counts(api, client, names, query):
    found = [read(api, name, query) for name in names]
    if "as_of" in query:
        urls = {url for one in found for url in urls_in(one)}
        assert all(f"as_of={YESTERDAY}" in url for url in urls)
    assert wrong_lists(client, found) == []


def test_a_row_of_the_forecast_opens_what_has_added_up(api, client):
    rows = read(api, "forecast")["rows"]
    last = [row for row in rows if row["line"] == "scheduled" and row["technology"] is None][-1]
    place = urlsplit(last["url"])
    page = client.get(f"{place.path}?{place.query}")
    assert same(page.context["capacity"].mw, last["cumulative_mw"])


# Everything else --------------------------------------------------------------------------------


def test_the_list_says_what_each_figure_is_and_computes_none(api):
    with CaptureQueriesContext(connection) as captured:
        found = api.get(METRICS).json()["results"]
    assert [one["name"] for one in found] == list(FIGURES)
    assert len(captured) <= 1, "the stages, for the choices of a filter"
    first = found[0]
    assert first == {
        "name": "open-capacity",
        "title": "Open: capacity",
        "unit": "MW",
        "basis": "Distinct facilities, gross; MWp (DC) and MW (AC) added, the parts have each.",
        "definition": "The capacity of projects whose outcome is active, in a stage before the "
        "end, and not on hold.",
        "definition_in": "docs/metrics.md#the-words",
        "url": f"{HOST}/pipelines/?status=open",
        "api_url": f"{HOST}/api/v1/metrics/open-capacity/",
    }
    query = {"as_of": str(YESTERDAY), "technology": "solar"}
    past = api.get(METRICS, query).json()["results"][0]
    one = read(api, "open-capacity", query)
    assert {name: one[name] for name in past} == past
    assert api.get(past["api_url"]).json() == one
    assert (one["filters"], one["as_of"]) == ("technology=solar", str(YESTERDAY))


def test_each_definition_is_a_chapter_of_the_documentation():
    text = Path("docs/metrics.md").read_text()
    chapters = {
        re.sub(r"[^a-z- ]", "", line.removeprefix("## ").lower()).replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("## ")
    }
    assert {one.anchor for one in FIGURES.values()} <= chapters
    assert all(re.fullmatch(r"[a-z-]+", name) for name in FIGURES)


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ({"statsu": "design"}, "statsu", "There is no such parameter here"),
        ({"limit": "3"}, "limit", "There is no such parameter here"),
        ({"rag": "pink"}, "rag", "There is no “pink” here"),
        ({"compare": "soon"}, "compare", "is not a date"),
        ({"compare": str(TODAY)}, "compare", "Choose a day before"),
        ({"as_of": str(TODAY + timedelta(days=1))}, "as_of", "in the future"),
        ({"as_of": "1999-01-01"}, "as_of", "Nothing is known"),
    ],
)
def test_what_is_not_valid_is_refused_with_its_reason(api, query, field, words):
    for address in (METRICS, f"{METRICS}open-capacity/"):
        answer = api.get(address, query)
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
        assert words in answer.json()["errors"][0]["message"]
        assert answer.json()["errors"][0]["field"] == field


def test_what_is_no_figure_is_not_found(api):
    answer = api.get(f"{METRICS}profit/")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert "There is no figure “profit”; there are: open-capacity" in answer.json()["detail"]


@pytest.mark.parametrize(
    "names", [A_FEW, pytest.param(tuple(FIGURES), marks=pytest.mark.heavy, id="every")]
)
def test_of_nothing_every_figure_is_nothing(api, names):
    for name in names:
        one = read(api, name, {"q": "no such project anywhere"})
        if FIGURES[name].is_filtered:
            assert one["value"] in (None, 0, "0.000"), name


@pytest.mark.parametrize("role", roles.ROLES)
def test_every_role_reads_and_none_writes(reader, role):
    api = client_of(make_user(role))
    for address in (METRICS, f"{METRICS}open-capacity/"):
        assert api.get(address).status_code == 200
        for method in (api.post, api.put, api.patch, api.delete):
            assert method(address, {}, format="json").status_code == 405


def test_nobody_reads_without_a_token_that_may(reader, client):
    client.force_login(reader)
    api = client_of(reader, Scope.WRITE)
    for address in (METRICS, f"{METRICS}open-capacity/"):
        assert client.get(address).status_code == 401, "who is signed in has no token"
        assert api.get(address).status_code == 403


def test_the_reader_is_part_of_what_is_cached(api, reader):
    mine = {"responsible": "~me"}
    assert read(api, "open-pipelines", mine)["value"] == 0
    other = make_user(roles.PORTFOLIO_MANAGERS)
    pipeline = Pipeline.objects.get(project_name="New")
    pipeline.responsible = other
    pipeline.save()
    assert read(api, "open-pipelines", mine)["value"] == 0
    assert read(client_of(other), "open-pipelines", mine)["value"] == 1


def test_what_is_cached_follows_a_write_that_it_reads(api):
    countries = {row["country"] for row in read(api, "capacity-by-country")["rows"]}
    facility = Facility.objects.get(name="Overdue")
    facility.country = "ES"
    facility.save()
    after = {row["country"] for row in read(api, "capacity-by-country")["rows"]}
    assert after == countries | {"ES"}


def test_both_addresses_are_described(api):
    paths = json.loads(description())["paths"]
    for address in (METRICS, f"{METRICS}{{name}}/"):
        parameters = {one["name"] for one in paths[address]["get"]["parameters"]}
        assert {"as_of", "compare", "technology", "technology__not", "also"} <= parameters
        assert {"200", "400", "401", "403"} <= paths[address]["get"]["responses"].keys()
    shape = json.loads(description())["components"]["schemas"]["Figure"]
    assert shape["properties"].keys() == read(api, "mw-walk").keys()
    assert api.get("/api/").json()["metrics"] == f"{HOST}{METRICS}"


@pytest.mark.parametrize(
    "names",
    [("capacity-by-technology", "mw-walk"), pytest.param(tuple(FIGURES), marks=pytest.mark.heavy)],
)
def test_a_figure_costs_the_same_queries_of_10_rows_and_of_250(api, names):
    costs = []
    for number in (10, 240):
        add_rows(number)
        costs.append({})
        for name in names:
            read(api, name)  # Fills what a process keeps.
            cache.clear()
            with CaptureQueriesContext(connection) as captured:
                read(api, name)
            costs[-1][name] = sum("ANALYZE" not in query["sql"] for query in captured)
    assert costs[0] == costs[1]
    assert max(costs[1].values()) < 60


def add_rows(number: int) -> None:
    """Projects with a facility each and one together, a holder, and an information point."""
    design, solar = Stage.objects.get(code="design"), Technology.objects.get(code="solar")
    lead = CounterpartyRole.objects.get(code="lead-developer")
    hub, larch = make_facility(capacity_mw=3), make_counterparty()
    point = make_information_point()
    with audit.change_set(reason="Many rows"):
        pipelines = Pipeline.objects.bulk_create(
            Pipeline(project_name=f"Row {row}", stage=design, rtb_date=date(2020 + row % 12, 1, 1))
            for row in range(number)
        )
        facilities = Facility.objects.bulk_create(
            Facility(name=f"Row {row}", technology=solar, capacity_mw=1) for row in range(number)
        )
        for own in (facilities, [hub] * number):
            PipelineFacility.objects.bulk_create(
                PipelineFacility(pipeline=pipeline, facility=facility)
                for pipeline, facility in zip(pipelines, own, strict=True)
            )
        PipelineCounterparty.objects.bulk_create(
            PipelineCounterparty(pipeline=pipeline, counterparty=larch, role=lead)
            for pipeline in pipelines
        )
        InformationPointPipeline.objects.bulk_create(
            InformationPointPipeline(information_point=point, pipeline=pipeline)
            for pipeline in pipelines
        )
    analyze_tables()
