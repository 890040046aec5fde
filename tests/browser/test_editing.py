"""A fact changed where it is shown, in a real browser: list, dashboard, record, phone."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from pipelines.models import Pipeline
from tests.support.builders import make_pipeline

HOSTILE = '<img src=x onerror=alert(1)> "Moor" مرحبا'


@pytest.fixture
def pipeline():
    make_pipeline("Second", rag_status="green", capacity_mw=1)
    return make_pipeline(HOSTILE, rag_status="amber", rag_comment="It may", capacity_mw=40)


@pytest.fixture
def page(browser_page, sign_in, portfolio_manager, pipeline):
    sign_in(browser_page, portfolio_manager)
    return browser_page


def test_rating_in_a_list_takes_three_clicks_and_is_taken_back(page, pipeline, live_server):
    page.goto(f"{live_server.url}{reverse('pipelines')}")
    row = page.locator("tbody tr").filter(has_text="Moor")

    row.locator("td.col-rag_status").click()  # 1
    dialog = page.locator("dialog[open]")
    expect(dialog.get_by_role("heading")).to_have_text(f"RAG of {HOSTILE}")
    expect(dialog.get_by_label("Amber")).to_be_focused()
    dialog.get_by_label("Red").check()  # 2
    dialog.get_by_label("Why, in a sentence").fill("Grid offer withdrawn")  # 3
    page.keyboard.press("Enter")

    notice = page.locator(".edit-notice")
    expect(notice).to_contain_text("is red.")
    expect(row.locator("td.col-rag_status")).to_contain_text("Red")
    assert Pipeline.objects.get(pk=pipeline.pk).rag_comment == "Grid offer withdrawn"
    expect(row.get_by_role("button", name="Change the RAG")).to_be_focused()

    notice.get_by_role("button", name="Undo").click()
    expect(notice).to_contain_text("is as it was before.")
    expect(row.locator("td.col-rag_status")).to_contain_text("Amber")


def test_keyboard_alone_changes_and_leaves(page, pipeline, live_server):
    page.goto(f"{live_server.url}{reverse('pipelines')}?q=moor")
    page.wait_for_selector(".cell-edit")
    button = page.get_by_role("button", name="Change the RTB date")
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[open]")
    dialog.get_by_label("Ready to build on").fill("2040-03-01")
    page.keyboard.press("Enter")
    # Its reason is asked for, at the field.
    expect(dialog.get_by_label("Why")).to_be_focused()
    expect(dialog).to_contain_text("Say why it moves")
    page.console.expect("422")
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert Pipeline.objects.get(pk=pipeline.pk).rtb_date is None


def test_record_and_phone(page, pipeline, live_server):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{live_server.url}{pipeline.get_absolute_url()}")
    page.get_by_role("button", name="Change the next step").click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_label("Next step").fill("Sign the lease")
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator(".edit-notice")).to_contain_text("is saved.")
    expect(page.get_by_text("Next: Sign the lease")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    page.goto(live_server.url)
    page.locator(".attention tr").filter(has_text="Moor").locator(".attention-rag").click()
    expect(page.locator("dialog[open]").get_by_label("Amber")).to_be_checked()


def test_stale_ratings_are_confirmed_in_four_clicks(page, pipeline, live_server):
    for one in Pipeline.objects.all():
        one.rag_confirmed_at = timezone.now() - timedelta(days=70)
        one.save()
    page.goto(live_server.url)
    page.get_by_role("link", name="Not confirmed in 60 days").click()  # 1
    page.get_by_label("Select all of this page").check()  # 2
    bar = page.get_by_role("region", name="What to do with the selected pipelines")
    expect(bar).to_contain_text("2 selected")
    bar.get_by_role("button", name="Still right").click()  # 3
    dialog = page.locator("dialog[open]")
    expect(dialog.get_by_role("heading")).to_have_text("Still right of 2 pipelines")
    dialog.get_by_role("button", name="Save").click()  # 4
    expect(page.locator(".edit-notice")).to_contain_text("2 pipelines confirmed.")
    expect(bar).to_be_hidden()


def test_a_milestone_is_done_with_evidence_on_the_record(page, pipeline, live_server):
    page.goto(f"{live_server.url}{reverse('pipeline', args=[pipeline.pk])}")
    page.get_by_role("button", name="Change the milestone Grid offer accepted").click()
    dialog = page.locator("dialog[open]")
    expect(dialog.get_by_label("Baseline")).to_have_count(0)
    dialog.get_by_label("Happened on").fill("2026-03-01")
    dialog.get_by_label("What proves it").fill(HOSTILE)
    page.keyboard.press("Enter")
    expect(page.locator(".edit-notice")).to_contain_text("Grid offer accepted of")
    row = page.get_by_role("row").filter(has_text="Grid offer accepted")
    expect(row).to_contain_text("1 Mar 2026")
    expect(row).to_contain_text(HOSTILE)
    expect(page.get_by_text("1 of 3 RTB gates proven")).to_be_visible()
