"""Lists: what a filter finds, what the totals say, and what a wrong address does."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from infopoints.choices import Status
from oegen.models import Comment
from oegen.pages import paging
from oegen.pages.paging import find_page
from pipelines.models import Pipeline, PipelineFacility
from tests.support.builders import (
    make_counterparty,
    make_facility,
    make_information_point,
    make_pipeline,
)


def listed(response) -> list[str]:
    return [str(row.record) for row in response.context["table"].paginated_rows]


def get(client, name: str, **query):
    return client.get(reverse(name), query)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "open"}, {"Alpha", "Bravo", "Charlie"}),
        ({"status": "design"}, {"Alpha", "Bravo"}),
        ({"status": "on-hold"}, {"Delta"}),
        ({"status": "completed"}, {"Echo"}),
        ({"status": "withdrawn"}, {"Foxtrot"}),
        ({"technology": "wind"}, {"Bravo"}),
        ({"technology": "wind-all"}, {"Bravo", "Charlie"}),
        ({"technology": "offshore-wind"}, {"Charlie"}),
        ({"technology": "none"}, {"Echo", "Foxtrot"}),
        ({"rag": "red"}, {"Alpha", "Foxtrot"}),
        ({"rag": "none"}, {"Bravo", "Charlie", "Delta", "Echo"}),
        ({"rtb": "overdue"}, {"Alpha"}),
        ({"rtb": "due"}, {"Bravo"}),
        ({"rtb": "none"}, {"Charlie", "Delta", "Echo", "Foxtrot"}),
        ({"rtb_year": "2031"}, {"Bravo"}),
        ({"q": "alp"}, {"Alpha"}),
        ({"q": "larch POWER"}, {"Bravo"}),
        ({"q": "larch alpha"}, set()),
        ({"q": "windy place"}, {"Charlie"}),
        ({"status": "open", "rag": "red", "technology": "solar"}, {"Alpha"}),
        ({"status": "design", "also": "status=open&technology=wind"}, {"Bravo"}),
        ({"rtb": "on-course"}, {"Bravo"}),
        ({"way": "design:entered"}, {"Alpha", "Bravo", "Delta"}),
        ({"way": "design:on"}, set()),
        ({"q": "' OR 1=1 --"}, set()),
    ],
)
def test_pipelines_are_found_by(as_manager, query, found):
    make_pipeline("Alpha", capacity_mw=1, rag_status="red", rtb_date=date(2020, 1, 1))
    make_pipeline(
        "Bravo",
        technology="wind",
        capacity_mw=2,
        rtb_date=date(2031, 1, 1),
        lead_developer=make_counterparty("Larch Power"),
    )
    charlie = make_pipeline("Charlie", stage="construction")
    PipelineFacility.objects.create(
        pipeline=charlie, facility=make_facility("Windy Place", "offshore-wind", capacity_mw=3)
    )
    make_pipeline("Delta", on_hold=True, capacity_mw=4)
    make_pipeline("Echo", stage="completed")
    make_pipeline("Foxtrot", outcome="withdrawn", rag_status="red")

    query = {"status": "all", **query}
    assert set(listed(get(as_manager, "pipelines", **query))) == found


def test_totals_are_of_all_that_is_filtered_and_count_a_shared_facility_once(as_manager):
    first = make_pipeline("First", capacity_mw=Decimal("1000.5"))
    second = make_pipeline("Second", technology="bess", capacity_mw=20)
    make_pipeline("Elsewhere", capacity_mw=999, outcome="sold")
    PipelineFacility.objects.create(pipeline=second, facility=first.facilities.get())

    html = get(as_manager, "pipelines", status="open").content.decode()
    totals = html.split('class="totals ')[1].split("</p>")[0].replace("&nbsp;", " ")

    assert "<b>2</b> pipelines" in totals
    assert '1,000.5<span class="unit"> MWp</span></b> DC' in totals
    assert '20.0<span class="unit"> MW</span></b> AC' in totals
    assert '1,020.5<span class="unit"> MW, mixed</span>' in totals


@pytest.mark.parametrize(
    ("name", "query", "sentence"),
    [
        ("pipelines", {"status": "frozen"}, "There is no “frozen” here: choose one from the list."),
        ("pipelines", {"technology": "' OR 1=1"}, "choose one from the list."),
        ("pipelines", {"rag": "RED"}, "There is no “RED” here"),
        ("pipelines", {"rtb": "soon"}, "There is no “soon” here"),
        ("pipelines", {"rtb_year": "20x7"}, "Give a year in digits, such as 2027."),
        ("pipelines", {"rtb_year": "2027.5"}, "Give a whole year, such as 2027."),
        ("pipelines", {"rtb_year": "99999"}, "less than or equal to 2200"),
        ("pipelines", {"rtb_year": "NaN"}, "Give a year in digits, such as 2027."),
        ("pipelines", {"q": "x" * 201}, "at most 200 characters"),
        ("pipelines", {"rag_was": "red"}, "“RAG on that day” needs this too."),
        ("pipelines", {"since": "2999-01-01"}, "This day is in the future"),
        ("pipelines", {"q": "a\x00b"}, "Null characters are not allowed."),
        ("facilities", {"technology": "coal"}, "There is no “coal” here"),
        ("infopoints", {"status": "done"}, "There is no “done” here"),
        ("counterparties", {"q": "x" * 201}, "at most 200 characters"),
    ],
)
def test_wrong_filter_value_is_reported_beside_the_filter(as_manager, name, query, sentence):
    make_pipeline("Alpha", capacity_mw=1)

    response = get(as_manager, name, **query)

    html = response.content.decode()
    assert response.status_code == 200
    assert sentence.replace("'", "&#x27;") in html.split('class="filter-wrong"')[1]
    assert 'aria-invalid="true"' in html
    assert "Nothing is listed, because a filter has a value it does not know." in html
    assert listed(response) == []


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"also": "status=frozen"}, "The nested filters of this address are not valid."),
        ({"way": "design"}, "There is no “design” here."),
    ],
)
def test_wrong_value_that_only_an_address_can_give_is_reported(as_manager, query, sentence):
    make_pipeline("Alpha")

    response = get(as_manager, "pipelines", **query)

    assert sentence in response.text
    assert listed(response) == []


@pytest.mark.parametrize(
    "query", [{"page": "99"}, {"page": "x"}, {"page": "-1"}, {"sort": "nope"}, {"sort": "--name"}]
)
def test_wrong_page_or_order_still_lists(as_manager, query):
    make_pipeline("Alpha")

    response = get(as_manager, "pipelines", **query)

    assert response.status_code == 200
    assert listed(response) == ["Alpha"]


def test_nothing_found_says_so_and_offers_a_way_back(as_manager):
    make_pipeline("Alpha")

    html = get(as_manager, "pipelines", q="zzz").content.decode()

    assert "Nothing open matches these filters." in html
    assert 'href="?q=zzz&amp;status=all">Look among all of them' in html
    assert f'href="{reverse("pipelines")}">clear all filters' in html


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("project_name", ["Alpha", "Bravo", "Charlie"]),
        ("-project_name", ["Charlie", "Bravo", "Alpha"]),
        ("capacity_mw", ["Charlie", "Alpha", "Bravo"]),
        ("-capacity_mw", ["Alpha", "Charlie", "Bravo"]),
        ("rtb_date", ["Bravo", "Alpha", "Charlie"]),
        ("-rtb_date", ["Alpha", "Bravo", "Charlie"]),
        ("status", ["Charlie", "Alpha", "Bravo"]),
        ("-status", ["Bravo", "Alpha", "Charlie"]),
    ],
)
def test_pipelines_sort_with_the_unknown_last(as_manager, sort, order):
    make_pipeline("Alpha", capacity_mw=9, rtb_date=date(2029, 1, 1), stage="procurement")
    make_pipeline("Bravo", rtb_date=date(2028, 1, 1), stage="completed")
    make_pipeline("Charlie", capacity_mw=1, stage="discovery")

    assert listed(get(as_manager, "pipelines", sort=sort, status="all")) == order


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("pipelines", ["rag_status", "lead_developer"]),
        ("facilities", ["name", "technology", "capacity_mw", "storage_mwh", "pipeline_count"]),
        ("counterparties", ["name", "country", "strategy", "contact_count"]),
        ("infopoints", ["title", "rating", "status", "owner", "review_on"]),
    ],
)
def test_every_offered_order_works(as_manager, full_record, name, columns):
    for column in columns:
        for sort in (column, f"-{column}"):
            response = get(as_manager, name, sort=sort)
            assert len(listed(response)) == 1
            assert f'sort={"" if sort[0] == "-" else "-"}{column}"' in response.content.decode()


def test_rows_of_equal_value_are_on_one_page_only(as_manager):
    for _ in range(120):
        make_counterparty(country="GB")

    names = [
        name
        for page in (1, 2, 3)
        for name in listed(get(as_manager, "counterparties", sort="country", page=page))
    ]

    assert len(names) == len(set(names)) == 120


@pytest.mark.parametrize("sort", ["capacity_mw", "-capacity_mw", "-rtb_date", "project_name"])
@pytest.mark.parametrize(("size", "block"), [(3, 1_000), (1, 2)])
def test_pages_are_the_same_from_either_end(db, monkeypatch, sort, size, block):
    """Once the totals are cached, pages past the middle are read from the end, and those far from
    both ends several at a time."""
    monkeypatch.setattr(paging, "BLOCK", block)
    for number in range(11):
        make_pipeline(f"Moor {number}", capacity_mw=number % 4 or None)
    name, backwards = sort.removeprefix("-"), sort.startswith("-")
    rows = Pipeline.objects.with_capacity()
    order = F(name).desc(nulls_last=True) if backwards else F(name).asc(nulls_first=True)
    rows = rows.order_by(order, "pk")

    def keys() -> list:
        pages = [find_page(rows, start, size, f"{sort} now") for start in starts]
        assert {page.count for page in pages} == {11}
        return [page.keys for page in pages]

    everything = list(rows.values_list("pk", flat=True))
    starts = range(0, 15, size)
    assert keys() == keys() == [everything[start : start + size] for start in starts]


def test_paging_keeps_filter_and_order_in_the_address(as_manager):
    for number in range(51):
        make_pipeline(f"Moor {number}", rag_status="red")

    response = get(as_manager, "pipelines", rag="red", sort="-rtb_date")

    assert len(listed(response)) == 50
    assert "?rag=red&amp;sort=-rtb_date&amp;page=2" in response.content.decode()
    assert len(listed(get(as_manager, "pipelines", rag="red", page=2))) == 1


def test_counterparties_are_found_by_another_name(as_manager):
    make_counterparty("Larch Power", aliases="LP Holdings\nOld Larch")
    make_counterparty("Rowan Energy")

    assert listed(get(as_manager, "counterparties", q="holdings")) == ["Larch Power"]


def test_facilities_are_found_by_region_and_technology(as_manager):
    make_facility("One", "bess", region="Highland")
    make_facility("Two", "solar", region="Highland")
    make_facility("Three", "onshore-wind")

    assert listed(get(as_manager, "facilities", q="high", technology="bess")) == ["One"]
    assert listed(get(as_manager, "facilities", technology="wind-all")) == ["Three"]


def test_information_points_come_best_rated_first_and_by_status(as_manager):
    make_information_point("Small", 2, 2)
    make_information_point("Great", 90, 90)
    make_information_point("Over", 50, 50, status=Status.CLOSED)

    assert listed(get(as_manager, "infopoints")) == ["Great", "Small"]
    assert listed(get(as_manager, "infopoints", status="all")) == ["Great", "Over", "Small"]
    assert listed(get(as_manager, "infopoints", status="closed")) == ["Over"]


def test_information_points_are_found_in_title_text_and_market(as_manager):
    make_information_point("Queue reform", description="Moves late projects back.", market="GB")
    make_information_point("Panel prices", market="Spain")

    assert listed(get(as_manager, "infopoints", q="reform late gb")) == ["Queue reform"]
    assert listed(get(as_manager, "infopoints", q="spain")) == ["Panel prices"]


def test_inactive_technology_in_use_can_be_filtered(as_manager):
    make_pipeline("Barrage", technology="tidal", capacity_mw=3)

    assert listed(get(as_manager, "pipelines", technology="tidal")) == ["Barrage"]
    assert "hydrogen" not in get(as_manager, "pipelines").content.decode()


def test_totals_are_cached_until_a_business_record_changes(as_manager):
    def totals(query=""):
        with CaptureQueriesContext(connection) as queries:
            context = as_manager.get(reverse("pipelines") + query).context
        summed = any('WITH "found"' in query["sql"] for query in queries)
        return context["total"], context["capacity"].mw, summed

    pipeline = make_pipeline("One", capacity_mw=10)
    assert totals() == (1, 10, True)
    Comment.objects.create(subject=pipeline, text="Grid offer late.")
    assert totals("?sort=-rtb_date") == (1, 10, False)
    assert totals("?q=none+of+it") == (0, 0, True)
    facility = pipeline.facilities.get()
    facility.capacity_mw = 25
    facility.save()
    assert totals() == (1, 25, True)
