"""What lists start with, what an address says beyond that, and how many each choice would find."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from infopoints.models import InformationPoint
from oegen.models import SavedView
from pipelines.models import Facility, Pipeline
from tests.support.builders import make_counterparty, make_information_point, make_pipeline


def listed(response) -> set[str]:
    return {str(row.record) for row in response.context["table"].paginated_rows}


@pytest.fixture
def three(db):
    make_pipeline("Alpha", rag_status="red", capacity_mw=10)
    make_pipeline("Bravo", rag_status="red", on_hold=True, on_hold_reason="Grid", capacity_mw=20)
    make_pipeline("Charlie", rag_status="green", outcome="sold", capacity_mw=40)


def test_choices_are_counted_beside_the_other_filters(as_manager, three):
    counts = as_manager.get(reverse("pipelines"), {"counts": "rag", "status": "all"}).json()
    assert counts == {"red": 2, "amber": 0, "green": 1, "none": 0}
    at_start = as_manager.get(reverse("pipelines"), {"counts": "status", "rag": "red"}).json()
    assert (at_start["open"], at_start["on-hold"], at_start["all"]) == (1, 1, 2)
    assert as_manager.get(reverse("pipelines"), {"counts": "q"}).status_code == 404
    assert as_manager.get(reverse("pipelines"), {"counts": "no"}).status_code == 404
    assert as_manager.get(reverse("pipelines"), {"counts": "rag", "rtb_to": "x"}).json() == {}


@pytest.mark.parametrize("name", ["pipelines", "board", "map", "dashboard", "changes"])
def test_each_page_of_pipelines_takes_several_choices(as_manager, three, name):
    query = "status=design&status=on-hold&rag__not=amber"
    response = as_manager.get(f"{reverse(name)}?{query}")
    filters = response.context["filter"]
    assert {str(one) for one in filters.qs} == {"Alpha", "Bravo"}
    chips = {f"{chip.label} {chip.text}": chip.query for chip in filters.chips()}
    assert chips == {
        "Status Design": "status=on-hold&rag__not=amber",
        "Status On hold": "status=design&rag__not=amber",
        "RAG is not Amber": "status=design&status=on-hold",
    }
    counts = as_manager.get(f"{reverse(name)}?{query}&counts=status").json()
    assert (counts["design"], counts["sold"]) == (1, 1)


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
@pytest.mark.parametrize("name", ["pipelines", "dashboard", "changes", "audit", "removed-records"])
def test_a_parameter_that_is_no_filter_is_named(as_manager, three, name, headers):
    response = as_manager.get(
        reverse(name), {"rag_status": "R", "page": 1, "<b>": ""}, headers=headers
    )
    assert response.context["unknown_parameters"] == ["rag_status", "<b>"]
    assert "“rag_status” is no filter of this page: it is ignored." in response.text
    assert "“&lt;b&gt;” is no filter" in response.text


@pytest.mark.parametrize(
    "query", ["q=a&q=b", "rtb_from=2027-01-01&rtb_from=2028-01-01", "capacity_min=1&capacity_min=2"]
)
def test_a_second_value_of_a_filter_that_takes_one_is_refused(as_manager, three, query):
    response = as_manager.get(f"{reverse('pipelines')}?{query}")
    assert "This takes one value, and the address gives" in response.text
    assert listed(response) == set()


def test_lists_start_with_what_is_open_and_all_is_one_click_away(as_manager, three):
    plain = as_manager.get(reverse("pipelines"))
    assert listed(plain) == {"Alpha"}
    [chip] = plain.context["filter"].chips()
    assert (chip.text, chip.query) == ("Open, all stages", "status=all")
    assert 'href="?status=all">Show all</a>' in plain.text

    everything = as_manager.get(reverse("pipelines"), {"status": "all"})
    assert listed(everything) == {"Alpha", "Bravo", "Charlie"}
    assert everything.context["filter"].chips() == []
    of_which = everything.context["of_which"]
    assert (of_which["total"], of_which["capacity"].mw) == (1, 10)
    assert 'of which open <a class="nowrap" href="?status=open">1 with 10.0' in everything.text

    assert listed(as_manager.get(reverse("pipelines"), {"status": "sold"})) == {"Charlie"}
    others = as_manager.get(reverse("pipelines"), {"status__not": "sold"})
    assert listed(others) == {"Alpha", "Bravo"}
    nothing = as_manager.get(reverse("pipelines"), {"rag": "green"})
    assert "Nothing open matches these filters." in nothing.text
    assert 'href="?rag=green&amp;status=all">Look among all of them' in nothing.text


def test_counterparties_start_with_the_current_and_points_with_the_live_ones(as_manager, db):
    make_counterparty("Larch")
    make_counterparty("Gone", archived_at=timezone.now())
    make_counterparty("Unknown 7", is_placeholder=True)
    make_information_point("Panels")
    make_information_point("Over", status="closed")
    current = listed(as_manager.get(reverse("counterparties")))
    everybody = listed(as_manager.get(reverse("counterparties"), {"kind": "all"}))
    assert everybody - current == {"Gone", "Unknown 7"}
    assert "Over" not in listed(as_manager.get(reverse("infopoints")))
    assert "Over" in listed(as_manager.get(reverse("infopoints"), {"status": "all"}))


def test_the_map_starts_as_the_list_does_and_names_its_data_so(as_manager, three):
    response = as_manager.get(reverse("map"))
    assert {str(one) for one in response.context["filter"].qs} == {"Alpha"}
    assert f'data-map-source="{reverse("map-data")}?status=open"' in response.text
    assert '<a href="?status=all">Show all</a>' in response.text
    assert "Show all" not in as_manager.get(reverse("map"), {"status": "all"}).text
    Facility.objects.update(latitude="52.5", longitude="-1.9")
    assert (
        '<a class="nowrap" href="?status=all">Show all</a>' in as_manager.get(reverse("map")).text
    )


def test_a_view_keeps_what_the_list_started_with(as_manager, three):
    as_manager.post(f"{reverse('pipelines')}?rag=red", {"do": "save-view", "name": "Reds"})
    query = SavedView.objects.get().query
    assert query.startswith("rag=red&status=open&columns=")
    opened = as_manager.get(f"{reverse('pipelines')}?{query}")
    assert opened.context["open_view"].name == "Reds"


def test_views_saved_before_lists_started_with_less_show_all_as_they_did(as_manager, manager):
    def saved(list_name: str, query: str) -> SavedView:
        name = f"{list_name} {query}"
        return SavedView.objects.create(owner=manager, list_name=list_name, name=name, query=query)

    make_pipeline("Sold", outcome="sold")
    views = {
        saved("pipelines", "rag=none&columns=project_name"): (
            "status=all&rag=none&columns=project_name"
        ),
        saved("pipelines", "status=sold&columns=stage"): "status=sold&columns=stage",
        saved("counterparties", ""): "kind=all",
        saved("contacts", "q=x"): "q=x",
    }
    before = {view: view.query for view in views}
    migration = import_module("oegen.migrations.0023_views_of_all")

    editor = SimpleNamespace(connection=connection)

    migration.say_all(apps, editor)
    assert {view: SavedView.objects.get(pk=view.pk).query for view in views} == views
    [first, *_] = views.values()
    opened = as_manager.get(f"{reverse('pipelines')}?{first}")
    assert (listed(opened), opened.context["open_view"].query) == ({"Sold"}, first)

    migration.say_nothing(apps, editor)
    assert {view: SavedView.objects.get(pk=view.pk).query for view in views} == before


def test_an_empty_list_still_says_that_there_is_nothing_yet(as_manager, db):
    assert "No pipelines yet." in as_manager.get(reverse("pipelines")).text
    assert "Show all" not in as_manager.get(reverse("map")).text
    assert not Pipeline.objects.exists()
    assert not InformationPoint.objects.exists()
