"""Filters that take part of a name, their suggestions, and links that name a record."""

import pytest
from django.urls import reverse

from infopoints.models import (
    InformationPointCounterparty,
    InformationPointPipeline,
)
from tests.support.builders import make_counterparty, make_information_point, make_pipeline


def listed(response) -> set[str]:
    return {str(row.record) for row in response.context["table"].paginated_rows}


def names(client, text: str) -> list[str]:
    return client.get(reverse("counterparty-names"), {"q": text}).json()["names"]


def test_names_that_start_with_the_text_are_suggested_first(as_manager):
    for name in ("Old Larch", "Larch Power", "Rowan"):
        make_counterparty(name)
    make_counterparty("Birch", aliases="Larchwood\nBirches")
    make_counterparty("Ærø Lärch")

    assert names(as_manager, "larch") == ["Larch Power", "Ærø Lärch", "Birch", "Old Larch"]


def test_only_a_few_names_are_suggested(as_manager):
    for number in range(30):
        make_counterparty(f"Larch {number}")

    assert len(names(as_manager, "larch")) == 12


@pytest.mark.parametrize("text", ["", "   ", "nobody", "a\x00b", "%", "' OR 1=1 --", "x" * 10_000])
def test_nothing_is_suggested_for_what_no_name_has(as_manager, text):
    make_counterparty("Larch")

    assert names(as_manager, text) == []


def test_counterparty_is_found_without_accents(as_manager):
    make_pipeline("Alpha", lead_developer=make_counterparty("Ærø Strøm"))
    make_pipeline("Bravo")

    found = as_manager.get(reverse("pipelines"), {"counterparty": "aero strom"})

    assert listed(found) == {"Alpha"}


@pytest.fixture
def queue_reform(db):
    point = make_information_point("Queue reform <i>", 80, 40)
    InformationPointPipeline.objects.create(
        information_point=point, pipeline=make_pipeline("Alpha Moor", capacity_mw=10)
    )
    InformationPointCounterparty.objects.create(
        information_point=point, counterparty=make_counterparty("Larch", aliases="Old Larch")
    )
    make_information_point("Panel prices", 20, 90)
    make_pipeline("Bravo", capacity_mw=5)
    return point


def test_pipelines_of_an_information_point_are_listed_with_its_title_as_chip(
    as_manager, queue_reform
):
    response = as_manager.get(reverse("pipelines"), {"infopoint": queue_reform.pk, "q": "moor"})

    assert listed(response) == {"Alpha Moor"}
    assert response.context["capacity"].mw == 10
    chips = response.context["filter"].chips()
    assert ("About", "Queue reform <i>", "q=moor") in [
        (chip.label, chip.text, chip.query) for chip in chips
    ]
    html = response.content.decode()
    assert "Queue reform &lt;i&gt;" in html
    assert f'type="hidden" name="infopoint" value="{queue_reform.pk}"' in html


@pytest.mark.parametrize("value", ["x", "a\x00b", "6f1e0b53-0f4f-4a3d-9a51-5c3b0f7c6c11", "1"])
def test_information_point_that_is_not_there_is_reported(as_manager, queue_reform, value):
    response = as_manager.get(reverse("pipelines"), {"infopoint": value})

    html = response.content.decode()
    assert response.status_code == 200
    assert listed(response) == set()
    assert 'class="filter-wrong"' in html
    assert "Remove the filter About" in html


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"impact_min": "80", "impact_max": "80"}, {"Queue reform <i>"}),
        ({"likelihood_min": "41"}, {"Panel prices"}),
        ({"impact_min": "1", "impact_max": "20", "likelihood_max": "89"}, set()),
        ({"counterparty": "old lar"}, {"Queue reform <i>"}),
        ({"counterparty": "rowan"}, set()),
        ({"pipeline": "ALPHA"}, {"Queue reform <i>"}),
        ({"pipeline": "bravo"}, set()),
    ],
)
def test_information_points_are_found_by(as_manager, queue_reform, query, found):
    assert listed(as_manager.get(reverse("infopoints"), query)) == found
