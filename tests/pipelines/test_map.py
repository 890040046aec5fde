"""The map has the facilities of the pipelines that the filters pick."""

from decimal import Decimal

import pytest

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


@pytest.mark.parametrize(("address", "most"), [(MAP, 16), (DATA, 8)])
def test_map_costs_the_same_at_3_and_at_60_facilities(
    as_manager, django_assert_max_num_queries, address, most
):
    def add(number):
        for mw in range(number):
            place(make_pipeline(), capacity_mw=mw)

    add(3)
    as_manager.get(address)
    with django_assert_max_num_queries(most) as few:
        as_manager.get(address)
    add(57)
    with django_assert_max_num_queries(len(few)):
        as_manager.get(address)
