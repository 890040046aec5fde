"""The board shows what the list shows, in columns whose figures are of all their pipelines."""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils.html import strip_tags

from pipelines import board
from pipelines.models import PipelineFacility, Stage
from tests.support.builders import make_facility, make_pipeline

BOARD = "/pipelines/board/"


@pytest.fixture
def as_manager(client, manager):
    client.force_login(manager)
    return client


def columns(client, query: str = "") -> dict:
    answer = client.get(f"{BOARD}{query}")
    assert answer.status_code == 200
    return {column.name: column for column in answer.context["columns"]}


def test_columns_are_the_stages_then_on_hold_then_completed(as_manager):
    assert list(columns(as_manager)) == [
        "Discovery",
        "Design",
        "Procurement",
        "Construction",
        "Commissioning",
        "On hold",
        "Completed",
    ]


def test_column_counts_a_shared_facility_once_and_keeps_the_bases_apart(as_manager):
    shared = make_facility("Shared", "bess", capacity_mw=10, storage_mwh=20)
    for name in ("One", "Two"):
        pipeline = make_pipeline(name, capacity_mw=Decimal("50.5"))
        PipelineFacility.objects.create(pipeline=pipeline, facility=shared)

    design = columns(as_manager)["Design"]

    assert design.count == 2
    assert (design.capacity.mwp_dc, design.capacity.mw_ac) == (Decimal(101), Decimal(10))
    assert design.capacity.storage_mwh == 20
    assert "of which storage 10.0&nbsp;MW" in strip_tags(as_manager.get(BOARD).text)


def test_a_card_says_which_mw_its_capacity_is(as_manager):
    make_pipeline("Sunny", capacity_mw=42)
    make_pipeline("Windy", capacity_mw=30, technology="onshore-wind")
    both = make_pipeline("Both", capacity_mw=20)
    battery = make_facility("Battery", "bess", capacity_mw=11)
    PipelineFacility.objects.create(pipeline=both, facility=battery)

    cards = as_manager.get(BOARD).text.split('class="board-card ')[1:]

    reported = {re.search('data-name="([^"]*)', card)[1]: strip_tags(card) for card in cards}
    assert "42.0&nbsp;MWp" in reported["Sunny"]
    assert re.search(r"30\.0&nbsp;MW\s", reported["Windy"])
    assert "31.0&nbsp;MW, mixed" in reported["Both"]


def test_held_pipeline_stands_under_on_hold_and_says_its_stage(as_manager):
    make_pipeline("Held", stage="construction", on_hold=True)

    shown = columns(as_manager)

    assert [card.pipeline.project_name for card in shown["On hold"].cards] == ["Held"]
    assert shown["Construction"].count == 0
    assert "at Construction" in as_manager.get(BOARD).content.decode()


def test_completed_are_counted_and_not_drawn(as_manager):
    make_pipeline("Built", stage="completed", capacity_mw=80)

    completed = columns(as_manager)["Completed"]

    assert (completed.count, completed.cards) == (1, [])


def test_ended_pipelines_are_not_on_the_board(as_manager):
    make_pipeline("Gone", outcome="withdrawn")

    assert sum(column.count for column in columns(as_manager).values()) == 0


def test_cards_come_by_rtb_date_and_without_one_last(as_manager):
    make_pipeline("Later", rtb_date=date(2035, 1, 1))
    make_pipeline("No date")
    make_pipeline("Sooner", rtb_date=date(2020, 1, 1))

    cards = columns(as_manager)["Design"].cards

    assert [card.pipeline.project_name for card in cards] == ["Sooner", "Later", "No date"]
    assert [card.pipeline.is_overdue for card in cards] == [True, False, False]


def test_full_column_shows_the_first_cards_and_leads_to_the_list(as_manager, monkeypatch):
    monkeypatch.setattr(board, "CARDS", 2)
    for _ in range(3):
        make_pipeline(rag_status="red")

    page = as_manager.get(f"{BOARD}?rag=red")
    design = next(column for column in page.context["columns"] if column.name == "Design")

    assert (design.count, len(design.cards)) == (3, 2)
    assert design.list_url == "/pipelines/?rag=red&status=design"
    assert "Show all 3 in the list" in page.content.decode()
    assert "3" in str(as_manager.get(design.list_url).context["total"])


