"""Projects of registers on the map: what is in sight, and how far our nearest facility is."""

from datetime import date

import pytest

from pipelines.registers import map_layer
from pipelines.registers.models import Match, MatchState, RegisterProject
from tests.support.builders import make_facility, make_pipeline
from tests.support.registers import ingest_repd

pytestmark = pytest.mark.django_db

DATA = "/pipelines/map/layers/registers/"
YORKSHIRE = "bounds=-2,53,-1,54.5"


@pytest.fixture
def projects() -> dict[str, RegisterProject]:
    ingest_repd(
        date(2025, 1, 31),
        {},
        {"Ref ID": "102", "Site Name": "Elm", "X-coordinate": "421000"},
        {"Ref ID": "103", "Site Name": "Ash", "Development Status (short)": "Operational"},
        {"Ref ID": "104", "Site Name": "Nowhere", "X-coordinate": "", "Y-coordinate": ""},
        {"Ref ID": "105", "Site Name": "Far", "Y-coordinate": "845000"},
    )
    return {one.key: one for one in RegisterProject.objects.all()}


def names(answer) -> set[str]:
    return {site[1] for site in answer.json()["sites"]}


def test_projects_in_sight_have_what_a_popup_says(as_manager, projects):
    answer = as_manager.get(f"{DATA}?{YORKSHIRE}")
    [site] = [one for one in answer.json()["sites"] if one[1] == "Elm"]
    assert site[:2] == [str(projects["102"].pk), "Elm"]
    assert site[4:] == [
        *(40.0, "MW", "Solar", "Application Submitted", "Larch Energy Ltd", "REPD"),
    ]
    assert names(answer) == {"Kestrel Moor Solar Farm", "Elm"}, "those in planning, at first"
    assert names(as_manager.get(f"{DATA}?{YORKSHIRE}&beside_outcome=built")) == {"Ash"}
    assert names(as_manager.get(f"{DATA}?{YORKSHIRE}&beside_technology=solar")) == names(answer)
    assert names(as_manager.get(f"{DATA}?bounds=-3,57,-1,58")) == {"Far"}


def test_many_are_added_up_and_ours_are_left_out(as_manager, projects, monkeypatch):
    monkeypatch.setattr(map_layer, "MAX_SITES", 1)
    answer = as_manager.get(f"{DATA}?bounds=-10,45,10,60").json()
    assert [group[2:5] for group in answer["groups"]] == [[2, 0, 80]]
    assert [site[1] for site in answer["sites"]] == ["Far"]
    Match(project=projects["102"], record=make_pipeline(), state=MatchState.ACCEPTED).save()
    assert names(as_manager.get(f"{DATA}?{YORKSHIRE}")) == {"Kestrel Moor Solar Farm"}


def test_nearest_facility_is_told_with_its_distance(as_manager):
    assert as_manager.get(f"{DATA}?at=53.9,-1.7").json() == {}
    near = make_facility("Near", latitude="53.9", longitude="-1.5")
    make_facility("Farther north", latitude="54.05", longitude="-1.7")
    answer = as_manager.get(f"{DATA}?at=53.9,-1.7").json()
    assert answer == {"id": str(near.pk), "name": "Near", "km": 13.1}


@pytest.mark.parametrize(
    "query", [f"{YORKSHIRE}&beside_outcome=purple", "bounds=1", "at=91,0", "at=x", ""]
)
def test_address_of_something_else_is_refused_in_words(as_manager, projects, query):
    assert as_manager.get(f"{DATA}?{query}").status_code == 400


def test_layer_that_is_not_there_is_not_found(as_manager):
    assert as_manager.get("/pipelines/map/layers/roads/").status_code == 404


def test_map_shows_licence_and_address_while_the_layer_is_on(as_manager, projects):
    off = as_manager.get("/pipelines/map/").text
    assert 'name="beside"' in off
    assert "Open Government Licence" not in off
    on = as_manager.get("/pipelines/map/?beside=registers&beside_outcome=built").text
    assert f'data-map-layer="{DATA}?beside_register=&amp;beside_outcome=built' in on
    assert "Open Government Licence" in on
    assert "<b>1</b> project of public registers" in on
    wrong = as_manager.get("/pipelines/map/?beside=registers&beside_outcome=purple").text
    assert "data-map-layer" not in wrong
    assert "purple is not one of the available choices" in wrong


def test_map_without_registers_offers_no_layer(as_manager):
    assert 'name="beside"' not in as_manager.get("/pipelines/map/").text
