"""The map has the facilities of the pipelines that the filters pick."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.utils import timezone

from pipelines import map as pages
from pipelines.models import PipelineFacility
from tests.support.builders import make_facility, make_pipeline

MAP = "/pipelines/map/"
DATA = "/pipelines/map/data/"


@pytest.fixture
def as_manager(client, manager):
    client.force_login(manager)
    return client


def place(pipeline, name="Plant", latitude="52.5", longitude="-1.9", facility=None, **values):
    facility = facility or make_facility(name, latitude=latitude, longitude=longitude, **values)
    PipelineFacility.objects.create(pipeline=pipeline, facility=facility)
    return facility


def data(client, query: str = "") -> dict:
    answer = client.get(f"{DATA}{query}")
    assert answer.status_code == 200
    return answer.json()


def test_site_has_its_place_size_technology_and_pipeline(as_manager):
    pipeline = make_pipeline("Kestrel Moor", rag_status="amber")
    facility = place(pipeline, "Kestrel array", capacity_mw=Decimal("40.5"))

    answer = data(as_manager)

    assert answer == {
        "technologies": [["Solar", "MWp", True]],
        "sites": [
            [
                str(facility.pk),
                "Kestrel array",
                52.5,
                -1.9,
                40.5,
                0,
                "A",
                [str(pipeline.pk), "Kestrel Moor"],
            ]
        ],
        "groups": [],
        "bounds": None,
    }


@pytest.mark.parametrize(
    ("ratings", "letter"),
    [
        (("green", "red", "amber"), "R"),
        (("green", ""), "G"),
        (("green", "amber"), "A"),
        (("",), ""),
    ],
)
def test_facility_of_several_pipelines_has_the_worst_of_their_ratings(as_manager, ratings, letter):
    shared = make_facility(latitude=50, longitude=1)
    for rating in ratings:
        place(make_pipeline(rag_status=rating), facility=shared)

    (site,) = data(as_manager)["sites"]

    assert site[6] == letter
    assert len(site[7]) == 2 * len(ratings)


def test_filters_of_the_list_apply(as_manager):
    place(make_pipeline(rag_status="red"), "Red one")
    place(make_pipeline(rag_status="green"), "Green one")

    assert [site[1] for site in data(as_manager, "?rag=red")["sites"]] == ["Red one"]
    assert data(as_manager, "?rag=purple")["sites"] == []


@pytest.fixture
def crowd(monkeypatch):
    """Too many to show each: a shared one and two neighbours, and one far away."""
    monkeypatch.setattr(pages, "MAX_SITES", 2)
    first, second = make_pipeline("First", rag_status="red"), make_pipeline("Second")
    shared = place(first, "Shared", "50.01", "1.01", capacity_mw=40)
    place(second, facility=shared)
    place(second, "Wind", "50.02", "1.02", technology="wind", capacity_mw=Decimal("20.5"))
    place(second, "Unknown", "50.03", "1.03", technology="wind")
    place(second, "Alone", "57", "-4", capacity_mw=7)
    return first


def test_neighbours_are_added_up_each_counted_once(as_manager, crowd):
    answer = data(as_manager)

    (group,) = answer["groups"]
    assert group[:2] == pytest.approx([50.02, 1.02])
    assert group[2:] == [3, 40, 20.5, 1.01, 50.01, 1.03, 50.03]
    assert [site[1] for site in answer["sites"]] == ["Alone"]
    assert answer["bounds"] is None
    assert as_manager.get(DATA).json() == answer, "from the cache"

    nearer = data(as_manager, "?bounds=1,50,1.05,50.05")
    assert sum(group[2] for group in nearer["groups"]) + len(nearer["sites"]) == 3
    west, south, east, north = nearer["bounds"]
    assert (west <= 1, south <= 50, east > 1.05, north > 50.05) == (True,) * 4

    few = data(as_manager, "?bounds=-5,56,-3,58")
    assert ([site[1] for site in few["sites"]], few["groups"]) == (["Alone"], [])
    elsewhere = data(as_manager, "?bounds=100,-30,120,-10")
    assert (elsewhere["sites"], elsewhere["groups"]) == ([], [])


def test_groups_have_what_the_filters_pick(as_manager, crowd, monkeypatch):
    monkeypatch.setattr(pages, "MAX_SITES", 0)

    answer = data(as_manager, "?rag=red&bounds=-10,40,10,60")

    assert [site[1] for site in answer["sites"]] == ["Shared"]
    assert data(as_manager, "?rag=red&bounds=-10,55,10,60")["sites"] == []


def test_groups_are_those_of_the_day_that_is_read(as_manager, monkeypatch):
    monkeypatch.setattr(pages, "MAX_SITES", 1)
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now - timedelta(days=9))
    pipeline = make_pipeline()
    facility = place(pipeline, capacity_mw=5)
    place(pipeline, capacity_mw=6)
    monkeypatch.setattr(timezone, "now", lambda: now)
    facility.capacity_mw = 50
    facility.save()
    place(pipeline, capacity_mw=7)

    def counted(query: str) -> list:
        return [group[2:5] for group in data(as_manager, query)["groups"]]

    assert counted("") == [[3, 63, 0]]
    past = f"?as_of={timezone.localdate() - timedelta(days=5)}"
    assert counted(past) == counted(f"{past}&bounds=-5,50,5,55") == [[2, 11, 0]]


@pytest.mark.parametrize(
    "edge", ["0.703125", "-0.703125", "0.7031249", "179.999999", "180", "-180"]
)
def test_facility_on_the_edge_of_a_cell_is_in_one_group(as_manager, monkeypatch, edge):
    monkeypatch.setattr(pages, "MAX_SITES", 0)
    pipeline = make_pipeline()
    for latitude in ("10", "10.000001"):
        place(pipeline, latitude=latitude, longitude=Decimal(edge).quantize(Decimal("0.000001")))
    for bounds in ("-180,-90,180,90", "-180,5,180,15"):
        answer = data(as_manager, f"?bounds={bounds}")
        assert sum(group[2] for group in answer["groups"]) + len(answer["sites"]) == 2


@pytest.mark.parametrize(
    "bounds",
    ["", "1,2,3", "a,b,c,d", "3,50,1,52", "1,52,3,50", "0,0,nan,1", "-181,0,1,1", "0,0,1,inf"],
)
def test_bounds_that_are_none_are_refused(as_manager, bounds, caplog):
    place(make_pipeline())
    assert as_manager.get(DATA, {"bounds": bounds}).status_code == 400
    assert "The bounds of a map are west,south,east,north in degrees" in caplog.text


def test_facility_without_coordinates_is_counted_and_not_drawn(as_manager):
    pipeline = make_pipeline(capacity_mw=3)
    place(pipeline)

    assert len(data(as_manager)["sites"]) == 1
    assert "1 more without coordinates" in as_manager.get(MAP).content.decode()


def test_unknown_capacity_is_no_zero(as_manager):
    place(make_pipeline())

    assert data(as_manager)["sites"][0][4] is None
    assert "MW not known" in as_manager.get(MAP).content.decode()


def test_list_beside_the_map_has_the_largest_and_says_how_many_more(as_manager, monkeypatch):
    monkeypatch.setattr(pages, "MAX_LISTED", 2)
    pipeline = make_pipeline("Kestrel Moor")
    for mw in (5, 50, 20):
        place(pipeline, f"Of {mw} MW", capacity_mw=mw)

    page = as_manager.get(f"{MAP}?status=open")

    assert [site.name for site in page.context["sites"]] == ["Of 50 MW", "Of 20 MW"]
    text = page.content.decode()
    assert "1 more: see these pipelines in the list" in text
    assert 'href="/pipelines/?status=open"' in text
    assert f'data-map-source="{DATA}?status=open"' in text


def test_map_of_nothing_says_what_is_missing(as_manager):
    make_pipeline(capacity_mw=5)

    text = as_manager.get(MAP).content.decode()

    assert "No facility with coordinates belongs to these pipelines." in text
    assert "map-sites" not in text


def test_typing_gets_what_changes_with_the_filters_and_the_map_itself_is_kept(as_manager):
    place(make_pipeline("Kestrel Moor"))

    text = as_manager.get(f"{MAP}?q=kestrel", headers={"HX-Request": "true"}).content.decode()

    assert "<html" not in text
    assert "1 facility on the map" in text
    assert 'id="map" hx-preserve' in text


def test_portfolio_manager_adds_from_the_map_and_comes_back_to_it(client, portfolio_manager):
    client.force_login(portfolio_manager)

    text = client.get(f"{MAP}?rag=red").content.decode()

    assert "/admin/pipelines/pipeline/add/?next=%2Fpipelines%2Fmap%2F%3Frag%3Dred" in text


def test_hostile_name_is_text(as_manager):
    place(make_pipeline("<script>alert(1)</script>"), "<img src=x onerror=alert(1)>")

    text = as_manager.get(MAP).content.decode()

    assert "<script>alert" not in text
    assert "<img src=x" not in text


def test_unchanged_data_is_not_sent_again(as_manager, django_assert_max_num_queries):
    pipeline = make_pipeline()
    place(pipeline)
    first = as_manager.get(DATA)

    with django_assert_max_num_queries(5):
        again = as_manager.get(DATA, headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    filtered = as_manager.get(f"{DATA}?rag=red", headers={"If-None-Match": first["ETag"]})
    assert filtered.status_code == 200

    place(pipeline, "New one")
    assert as_manager.get(DATA, headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_data_needs_a_login(client, db):
    assert client.get(DATA).status_code == 302


@pytest.mark.heavy
@pytest.mark.parametrize(("address", "most"), [(MAP, 21), (DATA, 8)])
def test_map_costs_the_same_at_3_and_at_60_facilities(
    as_manager, django_assert_max_num_queries, address, most
):
    def add(number):
        for mw in range(number):
            place(make_pipeline(), capacity_mw=mw)

    add(3)
    as_manager.get(address)
    cache.clear()
    with django_assert_max_num_queries(most) as few:
        as_manager.get(address)
    add(57)
    with django_assert_max_num_queries(len(few)):
        as_manager.get(address)