def test_filters_of_the_list_apply(as_manager):
    make_pipeline("Kestrel Moor", technology="wind", capacity_mw=5)
    make_pipeline("Rowan Down", capacity_mw=7)

    cards = columns(as_manager, "?technology=wind")["Design"].cards

    assert [card.pipeline.project_name for card in cards] == ["Kestrel Moor"]


def test_wrong_filter_value_is_reported_beside_the_filter(as_manager):
    make_pipeline()

    text = as_manager.get(f"{BOARD}?rag=purple").content.decode()

    assert "There is no “purple” here" in text
    assert "a filter has a value it does not know" in text


def test_switch_carries_the_filters_to_every_view(as_manager):
    make_pipeline(rag_status="red")
    for name in ("board", "map", "pipelines"):
        text = as_manager.get(reverse(name) + "?rag=red&page=1").content.decode()
        for other in ("board", "map"):
            assert f'href="{reverse(other)}?rag=red"' in text, (name, other)


def test_stage_that_is_no_longer_offered_shows_while_it_is_in_use(as_manager):
    Stage.objects.filter(code="procurement").update(is_active=False)
    assert "Procurement" not in columns(as_manager)

    make_pipeline(stage="procurement")

    procurement = columns(as_manager)["Procurement"]
    assert (procurement.count, procurement.is_target) == (1, False)


def test_manager_sees_no_control_that_moves(as_manager):
    make_pipeline()

    text = as_manager.get(BOARD).content.decode()

    assert "data-move-card" not in text
    assert "data-move-dialog" not in text


def test_portfolio_manager_sees_a_control_on_each_card(client, portfolio_manager):
    make_pipeline("Kestrel Moor")
    client.force_login(portfolio_manager)

    text = client.get(BOARD).content.decode()

    assert "Move Kestrel Moor" in text
    assert "data-move-dialog" in text


def test_typing_gets_the_columns_and_the_sentences_beside_the_filters(as_manager):
    make_pipeline("Kestrel Moor")

    answer = as_manager.get(f"{BOARD}?q=kestrel&rag=purple", headers={"HX-Request": "true"})

    text = answer.content.decode()
    assert "<html" not in text
    assert 'id="results"' in text
    assert "There is no “purple” here" in text
    assert "HX-Request" in answer["Vary"]


def test_add_leads_back_to_the_board_as_it_is_filtered(client, portfolio_manager):
    client.force_login(portfolio_manager)

    text = client.get(f"{BOARD}?rag=red", headers={"HX-Request": "true"}).content.decode()

    assert "/admin/pipelines/pipeline/add/?next=%2Fpipelines%2Fboard%2F%3Frag%3Dred" in text


def test_empty_board_says_what_it_is_for_and_offers_the_first_pipeline(client, portfolio_manager):
    client.force_login(portfolio_manager)

    text = client.get(BOARD).content.decode()

    assert "The board shows each project at its stage" in text
    assert "Add the first one" in text


def test_manager_is_offered_no_form_that_adds(as_manager):
    assert "/add/" not in as_manager.get(BOARD).content.decode()


def test_hostile_name_is_text(as_manager):
    make_pipeline('"><script>alert(1)</script>', rag_status="red")

    text = as_manager.get(BOARD).content.decode()

    assert "<script>alert" not in text
    assert "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in text


@pytest.mark.heavy
def test_board_costs_the_same_at_3_and_at_60_pipelines_and_less_until_one_changes(
    as_manager, django_assert_max_num_queries
):
    def add(number):
        for place in range(number):
            make_pipeline(capacity_mw=place, stage=["design", "discovery"][place % 2])

    add(3)
    as_manager.get(BOARD)
    with django_assert_max_num_queries(12):
        as_manager.get(BOARD)
    cache.clear()
    with django_assert_max_num_queries(20) as few:
        as_manager.get(BOARD)
    add(57)
    with django_assert_max_num_queries(len(few)):
        page = as_manager.get(BOARD)
    assert "<b>60</b> pipelines on the board" in page.text
