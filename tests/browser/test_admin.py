"""A portfolio manager at work in the admin, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from counterparties.models import Counterparty
from infopoints.models import InformationPoint
from oegen.people import roles
from pipelines.models import Pipeline
from tests.browser.conftest import ConsoleWatch
from tests.support.builders import make_facility, make_pipeline, make_user


@pytest.fixture
def at_work(browser_page, sign_in, portfolio_manager, live_server):
    """The portfolio manager's page, signed in; at_work.go(path) opens a page of the admin."""
    sign_in(browser_page, portfolio_manager)
    browser_page.go = lambda path: browser_page.goto(f"{live_server.url}/admin/{path}")
    return browser_page


def choose(page, container, label_text: str, text: str):
    """Pick an entry of an autocomplete, by typing."""
    container.locator(f".field-{label_text} .select2-selection").first.click()
    page.locator(".select2-search__field").last.fill(text)
    page.locator(".select2-results__option", has_text=text).first.click()


def save(page):
    page.get_by_role("button", name="Save", exact=True).click()


def test_a_new_project_with_facility_and_counterparty_is_entered_in_one_form(at_work):
    page = at_work
    page.go("pipelines/pipeline/add/")
    page.get_by_label("Project name").fill("Kettleby Solar")
    choose(page, page, "stage", "Design")
    page.get_by_label("RTB date").fill("2028-03-14")
    page.get_by_text("Add another Facility").click()
    facility = page.locator("#facility_links-0")
    choose(page, facility, "technology", "Solar")
    facility.get_by_label("Capacity in MW or MWp").fill("49.9")
    facility.get_by_role("button", name="Pick on the map").click()
    chart = facility.locator(".place-map")
    expect(chart.locator("canvas").first).to_be_visible()
    chart.click(position={"x": 200, "y": 100})
    expect(facility.get_by_label("Latitude")).not_to_have_value("")
    expect(facility.get_by_label("Longitude")).not_to_have_value("")
    page.get_by_text("Add another Counterparty").click()
    page.locator("#id_counterparty_links-0-new_counterparty").fill("Acme Renewables")
    choose(page, page.locator("#counterparty_links-0"), "role", "Lead developer")
    page.locator("#id_change_reason").fill("Option signed")
    save(page)
    expect(page.locator("main > .alert")).to_contain_text("was added successfully")
    pipeline = Pipeline.objects.get()
    facility = pipeline.facilities.get()
    assert (facility.name, facility.technology.code) == ("Kettleby Solar", "solar")
    assert facility.latitude is not None
    assert pipeline.counterparties.get().name == "Acme Renewables"
    assert pipeline.history.get().history_change_reason == "Option signed"


@pytest.mark.heavy
def test_a_facility_is_placed_by_clicking_and_the_marker_follows_typing(at_work):
    page = at_work
    facility = make_facility(technology="wind")
    page.go(f"pipelines/facility/{facility.pk}/change/")
    chart = page.locator(".place-map")
    expect(chart.locator("canvas").first).to_be_visible()
    chart.click(position={"x": 150, "y": 120})
    latitude = page.get_by_label("Latitude")
    assert -90 <= float(latitude.input_value()) <= 90
    page.get_by_label("Latitude").fill("57.1")
    page.get_by_label("Longitude").fill("-2.1")
    page.get_by_label("Country").select_option(label="United Kingdom")
    save(page)
    facility.refresh_from_db()
    assert (float(facility.latitude), float(facility.longitude)) == (57.1, -2.1)
    assert facility.country == "GB"


@pytest.mark.heavy
def test_a_counterparty_and_an_information_point_are_added_edited_and_removed(at_work):
    page = at_work
    page.go("counterparties/counterparty/add/")
    page.locator("#id_name").fill("Blue Ridge Power")
    page.get_by_label("Strategy").fill("Batteries near data centres")
    save(page)
    page.go("infopoints/informationpoint/add/")
    page.get_by_label("Title").fill("Capacity market parameters")
    page.get_by_label("Impact").fill("70")
    page.get_by_label("Likelihood").fill("60")
    page.get_by_text("Add another Counterparty").click()
    choose(page, page.locator("#counterparty_links-0"), "counterparty", "Blue Ridge")
    save(page)
    point = InformationPoint.objects.get()
    assert point.rating == 4200
    assert point.counterparties.get().name == "Blue Ridge Power"

    page.go(f"counterparties/counterparty/{Counterparty.objects.get().pk}/delete/")
    expect(page.locator("#content")).to_contain_text("can’t be removed")
    page.get_by_role("link", name="Capacity market parameters").click()
    page.get_by_label("Impact").fill("80")
    page.locator("#counterparty_links-0 .delete input").check()
    save(page)
    point.refresh_from_db()
    assert point.rating == 4800
    assert not point.counterparties.exists()

    page.go(f"counterparties/counterparty/{Counterparty.objects.get().pk}/delete/")
    page.locator("#id_change_reason").fill("Never met them")
    page.get_by_role("button", name="Remove it").click()
    expect(page.locator(".messagelist")).to_be_visible()
    assert not Counterparty.objects.exists()
    row = Counterparty.history.first()
    assert (row.history_type, row.history_change_reason) == ("-", "Never met them")


@pytest.mark.heavy
def test_a_refusal_stands_at_its_field_and_keeps_what_was_typed(at_work):
    page = at_work
    facility = make_facility(technology="wind")
    page.go(f"pipelines/facility/{facility.pk}/change/")
    page.get_by_label("Latitude").fill("999")
    page.get_by_label("Longitude").fill("1")
    page.get_by_label("Storage").fill("12")
    save(page)
    expect(page.locator(".field-latitude .errorlist")).to_have_text(
        "Give a number from -90 to 90 degrees, not 999."
    )
    expect(page.locator(".field-storage_mwh .errorlist")).to_contain_text("Wind stores no energy")
    expect(page.get_by_label("Latitude")).to_have_value("999")


@pytest.mark.heavy
def test_a_change_of_stage_asks_why(at_work):
    page = at_work
    pipeline = make_pipeline(stage="design")
    page.go(f"pipelines/pipeline/{pipeline.pk}/change/")
    choose(page, page, "stage", "Procurement")
    save(page)
    expect(page.locator(".field-change_reason .errorlist")).to_have_text(
        "Say why: you changed Stage."
    )
    page.locator("#id_change_reason").fill("Consent granted")
    save(page)
    expect(page.locator("main > .alert")).to_contain_text("was changed successfully")
    page.go(f"pipelines/pipeline/{pipeline.pk}/change/")
    history = page.locator(".record-timeline li").first
    expect(history).to_contain_text("Moved from Design to Procurement")
    expect(history).to_contain_text("Priya Shah")
    expect(history).to_contain_text("Consent granted")


def test_two_browsers_at_one_pipeline_the_second_is_stopped_and_nothing_is_lost(
    at_work, browser, sign_in, live_server
):
    first = at_work
    jane = make_user(roles.PORTFOLIO_MANAGERS, first_name="Jane", last_name="Doe")
    second = browser.new_context().new_page()
    watch = ConsoleWatch(second)
    sign_in(second, jane)
    pipeline = make_pipeline("Kettleby", rag_status="green", capacity_mw=20)
    url = f"{live_server.url}/admin/pipelines/pipeline/{pipeline.pk}/change/"
    first.goto(url)
    second.goto(url)

    second.locator("#id_rag_status").select_option(label="Amber")
    second.locator("#id_change_reason").fill("Grid offer late")
    save(second)
    expect(second.locator("main > .alert")).to_contain_text("was changed successfully")

    first.get_by_label("Project name").fill("Kettleby Solar")
    first.get_by_label("RAG comment").fill("All quiet")
    save(first)
    note = first.locator(".errorlist.nonfield")
    expect(note).to_contain_text("Jane Doe changed this while you had it open.")
    expect(note).to_contain_text("RAG worsened from Green to Amber")
    expect(note).to_contain_text(re.compile(r"by Jane Doe, \d+ \w+ \d{4}, \d\d:\d\d"))
    expect(first.get_by_label("Project name")).to_have_value("Kettleby Solar")
    expect(first.get_by_label("RAG comment")).to_have_value("All quiet")
    expect(first.locator("#id_rag_status")).to_have_value("amber")
    pipeline.refresh_from_db()
    assert pipeline.project_name == "Kettleby"

    save(first)
    expect(first.locator("main > .alert")).to_contain_text("was changed successfully")
    pipeline.refresh_from_db()
    assert pipeline.project_name == "Kettleby Solar"
    assert (pipeline.rag_status, pipeline.rag_comment) == ("amber", "All quiet")
    assert watch.errors == []
    second.context.close()


def test_the_table_is_edited_in_place(at_work):
    page = at_work
    pipeline = make_pipeline("Kettleby", stage="design", rag_status="green")
    make_pipeline("Thornholme")
    page.go("pipelines/pipeline/")
    row = page.locator("tr", has_text="Kettleby")
    row.locator("[name$=rag_status]").select_option(label="Red")
    row.locator("[name$=rag_comment]").fill("Refused at committee")
    row.locator("[name$=rtb_date]").fill("2029-01-31")
    page.locator("[name=change_reason]").fill("Committee of 3 March")
    save(page)
    expect(page.locator(".messagelist")).to_contain_text("1 pipeline was changed successfully")
    pipeline.refresh_from_db()
    assert (pipeline.rag_status, pipeline.rtb_date.isoformat()) == ("red", "2029-01-31")
    page.locator("#searchbar").fill("thornholme")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)


def test_on_a_phone_a_row_of_the_table_is_a_card_whose_values_say_what_they_are(at_work):
    page = at_work
    page.set_viewport_size({"width": 390, "height": 844})
    make_pipeline("Kettleby", rag_status="green", capacity_mw=20)
    page.go("pipelines/pipeline/")
    row = page.locator("#result_list tbody tr")
    for field, heading in (
        ("stage", "Stage"),
        ("rag_status", "RAG"),
        ("rag_comment", "RAG comment"),
    ):
        cell = row.locator(f".field-{field}")
        word = cell.evaluate("cell => getComputedStyle(cell, '::before').content")
        box = cell.locator(":is(select, textarea)").bounding_box()
        assert word == f'"{heading}"'
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert page.locator(".results").evaluate("box => box.scrollWidth <= box.clientWidth")
    assert row.bounding_box()["y"] < 844 / 2 + 50
